use crate::edges::Edges;
use crate::nearest::{NearestPoint, OnSurface};
use brainmesh_core::Surface;
use glam::DVec3;
use rayon::prelude::*;

/// Vertices and triangles while they are worked on.
pub(super) struct Soup {
    pub(super) points: Vec<DVec3>,
    pub(super) triangles: Vec<[u32; 3]>,
}

impl Soup {
    pub(super) fn new(surface: &Surface) -> Self {
        let mut soup =
            Self { points: surface.vertices().iter().map(|v| v.0).collect(), triangles: surface.triangles().to_vec() };
        soup.drop_unused();
        soup
    }

    /// Vertices that no triangle has are left out.
    pub(super) fn drop_unused(&mut self) {
        let mut new = vec![u32::MAX; self.points.len()];
        self.triangles.iter().flatten().for_each(|&v| new[v as usize] = 0);
        let mut kept = Vec::with_capacity(self.points.len());
        for (new, &point) in new.iter_mut().zip(&self.points).filter(|(new, _)| **new == 0) {
            *new = kept.len() as u32;
            kept.push(point);
        }
        self.points = kept;
        self.triangles.iter_mut().flatten().for_each(|v| *v = new[*v as usize]);
    }

    /// Triangles around every vertex.
    pub(super) fn around(&self) -> Vec<Vec<u32>> {
        let mut around = vec![Vec::with_capacity(6); self.points.len()];
        for (t, triangle) in self.triangles.iter().enumerate() {
            triangle.iter().for_each(|&v| around[v as usize].push(t as u32));
        }
        around
    }

    /// Vertices of edges that have not two triangles.
    pub(super) fn border(&self) -> Vec<bool> {
        let mut border = vec![false; self.points.len()];
        for sides in Edges::new(&self.triangles).iter().filter(|sides| sides.len() != 2) {
            border[sides[0].ends.0 as usize] = true;
            border[sides[0].ends.1 as usize] = true;
        }
        border
    }

    /// Twice the area along the normal of a triangle with these corners.
    pub(super) fn normal(&self, [a, b, c]: [u32; 3]) -> DVec3 {
        let [a, b, c] = [a, b, c].map(|v| self.points[v as usize]);
        (b - a).cross(c - a)
    }

    pub(super) fn length(&self, a: u32, b: u32) -> f64 {
        self.points[a as usize].distance(self.points[b as usize])
    }

    /// The nearest point of a surface for every vertex.
    pub(super) fn on_surface(&self, target: &NearestPoint) -> Vec<OnSurface> {
        let none = OnSurface { triangle: 0, shares: [1.0, 0.0, 0.0] };
        self.points.par_iter().map(|&point| target.nearest(point).unwrap_or(none)).collect()
    }
}

/// Whether two normals are less than 60 degrees apart.
pub(super) fn agree(a: DVec3, b: DVec3) -> bool {
    a.dot(b) > 0.5 * a.length() * b.length()
}
