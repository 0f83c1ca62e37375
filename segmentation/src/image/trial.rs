use super::field::Field;
use super::intensity::Intensity;
use super::layout::slice_axis;
use super::placement::Placement;
use super::runner::activate;
use crate::backend::Backend;
use crate::manifest::ImageTask;
use crate::{Error, Result};
use brainmesh_core::{Grid, Silent, Volume};
use glam::DAffine3;
use ndarray::{ArrayD, Axis};

/// What a model makes of a tensor `[batch, channel, axes of the task]` at once, without windows: preprocessing as the
/// manifest says, the network, and its activation.
///
/// # Errors
/// [`Error::Input`] for another shape than the task's; what the network's engine reports.
pub(crate) fn run_tensor(backend: &mut Backend, task: &ImageTask, mut tensor: ArrayD<f32>) -> Result<ArrayD<f32>> {
    let found = tensor.shape().to_vec();
    let batch = found.first().copied().unwrap_or(0);
    // Slices of one volume may come together; of several volumes statistics could be joined or not.
    let is_usable = found.len() == task.axes.len() + 2
        && found[1] == task.channels.len()
        && (batch == 1 || (batch > 1 && task.axes.len() == 2))
        && found.iter().all(|&size| size > 0);
    if !is_usable {
        let expected = format!("[1, {}] and {} axes of the image", task.channels.len(), task.axes.len());
        return Err(Error::Input { field: "test input", expected, found: format!("{found:?}") });
    }

    // The tensor is in the network's grid already.
    let mut plain = task.clone();
    (plain.orientation, plain.fit) = (None, false);
    plain.axes.iter_mut().for_each(|axis| axis.spacing_mm = None);
    let mut shape = [batch; 3];
    for (n, axis) in task.axes.iter().enumerate() {
        shape[axis.axis] = found[n + 2];
    }
    let across = slice_axis(&plain, shape);
    let grid = Grid::new(shape, DAffine3::IDENTITY, "scanner")?;
    let volumes = (0..task.channels.len()).map(|channel| {
        let mut items = tensor.index_axis(Axis(1), channel);
        // [z, y, x], which is how a volume lies in memory; the batch is the axis that slices are taken across.
        if task.axes.len() == 3 {
            items = items.index_axis_move(Axis(0), 0);
        }
        let place = |axis: usize| match task.axes.iter().position(|known| known.axis == axis) {
            Some(place) => place + usize::from(task.axes.len() == 2),
            None => 0,
        };
        let values = items.permuted_axes(vec![place(2), place(1), place(0)]);
        Ok(Volume::new(grid.clone(), values.iter().copied().collect())?)
    });
    let volumes = volumes.collect::<Result<Vec<_>>>()?;
    let placement = Placement::new(&grid, &plain, None)?;
    let field = Field::new(&volumes, &placement, plain.interpolation, across);
    let intensity = Intensity::measure(&plain, &field, &field, &Silent)?;
    for (slice, mut item) in tensor.outer_iter_mut().enumerate() {
        for (channel, mut values) in item.outer_iter_mut().enumerate() {
            values.mapv_inplace(|value| intensity.apply(channel, slice, value));
        }
    }
    let mut output = backend.run(tensor.view(), &Silent)?;
    activate(task.activation, &mut output);
    Ok(output)
}
