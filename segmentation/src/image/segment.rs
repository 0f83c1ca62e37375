use super::components::{fill_holes, keep_largest};
use super::field::Field;
use super::intensity::Intensity;
use super::locate::locate;
use super::placement::{Placement, sample, vote};
use super::slab::Slab;
use super::windows::Windows;
use crate::backend::Backend;
use crate::manifest::{Activation, ImageOutput, ImageTask, Interpolation};
use crate::{Error, Result};
use brainmesh_core::{Grid, Monitor, Stage, Volume};
use ndarray::{ArrayD, ArrayView4, ArrayViewMutD, Axis};
use rayon::prelude::*;

/// What was made of a volume.
#[derive(Debug, Clone, PartialEq)]
pub enum Segmentation {
    /// Labels up to 255.
    Labels(Volume<u8>),
    /// Labels beyond 255.
    WideLabels(Volume<u16>),
    /// The probability of one class.
    Probability(Volume<f32>),
}

/// A segmentation and what is to be known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Segmented {
    /// On the grid of the input.
    pub segmentation: Segmentation,
    /// For people.
    pub notes: Vec<String>,
}

/// The model axes a network's windows move along: across the slab, then the rows and columns of its planes.
struct Layout {
    /// For each of them the model axis (0 is x).
    axes: [usize; 3],
    /// Model axes in the order of the tensor, with the axis of slices first for networks of two axes.
    order: [usize; 3],
    /// In the order of `axes`.
    windows: [Windows; 3],
}

impl Layout {
    fn new(task: &ImageTask, shape: [usize; 3]) -> Self {
        let mut order: Vec<usize> = task.axes.iter().map(|axis| axis.axis).collect();
        if order.len() == 2 {
            order.insert(0, slice_axis(task, shape));
        }
        let order = [order[0], order[1], order[2]];
        let across = slice_axis(task, shape);
        let mut rest = order.into_iter().filter(|&axis| axis != across);
        let axes = [across, rest.next().unwrap_or(across), rest.next().unwrap_or(across)];
        let windows = axes.map(|axis| {
            let position = task.axes.iter().position(|known| known.axis == axis);
            position.map_or_else(
                || Windows::slices(shape[axis]),
                |n| Windows::new(shape[axis], task.window[n], task.axes[n].size, task.axes[n].halo, task.overlap),
            )
        });
        Self { axes, order, windows }
    }

    fn plane(&self) -> [usize; 2] {
        [self.windows[1].length, self.windows[2].length]
    }
}

/// The axis that slabs are taken across: that of slices, or else the longest, so that a slab is small.
pub(super) fn slice_axis(task: &ImageTask, shape: [usize; 3]) -> usize {
    let across = (0..3).rev().find(|&axis| task.axes.iter().all(|known| known.axis != axis));
    across.unwrap_or_else(|| (0..3).max_by_key(|&axis| (shape[axis], axis)).unwrap_or(2))
}

/// Bytes of the slab for a volume, and of a window's input and output.
pub(super) fn working_bytes(task: &ImageTask, shape: [usize; 3]) -> (u64, u64) {
    let layout = Layout::new(task, shape);
    let window: u64 = layout.windows.iter().map(|windows| windows.size as u64).product();
    let channels = (task.channels.len() + task.classes.len()) as u64;
    (Slab::bytes(task.classes.len(), layout.plane(), layout.windows[0].size), window * channels * 4)
}

