//! OME-Zarr: what zarr-python wrote, the rules of the format, hostile folders, and what brainmesh writes itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use brainmesh_core::{Grid, LabelTable, Silent, Volume, VoxelPoint};
use brainmesh_formats::{StoredType, VolumeOptions, VolumeWriter, read_volume, volume_info, write_volume};
use glam::{DAffine3, DMat3, DQuat, DVec3};
use ome_zarr_metadata::Validate;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/zarr").join(name)
}

/// The image of `make_zarr_fixtures.py`.
fn expected(i: usize, j: usize, k: usize, volume: usize) -> f32 {
    (1 + i + 10 * j + 100 * k + 1000 * volume) as f32
}

fn assert_holds_image(volume: &Volume<f32>, index: usize, name: &str) {
    assert_eq!(volume.grid().shape(), [7, 6, 5], "{name}");
    for (i, j, k) in (0..5).flat_map(|k| (0..6).flat_map(move |j| (0..7).map(move |i| (i, j, k)))) {
        assert_eq!(volume.get(i, j, k), Some(expected(i, j, k, index)), "{name} {i} {j} {k}");
    }
}

fn world(grid: &Grid, voxel: [f64; 3]) -> DVec3 {
    grid.world_from_voxel(VoxelPoint::new(voxel[0], voxel[1], voxel[2])).0
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A copy of a fixture with one of its JSON files changed.
fn changed(folder: &Path, name: &str, file: &str, change: impl FnOnce(&mut Value)) -> PathBuf {
    let path = folder.join(name);
    let _ = std::fs::remove_dir_all(&path);
    copy(&fixture(name), &path);
    let mut value = serde_json::from_slice(&std::fs::read(path.join(file)).unwrap()).unwrap();
    change(&mut value);
    std::fs::write(path.join(file), value.to_string()).unwrap();
    path
}

#[test]
fn every_codec_order_and_version_gives_the_same_voxels() {
    let kinds = [
        ("v2-blosc", StoredType::Uint16, 1e-3),
        ("v2-zlib-big-endian", StoredType::Int32, 1e-6),
        ("v2-fortran", StoredType::Float64, 1.0),
        ("v3-default", StoredType::Float32, 1.0),
        ("v3-shards", StoredType::Uint16, 1e-3),
        ("v3-transposed", StoredType::Int16, 1e-7),
        ("v3-bitshuffle", StoredType::Int64, 1e-3),
    ];
    for (name, stored, unit_mm) in kinds {
        let volume = read_volume(&fixture(name)).unwrap();
        assert_holds_image(&volume, 0, name);
        let info = volume_info(&fixture(name)).unwrap();
        assert_eq!(
            (info.stored, info.format),
            (stored, if name.starts_with("v2") { "OME-Zarr 0.4" } else { "OME-Zarr 0.5" })
        );
        assert!(info.lazy && info.world == "unregistered" && info.warnings.iter().any(|w| w.contains("in the body")));
        assert_eq!(info.warnings.iter().any(|w| w.contains("micrometres")), name == "v3-shards", "{name}");
        let place = world(volume.grid(), [2.0, 1.0, 3.0]);
        let truth = unit_mm * DVec3::new(30.0 + 2.0 * 0.25, 20.0 + 0.5, 10.0 + 3.0 * 5.0);
        assert!(place.abs_diff_eq(truth, 1e-12), "{name}: {place}");
    }
    let stated = VolumeOptions::default().with_spacing_mm([1.0, 2.0, 4.0]).open(&fixture("v3-shards")).unwrap();
    assert_eq!(stated.grid().spacing_mm(), [1.0, 2.0, 4.0]);
}

#[test]
fn parts_are_read_alone() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["v3-default", "v3-shards", "v2-fortran"] {
        let file = VolumeOptions::default().open(&fixture(name)).unwrap();
        let part = file.read_region::<u16>(0, &[2..5, 1..6, 2..4], &Silent).unwrap();
        for (n, &value) in part.data().iter().enumerate() {
            let [i, j, k] = [2 + n % 3, 1 + n / 3 % 5, 2 + n / 15];
            assert_eq!(f32::from(value), expected(i, j, k, 0), "{name} {i} {j} {k}");
        }
    }
    // A chunk that is broken does not hinder the others.
    let path = changed(folder.path(), "v3-default", "zarr.json", |_| ());
    std::fs::write(path.join("0/c/1/1/0"), b"no zstd").unwrap();
    let file = VolumeOptions::default().open(&path).unwrap();
    assert!(file.read_region::<f32>(0, &[0..7, 0..6, 0..3], &Silent).is_ok());
    let error = file.read::<f32>(0, &Silent).unwrap_err().to_string();
    assert!(error.contains("c/1/1/0"), "{error}");
}

