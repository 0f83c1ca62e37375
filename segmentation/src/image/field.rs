use super::placement::{Placement, Tap, sample};
use crate::manifest::Interpolation;
use brainmesh_core::Volume;
use std::ops::Range;

/// Intensities on a network's grid, made where they are asked for.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    /// One a channel, all on one grid.
    volumes: &'a [Volume<f32>],
    placement: &'a Placement,
    interpolation: Interpolation,
    /// Model axis (0 is x) that slices are taken across.
    slice_axis: usize,
}

impl<'a> Field<'a> {
    pub fn new(
        volumes: &'a [Volume<f32>],
        placement: &'a Placement,
        interpolation: Interpolation,
        slice_axis: usize,
    ) -> Self {
        Self { volumes, placement, interpolation, slice_axis }
    }

    pub fn channels(&self) -> usize {
        self.volumes.len()
    }

    pub fn slices(&self) -> usize {
        self.placement.model_shape()[self.slice_axis]
    }

    /// All values of a slice, in no particular order.
    pub fn slice(&self, channel: usize, slice: usize) -> Vec<f32> {
        let mut ranges = self.placement.model_shape().map(|length| 0..length);
        ranges[self.slice_axis] = slice..slice + 1;
        let mut values = vec![0.0; ranges.iter().map(Range::len).product()];
        self.fill(channel, &ranges, [2, 1, 0], &mut values, |_, value| value);
        values
    }

    /// Writes the part `ranges` (along x, y, z) of a channel to `values`, with model axis `order[2]` fastest. `map` gets
    /// the slice and the intensity; what is no finite number counts as 0.
    pub fn fill(
        &self,
        channel: usize,
        ranges: &[Range<usize>; 3],
        order: [usize; 3],
        values: &mut [f32],
        map: impl Fn(usize, f32) -> f32,
    ) {
        let data = self.volumes[channel].data();
        let taps = [0, 1, 2].map(|n: usize| self.placement.taps(n, ranges[n].clone(), self.interpolation));
        let [outer, middle, inner] = order;
        let (mut chosen, mut voxel): ([Tap; 3], [usize; 3]) = ([taps[0][0], taps[1][0], taps[2][0]], [0; 3]);
        let mut rows = values.chunks_exact_mut(ranges[inner].len());
        for (a, &tap) in taps[outer].iter().enumerate() {
            (chosen[outer], voxel[outer]) = (tap, a);
            for (b, &tap) in taps[middle].iter().enumerate() {
                (chosen[middle], voxel[middle]) = (tap, b);
                let Some(row) = rows.next() else { return };
                for (c, (value, &tap)) in row.iter_mut().zip(&taps[inner]).enumerate() {
                    (chosen[inner], voxel[inner]) = (tap, c);
                    let intensity = sample(data, chosen);
                    let slice = ranges[self.slice_axis].start + voxel[self.slice_axis];
                    *value = map(slice, if intensity.is_finite() { intensity } else { 0.0 });
                }
            }
        }
    }
}
