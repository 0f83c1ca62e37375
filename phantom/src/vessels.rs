//! Things in the tissue that are not cells: vessels and cracks.

use crate::random::{Purpose, normal, stream, uniform};
use brainmesh_core::{Grid, VoxelPoint, WorldPoint};
use glam::DVec3;
use rand_chacha::ChaCha8Rng;

/// Most vessels and cracks drawn: a whole block at 0.2 mm has many that are too thin to be seen.
const MOST: f64 = 6000.0;

/// Vessels of more than capillary size that begin in a mm3, at strength 1: sections of the real patch show about one
/// in each 0.1 mm2.
const VESSELS_PER_MM3: f64 = 5.0;

/// A chain of balls that replaces what a voxel absorbs, by the share of the voxel it covers.
struct Tube {
    points: Vec<DVec3>,
    radius_mm: f64,
    absorbance: f64,
}

/// Draws vessels: bright lumen or dark blood and wall, wandering through the volume. Large ones run along z (the mean
/// direction of the pial normal), as the long penetrating vessels do, thin ones anywhere.
/// Returns the voxels that a bright lumen fills for the most part.
pub(crate) fn vessels(
    seed: u64,
    strength: f64,
    grid: &Grid,
    outside: f64,
    grey: f64,
    absorbance: &mut [f32],
) -> Vec<u32> {
    let mut filled = Vec::new();
    let mut rng = stream(seed, Purpose::Vessels, 0);
    let (low, high) = grid.world_bounds();
    let extent = (high.0 - low.0).max(DVec3::splat(grid.spacing_mm()[0]));
    let count = (strength * VESSELS_PER_MM3 * extent.x * extent.y * extent.z).min(MOST).round() as usize;
    for _ in 0..count {
        // Radii of cortical vessels on sections: most 8 to 20 um, few up to 60 um (Lauwers 2008).
        let radius_mm = 0.008 * (0.7 * normal(&mut rng).abs()).exp();
        let bright = uniform(&mut rng, [0.0, 1.0]) < 0.6;
        let value = if bright { outside + 0.1 * grey } else { (grey * uniform(&mut rng, [1.15, 1.6])).min(0.95) };
        let mut direction = DVec3::new(normal(&mut rng), normal(&mut rng), normal(&mut rng));
        if radius_mm > 0.012 {
            direction.z += 3.0 * direction.z.signum();
        }
        let start = low.0 + extent * DVec3::new(unit(&mut rng), unit(&mut rng), unit(&mut rng));
        let length_mm = uniform(&mut rng, [0.4, 2.5]);
        let points = walk(&mut rng, start, direction.normalize_or_zero(), length_mm, 0.1);
        draw(&Tube { points, radius_mm, absorbance: value }, grid, absorbance, |voxel| {
            if bright {
                filled.push(voxel as u32);
            }
        });
    }
    filled
}

fn unit(rng: &mut ChaCha8Rng) -> f64 {
    uniform(rng, [0.0, 1.0])
}

/// A path that slowly turns.
fn walk(rng: &mut ChaCha8Rng, start: DVec3, direction: DVec3, length_mm: f64, step_mm: f64) -> Vec<DVec3> {
    let mut points = vec![start];
    let (mut p, mut heading) = (start, direction);
    for _ in 0..(length_mm / step_mm) as usize {
        heading = (heading + 0.2 * DVec3::new(normal(rng), normal(rng), normal(rng))).normalize_or_zero();
        p += heading * step_mm;
        points.push(p);
    }
    points
}

