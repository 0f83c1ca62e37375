//! TIFF stacks and folders of slices: what tifffile and libtiff wrote, faults, and what brainmesh writes itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use brainmesh_core::{Grid, Silent, Volume};
use brainmesh_formats::{StoredType, VolumeOptions, VolumeWriter, Voxel, read_volume, volume_info, write_volume};
use glam::{DAffine3, DMat3, DQuat, DVec3};
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tiff").join(name)
}

/// The stack of `make_tiff_fixtures.py`.
fn expected(i: usize, j: usize, k: usize, volume: usize) -> usize {
    1 + i + 10 * j + 100 * k + 1000 * volume
}

fn assert_holds(volume: &Volume<f32>, name: &str, value: impl Fn(usize, usize, usize) -> usize) {
    assert_eq!(volume.grid().shape(), [7, 6, 5], "{name}");
    for (i, j, k) in (0..5).flat_map(|k| (0..6).flat_map(move |j| (0..7).map(move |i| (i, j, k)))) {
        assert_eq!(volume.get(i, j, k), Some(value(i, j, k) as f32), "{name} {i} {j} {k}");
    }
}

fn read(name: &str, index: usize) -> Volume<f32> {
    VolumeOptions::default().with_volume_index(index).read(&fixture(name)).unwrap()
}

#[test]
fn types_orders_layouts_and_codecs() {
    let kinds = [
        ("u2-big.tif", StoredType::Uint16, [0.1, 0.05, 1.0]),
        ("i2-bigtiff.tif", StoredType::Int16, [0.01, 0.01, 1.0]),
        ("u4.tif", StoredType::Uint32, [1.0; 3]),
        ("f4-tiles.tif", StoredType::Float32, [1.0; 3]),
        ("f8.tif", StoredType::Float64, [1.0; 3]),
        ("white-is-zero.tif", StoredType::Uint16, [1.0; 3]),
        ("lzw.tif", StoredType::Uint16, [1.0; 3]),
        ("packbits.tif", StoredType::Uint16, [1.0; 3]),
        ("zstd.tif", StoredType::Uint16, [1.0; 3]),
    ];
    for (name, stored, spacing_mm) in kinds {
        assert_holds(&read(name, 0), name, |i, j, k| expected(i, j, k, 0));
        let info = volume_info(&fixture(name)).unwrap();
        assert_eq!((info.stored, info.volumes, info.world.as_str()), (stored, 1, "unregistered"), "{name}");
        let is_near = info.spacing_mm.iter().zip(spacing_mm).all(|(a, b)| (a - b).abs() < 1e-9);
        let unknown = if spacing_mm[0] < 1.0 { "along k is not known" } else { "along i, j, k is not known" };
        assert!(is_near && info.warnings.iter().any(|w| w.contains(unknown)), "{name}: {info:?}");
        assert!(info.warnings.iter().any(|w| w.contains("1 mm")));
    }
    assert_holds(&read("i1.tif", 0), "i1.tif", |i, j, k| expected(i, j, k, 0) % 100);
    let stated = VolumeOptions::default().with_spacing_mm([0.004, 0.004, 0.04]).open(&fixture("lzw.tif")).unwrap();
    assert_eq!((stated.grid().spacing_mm(), stated.info().warnings.len()), ([0.004, 0.004, 0.04], 0));
    let libjpeg: Vec<Vec<Vec<f32>>> = serde_json::from_slice(&std::fs::read(fixture("jpeg.json")).unwrap()).unwrap();
    let jpeg = read("jpeg.tif", 0);
    let libjpeg: Vec<f32> = libjpeg.into_iter().flatten().flatten().collect();
    assert!(jpeg.data().iter().zip(&libjpeg).all(|(a, b)| (a - b).abs() <= 1.0) && jpeg.data().len() == libjpeg.len());
}

#[test]
fn tiles_are_read_where_they_lie() {
    let file = VolumeOptions::default().open(&fixture("u2-tiles.tif")).unwrap();
    assert_eq!(file.grid().shape(), [37, 20, 5]);
    let whole = file.read::<u16>(0, &Silent).unwrap();
    let value = |i, j, k| if i < 7 && j < 6 { expected(i, j, k, 0) as u16 } else { 0 };
    for (n, &found) in whole.data().iter().enumerate() {
        assert_eq!(found, value(n % 37, n / 37 % 20, n / 740), "{n}");
    }
    let part = file.read_region::<u16>(0, &[3..34, 2..19, 1..3], &Silent).unwrap();
    for (n, &found) in part.data().iter().enumerate() {
        assert_eq!(found, value(3 + n % 31, 2 + n / 31 % 17, 1 + n / 527), "{n}");
    }
}