#[test]
fn time_points_are_volumes_and_channels_planes() {
    let path = fixture("v3-tczyx");
    let info = volume_info(&path).unwrap();
    assert_eq!((info.volumes, info.planes.join(" "), info.time_step_s), (6, "nuclei myelin".into(), Some(0.002)));
    for volume in 0..6 {
        assert_holds_image(&VolumeOptions::default().with_volume_index(volume).read(&path).unwrap(), volume, "tczyx");
    }
    assert!(read_volume(&path).unwrap_err().to_string().contains("nuclei, myelin"));
}

#[test]
fn levels_lie_where_their_transformations_put_them() {
    let options = VolumeOptions::default().with_level(1);
    let (fine, coarse) = (read_volume(&fixture("v2-blosc")).unwrap(), options.read(&fixture("v2-blosc")).unwrap());
    assert_eq!(coarse.grid().shape(), [4, 3, 3]);
    assert_eq!(volume_info(&fixture("v2-blosc")).unwrap().levels, 2);
    let between = world(fine.grid(), [2.5, 4.5, 0.5]);
    assert!(world(coarse.grid(), [1.0, 2.0, 0.0]).abs_diff_eq(between, 1e-12));
    assert_eq!(coarse.get(1, 2, 0), fine.get(2, 4, 0));
    let error = VolumeOptions::default().with_level(2).open(&fixture("v2-blosc")).unwrap_err().to_string();
    assert!(error.contains("below 2"), "{error}");
}

#[test]
fn planes_orientations_and_labels() {
    let plane = read_volume(&fixture("v3-plane")).unwrap();
    assert_eq!((plane.grid().shape(), plane.get(3, 4, 0)), ([7, 6, 1], Some(expected(3, 4, 2, 0))));
    assert!(volume_info(&fixture("v3-plane")).unwrap().warnings.iter().any(|w| w.contains("1 mm thick")));
    let oriented = read_volume(&fixture("v3-oriented")).unwrap();
    assert_eq!((oriented.grid().orientation().to_string().as_str(), oriented.grid().world()), ("LPS", "anatomical"));
    assert_eq!(world(oriented.grid(), [1.0, 1.0, 1.0]), DVec3::new(-30.25, -20.5, 15.0));
    let labels = VolumeOptions::default().open(&fixture("v3-labels")).unwrap();
    assert_eq!(labels.labels().get(7).unwrap().name, "layer VI");
    assert_eq!(labels.labels().get(1).unwrap().rgba, [1.0, 0.0, 0.2, 1.0]);
    // The scale of all levels comes after that of one.
    assert_eq!(world(labels.grid(), [1.0, 0.0, 0.0]), DVec3::new(63.5, 42.0, 21.0));
}

