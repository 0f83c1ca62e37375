//! MINC1 and MINC2: what nibabel reads from files of minc-tools, and what must be refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "support/expectation.rs"]
mod expectation;

use brainmesh_core::{Silent, VoxelPoint};
use brainmesh_formats::{Error, Scaling, StoredType, VolumeOptions, read_volume, volume_info};
use expectation::{check, expectations, expectations_of, fixture};
use std::path::{Path, PathBuf};

/// A file of `tests/data/minc`.
fn kind(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/minc").join(name)
}

/// The values of the phantom of `make_minc_fixtures.py`, i fastest.
fn phantom() -> Vec<f32> {
    (0..60).map(|n| (1 + n % 5 + 7 * (n / 5 % 4) + 31 * (n / 20)) as f32).collect()
}

#[test]
fn every_file_reads_as_nibabel_reads_it() {
    let mut count = 0;
    for (name, expected) in expectations().into_iter().filter(|(name, _)| name.contains(".mnc")) {
        check(&fixture(&name), &expected);
        count += 1;
    }
    assert!(count > 30);
}

#[test]
fn every_order_of_axes_gives_the_same_world() {
    for version in ["minc1", "minc2"] {
        let reference = read_volume(&fixture(&format!("{version}-zyx.mnc"))).unwrap();
        for order in ["xyz", "yxz", "zxy"] {
            let other = read_volume(&fixture(&format!("{version}-{order}.mnc"))).unwrap();
            let [ni, nj, nk] = reference.grid().shape();
            for (i, j, k) in (0..nk).flat_map(|k| (0..nj).flat_map(move |j| (0..ni).map(move |i| (i, j, k)))) {
                let p_world = reference.grid().world_from_voxel(VoxelPoint::new(i as f64, j as f64, k as f64));
                let VoxelPoint(voxel) = other.grid().voxel_from_world(p_world);
                assert!((voxel - voxel.round()).length() < 1e-9, "{version}-{order} {voxel}");
                let [i, j, k] = voxel.round().to_array().map(|c| c as usize);
                assert!(other.get(i, j, k).is_some(), "{version}-{order}");
            }
        }
        assert_eq!(volume_info(&fixture(&format!("{version}-xyz.mnc"))).unwrap().shape, [3, 4, 5]);
    }
}

#[test]
fn both_versions_say_the_same() {
    for name in ["zyx", "xyz", "byte-unsigned", "byte-signed", "long-unsigned", "float", "double", "tzyx"] {
        let [one, two] = [1, 2].map(|v| read_volume(&fixture(&format!("minc{v}-{name}.mnc"))).unwrap());
        assert!(one.grid().affine().abs_diff_eq(two.grid().affine(), 1e-9), "{name}");
        for (a, b) in one.data().iter().zip(two.data()) {
            assert!((a - b).abs() <= 1e-4, "{name}: {a} {b}");
        }
    }
}

#[test]
fn info_tells_type_and_scaling() {
    let info = volume_info(&fixture("minc1-byte-unsigned.mnc")).unwrap();
    assert_eq!((info.format, info.stored, info.scaling), ("MINC1", StoredType::Uint8, Scaling::PerSlice));
    let info = volume_info(&fixture("minc2-double.mnc")).unwrap();
    assert_eq!((info.format, info.stored, info.scaling), ("MINC2", StoredType::Float64, Scaling::None));
    let info = volume_info(&fixture("minc2_1_scale.mnc")).unwrap();
    assert!(matches!(info.scaling, Scaling::Linear { .. }));
    let info = volume_info(&fixture("minc2-zytx.mnc")).unwrap();
    assert_eq!((info.shape, info.volumes), ([5, 4, 3], 3));
}

#[test]
fn a_dimension_that_contradicts_the_image_is_refused() {
    let error = read_volume(&fixture("minc2_baddim.mnc")).unwrap_err();
    assert!(error.to_string().contains("xspace:length"), "{error}");
}

/// Regression: an attribute of another type than f64 was taken for a missing one, which changed the scaling.
#[test]
fn a_range_of_integers_counts() {
    let (integers, floats) = (fixture("minc2-integer-range.mnc"), fixture("minc2-zyx.mnc"));
    assert_eq!(read_volume(&integers).unwrap().data(), read_volume(&floats).unwrap().data());
}

#[test]
fn integers_without_a_meaning_are_refused() {
    let error = read_volume(&fixture("minc2-no-maximum.mnc")).unwrap_err();
    assert!(error.to_string().contains("image-max"), "{error}");
}

