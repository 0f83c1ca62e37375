use crate::error::same_length;
use crate::{Error, Result};
use brainmesh_core::{Monitor, RayDefect, RaySet, Volume, VoxelPoint, WorldPoint};
use glam::DVec3;
use ndarray::Array2;
use rayon::prelude::*;

/// Rays handled between two looks at the monitor.
const BATCH: usize = 4096;

/// Intensities of a volume along rays, trilinear at `t = i / (samples - 1)`.
///
/// `defects` says beforehand which rays not to sample; those that leave the volume, meet a value that is not finite
/// or equals `missing`, or see one constant value join it. Defective rows are zero.
///
/// # Errors
/// [`Error::NotCovered`] when every ray leaves the volume; fewer than two samples, or as many defects as rays broken;
/// [`Error::Cancelled`].
pub fn sample(
    volume: &Volume<f32>,
    rays: &RaySet,
    samples: usize,
    missing: Option<f32>,
    defects: &mut [Option<RayDefect>],
    monitor: &dyn Monitor,
) -> Result<Array2<f32>> {
    same_length("ray defects", rays.len(), defects.len())?;
    if samples < 2 {
        return Err(Error::Core(brainmesh_core::Error::Invalid {
            field: "samples a ray",
            expected: "at least 2".into(),
            found: samples.to_string(),
        }));
    }
    monitor.stage("sampling rays", rays.len() as u64);
    let mut values = Array2::<f32>::zeros((rays.len(), samples));
    let rows = values.as_slice_mut().unwrap_or_default();
    rows.par_chunks_mut(samples * BATCH).zip(defects.par_chunks_mut(BATCH)).enumerate().try_for_each(
        |(batch, (rows, defects))| {
            monitor.check()?;
            for (i, (row, defect)) in rows.chunks_exact_mut(samples).zip(defects.iter_mut()).enumerate() {
                if defect.is_none() {
                    *defect = sample_ray(volume, rays, batch * BATCH + i, missing, row);
                }
                if defect.is_some() {
                    row.fill(0.0);
                }
            }
            monitor.advance(defects.len() as u64);
            Ok::<_, Error>(())
        },
    )?;
    if !defects.is_empty() && defects.iter().all(|d| matches!(d, Some(RayDefect::OutsideVolume | RayDefect::NoCortex)))
    {
        return Err(not_covered(volume, rays));
    }
    Ok(values)
}

fn sample_ray(
    volume: &Volume<f32>,
    rays: &RaySet,
    ray: usize,
    missing: Option<f32>,
    row: &mut [f32],
) -> Option<RayDefect> {
    let n = row.len();
    let start = volume.grid().voxel_from_world(rays.point(ray, 0.0)).0;
    let step = volume.grid().voxel_from_world(rays.point(ray, 1.0)).0 - start;
    for (i, value) in row.iter_mut().enumerate() {
        let p_voxel = VoxelPoint(start + step * RaySet::t_of_sample(i as f64, n));
        match trilinear(volume, p_voxel, missing) {
            Interpolated::Value(v) => *value = v,
            Interpolated::Outside => return Some(RayDefect::OutsideVolume),
            Interpolated::NotFinite => return Some(RayDefect::NotFinite),
            Interpolated::Missing => return Some(RayDefect::NoTissue),
        }
    }
    is_constant(row).then_some(RayDefect::NoTissue)
}

/// One value along the whole ray carries no layers.
pub(crate) fn is_constant(row: &[f32]) -> bool {
    row.iter().all(|v| *v == row[0])
}

enum Interpolated {
    Value(f32),
    Outside,
    NotFinite,
    Missing,
}

/// Trilinear interpolation between the eight voxel centres around a point. Half a voxel beyond the outermost centres
/// still belongs to the volume and takes the value at its edge.
fn trilinear(volume: &Volume<f32>, p_voxel: VoxelPoint, missing: Option<f32>) -> Interpolated {
    let shape = volume.grid().shape();
    let p = p_voxel.0.to_array();
    let mut low = [0usize; 3];
    let mut high = [0usize; 3];
    let mut fraction = [0f64; 3];
    for axis in 0..3 {
        let last = (shape[axis] - 1) as f64;
        if !(p[axis] >= -0.5 && p[axis] <= last + 0.5) {
            return Interpolated::Outside;
        }
        let clamped = p[axis].clamp(0.0, last);
        low[axis] = clamped.floor() as usize;
        high[axis] = (low[axis] + 1).min(shape[axis] - 1);
        fraction[axis] = clamped - low[axis] as f64;
    }
    let data = volume.data();
    let mut sum = 0.0;
    for corner in 0..8usize {
        let mut weight = 1.0;
        let mut index = [0usize; 3];
        for axis in 0..3 {
            let upper = corner >> axis & 1 == 1;
            index[axis] = if upper { high[axis] } else { low[axis] };
            weight *= if upper { fraction[axis] } else { 1.0 - fraction[axis] };
        }
        if weight > 0.0 {
            let value = data[index[0] + shape[0] * (index[1] + shape[1] * index[2])];
            if missing == Some(value) {
                return Interpolated::Missing;
            }
            if !value.is_finite() {
                return Interpolated::NotFinite;
            }
            sum += weight * f64::from(value);
        }
    }
    Interpolated::Value(sum as f32)
}

fn not_covered(volume: &Volume<f32>, rays: &RaySet) -> Error {
    let (volume_low, volume_high) = volume.grid().world_bounds();
    let (mut low, mut high) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
    for ray in 0..rays.len() {
        for t in [0.0, 1.0] {
            let p = rays.point(ray, t).0;
            low = low.min(p);
            high = high.max(p);
        }
    }
    Error::NotCovered { volume_low, volume_high, rays_low: WorldPoint(low), rays_high: WorldPoint(high) }
}
