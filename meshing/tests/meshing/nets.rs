//! Surfaces of labels and isosurfaces against shapes whose volume, area and topology are known.

use crate::support::{Random, Stopped, assert_cancelled, with_threads};
use brainmesh_core::{Grid, Silent, Surface};
use brainmesh_meshing::{Interfaces, Isosurface, LabelValue, SurfaceNets, unpaired_sides};
use glam::{DAffine3, DMat3, DVec3};
use std::f64::consts::PI;

fn grid(shape: [usize; 3], world_from_voxel: DAffine3) -> Grid {
    Grid::new(shape, world_from_voxel, "scanner").unwrap()
}

fn fill<T>([ni, nj, nk]: [usize; 3], value: impl Fn(DVec3) -> T) -> Vec<T> {
    let at = |n: usize| DVec3::new((n % ni) as f64, (n / ni % nj) as f64, (n / ni / nj) as f64);
    (0..ni * nj * nk).map(|n| value(at(n))).collect()
}

fn extract<L: LabelValue>(grid: &Grid, labels: &[L], planes: usize) -> Interfaces<L> {
    let mut nets = SurfaceNets::new(grid.clone());
    for slab in labels.chunks(planes * grid.shape()[0] * grid.shape()[1]) {
        nets.push(slab, &Silent).unwrap();
    }
    nets.finish(&Silent).unwrap()
}

fn whole<L: LabelValue>(grid: &Grid, labels: &[L]) -> Interfaces<L> {
    extract(grid, labels, grid.shape()[2])
}

fn isosurface(grid: &Grid, values: &[f32], isovalue: f32, planes: usize) -> Surface {
    let mut isosurface = Isosurface::new(grid.clone(), isovalue);
    for slab in values.chunks(planes * grid.shape()[0] * grid.shape()[1]) {
        isosurface.push(slab, &Silent).unwrap();
    }
    isosurface.finish(&Silent).unwrap()
}

fn assert_closed(surface: &Surface) {
    assert_eq!(unpaired_sides(surface.triangles()), 0);
    assert!(surface.signed_volume_mm3() > 0.0, "wound inward");
}

fn near(found: f64, expected: f64, share: f64) {
    assert!((found / expected - 1.0).abs() < share, "{found} is not within {share} of {expected}");
}

const RADIUS: f64 = 20.0;
const MIDDLE: DVec3 = DVec3::new(24.3, 23.6, 24.9);

#[test]
fn a_labelled_sphere() {
    let grid = grid([50; 3], DAffine3::from_scale(DVec3::splat(0.5)));
    let labels = fill(grid.shape(), |p| u8::from(p.distance(MIDDLE) < RADIUS) * 9);
    let voxels = labels.iter().filter(|&&l| l == 9).count() as f64;
    let mut interfaces = whole(&grid, &labels);
    assert_eq!(interfaces.labels(), [9]);
    interfaces.relax(20, &Silent).unwrap();
    let surface = interfaces.surface(9).unwrap();
    assert_closed(&surface);
    assert_eq!(surface.euler_characteristic(), 2);
    // Corners are cut off inwards and outwards alike; the voxels themselves hold the volume of the ball to 0.1 %.
    let ball = 4.0 / 3.0 * PI * (RADIUS / 2.0).powi(3);
    near(voxels / 8.0, ball, 0.002);
    near(surface.signed_volume_mm3(), ball, 0.005);
    near(surface.area_mm2(), 4.0 * PI * (RADIUS / 2.0).powi(2), 0.02);
    // Vertices were within half the diagonal of a cell and stay in it; most steps of voxels are smoothed away.
    let off: Vec<f64> =
        surface.vertices().iter().map(|v| (v.0.distance(MIDDLE / 2.0) - RADIUS / 2.0).abs() / 0.5).collect();
    let rms = (off.iter().map(|d| d * d).sum::<f64>() / off.len() as f64).sqrt();
    assert!(rms < 0.2 && off.iter().all(|d| *d < 0.75_f64.sqrt()));
}

