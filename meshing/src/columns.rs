use crate::Result;
use crate::channels::clamped_area_ratio;
use crate::depth_map::AREA_FWHM_MM;
use crate::diffusion::Diffusion;
use crate::equivolume::{equivolumetric_depth, smoothed_ratios, volume_share};
use brainmesh_core::{Monitor, Ribbon};

/// Cortical columns: depth on a ray, relative to the ribbon, as the share of the column's volume above it.
///
/// Layers keep their share of the volume where the cortex folds (Bok 1929; Waehnert 2014), so shares vary less from ray
/// to ray than depths do. Beyond the ribbon the scale goes on straight, with the slope it has at the surface.
pub(crate) struct Columns {
    /// White over pial vertex area, smoothed along the cortex.
    white_over_pial: Vec<f64>,
}

impl Columns {
    pub(crate) fn new(ribbon: &Ribbon, flow: &Diffusion, monitor: &dyn Monitor) -> Result<Self> {
        let white_over_pial = smoothed_ratios(&clamped_area_ratio(ribbon), flow, AREA_FWHM_MM, monitor)?;
        Ok(Self { white_over_pial })
    }

    /// Volume share at a relative depth: 0 at the pia, 1 at the white surface.
    pub(crate) fn share(&self, ray: usize, depth: f64) -> f64 {
        let white = self.white_over_pial[ray];
        volume_share(depth, 1.0, white) + (depth - depth.clamp(0.0, 1.0)) * self.slope(ray, depth)
    }

    /// Relative depth of a volume share: the inverse of [`Columns::share`].
    pub(crate) fn depth(&self, ray: usize, share: f64) -> f64 {
        let within = share.clamp(0.0, 1.0);
        equivolumetric_depth(share, 1.0, self.white_over_pial[ray]) + (share - within) / self.slope(ray, within)
    }

    /// Growth of the share with relative depth: the column's area there over its mean area.
    pub(crate) fn slope(&self, ray: usize, depth: f64) -> f64 {
        let white = self.white_over_pial[ray];
        (1.0 + (white - 1.0) * depth.clamp(0.0, 1.0)) / ((1.0 + white) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_depths_are_inverse_and_straight_beyond_the_ribbon() {
        for white in [0.125, 0.5, 1.0, 3.0, 8.0] {
            let columns = Columns { white_over_pial: vec![white] };
            for depth in [-0.2, 0.0, 0.3, 0.7, 1.0, 1.2] {
                let share = columns.share(0, depth);
                assert!((columns.depth(0, share) - depth).abs() < 1e-12, "{white} {depth}");
                let step = 1e-6;
                let slope = (columns.share(0, depth + step) - columns.share(0, depth - step)) / (2.0 * step);
                assert!((slope - columns.slope(0, depth)).abs() < 1e-5, "{white} {depth}");
            }
        }
    }
}
