//! Spheres, sheets and random numbers that several tests need.

use brainmesh_core::{Cancelled, Monitor, Ribbon, Structure, Surface, WorldPoint};
use brainmesh_meshing::Error;
use glam::DVec3;
use std::collections::HashMap;

/// An icosahedron, each triangle split in four `levels` times, pushed onto a sphere.
pub fn icosphere(levels: usize, radius_mm: f64) -> Surface {
    let phi = (1.0 + 5f64.sqrt()) / 2.0;
    let mut points: Vec<DVec3> = [
        (-1.0, phi, 0.0),
        (1.0, phi, 0.0),
        (-1.0, -phi, 0.0),
        (1.0, -phi, 0.0),
        (0.0, -1.0, phi),
        (0.0, 1.0, phi),
        (0.0, -1.0, -phi),
        (0.0, 1.0, -phi),
        (phi, 0.0, -1.0),
        (phi, 0.0, 1.0),
        (-phi, 0.0, -1.0),
        (-phi, 0.0, 1.0),
    ]
    .map(|(x, y, z)| DVec3::new(x, y, z).normalize())
    .to_vec();
    let mut triangles: Vec<[u32; 3]> = vec![
        [0, 11, 5],
        [0, 5, 1],
        [0, 1, 7],
        [0, 7, 10],
        [0, 10, 11],
        [1, 5, 9],
        [5, 11, 4],
        [11, 10, 2],
        [10, 7, 6],
        [7, 1, 8],
        [3, 9, 4],
        [3, 4, 2],
        [3, 2, 6],
        [3, 6, 8],
        [3, 8, 9],
        [4, 9, 5],
        [2, 4, 11],
        [6, 2, 10],
        [8, 6, 7],
        [9, 8, 1],
    ];
    for _ in 0..levels {
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
    let vertices = points.into_iter().map(|p| WorldPoint(p * radius_mm)).collect();
    Surface::new(vertices, triangles, Structure::Unknown).unwrap()
}

/// Two concentric spheres.
pub fn sphere_ribbon(levels: usize, pial_mm: f64, white_mm: f64) -> Ribbon {
    Ribbon::new(icosphere(levels, pial_mm), icosphere(levels, white_mm)).unwrap()
}

/// A flat sheet of `n` x `n` vertices, one every `step_mm`, at the height a function gives.
pub fn sheet(n: usize, step_mm: f64, height_mm: impl Fn(f64, f64) -> f64) -> Surface {
    let mut vertices = Vec::new();
    for j in 0..n {
        for i in 0..n {
            let (x, y) = (i as f64 * step_mm, j as f64 * step_mm);
            vertices.push(WorldPoint::new(x, y, height_mm(x, y)));
        }
    }
    let mut triangles = Vec::new();
    for j in 0..n as u32 - 1 {
        for i in 0..n as u32 - 1 {
            let v = i + j * n as u32;
            let up = v + n as u32;
            triangles.extend([[v, v + 1, up + 1], [v, up + 1, up]]);
        }
    }
    Surface::new(vertices, triangles, Structure::Unknown).unwrap()
}

/// Random numbers in [0, 1) (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// A monitor that asks to stop at once.
pub struct Stopped;

impl Monitor for Stopped {
    fn stage(&self, _name: &'static str, _total: u64) {}
    fn advance(&self, _steps: u64) {}
    fn is_cancelled(&self) -> bool {
        true
    }
}

pub fn assert_cancelled<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::Cancelled(Cancelled))), "{result:?}");
}

/// The same work with one thread and with four.
pub fn with_threads<T: PartialEq + std::fmt::Debug + Send>(work: impl Fn() -> T + Sync) {
    let run = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(&work);
    assert_eq!(run(1), run(4));
}
