use crate::Result;
use brainmesh_core::{RayDefect, RaySet, Ribbon, WorldPoint};
use glam::DVec3;

/// Below this distance between pial and white vertex their difference is no reliable direction, in mm.
const NO_DIRECTION_MM: f64 = 0.05;

/// Rays of a ribbon, from `extension_mm` outside the pia to `extension_mm` below the white surface.
///
/// A ray is the straight line through corresponding vertices (Wagstyl 2020 extends it by 0.5 mm both ways). Where the
/// two coincide the ray follows the pial normal, so that it has a direction.
///
/// ```
/// # use brainmesh_core::{Ribbon, Structure, Surface, WorldPoint};
/// let sheet = |z| Surface::new(
///     vec![WorldPoint::new(0., 0., z), WorldPoint::new(1., 0., z), WorldPoint::new(0., 1., z)],
///     vec![[0, 1, 2]], Structure::Unknown);
/// let rays = brainmesh_meshing::extended_rays(&Ribbon::new(sheet(3.0)?, sheet(0.0)?)?, 0.5)?;
/// assert_eq!(rays.point(0, 0.0), WorldPoint::new(0., 0., 3.5)); // outside the pia first
/// assert_eq!(rays.point(0, rays.white_t(0)).to_array()[2], 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// None for a valid ribbon and a finite, non-negative extension.
pub fn extended_rays(ribbon: &Ribbon, extension_mm: f64) -> Result<RaySet> {
    let normals = ribbon.pial().vertex_normals();
    let n = ribbon.len();
    let (mut outer, mut inner) = (Vec::with_capacity(n), Vec::with_capacity(n));
    let (mut pial_t, mut white_t) = (Vec::with_capacity(n), Vec::with_capacity(n));
    for (vertex, (pial, white)) in ribbon.pial().vertices().iter().zip(ribbon.white().vertices()).enumerate() {
        let thickness_mm = pial.distance_mm(*white);
        let inward = if thickness_mm > NO_DIRECTION_MM {
            (white.0 - pial.0) / thickness_mm
        } else {
            // Towards the inside; any direction will do at a vertex without area.
            -normals[vertex].try_normalize().unwrap_or(DVec3::Z)
        };
        outer.push(WorldPoint(pial.0 - inward * extension_mm));
        inner.push(WorldPoint(white.0 + inward * extension_mm));
        let length_mm = thickness_mm + 2.0 * extension_mm;
        let at = |mm: f64| if length_mm > 0.0 { (mm / length_mm).clamp(0.0, 1.0) } else { 0.0 };
        pial_t.push(at(extension_mm));
        white_t.push(at(extension_mm + thickness_mm));
    }
    Ok(RaySet::new(outer, inner, pial_t, white_t)?)
}

/// Rays that cover the ribbon alone: `pial_t = 0`, `white_t = 1`.
///
/// # Errors
/// None for a valid ribbon.
pub fn ribbon_rays(ribbon: &Ribbon) -> Result<RaySet> {
    let n = ribbon.len();
    Ok(RaySet::new(ribbon.pial().vertices().to_vec(), ribbon.white().vertices().to_vec(), vec![0.0; n], vec![1.0; n])?)
}

/// Marks vertices whose pial and white positions are closer than `min_thickness_mm`: no cortex, as on the medial wall.
pub fn no_cortex(ribbon: &Ribbon, min_thickness_mm: f64) -> Vec<Option<RayDefect>> {
    ribbon.thickness_mm().into_iter().map(|mm| (mm < min_thickness_mm).then_some(RayDefect::NoCortex)).collect()
}
