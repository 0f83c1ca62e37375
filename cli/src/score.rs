//! Metrics of layer boundaries. Every figure says what it averages over; nothing is pooled in silence.

use brainmesh_core::{BOUNDARY_COUNT, LAYER_COUNT};
use ndarray::{Array2, ArrayView1, ArrayView2};
use serde::Serialize;
use std::collections::BTreeMap;

/// Names of the five boundaries between layers.
pub const INNER_BOUNDARIES: [&str; LAYER_COUNT - 1] = ["I-II", "II-III", "III-IV", "IV-V", "V-VI"];

/// Errors of one boundary over the scored rays.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoundaryError {
    /// Which boundary.
    pub boundary: String,
    /// Rays that were compared.
    pub rays: usize,
    /// Mean absolute error in micrometres.
    pub mean_um: f64,
    /// 95th percentile of the absolute error in micrometres (nearest rank).
    pub p95_um: f64,
    /// Mean signed error in micrometres, positive when found too deep.
    pub bias_um: f64,
    /// Pearson correlation of parcel means, where parcels were given and at least three have rays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parcel_correlation: Option<f64>,
}

impl BoundaryError {
    /// From signed errors in mm; `None` without any.
    pub fn from_signed_mm(boundary: impl Into<String>, signed_mm: &[f64]) -> Option<Self> {
        if signed_mm.is_empty() {
            return None;
        }
        let n = signed_mm.len();
        let mut absolute: Vec<f64> = signed_mm.iter().map(|e| e.abs() * 1000.0).collect();
        absolute.sort_by(f64::total_cmp);
        Some(Self {
            boundary: boundary.into(),
            rays: n,
            mean_um: absolute.iter().sum::<f64>() / n as f64,
            p95_um: absolute[((n as f64 * 0.95).ceil() as usize).clamp(1, n) - 1],
            bias_um: signed_mm.iter().sum::<f64>() / n as f64 * 1000.0,
            parcel_correlation: None,
        })
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

/// Errors of boundary fractions, in micrometres of the true ribbon: |found - true| x true total thickness.
///
/// Vertices count where both have layers and `scored` is true. With parcels (one label a vertex, 0 = none) the
/// correlation is Pearson's between parcel means of found and true fractions.
pub fn compare_fractions(
    found: ArrayView2<f64>,
    truth_mm: ArrayView2<f64>,
    scored: &[bool],
    parcels: Option<&[i32]>,
) -> Vec<BoundaryError> {
    let truth = fractions(truth_mm);
    let mut errors = Vec::new();
    for (k, name) in INNER_BOUNDARIES.iter().enumerate() {
        let usable = |v: &usize| scored[*v] && found[[*v, k]].is_finite() && truth[[*v, k]].is_finite();
        let vertices: Vec<usize> = (0..truth.nrows()).filter(usable).collect();
        let signed: Vec<f64> =
            vertices.iter().map(|&v| (found[[v, k]] - truth[[v, k]]) * truth_mm.row(v).sum()).collect();
        if let Some(mut error) = BoundaryError::from_signed_mm(*name, &signed) {
            error.parcel_correlation =
                parcels.and_then(|p| parcel_correlation(&vertices, p, found.column(k), truth.column(k)));
            errors.push(error);
        }
    }
    errors
}

fn parcel_correlation(
    vertices: &[usize],
    parcels: &[i32],
    found: ArrayView1<f64>,
    truth: ArrayView1<f64>,
) -> Option<f64> {
    let mut sums: BTreeMap<i32, (f64, f64, f64)> = BTreeMap::new();
    for &v in vertices.iter().filter(|&&v| parcels[v] != 0) {
        let (n, f, t) = sums.entry(parcels[v]).or_default();
        *n += 1.0;
        *f += found[v];
        *t += truth[v];
    }
    let means: Vec<(f64, f64)> = sums.values().map(|(n, f, t)| (f / n, t / n)).collect();
    pearson(&means)
}

/// Pearson correlation; `None` below three pairs or without variance.
fn pearson(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < 3 {
        return None;
    }
    let n = pairs.len() as f64;
    let (mx, my) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let (mut sxx, mut syy, mut sxy) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        sxx += (x - mx).powi(2);
        syy += (y - my).powi(2);
        sxy += (x - mx) * (y - my);
    }
    (sxx > 0.0 && syy > 0.0).then(|| sxy / (sxx * syy).sqrt())
}

/// Pooled confusion of classes over samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    counts: Vec<u64>,
}

