use crate::support::{Random, with_threads};
use brainmesh_core::{Grid, RayDefect, RaySet, Silent, Volume, VoxelPoint, WorldPoint};
use brainmesh_meshing::{Brick, Error, RayInterpolation, SampleOptions, sample, sample_bricks, sample_values};
use glam::{DAffine3, DMat3, DVec3};
use std::collections::HashSet;

const SHAPE: [usize; 3] = [23, 31, 19];
const BOTH: [RayInterpolation; 2] = [RayInterpolation::Linear, RayInterpolation::Cubic];

fn grid() -> Grid {
    let turned = DMat3::from_rotation_y(0.4) * DMat3::from_diagonal(DVec3::new(0.7, 0.5, 0.9));
    Grid::new(SHAPE, DAffine3::from_mat3_translation(turned, DVec3::new(-3.0, 5.0, 2.0)), "scanner").unwrap()
}

fn volume(value: impl FnMut(VoxelPoint) -> f32) -> Volume<f32> {
    let [ni, nj, nk] = SHAPE;
    let voxels =
        (0..ni * nj * nk).map(|n| VoxelPoint::new((n % ni) as f64, (n / ni % nj) as f64, (n / ni / nj) as f64));
    Volume::new(grid(), voxels.map(value).collect()).unwrap()
}

fn noise() -> Volume<f32> {
    let mut random = Random(11);
    volume(|_| (random.uniform() * 1000.0 - 200.0) as f32)
}

/// Rays between random places at most `rim` voxels within (or, below 0, beyond) the outermost centres; some run along an axis
/// or through voxel centres.
fn rays(count: usize, rim: f64) -> RaySet {
    let mut random = Random(5);
    let mut end = |n: usize| {
        let p = SHAPE.map(|n| rim + random.uniform() * ((n - 1) as f64 - 2.0 * rim));
        DVec3::from_array(if n.is_multiple_of(3) { p.map(f64::round) } else { p })
    };
    let (mut outer, mut inner) = (Vec::new(), Vec::new());
    for n in 0..count {
        let (a, mut b) = (end(n), end(n));
        if n.is_multiple_of(5) {
            b = DVec3::new(a.x, if a.y < 15.0 { a.y + 6.5 } else { a.y - 7.0 }, a.z);
        }
        outer.push(grid().world_from_voxel(VoxelPoint(a)));
        inner.push(grid().world_from_voxel(VoxelPoint(b)));
    }
    RaySet::new(outer, inner, vec![0.0; count], vec![1.0; count]).unwrap()
}

fn options(samples: usize, interpolation: RayInterpolation) -> SampleOptions {
    SampleOptions { samples, interpolation, missing: None }
}

/// Weights of a sum over all voxels of an axis, as the definitions have them: hat and Keys' kernel (1981, eq. 15), with
/// coordinates held at the edge.
fn kernel(interpolation: RayInterpolation, distance: f64) -> f64 {
    let s = distance.abs();
    match interpolation {
        RayInterpolation::Linear => (1.0 - s).max(0.0),
        RayInterpolation::Cubic if s < 1.0 => 1.5 * s.powi(3) - 2.5 * s.powi(2) + 1.0,
        RayInterpolation::Cubic if s < 2.0 => -0.5 * s.powi(3) + 2.5 * s.powi(2) - 4.0 * s + 2.0,
        RayInterpolation::Cubic => 0.0,
    }
}

fn by_definition(volume: &Volume<f32>, interpolation: RayInterpolation, p: VoxelPoint) -> f64 {
    let p = p.0.to_array();
    let mut sum = 0.0;
    let around = |axis: usize| {
        let at = p[axis].clamp(0.0, (SHAPE[axis] - 1) as f64);
        let near = at.floor() as i64;
        (near - 2..=near + 3)
            .map(move |n| (n.clamp(0, SHAPE[axis] as i64 - 1) as usize, kernel(interpolation, at - n as f64)))
    };
    for (k, wk) in around(2) {
        for (j, wj) in around(1) {
            for (i, wi) in around(0) {
                sum += wi * wj * wk * f64::from(volume.get(i, j, k).unwrap());
            }
        }
    }
    sum
}

#[test]
fn every_sample_is_what_the_definition_gives() {
    let volume = noise();
    let rays = rays(300, -0.45);
    for interpolation in BOTH {
        for samples in [2, 7, 200] {
            let mut defects = vec![None; rays.len()];
            let values = sample(&volume, &rays, &options(samples, interpolation), &mut defects, &Silent).unwrap();
            assert!(defects.iter().all(Option::is_none));
            for ((ray, i), value) in values.indexed_iter() {
                let p = volume.grid().voxel_from_world(rays.point(ray, RaySet::t_of_sample(i as f64, samples)));
                let expected = by_definition(&volume, interpolation, p);
                // Half a unit of the last place of a float of 1000 is 3e-5.
                assert!((f64::from(*value) - expected).abs() < 1e-4, "{interpolation:?} {p:?}: {value} {expected}");
            }
        }
    }
}

#[test]
fn cubic_convolution_is_exact_for_quadratics() {
    let field = |p: DVec3| 0.3 * p.x * p.x - 0.2 * p.y * p.z + p.z * p.z - 4.0 * p.x + 7.0;
    let volume = volume(|p| field(p.0) as f32);
    let rays = rays(100, 1.0);
    let mut defects = vec![None; rays.len()];
    let values = sample(&volume, &rays, &options(50, BOTH[1]), &mut defects, &Silent).unwrap();
    for ((ray, i), value) in values.indexed_iter() {
        let p = volume.grid().voxel_from_world(rays.point(ray, i as f64 / 49.0)).0;
        assert!((f64::from(*value) - field(p)).abs() < 1e-3, "{p}: {value} {}", field(p));
    }
}