#[test]
fn an_isosurface_lies_where_the_value_is() {
    let grid = grid([50; 3], DAffine3::IDENTITY);
    let values = fill(grid.shape(), |p| (100.0 - p.distance(MIDDLE)) as f32);
    let surface = isosurface(&grid, &values, 80.0, 50);
    assert_closed(&surface);
    assert_eq!(surface.euler_characteristic(), 2);
    near(surface.signed_volume_mm3(), 4.0 / 3.0 * PI * RADIUS.powi(3), 0.003);
    near(surface.area_mm2(), 4.0 * PI * RADIUS.powi(2), 0.01);
    for v in surface.vertices() {
        assert!((v.0.distance(MIDDLE) - RADIUS).abs() < 0.03);
    }
    assert_eq!(surface, isosurface(&grid, &values, 80.0, 1));
    assert_eq!(surface, isosurface(&grid, &values, 80.0, 7));
}

#[test]
fn voxels_that_have_the_value_and_voxels_without_one() {
    let shape = [12; 3];
    // Whole numbers along an axis: the surface passes through voxel centres.
    let values = fill(shape, |p| p.x as f32);
    let surface = isosurface(&grid(shape, DAffine3::IDENTITY), &values, 5.0, 12);
    assert_closed(&surface);
    near(surface.signed_volume_mm3(), 6.5 * 144.0, 0.05); // less what is cut off at the edges of the volume
    let lowest = surface.vertices().iter().map(|v| v.0.x).fold(f64::INFINITY, f64::min);
    assert!((lowest - 5.0).abs() < 0.02);
    let holes = fill(shape, |p| if p.y < 3.0 { f32::NAN } else { f32::INFINITY });
    let surface = isosurface(&grid(shape, DAffine3::IDENTITY), &holes, 0.0, 5);
    assert_closed(&surface);
    near(surface.signed_volume_mm3(), 9.0 * 144.0, 0.05);
}

#[test]
fn a_torus_has_a_hole() {
    let grid = grid([64, 64, 32], DAffine3::IDENTITY);
    let (far, thick) = (20.0, 8.0);
    let labels = fill(grid.shape(), |p| {
        let p = p - DVec3::new(31.4, 31.7, 15.6);
        u16::from(DVec3::new(p.x.hypot(p.y) - far, p.z, 0.0).length() < thick)
    });
    let surface = whole(&grid, &labels).surface(1).unwrap();
    assert_closed(&surface);
    assert_eq!(surface.euler_characteristic(), 0);
    near(surface.signed_volume_mm3(), 2.0 * PI * PI * far * thick * thick, 0.01);
}

/// Three wedges of a cylinder that meet along its axis.
fn wedges(shape: [usize; 3]) -> Vec<u8> {
    let middle = DVec3::new((shape[0] as f64 - 1.0) / 2.0, (shape[1] as f64 - 1.0) / 2.0, 0.0);
    fill(shape, |p| {
        let p = p - middle;
        if p.x.hypot(p.y) > 14.0 { 0 } else { 1 + ((p.y.atan2(p.x) / (2.0 * PI) + 0.5) * 3.0).min(2.0) as u8 }
    })
}

