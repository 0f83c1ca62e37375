use super::linear::Linear;
use super::voxels::{Kernel, Voxels};
use crate::Result;
use brainmesh_core::{Monitor, Volume, VoxelPoint, WorldPoint};
use glam::DVec3;
use rayon::prelude::*;

/// A picture of a volume, trilinear: pixel `(x, y)` of `[width, height]` lies at `corner + x * across + y * down`, rows
/// one after the other; NaN outside the volume and where a value is not finite.
///
/// # Errors
/// Cancellation.
pub fn sample_plane(
    volume: &Volume<f32>,
    corner: WorldPoint,
    across: DVec3,
    down: DVec3,
    [width, height]: [usize; 2],
    monitor: &dyn Monitor,
) -> Result<Vec<f32>> {
    let grid = volume.grid();
    let voxels = Voxels::whole(grid.shape(), volume.data(), None);
    let mut values = vec![f32::NAN; width * height];
    values.par_chunks_mut(width.max(1)).enumerate().try_for_each(|(y, row)| {
        monitor.check()?;
        for (x, value) in row.iter_mut().enumerate() {
            let p: VoxelPoint = grid.voxel_from_world(WorldPoint(corner.0 + across * x as f64 + down * y as f64));
            *value = Linear.one(&voxels, p.0).unwrap_or(f32::NAN);
        }
        Ok::<_, crate::Error>(())
    })?;
    Ok(values)
}