impl Confusion {
    /// No samples yet.
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    /// Counts one sample.
    pub fn add(&mut self, truth: usize, found: usize) {
        self.counts[truth * self.classes + found] += 1;
    }

    fn at(&self, truth: usize, found: usize) -> u64 {
        self.counts[truth * self.classes + found]
    }

    /// Share of samples whose class was found.
    pub fn accuracy(&self) -> f64 {
        let right: u64 = (0..self.classes).map(|c| self.at(c, c)).sum();
        right as f64 / self.counts.iter().sum::<u64>() as f64
    }

    /// Intersection over union of each class; NaN for a class that is neither there nor found.
    pub fn jaccard(&self) -> Vec<f64> {
        (0..self.classes)
            .map(|c| {
                let truth: u64 = (0..self.classes).map(|f| self.at(c, f)).sum();
                let found: u64 = (0..self.classes).map(|t| self.at(t, c)).sum();
                self.at(c, c) as f64 / (truth + found - self.at(c, c)) as f64
            })
            .collect()
    }
}

/// Class of a sample at `t` between boundaries: 0 outside, 1..=6 layers, 7 white. A layer without thickness has no
/// samples; a sample exactly on a boundary belongs below it.
pub fn class_at(t: f64, boundaries: ArrayView1<f64>) -> usize {
    (0..BOUNDARY_COUNT).filter(|&k| t >= boundaries[k]).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn confusion_counts_by_hand() {
        let mut confusion = Confusion::new(2);
        for (truth, found) in [(0, 0), (0, 1), (1, 1), (1, 1)] {
            confusion.add(truth, found);
        }
        assert_eq!(confusion.accuracy(), 0.75);
        assert_eq!(confusion.jaccard(), [0.5, 2.0 / 3.0]);
    }

    #[test]
    fn a_shift_of_a_tenth_of_the_ribbon_is_read_in_micrometres_of_the_true_ribbon() {
        let truth = array![[0.5, 0.5, 0.5, 0.5, 0.5, 0.5], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]];
        let mut found = fractions(truth.view());
        assert!(found.row(1).iter().all(|f| f.is_nan()));
        found.row_mut(0)[0] += 0.1;
        let errors = compare_fractions(found.view(), truth.view(), &[true, true], None);
        assert_eq!(errors[0].rays, 1);
        assert!((errors[0].bias_um - 300.0).abs() < 1e-9);
        assert_eq!(errors[1].mean_um, 0.0);
    }

    #[test]
    fn parcel_means_correlate_as_by_hand() {
        let truth = array![[1., 1., 1., 1., 1., 1.], [2., 1., 1., 1., 1., 0.], [3., 1., 1., 1., 0., 0.]];
        let found = fractions(truth.view());
        let errors = compare_fractions(found.view(), truth.view(), &[true; 3], Some(&[1, 2, 3]));
        assert!((errors[0].parcel_correlation.unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn classes_lie_between_boundaries() {
        let boundaries = array![0.2, 0.3, 0.4, 0.4, 0.5, 0.6, 0.8];
        let classes: Vec<usize> = [0.1, 0.2, 0.35, 0.4, 0.79, 0.9].map(|t| class_at(t, boundaries.view())).to_vec();
        assert_eq!(classes, [0, 1, 2, 4, 6, 7]);
    }
}