#[test]
fn missing_chunks_hold_the_fill_value() {
    let volume = read_volume(&fixture("v3-sparse")).unwrap();
    assert_eq!(
        (volume.get(6, 5, 2), volume.get(6, 5, 4)),
        (Some(9.0), Some((expected(6, 5, 4, 0) as u32 % 256) as f32))
    );
    let folder = tempfile::tempdir().unwrap();
    let path = changed(folder.path(), "v3-sparse", "zarr.json", |_| ());
    std::fs::remove_dir_all(path.join("0/c")).unwrap();
    assert!(read_volume(&path).unwrap().data().iter().all(|&v| v == 9.0));
    assert!(volume_info(&path).unwrap().warnings.iter().any(|w| w.contains("no chunk")));
}

#[test]
fn what_breaks_the_rules_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let image = |change: &dyn Fn(&mut Value)| {
        changed(folder.path(), "v3-default", "zarr.json", |v| change(&mut v["attributes"]["ome"]))
    };
    let array = |change: &dyn Fn(&mut Value)| changed(folder.path(), "v3-default", "0/zarr.json", change);
    let refused = |path: PathBuf, reason: &str| {
        let error = read_volume(&path).unwrap_err().to_string();
        assert!(error.contains(reason), "{reason}: {error}");
    };
    refused(image(&|ome| ome["version"] = json!("0.6")), "OME-Zarr version");
    refused(image(&|ome| ome["multiscales"] = json!([])), "multiscales");
    refused(image(&|ome| ome["multiscales"][0]["axes"][0]["name"] = json!("w")), "axes");
    refused(image(&|ome| ome["multiscales"][0]["axes"][0]["name"] = json!("x")), "axes");
    refused(image(&|ome| ome["multiscales"][0]["axes"][0]["unit"] = json!("parsec")), "unit");
    refused(image(&|ome| drop(ome["multiscales"][0]["axes"].as_array_mut().unwrap().remove(0))), "number of axes");
    refused(image(&|ome| ome["multiscales"][0]["datasets"][0]["path"] = json!("../v3-default/0")), "within the image");
    refused(image(&|ome| ome["multiscales"][0]["datasets"][0]["path"] = json!("1")), "No such file");
    let transformations = |value: Value| {
        move |ome: &mut Value| ome["multiscales"][0]["datasets"][0]["coordinateTransformations"] = value.clone()
    };
    refused(image(&transformations(json!([{"type": "scale", "scale": [1, 1, 0]}]))), "finite scales");
    refused(image(&transformations(json!([{"type": "scale", "path": "s"}]))), "numbers in another file");
    refused(image(&transformations(json!([{"type": "affine", "affine": [[1]]}]))), "affine");
    refused(image(&|ome| *ome = json!({"version": "0.5", "plate": {}})), "plate");
    refused(array(&|array| array["data_type"] = json!("complex64")), "complex64");
    refused(array(&|array| array["data_type"] = json!("float16")), "float16");
    refused(array(&|array| array["codecs"][1]["name"] = json!("pcodec2")), "pcodec2");
    refused(array(&|array| array["shape"] = json!([5, 6])), "zarr array");
    refused(array(&|array| array["shape"] = json!([0, 6, 7])), "at least one voxel");
    // A hundred billion voxels in a folder of a few bytes; chunks that lie about their size.
    refused(array(&|array| array["shape"] = json!([4_000_000_000u64, 4_000_000_000u64, 4_000_000_000u64])), "shape");
    refused(array(&|array| array["shape"] = json!([500_000, 500_000, 700_000])), "memory");
    let chunk =
        |shape: Value| move |array: &mut Value| array["chunk_grid"]["configuration"]["chunk_shape"] = shape.clone();
    refused(array(&chunk(json!([1 << 20, 1 << 20, 1 << 20]))), "up to 1073741824 bytes");
    refused(array(&chunk(json!([3, 4, 0]))), "zarr array");
    refused(array(&chunk(json!([3, 4, 5]))), "chunk");
    refused(array(&chunk(json!([2, 4, 7]))), "chunk");
    refused(array(&chunk(json!([512, 512, 512]))), "truncated");
}

