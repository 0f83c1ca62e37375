//! The equivolumetric model of a cortical column: its area changes linearly from the pial to the white surface.

use crate::channels::mid_surface;
use crate::diffusion::Diffusion;
use crate::error::same_length;
use crate::{Error, Result};
use brainmesh_core::{Monitor, Ribbon, Surface};
use ndarray::Array2;

/// Where in the ribbon the surfaces of equal volume fractions lie.
///
/// Gives `[vertices, fractions]`: for each fraction of the column's volume, counted from the pia, the share of the
/// straight way from the pial to the white vertex. Areas of a column's ends are those of its pial and white vertex (a
/// third of the triangles around each). Single triangles are noisy: `area_fwhm_mm` smooths the logarithm of their
/// ratio over the mid-surface by a kernel of this full width at half maximum (0: not at all), between the vertices that
/// are `used`; the others keep their own.
///
/// # Errors
/// A fraction outside [0, 1], a width that is negative or not finite, as many `used` as vertices broken; cancellation.
pub fn equivolumetric_depths(
    ribbon: &Ribbon,
    fractions: &[f64],
    area_fwhm_mm: f64,
    used: &[bool],
    monitor: &dyn Monitor,
) -> Result<Array2<f64>> {
    same_length("vertices that are used", ribbon.len(), used.len())?;
    let invalid = |field, expected: &str, found: f64| {
        Err(Error::Core(brainmesh_core::Error::Invalid { field, expected: expected.into(), found: found.to_string() }))
    };
    if let Some(&bad) = fractions.iter().find(|f| !(0.0..=1.0).contains(*f)) {
        return invalid("volume fraction", "between 0 (pia) and 1 (white surface)", bad);
    }
    if !(area_fwhm_mm >= 0.0 && area_fwhm_mm.is_finite()) {
        return invalid("width of the smoothing of areas", "0 mm or more", area_fwhm_mm);
    }
    let flow = Diffusion::new(&mid_surface(ribbon)?, |v| used[v]);
    let ratios = area_ratios(ribbon, &flow, area_fwhm_mm, monitor)?;
    Ok(Array2::from_shape_fn((ribbon.len(), fractions.len()), |(v, k)| {
        equivolumetric_depth(fractions[k], 1.0, ratios[v])
    }))
}

/// Surfaces at the given share of the straight way from every pial to its white vertex, one a column of `depths`
/// `[vertices, surfaces]`. They share the ribbon's triangles.
///
/// # Errors
/// Another number of rows than vertices; a depth that is not finite.
pub fn surfaces_at_depths(ribbon: &Ribbon, depths: &Array2<f64>) -> Result<Vec<Surface>> {
    same_length("rows of the depths (one a vertex)", ribbon.len(), depths.nrows())?;
    let ends = || ribbon.pial().vertices().iter().zip(ribbon.white().vertices());
    let at = |column: ndarray::ArrayView1<f64>| {
        let vertices = ends().zip(column).map(|((pial, white), &depth)| pial.lerp(*white, depth)).collect();
        Ok(ribbon.pial().with_vertices(vertices)?)
    };
    depths.columns().into_iter().map(at).collect()
}

/// White over pial vertex area of every column, smoothed over the mesh as its logarithm.
fn area_ratios(ribbon: &Ribbon, flow: &Diffusion, fwhm_mm: f64, monitor: &dyn Monitor) -> Result<Vec<f64>> {
    let logarithms = log_area_ratio(ribbon);
    if fwhm_mm == 0.0 {
        return Ok(logarithms.into_iter().map(|r| (-r).exp()).collect());
    }
    smoothed_ratios(&logarithms, flow, fwhm_mm, monitor)
}

/// White over pial vertex area from logarithms of pial over white, smoothed over the mesh.
pub(crate) fn smoothed_ratios(
    logarithms: &[f64],
    flow: &Diffusion,
    fwhm_mm: f64,
    monitor: &dyn Monitor,
) -> Result<Vec<f64>> {
    let column = Array2::from_shape_fn((logarithms.len(), 1), |(v, _)| logarithms[v] as f32);
    Ok(flow.smooth(&column, fwhm_mm, monitor)?.iter().map(|&r| f64::from(-r).exp()).collect())
}

/// Natural logarithm of pial over white vertex area; 0 where either has no area.
pub(crate) fn log_area_ratio(ribbon: &Ribbon) -> Vec<f64> {
    let (pial, white) = (vertex_areas_mm2(ribbon.pial()), vertex_areas_mm2(ribbon.white()));
    pial.iter().zip(&white).map(|(p, w)| if *p > 0.0 && *w > 0.0 { (p / w).ln() } else { 0.0 }).collect()
}

/// Area in mm2 that belongs to each vertex: a third of its triangles.
pub fn vertex_areas_mm2(surface: &Surface) -> Vec<f64> {
    let mut areas = vec![0.0; surface.vertices().len()];
    for (t, triangle) in surface.triangles().iter().enumerate() {
        for &v in triangle {
            areas[v as usize] += surface.triangle_area_mm2(t) / 3.0;
        }
    }
    areas
}

/// Distance from the pia, as a share of the column's length, above which lies this share of its volume.
///
/// Both shares are 0 at the pia and 1 at the white surface; the areas are those of the column's two ends, in any unit.
/// Equation 10 of Waehnert et al. 2014, NeuroImage 93, counted from the pia and written so that equal areas need no
/// case of their own. A column without area at both ends is taken as straight; shares outside [0, 1] are clamped.
///
/// ```
/// use brainmesh_meshing::{equivolumetric_depth, volume_share};
/// // Below a sulcus the pial end is narrow: half of the volume lies deeper than half of the way.
/// let depth = equivolumetric_depth(0.5, 1.0, 3.0);
/// assert!((depth - 0.618_033_988_749_895).abs() < 1e-12);
/// assert!((volume_share(depth, 1.0, 3.0) - 0.5).abs() < 1e-12);
/// assert_eq!(equivolumetric_depth(0.25, 2.0, 2.0), 0.25);
/// ```
pub fn equivolumetric_depth(volume_share: f64, pial_area: f64, white_area: f64) -> f64 {
    let share = volume_share.clamp(0.0, 1.0);
    let there = (share * white_area * white_area + (1.0 - share) * pial_area * pial_area).sqrt();
    let sum = pial_area + there;
    if sum > 0.0 {
        (share * (pial_area + white_area) / sum).min(1.0)
    } else if pial_area + white_area > 0.0 {
        0.0
    } else {
        share
    }
}

/// Share of a column's volume that lies above a depth: the inverse of [`equivolumetric_depth`].
pub fn volume_share(depth: f64, pial_area: f64, white_area: f64) -> f64 {
    let depth = depth.clamp(0.0, 1.0);
    let whole = (pial_area + white_area) / 2.0;
    if whole > 0.0 { depth * (pial_area + (white_area - pial_area) * depth / 2.0) / whole } else { depth }
}
