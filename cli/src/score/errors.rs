use serde::Serialize;

/// Errors of one quantity over the compared rays, in micrometres.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Errors {
    /// Rays that were compared.
    pub rays: usize,
    /// Mean absolute error.
    pub mean_um: f64,
    /// Median of the absolute error (nearest rank).
    pub median_um: f64,
    /// 95th percentile of the absolute error (nearest rank).
    pub p95_um: f64,
    /// Mean signed error, found less true.
    pub bias_um: f64,
}

impl Errors {
    /// From signed errors in mm, found less true; `None` without any.
    pub fn from_signed_mm(signed_mm: &[f64]) -> Option<Self> {
        let n = signed_mm.len();
        let mut absolute: Vec<f64> = signed_mm.iter().map(|e| e.abs() * 1000.0).collect();
        absolute.sort_by(f64::total_cmp);
        let rank = |share: f64| absolute[((n as f64 * share).ceil() as usize).clamp(1, n) - 1];
        (n > 0).then(|| Self {
            rays: n,
            mean_um: absolute.iter().sum::<f64>() / n as f64,
            median_um: rank(0.5),
            p95_um: rank(0.95),
            bias_um: signed_mm.iter().sum::<f64>() / n as f64 * 1000.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_errors_by_hand() {
        // 1, 2, ... 20 um, every other one too shallow: sum 210, signed sum of odd less even -10.
        let signed: Vec<f64> = (1..=20).map(|i| f64::from(i) * 1e-3 * if i % 2 == 0 { -1.0 } else { 1.0 }).collect();
        let errors = Errors::from_signed_mm(&signed).unwrap();
        assert_eq!(errors.rays, 20);
        assert!((errors.mean_um - 10.5).abs() < 1e-9);
        assert!((errors.median_um - 10.0).abs() < 1e-9);
        assert!((errors.p95_um - 19.0).abs() < 1e-9);
        assert!((errors.bias_um + 0.5).abs() < 1e-9);
        assert_eq!(Errors::from_signed_mm(&[]), None);
    }
}