#[test]
fn chunks_that_unpack_to_more_than_they_may_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let bomb = vec![0u8; 64 << 20];
    let path = changed(folder.path(), "v3-default", "zarr.json", |_| ());
    let error = |bytes: &[u8]| {
        std::fs::write(path.join("0/c/0/0/0"), bytes).unwrap();
        read_volume(&path).unwrap_err().to_string()
    };
    let packed = zstd::bulk::compress(&bomb, 1).unwrap();
    assert!(error(&packed).contains("too small"), "{}", error(&packed));
    // A frame that claims 2^62 bytes: magic number, descriptor (8 bytes of size, single segment), size, no blocks.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0];
    frame.extend((1u64 << 62).to_le_bytes());
    frame.extend([1, 0, 0]);
    error(&frame);
    let gzip = changed(folder.path(), "v3-transposed", "0/zarr.json", |v| {
        v["codecs"].as_array_mut().unwrap().pop();
    });
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &bomb).unwrap();
    std::fs::write(gzip.join("0/c/0/0/0"), encoder.finish().unwrap()).unwrap();
    assert!(read_volume(&gzip).unwrap_err().to_string().contains("more than 168 bytes"));
    let blosc = changed(folder.path(), "v3-bitshuffle", "zarr.json", |_| ());
    let mut chunk = std::fs::read(blosc.join("0/c/0/0/0")).unwrap();
    chunk[4..8].copy_from_slice(&0x7fff_0000u32.to_le_bytes());
    std::fs::write(blosc.join("0/c/0/0/0"), chunk).unwrap();
    assert!(read_volume(&blosc).unwrap_err().to_string().contains("more than 672 bytes"));
}

fn oblique(shape: [usize; 3]) -> Grid {
    let rotation = DMat3::from_quat(DQuat::from_euler(glam::EulerRot::XYZ, 0.3, -0.2, 1.1));
    let sheared = rotation * DMat3::from_cols(DVec3::X * 0.1, DVec3::new(0.01, 0.2, 0.0), DVec3::Z * -0.4);
    let affine = DAffine3::from_mat3_translation(sheared, DVec3::new(-12.5, 33.25, 8.0));
    Grid::new(shape, affine, "template").unwrap()
}

fn ramp(grid: Grid) -> Volume<u16> {
    let [ni, nj, _] = grid.shape();
    let data = (0..grid.voxel_count()).map(|n| (n % ni + 3 * (n / ni % nj) + 7 * (n / ni / nj)) as u16).collect();
    Volume::new(grid, data).unwrap()
}

