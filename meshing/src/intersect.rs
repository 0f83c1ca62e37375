use crate::boxes::{Bounds, BoxTree};
use crate::predicates::{Triangle, disjoint_corners_meet, one_shared_corner_meet, shared_edge_meet};
use brainmesh_core::{Monitor, Surface};
use glam::DVec3;
use rayon::prelude::*;

/// Triangles handled between two looks at the monitor.
const BATCH: usize = 4096;

/// The triangles of one surface as a file holds them (coordinates rounded to `f32`), ready to be tested against others.
pub(crate) struct Triangles<'a> {
    corners: Vec<Triangle>,
    indices: &'a [[u32; 3]],
    bounds: Vec<Bounds>,
    tree: BoxTree,
    used: Vec<u32>,
}

impl<'a> Triangles<'a> {
    /// Those whose three vertices are all `used`.
    pub(crate) fn new(surface: &'a Surface, used: impl Fn(usize) -> bool) -> Self {
        let round = |p: DVec3| p.as_vec3().as_dvec3();
        let indices = surface.triangles();
        let corners: Vec<_> = (0..indices.len()).map(|t| surface.corners(t).map(round)).collect();
        let bounds: Vec<_> = corners.iter().map(Bounds::of).collect();
        let used: Vec<u32> =
            (0..indices.len() as u32).filter(|&t| indices[t as usize].iter().all(|&v| used(v as usize))).collect();
        Self { tree: BoxTree::new(used.clone(), &bounds), corners, indices, bounds, used }
    }

    /// Which triangles cut another one of the same surface.
    pub(crate) fn cut_themselves(&self, monitor: &dyn Monitor) -> Result<Vec<bool>, brainmesh_core::Cancelled> {
        let pairs = self.pairs(self, monitor, |a, b| a < b)?;
        Ok(self.marks(pairs.into_iter().flat_map(|(a, b)| [a, b])))
    }

    /// Which triangles of this surface and of another with the same indices cut each other.
    pub(crate) fn cut(&self, other: &Self, monitor: &dyn Monitor) -> Result<[Vec<bool>; 2], brainmesh_core::Cancelled> {
        let pairs = self.pairs(other, monitor, |_, _| true)?;
        Ok([self.marks(pairs.iter().map(|p| p.0)), other.marks(pairs.iter().map(|p| p.1))])
    }

    fn marks(&self, triangles: impl Iterator<Item = u32>) -> Vec<bool> {
        let mut marks = vec![false; self.indices.len()];
        triangles.for_each(|t| marks[t as usize] = true);
        marks
    }

    fn pairs(
        &self,
        other: &Self,
        monitor: &dyn Monitor,
        wanted: impl Fn(u32, u32) -> bool + Sync,
    ) -> Result<Vec<(u32, u32)>, brainmesh_core::Cancelled> {
        let found: Vec<Vec<(u32, u32)>> = self
            .used
            .par_chunks(BATCH)
            .map(|batch| {
                monitor.check()?;
                let mut found = Vec::new();
                for &a in batch {
                    other.tree.visit(&self.bounds[a as usize], &other.bounds, |b| {
                        if wanted(a, b) && self.pair_cuts(a as usize, other, b as usize) {
                            found.push((a, b));
                        }
                    });
                }
                Ok(found)
            })
            .collect::<Result<_, _>>()?;
        monitor.advance(1);
        Ok(found.into_iter().flatten().collect())
    }

    /// Whether two triangles meet beyond the corners they share. Corners are shared when they have the same index and
    /// lie at the same place: where a layer is absent two surfaces touch, which is no crossing.
    fn pair_cuts(&self, a: usize, other: &Self, b: usize) -> bool {
        let (p, q) = (&self.corners[a], &other.corners[b]);
        let (pi, qi) = (self.indices[a], other.indices[b]);
        let mut shared = [(0usize, 0usize); 3];
        let mut count = 0;
        for i in 0..3 {
            for j in 0..3 {
                if pi[i] == qi[j] && p[i] == q[j] {
                    shared[count] = (i, j);
                    count += 1;
                }
            }
        }
        // Shared corners first, in the same order in both.
        let turned = |t: &Triangle, first: usize| [t[first], t[(first + 1) % 3], t[(first + 2) % 3]];
        match count {
            0 => disjoint_corners_meet(p, q),
            1 => one_shared_corner_meet(&turned(p, shared[0].0), &turned(q, shared[0].1)),
            2 => {
                let [(i, j), (k, l), _] = shared;
                shared_edge_meet(&[p[i], p[k], p[3 - i - k]], &[q[j], q[l], q[3 - j - l]])
            }
            // The same triangle on two surfaces: layers that are absent together. Twice on one surface it lies on
            // itself.
            _ => std::ptr::eq(self, other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brainmesh_core::{Silent, Structure, WorldPoint};

    fn surface(points: &[[f64; 3]], triangles: &[[u32; 3]]) -> Surface {
        let vertices = points.iter().map(|p| WorldPoint::new(p[0], p[1], p[2])).collect();
        Surface::new(vertices, triangles.to_vec(), Structure::Unknown).unwrap()
    }

    fn count(surface: &Surface) -> usize {
        Triangles::new(surface, |_| true).cut_themselves(&Silent).unwrap().iter().filter(|&&m| m).count()
    }

    #[test]
    fn piercing_touching_and_sharing() {
        let floor = [[0., 0., 0.], [4., 0., 0.], [0., 4., 0.]];
        let with = |more: [[f64; 3]; 3]| surface(&[floor.as_slice(), &more].concat(), &[[0, 1, 2], [3, 4, 5]]);
        assert_eq!(count(&with([[1., 1., -1.], [1., 1., 1.], [2., 2., 1.]])), 2);
        assert_eq!(count(&with([[1., 1., 0.5], [1., 1., 1.], [2., 2., 1.]])), 0);
        // A fan around a shared vertex does not cut itself, unless a triangle folds through another.
        let fan = |z: f64| surface(&[floor.as_slice(), &[[1., 1., z], [1., 1., 1.]]].concat(), &[[0, 1, 2], [0, 3, 4]]);
        assert_eq!(count(&fan(0.5)), 0);
        assert_eq!(count(&fan(-0.5)), 2);
    }

    #[test]
    fn the_tree_finds_what_trying_every_pair_finds() {
        let mut state = 7u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1u64 << 31) as f64
        };
        let mut points = Vec::new();
        let mut triangles = Vec::new();
        for t in 0..300u32 {
            let center = [random() * 10.0, random() * 10.0, random() * 10.0];
            for _ in 0..3 {
                points.push(center.map(|c| c + random() * 2.0));
            }
            triangles.push([3 * t, 3 * t + 1, 3 * t + 2]);
        }
        let soup = surface(&points, &triangles);
        let all = Triangles::new(&soup, |_| true);
        let by_tree = all.pairs(&all, &Silent, |a, b| a < b).unwrap().len();
        let by_trying = (0..300)
            .flat_map(|a| (a + 1..300).map(move |b| (a, b)))
            .filter(|&(a, b)| all.pair_cuts(a, &all, b))
            .count();
        assert!(by_trying > 20);
        assert_eq!(by_tree, by_trying);
    }
}
