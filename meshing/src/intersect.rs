use crate::boxes::{Bounds, BoxTree, Boxes};
use crate::fans::{Fans, ROUNDING};
use crate::predicates::{Triangle, disjoint_corners_meet, one_shared_corner_meet, shared_edge_meet};
use brainmesh_core::{Cancelled, Monitor, Surface, WorldPoint};
use glam::{DVec3, Vec3};
use rayon::prelude::*;

/// The triangles that surfaces share, arranged so that those which lie together are found together.
pub(crate) struct Mesh {
    tree: BoxTree,
    /// In the order of the tree.
    triangles: Vec<[u32; 3]>,
    fans: Fans,
}

impl Mesh {
    /// The triangles of `like` whose three vertices are all `used`. Searches are fast on surfaces near this one.
    pub(crate) fn new(like: &Surface, used: impl Fn(usize) -> bool) -> Self {
        let all = like.triangles();
        let bounds: Vec<Bounds> = (0..all.len()).into_par_iter().map(|t| Bounds::of(&like.corners(t))).collect();
        let items = (0..all.len() as u32).filter(|&t| all[t as usize].iter().all(|&v| used(v as usize))).collect();
        Self::of(all, items, &bounds, like.vertices().len())
    }

    /// Some of the triangles over so many vertices. Searches are fast on surfaces whose triangles lie in these boxes.
    pub(crate) fn of(all: &[[u32; 3]], items: Vec<u32>, bounds: &[Bounds], vertices: usize) -> Self {
        let tree = BoxTree::new(items, bounds);
        let triangles: Vec<[u32; 3]> = tree.order().iter().map(|&t| all[t as usize]).collect();
        Self { fans: Fans::new(vertices, &triangles), tree, triangles }
    }

    /// The number that the triangle at a place has in the surface.
    pub(crate) fn triangle(&self, place: u32) -> usize {
        self.tree.order()[place as usize] as usize
    }
}

/// Where one surface has the triangles of a [`Mesh`], coordinates as files hold them (`f32`).
pub(crate) struct Sheet<'a> {
    mesh: &'a Mesh,
    /// In the order of the mesh.
    corners: Vec<[Vec3; 3]>,
    boxes: Boxes,
    /// Vertices whose triangles surely do not cut each other.
    flat: Vec<bool>,
}

impl<'a> Sheet<'a> {
    /// `vertices` of the surface, numbered as those that `mesh` was made from.
    pub(crate) fn new(mesh: &'a Mesh, vertices: &[WorldPoint]) -> Self {
        let vertices: Vec<Vec3> = vertices.iter().map(|v| v.0.as_vec3()).collect();
        let at = |v: u32| vertices[v as usize].as_dvec3();
        let corners: Vec<[Vec3; 3]> = mesh.triangles.par_iter().map(|t| t.map(|v| vertices[v as usize])).collect();
        let items = corners.par_iter().map(|t| Bounds::of(&t.map(|c| c.as_dvec3()))).collect();
        let flat = (0..vertices.len()).into_par_iter().map(|v| mesh.fans.lies_flat(v, &mesh.triangles, at)).collect();
        Self { mesh, boxes: mesh.tree.boxes(items), flat, corners }
    }

    fn corners(&self, place: usize) -> Triangle {
        self.corners[place].map(|c| c.as_dvec3())
    }

    /// Pairs of triangles of this surface (their places) that cut each other.
    pub(crate) fn cuts_itself(&self, monitor: &dyn Monitor) -> Result<Vec<(u32, u32)>, Cancelled> {
        let pairs = self.mesh.tree.pairs(&self.boxes, &self.boxes, |a, b| self.cuts(self, a, b), || monitor.check());
        monitor.advance(1);
        pairs
    }

    /// Pairs of triangles, the first of this surface and the second of another with the same triangles, that cut each
    /// other.
    pub(crate) fn cuts_other(&self, other: &Self, monitor: &dyn Monitor) -> Result<Vec<(u32, u32)>, Cancelled> {
        let pairs = self.mesh.tree.pairs(&self.boxes, &other.boxes, |a, b| self.cuts(other, a, b), || monitor.check());
        monitor.advance(1);
        pairs
    }

