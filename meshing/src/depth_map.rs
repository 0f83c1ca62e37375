use crate::Result;
use crate::channels::{DepthSpacing, RayIntensities, clamped_area_ratio};
use crate::diffusion::Diffusion;
use crate::equivolume::{smoothed_ratios, volume_share};
use brainmesh_core::{Monitor, RaySet, Ribbon};
use ndarray::{Array2, Axis};
use rayon::prelude::*;

/// Smoothing of the area ratio that turns volume fractions into distances: single triangles are noisy.
pub(crate) const AREA_FWHM_MM: f64 = 3.0;

/// Where to read given depths for every equidistant sample of every ray.
pub(crate) struct DepthMap {
    /// White over pial vertex area; `None` for equidistant depths.
    area_ratios: Option<Vec<f64>>,
    samples: usize,
}

impl DepthMap {
    pub(crate) fn new(
        intensities: &RayIntensities,
        ribbon: &Ribbon,
        flow: &Diffusion,
        samples: usize,
        monitor: &dyn Monitor,
    ) -> Result<Self> {
        let area_ratios = match intensities.spacing {
            DepthSpacing::Equidistant => None,
            DepthSpacing::Equivolumetric => {
                let mut logarithms = clamped_area_ratio(ribbon);
                let defective = logarithms.iter_mut().zip(&intensities.defects).filter(|(_, defect)| defect.is_some());
                defective.for_each(|(logarithm, _)| *logarithm = 0.0);
                Some(smoothed_ratios(&logarithms, flow, AREA_FWHM_MM, monitor)?)
            }
        };
        Ok(Self { area_ratios, samples })
    }

    /// Linear interpolation between the given depths; the outermost value holds beyond the first and last depth.
    pub(crate) fn resample(&self, given: &Array2<f32>, mut out: ndarray::ArrayViewMut2<f32>) {
        let depths = given.ncols();
        let last = (depths - 1) as f64;
        let places: Vec<f64> = (0..self.samples).map(|i| RaySet::t_of_sample(i as f64, self.samples)).collect();
        let rows = out.axis_iter_mut(Axis(0)).into_par_iter().zip(given.axis_iter(Axis(0)));
        rows.enumerate().for_each(|(ray, (mut out, row))| {
            if self.area_ratios.is_none() && depths == self.samples {
                return out.assign(&row);
            }
            for (value, &rho) in out.iter_mut().zip(&places) {
                let position = match &self.area_ratios {
                    None => rho * last,
                    Some(ratios) => volume_share(rho, 1.0, ratios[ray]) * depths as f64 - 0.5,
                }
                .clamp(0.0, last);
                let low = (position.floor() as usize).min(depths - 2);
                let fraction = (position - low as f64) as f32;
                *value = row[low] + fraction * (row[low + 1] - row[low]);
            }
        });
    }
}
