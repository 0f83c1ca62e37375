//! MGH, NRRD, MetaImage and ANALYZE: what nibabel and ITK read from them, what is written, what is refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[allow(dead_code, reason = "shared by several tests")]
#[path = "support/expectation.rs"]
mod expectation;

use brainmesh_core::{Grid, LabelTable, Silent, Volume, WorldPoint};
use brainmesh_formats::{VolumeOptions, VolumeReader, VolumeWriter, read_volume, volume_info, write_volume};
use expectation::{check, expectations_of};
use glam::{DAffine3, DMat3, DVec3};
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/plain").join(name)
}

/// A fixture with a part of its text replaced.
fn changed(folder: &Path, name: &str, from: &str, to: &str) -> PathBuf {
    let whole = std::fs::read(fixture(name)).unwrap();
    let at = whole.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, [&whole[..at], to.as_bytes(), &whole[at + from.len()..]].concat()).unwrap();
    path
}

/// A little-endian uint16 volume of 5 x 4 x 3 in a NRRD file of these lines.
fn nrrd(folder: &Path, lines: &str) -> PathBuf {
    let head = "NRRD0004\ntype: ushort\ndimension: 3\nsizes: 5 4 3\nendian: little\nencoding: raw\n";
    let values: Vec<u8> = (0..60u16).flat_map(u16::to_le_bytes).collect();
    let path = folder.join("a.nrrd");
    std::fs::write(&path, [head.as_bytes(), lines.as_bytes(), b"\n", &values].concat()).unwrap();
    path
}

fn error(path: &Path) -> String {
    read_volume(path).unwrap_err().to_string()
}

fn volume<T: Copy>(values: impl Iterator<Item = T>, world: &str) -> Volume<T> {
    let matrix = DMat3::from_cols(DVec3::new(-0.9, 0.1, 0.05), DVec3::new(0.12, 1.1, 0.3), DVec3::new(0.3, -0.25, 2.0));
    let affine = DAffine3::from_mat3_translation(matrix, DVec3::new(17.25, -30.5, 4.75));
    Volume::new(Grid::new([5, 4, 3], affine, world).unwrap(), values.collect()).unwrap()
}

#[test]
fn every_file_reads_as_nibabel_or_itk_reads_it() {
    let files = expectations_of(&fixture("expected.json"));
    assert!(files.len() > 40);
    for (name, expected) in files {
        check(&fixture(&name), &expected);
    }
}

#[test]
fn headers_are_told() {
    let info = volume_info(&fixture("time.mgz")).unwrap();
    assert_eq!((info.format, info.volumes, info.time_step_s), ("MGH", 3, Some(2.5)));
    assert!(info.warnings.is_empty());
    // FreeSurfer's wiki, `MghFormat`: x = (-1, 0, 0), y = (0, 0, -1), z = (0, 1, 0) around the middle.
    let info = volume_info(&fixture("no-ras.mgh")).unwrap();
    assert!(info.warnings[0].contains("goodRASFlag"));
    assert_eq!(info.world_from_voxel[..3], [[-1.0, 0.0, 0.0, 2.5], [0.0, 0.0, 1.0, -1.5], [0.0, -1.0, 0.0, 2.0]]);
    let info = volume_info(&fixture("origin.hdr")).unwrap();
    assert_eq!((info.format, info.volumes), ("ANALYZE 7.5", 2));
    assert!(info.warnings[0].contains("originator"), "{:?}", info.warnings);
    assert!(volume_info(&fixture("middle.img")).unwrap().warnings[0].contains("middle"));
    let info = volume_info(&fixture("itk-vector.nrrd")).unwrap();
    assert_eq!(info.planes, ["component 0", "component 1", "component 2"]);
    assert_eq!((info.format, info.volumes, info.lazy), ("NRRD", 3, true));
    assert!(read_volume(&fixture("itk-vector.nrrd")).unwrap_err().to_string().contains("3 values a voxel"));
    assert_eq!(volume_info(&fixture("packed.mhd")).unwrap().compression, "zlib");
    assert!(volume_info(&fixture("itk-flat.nrrd")).unwrap().warnings[0].contains("space"));
}

