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
