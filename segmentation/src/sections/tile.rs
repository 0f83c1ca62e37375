use crate::SectionsTask;
use ndarray::{Array3, Array4, ArrayView3, Axis, s};
use std::ops::Range;

/// A piece of a picture that goes through the network at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Columns and rows that the network is given.
    pub input: [Range<usize>; 2],
    /// Columns and rows whose parts count; those of all tiles cover the picture once.
    pub core: [Range<usize>; 2],
}

impl Tile {
    /// Tiles of a picture of `[width, height]` pixels, row by row. Cores have `edge` pixels a side, the first ones `first` (both
    /// in whole steps of the model, 0 for as many as the others). What is beyond the picture, up to whole steps, is part of
    /// the last ones.
    #[must_use]
    pub fn cover(task: &SectionsTask, size: [usize; 2], edge: usize, first: usize) -> Vec<Self> {
        let steps = |pixels: usize| pixels.div_ceil(task.step) * task.step;
        let edge = steps(edge.max(1));
        let [columns, rows] = size.map(|length| {
            let length = steps(length);
            let mut ends: Vec<usize> = (1..)
                .map_while(|n| {
                    let end = if first > 0 { steps(first) + (n - 1) * edge } else { n * edge };
                    (end < length).then_some(end)
                })
                .collect();
            ends.push(length);
            let starts = std::iter::once(0).chain(ends.clone());
            let cores = starts.zip(ends).map(|(start, end)| start..end);
            let around = |core: &Range<usize>| core.start.saturating_sub(task.halo)..(core.end + task.halo).min(length);
            cores.map(|core| (around(&core), core)).collect::<Vec<_>>()
        });
        let tile = |(y, own_y): &(Range<usize>, Range<usize>), (x, own_x): &(Range<usize>, Range<usize>)| Self {
            input: [x.clone(), y.clone()],
            core: [own_x.clone(), own_y.clone()],
        };
        rows.iter().flat_map(|row| columns.iter().map(move |column| tile(row, column))).collect()
    }

    /// Columns and rows of the input that lie in a picture of this size.
    #[must_use]
    pub fn inside(&self, size: [usize; 2]) -> [Range<usize>; 2] {
        [0, 1].map(|n: usize| self.input[n].start..self.input[n].end.min(size[n]))
    }

    /// Intensity twice and fluorescence `[3, y, x]`, as a Mask R-CNN takes them, of the whole input: zeros (the middle of greys) beyond the
    /// picture.
    pub(crate) fn three_channels(&self, inside: ArrayView3<f32>) -> Array3<f32> {
        let (_, rows, columns) = inside.dim();
        let mut whole = Array3::zeros((3, self.input[1].len(), self.input[0].len()));
        for (n, channel) in [0, 0, 1].into_iter().enumerate() {
            whole.slice_mut(s![n, ..rows, ..columns]).assign(&inside.index_axis(Axis(0), channel));
        }
        whole
    }

    /// Columns and rows of the core that lie in a picture of this size.
    #[must_use]
    pub fn inside_core(&self, size: [usize; 2]) -> [Range<usize>; 2] {
        [0, 1].map(|n: usize| self.core[n].start..self.core[n].end.min(size[n]))
    }

    /// `[1, channel, y, x]` of the input, of what lies inside the picture: its last rows and columns go on beyond.
    pub(crate) fn padded(&self, inside: ArrayView3<f32>) -> Array4<f32> {
        let (channels, rows, columns) = inside.dim();
        let [width, height] = [0, 1].map(|n: usize| self.input[n].len());
        let mut whole = Array4::zeros((1, channels, height, width));
        whole.slice_mut(s![0, .., ..rows, ..columns]).assign(&inside);
        for x in columns..width {
            whole.slice_mut(s![0, .., ..rows, x]).assign(&inside.slice(s![.., .., columns - 1]));
        }
        for y in rows..height {
            let (last, mut rest) = whole.multi_slice_mut((s![0, .., rows - 1, ..], s![0, .., y, ..]));
            rest.assign(&last);
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> SectionsTask {
        SectionsTask {
            stride: 4,
            unit_px: 32.0,
            step: 16,
            halo: 32,
            threshold: 0.3,
            percentiles: [[1.0, 99.0]; 2],
            least_spread: 8.0,
            tissue_length_px: [60.0, 195.0],
        }
    }

    #[test]
    fn cores_cover_every_pixel_once_and_inputs_look_as_far_as_the_network() {
        for size in [[1, 1], [16, 17], [100, 40], [333, 64]] {
            for (edge, first) in [(16, 0), (48, 0), (48, 16), (64, 32), (4096, 0)] {
                let tiles = Tile::cover(&task(), size, edge, first);
                let padded = size.map(|length: usize| length.div_ceil(16) * 16);
                let mut seen = vec![0; padded[0] * padded[1]];
                for tile in &tiles {
                    for y in tile.core[1].clone() {
                        tile.core[0].clone().for_each(|x| seen[x + padded[0] * y] += 1);
                    }
                    for n in 0..2 {
                        assert!(tile.input[n].start.is_multiple_of(16) && tile.input[n].len().is_multiple_of(16));
                        assert!(tile.input[n].start == 0 || tile.core[n].start - tile.input[n].start == 32);
                        assert!(tile.input[n].end == padded[n] || tile.input[n].end - tile.core[n].end == 32);
                        assert!(tile.inside(size)[n].end <= size[n] && !tile.inside(size)[n].is_empty());
                    }
                }
                assert!(seen.iter().all(|&count| count == 1), "{size:?} {edge} {first}");
            }
        }
    }

    #[test]
    fn the_last_row_and_column_go_on_beyond_the_picture() {
        let tile = Tile { input: [0..4, 0..3], core: [0..4, 0..3] };
        let inside = ndarray::arr3(&[[[1.0, 2.0], [3.0, 4.0]]]);
        let found = tile.padded(inside.view());
        let expected = [[1.0, 2.0, 2.0, 2.0], [3.0, 4.0, 4.0, 4.0], [3.0, 4.0, 4.0, 4.0]];
        assert_eq!(found, ndarray::arr3(&[expected]).insert_axis(ndarray::Axis(0)));
    }
}