#[test]
fn labels_that_meet_share_their_faces() {
    let shape = [32, 32, 20];
    let grid = grid(shape, DAffine3::IDENTITY);
    let labels = wedges(shape);
    let mut interfaces = whole(&grid, &labels);
    interfaces.relax(12, &Silent).unwrap();
    assert_eq!(interfaces.labels(), [1, 2, 3]);
    let surfaces = interfaces.surfaces(&[1, 2, 3], &Silent).unwrap();
    let whole_labels: Vec<u8> = labels.iter().map(|&l| u8::from(l > 0)).collect();
    let mut total = 0.0;
    for (surface, label) in surfaces.iter().zip(1u8..) {
        assert_closed(surface);
        assert_eq!(surface.euler_characteristic(), 2);
        assert_eq!(*surface, interfaces.surface(label).unwrap());
        total += surface.signed_volume_mm3();
    }
    // Triangles between two labels are the same triangles, so volumes add up exactly to that of the outside.
    let mut outside = 0.0;
    let places = |s: &Surface, t: usize| {
        let mut corners = s.corners(t).map(|c| c.to_array().map(f64::to_bits));
        corners.sort_unstable();
        corners
    };
    let mut times = std::collections::HashMap::new();
    for surface in &surfaces {
        for t in 0..surface.triangles().len() {
            *times.entry(places(surface, t)).or_insert(0) += 1;
        }
    }
    assert!(times.values().all(|&n| n <= 2) && times.values().any(|&n| n == 2));
    for surface in &surfaces {
        for t in (0..surface.triangles().len()).filter(|&t| times[&places(surface, t)] == 1) {
            let [a, b, c] = surface.corners(t);
            outside += a.dot(b.cross(c)) / 6.0;
        }
    }
    near(total, outside, 1e-12);
    near(total, whole_labels.iter().filter(|&&l| l > 0).count() as f64, 0.03);
}

#[test]
fn noise_is_closed_with_two_triangles_at_every_edge() {
    let shape = [14, 13, 12];
    let grid = grid(shape, DAffine3::IDENTITY);
    for (seed, labels) in [(1, 2), (2, 2), (3, 3), (4, 5)] {
        let mut random = Random(seed);
        let volume: Vec<u8> = (0..grid.voxel_count()).map(|_| (random.uniform() * f64::from(labels)) as u8).collect();
        let mut interfaces = whole(&grid, &volume);
        for iterations in [0, 8] {
            interfaces.relax(iterations, &Silent).unwrap();
            for label in interfaces.labels() {
                let surface = interfaces.surface(label).unwrap();
                assert_eq!(unpaired_sides(surface.triangles()), 0, "label {label}, seed {seed}");
                assert_eq!(vertices_with_two_fans(&surface), 0);
            }
        }
    }
}

/// Vertices around which the triangles are not one ring.
fn vertices_with_two_fans(surface: &Surface) -> usize {
    let mut next: Vec<Vec<(u32, u32)>> = vec![Vec::new(); surface.vertices().len()];
    for &[a, b, c] in surface.triangles() {
        next[a as usize].push((b, c));
        next[b as usize].push((c, a));
        next[c as usize].push((a, b));
    }
    let is_ring = |ring: &Vec<(u32, u32)>| {
        let (mut at, mut steps) = (ring[0].0, 0);
        while let Some(&(_, to)) = ring.iter().find(|(from, _)| *from == at) {
            (at, steps) = (to, steps + 1);
            if at == ring[0].0 || steps > ring.len() {
                break;
            }
        }
        steps == ring.len()
    };
    next.iter().filter(|ring| !is_ring(ring)).count()
}

#[test]
fn voxels_that_touch_at_an_edge_are_two() {
    let shape = [2, 2, 1];
    let surface = whole(&grid(shape, DAffine3::IDENTITY), &[1u8, 0, 0, 1]).surface(1).unwrap();
    assert_closed(&surface);
    assert_eq!(surface.euler_characteristic(), 4);
    let corner = whole(&grid([2; 3], DAffine3::IDENTITY), &[1u8, 0, 0, 0, 0, 0, 0, 1]).surface(1).unwrap();
    assert_closed(&corner);
    assert_eq!(corner.euler_characteristic(), 4);
}

