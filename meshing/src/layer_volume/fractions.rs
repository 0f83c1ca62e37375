use super::lines::cross;
use super::solids::Solids;
use crate::Result;
use brainmesh_core::{Error, Grid, Monitor, Surface, Volume};
use rayon::prelude::*;

/// Planes of voxels that one task fills.
const RUN: usize = 2;
/// Most lines along each side of a voxel.
const MOST_LINES: usize = 16;

/// The share of every voxel that lies in each layer, 0 to 1, one volume a layer.
///
/// `lines` x `lines` lines pass through a voxel along `i`; along each the share is exact, across them it is sampled. Surfaces are as for
/// [`label_layers`](crate::label_layers).
///
/// # Errors
/// No lines or more than 16, and as [`label_layers`](crate::label_layers).
pub fn layer_fractions(
    surfaces: &[Surface],
    grid: &Grid,
    lines: usize,
    monitor: &dyn Monitor,
) -> Result<Vec<Volume<f32>>> {
    if !(1..=MOST_LINES).contains(&lines) {
        let expected = format!("1 to {MOST_LINES}");
        return Err(Error::Invalid { field: "lines a voxel", expected, found: lines.to_string() }.into());
    }
    let [ni, nj, nk] = grid.shape();
    let solids = Solids::new(surfaces, grid, lines, RUN)?;
    let layers = surfaces.len() - 1;
    monitor.stage("layers of voxels", nk as u64);
    let mut volumes: Vec<Vec<f32>> = (0..layers).map(|_| vec![0f32; grid.voxel_count()]).collect();
    let mut runs: Vec<Vec<&mut [f32]>> = (0..nk.div_ceil(RUN)).map(|_| Vec::new()).collect();
    for volume in &mut volumes {
        runs.iter_mut().zip(volume.chunks_mut(RUN * ni * nj)).for_each(|(run, part)| run.push(part));
    }
    let weight = 1.0 / (lines * lines) as f64;
    runs.into_par_iter().enumerate().try_for_each(|(run, mut parts)| {
        monitor.check()?;
        let first = run * RUN;
        let planes = first..(first + RUN).min(nk);
        for facet in solids.facets(run) {
            let corners = facet.corners.map(|v| solids.points[v as usize]);
            cross(corners, &(0..nj * lines), &(planes.start * lines..planes.end * lines), |crossing| {
                let place = ni * (crossing.j / lines + nj * (crossing.k / lines - first));
                // From here on the line is inside, or outside, once more: what is added goes to all voxels after it.
                let i = crossing.i.max(-0.5);
                let voxel = (i + 0.5).floor();
                if voxel >= ni as f64 {
                    return;
                }
                let own = (voxel + 0.5 - i) * weight;
                let entering = if crossing.forward { -1.0 } else { 1.0 };
                for (layer, part) in parts.iter_mut().enumerate() {
                    let sign = f64::from(facet.outward >> layer & 1) - f64::from(facet.inward >> layer & 1);
                    if sign == 0.0 {
                        continue;
                    }
                    let line = &mut part[place..place + ni];
                    line[voxel as usize] += (sign * entering * own) as f32;
                    if let Some(next) = line.get_mut(voxel as usize + 1) {
                        *next += (sign * entering * (weight - own)) as f32;
                    }
                }
            });
        }
        for line in parts.iter_mut().flat_map(|part| part.chunks_exact_mut(ni)) {
            let mut sum = 0.0;
            for share in line {
                sum += f64::from(*share);
                // Surfaces wound inward give the negative; what is left of rounding is none.
                let filled = sum.abs().min(1.0);
                *share = if filled < NOTHING { 0.0 } else { filled as f32 };
            }
        }
        monitor.advance(planes.len() as u64);
        Ok::<_, crate::Error>(())
    })?;
    volumes.into_iter().map(|data| Ok(Volume::new(grid.clone(), data)?)).collect()
}

/// A share below this is rounding.
const NOTHING: f64 = 1e-5;
