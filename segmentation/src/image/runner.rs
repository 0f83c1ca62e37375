use super::field::Field;
use super::intensity::Intensity;
use super::layout::Layout;
use super::slab::Slab;
use super::windows::Windows;
use crate::backend::Backend;
use crate::manifest::{Activation, ImageTask};
use crate::{Error, Result};
use brainmesh_core::{Monitor, Uncounted};
use ndarray::{Array1, ArrayD, ArrayView4, ArrayViewD, ArrayViewMut2, Axis, Zip};
use rayon::prelude::*;
use std::borrow::Cow;

/// A finished row of a plane.
pub(super) struct Row<'a> {
    /// Sums `[class, row, column]` of the plane.
    pub sums: &'a [f32],
    /// Voxels of the plane.
    pub area: usize,
    /// Its first voxel.
    pub start: usize,
    /// Weight of all windows at each voxel.
    pub totals: Cow<'a, [f32]>,
}

impl Row<'_> {
    pub fn class(&self, class: usize) -> &[f32] {
        let start = class * self.area + self.start;
        &self.sums[start..start + self.totals.len()]
    }
}

/// What the voxels of a finished row become.
pub(super) type Finish<'a, T> = dyn Fn(&Row, &mut [T]) + Sync + 'a;

/// Gives the rows of a finished plane.
type Rows<'a> = dyn Fn(usize) -> Row<'a> + Sync + 'a;

pub(super) struct Runner<'a> {
    pub backend: &'a mut Backend,
    pub task: &'a ImageTask,
    pub field: Field<'a>,
    pub intensity: Intensity,
    pub layout: Layout,
    pub monitor: &'a dyn Monitor,
    /// Probabilities of a window of zeros, once one was met: much of a stripped head is empty.
    pub empty: Option<ArrayD<f32>>,
}

