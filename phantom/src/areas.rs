use crate::random::{Purpose, normal, stream, uniform};
use brainmesh_core::LAYER_COUNT;
use glam::{DVec3, IVec3};
use std::cell::RefCell;
use std::collections::HashMap;

/// What kind of cortex an area is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Six layers.
    Granular,
    /// Layer IV fades to nothing (motor, cingulate, insular cortex).
    Agranular,
    /// Layer IV is thick and split by a pale stripe (primary visual cortex), with abrupt borders.
    SplitFour,
}

/// A cytoarchitectonic area: everything that it has in common.
#[derive(Debug, Clone)]
pub(crate) struct Area {
    pub kind: Kind,
    /// Independent standard normal deviates, for layer thickness.
    pub thickness: [f64; LAYER_COUNT],
    /// Independent standard normal deviates, for staining.
    pub stain: [f64; LAYER_COUNT],
    centre: DVec3,
}

/// The two areas nearest to a place, and how much of the first one it is (0.5 on their border).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub first: IVec3,
    pub second: IVec3,
    pub weight: f64,
}

/// Areas as the Voronoi cells of one random point in every cell of an endless lattice.
pub(crate) struct Areas {
    seed: u64,
    size_mm: f64,
    known: RefCell<HashMap<IVec3, Area>>,
}

/// Widths of borders, mm: abrupt ones are those of primary visual cortex.
const GRADUAL_MM: f64 = 1.2;
const ABRUPT_MM: f64 = 0.08;

impl Areas {
    pub(crate) fn new(seed: u64, size_mm: f64) -> Self {
        Self { seed, size_mm, known: RefCell::default() }
    }

    pub(crate) fn area(&self, cell: IVec3) -> Area {
        self.known.borrow_mut().entry(cell).or_insert_with(|| self.draw(cell)).clone()
    }

    fn draw(&self, cell: IVec3) -> Area {
        // 13 bits for each axis: cells repeat after 8192, far beyond any brain.
        let index = cell.to_array().into_iter().fold(0usize, |n, c| n << 13 | (c & 0x1fff) as usize);
        let mut rng = stream(self.seed, Purpose::Areas, index);
        let mut corner = || uniform(&mut rng, [0.1, 0.9]);
        let centre = (cell.as_dvec3() + DVec3::new(corner(), corner(), corner())) * self.size_mm;
        let kind = match uniform(&mut rng, [0.0, 1.0]) {
            u if u < 0.12 => Kind::Agranular,
            u if u < 0.24 => Kind::SplitFour,
            _ => Kind::Granular,
        };
        let mut deviates = || std::array::from_fn(|_| normal(&mut rng));
        Area { kind, thickness: deviates(), stain: deviates(), centre }
    }

    /// Where a place lies for what may change abruptly: composition and staining.
    pub(crate) fn place(&self, p: DVec3) -> Place {
        let (distances, first, second) = self.nearest(p);
        let abrupt = [first, second].iter().any(|&c| self.area(c).kind == Kind::SplitFour);
        self.between(distances, first, second, if abrupt { ABRUPT_MM } else { GRADUAL_MM })
    }

    /// Where a place lies for what changes gradually on every border: the total thickness.
    pub(crate) fn smooth_place(&self, p: DVec3) -> Place {
        let (distances, first, second) = self.nearest(p);
        self.between(distances, first, second, GRADUAL_MM)
    }

    fn between(&self, distances: [f64; 2], first: IVec3, second: IVec3, width: f64) -> Place {
        Place { first, second, weight: 1.0 / (1.0 + (-(distances[1] - distances[0]) / width).exp()) }
    }

    /// Distances to the centres of the two nearest areas.
    fn nearest(&self, p: DVec3) -> ([f64; 2], IVec3, IVec3) {
        let home = (p / self.size_mm).floor().as_ivec3();
        let mut nearest = [(f64::INFINITY, home), (f64::INFINITY, home)];
        for n in 0..27 {
            let cell = home + IVec3::new(n % 3 - 1, n / 3 % 3 - 1, n / 9 - 1);
            let distance = self.area(cell).centre.distance(p);
            if distance < nearest[0].0 {
                nearest = [(distance, cell), nearest[0]];
            } else if distance < nearest[1].0 {
                nearest[1] = (distance, cell);
            }
        }
        let [(d1, first), (d2, second)] = nearest;
        ([d1, d2], first, second)
    }

    /// A property of areas at a place, blended over the border.
    pub(crate) fn blend(&self, place: &Place, property: impl Fn(&Area) -> f64) -> f64 {
        place.weight * property(&self.area(place.first)) + (1.0 - place.weight) * property(&self.area(place.second))
    }
}