/// A text of a MINC1 file replaced by one of the same length.
fn with_text(from: &[u8], to: &[u8]) -> Error {
    assert_eq!(from.len(), to.len());
    let mut bytes = std::fs::read(fixture("minc1-zyx.mnc")).unwrap();
    let places: Vec<_> = (0..bytes.len() - from.len()).filter(|&n| bytes[n..].starts_with(from)).collect();
    assert!(!places.is_empty());
    for place in places {
        bytes[place..place + to.len()].copy_from_slice(to);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.mnc");
    std::fs::write(&path, bytes).unwrap();
    read_volume(&path).unwrap_err()
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let error = with_text(b"xspace", b"xplace");
    assert!(error.to_string().contains("xspace"), "{error}");
    let error = with_text(b"signed__", b"sygned__");
    assert!(error.to_string().contains("signtype"), "{error}");
    // netCDF that is not MINC.
    let error = with_text(b"\0\0\0\x05image\0", b"\0\0\0\x05imago\0");
    assert!(matches!(error, Error::NotRecognised { .. }), "{error}");
}

#[test]
fn values_are_those_that_minc_tools_extract() {
    for (name, expected) in expectations_of(&kind("expected.json")) {
        let expected: Vec<f64> = expected.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        let file = VolumeOptions::default().open(&kind(&name)).unwrap();
        let volumes = file.info().volumes;
        assert_eq!(expected.len(), 60 * volumes, "{name}");
        for index in 0..volumes {
            let found = file.read::<f64>(index, &Silent).unwrap();
            // The components of a vector are the fastest axis of the file.
            let expected = expected.iter().skip(index).step_by(volumes);
            assert!(found.data().iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-8), "{name} {index}");
        }
    }
}

#[test]
fn components_of_a_vector_are_planes_that_must_be_chosen() {
    for name in ["minc1-vector.mnc", "minc2-vector.mnc"] {
        let info = volume_info(&kind(name)).unwrap();
        assert_eq!((info.volumes, info.planes.len(), info.shape), (3, 3, [5, 4, 3]), "{name}");
        assert!(matches!(read_volume(&kind(name)), Err(Error::Unsupported { .. })), "{name}");
    }
}

#[test]
fn nearly_regular_coordinates_are_read_and_irregular_ones_refused() {
    let tolerance = 1e-9;
    for name in ["minc1-nearly-regular.mnc", "minc2-nearly-regular.mnc", "minc1-centimetres.mnc"] {
        let volume = read_volume(&kind(name)).unwrap();
        assert_eq!(volume.data(), phantom(), "{name}");
        let [x, y, z] = volume.grid().spacing_mm();
        let factor = if name.contains("centi") { 10.0 } else { 1.0 };
        assert!((x - 0.9 * factor).abs() < tolerance && (y - 1.1 * factor).abs() < tolerance, "{name}: {x} {y}");
        assert!((z - 2.5).abs() < tolerance, "{name}: {z}");
        let first = volume.grid().world_from_voxel(VoxelPoint::new(0.0, 0.0, 0.0)).0;
        assert!((first.z - 4.75).abs() < tolerance && (first.x - 17.25 * factor).abs() < tolerance, "{name}: {first}");
    }
    let error = read_volume(&kind("minc1-irregular.mnc")).unwrap_err();
    let says =
        |error: &Error, what: &str| matches!(error, Error::Unsupported { .. }) && error.to_string().contains(what);
    assert!(says(&error, "zspace: irregular steps from 2 to 3"), "{error}");
    let error = read_volume(&kind("minc1-furlongs.mnc")).unwrap_err();
    assert!(says(&error, "zspace:units: furlong"), "{error}");
}

#[test]
fn labels_are_values_with_names() {
    for name in ["minc2-labels-i1.mnc", "minc2-labels-i2.mnc"] {
        let file = VolumeOptions::default().open(&kind(name)).unwrap();
        let labels = file.read::<i8>(0, &Silent).unwrap();
        let expected: Vec<i8> = phantom().iter().map(|v| [0, 2, -3][*v as usize % 3]).collect();
        assert_eq!(labels.data(), expected, "{name}");
        let names: Vec<_> = file.labels().0.iter().map(|(value, label)| (*value, label.name.as_str())).collect();
        assert_eq!(names, [(-3, "white"), (0, "background"), (2, "grey")], "{name}");
        assert_eq!(file.info().scaling, Scaling::None);
    }
    // Of class `integer`, without a range that values would stand for.
    let counts = VolumeOptions::default().read_as::<i32>(&kind("minc2-integers.mnc")).unwrap();
    assert!(counts.data().iter().zip(phantom()).all(|(a, b)| *a as f32 == b));
}
