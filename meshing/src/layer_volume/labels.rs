use super::lines::cross;
use super::solids::Solids;
use crate::Result;
use brainmesh_core::{Grid, Monitor, Surface, Volume};
use rayon::prelude::*;

/// Planes of voxels that one task labels.
const RUN: usize = 4;

/// The layer of every voxel.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerLabels {
    /// `k` between surfaces `k - 1` and `k`, 0 elsewhere.
    pub volume: Volume<u8>,
    /// Voxels in several layers at once, where surfaces cross; they have the outermost.
    pub ambiguous: u64,
}

/// Labels every voxel whose centre lies between surfaces `k - 1` and `k` with `k`: exactly, by the triangles as they are.
///
/// Surfaces go from the outside in and share their triangles. Where they end at a border, walls join them. Where they lie on
/// one another (no cortex) there is nothing between them. A centre on a surface belongs to one of its two sides.
///
/// # Errors
/// Fewer than two surfaces or more than nine, surfaces that do not share their triangles; cancellation.
pub fn label_layers(surfaces: &[Surface], grid: &Grid, monitor: &dyn Monitor) -> Result<LayerLabels> {
    let [ni, nj, nk] = grid.shape();
    let solids = Solids::new(surfaces, grid, 1, RUN)?;
    monitor.stage("labelling voxels", nk as u64);
    let mut labels = vec![0u8; grid.voxel_count()];
    let ambiguous = labels
        .par_chunks_mut(RUN * ni * nj)
        .enumerate()
        .map(|(run, labels)| {
            monitor.check()?;
            let first = run * RUN;
            let planes = first..first + labels.len() / (ni * nj);
            let count = planes.len();
            // Each crossing turns its layers on or off from there to the end of the line.
            for facet in solids.facets(run) {
                let corners = facet.corners.map(|v| solids.points[v as usize]);
                let layers = facet.outward | facet.inward;
                cross(corners, &(0..nj), &planes, |crossing| {
                    let voxel = crossing.first_voxel(ni);
                    if voxel < ni {
                        labels[voxel + ni * (crossing.j + nj * (crossing.k - first))] ^= layers;
                    }
                });
            }
            let mut ambiguous = 0;
            for line in labels.chunks_exact_mut(ni) {
                let mut layers = 0;
                for label in line {
                    layers ^= *label;
                    *label = if layers == 0 { 0 } else { layers.trailing_zeros() as u8 + 1 };
                    ambiguous += u64::from(layers.count_ones() > 1);
                }
            }
            monitor.advance(count as u64);
            Ok(ambiguous)
        })
        .collect::<Result<Vec<u64>>>()?;
    Ok(LayerLabels { volume: Volume::new(grid.clone(), labels)?, ambiguous: ambiguous.into_iter().sum() })
}
