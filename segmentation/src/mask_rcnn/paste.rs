use super::detect::Detection;
use super::input::Taps;
use ndarray::Array2;

/// A mask at the picture's resolution, where it is not zero.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pasted {
    /// Column and row of the first value.
    pub start: [usize; 2],
    /// Height and width of the picture.
    pub picture: [usize; 2],
    /// `[y, x]`.
    pub values: Array2<f32>,
}

impl Pasted {
    /// A detection's mask in a picture of `[height, width]`: with a border of a zero, its box grown by as much and cut to whole
    /// numbers, linear between the mask's values.
    pub fn new(detection: &Detection, picture: [usize; 2]) -> Self {
        let [left, top, right, bottom] = detection.region;
        let side = detection.mask.nrows();
        let grown = (side + 2) as f32 / side as f32;
        let half = [(right - left) * 0.5 * grown, (bottom - top) * 0.5 * grown];
        let centre = [(right + left) * 0.5, (bottom + top) * 0.5];
        // Toward zero, as a cast is.
        let [low, high] = [-1.0, 1.0].map(|sign| [0, 1].map(|n: usize| (centre[n] + sign * half[n]) as i64));
        let size = [0, 1].map(|n: usize| usize::try_from(high[n] - low[n] + 1).unwrap_or(0).max(1));
        let (columns, rows) = (Taps::new(side + 2, size[0]), Taps::new(side + 2, size[1]));
        let inside = |n: usize| {
            let end = (high[n] + 1).clamp(0, picture[1 - n] as i64);
            low[n].clamp(0, end) as usize..end as usize
        };
        let (across, down) = (inside(0), inside(1));
        let bordered = |row: usize, column: usize| match (row.checked_sub(1), column.checked_sub(1)) {
            (Some(row), Some(column)) => detection.mask.get([row, column]).copied().unwrap_or(0.0),
            _ => 0.0,
        };
        let values = Array2::from_shape_fn((down.len(), across.len()), |(y, x)| {
            let place = |n: usize, at: usize| usize::try_from(at as i64 - low[n]).unwrap_or(0);
            let (above, below, v) = rows.at(place(1, down.start + y));
            let (before, after, u) = columns.at(place(0, across.start + x));
            let at = |row| (1.0 - u) * bordered(row, before) + u * bordered(row, after);
            (1.0 - v) * at(above) + v * at(below)
        });
        Self { start: [across.start, down.start], picture, values }
    }

    /// The value of a pixel.
    pub fn at(&self, column: usize, row: usize) -> f32 {
        let inside = column.checked_sub(self.start[0]).zip(row.checked_sub(self.start[1]));
        inside.and_then(|(x, y)| self.values.get([y, x])).copied().unwrap_or(0.0)
    }
}