/// Segments a volume, one `Volume` a channel.
///
/// # Errors
/// [`Error::Input`] for channels that do not fit, what the network's engine reports, cancelled.
pub(crate) fn segment(
    backend: &mut Backend,
    locator: Option<&mut Backend>,
    task: &ImageTask,
    volumes: &[Volume<f32>],
    monitor: &dyn Monitor,
) -> Result<Segmented> {
    let grid = check(task, volumes)?;
    let mut notes = Vec::new();
    let damaged: usize = volumes.iter().map(|v| v.data().par_iter().filter(|value| !value.is_finite()).count()).sum();
    if damaged > 0 {
        notes.push(format!("{damaged} voxels are no finite numbers; they count as 0."));
    }

    let mut located = None;
    if let (Some(locator), Some(backend)) = (&task.locator, locator) {
        located = Some(locate(backend, locator, task, volumes, monitor)?);
    }
    let region = located.as_ref().map(|located| &located.region);
    let placement = Placement::new(grid, task, region)?;
    let shape = placement.model_shape();
    let across = slice_axis(task, shape);
    let field = Field::new(volumes, &placement, task.interpolation, across);
    let whole_placement = located.as_ref().map_or(&placement, |located| &located.placement);
    let whole = Field::new(volumes, whole_placement, task.interpolation, across);
    let intensity = Intensity::measure(task, &field, &whole, monitor)?;
    if let Some(region) = region {
        let [x, y, z] = region.clone().map(|range| format!("{}..{}", range.start, range.end));
        notes.push(format!("Looked at voxels {x}, {y}, {z} (x, y, z of the model's orientation)."));
    }

    let layout = Layout::new(task, shape);
    let mut runner = Runner { backend, task, field, intensity, layout, monitor };
    let segmentation = match task.output {
        ImageOutput::Labels { threshold } => {
            let choose = |row: &Row, labels: &mut [u8]| choose(task, threshold, row, labels);
            let classes = runner.run(shape, &choose)?;
            let mut classes = back(grid, &placement, task.interpolation, classes, vote);
            // Nothing lies at 0; the classes follow.
            let mut values = vec![0];
            values.extend(&task.values);
            let is_tissue: Vec<bool> = values.iter().map(|&value| value != 0).collect();
            if task.largest_component {
                keep_largest(&mut classes, grid.shape(), |class| is_tissue[usize::from(class)]);
            }
            if task.fill_holes {
                fill_holes(&mut classes, grid.shape(), |class| is_tissue[usize::from(class)]);
            }
            labels(grid, classes, &values)?
        }
        ImageOutput::Probability { class } => {
            let probability = |row: &Row, values: &mut [f32]| {
                for ((value, &sum), &total) in values.iter_mut().zip(row.class(class)).zip(row.totals) {
                    *value = sum / total;
                }
            };
            let values = runner.run(shape, &probability)?;
            Segmentation::Probability(Volume::new(
                grid.clone(),
                back(grid, &placement, task.interpolation, values, sample),
            )?)
        }
    };
    Ok(Segmented { segmentation, notes })
}

fn check<'a>(task: &ImageTask, volumes: &'a [Volume<f32>]) -> Result<&'a Grid> {
    let wrong = |field, expected: String, found: String| Error::Input { field, expected, found };
    let [first, others @ ..] = volumes else {
        return Err(wrong("channels", task.channels.len().to_string(), "none".into()));
    };
    if volumes.len() != task.channels.len() {
        let expected = format!("{} ({})", task.channels.len(), task.channels.join(", "));
        return Err(wrong("channels", expected, volumes.len().to_string()));
    }
    if others.iter().any(|other| other.grid() != first.grid()) {
        return Err(wrong("channels", "one grid for all".into(), "several".into()));
    }
    if first.data().is_empty() {
        return Err(wrong("volume", "at least one voxel".into(), format!("{:?}", first.grid().shape())));
    }
    Ok(first.grid())
}

/// A finished row of a plane.
struct Row<'a> {
    /// Sums `[class, row, column]` of the plane.
    sums: &'a [f32],
    /// Voxels of the plane.
    area: usize,
    /// Its first voxel.
    start: usize,
    /// Weight of all windows at each voxel.
    totals: &'a [f32],
}

impl Row<'_> {
    fn class(&self, class: usize) -> &[f32] {
        let start = class * self.area + self.start;
        &self.sums[start..start + self.totals.len()]
    }
}

/// Position among the classes of each voxel, from 1; 0 for nothing.
fn choose(task: &ImageTask, threshold: Option<f32>, row: &Row, labels: &mut [u8]) {
    let mut most = row.class(0).to_vec();
    labels.fill(1);
    for class in 1..task.classes.len() {
        for ((label, most), &sum) in labels.iter_mut().zip(&mut most).zip(row.class(class)) {
            if sum > *most {
                (*label, *most) = (class as u8 + 1, sum);
            }
        }
    }
    // Classes that do not exclude one another (and one that stands alone) are compared with what lies between yes and no.
    let Some(threshold) = threshold.or((!task.has_background()).then_some(0.5)) else { return };
    for ((label, &most), &total) in labels.iter_mut().zip(&most).zip(row.totals) {
        if task.values[usize::from(*label) - 1] != 0 && most <= threshold * total {
            *label = 0;
        }
    }
}

fn labels(grid: &Grid, mut classes: Vec<u8>, values: &[i32]) -> Result<Segmentation> {
    let narrow: Option<Vec<u8>> = values.iter().map(|&value| u8::try_from(value).ok()).collect();
    Ok(match narrow {
        Some(values) => {
            classes.par_iter_mut().for_each(|class| *class = values[usize::from(*class)]);
            Segmentation::Labels(Volume::new(grid.clone(), classes)?)
        }
        None => {
            let wide = classes.par_iter().map(|&class| values[usize::from(class)] as u16).collect();
            Segmentation::WideLabels(Volume::new(grid.clone(), wide)?)
        }
    })
}