impl Runner<'_> {
    /// One value a voxel of the network's grid, x fastest.
    pub fn run<T: Copy + Default + Send>(&mut self, shape: [usize; 3], finish: &Finish<T>) -> Result<Vec<T>> {
        let strides = [1, shape[0], shape[0] * shape[1]];
        let plane = self.layout.plane();
        let [across, row, column] = self.layout.axes.map(|axis| strides[axis]);
        let mut values = vec![T::default(); shape.iter().product()];
        self.planes(&mut |z, rows| {
            let mut finished = vec![T::default(); plane[0] * plane[1]];
            finished.par_chunks_mut(plane[1]).enumerate().for_each(|(y, line)| finish(&rows(y), line));
            for (y, line) in finished.chunks_exact(plane[1]).enumerate() {
                for (x, &value) in line.iter().enumerate() {
                    values[z * across + y * row + x * column] = value;
                }
            }
        })?;
        Ok(values)
    }

    /// Adds the probabilities to `sums` `[class, voxel]` of the network's grid, x fastest.
    pub fn add_to(&mut self, sums: &mut [f32], shape: [usize; 3]) -> Result<()> {
        let strides = [1, shape[0], shape[0] * shape[1]];
        let plane = self.layout.plane();
        let [across, row, column] = self.layout.axes.map(|axis| strides[axis]);
        self.planes(&mut |z, rows| {
            sums.par_chunks_mut(shape.iter().product()).enumerate().for_each(|(class, sums)| {
                for y in 0..plane[0] {
                    let line = rows(y);
                    for (x, (&sum, &total)) in line.class(class).iter().zip(&*line.totals).enumerate() {
                        sums[z * across + y * row + x * column] += sum / total;
                    }
                }
            });
        })
    }

    /// Shows `each` every finished plane: its number, and what gives its rows.
    fn planes(&mut self, each: &mut dyn FnMut(usize, &Rows)) -> Result<()> {
        let windows = self.layout.windows.clone();
        let plane = self.layout.plane();
        let mut slab = Slab::new(self.task.classes.len(), plane, windows[0].size);
        let totals = [0, 1, 2].map(|n: usize| windows[n].totals());
        for (n, &start) in windows[0].starts.iter().enumerate() {
            for &start_row in &windows[1].starts {
                for &start_column in &windows[2].starts {
                    self.monitor.check()?;
                    self.window([start, start_row, start_column], &windows, &mut slab)?;
                    self.monitor.advance(1);
                }
            }
            let end = windows[0].starts.get(n + 1).copied().unwrap_or(windows[0].length);
            for z in start..end.min(windows[0].length) {
                slab.take(z, |sums| {
                    let row = |y: usize| {
                        let totals = totals[2].iter().map(|x| totals[0][z] * totals[1][y] * x).collect();
                        Row { sums, area: plane[0] * plane[1], start: y * plane[1], totals: Cow::Owned(totals) }
                    };
                    each(z, &row);
                });
            }
        }
        Ok(())
    }

    /// Runs the network on a window, and its mirror images, and adds the result to the slab.
    fn window(&mut self, corner: [usize; 3], windows: &[Windows; 3], slab: &mut Slab) -> Result<()> {
        let input = self.input(corner, windows);
        let mirrored = 1_usize << self.task.flips.len();
        // Axes of the tensor, which begin with batch and channel.
        let flips = |mirror: usize| {
            self.task
                .flips
                .iter()
                .enumerate()
                .filter(move |(n, _)| mirror >> n & 1 == 1)
                .map(|(_, &axis)| Axis(axis + 2))
        };
        for mirror in 0..mirrored {
            self.monitor.check()?;
            let mut view = input.view();
            flips(mirror).for_each(|axis| view.invert_axis(axis));
            // Zeros look the same from every side.
            let is_empty = input.iter().all(|&value| value == 0.0);
            let known = self.empty.clone().filter(|_| is_empty);
            let mut output = match known {
                Some(output) => output,
                None => self.probabilities(view)?,
            };
            if is_empty && self.empty.is_none() {
                self.empty = Some(output.clone());
            }
            flips(mirror).for_each(|axis| output.invert_axis(axis));
            // To [class, across, row, column].
            let mut result = output.view();
            if self.task.axes.len() == 2 {
                result = result.insert_axis(Axis(2));
            }
            let place = |axis: usize| 2 + self.layout.order.iter().position(|&known| known == axis).unwrap_or(0);
            let [across, row, column] = self.layout.axes.map(place);
            let result = result.permuted_axes(vec![0, 1, across, row, column]).index_axis_move(Axis(0), 0);
            let result: ArrayView4<f32> = result
                .into_dimensionality()
                .map_err(|error| Error::Shape { expected: "[class, z, y, x]".into(), found: error.to_string() })?;
            slab.add(result, corner, windows, 1.0 / mirrored as f32);
        }
        Ok(())
    }

    /// Of a tensor `[1, channel, ..]`.
    fn probabilities(&mut self, input: ArrayViewD<f32>) -> Result<ArrayD<f32>> {
        let mut output = self.backend.run(input.as_standard_layout().view(), &Uncounted(self.monitor))?;
        let mut expected = input.shape().to_vec();
        expected[1] = self.task.classes.len();
        if output.shape() != expected {
            let (expected, found) = (format!("{expected:?}"), format!("{:?}", output.shape()));
            return Err(Error::Shape { expected, found });
        }
        activate(self.task.activation, &mut output);
        if output.iter().any(|value| !value.is_finite()) {
            return Err(Error::Output { expected: "finite numbers".into(), found: "others".into() });
        }
        Ok(output)
    }

    /// `[1, channel, axes of the tensor]`; zeros beyond the volume.
    fn input(&self, corner: [usize; 3], windows: &[Windows; 3]) -> ArrayD<f32> {
        let mut ranges = [const { 0..0 }; 3];
        let mut sizes = [0; 3];
        for (n, &axis) in self.layout.axes.iter().enumerate() {
            sizes[axis] = windows[n].size;
            ranges[axis] = corner[n]..(corner[n] + windows[n].size).min(windows[n].length);
        }
        let order = self.layout.order;
        let is_whole = (0..3).all(|axis| ranges[axis].len() == sizes[axis]);
        let [a, b, c] = order.map(|axis| sizes[axis]);
        let mut shape = vec![1, self.field.channels(), a, b, c];
        if self.task.axes.len() == 2 {
            shape.remove(2);
        }
        let inside = order.map(|axis| ranges[axis].len());
        let parts: Vec<Vec<f32>> = (0..self.field.channels())
            .map(|channel| {
                // Planes of the slowest axis in parallel.
                let mut values = vec![0.0; inside.iter().product()];
                let first = ranges[order[0]].start;
                values.par_chunks_mut(inside[1] * inside[2]).enumerate().for_each(|(n, plane)| {
                    let mut part = ranges.clone();
                    part[order[0]] = first + n..first + n + 1;
                    let map = |slice, value| self.intensity.apply(channel, slice, value);
                    self.field.fill(channel, &part, order, plane, map);
                });
                values
            })
            .collect();
        let mut tensor = ndarray::Array4::<f32>::zeros((parts.len(), a, b, c));
        for (mut target, values) in tensor.outer_iter_mut().zip(parts) {
            let mut target = target.slice_mut(ndarray::s![..inside[0], ..inside[1], ..inside[2]]);
            if is_whole {
                for (value, source) in target.iter_mut().zip(values) {
                    *value = source;
                }
            } else if let Ok(values) = ndarray::Array3::from_shape_vec(inside, values) {
                target.assign(&values);
            }
        }
        let dynamic = tensor.into_dyn();
        // The same numbers in the same order.
        dynamic.into_shape_with_order(shape).unwrap_or_default()
    }
}

