//! What is meshed: labels like those of a head, a smooth field, and a folded sphere, all made here.

use super::icosphere::icosphere;
use brainmesh_core::{Surface, WorldPoint};
use glam::DVec3;
use rayon::prelude::*;

/// A radius that folds, as a cortex does: from the middle, in units of half the volume.
fn folds(p: DVec3) -> f64 {
    let n = p.normalize_or(DVec3::X);
    (17.0 * n.x + 2.0 * (9.0 * n.y).sin()).sin() * (15.0 * n.y + 3.0 * n.z).cos() * (13.0 * n.z).sin()
}

/// Distance from a place on the way out, in units of half the volume, where folds are `depth` deep.
fn from_shell(p: DVec3, radius: f64, depth: f64) -> f64 {
    p.length() - radius - depth * folds(p)
}

fn place(n: usize, size: usize) -> DVec3 {
    let half = size as f64 / 2.0;
    (DVec3::new((n % size) as f64, (n / size % size) as f64, (n / size / size) as f64) + 0.5 - half) / half
}

/// Head, skull, liquid, cortex and white matter of two sides, and four nuclei a side: 13 labels, `size` voxels an axis.
pub fn labels(size: usize) -> Vec<u8> {
    let label = |p: DVec3| {
        let side = u8::from(p.x > 0.0);
        if p.length() > 0.95 {
            return 0;
        }
        if p.length() > 0.90 {
            return 1;
        }
        if p.length() > 0.84 {
            return 2;
        }
        if p.x.abs() < 0.012 || from_shell(p, 0.72, 0.09) > 0.0 {
            return 3;
        }
        for (n, (y, z, r)) in
            [(0.1, 0.0, 0.12), (-0.1, 0.15, 0.08), (-0.3, -0.1, 0.07), (0.3, 0.1, 0.06)].iter().enumerate()
        {
            if (p - DVec3::new(p.x.signum() * 0.2, *y, *z)).length() < *r {
                return 6 + 2 * n as u8 + side;
            }
        }
        if from_shell(p, 0.68, 0.09) > 0.0 || p.x.abs() < 0.03 && p.length() > 0.3 { 4 + side } else { 14 + side }
    };
    (0..size * size * size).into_par_iter().map(|n| label(place(n, size))).collect()
}

/// A field above 0.5 inside a folded shell.
pub fn field(size: usize) -> Vec<f32> {
    (0..size * size * size)
        .into_par_iter()
        .map(|n| (1.0 / (1.0 + (from_shell(place(n, size), 0.72, 0.09) * 40.0).exp())) as f32)
        .collect()
}

/// A sphere of 60 mm with folds; level 7 has 163,842 vertices and 327,680 triangles.
pub fn folded_sphere(level: usize) -> Result<Surface, Box<dyn std::error::Error>> {
    let sphere = icosphere(level)?;
    let place = |v: &WorldPoint| WorldPoint(v.0 * (60.0 + 6.0 * folds(v.0)));
    Ok(sphere.with_vertices(sphere.vertices().iter().map(place).collect())?)
}
