use super::at;
use super::soup::Soup;
use crate::nearest::NearestPoint;
use brainmesh_core::Surface;
use glam::DVec3;
use rayon::prelude::*;

/// Share of the way to the middle of its neighbours that a vertex goes.
const STEP: f64 = 0.5;

impl Soup {
    /// Moves vertices along the surface towards the middle of their neighbours, and puts them back onto it.
    pub(super) fn relax(&mut self, target: &NearestPoint, surface: &Surface) {
        let (around, border) = (self.around(), self.border());
        self.points = (0..self.points.len())
            .into_par_iter()
            .map(|v| {
                let point = self.points[v];
                if border[v] {
                    return point;
                }
                let normal: DVec3 = around[v].iter().map(|&t| self.normal(self.triangles[t as usize])).sum();
                let corners = around[v].iter().flat_map(|&t| self.triangles[t as usize]).filter(|&w| w as usize != v);
                let (sum, count) = corners.fold((DVec3::ZERO, 0.0), |(s, n), w| (s + self.points[w as usize], n + 1.0));
                let step = (sum / count - point) * STEP;
                let along = step.reject_from_normalized(normal.normalize_or(DVec3::Z));
                let moved = point + along;
                target.nearest(moved).map_or(moved, |place| at(surface, &place))
            })
            .collect();
    }
}
