use super::region::Region;
use crate::manifest::RegionSettings;
use ndarray::{Array4, ArrayView3, ArrayView4};
use rayon::prelude::*;

/// Level of the finest features: a position every 2^2 pixels.
const FIRST_LEVEL: f32 = 2.0;

/// Features of regions `[region, c, bins, bins]`: of each from the level that its size belongs to (Lin et al. 2017, equation 1).
pub(super) fn cut_out(
    features: &[ArrayView4<f32>],
    regions: &[Region],
    settings: &RegionSettings,
    bins: usize,
) -> Array4<f32> {
    let channels = features.first().map_or(0, |level| level.dim().1);
    let mut out = Array4::zeros((regions.len(), channels, bins, bins));
    let values = out.as_slice_mut().unwrap_or_default();
    values.par_chunks_mut((channels * bins * bins).max(1)).zip(regions).for_each(|(target, region)| {
        let level = level_of(region, settings, features.len());
        let scale = 0.5_f32.powi(FIRST_LEVEL as i32 + level as i32);
        let features = features[level].index_axis(ndarray::Axis(0), 0);
        align(features, region.map(|side| side * scale), settings.sampling_ratio, bins, target);
    });
    out
}

/// From 0, the finest.
fn level_of(region: &Region, settings: &RegionSettings, levels: usize) -> usize {
    let side = ((region[2] - region[0]) * (region[3] - region[1])).sqrt();
    // A region of no size gives minus infinity, which is the finest.
    let level = (settings.canonical_level + (side / settings.canonical_scale_px).log2() + 1e-6).floor();
    (level - FIRST_LEVEL).clamp(0.0, (levels - 1) as f32) as usize
}

/// RoIAlign (He et al. 2017), not aligned: no half pixel is taken off, and a region has sides of at least one position.
fn align(features: ArrayView3<f32>, region: Region, ratio: usize, bins: usize, target: &mut [f32]) {
    let (_, rows, columns) = features.dim();
    let [left, top, right, bottom] = region;
    let bin = [(right - left).max(1.0), (bottom - top).max(1.0)].map(|side| side / bins as f32);
    // Of each axis: for each point of each bin two positions and the share of the second.
    let points = |start: f32, bin: f32, length: usize| -> Vec<Option<(usize, usize, f32)>> {
        let point = |n: usize| {
            let at = start + (n / ratio) as f32 * bin + ((n % ratio) as f32 + 0.5) * bin / ratio as f32;
            linear(at, length)
        };
        (0..bins * ratio).map(point).collect()
    };
    let (across, down) = (points(left, bin[0], columns), points(top, bin[1], rows));
    let count = (ratio * ratio) as f32;
    for (channel, target) in features.outer_iter().zip(target.chunks_exact_mut(bins * bins)) {
        for (number, value) in target.iter_mut().enumerate() {
            let (row, column) = (number / bins, number % bins);
            let mut sum = 0.0;
            for (above, below, v) in down[row * ratio..(row + 1) * ratio].iter().flatten() {
                for (before, after, u) in across[column * ratio..(column + 1) * ratio].iter().flatten() {
                    sum += (1.0 - v) * (1.0 - u) * channel[[*above, *before]]
                        + (1.0 - v) * u * channel[[*above, *after]]
                        + v * (1.0 - u) * channel[[*below, *before]]
                        + v * u * channel[[*below, *after]];
                }
            }
            *value = sum / count;
        }
    }
}

/// Between which positions of an axis a point lies; nothing for one more than a position beyond it.
fn linear(at: f32, length: usize) -> Option<(usize, usize, f32)> {
    if at < -1.0 || at > length as f32 {
        return None;
    }
    let at = at.max(0.0);
    let low = at as usize;
    if low + 1 >= length { Some((length - 1, length - 1, 0.0)) } else { Some((low, low + 1, at - low as f32)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array4;

    const SETTINGS: RegionSettings = RegionSettings {
        box_size: 2,
        mask_size: 2,
        sampling_ratio: 2,
        canonical_scale_px: 224.0,
        canonical_level: 4.0,
    };

    #[test]
    fn a_region_of_the_canonical_size_belongs_to_the_canonical_level() {
        let square = |side: f32| [5.0, 5.0, 5.0 + side, 5.0 + side];
        for (side, level) in [(0.0, 0), (10.0, 0), (111.0, 0), (112.0, 1), (223.0, 1), (224.0, 2), (448.0, 3), (9e3, 3)]
        {
            assert_eq!(level_of(&square(side), &SETTINGS, 4), level, "{side}");
        }
    }

    #[test]
    fn a_plane_is_averaged_to_the_middle_of_each_bin() {
        // Value 10 y + x at each position, every fourth pixel.
        let plane = Array4::from_shape_fn((1, 1, 16, 16), |(_, _, y, x)| (10 * y + x) as f32);
        let found = cut_out(&[plane.view()], &[[8.0, 16.0, 24.0, 48.0]], &SETTINGS, 2);
        // Positions 2 to 6 and 4 to 12: bins around x = 3, 5 and y = 6, 10.
        assert_eq!(found.as_slice().unwrap(), [63.0, 65.0, 103.0, 105.0]);
        // A region of no size has one position. Up to one beyond the last nothing changes, farther out nothing is: a quarter of 165.
        let found = cut_out(&[plane.view()], &[[8.0, 8.0, 8.0, 8.0], [60.0, 60.0, 76.0, 76.0]], &SETTINGS, 2);
        assert_eq!(found.as_slice().unwrap()[..4], [24.75, 25.25, 29.75, 30.25]);
        assert_eq!(found.as_slice().unwrap()[4..], [41.25, 0.0, 0.0, 0.0]);
    }
}
