use crate::Result;
use crate::channels::{DepthSpacing, RayIntensities, clamped_area_ratio, zero_defects};
use crate::diffusion::Diffusion;
use crate::equivolume::volume_share;
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
                let ratios: Vec<f32> = clamped_area_ratio(ribbon).into_iter().map(|r| r as f32).collect();
                let column = Array2::from_shape_fn((ratios.len(), 1), |(v, _)| ratios[v]);
                let smooth = flow.smooth(&zero_defects(&column, &intensities.defects), AREA_FWHM_MM, monitor)?;
                Some(smooth.iter().map(|&r| f64::from(-r).exp()).collect())
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
