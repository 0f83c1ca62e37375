use super::NearCentre;
use super::components::{fill_holes, keep_largest};
use super::field::Field;
use super::intensity::Intensity;
use super::layout::{Layout, slice_axis};
use super::locate::locate;
use super::placement::{Placement, Tap, sample, vote};
use super::refine::refine;
use super::runner::{Row, Runner};
use super::views::{Sums, tissue_box};
use crate::backend::Backend;
use crate::manifest::{ImageOutput, ImageTask, Interpolation};
use crate::{Error, Result};
use brainmesh_core::{Grid, Monitor, Volume};
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
    /// The probability of each class, where that was asked for.
    pub probabilities: Vec<Volume<f32>>,
    /// For people.
    pub notes: Vec<String>,
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
    with_probabilities: bool,
    monitor: &dyn Monitor,
) -> Result<Segmented> {
    let grid = check(task, volumes)?;
    let mut notes = Vec::new();
    let damaged: usize = volumes.iter().map(|v| v.data().par_iter().filter(|value| !value.is_finite()).count()).sum();
    if damaged > 0 {
        notes.push(format!("{damaged} voxels are no finite numbers; they count as 0."));
    }
    if task.locator.is_none() && (with_probabilities || !task.views.is_empty() || task.refine.is_some()) {
        return segment_whole(backend, task, volumes, with_probabilities, notes, monitor);
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
    monitor.stage("segment", layout.window_count());
    let mut runner = Runner { backend, task, field, intensity, layout, monitor, empty: None };
    let segmentation = match (task.output, task.near_centre) {
        (ImageOutput::Labels { threshold }, Some(near)) => {
            let values = runner.run(shape, &|row: &Row, values: &mut [f32]| share(row, 0, values))?;
            let values = back(grid, &placement, task.interpolation, values, sample);
            let classes = part_of_slices(near, &values, grid.shape(), placement.axis_of(across), threshold);
            labels(task, grid, classes)?
        }
        (ImageOutput::Labels { threshold }, None) => {
            let choose = |row: &Row, labels: &mut [u8]| choose(task, threshold, row, labels);
            let classes = runner.run(shape, &choose)?;
            labels(task, grid, back(grid, &placement, task.interpolation, classes, vote))?
        }
        (ImageOutput::Probability { class }, _) => {
            let probability = |row: &Row, values: &mut [f32]| share(row, class, values);
            let values = runner.run(shape, &probability)?;
            Segmentation::Probability(Volume::new(
                grid.clone(),
                back(grid, &placement, task.interpolation, values, sample),
            )?)
        }
    };
    Ok(Segmented { segmentation, probabilities: Vec::new(), notes })
}

/// Where the probabilities of all classes are wanted or come from several views: they are kept for the whole volume.
fn segment_whole(
    backend: &mut Backend,
    task: &ImageTask,
    volumes: &[Volume<f32>],
    with_probabilities: bool,
    mut notes: Vec<String>,
    monitor: &dyn Monitor,
) -> Result<Segmented> {
    let grid = volumes[0].grid();
    let whole = Placement::new(grid, task, None)?;
    // Around a stripped head lies nothing to look at.
    let region = if task.nonzero && volumes.len() == 1 { tissue_box(&volumes[0], &whole) } else { None };
    let placement = Placement::new(grid, task, region.as_ref())?;
    let mut sums = Sums::run(backend, task, volumes, &placement, monitor)?;
    if let Some(settings) = &task.refine {
        let field = Field::new(volumes, &placement, task.interpolation, 2);
        if !refine(&mut sums, &field, placement.model_shape(), settings, monitor)? {
            notes.push(
                "Too little was found of some class to measure its intensities: boundaries are the network's.".into(),
            );
        }
    }
    let sums = sums;
    let probability = |class: usize| {
        let each = |row: &Row, values: &mut [f32]| share(row, class, values);
        // Where it did not look there is nothing.
        let outside = if class == 0 && task.has_background() { 1.0 } else { 0.0 };
        Ok(Volume::new(grid.clone(), sums.finish(grid, &placement, task, outside, &each))?)
    };
    let segmentation = match task.output {
        ImageOutput::Labels { threshold } => {
            let choose = |row: &Row, labels: &mut [u8]| choose(task, threshold, row, labels);
            labels(task, grid, sums.finish(grid, &placement, task, 0, &choose))?
        }
        ImageOutput::Probability { class } => Segmentation::Probability(probability(class)?),
    };
    let classes = if with_probabilities { 0..task.classes.len() } else { 0..0 };
    let probabilities = classes.map(probability).collect::<Result<_>>()?;
    Ok(Segmented { segmentation, probabilities, notes })
}

/// Of one class among all.
fn share(row: &Row, class: usize, values: &mut [f32]) {
    for ((value, &sum), &total) in values.iter_mut().zip(row.class(class)).zip(&*row.totals) {
        *value = sum / total;
    }
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

/// 1 in the part of each slice across `axis` that stays, 0 elsewhere.
fn part_of_slices(
    near: NearCentre,
    probability: &[f32],
    shape: [usize; 3],
    axis: usize,
    threshold: Option<f32>,
) -> Vec<u8> {
    let stride = [1, shape[0], shape[0] * shape[1]];
    let [a, b] = [[1, 2], [0, 2], [0, 1]][axis.min(2)];
    let mut classes = vec![0; probability.len()];
    for slice in 0..shape[axis] {
        let at: Vec<usize> = (0..shape[b])
            .flat_map(|y| (0..shape[a]).map(move |x| slice * stride[axis] + y * stride[b] + x * stride[a]))
            .collect();
        let values: Vec<f32> = at.iter().map(|&voxel| probability[voxel]).collect();
        let part = near.part(&values, shape[a], threshold.unwrap_or(0.5));
        at.iter().zip(part).for_each(|(&voxel, belongs)| classes[voxel] = u8::from(belongs));
    }
    classes
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
    for ((label, &most), &total) in labels.iter_mut().zip(&most).zip(&*row.totals) {
        if task.values[usize::from(*label) - 1] != 0 && most <= threshold * total {
            *label = 0;
        }
    }
}

/// Labels of positions among the classes, from 1; 0 for nothing.
fn labels(task: &ImageTask, grid: &Grid, mut classes: Vec<u8>) -> Result<Segmentation> {
    let mut values = vec![0];
    values.extend(&task.values);
    let is_tissue: Vec<bool> = values.iter().map(|&value| value != 0).collect();
    if task.largest_component {
        keep_largest(&mut classes, grid.shape(), |class| is_tissue[usize::from(class)]);
    }
    if task.fill_holes {
        fill_holes(&mut classes, grid.shape(), |class| is_tissue[usize::from(class)]);
    }
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
    pick: impl Fn(&[T], [Tap; 3]) -> T + Sync,
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