#[test]
fn imagej_says_which_page_is_which() {
    let info = volume_info(&fixture("imagej-tzcyx.tif")).unwrap();
    assert_eq!((info.volumes, info.planes.len(), info.time_step_s), (6, 2, Some(0.5)));
    let near = |found: [f64; 3], truth: [f64; 3]| found.iter().zip(truth).all(|(a, b)| (a / b - 1.0).abs() < 1e-6);
    assert!(near(info.spacing_mm, [0.25e-3, 0.5e-3, 3e-3]), "{:?}", info.spacing_mm);
    for volume in 0..6 {
        assert_holds(&read("imagej-tzcyx.tif", volume), "tzcyx", |i, j, k| expected(i, j, k, volume));
    }
    assert!(read_volume(&fixture("imagej-tzcyx.tif")).unwrap_err().to_string().contains("2 values a voxel"));
    let info = volume_info(&fixture("imagej-nm.tif")).unwrap();
    assert!(near(info.spacing_mm, [0.25e-6, 0.5e-6, 50e-6]) && info.warnings.is_empty(), "{info:?}");
    assert_holds(&read("imagej-nm.tif", 0), "nm", |i, j, k| expected(i, j, k, 0));
    assert_holds(&read("imagej-contiguous.tif", 0), "contiguous", |i, j, k| expected(i, j, k, 0));
    let info = volume_info(&fixture("imagej-contiguous.tif")).unwrap();
    assert!(near(info.spacing_mm, [0.25, 0.5, 0.25]) && info.lazy, "{info:?}");
}

#[test]
fn ome_says_which_page_is_which() {
    let info = volume_info(&fixture("tczyx.ome.tif")).unwrap();
    assert_eq!((info.volumes, info.planes.join(" "), info.time_step_s), (6, "nuclei myelin".into(), Some(0.25)));
    assert_eq!((info.spacing_mm, info.warnings.len()), ([0.25e-3, 0.5e-3, 2e-3], 0));
    for volume in 0..6 {
        assert_holds(&read("tczyx.ome.tif", volume), "ome", |i, j, k| expected(i, j, k, volume));
    }
}

#[test]
fn colours_are_planes() {
    for sample in 0..3 {
        assert_holds(&read("rgb.tif", sample), "rgb", |i, j, k| (expected(i, j, k, 0) + sample) % 256);
    }
    assert_eq!(volume_info(&fixture("rgb.tif")).unwrap().planes, ["red", "green", "blue"]);
    assert!(read_volume(&fixture("planar.tif")).unwrap_err().to_string().contains("planar"));
}

#[test]
fn folders_of_slices_are_volumes() {
    let info = volume_info(&fixture("slices")).unwrap();
    assert_eq!((info.format, info.spacing_mm), ("TIFF", [0.25, 0.5, 1.0]));
    assert_holds(&read_volume(&fixture("slices")).unwrap(), "slices", |i, j, k| expected(i, j, k, 0));
    let info = volume_info(&fixture("png")).unwrap();
    assert_eq!((info.format, info.spacing_mm), ("PNG", [0.25, 0.5, 1.0]));
    assert!(info.warnings.iter().any(|w| w.contains("steps of 2")), "{:?}", info.warnings);
    assert_holds(&read_volume(&fixture("png")).unwrap(), "png", |i, j, k| expected(i, j, k, 0));
    let file = VolumeOptions::default().open(&fixture("png")).unwrap();
    let part = file.read_region::<u16>(0, &[2..4, 5..6, 3..5], &Silent).unwrap();
    assert_eq!(part.data(), [353, 354, 453, 454]);
    assert_eq!(read_volume(&fixture("png/s098b.png")).unwrap().get(6, 5, 0), Some(157.0));
}

fn copy_to(from: PathBuf, to: PathBuf) {
    std::fs::copy(from, to).unwrap();
}