/// From the network's grid to that of the volume; what it did not see is 0.
fn back<T: Copy + Default + Send + Sync>(
    grid: &Grid,
    placement: &Placement,
    interpolation: Interpolation,
    values: Vec<T>,
    pick: impl Fn(&[T], [super::placement::Tap; 3]) -> T + Sync,
) -> Vec<T> {
    if placement.is_identity() {
        return values;
    }
    let taps = [0, 1, 2].map(|n: usize| placement.taps_back(n, interpolation));
    let [ni, nj, _] = grid.shape();
    let mut result = vec![T::default(); grid.voxel_count()];
    result.par_chunks_mut(ni * nj).zip(&taps[2]).for_each(|(slice, &z)| {
        let Some(z) = z else { return };
        for (row, &y) in slice.chunks_exact_mut(ni).zip(&taps[1]) {
            let Some(y) = y else { continue };
            for (value, &x) in row.iter_mut().zip(&taps[0]) {
                if let Some(x) = x {
                    *value = pick(&values, [x, y, z]);
                }
            }
        }
    });
    result
}

/// What the voxels of a finished row become.
type Finish<'a, T> = dyn Fn(&Row, &mut [T]) + Sync + 'a;

struct Runner<'a> {
    backend: &'a mut Backend,
    task: &'a ImageTask,
    field: Field<'a>,
    intensity: Intensity,
    layout: Layout,
    monitor: &'a dyn Monitor,
}

impl Runner<'_> {
    /// One value a voxel of the network's grid, x fastest.
    fn run<T: Copy + Default + Send>(&mut self, shape: [usize; 3], finish: &Finish<T>) -> Result<Vec<T>> {
        let windows = self.layout.windows.clone();
        let plane = self.layout.plane();
        let mut slab = Slab::new(self.task.classes.len(), plane, windows[0].size);
        let totals = [0, 1, 2].map(|n: usize| windows[n].totals());
        let strides = [1, shape[0], shape[0] * shape[1]];
        let [across, row, column] = self.layout.axes.map(|axis| strides[axis]);
        let mut values = vec![T::default(); shape.iter().product()];
        self.monitor.stage("segment", windows.iter().map(|windows| windows.starts.len() as u64).product());
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
                let mut finished = vec![T::default(); plane[0] * plane[1]];
                slab.take(z, |sums| {
                    finished.par_chunks_mut(plane[1]).enumerate().for_each(|(y, line)| {
                        let totals: Vec<f32> = totals[2].iter().map(|x| totals[0][z] * totals[1][y] * x).collect();
                        let row = Row { sums, area: plane[0] * plane[1], start: y * plane[1], totals: &totals };
                        finish(&row, line);
                    });
                });
                for (y, line) in finished.chunks_exact(plane[1]).enumerate() {
                    for (x, &value) in line.iter().enumerate() {
                        values[z * across + y * row + x * column] = value;
                    }
                }
            }
        }
        Ok(values)
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
            let mut output = self.backend.run(view.as_standard_layout().view(), &Stage(self.monitor))?;
            let mut expected = input.shape().to_vec();
            expected[1] = self.task.classes.len();
            if output.shape() != expected {
                let (expected, found) = (format!("{expected:?}"), format!("{:?}", output.shape()));
                return Err(Error::Shape { expected, found });
            }
            activate(self.task.activation, output.view_mut());
            if output.iter().any(|value| !value.is_finite()) {
                return Err(Error::Output { expected: "finite numbers".into(), found: "others".into() });
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

/// Makes probabilities of `[batch, class, ..]`.
pub(super) fn activate(activation: Activation, mut output: ArrayViewMutD<f32>) {
    match activation {
        Activation::None => {}
        Activation::Sigmoid => output.mapv_inplace(|value| 1.0 / (1.0 + (-value).exp())),
        Activation::Softmax => {
            for mut item in output.outer_iter_mut() {
                let most = item.fold_axis(Axis(0), f32::NEG_INFINITY, |&a, &b| a.max(b));
                let mut sum = ndarray::ArrayD::<f32>::zeros(most.raw_dim());
                for mut class in item.outer_iter_mut() {
                    ndarray::Zip::from(&mut class).and(&mut sum).and(&most).for_each(|value, sum, &most| {
                        *value = (*value - most).exp();
                        *sum += *value;
                    });
                }
                for mut class in item.outer_iter_mut() {
                    class /= &sum;
                }
            }
        }
    }
}
