use super::Errors;
use brainmesh_core::BOUNDARY_COUNT;
use serde::Serialize;

/// Names of the seven boundaries, from the pia inwards.
pub const BOUNDARY_NAMES: [&str; BOUNDARY_COUNT] = ["pia", "I-II", "II-III", "III-IV", "IV-V", "V-VI", "white"];

/// Half the width of a central 90 % interval of a normal distribution, in standard deviations.
pub const SD_OF_90_PERCENT: f64 = 1.645;

/// Errors of one boundary over the scored rays; bias is positive when it was found too deep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoundaryError {
    /// Which boundary.
    pub boundary: String,
    /// Its errors.
    #[serde(flatten)]
    pub errors: Errors,
    /// Whether the standard deviations told how large the errors are, where the result has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// Pearson correlation of region means of the boundary's place between pia (0) and white surface (1), found and
    /// true, where at least three regions have rays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parcel_correlation: Option<f64>,
}

impl BoundaryError {
    /// From signed errors in mm; `None` without any.
    pub fn from_signed_mm(boundary: impl Into<String>, signed_mm: &[f64]) -> Option<Self> {
        let errors = Errors::from_signed_mm(signed_mm)?;
        Some(Self { boundary: boundary.into(), errors, calibration: None, parcel_correlation: None })
    }
}

/// Errors against the standard deviations that came with them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Rays whose boundary has a standard deviation above 0: not one that was given with the surfaces.
    pub rays: usize,
    /// Mean standard deviation.
    pub sd_mean_um: f64,
    /// Share of errors within one standard deviation: .683 if normal and honest.
    pub within_one_sd: f64,
    /// Share within two: .954.
    pub within_two_sd: f64,
    /// Coverage of the 90 % interval, of half width 1.645 standard deviations.
    pub coverage_90: f64,
    /// Factor on the standard deviations with which it would have covered 90 %.
    pub sd_factor_90: f64,
}

impl Calibration {
    /// From (signed error, standard deviation) in mm; `None` where no standard deviation is above 0.
    pub fn from_pairs(pairs: impl Iterator<Item = (f64, f64)>) -> Option<Self> {
        let pairs: Vec<(f64, f64)> = pairs.filter(|(_, sd)| *sd > 0.0 && sd.is_finite()).collect();
        let n = pairs.len() as f64;
        let within = |times: f64| pairs.iter().filter(|(error, sd)| error.abs() <= times * sd).count() as f64 / n;
        let mut ratios: Vec<f64> = pairs.iter().map(|(error, sd)| error.abs() / sd).collect();
        ratios.sort_by(f64::total_cmp);
        (!pairs.is_empty()).then(|| Self {
            rays: pairs.len(),
            sd_mean_um: pairs.iter().map(|(_, sd)| sd).sum::<f64>() / n * 1000.0,
            within_one_sd: within(1.0),
            within_two_sd: within(2.0),
            coverage_90: within(SD_OF_90_PERCENT),
            sd_factor_90: ratios[((0.9 * n).ceil() as usize).clamp(1, pairs.len()) - 1] / SD_OF_90_PERCENT,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_counts_errors_within_their_own_standard_deviations() {
        // In standard deviations: 0.5, 1 (on the edge), 1.5, 1.7, 2.5; a given boundary and a missing one do not count.
        let pairs =
            [(0.1, 0.2), (-0.25, 0.25), (0.3, 0.2), (0.17, 0.1), (-0.25, 0.1), (0.0, 0.0), (9.0, f64::INFINITY)];
        let found = Calibration::from_pairs(pairs.into_iter()).unwrap();
        assert_eq!(found.rays, 5);
        assert!((found.sd_mean_um - 170.0).abs() < 1e-9);
        assert_eq!((found.within_one_sd, found.coverage_90, found.within_two_sd), (0.4, 0.6, 0.8));
        // Nine tenths of five is all of them.
        assert!((found.sd_factor_90 - 2.5 / 1.645).abs() < 1e-9);
        assert_eq!(Calibration::from_pairs([(0.0, 0.0)].into_iter()), None);
    }
}