#[test]
fn slices_that_do_not_make_a_volume_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let case = |change: &dyn Fn(&Path), reason: &str| {
        let path = folder.path().join("case");
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        for k in 8..13 {
            let name = format!("section_{k}.tif");
            std::fs::copy(fixture("slices").join(&name), path.join(name)).unwrap();
        }
        change(&path);
        let error = read_volume(&path).unwrap_err().to_string();
        assert!(error.contains(reason), "{reason}: {error}");
    };
    case(&|path| std::fs::remove_file(path.join("section_10.tif")).unwrap(), "10 after 9");
    case(&|path| copy_to(path.join("section_9.tif"), path.join("section_09.tif")), "9 twice");
    case(&|path| std::fs::rename(path.join("section_9.tif"), path.join("slice_9.tif")).unwrap(), "<number>");
    case(&|path| std::fs::rename(path.join("section_9.tif"), path.join("section.tif")).unwrap(), "a number");
    case(&|path| copy_to(fixture("lzw.tif"), path.join("section_13.tif")), "5 pages");
    case(&|path| copy_to(fixture("png/s096b.png"), path.join("section_13.png")), "TIFF and PNG");
    let wide = |path: &Path| {
        let grid = Grid::new([8, 6, 1], DAffine3::IDENTITY, "unregistered").unwrap();
        write_volume(&path.join("section_13.tif"), &Volume::new(grid, vec![0u16; 48]).unwrap()).unwrap();
    };
    case(&wide, "8 x 6 pixels");
}

#[test]
fn damaged_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.tif");
    let refused = |bytes: &[u8], reason: &str| {
        std::fs::write(&path, bytes).unwrap();
        let error = read_volume(&path).unwrap_err().to_string();
        assert!(error.contains(reason), "{reason}: {error}");
    };
    // Big endian: entries of 12 bytes follow the count at the directory, which ends with the place of the next.
    let whole = std::fs::read(fixture("u2-big.tif")).unwrap();
    let directory = u32::from_be_bytes(whole[4..8].try_into().unwrap()) as usize;
    let count = usize::from(u16::from_be_bytes([whole[directory], whole[directory + 1]]));
    let next = directory + 2 + 12 * count;
    let entry = |tag: u16| {
        (0..count).map(|n| directory + 2 + 12 * n).find(|&at| whole[at..at + 2] == tag.to_be_bytes()).unwrap()
    };
    let changed = |at: usize, value: &[u8]| {
        let mut bytes = whole.clone();
        bytes[at..at + value.len()].copy_from_slice(value);
        bytes
    };
    refused(&changed(next, &(directory as u32).to_be_bytes()), "leads back to itself");
    // The library would take 32 bytes for every value that a tag declares, 128 MiB here, before it reads one.
    refused(&changed(entry(273) + 4, &4_000_000u32.to_be_bytes()), "tag 273");
    // Cause: a directory that ends with the file was not looked at, while the library takes memory entry by entry.
    refused(&changed(entry(273) + 4, &4_000_000u32.to_be_bytes())[..next], "tag 273");
    refused(&changed(next, &0x7fff_ffffu32.to_be_bytes()), "");
    refused(&changed(entry(256) + 8, &[0; 4]), "TIFF");
    // Width, of type short: 65535 x 6 pixels do not fit.
    refused(&changed(entry(256) + 8, &[0xff, 0xff]), "");
    refused(&changed(entry(278) + 8, &[0; 4]), "");
    refused(&changed(entry(273) + 8, &0x7fff_ffffu32.to_be_bytes()), "");
    refused(&changed(entry(258) + 8, &[0, 12]), "12 bits");
    for part in 1..10 {
        refused(&whole[..whole.len() * part / 10], "");
    }
    // Deflated: a page that claims to be 32768 x 32768 in a file of a kilobyte.
    let small = std::fs::read(fixture("i1.tif")).unwrap();
    let mut bytes = small.clone();
    let directory = u32::from_le_bytes(small[4..8].try_into().unwrap()) as usize;
    for n in 0..usize::from(small[directory]) {
        let at = directory + 2 + 12 * n;
        if [256, 257, 278].contains(&u16::from_le_bytes([small[at], small[at + 1]])) {
            bytes[at + 8..at + 12].copy_from_slice(&[0, 0x80, 0, 0]);
        }
    }
    refused(&bytes, "bytes can hold");
}

