use super::{Piece, SeparateOptions};
use crate::fans::Fans;
use brainmesh_core::{Cancelled, Monitor, Ribbon, Surface, WorldPoint};
use glam::DVec3;
use rayon::prelude::*;

/// Volume demanded of a tetrahedron at first, as a share of that of a prism as wide as the ribbon here and as thick as
/// the layer.
const DEMAND: f64 = 0.1;
/// By which the demand shrinks every [`PERIOD`] sweeps, and the least share of it.
const PATIENCE: (f64, f64) = (0.95, 1e-3);
/// Sweeps with the same demand.
const PERIOD: usize = 20;
/// Sweeps between two choices of diagonals.
const CHOICE: usize = 80;
/// Sweeps after which diagonals are also tried at random.
const RANDOM: usize = 240;
/// A tetrahedron is left alone from this share of the demand on.
const ENOUGH: f64 = 0.5;
/// The farthest that one tetrahedron moves its corners at once, in mm.
const STEP_MM: f64 = 0.1;
/// Area above which a triangle asks for no more, in mm2: large ones do not need so much room.
const LARGE_MM2: f64 = 0.25;

/// The space between surfaces that share their triangles, as prisms, each divided into three tetrahedra.
///
/// Where all tetrahedra have positive volume and the outermost and innermost surface do not cross themselves, the map
/// from triangles x depth is one-to-one: no surface crosses itself or another.
pub(super) struct Prisms<'a> {
    ribbon: &'a Ribbon,
    fans: &'a Fans,
    surfaces: usize,
    /// Position of vertex `v` on surface `k` at `v * surfaces + k`, now and at first.
    places: Vec<DVec3>,
    first: Vec<DVec3>,
    /// Which way the prism below surface `k` is divided: sides are cut from the outer corner of the vertex with the
    /// lower key. At `v * surfaces + k`.
    keys: Vec<f32>,
    /// How readily the outermost and the innermost surface move at each vertex.
    ends: Vec<[f64; 2]>,
    used: &'a [bool],
}

/// Corners of a tetrahedron, as indices into the places, in the order that gives it positive volume.
pub(super) type Tetrahedron = [usize; 4];

impl<'a> Prisms<'a> {
    /// `fans` of all triangles of the ribbon.
    pub(super) fn new(
        surfaces: &[Surface],
        ribbon: &'a Ribbon,
        fans: &'a Fans,
        used: &'a [bool],
        options: &SeparateOptions,
    ) -> Self {
        let n = ribbon.len();
        let places: Vec<DVec3> =
            (0..n).flat_map(|v| surfaces.iter().map(move |surface| surface.vertices()[v].0)).collect();
        let end = if options.keep_ends { 0.0 } else { 1.0 };
        Self {
            ribbon,
            fans,
            surfaces: surfaces.len(),
            first: places.clone(),
            keys: vec![0.0; places.len()],
            ends: vec![[end; 2]; n],
            places,
            used,
        }
    }

    /// With divisions chosen by one key a vertex.
    #[cfg(test)]
    pub(super) fn with_keys(mut self, keys: &[f32]) -> Self {
        self.keys = keys.iter().flat_map(|&key| std::iter::repeat_n(key, self.surfaces)).collect();
        self
    }

    /// Six times the volume of a tetrahedron.
    #[cfg(test)]
    pub(super) fn volume(&self, tetrahedron: Tetrahedron) -> f64 {
        let [a, b, c, d] = tetrahedron.map(|i| self.places[i]);
        (b - a).cross(c - a).dot(d - a)
    }

    /// Positions on surface `k`.
    pub(super) fn places(&self, k: usize) -> Vec<WorldPoint> {
        self.places[k..].iter().step_by(self.surfaces).map(|&place| WorldPoint(place)).collect()
    }

    /// Columns of prisms of which some corner has a negative Jacobian: there rays fold over one another. Where layers are
    /// absent it is zero.
    pub(super) fn folded(&self) -> Vec<u32> {
        let triangles = self.ribbon.triangles();
        (0..triangles.len() as u32)
            .into_par_iter()
            .filter(|&t| self.is_used(t) && (0..self.surfaces - 1).any(|k| self.least_corner(t, k) < 0.0))
            .collect()
    }

    fn is_used(&self, triangle: u32) -> bool {
        self.ribbon.triangles()[triangle as usize].iter().all(|&v| self.used[v as usize])
    }