/// teem: with cells the first sample lies half a step after the lower end, with nodes on it.
#[test]
fn without_directions_the_ends_of_the_axes_count() {
    let volume = read_volume(&fixture("spacings.nrrd")).unwrap();
    let grid = volume.grid();
    assert_eq!((grid.world(), grid.spacing_mm()), ("unregistered", [0.5, 2.0, 2.0]));
    // In left, posterior, superior: 1, nowhere (0), 10 + 1.
    assert_eq!(grid.affine().translation, DVec3::new(-1.0, 0.0, 11.0));
    assert_eq!(grid.orientation().to_string(), "LPS");
}

#[test]
fn units_of_the_space_become_millimetres() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "space: RAS\nspace directions: (100,0,0) (0,100,0) (0,0,200)\nspace origin: (1000,0,0)\n";
    let path = nrrd(folder.path(), &format!("{lines}space units: \"um\" \"um\" \"um\"\n"));
    let grid = read_volume(&path).unwrap().grid().clone();
    assert_eq!(grid.affine().translation, DVec3::X);
    assert!(DVec3::from_array(grid.spacing_mm()).abs_diff_eq(DVec3::new(0.1, 0.1, 0.2), 1e-12));
    assert!(volume_info(&path).unwrap().warnings[0].contains("um"));
    let mixed = nrrd(folder.path(), &format!("{lines}space units: \"um\" \"mm\" \"um\"\n"));
    assert!(error(&mixed).contains("space units"));
    let cm = changed(folder.path(), "u1.mha", "CenterOfRotation", "DistanceUnits = cm\nCenterOfRotation");
    let plain = volume_info(&fixture("u1.mha")).unwrap().spacing_mm;
    let found = DVec3::from_array(volume_info(&cm).unwrap().spacing_mm);
    assert!(found.abs_diff_eq(10.0 * DVec3::from_array(plain), 1e-12));
}

#[test]
fn what_is_written_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    for world in ["scanner", "unregistered"] {
        let original = volume((0..60).map(|n| n * 37 - 300i16), world);
        for name in ["a.mgh", "a.mgz", "a.nrrd", "a.nhdr", "a.mha", "a.mhd"] {
            let path = folder.path().join(name);
            write_volume(&path, &original).unwrap();
            let file = VolumeOptions::default().open(&path).unwrap();
            assert_eq!(file.read::<i16>(0, &Silent).unwrap().data(), original.data(), "{name}");
            // MGH keeps float32, MetaImage directions and spacing apart, NRRD the numbers themselves.
            let tolerance = if name.starts_with("a.n") { 0.0 } else { 1e-5 };
            assert!(file.grid().affine().abs_diff_eq(original.grid().affine(), tolerance), "{name}");
            assert!(file.info().warnings.is_empty() || world == "unregistered", "{:?}", file.info().warnings);
            if name.starts_with("a.n") {
                assert_eq!(file.grid().world(), world);
            }
        }
    }
    // Plain values need no reading.
    for name in ["a.nhdr", "a.mha", "a.mhd"] {
        let file = VolumeOptions::default().open(&folder.path().join(name)).unwrap();
        assert!(file.info().lazy && (name == "a.mha" || file.map::<i16>().is_ok()), "{name}");
    }
}

