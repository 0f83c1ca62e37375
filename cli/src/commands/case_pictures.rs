//! Pictures of the best, the median and the worst case: the image alone, and with the outlines of truth and result.

use crate::output::Staging;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

const TRUTH: [u8; 3] = [0, 200, 255];
const FOUND: [u8; 3] = [255, 120, 0];
/// Pixels are enlarged by a whole number until the longer side has about this many.
const SIDE: usize = 512;
/// Outlines are drawn on the two sides of an edge between pixels: that takes so much room.
const LEAST_ENLARGED: usize = 2;
const GAP: usize = 4;

/// One plane of a case; all values are `[x + width * y]`.
pub(super) struct CasePlane {
    pub size: [usize; 2],
    pub grey: Vec<f32>,
    /// Numbers of objects, 0 outside: edges are drawn where they change.
    pub truth: Vec<u32>,
    pub found: Vec<u32>,
}

/// Which cases are drawn, and what they are called: the worst first. `scores` are higher for better cases.
pub(super) fn chosen(scores: &[f64]) -> Vec<(&'static str, usize)> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let mut cases: Vec<(&'static str, usize)> = Vec::new();
    let last = order.len().saturating_sub(1);
    for (name, rank) in [("worst", 0), ("best", last), ("median", last / 2)] {
        if let Some(&case) = order.get(rank)
            && !cases.iter().any(|&(_, other)| other == case)
        {
            cases.push((name, case));
        }
    }
    cases
}

/// Writes `NAME.png` of each case into a folder, all or none.
pub(super) fn write_cases(folder: &Path, cases: &[(String, Vec<CasePlane>)]) -> Result<Vec<PathBuf>> {
    let staging = Staging::new(folder)?;
    for (name, planes) in cases {
        let safe: String =
            name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
        let path = staging.path().join(format!("{safe}.png"));
        let columns: Vec<Rgb> = planes.iter().flat_map(|plane| [plane.drawn(false), plane.drawn(true)]).collect();
        let whole = beside(&columns);
        brainmesh_formats::write_png(&path, whole.size, &whole.values).map_err(Error::from)?;
    }
    staging.publish()
}

struct Rgb {
    size: [usize; 2],
    values: Vec<u8>,
}

impl CasePlane {
    /// The part around all objects, `margin` pixels wider on each side; the whole plane where there are none.
    pub fn cropped(self, margin: usize) -> Self {
        let [width, height] = self.size;
        let inside = |at: &usize| self.truth[*at] != 0 || self.found[*at] != 0;
        let range = |of: &dyn Fn(usize) -> usize, length: usize| {
            let places = || (0..width * height).filter(inside).map(of);
            let low = places().min().unwrap_or(0).saturating_sub(margin);
            let high = places().max().map_or(length, |last| (last + 1 + margin).min(length));
            low..high
        };
        let (xs, ys) = (range(&|at| at % width, width), range(&|at| at / width, height));
        let kept: Vec<usize> = ys.clone().flat_map(|y| xs.clone().map(move |x| x + width * y)).collect();
        Self {
            size: [xs.len(), ys.len()],
            grey: kept.iter().map(|&at| self.grey[at]).collect(),
            truth: kept.iter().map(|&at| self.truth[at]).collect(),
            found: kept.iter().map(|&at| self.found[at]).collect(),
        }
    }

    fn drawn(&self, outlines: bool) -> Rgb {
        let [width, height] = self.size;
        let enlarged = (SIDE / width.max(height)).max(LEAST_ENLARGED);
        let size = [width * enlarged, height * enlarged];
        let (low, high) = window(&self.grey);
        let mut values = Vec::with_capacity(size[0] * size[1] * 3);
        for y in 0..size[1] {
            for x in 0..size[0] {
                let at = x / enlarged + width * (y / enlarged);
                let grey =
                    ((self.grey[at] - low) / (high - low).max(f32::MIN_POSITIVE) * 255.0).clamp(0.0, 255.0) as u8;
                let place = [x % enlarged, y % enlarged].map(|n| (n == 0, n + 1 == enlarged));
                let color = if !outlines {
                    [grey; 3]
                } else if self.is_edge(&self.found, at, place) {
                    FOUND
                } else if self.is_edge(&self.truth, at, place) {
                    TRUTH
                } else {
                    [grey; 3]
                };
                values.extend(color);
            }
        }
        Rgb { size, values }
    }

    /// Whether a spot at the first or last row or column of an enlarged pixel lies within an object, at its edge.
    fn is_edge(&self, objects: &[u32], at: usize, [column, row]: [(bool, bool); 2]) -> bool {
        let [width, height] = self.size;
        let (x, y) = (at % width, at / width);
        let differs = |other: usize| objects[other] != objects[at];
        let here = objects[at] != 0;
        here && ((column.0 && x > 0 && differs(at - 1))
            || (column.1 && x + 1 < width && differs(at + 1))
            || (row.0 && y > 0 && differs(at - width))
            || (row.1 && y + 1 < height && differs(at + width)))
    }
}

/// Greys that become black and white: the 1st and 99th percentile.
fn window(grey: &[f32]) -> (f32, f32) {
    let mut sorted: Vec<f32> = grey.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f32::total_cmp);
    let at =
        |share: f64| sorted.get(((sorted.len().saturating_sub(1)) as f64 * share) as usize).copied().unwrap_or(0.0);
    (at(0.01), at(0.99))
}

fn beside(pictures: &[Rgb]) -> Rgb {
    let width = pictures.iter().map(|p| p.size[0]).sum::<usize>() + GAP * pictures.len().saturating_sub(1);
    let height = pictures.iter().map(|p| p.size[1]).max().unwrap_or(0);
    let mut values = vec![255; width * height * 3];
    let mut left = 0;
    for picture in pictures {
        for (y, row) in picture.values.chunks(picture.size[0] * 3).enumerate() {
            let start = (left + width * y) * 3;
            values[start..start + row.len()].copy_from_slice(row);
        }
        left += picture.size[0] + GAP;
    }
    Rgb { size: [width, height], values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worst_best_and_median_are_drawn_each_once() {
        assert_eq!(chosen(&[0.5, 0.9, 0.1, 0.7, 0.6]), [("worst", 2), ("best", 1), ("median", 4)]);
        assert_eq!(chosen(&[0.5, 0.9]), [("worst", 0), ("best", 1)]);
        assert_eq!(chosen(&[0.5]), [("worst", 0)]);
        assert!(chosen(&[]).is_empty());
    }

    #[test]
    fn outlines_lie_within_their_objects() {
        let plane = CasePlane { size: [3, 1], grey: vec![0.0, 1.0, 2.0], truth: vec![0, 1, 1], found: vec![0, 0, 2] };
        let plane = plane.cropped(9);
        assert_eq!(plane.size, [3, 1]);
        let drawn = plane.drawn(true);
        let pixel = |x: usize| &drawn.values[3 * (x + drawn.size[0] * 80)..][..3];
        // Enlarged by 170: the truth begins at 170, the result at 340.
        assert_eq!((pixel(170), pixel(340)), (TRUTH.as_slice(), FOUND.as_slice()));
        assert_eq!((pixel(169), pixel(171)), ([0; 3].as_slice(), pixel(180)));
    }

    #[test]
    fn objects_are_cut_out_with_a_margin() {
        let mut truth = vec![0; 100];
        truth[34] = 1;
        let plane = CasePlane { size: [10, 10], grey: vec![0.0; 100], found: truth.clone(), truth };
        let cut = plane.cropped(2);
        assert_eq!((cut.size, cut.truth.iter().position(|&t| t == 1)), ([5, 5], Some(12)));
    }
}
