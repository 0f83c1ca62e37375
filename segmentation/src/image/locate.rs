use super::components::keep_largest;
use super::field::Field;
use super::intensity::Intensity;
use super::layout::slice_axis;
use super::placement::Placement;
use super::runner::activate;
use crate::backend::Backend;
use crate::manifest::{ImageTask, Locator};
use crate::{Error, Result};
use brainmesh_core::{Monitor, Uncounted, Volume};
use ndarray::{Array5, Axis};
use std::ops::Range;

/// What a [`Locator`] found.
pub(super) struct Located {
    /// In voxels of the turned volume.
    pub region: [Range<usize>; 3],
    /// The whole volume as the locator saw it.
    pub placement: Placement,
}

/// Runs a locator on the whole volume.
///
/// # Errors
/// [`Error::Input`] where it finds nothing, what its engine reports, cancelled.
pub(super) fn locate(
    backend: &mut Backend,
    locator: &Locator,
    task: &ImageTask,
    volumes: &[Volume<f32>],
    monitor: &dyn Monitor,
) -> Result<Located> {
    monitor.stage("locate", 1);
    let order = [0, 1, 2].map(|n: usize| task.axes[n].axis);
    let mut shape = [0; 3];
    for (&axis, &size) in order.iter().zip(&locator.size) {
        shape[axis] = size;
    }
    let placement = Placement::fitted(volumes[0].grid(), task, shape);
    let field = Field::new(volumes, &placement, task.interpolation, slice_axis(task, shape));
    let intensity = Intensity::measure(task, &field, &field, monitor)?;

    let [a, b, c] = order.map(|axis| shape[axis]);
    let mut input = Array5::<f32>::zeros((1, volumes.len(), a, b, c));
    let ranges = shape.map(|length| 0..length);
    for (channel, mut values) in input.index_axis_mut(Axis(0), 0).outer_iter_mut().enumerate() {
        if let Some(values) = values.as_slice_mut() {
            field.fill(channel, &ranges, order, values, |slice, value| intensity.apply(channel, slice, value));
        }
    }
    let mut output = backend.run(input.view().into_dyn(), &Uncounted(monitor))?;
    monitor.advance(1);
    let (expected, found) = ([a, b, c], output.shape().to_vec());
    if found.len() != 5 || found[1] <= locator.class || found[2..] != expected {
        let expected = format!("[1, more than {}, {a}, {b}, {c}]", locator.class);
        return Err(Error::Shape { expected, found: format!("{found:?}") });
    }
    activate(task.activation, &mut output);
    let class = output.index_axis(Axis(0), 0).index_axis_move(Axis(0), locator.class);
    // x fastest.
    let place = |axis: usize| order.iter().position(|&known| known == axis).unwrap_or(0);
    let turned = class.permuted_axes(vec![place(2), place(1), place(0)]);
    let mut mask: Vec<u8> = turned.iter().map(|&value| u8::from(value > locator.threshold)).collect();
    keep_largest(&mut mask, shape, |class| class > 0);

    let extent = extents(&mask, shape, locator.least_share).ok_or_else(|| Error::Input {
        field: "volume",
        expected: "something that the model's locator finds".into(),
        found: "nothing of that kind".into(),
    })?;
    let turned_shape = placement.turned_shape();
    let region = [0, 1, 2].map(|n: usize| {
        // Rounded as deepbet (Fisch et al. 2024) does, so that a box is the same to the voxel.
        let scale = turned_shape[n] as f64 / shape[n] as f64;
        let centre = (scale * (extent[n].start + extent[n].end) as f64 / 2.0).round_ties_even();
        let size = (scale * extent[n].len() as f64 * (1.0 + 2.0 * locator.margin)).round_ties_even();
        let (low, high) = ((centre - size / 2.0).trunc().max(0.0), (centre + size / 2.0).trunc());
        let low = (low as usize).min(turned_shape[n] - 1);
        low..(high as usize).clamp(low + 1, turned_shape[n])
    });
    Ok(Located { region, placement })
}

/// Planes along each axis of which more than a share belongs to the mask.
fn extents(mask: &[u8], shape: [usize; 3], least_share: f32) -> Option<[Range<usize>; 3]> {
    let mut counts = shape.map(|length| vec![0_usize; length]);
    for (voxel, _) in mask.iter().enumerate().filter(|(_, class)| **class > 0) {
        counts[0][voxel % shape[0]] += 1;
        counts[1][voxel / shape[0] % shape[1]] += 1;
        counts[2][voxel / (shape[0] * shape[1])] += 1;
    }
    let mut found = [const { 0..0 }; 3];
    for n in 0..3 {
        let area = mask.len() / shape[n];
        let reaches = |&count: &usize| count as f32 > least_share * area as f32;
        found[n] = counts[n].iter().position(reaches)?..counts[n].iter().rposition(reaches)? + 1;
    }
    Some(found)
}
