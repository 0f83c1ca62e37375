//! Damaged and hostile volumes: an error or a volume, never a panic, a hang, or memory beyond what the file can hold.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use brainmesh_core::Volume;
use brainmesh_formats::{Error, VolumeOptions, read_volume, volume_info};
use peak_alloc::PeakAlloc;
use std::path::{Path, PathBuf};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// No fixture has more than 20 kB, and deflate makes at most 1032 times as much of it; the rest is for decoders.
const MOST_MEMORY_MB: f32 = 64.0;

/// Small files of every kind; those of one format and kind that differ in values alone add nothing here.
fn fixtures() -> Vec<PathBuf> {
    let names = [
        "i2-little.nii",
        "f8-big.nii",
        "qform.nii",
        "scaled.nii",
        "time.nii",
        "extension.nii",
        "nifti2-big.nii",
        "nifti2-little.nii.gz",
        "members.nii.gz",
        "pair.hdr",
        "minc1-zyx.mnc",
        "minc1-byte-unsigned.mnc",
        "minc1-float.mnc",
        "minc1-zytx.mnc",
        "minc1.mnc.gz",
        "tiny.mnc",
        "minc2-zyx.mnc",
        "minc2-byte-signed.mnc",
        "minc2-double.mnc",
        "minc2-tzyx.mnc",
        "minc2-chunks.mnc",
        "minc2_1_scale.mnc",
    ];
    let images = [
        "series/a.dcm",
        "implicit.dcm",
        "big.dcm",
        "deflated.dcm",
        "enhanced.dcm",
        "MR_small_RLE.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_lossless.dcm",
    ];
    let plain = [
        "u1.mgh",
        "time.mgz",
        "scaled.hdr",
        "itk-time.nrrd",
        "ras-big.nrrd",
        "las-ascii.nrrd",
        "hex.nrrd",
        "skips.nrrd",
        "spacings.nrrd",
        "pattern.nhdr",
        "listed.nhdr",
        "slicer-two.seg.nrrd",
        "u1.mha",
        "f4.mha",
        "channels.mha",
        "text.mha",
        "listed.mhd",
        "pattern.mhd",
    ];
    let stacks = ["u2-big.tif", "i2-bigtiff.tif", "f4-tiles.tif", "zstd.tif", "lzw.tif", "jpeg.tif", "png/s096b.png"];
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let stacks: Vec<_> = stacks.iter().map(|name| data.join("tiff").join(name)).collect();
    let volumes = names.iter().map(|name| data.join("volumes").join(name));
    let volumes = volumes.chain(plain.iter().map(|name| data.join("plain").join(name)));
    volumes.chain(stacks).chain(images.iter().map(|name| data.join("dicom").join(name))).collect()
}

/// What was read; where it was not, the error names the file, or another one of those that make a volume together.
fn named<T>(path: &Path, read: Result<T, Error>) -> Option<T> {
    let error = match read {
        Ok(value) => return Some(value),
        Err(error) => error.to_string(),
    };
    let is_one_of_several = path.extension().is_some_and(|e| e == "hdr" || e == "nhdr" || e == "mhd");
    let start = if is_one_of_several { path.parent().unwrap() } else { path };
    assert!(error.starts_with(start.to_str().unwrap()), "the error does not name {}: {error}", path.display());
    None
}

/// Errors name the file, and volumes that are read hold: a value for every voxel of the grid that was announced.
fn read_all(path: &Path) {
    MEMORY.reset_peak_usage();
    let info = named(path, volume_info(path));
    let check = |read: Option<Volume<f32>>| {
        let Some(volume) = read else { return };
        let (info, grid) = (info.as_ref().unwrap(), volume.grid());
        assert_eq!((grid.shape(), grid.world()), (info.shape, info.world.as_str()), "{}", path.display());
        assert_eq!(volume.data().len(), info.shape.iter().product::<usize>(), "{}", path.display());
        assert!(grid.affine().is_finite() && grid.spacing_mm() == info.spacing_mm, "{}", path.display());
    };
    check(named(path, read_volume(path)));
    let volumes = info.as_ref().map_or(1, |info| info.volumes);
    assert!(volumes > 0, "{}", path.display());
    check(named(path, VolumeOptions::default().with_volume_index(volumes - 1).read(path)));
    let beyond = named(path, VolumeOptions::default().with_volume_index(volumes).read(path));
    assert!(beyond.is_none(), "{} has more than {volumes} volumes", path.display());
    let peak = MEMORY.peak_usage_as_mb();
    if peak > MOST_MEMORY_MB {
        let kept = std::env::temp_dir().join(path.file_name().unwrap());
        let _ = std::fs::copy(path, &kept);
        panic!("{peak} MB taken for {}", kept.display());
    }
}

