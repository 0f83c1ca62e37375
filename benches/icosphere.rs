//! A sphere of even triangles, for benches.

use brainmesh_core::{Structure, Surface, WorldPoint};
use glam::DVec3;
use std::collections::HashMap;
use std::error::Error;

/// Radius 1; level 7 has 163,842 vertices and 327,680 triangles.
pub fn icosphere(level: usize) -> Result<Surface, Box<dyn Error>> {
    let phi = (1.0 + 5f64.sqrt()) / 2.0;
    let mut points: Vec<DVec3> = Vec::new();
    for (a, b) in [(-1.0, phi), (1.0, phi), (-1.0, -phi), (1.0, -phi)] {
        points.extend([DVec3::new(a, b, 0.0), DVec3::new(0.0, a, b), DVec3::new(b, 0.0, a)].map(DVec3::normalize));
    }
    // Faces of the icosahedron: triples at the shortest distance, wound outward.
    let near = |a: usize, b: usize| points[a].distance(points[b]) < 1.1;
    let mut triangles: Vec<[u32; 3]> = Vec::new();
    for a in 0..12 {
        for b in a + 1..12 {
            for c in b + 1..12 {
                if near(a, b) && near(b, c) && near(c, a) {
                    let outward = (points[b] - points[a]).cross(points[c] - points[a]).dot(points[a]) > 0.0;
                    triangles.push(if outward { [a, b, c] } else { [a, c, b] }.map(|v| v as u32));
                }
            }
        }
    }
    for _ in 0..level {
        let mut middles: HashMap<(u32, u32), u32> = HashMap::new();
        let mut next = Vec::with_capacity(triangles.len() * 4);
        for [a, b, c] in triangles {
            let mut middle = |u: u32, v: u32| {
                *middles.entry((u.min(v), u.max(v))).or_insert_with(|| {
                    points.push((points[u as usize] + points[v as usize]).normalize());
                    points.len() as u32 - 1
                })
            };
            let (ab, bc, ca) = (middle(a, b), middle(b, c), middle(c, a));
            next.extend([[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]);
        }
        triangles = next;
    }
    Ok(Surface::new(points.into_iter().map(WorldPoint).collect(), triangles, Structure::Unknown)?)
}