    /// The least Jacobian at the six corners of the prism below surface `k`.
    fn least_corner(&self, triangle: u32, k: usize) -> f64 {
        let corners = self.ribbon.triangles()[triangle as usize].map(|v| v as usize * self.surfaces + k);
        let at = |i: usize| self.places[corners[i % 3]];
        let below = |i: usize| self.places[corners[i % 3] + 1];
        (0..3)
            .flat_map(|i| {
                let down = at(i) - below(i);
                let outer = (at(i + 1) - at(i)).cross(at(i + 2) - at(i));
                let inner = (below(i + 1) - below(i)).cross(below(i + 2) - below(i));
                [outer.dot(down), inner.dot(down)]
            })
            .fold(f64::INFINITY, f64::min)
    }

    /// Puts the outermost and the innermost surface back to where they are given, and keeps them there, where they cross
    /// themselves. Returns the vertices where that was new.
    pub(super) fn hold_ends(&mut self, crossings: &[[Piece; 2]]) -> Vec<u32> {
        let mut held = Vec::new();
        for [a, b] in crossings.iter().filter(|[a, b]| a.surface == b.surface) {
            let end = match a.surface {
                0 => 0,
                k if k + 1 == self.surfaces => 1,
                _ => continue,
            };
            let given = [self.ribbon.pial(), self.ribbon.white()][end].vertices();
            for v in [a, b].into_iter().flat_map(|piece| self.ribbon.triangles()[piece.triangle as usize]) {
                if self.ends[v as usize][end] > 0.0 {
                    self.ends[v as usize][end] = 0.0;
                    self.places[v as usize * self.surfaces + a.surface] = given[v as usize].0;
                    held.push(v);
                }
            }
        }
        held
    }

    /// Gives every tetrahedron of these columns, and of those that are drawn in, a positive volume: each that has none
    /// moves its corners along the gradient of its volume by as little as will do (position-based dynamics, Müller 2007,
    /// eq. 7 and 8), again and again. Returns the vertices that moved.
    pub(super) fn unfold(
        &mut self,
        columns: &[u32],
        sweeps: usize,
        monitor: &dyn Monitor,
    ) -> Result<Vec<u32>, Cancelled> {
        let mut moved = vec![false; self.ribbon.len()];
        let mut touched = vec![false; self.ribbon.len()];
        let mut active: Vec<u32> = columns.iter().copied().filter(|&t| self.is_used(t)).collect();
        for sweep in 0..sweeps {
            if active.is_empty() {
                break;
            }
            monitor.check()?;
            if sweep % CHOICE == 0 {
                active = self.choose_diagonals(&active, sweep);
            }
            let demand = DEMAND * PATIENCE.0.powi((sweep / PERIOD) as i32).max(PATIENCE.1);
            touched.fill(false);
            // To and fro, in and out, so that no direction is preferred.
            if sweep % 4 >= 2 {
                active.reverse();
            }
            for &column in &active {
                for k in 0..self.surfaces - 1 {
                    let k = if sweep % 2 == 0 { self.surfaces - 2 - k } else { k };
                    if self.give_volume(column, k, demand) {
                        for v in self.ribbon.triangles()[column as usize] {
                            touched[v as usize] = true;
                        }
                    }
                }
            }
            moved.iter_mut().zip(&touched).for_each(|(m, t)| *m |= t);
            active = self.around(&touched);
        }
        Ok((0..moved.len() as u32).filter(|&v| moved[v as usize]).collect())
    }

    /// Columns with a marked vertex, ascending.
    fn around(&self, marked: &[bool]) -> Vec<u32> {
        let vertices = marked.iter().enumerate().filter(|(_, m)| **m);
        let mut columns: Vec<u32> = vertices.flat_map(|(v, _)| self.fans.of(v).iter().copied()).collect();
        columns.sort_unstable();
        columns.dedup();
        columns.retain(|&t| self.is_used(t));
        columns
    }

    /// Divides the prisms at these columns so that the tetrahedra have room: a vertex whose outer triangles are folded is
    /// seen from there by few points, so sides are cut from it. Returns the columns whose division may have changed.
    fn choose_diagonals(&mut self, columns: &[u32], sweep: usize) -> Vec<u32> {
        let mut marked = vec![false; self.ribbon.len()];
        for &column in columns {
            self.ribbon.triangles()[column as usize].iter().for_each(|&v| marked[v as usize] = true);
        }
        for v in (0..marked.len()).filter(|&v| marked[v]) {
            let flatness: Vec<f64> = (0..self.surfaces).map(|k| self.flatness(v, k)).collect();
            for k in 0..self.surfaces - 1 {
                let noise = if sweep >= RANDOM { random(v * self.surfaces + k, sweep) } else { 0.0 };
                self.keys[v * self.surfaces + k] = (flatness[k] - flatness[k + 1] + noise) as f32;
            }
        }
        self.around(&marked)
    }