    /// Whether two triangles meet beyond the corners they share. Corners are shared when they have the same index and
    /// lie at the same place: where a layer is absent two surfaces touch, which is no crossing.
    fn cuts(&self, other: &Self, a: usize, b: usize) -> bool {
        let (pi, qi) = (self.mesh.triangles[a], self.mesh.triangles[b]);
        let one_surface = std::ptr::eq(self, other);
        let mut shared = [(0usize, 0usize); 3];
        let mut count = 0;
        for (i, &u) in pi.iter().enumerate() {
            for (j, &v) in qi.iter().enumerate() {
                if u == v && (one_surface || self.corners[a][i] == other.corners[b][j]) {
                    if one_surface && self.flat[u as usize] {
                        return false;
                    }
                    shared[count] = (i, j);
                    count += 1;
                }
            }
        }
        if count == 0 {
            let (p, q) = (self.corners(a), other.corners(b));
            return !surely_apart(&p, &q) && disjoint_corners_meet(&p, &q);
        }
        let (p, q) = (self.corners(a), other.corners(b));
        // Shared corners first, in the same order in both.
        let turned = |t: &Triangle, first: usize| [t[first], t[(first + 1) % 3], t[(first + 2) % 3]];
        match count {
            1 => one_shared_corner_meet(&turned(&p, shared[0].0), &turned(&q, shared[0].1)),
            2 => {
                let [(i, j), (k, l), _] = shared;
                shared_edge_meet(&[p[i], p[k], p[3 - i - k]], &[q[j], q[l], q[3 - j - l]])
            }
            // The same triangle on two surfaces: layers that are absent together. Twice on one surface it lies on
            // itself.
            _ => one_surface,
        }
    }
}

/// Whether a plane between two triangles is found, with room for rounding: along their normals, else along the products
/// of their edges (Gottschalk 1996; every direction is a proof, whatever its own rounding).
fn surely_apart(p: &Triangle, q: &Triangle) -> bool {
    let origin = p[0];
    let p = p.map(|c| c - origin);
    let q = q.map(|c| c - origin);
    let size = p[1].abs().max(p[2].abs()).max(q[0].abs()).max(q[1].abs()).max(q[2].abs()).element_sum();
    let apart = |axis: DVec3| {
        let margin = ROUNDING * size * axis.abs().element_sum();
        let (p, q) = (p.map(|c| c.dot(axis)), q.map(|c| c.dot(axis)));
        let low = |t: [f64; 3]| t[0].min(t[1]).min(t[2]);
        let high = |t: [f64; 3]| t[0].max(t[1]).max(t[2]);
        low(q) > high(p) + margin || low(p) > high(q) + margin
    };
    let edges = |t: &Triangle| [t[1] - t[0], t[2] - t[1], t[0] - t[2]];
    let (pe, qe) = (edges(&p), edges(&q));
    apart(pe[0].cross(pe[1])) || apart(qe[0].cross(qe[1])) || pe.iter().any(|&e| qe.iter().any(|&f| apart(e.cross(f))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brainmesh_core::{Silent, Structure};
    use std::collections::HashSet;

    fn surface(points: &[[f64; 3]], triangles: &[[u32; 3]]) -> Surface {
        let vertices = points.iter().map(|p| WorldPoint::new(p[0], p[1], p[2])).collect();
        Surface::new(vertices, triangles.to_vec(), Structure::Unknown).unwrap()
    }

    fn count(surface: &Surface) -> usize {
        let mesh = Mesh::new(surface, |_| true);
        let pairs = Sheet::new(&mesh, surface.vertices()).cuts_itself(&Silent).unwrap();
        let places: HashSet<u32> = pairs.into_iter().flat_map(|(a, b)| [a, b]).collect();
        places.len()
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
        let mesh = Mesh::new(&soup, |_| true);
        let all = Sheet::new(&mesh, soup.vertices());
        let by_tree = all.cuts_itself(&Silent).unwrap().len();
        let by_trying = (0..300)
            .flat_map(|a| (a + 1..300).map(move |b| (a, b)))
            .filter(|&(a, b)| disjoint_corners_meet(&all.corners(a), &all.corners(b)))
            .count();
        assert!(by_trying > 20);
        assert_eq!(by_tree, by_trying);
    }
}