/// Blends a tube into the voxels it touches; `filled` hears of those that it fills for the most part.
fn draw(tube: &Tube, grid: &Grid, absorbance: &mut [f32], mut filled: impl FnMut(usize)) {
    let spacing = grid.spacing_mm()[0];
    let reach = tube.radius_mm + spacing;
    for pair in tube.points.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        each_voxel(grid, a.min(b) - reach, a.max(b) + reach, |voxel, p| {
            let along = ((p - a).dot(b - a) / (b - a).length_squared().max(1e-12)).clamp(0.0, 1.0);
            let distance = p.distance(a.lerp(b, along));
            let near = (0.5 + (tube.radius_mm - distance) / spacing).clamp(0.0, 1.0);
            // A tube thinner than the voxel covers no more than its cross-section.
            let most = (4.0 * tube.radius_mm * tube.radius_mm / (spacing * spacing)).min(1.0);
            let share =
                if tube.radius_mm < spacing / 2.0 { most * (1.0 - distance / spacing).clamp(0.0, 1.0) } else { near }
                    as f32;
            absorbance[voxel] += share * (tube.absorbance as f32 - absorbance[voxel]);
            if share >= 0.5 {
                filled(voxel);
            }
        });
    }
}

/// Draws cracks: thin curved lenses in which the glass shows. Returns the voxels that they fill for the most part.
pub(crate) fn tears(seed: u64, strength: f64, grid: &Grid, outside: f64, absorbance: &mut [f32]) -> Vec<u32> {
    let mut rng = stream(seed, Purpose::Tears, 0);
    let (low, high) = grid.world_bounds();
    let extent = (high.0 - low.0).max(DVec3::splat(grid.spacing_mm()[0]));
    let spacing = grid.spacing_mm()[0];
    let count = (strength * extent.x * extent.y * extent.z / 60.0).min(MOST).round() as usize;
    let mut filled = Vec::new();
    for _ in 0..count {
        let centre = low.0 + extent * DVec3::new(unit(&mut rng), unit(&mut rng), unit(&mut rng));
        let normal_mm = DVec3::new(normal(&mut rng), normal(&mut rng), normal(&mut rng)).normalize_or_zero();
        let (side, other) = normal_mm.any_orthonormal_pair();
        let (long, short) = (uniform(&mut rng, [0.3, 1.6]), uniform(&mut rng, [0.1, 0.5]));
        let width = 0.02 * (0.7 * normal(&mut rng)).exp().min(5.0);
        let phase = uniform(&mut rng, [0.0, std::f64::consts::TAU]);
        each_voxel(grid, centre - long - width, centre + long + width, |voxel, p| {
            let q = p - centre;
            let (u, v) = (q.dot(side) / long, q.dot(other) / short);
            let bow = 0.15 * long * (2.5 * u + phase).sin();
            let half = width * (1.0 - u * u - v * v);
            if half > 0.0 {
                let share = (0.5 + (half - (q.dot(normal_mm) - bow).abs()) / spacing).clamp(0.0, 1.0);
                let share = share.min(2.0 * half / spacing) as f32;
                absorbance[voxel] += share * (outside as f32 - absorbance[voxel]);
                if share >= 0.5 {
                    filled.push(voxel as u32);
                }
            }
        });
    }
    filled
}

/// Calls `visit` with the index and world position of each voxel centre in a box of the world. The grids of this
/// crate have axes along the world's.
fn each_voxel(grid: &Grid, low: DVec3, high: DVec3, mut visit: impl FnMut(usize, DVec3)) {
    let [ni, nj, nk] = grid.shape();
    let from = grid.voxel_from_world(WorldPoint(low)).0.ceil().max(DVec3::ZERO);
    let to = grid.voxel_from_world(WorldPoint(high)).0.floor().min(DVec3::new(ni as f64, nj as f64, nk as f64) - 1.0);
    if from.cmpgt(to).any() {
        return;
    }
    let range = |axis: usize| from[axis] as usize..=to[axis] as usize;
    for k in range(2) {
        for j in range(1) {
            for i in range(0) {
                let p = grid.world_from_voxel(VoxelPoint::new(i as f64, j as f64, k as f64)).0;
                visit(i + ni * (j + nj * k), p);
            }
        }
    }
}
