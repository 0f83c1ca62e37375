//! From absorbed light to the intensities of a scanned series of sections.

use crate::field::SmoothField;
use crate::random::{Purpose, normal, poisson, stream};
use crate::sections::cut_sections;
use crate::stain::Surroundings;
use crate::vessels::{tears, vessels};
use crate::{PhantomOptions, Polarity, Result};
use brainmesh_core::{Grid, Monitor, VoxelPoint};
use rayon::prelude::*;

/// Cells (neurons and glia) in a mm3 of mean grey matter (von Bartheld 2016: some 1e5 in human cortex).
const CELLS_PER_MM3: f64 = 90_000.0;
/// Share of the absorbance that comes in grains the size of a cell, with the spread of cell sizes. Set so that 20 um
/// voxels of the full preset vary, after its blur, as 20 um blocks of the one real patch do (standard deviation 0.16
/// of the mean absorbance; its scale of about 3 um a pixel is inferred from the thickness of its cortex).
const GRAIN: f64 = 0.35;
/// Intensity of bare glass.
const GLASS: f64 = 65535.0;

/// A scanned volume.
pub(crate) struct Rendered {
    /// 0..=65535.
    pub intensities: Vec<f32>,
    /// Voxels that are cracks or the bright lumen of a vessel for the most part, ascending.
    pub holes: Vec<u32>,
}

/// Runs the artefacts in the order in which they come about.
pub(crate) fn render(
    options: &PhantomOptions,
    grid: &Grid,
    around: &Surroundings,
    mut absorbance: Vec<f32>,
    monitor: &dyn Monitor,
) -> Result<Rendered> {
    let a = &options.artefacts;
    monitor.stage("staining and cutting", 7);
    let step = || {
        monitor.advance(1);
        monitor.check()
    };
    if a.texture > 0.0 {
        texture(options, grid, around, &mut absorbance);
    }
    step()?;
    let mut holes = vessels(options.seed, a.vessels, grid, around.outside, around.grey, &mut absorbance);
    holes.extend(tears(options.seed, a.tears, grid, around.outside, &mut absorbance));
    holes.sort_unstable();
    holes.dedup();
    step()?;
    if a.bias > 0.0 {
        bias(options.seed, a.bias, grid, &mut absorbance);
    }
    step()?;
    if a.blur_voxel > 0.0 {
        for axis in 0..3 {
            blur(&mut absorbance, grid.shape(), axis, a.blur_voxel);
        }
    }
    step()?;
    if a.section_gain > 0.0 || a.section_shift_mm > 0.0 {
        cut_sections(options.seed, a.section_gain, a.section_shift_mm, grid, &mut absorbance);
    }
    step()?;
    if a.noise > 0.0 {
        by_slice(grid, &mut absorbance, |k, _, values| {
            let mut rng = stream(options.seed, Purpose::Noise, k);
            values.iter_mut().for_each(|v| *v += (a.noise * normal(&mut rng)) as f32);
        });
    }
    step()?;
    absorbance.par_iter_mut().for_each(|v| {
        let absorbed = f64::from(*v).clamp(0.0, 1.0);
        let light = match options.polarity {
            Polarity::DarkIsDense => 1.0 - absorbed,
            Polarity::BrightIsDense => absorbed,
        };
        *v = (GLASS * light) as f32;
    });
    step()?;
    Ok(Rendered { intensities: absorbance, holes })
}

/// Calls `work` with each slice of constant k, its index and the number of values in a slice, in parallel.
fn by_slice(grid: &Grid, values: &mut [f32], work: impl Fn(usize, usize, &mut [f32]) + Sync) {
    let [ni, nj, _] = grid.shape();
    values.par_chunks_mut(ni * nj).enumerate().for_each(|(k, slice)| work(k, ni * nj, slice));
}

/// Replaces a share of the absorbance by that of a Poisson number of cells.
fn texture(options: &PhantomOptions, grid: &Grid, around: &Surroundings, absorbance: &mut [f32]) {
    let cells = CELLS_PER_MM3 * grid.spacing_mm().iter().product::<f64>();
    by_slice(grid, absorbance, |k, _, values| {
        let mut rng = stream(options.seed, Purpose::Texture, k);
        for value in values {
            // Glass has no cells.
            let tissue = f64::from(*value) - around.outside;
            let expected = cells * tissue / (around.grey - around.outside).max(0.05);
            if tissue > 0.01 && expected > 0.0 {
                let excess = poisson(&mut rng, expected) / expected - 1.0;
                *value += (options.artefacts.texture * GRAIN * tissue * excess) as f32;
            }
        }
    });
}