/// Cause: memory was taken for as many images as ImageJ's description counts, before anything was compared with the file.
#[test]
fn a_count_of_images_takes_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counted.tif");
    let mut whole = std::fs::read(fixture("imagej-contiguous.tif")).unwrap();
    let at = whole.windows(9).position(|w| w == b"images=5\n").unwrap();
    let end = at + whole[at..].iter().position(|&byte| byte == 0).unwrap();
    // The smaller one first: without the check it gives another error, and the larger one takes 32 GiB.
    for count in [100_000u64, 1 << 32, u64::MAX] {
        let text = format!("images={count}\n");
        whole[at..end].fill(b' ');
        whole[at..at + text.len()].copy_from_slice(text.as_bytes());
        std::fs::write(&path, &whole).unwrap();
        let error = read_volume(&path).unwrap_err().to_string();
        let expected = format!("{}: description: expected images that a file of {} bytes", path.display(), whole.len());
        assert!(error.starts_with(&expected) && error.ends_with(&format!("found {count}")), "{error}");
    }
}

fn check_written<T: Voxel + std::fmt::Debug>(folder: &Path, values: impl Fn(usize) -> T) {
    let rotation = DMat3::from_quat(DQuat::from_euler(glam::EulerRot::XYZ, 0.3, -0.2, 1.1));
    let sheared = rotation * DMat3::from_cols(DVec3::X * 0.1, DVec3::new(0.01, 0.2, 0.0), DVec3::Z * -0.4);
    let affine = DAffine3::from_mat3_translation(sheared, DVec3::new(-12.5, 33.25, 8.0));
    let grid = Grid::new([9, 5, 4], affine, "Zürich <2026>").unwrap();
    let volumes: Vec<_> =
        (0..3).map(|t| Volume::new(grid.clone(), (0..180).map(|n| values(n + 60 * t)).collect()).unwrap()).collect();
    let path = folder.join(format!("{}.ome.tif", T::STORED));
    VolumeWriter::default().with_time_step_s(Some(2.0)).write(&path, &volumes, &Silent).unwrap();
    let file = VolumeOptions::default().open(&path).unwrap();
    assert_eq!((file.stored(), file.info().time_step_s, file.info().warnings.len()), (T::STORED, Some(2.0), 0));
    for (n, volume) in volumes.iter().enumerate() {
        assert_eq!(&file.read::<T>(n, &Silent).unwrap(), volume, "{}", T::STORED);
    }
}

#[test]
fn what_is_written_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    check_written(folder.path(), |n| n as u8);
    check_written(folder.path(), |n| (n as i8).wrapping_mul(3));
    check_written(folder.path(), |n| n as u16 * 200);
    check_written(folder.path(), |n| n as i16 * -90);
    check_written(folder.path(), |n| n as u32 * 13_000_000);
    check_written(folder.path(), |n| n as i32 * -7_000_000);
    check_written(folder.path(), |n| n as f32 / 7.0);
    check_written(folder.path(), |n| n as f64 / -7.0);
    let grid = Grid::new([2, 1, 1], DAffine3::IDENTITY, "scanner").unwrap();
    let long = Volume::new(grid, vec![1i64, 2]).unwrap();
    let path = folder.path().join("long.tif");
    assert!(write_volume(&path, &long).unwrap_err().to_string().contains("int64"));
    assert!(VolumeWriter::default().with_scaling(2.0, 1.0).write(&path, &[long], &Silent).is_err());
    assert!(!path.exists());
}

#[cfg(unix)]
#[test]
fn of_one_strip_larger_than_a_gigabyte_only_the_rows_asked_for_are_read() {
    // As ImageJ writes any image: one strip, uncompressed. Cause of the test: such strips were read whole, or refused above 1 GB.
    const SIDE: u32 = 40_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wafer.tif");
    let mut bytes = b"II*\0\x08\0\0\0\x09\0".to_vec();
    let start = 4096_u32;
    let entries = [
        (256, SIDE),
        (257, SIDE),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, start),
        (277, 1),
        (278, SIDE),
        (279, SIDE * SIDE),
    ];
    for (tag, value) in entries {
        bytes.extend(u16::to_le_bytes(tag));
        bytes.extend(4_u16.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(u32::to_le_bytes(value));
    }
    bytes.extend([0; 4]);
    std::fs::write(&path, bytes).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(u64::from(start) + u64::from(SIDE) * u64::from(SIDE)).unwrap();
    let [x, y] = [31_007_u64, 39_990];
    std::os::unix::fs::FileExt::write_all_at(&file, &[77], u64::from(start) + y * u64::from(SIDE) + x).unwrap();
    let reader = VolumeOptions::default().open(&path).unwrap();
    let part = reader.read_region::<u8>(0, &[31_000..31_010, 39_985..39_995, 0..1], &Silent).unwrap();
    let expected: Vec<u8> = (0..100).map(|n| if n == 57 { 77 } else { 0 }).collect();
    assert_eq!(part.data(), expected);
}