/// Keeps the extension, by which the halves of a pair find each other, and takes the files along that a header names.
fn copy_name(folder: &Path, original: &Path) -> PathBuf {
    let extension = original.extension().unwrap_or_default().to_string_lossy().into_owned();
    let others = match extension.as_str() {
        "hdr" => vec![original.with_extension("img")],
        "nhdr" | "mhd" => {
            ["slice07.raw", "slice08.raw", "slice09.raw"].map(|name| original.with_file_name(name)).into()
        }
        _ => Vec::new(),
    };
    for other in others {
        std::fs::copy(&other, folder.join(other.file_name().unwrap())).unwrap();
    }
    folder.join(original.file_name().unwrap())
}

/// Anew: ext4 flushes a file to the disk that is cut to nothing and written again, which takes a hundred times as long.
fn write(path: &Path, bytes: &[u8]) {
    let _ = std::fs::remove_file(path);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn truncated_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    for file in fixtures() {
        let whole = std::fs::read(&file).unwrap();
        let path = copy_name(folder.path(), &file);
        for part in 0..20 {
            write(&path, &whole[..whole.len() * part / 20]);
            read_all(&path);
            // The end of HDF5 may be free space, and that of a file of several volumes belongs to the last one.
            let last = volume_info(&path).map_or(0, |info| info.volumes - 1);
            if path.extension().is_some_and(|e| e == "nii" || e == "dcm") || part < 10 {
                let read = VolumeOptions::default().with_volume_index(last).read(&path);
                assert!(read.is_err(), "{} {part}/20", file.display());
            }
        }
    }
}

/// Numbers without pattern, the same on every run (Knuth's MMIX generator).
struct Noise(u64);

impl Noise {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

#[test]
fn changed_bytes_give_an_error_or_a_volume() {
    let folder = tempfile::tempdir().unwrap();
    let mut noise = Noise(7);
    for file in fixtures() {
        let whole = std::fs::read(&file).unwrap();
        let path = copy_name(folder.path(), &file);
        for _ in 0..300 {
            let mut bytes = whole.clone();
            for _ in 0..1 + noise.below(3) {
                let at = noise.below(bytes.len());
                bytes[at] = match noise.below(4) {
                    0 => 0,
                    1 => 0xff,
                    2 => bytes[at] ^ (1 << noise.below(8)),
                    _ => noise.below(256) as u8,
                };
            }
            write(&path, &bytes);
            read_all(&path);
        }
    }
}

#[test]
fn every_byte_of_a_header_can_be_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["volumes/i2-little.nii", "volumes/nifti2-big.nii", "volumes/minc1-zyx.mnc", "dicom/enhanced.dcm"];
    for name in names {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        let whole = std::fs::read(&file).unwrap();
        let path = copy_name(folder.path(), &file);
        for at in 0..whole.len().min(2900) {
            for value in [0, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                write(&path, &bytes);
                read_all(&path);
            }
        }
    }
}

#[test]
fn a_small_file_cannot_claim_a_large_volume() {
    let folder = tempfile::tempdir().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/volumes");
    let mut header = std::fs::read(data.join("i2-little.nii")).unwrap();
    for axis in 0..3 {
        header[42 + 2 * axis..44 + 2 * axis].copy_from_slice(&30_000i16.to_le_bytes());
    }
    let path = folder.path().join("large.nii");
    std::fs::write(&path, &header).unwrap();
    assert!(read_volume(&path).unwrap_err().to_string().contains("truncated"));
    // gzip can expand 1032 times at most, so that this too is known before memory is taken.
    let path = folder.path().join("large.nii.gz");
    let mut gzip = flate2::write::GzEncoder::new(std::fs::File::create(&path).unwrap(), flate2::Compression::best());
    std::io::Write::write_all(&mut gzip, &header).unwrap();
    gzip.finish().unwrap();
    assert!(read_volume(&path).unwrap_err().to_string().contains("truncated"));
    // Seven axes whose product overflows.
    header[40..42].copy_from_slice(&7i16.to_le_bytes());
    header[42..56].copy_from_slice(&[0xff, 0x7f].repeat(7));
    let path = folder.path().join("overflow.nii");
    std::fs::write(&path, &header).unwrap();
    assert!(read_volume(&path).is_err());
}
