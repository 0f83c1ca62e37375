use super::detect::Detection;
use super::outline::rectangle;
use super::paste::Pasted;
use crate::{MaskRcnnSettings, Part, Tile};

/// Tiles overlap by this share: what is no longer lies in one of them whole.
const OVERLAP: f64 = 1.0 / 3.0;
/// Pixels from an inner border of a tile within which a box may be cut.
const BORDER_PX: f32 = 1.5;

/// Tiles of a picture of `[width, height]` pixels, row by row. The last ones reach beyond it; the network sees nothing there.
pub(crate) fn tiles(settings: &MaskRcnnSettings, size: [usize; 2]) -> Vec<Tile> {
    let edge = settings.max_size_px;
    let step = ((edge as f64 * (1.0 - OVERLAP)) as usize).max(1);
    let [columns, rows] = size.map(|length| {
        let count = 1 + length.saturating_sub(edge).div_ceil(step);
        let shared = (edge - step) / 2;
        (0..count)
            .map(|n| {
                let (start, end) = (n * step, n * step + edge);
                let core =
                    if n == 0 { 0 } else { start + shared }..if n + 1 == count { end } else { (n + 1) * step + shared };
                (start..end, core)
            })
            .collect::<Vec<_>>()
    });
    let across = |(y, own_y): &(_, _)| {
        let tile = |(x, own_x): &(std::ops::Range<usize>, std::ops::Range<usize>)| Tile {
            input: [x.clone(), std::ops::Range::clone(y)],
            core: [own_x.clone(), std::ops::Range::clone(own_y)],
        };
        columns.iter().map(tile).collect::<Vec<_>>()
    };
    rows.iter().flat_map(across).collect()
}

/// Tissue and magnet parts of what was found in a tile, of which `inside` columns and rows lie in the picture; without what its inner
/// borders cut, which another tile shows whole. Their corners begin anywhere: partners say where the seam is.
pub(crate) fn of_tile(found: &[Detection], tile: &Tile, inside: [usize; 2]) -> [Vec<Part>; 2] {
    let mut parts = [Vec::new(), Vec::new()];
    for detection in found {
        let [left, top, right, bottom] = detection.region;
        let is_cut = (0..2).any(|n| {
            let (low, high) = if n == 0 { (left, right) } else { (top, bottom) };
            let (own, core) = (&tile.input[n], &tile.core[n]);
            let inner = [own.start != core.start, own.end != core.end];
            (inner[0] && low < BORDER_PX) || (inner[1] && high > inside[n] as f32 - BORDER_PX)
        });
        // What the network sees beyond the picture is nothing.
        let beyond = left >= inside[0] as f32 || top >= inside[1] as f32;
        if is_cut || beyond {
            continue;
        }
        let mask = Pasted::new(detection, [inside[1], inside[0]]);
        let start = [tile.input[0].start as f64, tile.input[1].start as f64];
        if let (Some(corners), Some(own)) = (rectangle(&mask), parts.get_mut(detection.class.wrapping_sub(1))) {
            let corners_px = corners.map(|[x, y]| [x + start[0], y + start[1]]);
            own.push(Part { corners_px, confidence: f64::from(detection.score), toward_px: None });
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Manifest, Task};
    use ndarray::Array2;

    fn settings(edge: usize) -> MaskRcnnSettings {
        let Task::MaskRcnn(task) = Manifest::open("tests/data/mask_rcnn").unwrap().task else { panic!() };
        MaskRcnnSettings { max_size_px: edge, min_size_px: edge, ..task.settings }
    }

    #[test]
    fn whatever_is_no_longer_than_the_overlap_lies_whole_in_a_tile() {
        for size in [[1, 1], [90, 90], [91, 40], [300, 500], [151, 150]] {
            let tiles = tiles(&settings(90), size);
            let mut seen = vec![0; size[0] * size[1]];
            for tile in &tiles {
                assert!(tile.input.iter().all(|range| range.len() == 90));
                for y in tile.core[1].start..tile.core[1].end.min(size[1]) {
                    (tile.core[0].start..tile.core[0].end.min(size[0])).for_each(|x| seen[x + size[0] * y] += 1);
                }
            }
            assert!(seen.iter().all(|&count| count == 1), "{size:?}");
            // 26 pixels anywhere, with 2 on each side that a border may not touch.
            for start in [[0, 0], [50, 50], [58, 59], [60, 61], [62, 30], [270, 470]] {
                let end = [0, 1].map(|n: usize| (start[n] + 26).min(size[n]));
                let fits = |tile: &Tile| {
                    (0..2).all(|n| {
                        let (own, core) = (&tile.input[n], &tile.core[n]);
                        let low = own.start == core.start || own.start + 2 <= start[n];
                        low && own.start <= start[n]
                            && end[n] + 2 <= own.end.max(end[n] + 2 * usize::from(own.end == core.end))
                    })
                };
                assert!(start[0] >= size[0] || start[1] >= size[1] || tiles.iter().any(fits), "{size:?} {start:?}");
            }
        }
    }

    #[test]
    fn what_an_inner_border_cuts_is_left_to_another_tile() {
        let tile = Tile { input: [60..150, 0..90], core: [75..135, 0..90] };
        let at = |region: [f32; 4], class| Detection { region, score: 0.9, class, mask: Array2::ones((28, 28)) };
        let found = [
            // Inside; at the picture's own borders; cut on the left; cut on the right; beyond the picture.
            at([10.0, 20.0, 40.0, 30.0], 1),
            at([30.0, 0.0, 50.0, 90.0], 2),
            at([1.0, 20.0, 40.0, 30.0], 1),
            at([10.0, 20.0, 89.0, 30.0], 2),
            at([10.0, 91.0, 20.0, 95.0], 1),
        ];
        let [tissue, magnet] = of_tile(&found, &tile, [90, 90]);
        assert_eq!((tissue.len(), magnet.len()), (1, 1));
        // The middle of a box is in pixels that span from their number on; ours are whole at their centres.
        let [x, y] = tissue[0].centre_px();
        assert!((x - (60.0 + 24.5)).abs() < 1.0 && (y - 24.5).abs() < 1.0, "{x} {y}");
        assert!((tissue[0].length_px() - 30.0).abs() < 2.5 && tissue[0].toward_px.is_none());
        assert!(tissue[0].area_px2() > 0.0 && magnet[0].area_px2() > 0.0);
    }
}
