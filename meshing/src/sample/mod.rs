//! Intensities along rays, from volumes in memory, mapped, or larger than memory.

mod bricks;
mod cubic;
mod line;
mod linear;
mod plane;
mod voxels;

pub use bricks::{Brick, sample_bricks};
pub use plane::sample_plane;

use crate::error::same_length;
use crate::pages::zeros;
use crate::zorder::morton;
use crate::{Error, Result};
use brainmesh_core::{Grid, Monitor, RayDefect, RaySet, Volume, WorldPoint};
use cubic::Cubic;
use glam::DVec3;
use line::{Line, Places};
use linear::Linear;
use ndarray::Array2;
use rayon::prelude::*;
use voxels::{Kernel, Voxels};

/// Rays handled between two looks at the monitor.
const BATCH: usize = 1024;

/// Voxels along an edge of the blocks whose rays are sampled one after another.
const BLOCK: f64 = 8.0;

/// How values between voxel centres come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RayInterpolation {
    /// Trilinear, between the eight voxels around a point.
    #[default]
    Linear,
    /// Cubic convolution of 4 x 4 x 4 voxels (Keys 1981, a = -1/2): it passes through the voxels' values, is exact for
    /// quadratics, and overshoots at sharp edges.
    Cubic,
}

/// How rays are sampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleOptions {
    /// Samples a ray: sample `i` lies at `t = i / (samples - 1)`.
    pub samples: usize,
    /// Between voxel centres.
    pub interpolation: RayInterpolation,
    /// Value that stands for "no tissue".
    pub missing: Option<f32>,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self { samples: 200, interpolation: RayInterpolation::Linear, missing: None }
    }
}

/// Intensities of a volume along rays: `[rays, samples]`.
///
/// Half a voxel beyond the outermost centres still belongs to the volume and takes the value at its edge. `defects` says
/// beforehand which rays not to sample; those that leave the volume, take part of a value that is not finite or equals
/// `missing`, or see one constant value join it. Defective rows are zero. Arithmetic is in `f64`; results are the same
/// for any number of threads.
///
/// # Errors
/// [`Error::NotCovered`] when every ray leaves the volume; fewer than two samples, or as many defects as rays broken;
/// [`Error::Cancelled`].
pub fn sample(
    volume: &Volume<f32>,
    rays: &RaySet,
    options: &SampleOptions,
    defects: &mut [Option<RayDefect>],
    monitor: &dyn Monitor,
) -> Result<Array2<f32>> {
    sample_values(volume.grid(), volume.data(), rays, options, defects, monitor)
}

/// [`sample`] from values as they are stored, `i` fastest: those of a file mapped into memory, for one.
///
/// # Errors
/// As [`sample`], and when the number of values is not that of the grid's voxels.
pub fn sample_values<T: Copy + Into<f64> + Sync>(
    grid: &Grid,
    values: &[T],
    rays: &RaySet,
    options: &SampleOptions,
    defects: &mut [Option<RayDefect>],
    monitor: &dyn Monitor,
) -> Result<Array2<f32>> {
    check(rays, options, defects)?;
    same_length("volume values", grid.voxel_count(), values.len())?;
    let voxels = Voxels::whole(grid.shape(), values, options.missing);
    let sampled = match options.interpolation {
        RayInterpolation::Linear => sample_with(&Linear, grid, &voxels, rays, options.samples, defects, monitor),
        RayInterpolation::Cubic => sample_with(&Cubic, grid, &voxels, rays, options.samples, defects, monitor),
    }?;
    check_covered(grid, rays, defects)?;
    Ok(sampled)
}

/// A ray still to be sampled: where it lies in memory, its number, its row and its defect.
type Task<'a> = (u64, usize, &'a mut [f32], &'a mut Option<RayDefect>);

fn sample_with<K: Kernel, T: Copy + Into<f64> + Sync>(
    kernel: &K,
    grid: &Grid,
    voxels: &Voxels<T>,
    rays: &RaySet,
    samples: usize,
    defects: &mut [Option<RayDefect>],
    monitor: &dyn Monitor,
) -> Result<Array2<f32>> {
    monitor.stage("sampling rays", rays.len() as u64);
    let places = Places::new(samples);
    let mut values = zeros(rays.len() * samples);
    let rows = values.as_mut_slice();
    let mut tasks: Vec<Task> = rows
        .par_chunks_exact_mut(samples)
        .zip(defects.par_iter_mut())
        .enumerate()
        .map(|(ray, (row, defect))| (memory_order(grid, rays, ray), ray, row, defect))
        .collect();
    // Rays that need the same voxels come one after another, so that these are still in the cache.
    tasks.par_sort_unstable_by_key(|task| (task.0, task.1));
    tasks.par_chunks_mut(BATCH).try_for_each(|tasks| {
        monitor.check()?;
        for (_, ray, row, defect) in tasks.iter_mut().filter(|task| task.3.is_none()) {
            let line = Line::new(grid, rays, *ray, &places);
            **defect = match line.fill(kernel, voxels, 0, row) {
                Ok(()) => is_constant(row).then_some(RayDefect::NoTissue),
                Err((_, found)) => Some(found),
            };
            if defect.is_some() {
                row.fill(0.0);
            }
        }
        monitor.advance(tasks.len() as u64);
        Ok::<_, Error>(())
    })?;
    drop(tasks);
    Ok(matrix(values, samples))
}

/// Rows of so many samples.
fn matrix(values: Vec<f32>, samples: usize) -> Array2<f32> {
    let shape = (values.len() / samples, samples);
    Array2::from_shape_vec(shape, values).unwrap_or_default()
}

/// Place of a ray's middle on a curve through blocks of voxels.
fn memory_order(grid: &Grid, rays: &RaySet, ray: usize) -> u64 {
    morton(grid.voxel_from_world(rays.point(ray, 0.5)).0 / BLOCK)
}

fn check(rays: &RaySet, options: &SampleOptions, defects: &[Option<RayDefect>]) -> Result<()> {
    same_length("ray defects", rays.len(), defects.len())?;
    if options.samples < 2 {
        return Err(Error::Core(brainmesh_core::Error::Invalid {
            field: "samples a ray",
            expected: "at least 2".into(),
            found: options.samples.to_string(),
        }));
    }
    Ok(())
}

/// One value along the whole ray carries no layers.
pub(crate) fn is_constant(row: &[f32]) -> bool {
    row.iter().all(|v| *v == row[0])
}

fn check_covered(grid: &Grid, rays: &RaySet, defects: &[Option<RayDefect>]) -> Result<()> {
    let unseen = |d: &Option<RayDefect>| matches!(d, Some(RayDefect::OutsideVolume | RayDefect::NoCortex));
    if defects.is_empty() || !defects.iter().all(unseen) {
        return Ok(());
    }
    let (volume_low, volume_high) = grid.world_bounds();
    let (mut low, mut high) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
    for ray in 0..rays.len() {
        for t in [0.0, 1.0] {
            let p = rays.point(ray, t).0;
            low = low.min(p);
            high = high.max(p);
        }
    }
    Err(Error::NotCovered { volume_low, volume_high, rays_low: WorldPoint(low), rays_high: WorldPoint(high) })
}