#[test]
fn sheared_and_mirrored_grids_keep_volume_and_outside() {
    let shape = [50; 3];
    let labels = fill(shape, |p| u8::from(p.distance(MIDDLE) < RADIUS));
    let plain = whole(&grid(shape, DAffine3::IDENTITY), &labels).surface(1).unwrap();
    let matrices = [
        DMat3::from_cols(DVec3::new(-0.7, 0.0, 0.0), DVec3::new(0.0, 0.9, 0.0), DVec3::new(0.0, 0.0, 1.3)),
        DMat3::from_cols(DVec3::new(0.0, 0.6, 0.0), DVec3::new(0.5, 0.0, 0.1), DVec3::new(0.2, 0.3, 1.0)),
        DMat3::from_cols(DVec3::new(1.0, 0.0, 0.0), DVec3::new(0.3, 1.0, 0.0), DVec3::new(0.0, 0.4, 2.0)),
    ];
    for matrix in matrices {
        let affine = DAffine3::from_mat3_translation(matrix, DVec3::new(-40.0, 3.0, 17.0));
        let surface = whole(&grid(shape, affine), &labels).surface(1).unwrap();
        assert_closed(&surface);
        near(surface.signed_volume_mm3(), plain.signed_volume_mm3() * matrix.determinant().abs(), 1e-9);
        for (v, p) in surface.vertices().iter().zip(plain.vertices()) {
            assert!(v.0.distance(affine.transform_point3(p.0)) < 1e-9);
        }
    }
}

#[test]
fn slabs_and_threads_change_nothing() {
    let shape = [33, 20, 41];
    let grid = grid(shape, DAffine3::IDENTITY);
    let mut random = Random(7);
    let noise: Vec<f64> = (0..grid.voxel_count()).map(|_| random.uniform()).collect();
    let labels: Vec<u32> = fill(shape, |p| p.distance(DVec3::new(16.0, 9.0, 20.0)))
        .iter()
        .zip(noise)
        .map(|(&r, noise)| if r + 3.0 * noise > 15.0 { 0 } else { 70_000 + (r / 4.0 + noise) as u32 })
        .collect();
    let surfaces = |planes: usize| {
        let mut interfaces = extract(&grid, &labels, planes);
        interfaces.relax(5, &Silent).unwrap();
        interfaces.surfaces(&interfaces.labels(), &Silent).unwrap()
    };
    let expected = surfaces(41);
    assert!(expected.len() > 2);
    for planes in [1, 2, 3, 8, 40] {
        assert_eq!(surfaces(planes), expected, "{planes} planes a slab");
    }
    with_threads(|| surfaces(41));
}

#[test]
fn the_border_of_the_volume_is_closed() {
    let shape = [5, 6, 7];
    let surface = whole(&grid(shape, DAffine3::IDENTITY), &[3u8; 210]).surface(3).unwrap();
    assert_closed(&surface);
    assert_eq!(surface.euler_characteristic(), 2);
    // A box whose edges are cut: a vertex there lies at (0.25, 0.25) rather than (0.5, 0.5), its neighbours at (-0.5, 0.5) and
    // (0.5, -0.5), which is a quarter less for each mm of edge.
    near(surface.signed_volume_mm3(), 210.0 - 0.25 * 4.0 * (5.0 + 6.0 + 7.0), 0.02);
}

#[test]
fn what_cannot_be_meshed_is_refused() {
    let of = |shape| SurfaceNets::<u8>::new(grid(shape, DAffine3::IDENTITY));
    let mut nets = of([2, 2, 2]);
    assert!(nets.push(&[1; 3], &Silent).is_err(), "no whole plane");
    assert!(nets.push(&[1; 12], &Silent).is_err(), "three planes of two");
    nets.push(&[1; 4], &Silent).unwrap();
    assert!(nets.finish(&Silent).unwrap_err().to_string().contains("planes of labels"));
    let mut empty = of([2, 2, 1]);
    empty.push(&[0; 4], &Silent).unwrap();
    assert!(empty.finish(&Silent).unwrap_err().to_string().contains("other than background"));
    assert_cancelled(of([2, 2, 1]).push(&[1; 4], &Stopped));
    let interfaces = whole(&grid([1, 1, 1], DAffine3::IDENTITY), &[1u8]);
    assert!(interfaces.surface(2).is_err());
    assert_cancelled(interfaces.clone().relax(1, &Stopped));
}
