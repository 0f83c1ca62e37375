use super::Errors;
use brainmesh_core::LAYER_COUNT;
use ndarray::{Array2, ArrayView2};
use serde::Serialize;

/// Thickness of one layer over the scored rays.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ThicknessError {
    /// `total` or I to VI.
    pub layer: &'static str,
    /// Mean thickness found.
    pub mean_mm: f64,
    /// Mean true thickness of the same rays.
    pub truth_mean_mm: f64,
    /// The first over the second.
    pub ratio: f64,
    /// Errors of single rays; bias is positive when found too thick.
    #[serde(flatten)]
    pub errors: Errors,
    /// Pearson correlation of region means, where at least three regions have rays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parcel_correlation: Option<f64>,
}

impl ThicknessError {
    /// From (found, true) thicknesses in mm; `None` without any pair of finite ones.
    pub fn from_pairs(layer: &'static str, pairs: impl Iterator<Item = (f64, f64)>) -> Option<Self> {
        let pairs: Vec<(f64, f64)> = pairs.filter(|(found, truth)| found.is_finite() && truth.is_finite()).collect();
        let signed: Vec<f64> = pairs.iter().map(|(found, truth)| found - truth).collect();
        let errors = Errors::from_signed_mm(&signed)?;
        let mean = |part: fn(&(f64, f64)) -> f64| pairs.iter().map(part).sum::<f64>() / pairs.len() as f64;
        let (mean_mm, truth_mean_mm) = (mean(|p| p.0), mean(|p| p.1));
        Some(Self { layer, mean_mm, truth_mean_mm, ratio: mean_mm / truth_mean_mm, errors, parcel_correlation: None })
    }
}

/// Boundary positions as fractions of the ribbon, from layer thicknesses: `[vertices, 5]`, NaN where there are no
/// layers. Fraction k is the cumulative thickness of layers I..=k over the sum of all six.
pub fn fractions(thickness_mm: ArrayView2<f64>) -> Array2<f64> {
    let mut fractions = Array2::from_elem((thickness_mm.nrows(), LAYER_COUNT - 1), f64::NAN);
    for (row, mut out) in thickness_mm.outer_iter().zip(fractions.outer_iter_mut()) {
        let total = row.sum();
        if total > 0.0 && total.is_finite() {
            let mut depth = 0.0;
            for k in 0..LAYER_COUNT - 1 {
                depth += row[k];
                out[k] = depth / total;
            }
        }
    }
    fractions
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn fractions_are_cumulative_and_absent_without_layers() {
        let thickness = array![[0.5, 0.25, 0.25, 0.0, 0.5, 0.5], [0.0; 6], [0.1, 0.1, f64::NAN, 0.1, 0.1, 0.1]];
        let found = fractions(thickness.view());
        assert_eq!(found.row(0).to_vec(), [0.25, 0.375, 0.5, 0.5, 0.75]);
        assert!(found.rows().into_iter().skip(1).flatten().all(|f| f.is_nan()));
    }

    #[test]
    fn thicknesses_by_hand() {
        let pairs = [(0.30, 0.25), (0.20, 0.25), (f64::NAN, 0.25), (0.2, f64::NAN), (0.40, 0.30)];
        let found = ThicknessError::from_pairs("IV", pairs.into_iter()).unwrap();
        assert_eq!(found.errors.rays, 3);
        assert!((found.mean_mm - 0.3).abs() < 1e-12 && (found.truth_mean_mm - 0.8 / 3.0).abs() < 1e-12);
        assert!((found.ratio - 1.125).abs() < 1e-12);
        assert!((found.errors.mean_um - 200.0 / 3.0).abs() < 1e-9 && (found.errors.bias_um - 100.0 / 3.0).abs() < 1e-9);
        assert_eq!(ThicknessError::from_pairs("IV", [(f64::NAN, 1.0)].into_iter()), None);
    }
}
