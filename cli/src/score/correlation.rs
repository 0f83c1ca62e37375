use std::collections::BTreeMap;

/// Pearson correlation of the means of found and true values over regions, from (region, found, true); region 0 is none
/// and values that are not finite do not count. `None` below three regions or without variance.
pub fn parcel_correlation(values: impl Iterator<Item = (i32, f64, f64)>) -> Option<f64> {
    let mut sums: BTreeMap<i32, (f64, f64, f64)> = BTreeMap::new();
    for (region, found, truth) in values.filter(|(region, f, t)| *region != 0 && f.is_finite() && t.is_finite()) {
        let (n, f, t) = sums.entry(region).or_default();
        *n += 1.0;
        *f += found;
        *t += truth;
    }
    let means: Vec<(f64, f64)> = sums.values().map(|(n, f, t)| (f / n, t / n)).collect();
    pearson(&means)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_regions_correlate_as_by_hand() {
        // Means (found, true): (2, 1), (4, 2), (3, 6). Deviations (-1, -2), (1, -1), (0, 3): r = 1 / sqrt(2 * 14).
        let values = [(1, 1.0, 1.0), (1, 3.0, 1.0), (2, 4.0, 2.0), (3, 3.0, 5.0), (3, 3.0, 7.0)];
        let skipped = [(0, 99.0, -99.0), (2, f64::NAN, 2.0), (4, 1.0, f64::NAN)];
        let found = parcel_correlation(values.into_iter().chain(skipped)).unwrap();
        assert!((found - 1.0 / 28f64.sqrt()).abs() < 1e-12, "{found}");
        assert_eq!(parcel_correlation(values.into_iter().take(3)), None);
        assert_eq!(parcel_correlation([(1, 1.0, 1.0), (2, 1.0, 2.0), (3, 1.0, 3.0)].into_iter()), None);
    }
}
