use crate::MaskRcnnSettings;
use ndarray::{Array4, ArrayView3, s};

/// What the detector is given of a picture.
pub(super) struct Input {
    /// `[1, 3, y, x]`, sizes in whole steps, zeros beyond the resized picture.
    pub tensor: Array4<f32>,
    /// Height and width of the resized picture.
    pub resized: [usize; 2],
}

impl Input {
    /// A picture `[3, y, x]`, resized, normalised and padded.
    pub fn new(picture: ArrayView3<f32>, settings: &MaskRcnnSettings) -> Self {
        let (channels, height, width) = picture.dim();
        let size = [height, width].map(|side| side as f64);
        let scale = (settings.min_size_px as f64 / size[0].min(size[1]))
            .min(settings.max_size_px as f64 / size[0].max(size[1]));
        // A picture that is much longer than wide keeps a row.
        let resized = size.map(|side| ((side * scale).floor() as usize).max(1));
        let padded = resized.map(|side| side.next_multiple_of(settings.size_divisible_px));
        let mut tensor = Array4::zeros((1, channels, padded[0], padded[1]));
        let rows = Taps::new(height, resized[0]);
        let columns = Taps::new(width, resized[1]);
        for (channel, values) in picture.outer_iter().enumerate() {
            let (mean, std) = (settings.mean[channel], settings.std[channel]);
            let mut target = tensor.slice_mut(s![0, channel, ..resized[0], ..resized[1]]);
            for (y, mut line) in target.outer_iter_mut().enumerate() {
                let (above, below, v) = rows.at(y);
                for (x, value) in line.iter_mut().enumerate() {
                    let (left, right, u) = columns.at(x);
                    let at = |row: usize| (1.0 - u) * values[[row, left]] + u * values[[row, right]];
                    *value = ((1.0 - v) * at(above) + v * at(below) - mean) / std;
                }
            }
        }
        Self { tensor, resized }
    }
}

/// Where an axis is looked at that is resized linearly: half a pixel is between two centres, nothing is beyond the first and last.
pub(super) struct Taps {
    from: usize,
    scale: f32,
}

impl Taps {
    pub fn new(from: usize, to: usize) -> Self {
        Self { from, scale: from as f32 / to as f32 }
    }

    /// Two positions, and the share of the second.
    pub fn at(&self, number: usize) -> (usize, usize, f32) {
        let at = (self.scale * (number as f32 + 0.5) - 0.5).max(0.0);
        let low = (at as usize).min(self.from - 1);
        (low, (low + 1).min(self.from - 1), at - low as f32)
    }
}
