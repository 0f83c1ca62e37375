//! A surface without any symmetry, so that a swapped or mirrored axis cannot go unseen.

#![allow(clippy::unwrap_used, reason = "the input is known")]

use brainmesh_core::{Structure, Surface, WorldPoint};
use glam::DVec3;
use std::collections::HashMap;

/// A closed surface around (20, -30, 10) mm: an octahedron divided twice, stretched differently along each axis and
/// bulged towards the right, anterior, superior. 66 vertices, 128 triangles. Coordinates are exact in float32.
pub fn lopsided() -> Surface {
    let mut points = vec![DVec3::X, DVec3::NEG_X, DVec3::Y, DVec3::NEG_Y, DVec3::Z, DVec3::NEG_Z];
    let mut triangles = vec![[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5u32]];
    for _ in 0..2 {
        let mut middle = HashMap::new();
        let mut divided = Vec::new();
        for [a, b, c] in triangles {
            let mut between = |u: u32, v: u32| {
                *middle.entry((u.min(v), u.max(v))).or_insert_with(|| {
                    points.push((points[u as usize] + points[v as usize]).normalize());
                    points.len() as u32 - 1
                })
            };
            let (ab, bc, ca) = (between(a, b), between(b, c), between(c, a));
            divided.extend([[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]);
        }
        triangles = divided;
    }
    let place = |p: DVec3| {
        let bulge = 1.0 + 0.3 * p.dot(DVec3::ONE.normalize()).max(0.0);
        let world = DVec3::new(20.0, -30.0, 10.0) + p * DVec3::new(40.0, 60.0, 35.0) * bulge;
        let [x, y, z] = world.to_array().map(|c| f64::from(c as f32));
        WorldPoint::new(x, y, z)
    };
    Surface::new(points.into_iter().map(place).collect(), triangles, Structure::CortexLeft).unwrap()
}
