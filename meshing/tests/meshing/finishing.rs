//! Smoothing and decimation of one surface.

use crate::support::{Random, Stopped, assert_cancelled, icosphere, sheet, with_threads};
use brainmesh_core::{Silent, Structure, Surface, WorldPoint};
use brainmesh_meshing::{DecimateOptions, SurfaceSmoother, decimate, unpaired_sides};
use std::f64::consts::PI;

const RADIUS: f64 = 30.0;

fn smooth(surface: &Surface, iterations: usize) -> Surface {
    let mut smoother = SurfaceSmoother::new(surface);
    smoother.run(iterations, &Silent).unwrap();
    smoother.surface().unwrap()
}

/// A sphere whose vertices lie up to 0.1 mm off, the edges being 0.5 mm long.
fn rough(seed: u64) -> Surface {
    let sphere = icosphere(6, RADIUS);
    let mut random = Random(seed);
    let off = |v: &WorldPoint| WorldPoint(v.0 * (1.0 + (random.uniform() - 0.5) * 0.2 / RADIUS));
    sphere.with_vertices(sphere.vertices().iter().map(off).collect()).unwrap()
}

fn roughness(surface: &Surface) -> f64 {
    let squares = surface.vertices().iter().map(|v| (v.0.length() - RADIUS).powi(2));
    (squares.sum::<f64>() / surface.vertices().len() as f64).sqrt()
}

#[test]
fn a_sphere_becomes_smooth_and_keeps_its_volume() {
    let surface = rough(1);
    let found = smooth(&surface, 20);
    let ball = 4.0 / 3.0 * PI * RADIUS.powi(3);
    assert!((found.signed_volume_mm3() / ball - 1.0).abs() < 0.001);
    // Faces are flatter than the sphere by no more than this.
    assert!((found.area_mm2() / (4.0 * PI * RADIUS * RADIUS) - 1.0).abs() < 0.002);
    assert!(roughness(&found) < 0.5 * roughness(&surface), "{} {}", roughness(&found), roughness(&surface));
    assert_eq!(found.triangles(), surface.triangles());
    with_threads(|| smooth(&surface, 3));
    assert_cancelled(SurfaceSmoother::new(&surface).run(1, &Stopped));
}

#[test]
fn borders_stay_where_they_are() {
    let mut random = Random(2);
    let bumps: Vec<f64> = (0..441).map(|_| random.uniform()).collect();
    let surface = sheet(21, 1.0, |x, y| bumps[x as usize + 21 * y as usize]);
    let found = smooth(&surface, 20);
    let mut moved = 0;
    for (before, after) in surface.vertices().iter().zip(found.vertices()) {
        let on_border = [before.0.x, before.0.y].iter().any(|c| *c == 0.0 || *c == 20.0);
        // Positions are kept as f32.
        assert!(!on_border || before.distance_mm(*after) < 1e-5);
        moved += usize::from(before.distance_mm(*after) > 0.1);
    }
    assert!(moved > 200);
}

#[test]
fn a_tenth_of_the_triangles_is_still_a_sphere() {
    let surface = icosphere(6, RADIUS);
    let target = surface.triangles().len() / 10;
    let options = DecimateOptions { target_triangles: target, max_error_mm: f64::INFINITY, lock_borders: false };
    let thin = decimate(&surface, &options).unwrap();
    assert!(thin.surface.triangles().len() <= target);
    assert_eq!(unpaired_sides(thin.surface.triangles()), 0);
    assert_eq!(thin.surface.euler_characteristic(), 2);
    // Even triangles would have edges of 1.8 mm, 0.018 mm below the sphere in their middle; vertices lie as far above at best.
    assert!(thin.surface.vertices().iter().all(|v| (v.0.length() - RADIUS).abs() < 3.0 * 0.018));
    assert!((thin.surface.signed_volume_mm3() / surface.signed_volume_mm3() - 1.0).abs() < 0.001);
    assert!(thin.error_mm > 0.0 && thin.error_mm < 0.05, "{}", thin.error_mm);
}

/// Cause: a speck beside a large part vanished without a word, and alone left a surface without vertices, an error.
#[test]
fn no_part_vanishes() {
    let octahedron = |center: [f64; 3], radius: f64| {
        icosphere(0, radius)
            .vertices()
            .iter()
            .map(move |v| WorldPoint::new(v.0.x + center[0], v.0.y + center[1], v.0.z + center[2]))
            .collect::<Vec<_>>()
    };
    let large = icosphere(4, RADIUS);
    let speck = icosphere(0, 1.0);
    let offset = large.vertices().len() as u32;
    let vertices = large.vertices().iter().copied().chain(octahedron([3.0 * RADIUS, 0.0, 0.0], 1.0)).collect();
    let triangles = large.triangles().iter().copied().chain(speck.triangles().iter().map(|t| t.map(|v| v + offset)));
    let both = Surface::new(vertices, triangles.collect(), Structure::Unknown).unwrap();
    let options = DecimateOptions { target_triangles: 60, max_error_mm: f64::INFINITY, lock_borders: false };
    let thin = decimate(&both, &options).unwrap().surface;
    assert_eq!(thin.euler_characteristic(), 4);
    let beyond = thin.vertices().iter().filter(|v| v.0.x > 2.0 * RADIUS).count();
    assert!(beyond >= 4 && thin.triangles().len() < 100, "{beyond} {}", thin.triangles().len());
    let alone = decimate(&speck, &DecimateOptions { target_triangles: 0, ..options }).unwrap().surface;
    assert_eq!(alone.euler_characteristic(), 2);
}

#[test]
fn decimation_stops_at_an_error_and_keeps_borders() {
    let surface = icosphere(5, RADIUS);
    let none = DecimateOptions { target_triangles: 4, max_error_mm: 0.1, lock_borders: false };
    let thin = decimate(&surface, &none).unwrap();
    assert!(thin.error_mm <= 0.1 && (100..surface.triangles().len() / 2).contains(&thin.surface.triangles().len()));

    let bumpy = sheet(41, 1.0, |x, y| (x / 5.0).sin() + (y / 7.0).cos());
    let options = DecimateOptions { target_triangles: 400, max_error_mm: f64::INFINITY, lock_borders: true };
    let thin = decimate(&bumpy, &options).unwrap().surface;
    let border = |s: &Surface| {
        let edge = |c: f64| !(1e-5..=40.0 - 1e-5).contains(&c);
        let mut places: Vec<[i64; 2]> = s
            .vertices()
            .iter()
            .filter(|v| edge(v.0.x) || edge(v.0.y))
            .map(|v| [v.0.x, v.0.y].map(|c| c.round() as i64))
            .collect();
        places.sort_unstable();
        places
    };
    assert_eq!(border(&thin), border(&bumpy));
    for bad in [0.0, -1.0, f64::NAN] {
        assert!(decimate(&surface, &DecimateOptions { max_error_mm: bad, ..options }).is_err());
    }
}
