//! NIfTI: what nibabel and the `nifti` library read, the rules of `nifti1.h`, and files brainmesh writes itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "support/expectation.rs"]
mod expectation;

use brainmesh_core::{Grid, Silent, Volume};
use brainmesh_formats::{
    Error, Extension, Scaling, StoredType, VolumeOptions, VolumeWriter, read_volume, volume_info, write_volume,
};
use expectation::{check, expectations, fixture};
use glam::{DAffine3, DMat3, DVec3};
use nifti::{IntoNdArray, NiftiObject, ReaderOptions};
use std::path::{Path, PathBuf};

/// A little-endian file with one field changed.
fn changed(folder: &Path, at: usize, bytes: &[u8]) -> PathBuf {
    let mut whole = std::fs::read(fixture("i2-little.nii")).unwrap();
    whole[at..at + bytes.len()].copy_from_slice(bytes);
    let path = folder.join("changed.nii");
    std::fs::write(&path, whole).unwrap();
    path
}

#[test]
fn every_file_reads_as_nibabel_reads_it() {
    let files = expectations().into_iter().filter(|(name, _)| !name.contains(".mnc"));
    let mut count = 0;
    for (name, expected) in files {
        check(&fixture(&name), &expected);
        count += 1;
    }
    assert!(count > 25);
}

#[test]
fn data_agree_with_the_nifti_library() {
    for name in ["u1-big.nii", "i2-little.nii", "f8-big.nii", "u4-little.nii", "pair.hdr"] {
        let path = fixture(name);
        let theirs = ReaderOptions::new().read_file(&path).unwrap().into_volume().into_ndarray::<f32>().unwrap();
        let ours = read_volume(&path).unwrap();
        assert_eq!(theirs.shape(), ours.grid().shape());
        for ((i, j, k), &v) in theirs.into_dimensionality::<ndarray::Ix3>().unwrap().indexed_iter() {
            assert_eq!(ours.get(i, j, k), Some(v), "{name}");
        }
    }
}

#[test]
fn a_pair_is_found_from_either_half() {
    let header = read_volume(&fixture("pair.hdr")).unwrap();
    assert_eq!(read_volume(&fixture("pair.img")).unwrap(), header);
    let folder = tempfile::tempdir().unwrap();
    let lone = folder.path().join("lone.hdr");
    std::fs::copy(fixture("pair.hdr"), &lone).unwrap();
    assert!(read_volume(&lone).unwrap_err().to_string().contains(".img"));
    // Both halves gzipped, and only the image.
    for header_is_gzip in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        for half in ["hdr", "img"] {
            let bytes = std::fs::read(fixture(&format!("pair.{half}"))).unwrap();
            if half == "hdr" && !header_is_gzip {
                std::fs::write(folder.path().join("a.hdr"), bytes).unwrap();
            } else {
                let file = std::fs::File::create(folder.path().join(format!("a.{half}.gz"))).unwrap();
                let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
                std::io::Write::write_all(&mut gzip, &bytes).unwrap();
                gzip.finish().unwrap();
            }
        }
        assert_eq!(read_volume(&folder.path().join("a.img.gz")).unwrap(), header);
    }
}

#[test]
fn without_a_form_only_the_spacing_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = changed(folder.path(), 254, &0i16.to_le_bytes());
    let volume = read_volume(&path).unwrap();
    assert_eq!(volume.grid().world(), "unregistered");
    assert_eq!(volume.grid().affine().translation, DVec3::ZERO);
    let spacing = [0.9069178700447083, 1.1464728116989136, 2.0377683639526367];
    assert_eq!(volume.grid().affine().matrix3, DMat3::from_diagonal(DVec3::from_array(spacing)));
}

#[test]
fn micrometres_and_metres_become_millimetres() {
    let folder = tempfile::tempdir().unwrap();
    let plain = read_volume(&fixture("i2-little.nii")).unwrap();
    for (unit, mm) in [(1u8, 1000.0), (3, 0.001), (2, 1.0)] {
        // The high bits are the unit of time: seconds.
        let volume = read_volume(&changed(folder.path(), 123, &[unit | 8])).unwrap();
        let expected = DAffine3::from_scale(DVec3::splat(mm)) * plain.grid().affine();
        assert!(volume.grid().affine().abs_diff_eq(expected, 1e-9 * mm));
    }
}

#[test]
fn slope_zero_nan_or_infinite_means_no_scaling() {
    let folder = tempfile::tempdir().unwrap();
    let plain = read_volume(&fixture("i2-little.nii")).unwrap();
    for slope in [0.0, f32::NAN, f32::INFINITY, -f32::INFINITY] {
        let path = changed(folder.path(), 112, &[slope.to_le_bytes(), 5f32.to_le_bytes()].concat());
        assert_eq!(read_volume(&path).unwrap(), plain);
        assert_eq!(volume_info(&path).unwrap().scaling, Scaling::None);
    }
    let path = changed(folder.path(), 112, &[(-2f32).to_le_bytes(), 5f32.to_le_bytes()].concat());
    assert_eq!(read_volume(&path).unwrap().data()[1], 5.0 - 2.0 * plain.data()[1]);
    assert_eq!(volume_info(&path).unwrap().scaling, Scaling::Linear { slope: -2.0, intercept: 5.0 });
}

