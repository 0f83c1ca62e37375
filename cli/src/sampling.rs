//! A volume file sampled along rays: from memory, or where it is too large from its map or in bricks.

use crate::{Error, Result};
use brainmesh_core::{Monitor, RayDefect, RaySet, Uncounted};
use brainmesh_formats::{MappedVolume, Scaling, StoredType, VolumeOptions, VolumeReader, Voxel};
use brainmesh_meshing::{SampleOptions, sample, sample_bricks, sample_values};
use ndarray::Array2;
use std::path::Path;

/// Volumes of more voxels than this, 4 GiB of float32, are not held in memory whole.
const MOST_VOXELS: usize = 1 << 30;

/// Voxels of a brick.
const BRICK_VOXELS: usize = 1 << 26;

/// Side of the bricks of formats that store a volume in chunks.
const CHUNKED_SIDE: usize = 256;

/// A volume of a file along rays.
///
/// # Errors
/// An unreadable file; rays that lie elsewhere; cancellation.
pub(crate) fn sample_file(
    path: &Path,
    options: &VolumeOptions,
    index: usize,
    rays: &RaySet,
    sampling: &SampleOptions,
    defects: &mut [Option<RayDefect>],
    monitor: &dyn Monitor,
) -> Result<Array2<f32>> {
    let file = options.open(path)?;
    File { file: &file, index, most_voxels: MOST_VOXELS, brick_voxels: BRICK_VOXELS }
        .sample(rays, sampling, defects, monitor)
        .map_err(|error| match error {
            Error::Meshing(brainmesh_meshing::Error::Cancelled(_)) => Error::Cancelled,
            Error::Meshing(error) => Error::Unusable(format!("{}: {error}", path.display())),
            error => error,
        })
}

/// A volume of an open file.
struct File<'a> {
    file: &'a VolumeReader,
    index: usize,
    most_voxels: usize,
    brick_voxels: usize,
}

impl File<'_> {
    fn sample(
        &self,
        rays: &RaySet,
        sampling: &SampleOptions,
        defects: &mut [Option<RayDefect>],
        monitor: &dyn Monitor,
    ) -> Result<Array2<f32>> {
        let (file, grid) = (self.file, self.file.grid());
        if grid.voxel_count() <= self.most_voxels {
            let volume = file.read::<f32>(self.index, monitor)?;
            return Ok(sample(&volume, rays, sampling, defects, monitor)?);
        }
        macro_rules! mapped {
            ($type:ty) => {
                if let Some(map) = self.map::<$type>() {
                    return Ok(sample_values(grid, map.values(), rays, sampling, defects, monitor)?);
                }
            };
        }
        // Only types whose values are the same in float32, in which every other way reads them.
        match file.stored() {
            StoredType::Uint8 => mapped!(u8),
            StoredType::Uint16 => mapped!(u16),
            StoredType::Int16 => mapped!(i16),
            StoredType::Float32 => mapped!(f32),
            _ => {}
        }
        // A stream, which can only be read from its start, is decoded once; it stays in memory as it is stored.
        file.load()?;
        sample_bricks(grid, self.brick(), rays, sampling, defects, monitor, |brick| {
            Ok(file.read_region::<f32>(self.index, brick, &Uncounted(monitor))?.into_parts().1)
        })
    }

    /// The values of the file itself, where they are the intensities.
    fn map<T: Voxel>(&self) -> Option<MappedVolume<T>> {
        if self.index != 0 || self.file.info().scaling != Scaling::None {
            return None;
        }
        self.file.map().ok()
    }

    /// Cubes of chunked formats; else slabs of whole rows, which lie together in the file.
    fn brick(&self) -> [usize; 3] {
        let [ni, nj, nk] = self.file.grid().shape();
        if self.file.info().format.contains("Zarr") {
            let side = CHUNKED_SIDE.min((self.brick_voxels as f64).cbrt() as usize).max(1);
            return [side; 3];
        }
        let planes = (self.brick_voxels / (ni * nj).max(1)).clamp(1, nk);
        let rows = (self.brick_voxels / (ni * planes).max(1)).clamp(1, nj);
        [ni, rows, planes]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brainmesh_core::{Grid, Silent, Volume, WorldPoint};
    use brainmesh_formats::write_volume;
    use glam::{DAffine3, DVec3};

    #[test]
    fn memory_map_and_bricks_give_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let grid = Grid::new([20, 24, 28], DAffine3::from_scale(DVec3::splat(0.5)), "scanner").unwrap();
        let values: Vec<u8> = (0..grid.voxel_count()).map(|n| (n * n / 7 % 251) as u8).collect();
        let volume = Volume::new(grid, values).unwrap();
        let ends =
            |z: f64| (0..50).map(|n| WorldPoint::new(f64::from(n) * 0.18, 11.0 - f64::from(n) * 0.2, z)).collect();
        let rays = RaySet::new(ends(1.0), ends(12.0), vec![0.1; 50], vec![0.9; 50]).unwrap();
        let sampling = SampleOptions { samples: 40, ..SampleOptions::default() };
        let mut results = Vec::new();
        for name in ["a.nii", "a.nii.gz", "a.ome.zarr"] {
            let path = folder.path().join(name);
            write_volume(&path, &volume).unwrap();
            let file = VolumeOptions::default().open(&path).unwrap();
            for (most_voxels, brick_voxels) in [(usize::MAX, 1), (0, 1 << 20), (0, 2000), (0, 90)] {
                let file = File { file: &file, index: 0, most_voxels, brick_voxels };
                assert_eq!(file.map::<u8>().is_some(), name == "a.nii");
                let mut defects = vec![None; 50];
                let values = file.sample(&rays, &sampling, &mut defects, &Silent).unwrap();
                assert!(defects.iter().filter(|d| d.is_none()).count() > 40);
                results.push((values, defects));
            }
        }
        assert_eq!(results.len(), 12);
        assert!(results.iter().all(|result| *result == results[0]));
    }
}
