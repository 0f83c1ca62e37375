//! One phantom without any symmetry, in every format, has equal intensities at equal points of the world.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use brainmesh_core::{Grid, Silent, Volume, VoxelPoint, WorldPoint};
use brainmesh_formats::{VolumeFormat, VolumeOptions, read_volume, write_volume};
use glam::{DAffine3, DMat3, DVec3};
use std::path::{Path, PathBuf};

const SHAPE: [usize; 3] = [7, 6, 5];

/// The files, whose generator and program differ for each.
fn files() -> [PathBuf; 10] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/agree");
    let names = ["phantom.nii.gz", "phantom-minc1.mnc", "phantom-minc2.mnc", "dicom"];
    let more = ["phantom.mgz", "phantom-pynrrd.nrrd", "phantom-itk.nhdr", "phantom.mha"];
    let microscopes = ["phantom.ome.zarr", "phantom.ome.tif"];
    let mut names = names.into_iter().chain(more).chain(microscopes);
    std::array::from_fn(|_| folder.join(names.next().unwrap()))
}

/// The phantom of `make_agreeing_volumes.py`: its voxels' world points (RAS mm) and intensities.
fn phantom() -> Vec<(WorldPoint, f64)> {
    let (a, b) = (25f64.to_radians(), -40f64.to_radians());
    let along_i = 0.9 * DVec3::new(a.cos(), a.sin(), 0.0);
    let along_j = 1.25 * DVec3::new(-a.sin() * b.cos(), a.cos() * b.cos(), b.sin());
    let along_k = along_i.cross(along_j).normalize() * 2.5 + along_j * 0.3;
    let mut voxels = Vec::new();
    for k in 0..SHAPE[2] {
        for j in 0..SHAPE[1] {
            for i in 0..SHAPE[0] {
                let p = along_i * i as f64 + along_j * j as f64 + along_k * k as f64;
                let product = if k == 2 { 13 * i * j } else { 0 };
                let value = 10 + i + 11 * j + 101 * k + product;
                voxels.push((WorldPoint(DVec3::new(-17.25, 30.5, 4.75) + p), value as f64));
            }
        }
    }
    voxels
}

fn assert_holds_phantom(volume: &Volume<f32>, name: &str) {
    assert_eq!(volume.data().len(), SHAPE.iter().product::<usize>(), "{name}");
    for (point, value) in phantom() {
        let VoxelPoint(voxel) = volume.grid().voxel_from_world(point);
        let nearest = voxel.round();
        assert!((voxel - nearest).length() < 1e-4, "{name}: {point:?} is at {voxel}");
        let [i, j, k] = nearest.to_array().map(|c| c as usize);
        let found = f64::from(volume.get(i, j, k).unwrap());
        assert!((found - value).abs() < 1e-3, "{name} at {point:?}: {value} expected, {found} found");
    }
}

#[test]
fn every_format_holds_the_phantom() {
    for path in files() {
        assert_holds_phantom(&read_volume(&path).unwrap(), &path.display().to_string());
    }
}

#[test]
fn what_any_format_held_a_written_nifti_holds_too() {
    let folder = tempfile::tempdir().unwrap();
    for (n, path) in files().iter().enumerate() {
        let copy = folder.path().join(format!("{n}.nii.gz"));
        write_volume(&copy, &read_volume(path).unwrap()).unwrap();
        assert_holds_phantom(&read_volume(&copy).unwrap(), &path.display().to_string());
    }
}

/// The permutations of the axes with all flips of each: the 48 ways to store one volume.
fn orientations() -> Vec<([usize; 3], [bool; 3])> {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let flips = (0..8).map(|n| [n & 1 != 0, n & 2 != 0, n & 4 != 0]);
    orders.into_iter().flat_map(|order| flips.clone().map(move |flip| (order, flip))).collect()
}

/// The phantom stored so that axis `n` runs along its axis `order[n]`, backwards where `flip[n]`.
fn stored(order: [usize; 3], flip: [bool; 3]) -> Volume<i16> {
    let phantom = phantom();
    let at = |i: usize, j: usize, k: usize| phantom[i + SHAPE[0] * (j + SHAPE[1] * k)];
    let source = |n: [usize; 3]| {
        let mut voxel = [0; 3];
        for (axis, along) in order.into_iter().enumerate() {
            voxel[along] = if flip[axis] { SHAPE[along] - 1 - n[axis] } else { n[axis] };
        }
        at(voxel[0], voxel[1], voxel[2])
    };
    let shape = order.map(|along| SHAPE[along]);
    let origin = source([0; 3]).0.0;
    let [x, y, z] = [[1, 0, 0], [0, 1, 0], [0, 0, 1]].map(|n| source(n).0.0 - origin);
    let affine = DAffine3::from_mat3_translation(DMat3::from_cols(x, y, z), origin);
    let [ni, nj, nk] = shape;
    let voxels = (0..nk).flat_map(|k| (0..nj).flat_map(move |j| (0..ni).map(move |i| [i, j, k])));
    Volume::new(Grid::new(shape, affine, "scanner").unwrap(), voxels.map(|n| source(n).1 as i16).collect()).unwrap()
}

#[test]
fn every_orientation_written_in_every_format_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    for format in VolumeFormat::ALL {
        for ending in format.extensions() {
            for (order, flip) in orientations() {
                let path = folder.path().join(format!("a.{ending}"));
                write_volume(&path, &stored(order, flip)).unwrap();
                assert_holds_phantom(&read_volume(&path).unwrap(), &format!("{ending} {order:?} {flip:?}"));
            }
        }
    }
}

#[test]
fn a_part_is_what_it_is_in_the_whole() {
    for path in files() {
        let file = VolumeOptions::default().open(&path).unwrap();
        let whole = file.read::<f32>(0, &Silent).unwrap();
        let [ni, nj, nk] = whole.grid().shape();
        for region in
            [[0..ni, 0..nj, 1..2], [0..ni, 2..4, 0..nk], [1..3, 0..1, 2..5], [ni - 1..ni, nj - 1..nj, nk - 1..nk]]
        {
            let part = file.read_region::<f32>(0, &region, &Silent).unwrap();
            let [pi, pj, pk] = part.grid().shape();
            for (k, j, i) in (0..pk).flat_map(|k| (0..pj).flat_map(move |j| (0..pi).map(move |i| (k, j, i)))) {
                let voxel = (i + region[0].start, j + region[1].start, k + region[2].start);
                assert_eq!(part.get(i, j, k), whole.get(voxel.0, voxel.1, voxel.2), "{}", path.display());
                let at = |grid: &brainmesh_core::Grid, i: usize, j: usize, k: usize| {
                    grid.world_from_voxel(VoxelPoint::new(i as f64, j as f64, k as f64)).0
                };
                assert!(at(part.grid(), i, j, k).distance(at(whole.grid(), voxel.0, voxel.1, voxel.2)) < 1e-9);
            }
        }
        assert!(file.read_region::<f32>(0, &[0..ni + 1, 0..nj, 0..nk], &Silent).is_err());
        assert!(file.read_region::<f32>(0, &[0..ni, 1..1, 0..nk], &Silent).is_err());
    }
}
