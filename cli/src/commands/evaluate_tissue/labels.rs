use crate::args::{EvaluateTissue, TissueLabelsArg};
use crate::score::tissue_of_freesurfer;
use crate::{Error, Result};
use brainmesh_core::{Grid, Volume, VoxelPoint, WorldPoint};
use brainmesh_formats::VolumeOptions;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;

/// Corners of two grids that are nearer than this share of a voxel are the same.
const SAME_VOXELS: f64 = 0.05;
/// Of the true brain so much must lie within the volume found.
const LEAST_COVERED: f64 = 0.95;

/// Classes of truth and result on the grid of the truth, and whether those found had to be read anew there.
pub(super) fn read_case(
    arguments: &EvaluateTissue,
    found_path: &Path,
    truth_path: &Path,
) -> Result<(Volume<u8>, Volume<u8>, bool)> {
    let own = |label: i32| u8::try_from(label).ok().filter(|&class| class < 4);
    let truth = match arguments.truth_labels {
        TissueLabelsArg::Brainmesh => classes(truth_path, own)?,
        TissueLabelsArg::Freesurfer => classes(truth_path, tissue_of_freesurfer)?,
    };
    let found = classes(found_path, own)?;
    let (found, resampled) = on_grid(found, found_path, &truth, truth_path, arguments.resample)?;
    Ok((truth, found, resampled))
}

/// The volume with a class for each of its labels.
fn classes(path: &Path, class_of: impl Fn(i32) -> Option<u8> + Sync) -> Result<Volume<u8>> {
    let labels: Volume<i32> = VolumeOptions::default().read_as(path)?;
    let unknown: BTreeSet<i32> = labels
        .data()
        .par_chunks(1 << 16)
        .flat_map_iter(|part| part.iter().copied().filter(|&label| class_of(label).is_none()).collect::<BTreeSet<_>>())
        .collect();
    if !unknown.is_empty() {
        let first: Vec<String> = unknown.iter().take(10).map(ToString::to_string).collect();
        let more = if unknown.len() > 10 { format!(" and {} more", unknown.len() - 10) } else { String::new() };
        return Err(Error::Unusable(format!(
            "{}: labels: expected 0 background, 1 fluid, 2 grey, 3 white matter (or with --truth-labels freesurfer those of \
             FreeSurfer), found {}{more}",
            path.display(),
            first.join(", ")
        )));
    }
    let (grid, data) = labels.into_parts();
    let data = data.par_iter().map(|&label| class_of(label).unwrap_or_default()).collect();
    Ok(Volume::new(grid, data)?)
}

/// The labels found at the voxels of the truth, and whether they had to be read anew there.
fn on_grid(
    found: Volume<u8>,
    found_path: &Path,
    truth: &Volume<u8>,
    truth_path: &Path,
    resample: bool,
) -> Result<(Volume<u8>, bool)> {
    let swap = found.grid().orientation().swap_to(truth.grid().orientation());
    let found = if swap.is_identity() { found } else { found.swapped(swap)? };
    if is_same(found.grid(), truth.grid()) {
        return Ok((found, false));
    }
    let show = |grid: &Grid| {
        let (low, high) = grid.world_bounds();
        let corner = |p: WorldPoint| format!("({:.1}, {:.1}, {:.1})", p.0.x, p.0.y, p.0.z);
        format!("{:?} voxels from {} to {} mm", grid.shape(), corner(low), corner(high))
    };
    if !resample {
        return Err(Error::Unusable(format!(
            "{}: expected the voxels of {}, {}, found {}; --resample reads the labels at the voxels of the truth",
            found_path.display(),
            truth_path.display(),
            show(truth.grid()),
            show(found.grid())
        )));
    }
    let grid = truth.grid();
    let [ni, nj, _] = grid.shape();
    let place = |at: usize| {
        let world =
            grid.world_from_voxel(VoxelPoint::new((at % ni) as f64, (at / ni % nj) as f64, (at / ni / nj) as f64));
        let voxel = found.grid().voxel_from_world(world).0.round();
        let is_inside = voxel.min_element() >= 0.0;
        if !is_inside {
            return None;
        }
        let [i, j, k] = voxel.to_array().map(|v| v as usize);
        found.get(i, j, k)
    };
    let read: Vec<Option<u8>> = (0..grid.voxel_count()).into_par_iter().map(place).collect();
    let brain = truth.data().iter().zip(&read).filter(|(class, _)| **class != 0);
    let (inside, all) =
        brain.fold((0usize, 0usize), |(inside, all), (_, v)| (inside + usize::from(v.is_some()), all + 1));
    if (inside as f64) < LEAST_COVERED * all as f64 {
        return Err(Error::Unusable(format!(
            "{}: expected a head in the place of {} ({}), found only {:.0} % of it within {}",
            found_path.display(),
            truth_path.display(),
            show(truth.grid()),
            100.0 * inside as f64 / all as f64,
            show(found.grid())
        )));
    }
    let data = read.into_iter().map(Option::unwrap_or_default).collect();
    Ok((Volume::new(grid.clone(), data)?, true))
}

/// Whether voxels lie at the same places in the world: the corners of both do.
pub(super) fn is_same(one: &Grid, other: &Grid) -> bool {
    let least_mm = other.spacing_mm().into_iter().fold(f64::INFINITY, f64::min);
    let corner = |grid: &Grid, n: usize| {
        let at = |axis: usize| if n >> axis & 1 == 1 { grid.shape()[axis] as f64 } else { 0.0 };
        grid.world_from_voxel(VoxelPoint::new(at(0), at(1), at(2))).0
    };
    one.shape() == other.shape() && (0..8).all(|n| corner(one, n).distance(corner(other, n)) <= SAME_VOXELS * least_mm)
}