#[test]
fn neither_threads_nor_bricks_change_a_bit() {
    let mut volume = noise();
    let place = |i: usize, j: usize, k: usize| i + SHAPE[0] * (j + SHAPE[1] * k);
    volume.data_mut()[place(11, 15, 9)] = f32::NAN;
    volume.data_mut()[place(4, 20, 6)] = f32::INFINITY;
    volume.data_mut()[place(16, 8, 12)] = 65535.0;
    // Some leave the volume.
    let rays = rays(400, -1.0);
    for interpolation in BOTH {
        let options = SampleOptions { missing: Some(65535.0), ..options(60, interpolation) };
        let start: Vec<_> = (0..rays.len()).map(|ray| (ray == 7).then_some(RayDefect::Masked)).collect();
        let bits = || {
            let mut defects = start.clone();
            let values = sample(&volume, &rays, &options, &mut defects, &Silent).unwrap();
            (values.mapv(f32::to_bits), defects)
        };
        with_threads(bits);
        let (whole, expected) = bits();
        for kind in [RayDefect::OutsideVolume, RayDefect::NotFinite, RayDefect::NoTissue, RayDefect::Masked] {
            assert!(expected.contains(&Some(kind)), "{kind:?}");
        }
        for brick in [[1, 40, 3], [8, 8, 8], [23, 31, 2], [0, 100, 100]] {
            let mut read = HashSet::new();
            let mut defects = start.clone();
            let values = sample_bricks::<Error>(&grid(), brick, &rays, &options, &mut defects, &Silent, |brick| {
                assert!(read.insert(brick.clone()), "{brick:?} is read twice");
                Ok(part(&volume, brick))
            })
            .unwrap();
            assert_eq!(defects, expected);
            assert!(values.mapv(f32::to_bits) == whole, "{interpolation:?} {brick:?}");
        }
    }
}

fn part(volume: &Volume<f32>, [i, j, k]: &Brick) -> Vec<f32> {
    let rows = k.clone().flat_map(|k| j.clone().map(move |j| (j, k)));
    rows.flat_map(|(j, k)| i.clone().map(move |i| volume.get(i, j, k).unwrap())).collect()
}

#[test]
fn only_bricks_that_rays_pass_are_read() {
    let volume = noise();
    let line = |p: [f64; 3]| vec![volume.grid().world_from_voxel(VoxelPoint(DVec3::from_array(p)))];
    let rays = RaySet::new(line([2.0, 3.0, 4.0]), line([2.0, 9.5, 4.0]), vec![0.0], vec![1.0]).unwrap();
    let mut read = Vec::new();
    let chosen = options(20, RayInterpolation::Linear);
    sample_bricks::<Error>(&grid(), [8; 3], &rays, &chosen, &mut [None], &Silent, |brick| {
        read.push(brick.clone());
        Ok(part(&volume, brick))
    })
    .unwrap();
    assert_eq!(read, [[0..9, 0..9, 0..9], [0..9, 8..17, 0..9]]);
}

#[test]
fn what_a_reader_reports_is_passed_on() {
    #[derive(Debug, PartialEq)]
    struct Broken(String);
    impl From<Error> for Broken {
        fn from(error: Error) -> Self {
            Self(error.to_string())
        }
    }
    let chosen = options(20, RayInterpolation::Linear);
    let run = |read: fn(&Brick) -> Result<Vec<f32>, Broken>| {
        sample_bricks(&grid(), [8; 3], &rays(10, 0.0), &chosen, &mut [None; 10], &Silent, read)
    };
    assert_eq!(run(|_| Err(Broken("disk".into()))), Err(Broken("disk".into())));
    let Err(Broken(short)) = run(|_| Ok(vec![0.0])) else { panic!("a short brick is taken") };
    assert!(short.contains("values of a brick"), "{short}");
}

#[test]
fn stored_integers_are_sampled_as_they_are() {
    let mut random = Random(2);
    let [ni, nj, nk] = SHAPE;
    let stored: Vec<u8> = (0..ni * nj * nk).map(|_| (random.uniform() * 256.0) as u8).collect();
    let volume = Volume::new(grid(), stored.iter().map(|&v| f32::from(v)).collect()).unwrap();
    let rays = rays(50, 0.0);
    for interpolation in BOTH {
        let chosen = options(30, interpolation);
        let real = sample(&volume, &rays, &chosen, &mut [None; 50], &Silent).unwrap();
        assert_eq!(sample_values(&grid(), &stored, &rays, &chosen, &mut [None; 50], &Silent).unwrap(), real);
        assert!(sample_values(&grid(), &stored[1..], &rays, &chosen, &mut [None; 50], &Silent).is_err());
    }
}

#[test]
fn a_slice_and_a_ray_of_no_length_are_sampled() {
    let flat = Grid::new([3, 3, 1], DAffine3::IDENTITY, "scanner").unwrap();
    let volume = Volume::new(flat, (0..9).map(|v| v as f32).collect()).unwrap();
    let (a, b) = (WorldPoint::new(0.0, 0.5, 0.2), WorldPoint::new(2.0, 0.5, -0.4));
    let rays = RaySet::new(vec![a, a], vec![b, a], vec![0.0; 2], vec![1.0; 2]).unwrap();
    let mut defects = vec![None; 2];
    let values = sample(&volume, &rays, &options(3, RayInterpolation::Linear), &mut defects, &Silent).unwrap();
    assert_eq!(values.row(0).to_vec(), [1.5, 2.5, 3.5]);
    assert_eq!(defects, [None, Some(RayDefect::NoTissue)]);
}