    /// Least cosine between the mean normal around a vertex of surface `k` and those of its triangles.
    fn flatness(&self, vertex: usize, k: usize) -> f64 {
        let normal = |&t: &u32| {
            let [a, b, c] = self.ribbon.triangles()[t as usize].map(|v| self.places[v as usize * self.surfaces + k]);
            (b - a).cross(c - a).normalize_or_zero()
        };
        let mean = self.fans.of(vertex).iter().map(normal).sum::<DVec3>().normalize_or_zero();
        self.fans.of(vertex).iter().map(|t| normal(t).dot(mean)).fold(1.0, f64::min)
    }

    /// The prism below surface `k`, divided along the diagonals that the keys choose: neighbours choose the same.
    pub(super) fn tetrahedra(&self, column: u32, k: usize) -> [Tetrahedron; 3] {
        let triangle = self.ribbon.triangles()[column as usize];
        let mut order = [0, 1, 2];
        let key = |i: usize| (self.keys[triangle[i] as usize * self.surfaces + k], triangle[i]);
        order.sort_unstable_by(|&i, &j| key(i).0.total_cmp(&key(j).0).then(key(i).1.cmp(&key(j).1)));
        let [a, b, c] = order.map(|i| triangle[i] as usize * self.surfaces + k);
        let mut all = [[a, b, c, c + 1], [a, b + 1, b, c + 1], [a, a + 1, b + 1, c + 1]];
        // As the triangle is wound, seen from outside; the lower corner lies on the other side.
        let even = (order[1] + 3 - order[0]) % 3 == 1;
        for tetrahedron in &mut all {
            if even {
                tetrahedron.swap(0, 1);
            }
        }
        all
    }

    /// Moves the corners of tetrahedra that have too little volume. Whether there were any.
    fn give_volume(&mut self, column: u32, k: usize, demand: f64) -> bool {
        let demand = demand * self.room(column, k);
        let mut any = false;
        for tetrahedron in self.tetrahedra(column, k) {
            let [a, b, c, d] = tetrahedron.map(|i| self.places[i]);
            let gradients = {
                let (b, c, d) = (b - a, c - a, d - a);
                let others = [c.cross(d), d.cross(b), b.cross(c)];
                [-(others[0] + others[1] + others[2]), others[0], others[1], others[2]]
            };
            let volume = gradients[3].dot(d - a);
            if volume > ENOUGH * demand || (volume == 0.0 && demand == 0.0) {
                continue;
            }
            let mobility = tetrahedron.map(|i| self.mobility(i));
            let give: f64 = (0..4).map(|i| mobility[i] * gradients[i].length_squared()).sum();
            if give > 0.0 {
                any = true;
                let share = ((demand - volume) / give).min(STEP_MM / give.sqrt());
                for i in 0..4 {
                    self.places[tetrahedron[i]] += gradients[i] * (share * mobility[i]);
                }
            }
        }
        any
    }

    fn mobility(&self, index: usize) -> f64 {
        let (vertex, k) = (index / self.surfaces, index % self.surfaces);
        match k {
            0 => self.ends[vertex][0],
            k if k + 1 == self.surfaces => self.ends[vertex][1],
            _ => 1.0,
        }
    }

    /// Six times the volume of a prism as wide as the ribbon is here and as thick as the layer was at first.
    fn room(&self, column: u32, k: usize) -> f64 {
        let depth = (k as f64 + 0.5) / (self.surfaces - 1) as f64;
        let area = |surface: &Surface| surface.triangle_area_mm2(column as usize);
        let area = area(self.ribbon.pial()) * (1.0 - depth) + area(self.ribbon.white()) * depth;
        let thickness = self.ribbon.triangles()[column as usize].map(|v| {
            let at = v as usize * self.surfaces + k;
            self.first[at].distance(self.first[at + 1])
        });
        2.0 * area.min(LARGE_MM2) * thickness.iter().sum::<f64>() / 3.0
    }
}

/// Between -0.5 and 0.5, the same for the same place and sweep.
fn random(place: usize, sweep: usize) -> f64 {
    // Steele 2014, SplitMix64.
    let mut z = (place as u64).wrapping_add((sweep as u64) << 40).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64 - 0.5
}
