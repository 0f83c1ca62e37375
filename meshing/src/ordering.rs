use brainmesh_core::BOUNDARY_COUNT;

/// Moves the values of a row as little as possible, in the weighted least-squares sense, so that each lies at least its
/// gap above the one before: pool adjacent violators (Barlow 1972) on the values less the gaps up to them.
/// `gaps[k]` is the least distance from value k to value k + 1.
pub(crate) fn separate(
    row: &mut [f64; BOUNDARY_COUNT],
    weights: &[f64; BOUNDARY_COUNT],
    gaps: &[f64; BOUNDARY_COUNT - 1],
) {
    let mut offsets = [0.0; BOUNDARY_COUNT];
    for k in 1..BOUNDARY_COUNT {
        offsets[k] = offsets[k - 1] + gaps[k - 1];
    }
    let mut pools: Vec<(f64, f64, usize)> = Vec::with_capacity(BOUNDARY_COUNT);
    for k in 0..BOUNDARY_COUNT {
        pools.push((row[k] - offsets[k], weights[k].max(1e-12), 1));
        while let [.., (above, wa, na), (below, wb, nb)] = pools[..] {
            if above <= below {
                break;
            }
            pools.truncate(pools.len() - 2);
            pools.push(((above * wa + below * wb) / (wa + wb), wa + wb, na + nb));
        }
    }
    let mut k = 0;
    for (value, _, count) in pools {
        for _ in 0..count {
            row[k] = value + offsets[k];
            k += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooling_gives_the_weighted_mean_of_violators() {
        let mut row = [0.0, 0.3, 0.1, 0.5, 0.6, 0.7, 1.0];
        separate(&mut row, &[1.0, 3.0, 1.0, 1.0, 1.0, 1.0, 1.0], &[0.0; 6]);
        assert!((row[1] - 0.25).abs() < 1e-12 && row[1] == row[2]);
        assert_eq!([row[0], row[3], row[6]], [0.0, 0.5, 1.0]);
    }

    #[test]
    fn gaps_are_kept_and_heavy_values_stay() {
        let mut row = [0.0, 0.1, 0.11, 0.5, 0.5, 0.7, 1.0];
        let gaps = [0.05, 0.05, 0.05, 0.0, 0.05, 0.05];
        separate(&mut row, &[1.0, 1e9, 1.0, 1.0, 1.0, 1.0, 1.0], &gaps);
        assert!((row[1] - 0.1).abs() < 1e-9 && (row[2] - 0.15).abs() < 1e-9, "{row:?}");
        // An absent layer has no gap.
        assert_eq!([row[3], row[4]], [0.5, 0.5]);
    }
}