#[test]
fn what_is_written_reads_back_and_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ours.ome.zarr");
    for (is_v2, shape) in [(false, [130, 70, 4]), (true, [130, 70, 4]), (false, [5, 1, 1])] {
        let volume = ramp(oblique(shape));
        let writer = VolumeWriter::default().with_zarr_v2(is_v2);
        // The second time it replaces what it wrote.
        writer.write(&path, std::slice::from_ref(&volume), &Silent).unwrap();
        let file = VolumeOptions::default().open(&path).unwrap();
        let back = file.read::<u16>(0, &Silent).unwrap();
        assert_eq!((back.data(), back.grid().shape(), back.grid().world()), (volume.data(), shape, "template"));
        assert!(back.grid().affine().abs_diff_eq(volume.grid().affine(), 1e-15));
        assert!(file.info().warnings.is_empty());
        let levels = if shape[0] > 64 { 3 } else { 1 };
        assert_eq!(file.info().levels, levels);
        for level in 1..levels {
            let options = VolumeOptions::default().with_level(level);
            let coarse = options.read(&path).unwrap();
            assert_eq!(coarse.grid().shape(), shape.map(|n| n.div_ceil(1 << level)));
            // The middle of a block of voxels; what is linear has its value there.
            let block = (1 << level) as f64;
            let middle = world(volume.grid(), [5.0, 3.0, 0.0].map(|n| (n + 0.5) * block - 0.5));
            assert!(world(coarse.grid(), [5.0, 3.0, 0.0]).abs_diff_eq(middle, 1e-9), "level {level}");
            let value = (5.5 * block - 0.5) + 3.0 * (3.5 * block - 0.5) + 7.0 * (0.5 * block - 0.5);
            assert!((f64::from(coarse.get(5, 3, 0).unwrap()) - value).abs() <= 1.0, "level {level}");
        }
        if is_v2 {
            let text = std::fs::read(path.join(".zattrs")).unwrap();
            let fields: ome_zarr_metadata::v0_4::OmeNgffGroupAttributes = serde_json::from_slice(&text).unwrap();
            fields.validate().unwrap();
        } else {
            let text = std::fs::read(path.join("zarr.json")).unwrap();
            let group: ome_zarr_metadata::v0_5::OmeZarrGroupMetadata = serde_json::from_slice(&text).unwrap();
            group.validate().unwrap();
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn others_see_scales_and_translations_of_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zarr");
    let affine = DAffine3::from_scale_rotation_translation(
        DVec3::new(0.5, 0.25, 2.0),
        DQuat::IDENTITY,
        DVec3::new(1.0, 2.0, 3.0),
    );
    let volume = ramp(Grid::new([9, 8, 70], affine, "scanner").unwrap());
    write_volume(&path, &volume).unwrap();
    let file = path.join("zarr.json");
    let mut group: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    group["attributes"].as_object_mut().unwrap().remove("brainmesh").unwrap();
    std::fs::write(&file, group.to_string()).unwrap();
    let plain = VolumeOptions::default().open(&path).unwrap();
    assert_eq!((plain.grid().affine(), plain.grid().world()), (affine, "unregistered"));
    // Scales that changed since make the matrix a stale one.
    write_volume(&path, &volume).unwrap();
    let mut group: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    group["attributes"]["ome"]["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"] =
        json!([2.0, 0.35, 0.5]);
    std::fs::write(&file, group.to_string()).unwrap();
    let info = volume_info(&path).unwrap();
    assert!(info.warnings.iter().any(|w| w.contains("not that of the scales")), "{:?}", info.warnings);
    assert_eq!(info.spacing_mm, [0.5, 0.35, 2.0]);
}

#[test]
fn time_series_and_labels_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("labels.zarr");
    let grid = oblique([66, 2, 2]);
    let volumes: Vec<_> = (0..3u8)
        .map(|t| Volume::new(grid.clone(), (0..grid.voxel_count()).map(|n| (n % 66) as u8 / 2 + t).collect()).unwrap())
        .collect();
    let mut table = LabelTable::default();
    table.insert(3, "III", [0.2, 0.4, 1.0, 1.0]);
    let writer = VolumeWriter::default().with_labels(table.clone()).with_time_step_s(Some(1.5));
    writer.write(&path, &volumes, &Silent).unwrap();
    let file = VolumeOptions::default().open(&path).unwrap();
    assert_eq!((file.labels(), file.info().time_step_s, file.info().volumes), (&table, Some(1.5), 3));
    assert_eq!(file.read::<u8>(2, &Silent).unwrap(), volumes[2]);
    let coarse = VolumeOptions::default().with_level(1).with_volume_index(1).read_as::<u8>(&path).unwrap();
    assert!(coarse.data().iter().enumerate().all(|(n, &v)| v == (n % 33) as u8 + 1));
    let error = VolumeWriter::default().with_scaling(2.0, 0.0).write(&path, &volumes, &Silent).unwrap_err();
    assert!(error.to_string().contains("scaling"));
    // Something else of that name stays.
    let other = folder.path().join("other.zarr");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("thesis.txt"), "all of it").unwrap();
    assert!(write_volume(&other, &volumes[0]).is_err());
    assert!(other.join("thesis.txt").exists());
}
