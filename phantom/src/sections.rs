//! A series of sections: each 20 um section has its own gain, and lies a little off its neighbours.

use crate::random::{Purpose, normal, stream};
use brainmesh_core::Grid;
use rayon::prelude::*;

/// Thickness of a section of the BigBrain, mm (Amunts 2013).
const SECTION_MM: f64 = 0.02;

/// What happened to the sections that a slice of voxels holds.
#[derive(Debug, Clone, Copy, Default)]
struct Slice {
    gain: f64,
    /// Shift along i and k, voxels.
    shift: [f64; 2],
}

/// Applies gain and shift to the coronal slices (constant j, the rostro-caudal axis) of absorbances.
pub(crate) fn cut_sections(seed: u64, gain_sd: f64, shift_sd_mm: f64, grid: &Grid, absorbance: &mut [f32]) {
    let [ni, nj, nk] = grid.shape();
    let slices = slices(seed, gain_sd, shift_sd_mm, grid);
    let before = absorbance.to_vec();
    absorbance.par_chunks_mut(ni * nj).enumerate().for_each(|(k, slab)| {
        for j in 0..nj {
            let Slice { gain, shift } = slices[j];
            let value = |i: usize, k: usize| f64::from(before[i + ni * (j + nj * k)]);
            let (k0, wk) = split(k as f64 + shift[1], nk);
            for i in 0..ni {
                let (i0, wi) = split(i as f64 + shift[0], ni);
                let (i1, k1) = ((i0 + 1).min(ni - 1), (k0 + 1).min(nk - 1));
                let lower = value(i0, k0) + wi * (value(i1, k0) - value(i0, k0));
                let upper = value(i0, k1) + wi * (value(i1, k1) - value(i0, k1));
                slab[i + ni * j] = ((lower + wk * (upper - lower)) * gain) as f32;
            }
        }
    });
}

/// The voxel before a position, clamped to the axis, and the share of the one after it.
fn split(position: f64, n: usize) -> (usize, f64) {
    let p = position.clamp(0.0, n as f64 - 1.0);
    (p.floor() as usize, p.fract())
}

fn slices(seed: u64, gain_sd: f64, shift_sd_mm: f64, grid: &Grid) -> Vec<Slice> {
    let spacing = grid.spacing_mm()[1];
    let per_slice = (spacing / SECTION_MM).round().max(1.0) as usize;
    let mut rng = stream(seed, Purpose::Sections, 0);
    // A random walk that returns within about 1.5 mm: staining drifts, and so does the registration.
    let memory = (-SECTION_MM / 1.5).exp();
    let fresh = (1.0 - memory * memory).sqrt();
    let mut drift = [normal(&mut rng), normal(&mut rng), normal(&mut rng)];
    (0..grid.shape()[1])
        .map(|_| {
            let mut sum = Slice::default();
            for _ in 0..per_slice {
                for d in &mut drift {
                    *d = memory * *d + fresh * normal(&mut rng);
                }
                sum.gain += gain_sd * (0.8 * drift[0] + 0.6 * normal(&mut rng));
                for axis in 0..2 {
                    sum.shift[axis] += shift_sd_mm / spacing * (0.6 * drift[axis + 1] + 0.8 * normal(&mut rng));
                }
            }
            let n = per_slice as f64;
            Slice { gain: (1.0 + sum.gain / n).max(0.1), shift: sum.shift.map(|s| s / n) }
        })
        .collect()
}