#[test]
fn series_and_every_type_read_back() {
    fn both<T: brainmesh_formats::Voxel + std::fmt::Debug>(folder: &Path, from: fn(u8) -> T, formats: &[&str]) {
        let volumes: Vec<_> = (0..3).map(|t| volume((0..60).map(|n| from(n + t)), "scanner")).collect();
        for ending in formats {
            let path = folder.join(format!("a.{ending}"));
            VolumeWriter::default().with_time_step_s(Some(2.5)).write(&path, &volumes, &Silent).unwrap();
            let file = VolumeOptions::default().open(&path).unwrap();
            assert_eq!((file.stored(), file.info().volumes), (T::STORED, 3), "{ending}");
            assert_eq!(file.info().time_step_s, Some(2.5).filter(|_| *ending != "mha"), "{ending}");
            assert!(file.info().warnings.is_empty(), "{:?}", file.info().warnings);
            for (t, volume) in volumes.iter().enumerate() {
                assert_eq!(file.read::<T>(t, &Silent).unwrap().data(), volume.data(), "{ending} {}", T::STORED);
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let (all, few) = (["mgh", "mgz", "nrrd", "mha"], ["nrrd", "mha"]);
    both::<u8>(folder.path(), |n| n, &all);
    both::<i16>(folder.path(), |n| -300 + i16::from(n), &all);
    both::<u16>(folder.path(), |n| 60_000 + u16::from(n), &all);
    both::<i32>(folder.path(), |n| -70_000 * i32::from(n), &all);
    both::<f32>(folder.path(), |n| f32::from(n) / 3.0, &all);
    both::<i8>(folder.path(), |n| -64 + n.cast_signed(), &few);
    both::<u32>(folder.path(), |n| u32::MAX - u32::from(n), &few);
    both::<i64>(folder.path(), |n| i64::MIN + i64::from(n), &few);
    both::<u64>(folder.path(), |n| u64::MAX - u64::from(n), &few);
    both::<f64>(folder.path(), |n| f64::from(n) / 3.0, &few);
    let double = volume((0..60).map(f64::from), "scanner");
    assert!(write_volume(&folder.path().join("no.mgz"), &double).unwrap_err().to_string().contains("float64"));
    for name in ["no.mgz", "no.nrrd", "no.mha"] {
        let scaled = VolumeWriter::default().with_scaling(0.5, 0.0);
        let path = folder.path().join(name);
        let refused = scaled.write(&path, &[volume((0..60).map(|n| n as u8), "scanner")], &Silent).unwrap_err();
        assert!(refused.to_string().contains("scaling") && !path.exists(), "{refused}");
    }
}

#[test]
fn segments_keep_their_names_and_colours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.seg.nrrd");
    let mut labels = LabelTable::default();
    labels.insert(0, "background", [0.0; 4]);
    labels.insert(3, "layer II\\III", [1.0, 0.5, 0.25, 1.0]);
    labels.insert(9, "nowhere", [0.0, 0.0, 1.0, 1.0]);
    let values = volume((0..60u8).map(|n| if (21..24).contains(&n) { 3 } else { u8::from(n == 59) }), "scanner");
    let writer = VolumeWriter::default().with_labels(labels.clone());
    writer.write(&path, std::slice::from_ref(&values), &Silent).unwrap();
    let file = VolumeOptions::default().open(&path).unwrap();
    assert_eq!(file.read::<u8>(0, &Silent).unwrap().data(), values.data());
    assert_eq!(file.labels().get(3), labels.get(3));
    assert_eq!(file.labels().get(9), labels.get(9));
    // A value without a name gets one, the background is no segment.
    assert_eq!(file.labels().get(1).unwrap().name, "label 1");
    assert_eq!(file.info().labels, 3);
    let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
    // Voxels 21 to 23 are (1..=3, 0, 1).
    assert!(text.contains("Segment1_Extent:=1 3 0 0 1 1\n"), "{text}");
    assert!(text.contains("Segment2_Extent:=0 -1 0 -1 0 -1\n"));
    let floats = volume((0..60).map(|n| n as f32), "scanner");
    assert!(writer.write(&path, &[floats], &Silent).unwrap_err().to_string().contains("integer labels"));
    let negative = volume((0..60).map(|n| -n), "scanner");
    assert!(writer.write(&path, &[negative], &Silent).unwrap_err().to_string().contains("label -1"));
}

/// What `make_slicer_segments.py` had 3D Slicer write: voxels 1 to 3, and 2 to 4, of a row.
#[test]
fn slicers_own_segmentations_are_read() {
    let at = |file: &VolumeReader, plane: usize, i: f64| {
        let volume = file.read::<u8>(plane, &Silent).unwrap();
        let p_voxel = volume.grid().voxel_from_world(WorldPoint::new(10.0 - 0.5 * i, 21.0, 30.0)).0;
        assert!(p_voxel.distance(p_voxel.round()) < 1e-9);
        let [i, j, k] = p_voxel.round().to_array();
        // Slicer crops to the segments.
        if i < 0.0 { Some(0) } else { volume.get(i as usize, j as usize, k as usize).or(Some(0)) }.unwrap()
    };
    let one = VolumeOptions::default().open(&fixture("slicer-one.seg.nrrd")).unwrap();
    assert!(one.info().planes.is_empty() && one.info().warnings.is_empty());
    assert_eq!([0.0, 1.0, 2.0, 3.0, 4.0].map(|i| at(&one, 0, i)), [0, 1, 1, 1, 0]);
    let label = one.labels().get(1).unwrap();
    assert_eq!((label.name.as_str(), label.rgba), ("layer II\\III", [1.0, 0.5, 0.25, 1.0]));
    let two = VolumeOptions::default().open(&fixture("slicer-two.seg.nrrd")).unwrap();
    assert_eq!(two.info().planes, ["layer II\\III", "lesion"]);
    assert_eq!([0.0, 1.0, 2.0, 3.0, 4.0].map(|i| at(&two, 0, i)), [0, 1, 1, 1, 0]);
    assert_eq!([0.0, 1.0, 2.0, 3.0, 4.0].map(|i| at(&two, 1, i)), [0, 0, 1, 1, 1]);
    assert!(two.info().warnings[0].contains("lesion"));
}

#[test]
fn overlapping_segments_are_planes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.seg.nrrd");
    let head = "NRRD0004\ntype: uchar\ndimension: 4\nspace: left-posterior-superior\nsizes: 2 2 1 1\n\
        space directions: none (1,0,0) (0,1,0) (0,0,1)\nkinds: list domain domain domain\nencoding: raw\n\
        space origin: (0,0,0)\n";
    let segment = |n: usize, value: u8, layer: usize, name: &str| {
        format!(
            "Segment{n}_ID:=S{n}\nSegment{n}_Name:={name}\nSegment{n}_Color:=1 0 0\nSegment{n}_LabelValue:={value}\n\
             Segment{n}_Layer:={layer}\n"
        )
    };
    let keys = [segment(0, 1, 0, "cortex"), segment(1, 2, 0, "white"), segment(2, 1, 1, "lesion")].concat();
    std::fs::write(&path, [head.as_bytes(), keys.as_bytes(), b"\n", &[1, 0, 2, 1]].concat()).unwrap();
    let file = VolumeOptions::default().open(&path).unwrap();
    assert_eq!(file.info().planes, ["layer 0", "lesion"]);
    assert_eq!(file.read::<u8>(0, &Silent).unwrap().data(), [1, 2]);
    assert_eq!(file.read::<u8>(1, &Silent).unwrap().data(), [0, 1]);
    assert_eq!(file.labels().get(1).unwrap().name, "cortex");
    assert!(file.info().warnings[0].contains("lesion"), "{:?}", file.info().warnings);
}

#[test]
fn data_files_stay_in_the_headers_folder() {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("secret.raw");
    std::fs::copy(fixture("slice07.raw"), &outside).unwrap();
    let inside = folder.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    let absolute = outside.display().to_string();
    let names = ["../secret.raw", "a/../../secret.raw", "..\\secret.raw", absolute.as_str(), "missing.raw", "."];
    for name in names {
        let path = changed(&inside, "pattern.nhdr", "slice%02d.raw 7 9 1 2", name);
        assert!(error(&path).contains("data file"), "{}", error(&path));
        let path = changed(&inside, "pattern.mhd", "slice%02d.raw 7 9 1", name);
        assert!(error(&path).contains("ElementDataFile"), "{}", error(&path));
    }
    for pattern in ["slice%02d.raw 7 9 0", "%02d%d.raw 7 9 1", "slice%99d.raw 7 9 1", "s%02d.raw 1 999999999 1"] {
        let path = changed(&inside, "pattern.nhdr", "slice%02d.raw 7 9 1 2", pattern);
        assert!(error(&path).contains("data file"), "{}", error(&path));
    }
    // The same file time and again would make much of little.
    std::fs::copy(fixture("slice07.raw"), inside.join("slice07.raw")).unwrap();
    let path = changed(&inside, "listed.nhdr", "slice08", "slice07");
    assert!(error(&path).contains("every file once"), "{}", error(&path));
}

#[test]
fn faults_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let fault = |name: &str, from: &str, to: &str, says: &str| {
        let found = error(&changed(folder.path(), name, from, to));
        assert!(found.contains(says), "{name} {to}: {found}");
    };
    let directions = "space: RAS\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n";
    for (lines, says) in [
        ("space: RAS\nspace directions: (1,0,0) (0,1,0)\n", "space directions"),
        ("space: RAS\nspace directions: (1,0,0) (0,1,0) (0,0)\n", "space directions"),
        ("space: RAS\nspace directions: (1,0,0) (0,1,0) (0,0,x)\n", "space directions"),
        ("space: RAS\nspace directions: (1,0,0) (1,0,0) (0,0,1)\n", "invertible"),
        ("space: RAS\nspace directions: (1,0,0) none (0,0,1)\n", "kinds"),
        ("space: upside-down\n", "space"),
        ("space dimension: 9\n", "space dimension"),
        ("kinds: domain domain\n", "kinds"),
        ("sizes: 5 4 3\n", "sizes"),
        ("byte skip: -1\n", "truncated"),
        ("byte skip: 9223372036854775807\n", "truncated"),
        ("line skip: 99\n", "line skip"),
        ("what is this\n", "header"),
    ] {
        let found = read_volume(&nrrd(folder.path(), lines)).map(|_| ()).err().map(|e| e.to_string());
        if lines.starts_with("byte skip: -1") {
            // All of the values are there, at the end.
            assert_eq!(found, None);
        } else {
            assert!(found.as_ref().is_some_and(|found| found.contains(says)), "{lines}: {found:?}");
        }
    }
    assert!(read_volume(&nrrd(folder.path(), directions)).is_ok());
    fault("hex.nrrd", "NRRD0005", "NRRD0009", "magic");
    fault("hex.nrrd", "dimension: 3", "dimension: 17", "dimension");
    fault("hex.nrrd", "sizes: 5 4 3", "sizes: 5 -4 3", "sizes");
    fault("hex.nrrd", "sizes: 5 4 3", "sizes: 5 0 3", "sizes");
    fault("hex.nrrd", "sizes: 5 4 3", "sizes: 4294967296 4294967296 3", "grid shape");
    fault("hex.nrrd", "sizes: 5 4 3", "sizes: 5 4 4", "truncated");
    fault("hex.nrrd", "type: ushort", "type: block", "type");
    fault("hex.nrrd", "endian: little\n", "", "endian");
    fault("hex.nrrd", "encoding: hex", "encoding: bzip2", "encoding");
    fault("hex.nrrd", "encoding: hex", "encoding: ascii", "value ");
    fault("las-ascii.nrrd", "sizes: 5 4 3", "sizes: 5 4 4", "ascii data");
    fault("itk-i2.nrrd", "sizes: 5 4 3", "sizes: 5 4 4", "truncated");
    fault("itk-i2.nrrd", "encoding: gzip", "encoding: raw", "truncated");
    fault("u1.mha", "DimSize = 5 4 3", "DimSize = 5 4 4", "truncated");
    fault("u1.mha", "DimSize = 5 4 3", "DimSize = 5 4", "DimSize");
    fault("u1.mha", "DimSize = 5 4 3", "DimSize = 5 -4 3", "DimSize");
    fault("u1.mha", "DimSize = 5 4 3", "DimSize = 9999999999 9999999999 9999999999", "grid shape");
    fault("u1.mha", "NDims = 3", "NDims = 7", "NDims");
    fault("u1.mha", "MET_UCHAR", "MET_STRING", "ElementType");
    fault("u1.mha", "BinaryData = True", "BinaryData = Maybe", "BinaryData");
    fault("u1.mha", "ObjectType = Image", "ObjectType = Tube", "ObjectType");
    fault("u1.mha", "CompressedData = False", "CompressedData = True", "zlib data");
    fault("i2.mha", "DimSize = 5 4 3", "DimSize = 5 4 4", "truncated");
    fault("time.mha", "0 0 0 1\n", "0 0 0.5 1\n", "TransformMatrix");
    for (at, bytes, says) in [
        (4, [0xff; 4], "width"),
        (16, [0; 4], "nframes"),
        (16, [0x7f, 0xff, 0xff, 0xff], "truncated"),
        (20, [0, 0, 0, 7], "type"),
        (30, [0; 4], "invertible"),
        (30, [0x7f, 0xc0, 0, 0], "invertible"),
    ] {
        let mut whole = std::fs::read(fixture("u1.mgh")).unwrap();
        whole[at..at + 4].copy_from_slice(&bytes);
        let path = folder.path().join("a.mgh");
        std::fs::write(&path, whole).unwrap();
        assert!(error(&path).contains(says), "{}", error(&path));
    }
    std::fs::copy(fixture("middle.hdr"), folder.path().join("alone.hdr")).unwrap();
    assert!(error(&folder.path().join("alone.hdr")).contains(".img"));
}

#[test]
fn what_follows_the_voxels_is_mentioned() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mha");
    let whole = std::fs::read(fixture("u1.mha")).unwrap();
    std::fs::write(&path, [whole, vec![0; 7]].concat()).unwrap();
    assert!(volume_info(&path).unwrap().warnings[0].starts_with("7 bytes"));
}
