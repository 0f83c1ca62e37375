use rayon::prelude::*;

/// For every pixel the index of the nearest one that `is_site` holds for, or `None` where there is none at all; `spacing` is
/// the distance of columns and of rows.
///
/// Exact: a column at a time, then the lower envelope of parabolas along each row (Meijster, Roerdink and
/// Hesselink 2000). Of several as near the one of the smallest column is taken, then of the smallest row, as SciPy's
/// `distance_transform_edt` does.
pub fn nearest_where(
    is_site: impl Fn(usize) -> bool + Sync,
    [width, height]: [usize; 2],
    spacing: [f64; 2],
) -> Option<Vec<usize>> {
    const NONE: u32 = u32::MAX;
    // The row of the nearest site in the same column.
    let mut rows = vec![NONE; width * height];
    for y in 0..height {
        for x in 0..width {
            let at = x + width * y;
            rows[at] = if is_site(at) {
                y as u32
            } else if y > 0 {
                rows[at - width]
            } else {
                NONE
            };
        }
    }
    for y in (0..height.saturating_sub(1)).rev() {
        for x in 0..width {
            let (above, below, y) = (rows[x + width * y], rows[x + width * (y + 1)], y as u32);
            // What the row below knows may lie above this one: then this one knows it too.
            let is_below = below != NONE && below > y;
            if is_below && (above == NONE || below - y < y - above) {
                rows[x + width * y as usize] = below;
            }
        }
    }
    if width == 0 || rows[..width].iter().all(|&row| row == NONE) {
        return None;
    }
    let mut found = vec![0; width * height];
    found.par_chunks_mut(width).zip(rows.par_chunks(width)).enumerate().for_each(|(y, (found, rows))| {
        let squared = |site: usize, x: usize| {
            let (dx, dy) = (site as f64 - x as f64, f64::from(rows[site]) - y as f64);
            (dx * spacing[0]).powi(2) + (dy * spacing[1]).powi(2)
        };
        // Columns that are nearest somewhere, each with the first x where it is.
        let mut envelope: Vec<(usize, usize)> = Vec::with_capacity(width);
        for site in (0..width).filter(|&x| rows[x] != NONE) {
            while envelope.last().is_some_and(|&(last, from)| squared(last, from) > squared(site, from)) {
                envelope.pop();
            }
            let from = envelope.last().map_or(0, |&(last, _)| {
                // The first x from which `site` is strictly nearer: both parabolas have the same width.
                let apart = squared(site, 0) - squared(last, 0);
                (apart / (2.0 * (site - last) as f64 * spacing[0].powi(2))).floor() as usize + 1
            });
            if from < width {
                envelope.push((site, from));
            }
        }
        let mut end = width;
        while let Some((site, from)) = envelope.pop() {
            found[from..end].fill(site + width * rows[site] as usize);
            end = from;
        }
    });
    Some(found)
}

/// Every pixel that is 0 to its nearest object, so that borders have no width: how thick they are drawn does not count.
/// A plane without objects stays 0.
pub fn thin_borders(labels: &[u32], size: [usize; 2]) -> Vec<u32> {
    match nearest_where(|at| labels[at] != 0, size, [1.0; 2]) {
        Some(nearest) => nearest.into_iter().map(|at| labels[at]).collect(),
        None => labels.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_has_the_nearest_of_all() {
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 33
        };
        for (width, height, one_in) in [(1, 1, 1), (13, 1, 4), (1, 13, 4), (17, 23, 3), (40, 31, 50), (31, 40, 200)] {
            let mut sites: Vec<bool> = (0..width * height).map(|_| random() % one_in == 0).collect();
            sites[width * height / 2] = true;
            let found = nearest_where(|at| sites[at], [width, height], [1.0; 2]).unwrap();
            for (at, &nearest) in found.iter().enumerate() {
                let rank = |site: usize| {
                    let (dx, dy) = ((site % width).abs_diff(at % width), (site / width).abs_diff(at / width));
                    (dx * dx + dy * dy, site % width, site / width)
                };
                let best = (0..sites.len()).filter(|&site| sites[site]).min_by_key(|&site| rank(site)).unwrap();
                assert_eq!(nearest, best, "{width} x {height}, pixel {at}");
            }
        }
    }

    #[test]
    fn the_distance_of_rows_and_of_columns_counts() {
        // Two columns to the left against one row up.
        let sites = |at: usize| at == 2 || at == 3;
        assert_eq!(nearest_where(sites, [3, 2], [1.0, 1.0]).unwrap()[5], 2);
        assert_eq!(nearest_where(sites, [3, 2], [1.0, 2.5]).unwrap()[5], 3);
    }

    #[test]
    fn without_sites_there_is_no_nearest() {
        assert_eq!(nearest_where(|_| false, [4, 3], [1.0; 2]), None);
        assert_eq!(thin_borders(&[0; 12], [4, 3]), [0; 12]);
    }

    #[test]
    fn borders_go_to_the_nearest_object() {
        assert_eq!(thin_borders(&[1, 0, 0, 0, 2, 2], [6, 1]), [1, 1, 1, 2, 2, 2]);
    }
}
