use crate::{Error, Result};
use brainmesh_core::{Grid, Monitor, Uncounted, Volume};
use brainmesh_formats::{VolumeReader, Voxel};
use brainmesh_meshing::LabelValue;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

/// Voxels read at a time, about.
const SLAB_VOXELS: usize = 1 << 23;
/// More labels than any atlas has on a volume: beyond this the volume is taken for intensities.
const MOST_LABELS: usize = 20_000;

/// The volume that is meshed.
pub(super) enum Voxels<'a, T> {
    /// One of an open file.
    File(&'a VolumeReader, usize),
    /// One in memory.
    Memory(&'a Volume<T>),
}

impl<T: Copy> Voxels<'_, T> {
    pub(super) fn grid(&self) -> &Grid {
        match self {
            Self::File(reader, _) => reader.grid(),
            Self::Memory(volume) => volume.grid(),
        }
    }
}

/// Gives a volume slab by slab.
pub(super) fn each_slab<T: Voxel>(
    voxels: &Voxels<T>,
    progress: &dyn Monitor,
    mut use_slab: impl FnMut(&mut [T]) -> Result<()>,
) -> Result<()> {
    let [ni, nj, nk] = voxels.grid().shape();
    let planes = (SLAB_VOXELS / (ni * nj)).clamp(1, nk);
    progress.stage("surfaces between labels", nk as u64);
    for first in (0..nk).step_by(planes) {
        let last = (first + planes).min(nk);
        let mut data = match voxels {
            Voxels::File(reader, index) => {
                let region = [0..ni, 0..nj, first..last];
                reader.read_region::<T>(*index, &region, &Uncounted(progress))?.into_parts().1
            }
            Voxels::Memory(volume) => volume.data()[ni * nj * first..ni * nj * last].to_vec(),
        };
        use_slab(&mut data)?;
        progress.advance((last - first) as u64);
    }
    Ok(())
}

/// Counts the voxels of each label, and makes those background that are not `wanted` (all are where the list is empty).
pub(super) fn keep_labels<L: LabelValue>(
    slab: &mut [L],
    wanted: &[u32],
    path: &Path,
    counts: &mut BTreeMap<u32, u64>,
) -> Result<()> {
    let in_chunk = |chunk: &mut [L]| {
        let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
        for run in chunk.chunk_by_mut(|a, b| a == b) {
            let label: u32 = run[0].into();
            if label == 0 {
                continue;
            }
            if wanted.is_empty() || wanted.contains(&label) {
                *counts.entry(label).or_default() += run.len() as u64;
            } else {
                run.fill(L::default());
            }
            if counts.len() > MOST_LABELS {
                break;
            }
        }
        counts
    };
    let found: Vec<BTreeMap<u32, u64>> = slab.par_chunks_mut(1 << 18).map(in_chunk).collect();
    for (label, count) in found.into_iter().flatten() {
        *counts.entry(label).or_default() += count;
    }
    if counts.len() > MOST_LABELS {
        let path = path.display();
        let hint = "--labels chooses some, --isovalue meshes a volume of intensities";
        return Err(Error::Unusable(format!(
            "{path}: labels: expected at most {MOST_LABELS} different ones, found more; {hint}"
        )));
    }
    Ok(())
}