/// A smooth multiplicative field, worked out on a coarse lattice and interpolated.
fn bias(seed: u64, strength: f64, grid: &Grid, absorbance: &mut [f32]) {
    const LATTICE: usize = 12;
    let [ni, nj, nk] = grid.shape();
    let (low, high) = grid.world_bounds();
    let field = SmoothField::named(seed, Purpose::Bias, 0, (0.4 * low.distance_mm(high)).max(1.0));
    let node = |n: usize, size: usize| n as f64 / (LATTICE - 1) as f64 * (size - 1) as f64;
    let mut lattice = vec![0.0; LATTICE.pow(3)];
    for (n, value) in lattice.iter_mut().enumerate() {
        let (i, j, k) = (n % LATTICE, n / LATTICE % LATTICE, n / (LATTICE * LATTICE));
        *value = strength * field.at(grid.world_from_voxel(VoxelPoint::new(node(i, ni), node(j, nj), node(k, nk))).0);
    }
    let cell = |p: usize, size: usize| {
        let q = p as f64 / (size - 1).max(1) as f64 * (LATTICE - 1) as f64;
        let n = (q.floor() as usize).min(LATTICE - 2);
        (n, q - n as f64)
    };
    by_slice(grid, absorbance, |k, _, values| {
        let (ck, wk) = cell(k, nk);
        for j in 0..nj {
            let (cj, wj) = cell(j, nj);
            for i in 0..ni {
                let (ci, wi) = cell(i, ni);
                let mut gain = 1.0;
                for corner in 0..8usize {
                    let (x, y, z) = (corner & 1, corner >> 1 & 1, corner >> 2 & 1);
                    let share = |bit: usize, w: f64| if bit == 1 { w } else { 1.0 - w };
                    let at = (ci + x) + LATTICE * ((cj + y) + LATTICE * (ck + z));
                    gain += share(x, wi) * share(y, wj) * share(z, wk) * lattice[at];
                }
                values[i + ni * j] *= gain as f32;
            }
        }
    });
}

/// Gaussian along one axis; the volume goes on beyond its ends as it ends.
fn blur(values: &mut [f32], [ni, nj, nk]: [usize; 3], axis: usize, sd_voxel: f64) {
    let reach = (3.5 * sd_voxel).ceil() as usize;
    let mut kernel: Vec<f32> =
        (0..=2 * reach).map(|n| (-0.5 * ((n as f64 - reach as f64) / sd_voxel).powi(2)).exp() as f32).collect();
    let sum: f32 = kernel.iter().sum();
    kernel.iter_mut().for_each(|w| *w /= sum);
    let (stride, length) = [(1, ni), (ni, nj), (ni * nj, nk)][axis];
    let before = values.to_vec();
    values.par_chunks_mut(ni).enumerate().for_each(|(row, out)| {
        for (i, value) in out.iter_mut().enumerate() {
            let n = row * ni + i;
            let p = n / stride % length;
            let base = n - p * stride;
            *value = kernel
                .iter()
                .enumerate()
                .map(|(m, w)| w * before[base + (p + m).saturating_sub(reach).min(length - 1) * stride])
                .sum();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blur_keeps_constants_and_spreads_a_point_as_a_gaussian() {
        let shape = [15, 15, 15];
        let mut point = vec![0f32; 15 * 15 * 15];
        point[7 + 15 * (7 + 15 * 7)] = 1.0;
        for axis in 0..3 {
            blur(&mut point, shape, axis, 1.0);
        }
        assert!((point.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let (centre, side) = (point[7 + 15 * (7 + 15 * 7)], point[8 + 15 * (7 + 15 * 7)]);
        assert!((side / centre - (-0.5f32).exp()).abs() < 1e-4);
        let mut flat = vec![0.25f32; 15 * 15 * 15];
        blur(&mut flat, shape, 1, 1.7);
        assert!(flat.iter().all(|v| (v - 0.25).abs() < 1e-6));
    }
}