/// Makes probabilities of `[batch, class, ..]`, in parallel; the network's own softmax over channels is often slower than
/// all the rest of it.
pub(super) fn activate(activation: Activation, output: &mut ArrayD<f32>) {
    /// Voxels at a time: all classes of them stay in the cache.
    const VOXELS: usize = 1024;
    if activation == Activation::None {
        return;
    }
    if !output.is_standard_layout() {
        *output = output.as_standard_layout().into_owned();
    }
    let (classes, item) = (output.shape()[1], output.shape()[1..].iter().product::<usize>());
    let values = output.as_slice_mut().unwrap_or_default();
    for item in values.chunks_exact_mut(item.max(1)) {
        let voxels = item.len() / classes;
        // Cannot fail: an item is that many numbers.
        let Ok(mut item) = ArrayViewMut2::from_shape((classes, voxels), item) else { continue };
        let parts: Vec<_> = item.axis_chunks_iter_mut(Axis(1), VOXELS).collect();
        parts.into_par_iter().for_each(|mut part| match activation {
            Activation::None => {}
            Activation::Sigmoid => part.mapv_inplace(|value| 1.0 / (1.0 + (-value).exp())),
            Activation::Softmax => softmax(&mut part),
        });
    }
}

/// Over the rows of `[class, voxel]`.
fn softmax(part: &mut ArrayViewMut2<f32>) {
    let most = part.fold_axis(Axis(0), f32::NEG_INFINITY, |&a, &b| a.max(b));
    let mut sum = Array1::<f32>::zeros(most.len());
    for mut class in part.outer_iter_mut() {
        Zip::from(&mut class).and(&mut sum).and(&most).for_each(|value, sum, &most| {
            *value = (*value - most).exp();
            *sum += *value;
        });
    }
    for mut class in part.outer_iter_mut() {
        class /= &sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_are_what_they_are_defined_as_in_any_layout() {
        let scores =
            ArrayD::from_shape_fn(vec![2, 3, 41, 37], |at| ((at[0] * 7 + at[1] * 5 + at[2] * at[3]) % 13) as f32);
        let turned = || {
            // The same numbers, laid out with the classes last.
            let there = scores.view().permuted_axes(vec![0, 2, 3, 1]).as_standard_layout().into_owned();
            there.permuted_axes(vec![0, 3, 1, 2])
        };
        for mut found in [scores.clone(), turned()] {
            activate(Activation::Softmax, &mut found);
            for (at, &value) in found.indexed_iter() {
                let exp = |class: usize| f64::from(scores[[at[0], class, at[2], at[3]]]).exp();
                assert!((f64::from(value) - exp(at[1]) / (exp(0) + exp(1) + exp(2))).abs() < 1e-6);
            }
        }
        let mut found = turned();
        activate(Activation::Sigmoid, &mut found);
        for (at, &value) in found.indexed_iter() {
            assert!((f64::from(value) - 1.0 / (1.0 + (-f64::from(scores[at])).exp())).abs() < 1e-6);
        }
    }
}
