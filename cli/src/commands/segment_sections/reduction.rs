/// Makes a picture smaller by a factor of 1 or more, row by row: each pixel of the result is the mean of the area it covers.
pub(super) struct Reduction {
    factor: f64,
    /// Of the source.
    size: [usize; 2],
    /// Rows of the source that came.
    row: usize,
    /// Of the result's next row.
    sum: Vec<f64>,
    weight: f64,
}

impl Reduction {
    pub fn new(size: [usize; 2], factor: f64) -> Self {
        let mut reduction = Self { factor, size, row: 0, sum: Vec::new(), weight: 0.0 };
        reduction.sum = vec![0.0; reduction.reduced()[0]];
        reduction
    }

    /// Width and height of the result; its last pixels may cover less than a whole one.
    pub fn reduced(&self) -> [usize; 2] {
        self.size.map(|length| ((length as f64 / self.factor).ceil() as usize).max(1))
    }

    /// The next row of the source; `each` is given every row of the result that is complete then.
    pub fn push(&mut self, row: &[f32], mut each: impl FnMut(&[f32])) {
        if self.factor == 1.0 {
            return each(row);
        }
        let across = self.across(row);
        let (mut top, bottom) = (self.row as f64, (self.row + 1) as f64);
        self.row += 1;
        // A row of the source is shared by at most two of the result.
        while top < bottom {
            let done = (top / self.factor).floor() as usize;
            let edge = ((done + 1) as f64 * self.factor).min(self.size[1] as f64);
            let share = bottom.min(edge) - top;
            self.sum.iter_mut().zip(&across).for_each(|(sum, value)| *sum += share * value);
            self.weight += share;
            top = bottom.min(edge);
            if top >= edge {
                let weight = self.weight;
                each(&self.sum.iter().map(|sum| (sum / weight) as f32).collect::<Vec<_>>());
                self.sum.fill(0.0);
                self.weight = 0.0;
            }
        }
    }

    /// A row made narrower.
    fn across(&self, row: &[f32]) -> Vec<f64> {
        let end = row.len() as f64;
        let pixel = |n: usize| {
            let [left, right] = [n as f64 * self.factor, ((n + 1) as f64 * self.factor).min(end)];
            let columns = left as usize..(right.ceil() as usize).min(row.len());
            let share = |column: usize| (right.min((column + 1) as f64) - left.max(column as f64)).max(0.0);
            columns.map(|column| share(column) * f64::from(row[column])).sum::<f64>() / (right - left)
        };
        (0..self.sum.len()).map(pixel).collect()
    }

    /// Where a place of the result lies in the source: both count from the middle of their first pixel.
    pub fn back(&self, place: [f64; 2]) -> [f64; 2] {
        place.map(|at| (at + 0.5) * self.factor - 0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reduced(values: &[f32], size: [usize; 2], factor: f64) -> ([usize; 2], Vec<f32>) {
        let mut reduction = Reduction::new(size, factor);
        let mut found = Vec::new();
        values.chunks(size[0]).for_each(|row| reduction.push(row, |row| found.extend_from_slice(row)));
        (reduction.reduced(), found)
    }

    #[test]
    fn a_pixel_is_the_mean_of_what_it_covers() {
        let values: Vec<f32> = (0..12).map(|n| n as f32).collect();
        // Rows 0..4, 4..8, 8..12 by blocks of 2: the last row alone.
        assert_eq!(reduced(&values, [4, 3], 2.0), ([2, 2], vec![2.5, 4.5, 8.5, 10.5]));
        assert_eq!(reduced(&values, [4, 3], 1.0), ([4, 3], values.clone()));
        // 1.5 by hand: (0 + .5 * 1) / 1.5, (.5 * 1 + 2) / 1.5, 3.
        let (size, found) = reduced(&[0.0, 1.0, 2.0, 3.0], [4, 1], 1.5);
        assert_eq!(size, [3, 1]);
        for (found, expected) in found.iter().zip([1.0 / 3.0, 5.0 / 3.0, 3.0]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        assert_eq!(reduced(&values, [4, 3], 100.0), ([1, 1], vec![5.5]));
    }

    #[test]
    fn every_row_comes_out_whatever_the_factor() {
        for factor in [1.1, 1.9, 2.7, 3.0, 3.3333, 7.0] {
            for height in 1..40 {
                let (size, found) = reduced(&vec![2.0; 3 * height], [3, height], factor);
                assert_eq!(found.len(), size[0] * size[1], "{factor} {height}");
                assert!(found.iter().all(|value| (value - 2.0).abs() < 1e-6));
            }
        }
    }

    #[test]
    fn places_come_back_to_the_middle_of_the_block() {
        assert_eq!(Reduction::new([9, 9], 3.0).back([0.0, 2.0]), [1.0, 7.0]);
    }
}
