//! The equivolumetric model of a cortical column: its area changes linearly from the pial to the white surface.

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
