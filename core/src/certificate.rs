use serde::{Deserialize, Serialize};

/// What was checked on surfaces from the pia inwards that share their triangles, and how often each check failed. All zero: nothing crosses.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Certificate {
    /// Rays with layers that were checked.
    pub rays: usize,
    /// Rays on which some boundary lies above the one before it.
    pub order_violations: usize,
    /// Triangles of surface k that cut another triangle of the same surface.
    pub self_intersecting_triangles: Vec<usize>,
    /// Triangles of surface k or k + 1 that take part in a crossing between the two.
    pub crossing_triangles: Vec<usize>,
    /// The same count for the given pial and white surfaces alone, self and mutual: faults that were there before.
    pub given_ribbon_intersecting_triangles: usize,
    /// Vertices - edges + triangles of every surface (they share their triangles).
    pub euler_characteristic: i64,
    /// Edges of one triangle: 0 where the surfaces are closed.
    pub border_edges: usize,
    /// Edges of more than two triangles: 0 where the surfaces are manifold.
    pub non_manifold_edges: usize,
    /// Least distance in mm between corresponding vertices of surface k and k + 1 among those that were checked, if any.
    pub least_gap_mm: Vec<Option<f64>>,
    /// Vertices that belong to a triangle counted above, ascending.
    #[serde(skip)]
    pub vertices: Vec<u32>,
}

impl Certificate {
    /// Whether no check failed.
    pub fn is_clean(&self) -> bool {
        self.order_violations == 0
            && self.self_intersecting_triangles.iter().all(|&n| n == 0)
            && self.crossing_triangles.iter().all(|&n| n == 0)
    }
}