/// Cause: a float64 was cast to float32, which makes infinity of what is beyond its range (3.4e38).
#[test]
fn float64_beyond_float32_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("far.nii");
    let mut whole = std::fs::read(fixture("f8-little.nii")).unwrap();
    let last = whole.len() - 8;
    for (stored, refused) in [(1e300, true), (-1e39, true), (1e38, false), (f64::INFINITY, false)] {
        whole[last..].copy_from_slice(&f64::to_le_bytes(stored));
        std::fs::write(&path, &whole).unwrap();
        let error = read_volume(&path).err().map(|error| error.to_string());
        assert_eq!(error.is_some(), refused, "{stored}: {error:?}");
        assert!(error.is_none_or(|e| e.contains("far.nii") && e.contains("float32")), "{stored}");
        let wide = VolumeOptions::default().read_as::<f64>(&path).unwrap();
        assert_eq!(wide.data().last(), Some(&stored));
    }
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for code in [1i16, 1536, 2048] {
        let error = read_volume(&changed(folder.path(), 70, &code.to_le_bytes())).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains("datatype"));
    }
    let field = |at: usize, bytes: &[u8], name: &str| {
        let error = read_volume(&changed(folder.path(), at, bytes)).unwrap_err().to_string();
        assert!(error.contains(name), "{name}: {error}");
    };
    field(42, &(-5i16).to_le_bytes(), "dim[1]");
    field(42, &0i16.to_le_bytes(), "dim[1]");
    field(42, &i16::MAX.to_le_bytes(), "truncated");
    field(108, &1e30f32.to_le_bytes(), "vox_offset");
    field(108, &353.5f32.to_le_bytes(), "vox_offset");
    field(108, &100f32.to_le_bytes(), "vox_offset");
    field(280, &[0; 48], "invertible");
    field(280, &f32::NAN.to_le_bytes(), "invertible");
    field(123, &[5], "xyzt_units");
    field(344, b"n+3\0", "not a format");
}

/// A volume that differs in every voxel, on a grid that no flip or swap maps onto itself.
fn phantom(matrix: DMat3) -> Volume<i16> {
    let affine = DAffine3::from_mat3_translation(matrix, DVec3::new(17.25, -30.5, 4.75));
    let grid = Grid::new([5, 4, 3], affine, "scanner").unwrap();
    Volume::new(grid, (0..60).map(|n| n * 37 - 300).collect()).unwrap()
}

fn oblique(handedness: f64) -> DMat3 {
    DMat3::from_rotation_z(0.5)
        * DMat3::from_rotation_x(-0.8)
        * DMat3::from_diagonal(DVec3::new(0.5, 0.75, 2.0 * handedness))
}

#[test]
fn what_is_written_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let sheared =
        DMat3::from_cols(DVec3::new(-0.9, 0.1, 0.05), DVec3::new(0.12, 1.1, 0.3), DVec3::new(0.3, -0.25, 2.0));
    for matrix in [oblique(1.0), oblique(-1.0), sheared] {
        let volume = phantom(matrix);
        for name in ["a.nii", "a.nii.gz", "A.NII.GZ", "b.hdr"] {
            let path = folder.path().join(name);
            write_volume(&path, &volume).unwrap();
            let back = read_volume(&path).unwrap();
            assert_eq!(back.data(), volume.data().iter().map(|&v| f32::from(v)).collect::<Vec<_>>());
            assert_eq!(back.grid().world(), "scanner");
            assert!(back.grid().affine().abs_diff_eq(volume.grid().affine(), 1e-6));
            assert_eq!(volume_info(&path).unwrap().stored, StoredType::Int16);
        }
    }
    let error = write_volume(&folder.path().join("a.xyz"), &phantom(oblique(1.0))).unwrap_err();
    assert!(error.to_string().contains(".nii"), "{error}");
}

#[test]
fn the_written_qform_says_the_same_as_the_sform() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.nii");
    for handedness in [1.0, -1.0] {
        for turn in 0..16 {
            let matrix = DMat3::from_rotation_y(f64::from(turn) * 0.4) * oblique(handedness);
            write_volume(&path, &phantom(matrix)).unwrap();
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[254..256].fill(0);
            std::fs::write(&path, bytes).unwrap();
            assert!(read_volume(&path).unwrap().grid().affine().matrix3.abs_diff_eq(matrix, 1e-5));
        }
    }
}

#[test]
fn a_long_axis_makes_nifti_2() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.nii");
    let grid = Grid::new([40_000, 1, 1], DAffine3::from_mat3(oblique(-1.0)), "MNI152").unwrap();
    let volume = Volume::new(grid, (0..40_000).map(|n| n as u16).collect()).unwrap();
    write_volume(&path, &volume).unwrap();
    assert_eq!(volume_info(&path).unwrap().format, "NIfTI-2");
    let back = read_volume(&path).unwrap();
    assert_eq!(back.grid(), volume.grid());
    assert_eq!(back.data()[39_999], 39_999.0);
}

