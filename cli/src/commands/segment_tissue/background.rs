use brainmesh_core::Volume;
use rayon::prelude::*;

/// Values this near to one another, as a share of the whole range, are the same.
const SAME: f32 = 1e-4;
/// Share of the volume's border that a background fills.
const LEAST_SHARE: f64 = 0.5;

/// A scan whose background is exactly 0, as the model wants what is outside a stripped head: the commonest value of the
/// border is taken from all voxels. Scaled and computed files have some other number there, or one with rounding errors.
/// `None` where it is so already, or where no value is common (the air of a scan with its noise).
pub(super) fn without_background(scan: &Volume<f32>) -> Option<Volume<f32>> {
    let finite = scan.data().par_iter().copied().filter(|value| value.is_finite());
    let (low, high) = finite
        .map(|value| (value, value))
        .reduce(|| (f32::INFINITY, f32::NEG_INFINITY), |a, b| (a.0.min(b.0), a.1.max(b.1)));
    let near = (high - low) * SAME;
    if !(near.is_finite() && near > 0.0) {
        return None;
    }
    let mut border = border(scan);
    border.sort_unstable_by(f32::total_cmp);
    // The run of neighbours in order that holds most values.
    let (mut start, mut best) = (0, 0..0);
    for (end, &value) in border.iter().enumerate() {
        while value - border[start] > near {
            start += 1;
        }
        if end + 1 - start > best.len() {
            best = start..end + 1;
        }
    }
    if (best.len() as f64) < LEAST_SHARE * border.len().max(1) as f64 {
        return None;
    }
    let background = border[best.start + best.len() / 2];
    let is_background = |value: f32| (value - background).abs() <= near;
    if background == 0.0 && !scan.data().par_iter().any(|&value| value != 0.0 && is_background(value)) {
        return None;
    }
    let values = scan.data().par_iter().map(|&value| if is_background(value) { 0.0 } else { value - background });
    Volume::new(scan.grid().clone(), values.collect()).ok()
}

/// Finite values of the six faces.
fn border(scan: &Volume<f32>) -> Vec<f32> {
    let [ni, nj, nk] = scan.grid().shape();
    let mut values = Vec::new();
    for (n, row) in scan.data().chunks_exact(ni).enumerate() {
        let (j, k) = (n % nj, n / nj);
        if j == 0 || j == nj - 1 || k == 0 || k == nk - 1 {
            values.extend_from_slice(row);
        } else {
            values.extend([row[0], row[ni - 1]]);
        }
    }
    values.retain(|value| value.is_finite());
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use brainmesh_core::Grid;
    use glam::DAffine3;

    /// A head of 100 and more in a background.
    fn made(background: impl Fn(usize) -> f32) -> Volume<f32> {
        let grid = Grid::new([20, 20, 20], DAffine3::IDENTITY, "scanner").unwrap();
        let is_head = |n: usize| [n % 20, n / 20 % 20, n / 400].iter().all(|at| (4..16).contains(at));
        let value = |n: usize| if is_head(n) { background(0) + 100.0 + (n % 90) as f32 } else { background(n) };
        Volume::new(grid, (0..8000).map(value).collect()).unwrap()
    }

    #[test]
    fn a_background_of_any_value_becomes_zero_and_the_head_keeps_its_contrast() {
        let plain = made(|_| 0.0);
        assert_eq!(without_background(&plain), None);
        for background in [-1.5e-6_f32, 100.0, -1000.0] {
            let found = without_background(&made(|_| background)).unwrap();
            for (found, plain) in found.data().iter().zip(plain.data()) {
                assert!((found - plain).abs() < 1e-3 && (*plain == 0.0) == (*found == 0.0), "{background}");
            }
        }
        // Rounding errors both ways.
        let found = without_background(&made(|n| (n % 7) as f32 * 1e-6 - 3e-6)).unwrap();
        assert!(found.data().iter().zip(plain.data()).all(|(found, plain)| (*plain == 0.0) == (*found == 0.0)));
    }

    #[test]
    fn air_with_noise_stays() {
        assert_eq!(without_background(&made(|n| (n * 7919 % 13) as f32)), None);
        assert_eq!(without_background(&made(|_| f32::NAN)), None);
    }
}
