use super::windows::Windows;
use ndarray::{ArrayView4, Axis};
use rayon::prelude::*;

/// Sums of weighted probabilities where windows overlap: as many planes across one axis as a window is thick. A plane
/// is taken out when no later window reaches it, and its place used again.
pub(crate) struct Slab {
    /// `[plane, class, row, column]`; plane `n` of the volume stands at `n % thickness`.
    sums: Vec<f32>,
    classes: usize,
    /// Rows and columns of a plane.
    plane: [usize; 2],
    thickness: usize,
}

/// Where a window lies: its start along the slab's axis, rows and columns.
pub(crate) type Corner = [usize; 3];

impl Slab {
    pub fn new(classes: usize, plane: [usize; 2], thickness: usize) -> Self {
        Self { sums: vec![0.0; thickness * classes * plane[0] * plane[1]], classes, plane, thickness }
    }

    /// Bytes of one.
    pub fn bytes(classes: usize, plane: [usize; 2], thickness: usize) -> u64 {
        [classes, plane[0], plane[1], thickness, size_of::<f32>()].iter().map(|&n| n as u64).product()
    }

    /// Adds a window's result `[class, across, row, column]` at `corner`, times its weights.
    pub fn add(&mut self, window: ArrayView4<f32>, corner: Corner, windows: &[Windows; 3], factor: f32) {
        let [across, rows, columns] = [0, 1, 2].map(|n: usize| {
            let mut weights = windows[n].weights(corner[n]);
            weights.truncate(windows[n].length - corner[n]);
            weights
        });
        let (thickness, width, area) = (self.thickness, self.plane[1], self.plane[0] * self.plane[1]);
        self.sums.par_chunks_mut(self.classes * area).enumerate().for_each(|(place, plane)| {
            // The plane of this window that stands here.
            let n = (place + thickness - corner[0] % thickness) % thickness;
            let Some(&weight) = across.get(n) else { return };
            let window = window.index_axis(Axis(1), n);
            for (sums, class) in plane.chunks_exact_mut(area).zip(window.outer_iter()) {
                for ((row, values), &row_weight) in class.outer_iter().enumerate().zip(&rows) {
                    let start = (corner[1] + row) * width + corner[2];
                    let weight = weight * row_weight * factor;
                    let sums = &mut sums[start..start + columns.len()];
                    for ((sum, &value), &column_weight) in sums.iter_mut().zip(values).zip(&columns) {
                        *sum += value * (weight * column_weight);
                    }
                }
            }
        });
    }

    /// The sums `[class, row, column]` of plane `n`, which is then empty again for the plane that comes to its place.
    pub fn take<T>(&mut self, n: usize, read: impl FnOnce(&[f32]) -> T) -> T {
        let length = self.classes * self.plane[0] * self.plane[1];
        let place = n % self.thickness * length;
        let sums = &mut self.sums[place..place + length];
        let result = read(sums);
        sums.fill(0.0);
        result
    }
}
