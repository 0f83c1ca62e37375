//! A made cortex of any number of vertices, for benches.

use brainmesh_core::{Ribbon, WorldPoint};
use glam::DVec3;
use icosphere::icosphere;
use std::error::Error;

#[path = "icosphere.rs"]
mod icosphere;

/// A sphere of 50 mm whose radius waves by 9 mm, and the surface 2.5 mm below it along its normals.
pub fn folded_ribbon(level: usize) -> Result<Ribbon, Box<dyn Error>> {
    let sphere = icosphere(level)?;
    let wave = |p: DVec3| 50.0 + 3.0 * ((p.x * 14.0).sin() * (p.y * 12.0).cos() + (p.z * 13.0).sin() - 1.0);
    let outer = sphere.vertices().iter().map(|v| WorldPoint(v.0 * wave(v.0))).collect();
    let pial = sphere.with_vertices(outer)?;
    let normals = pial.vertex_normals();
    let inner = pial.vertices().iter().zip(normals).map(|(v, n)| WorldPoint(v.0 - n * 2.5)).collect();
    let white = pial.with_vertices(inner)?;
    Ok(Ribbon::new(pial, white)?)
}
