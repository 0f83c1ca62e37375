use crate::Result;
use brainmesh_core::{BOUNDARY_COUNT, LayerBoundaries, LayerSurfaces, RaySet, Ribbon};
use ndarray::Array2;

/// The seven surfaces: vertex n of surface k is the position of boundary k on ray n.
///
/// # Errors
/// When rays and ribbon do not belong together.
pub fn layer_surfaces(ribbon: &Ribbon, rays: &RaySet, boundaries: &LayerBoundaries) -> Result<LayerSurfaces> {
    let positions =
        std::array::from_fn(|k| (0..rays.len()).map(|ray| rays.point(ray, boundaries.t()[[ray, k]])).collect());
    Ok(LayerSurfaces::new(ribbon, positions)?)
}

/// Thickness in mm along the ray, `[rays, 7]`: total, then layers I..VI. NaN where a ray has no layers
/// ([`brainmesh_core::RayOutcome::Missing`]).
pub fn thickness_mm(rays: &RaySet, boundaries: &LayerBoundaries) -> Array2<f64> {
    Array2::from_shape_fn((rays.len(), BOUNDARY_COUNT), |(ray, column)| {
        if !boundaries.outcomes()[ray].has_layers() {
            return f64::NAN;
        }
        let t = boundaries.t().row(ray);
        let (from, to) = if column == 0 { (0, BOUNDARY_COUNT - 1) } else { (column - 1, column) };
        (t[to] - t[from]) * rays.length_mm(ray)
    })
}