/// The template's own description: 197 x 233 x 189 voxels of 1 mm from (-98, -134, -72), the anterior commissure near the
/// origin (Fonov et al. 2011, ICBM 152 nonlinear 2009a symmetric).
#[test]
fn the_mni_template_lies_where_its_authors_say() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/tissue_t1/mni152");
    let path = data.join("mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz");
    if !path.is_file() {
        eprintln!("skipped: no {}", path.display());
        return;
    }
    let volume = read_volume(&path).unwrap();
    let grid = volume.grid();
    let (low, high) = grid.world_bounds();
    assert_eq!(grid.voxel_count(), 197 * 233 * 189);
    assert_eq!((low.to_array(), high.to_array()), ([-98.0, -134.0, -72.0], [98.0, 98.0, 116.0]));
    // It is symmetric: a mirror about x = 0 leaves it as it is.
    let at = |x: f64, y: f64, z: f64| {
        let p_voxel = grid.voxel_from_world(brainmesh_core::WorldPoint::new(x, y, z)).0.round();
        let [i, j, k] = p_voxel.to_array().map(|c| c as usize);
        volume.get(i, j, k).unwrap()
    };
    assert_eq!(at(31.0, -20.0, 14.0), at(-31.0, -20.0, 14.0));
    // White matter of the centrum semiovale, brighter than the ventricle below it.
    assert!(at(26.0, -10.0, 34.0) > 1.5 * at(7.0, 8.0, 10.0));
}

#[test]
fn colours_and_complex_numbers_are_planes_that_must_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let grid = Grid::new([2, 1, 1], DAffine3::IDENTITY, "scanner").unwrap();
    let path = folder.path().join("a.nii");
    // Two voxels of red, green, blue; the last two bytes only fill the file up.
    write_volume(
        &path,
        &Volume::new(Grid::new([8, 1, 1], DAffine3::IDENTITY, "scanner").unwrap(), vec![1u8, 2, 3, 4, 5, 6, 0, 0])
            .unwrap(),
    )
    .unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[42..44].copy_from_slice(&2i16.to_le_bytes());
    bytes[70..72].copy_from_slice(&128i16.to_le_bytes());
    bytes[72..74].copy_from_slice(&24i16.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(volume_info(&path).unwrap().planes, ["red", "green", "blue"]);
    assert!(read_volume(&path).unwrap_err().to_string().contains("red, green, blue"));
    let green = VolumeOptions::default().with_volume_index(1).read_as::<u8>(&path).unwrap();
    assert_eq!((green.data(), green.grid()), ([2, 5].as_slice(), &grid));
    assert!(VolumeOptions::default().with_volume_index(3).read(&path).is_err());
}

#[test]
fn time_points_scaling_and_extensions_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let volumes: Vec<_> = (0..3)
        .map(|t| {
            Volume::new(phantom(oblique(1.0)).grid().clone(), (0..60).map(|n| n + 100 * t).collect::<Vec<i16>>())
                .unwrap()
        })
        .collect();
    let comment = Extension { code: 6, data: b"made by hand\0\0\0\0\0\0\0\0\0\0\0\0".to_vec() };
    for name in ["a.nii", "a.nii.gz", "a.hdr"] {
        let path = folder.path().join(name);
        let writer = VolumeWriter::default().with_scaling(0.5, -3.0).with_time_step_s(Some(2.5));
        writer.with_extensions(vec![comment.clone()]).write(&path, &volumes, &Silent).unwrap();
        let file = VolumeOptions::default().open(&path).unwrap();
        assert_eq!((file.info().volumes, file.info().time_step_s), (3, Some(2.5)), "{name}");
        assert_eq!(file.extensions(), [Extension { code: 6, data: comment.data.clone() }], "{name}");
        assert_eq!(file.read::<f32>(2, &Silent).unwrap().data()[7], 0.5 * 207.0 - 3.0);
        // An odd number of halves is no integer.
        assert!(file.read::<i16>(2, &Silent).unwrap_err().to_string().contains("int16"));
    }
}

#[test]
fn a_plain_volume_is_mapped_without_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.nii");
    let volume = phantom(oblique(1.0));
    write_volume(&path, &volume).unwrap();
    let file = VolumeOptions::default().open(&path).unwrap();
    assert_eq!(file.map::<i16>().unwrap().values(), volume.data());
    assert!(file.map::<f32>().is_err());
    let packed = folder.path().join("a.nii.gz");
    write_volume(&packed, &volume).unwrap();
    assert!(VolumeOptions::default().open(&packed).unwrap().map::<i16>().is_err());
}

#[test]
fn qform_and_sform_that_disagree_are_mentioned() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.nii");
    write_volume(&path, &phantom(oblique(1.0))).unwrap();
    assert!(volume_info(&path).unwrap().warnings.is_empty());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[268..272].copy_from_slice(&99f32.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    assert!(volume_info(&path).unwrap().warnings[0].contains("sform and qform"));
}
