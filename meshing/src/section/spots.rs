use super::flat;
use crate::Result;
use brainmesh_core::{Grid, Volume};
use glam::DVec2;
use std::collections::HashMap;

/// Labels at points become a label image: every pixel takes the label of the nearest point within `reach_px`, others 0.
///
/// Points are in pixels (centres are whole numbers), labels 1..=7. A border of the image lies half way between points of
/// different labels: no finer than half their distance.
///
/// # Errors
/// A grid of more than one plane or with oblong pixels.
pub fn label_spots(spots: &[(DVec2, u8)], grid: &Grid, reach_px: f64) -> Result<Volume<u8>> {
    let mut labels = Volume::new(grid.clone(), vec![0u8; grid.voxel_count()])?;
    flat(&labels)?;
    let reach = reach_px.max(1.0);
    let cell = |p: DVec2| ((p.x / reach).floor() as i64, (p.y / reach).floor() as i64);
    let mut cells: HashMap<(i64, i64), Vec<(DVec2, u8)>> = HashMap::new();
    for &(p, label) in spots {
        cells.entry(cell(p)).or_default().push((p, label));
    }
    let width = grid.shape()[0];
    for (index, value) in labels.data_mut().iter_mut().enumerate() {
        let p = DVec2::new((index % width) as f64, (index / width) as f64);
        let (cx, cy) = cell(p);
        let around =
            (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (cx + dx, cy + dy))).filter_map(|c| cells.get(&c)).flatten();
        let nearest = around.map(|(q, label)| (q.distance(p), *label)).min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((distance, label)) = nearest
            && distance <= reach_px
        {
            *value = label;
        }
    }
    Ok(labels)
}

/// Median distance of each point from its nearest neighbour, in pixels; none below two points.
pub fn spot_pitch_px(spots: &[(DVec2, u8)]) -> Option<f64> {
    let mut sorted: Vec<DVec2> = spots.iter().map(|s| s.0).collect();
    sorted.sort_by(|a, b| a.x.total_cmp(&b.x));
    let mut nearest: Vec<f64> = Vec::with_capacity(sorted.len());
    for (i, p) in sorted.iter().enumerate() {
        let mut best = f64::INFINITY;
        let mut look = |q: &DVec2| {
            best = best.min(p.distance(*q));
            (q.x - p.x).abs() < best
        };
        let _ = sorted[..i].iter().rev().all(&mut look);
        let _ = sorted[i + 1..].iter().all(&mut look);
        nearest.push(best);
    }
    let middle = nearest.len() / 2;
    (nearest.len() > 1).then(|| *nearest.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::DAffine3;

    #[test]
    fn pixels_take_the_nearest_label_within_reach() {
        let grid = Grid::new([40, 20, 1], DAffine3::IDENTITY, "section").unwrap();
        let spots = [(DVec2::new(10.0, 10.0), 3), (DVec2::new(16.0, 10.0), 4)];
        let labels = label_spots(&spots, &grid, 6.0).unwrap();
        let at = |x, y| labels.get(x, y, 0).unwrap();
        assert_eq!([at(4, 10), at(3, 10), at(12, 10), at(14, 10), at(22, 10), at(23, 10)], [3, 0, 3, 4, 4, 0]);
        assert_eq!(spot_pitch_px(&spots), Some(6.0));
        assert_eq!(spot_pitch_px(&spots[..1]), None);
    }
}
