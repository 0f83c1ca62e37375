//! MINC2 as brainmesh writes it: read back with the same values, placement and parts. Other programs read it in
//! tests/python/test_minc.py.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use brainmesh_core::{Grid, Silent, Volume};
use brainmesh_formats::{
    Error, Scaling, StoredType, VolumeOptions, VolumeWriter, Voxel, read_volume, volume_info, write_volume,
};
use glam::{DAffine3, DMat3, DVec3};
use std::path::Path;

/// Oblique, sheared, left-handed; no axis is nearest to the one of its own number.
fn grid(shape: [usize; 3]) -> Grid {
    let columns =
        DMat3::from_cols(DVec3::new(0.3, -1.1, 0.2), DVec3::new(0.12, 0.25, -2.0), DVec3::new(-0.9, 0.1, 0.3));
    Grid::new(shape, DAffine3::from_mat3_translation(columns, DVec3::new(17.25, -30.5, 4.75)), "scanner").unwrap()
}

fn comes_back<T: Voxel>(folder: &Path, value: impl Fn(i32) -> T) {
    let path = folder.join("a.mnc");
    let volume = Volume::new(grid([5, 4, 3]), (0..60).map(value).collect()).unwrap();
    write_volume(&path, &volume).unwrap();
    let back = VolumeOptions::default().read_as::<T>(&path).unwrap();
    assert!(back.data() == volume.data(), "{}", T::STORED);
    assert!(back.grid().affine().abs_diff_eq(volume.grid().affine(), 1e-12));
    assert_eq!(back.grid().world(), "scanner");
    let info = volume_info(&path).unwrap();
    assert_eq!((info.format, info.stored, info.warnings.len()), ("MINC2", T::STORED, 0));
}

#[test]
fn every_type_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    comes_back::<u8>(folder.path(), |n| (n * 4) as u8);
    comes_back::<i8>(folder.path(), |n| (n * 4 - 128) as i8);
    comes_back::<u16>(folder.path(), |n| (n * 1110) as u16);
    comes_back::<i16>(folder.path(), |n| (n * 1000 - 32768) as i16);
    comes_back::<u32>(folder.path(), |n| n as u32 * 72_000_000);
    comes_back::<i32>(folder.path(), |n| n * 36_000_000 - 1_100_000_000);
    comes_back::<f32>(folder.path(), |n| if n == 7 { f32::MAX } else { n as f32 / 7.0 });
    comes_back::<f64>(folder.path(), |n| f64::from(n) / 7.0);
    // A range of nothing has no slope.
    comes_back::<u8>(folder.path(), |_| 255);
    comes_back::<i32>(folder.path(), |_| -3);
    comes_back::<f32>(folder.path(), |_| -1e30);
    let wide = Volume::new(grid([2, 1, 1]), vec![1i64, 2]).unwrap();
    assert!(matches!(write_volume(&folder.path().join("a.mnc"), &wide), Err(Error::Unsupported { .. })));
}

#[test]
fn values_that_are_not_finite_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mnc");
    write_volume(&path, &Volume::new(grid([3, 1, 1]), vec![f32::NAN, f32::INFINITY, 1.0]).unwrap()).unwrap();
    let back = read_volume(&path).unwrap();
    assert!(back.data()[0].is_nan() && back.data()[1..] == [f32::INFINITY, 1.0]);
}

/// Several volumes with several chunks along every axis, more of them than one node of a B-tree holds.
#[test]
fn many_chunks_of_several_volumes_come_back_whole_and_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mnc");
    let shape = [130, 70, 37];
    let count: usize = shape.iter().product();
    let volumes: Vec<_> = (0..12)
        .map(|t| Volume::new(grid(shape), (0..count).map(|n| (n * 7919 % 10_007 + t) as i16).collect()).unwrap())
        .collect();
    VolumeWriter::default().with_time_step_s(Some(2.5)).write(&path, &volumes, &Silent).unwrap();
    let file = VolumeOptions::default().open(&path).unwrap();
    assert_eq!((file.info().volumes, file.info().time_step_s), (12, Some(2.5)));
    for (t, volume) in volumes.iter().enumerate() {
        assert!(file.read::<i16>(t, &Silent).unwrap().data() == volume.data(), "{t}");
    }
    let part = file.read_region::<i16>(11, &[60..70, 3..64, 11..13], &Silent).unwrap();
    for (n, &value) in part.data().iter().enumerate() {
        let (i, j, k) = (60 + n % 10, 3 + n / 10 % 61, 11 + n / 610);
        assert_eq!(Some(value), volumes[11].get(i, j, k));
    }
}

/// Only the chunks of a part are read: damage elsewhere does not matter to it.
#[test]
fn a_part_takes_its_own_chunks_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mnc");
    let volume = Volume::new(grid([70, 70, 40]), (0..196_000).map(|n| (n % 10_007) as i16).collect()).unwrap();
    write_volume(&path, &volume).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    // The first chunk lies behind the superblock.
    bytes[140..160].fill(0x55);
    std::fs::write(&path, bytes).unwrap();
    assert!(read_volume(&path).is_err());
    let file = VolumeOptions::default().open(&path).unwrap();
    assert!(file.read_region::<i16>(0, &[0..10, 0..10, 0..5], &Silent).is_err());
    let part = file.read_region::<i16>(0, &[40..70, 40..70, 20..40], &Silent).unwrap();
    assert_eq!(part.get(0, 0, 0), volume.get(40, 40, 20));
}

#[test]
fn scaling_of_integers_is_kept_and_of_floats_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mnc");
    let stored = Volume::new(grid([5, 4, 3]), (0..60u8).collect()).unwrap();
    let writer = VolumeWriter::default().with_scaling(0.5, -3.0);
    writer.write(&path, std::slice::from_ref(&stored), &Silent).unwrap();
    let back = VolumeOptions::default().read_as::<f64>(&path).unwrap();
    assert!(back.data().iter().zip(stored.data()).all(|(a, &b)| (a - (f64::from(b) * 0.5 - 3.0)).abs() < 1e-12));
    let info = volume_info(&path).unwrap();
    assert_eq!((info.stored, info.scaling), (StoredType::Uint8, Scaling::Linear { slope: 0.5, intercept: -3.0 }));
    let floats = Volume::new(grid([1, 1, 1]), vec![1f32]).unwrap();
    assert!(matches!(writer.write(&path, &[floats], &Silent), Err(Error::Unsupported { .. })));
}

/// Same values, same bytes; and what failed leaves the older file alone.
#[test]
fn a_file_depends_on_its_content_alone() {
    let folder = tempfile::tempdir().unwrap();
    let volume = Volume::new(grid([70, 20, 20]), (0..28_000).map(|n| n as f32).collect()).unwrap();
    let [a, b] = ["a.mnc", "b.mnc"].map(|name| {
        let path = folder.path().join(name);
        write_volume(&path, &volume).unwrap();
        std::fs::read(path).unwrap()
    });
    assert_eq!(a, b);
}
