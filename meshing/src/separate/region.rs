use crate::boxes::{Bounds, BoxTree};
use crate::fans::Fans;
use crate::intersect::Mesh;
use brainmesh_core::{Ribbon, WorldPoint};
use glam::DVec3;
use rayon::prelude::*;

/// Finds the triangles near others: which must be looked at again when some have moved.
pub(super) struct Region<'a> {
    ribbon: &'a Ribbon,
    /// Around each triangle on all surfaces.
    bounds: Vec<Bounds>,
    tree: BoxTree,
    fans: &'a Fans,
}

impl<'a> Region<'a> {
    /// `places` of the vertices on each surface; `fans` of all triangles.
    pub(super) fn new(places: &[Vec<WorldPoint>], ribbon: &'a Ribbon, fans: &'a Fans, used: &[bool]) -> Self {
        let triangles = ribbon.triangles();
        let bounds: Vec<Bounds> = triangles.par_iter().map(|triangle| around_all(*triangle, places)).collect();
        let items = (0..triangles.len() as u32).filter(|&t| triangles[t as usize].iter().all(|&v| used[v as usize]));
        let tree = BoxTree::new(items.collect(), &bounds);
        Self { fans, ribbon, bounds, tree }
    }

    /// Triangles at vertices that may have moved, and those that they may now cross.
    pub(super) fn around(&mut self, vertices: &[u32], places: &[Vec<WorldPoint>]) -> Mesh {
        let mut seeds: Vec<u32> = vertices.iter().flat_map(|&v| self.fans.of(v as usize).iter().copied()).collect();
        seeds.sort_unstable();
        seeds.dedup();
        for &seed in &seeds {
            self.bounds[seed as usize] = around_all(self.ribbon.triangles()[seed as usize], places);
        }
        let boxes = self.tree.boxes(self.tree.order().iter().map(|&t| self.bounds[t as usize]).collect());
        let mut near = vec![false; self.bounds.len()];
        for &seed in &seeds {
            self.tree.visit(&boxes, &self.bounds[seed as usize], |place| {
                near[self.tree.order()[place] as usize] = true;
            });
        }
        let items = (0..near.len() as u32).filter(|&t| near[t as usize]).collect();
        Mesh::of(self.ribbon.triangles(), items, &self.bounds, self.ribbon.len())
    }
}

/// Around a triangle on all surfaces.
fn around_all(triangle: [u32; 3], places: &[Vec<WorldPoint>]) -> Bounds {
    places
        .iter()
        .map(|places| Bounds::of(&triangle.map(|v| places[v as usize].0)))
        .reduce(Bounds::join)
        .unwrap_or(Bounds::of(&[DVec3::ZERO; 3]))
}
