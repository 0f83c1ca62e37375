//! Files made to break readers: each gives the error it must give, soon, in little memory.
//!
//! `tests/hostile/make.py` makes them and says what is wrong with each; large ones are made here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use brainmesh_formats::{VolumeOptions, npz_names, read_npy, read_npz, read_surface, volume_info};
use peak_alloc::PeakAlloc;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Memory for what is in the libraries whatever the file; beside it a reader may take eight times the file.
const ALLOWANCE_BYTES: u64 = 32 << 20;
const LONGEST: Duration = Duration::from_secs(5);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/hostile")
}

/// Memory is measured for the whole process, so that one test runs at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What this process has taken of its processors (`proc_pid_stat(5)`, in hundredths of a second), so that other programs do
/// not count; zero on systems that do not say.
fn work() -> Duration {
    let status = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = status.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = after_name.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

/// The error of a reader, or none.
fn error(reader: &str, path: &Path) -> Option<String> {
    fn text<T>(result: Result<T, impl Display>) -> Option<String> {
        result.err().map(|e| e.to_string())
    }
    match reader {
        "volume" => text(VolumeOptions::default().read(path)),
        "surface" => text(read_surface(path)),
        _ if path.extension().is_some_and(|e| e == "npz") => {
            text(npz_names(path)).or_else(|| text(read_npz(path, "raw")))
        }
        _ => text(read_npy(path)),
    }
}

/// What is wrong with how a file is refused: nothing, hopefully.
fn fault(reader: &str, path: &Path, words: &[String], allowance_bytes: u64) -> Option<String> {
    MEMORY.reset_peak_usage();
    let (before, start) = (MEMORY.current_usage(), work());
    let found = error(reader, path);
    let (seconds, bytes) = (work() - start, MEMORY.peak_usage().saturating_sub(before) as u64);
    let most_bytes = 8 * path.metadata().unwrap().len() + allowance_bytes;
    let Some(found) = found else { return Some("was read".into()) };
    // Of a pair or an external file it may be the other one.
    if !found.contains(path.parent().unwrap().to_str().unwrap()) {
        return Some(format!("the error names no file: {found}"));
    }
    if let Some(word) = words.iter().find(|w| !found.contains(w.as_str())) {
        return Some(format!("expected {word:?} in: {found}"));
    }
    if bytes > most_bytes {
        return Some(format!("{bytes} bytes taken: {found}"));
    }
    (seconds > LONGEST).then(|| format!("{seconds:?}: {found}"))
}

/// A row of `expected.json`.
fn cases() -> BTreeMap<String, (String, Vec<String>)> {
    let text = std::fs::read(folder().join("expected.json")).unwrap();
    let table: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let row = |row: &serde_json::Value| {
        let words = row["error"].as_array().unwrap().iter().map(|w| w.as_str().unwrap().to_owned());
        (row["reader"].as_str().unwrap().to_owned(), words.collect())
    };
    table.as_object().unwrap().iter().map(|(name, value)| (name.clone(), row(value))).collect()
}

#[test]
fn every_file_gives_its_error() {
    let _alone = alone();
    let cases = cases();
    assert!(cases.len() >= 40);
    let faults: Vec<_> = cases
        .iter()
        .filter_map(|(name, (reader, words))| {
            fault(reader, &folder().join("files").join(name), words, ALLOWANCE_BYTES)
                .map(|fault| format!("{name}: {fault}"))
        })
        .collect();
    assert!(faults.is_empty(), "{} of {}\n{}", faults.len(), cases.len(), faults.join("\n"));
}

/// Refused as `words` say, within the limits.
fn refused(reader: &str, path: &Path, words: &[&str]) {
    refused_within(reader, path, words, ALLOWANCE_BYTES);
}

fn refused_within(reader: &str, path: &Path, words: &[&str], allowance_bytes: u64) {
    let words: Vec<_> = words.iter().map(|&w| w.to_owned()).collect();
    assert_eq!(fault(reader, path, &words, allowance_bytes), None);
}

/// A NIfTI-1 header for `shape`, 8-bit.
fn header(shape: [i16; 3]) -> Vec<u8> {
    let mut header = std::fs::read(folder().join("files/no-voxels.nii")).unwrap();
    for (axis, length) in shape.into_iter().enumerate() {
        header[42 + 2 * axis..44 + 2 * axis].copy_from_slice(&length.to_le_bytes());
    }
    header[70..72].copy_from_slice(&2i16.to_le_bytes());
    header
}

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn four_gigabytes_in_four_megabytes() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let zeros = gzipped(&vec![0; 64 << 20]);
    // MINC and DICOM are decoded as a whole, whatever their headers say.
    for (name, start) in [("bomb.mnc.gz", "cdf-image-cut.mnc"), ("bomb.dcm.gz", "pixel-data-cut.dcm")] {
        let start = gzipped(&std::fs::read(self::folder().join("files").join(start)).unwrap());
        let path = folder.path().join(name);
        std::fs::write(&path, [start, zeros.repeat(64)].concat()).unwrap();
        refused_within("volume", &path, &["gzip data", "bytes of content a byte of file"], 224 << 20);
    }
    for (name, shape, words) in [
        ("declared.nii.gz", [2048, 2048, 1024], ["gzip data", "bytes of content a byte of file"]),
        ("undeclared.nii.gz", [5, 4, 3], ["gzip data", "about the 412 bytes declared"]),
    ] {
        let path = folder.path().join(name);
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(&gzipped(&header(shape))).unwrap();
        for _ in 0..64 {
            file.write_all(&zeros).unwrap();
        }
        assert!(path.metadata().unwrap().len() < 5 << 20);
        refused("volume", &path, &words);
    }
}

/// Cause: what followed the part asked for was taken for content that the header does not declare, so that the first of many
/// volumes in a gzip file was refused.
#[test]
fn the_first_of_many_volumes_is_no_bomb() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("series.nii.gz");
    let mut head = header([256, 256, 128]);
    head[40..42].copy_from_slice(&4i16.to_le_bytes());
    head[48..50].copy_from_slice(&40i16.to_le_bytes());
    let volume = vec![7; 256 * 256 * 128];
    // Its members say nothing of their lengths, so that it can be read as one stream only.
    let content = [gzipped(&head), gzipped(&volume).repeat(40)].concat();
    std::fs::write(&path, content).unwrap();
    let read = VolumeOptions::default().with_volume_index(1).read(&path).unwrap();
    assert!(read.data().iter().all(|&v| v == 7.0));
}

#[test]
fn xml_nested_a_hundred_thousand_deep() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nested.surf.gii");
    std::fs::write(&path, [&b"<?xml version=\"1.0\"?><GIFTI>"[..], &b"<MetaData>".repeat(100_000)].concat()).unwrap();
    refused("surface", &path, &[]);
}

#[test]
fn sequences_nested_twenty_thousand_deep() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(self::folder().join("files/pixel-data-cut.dcm")).unwrap();
    let at = whole.windows(6).position(|w| w == b"\xe0\x7f\x10\x00OW").unwrap();
    // The end of the sequences before the pixel data is missing in one file, there in the other.
    let open = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff".repeat(20_000);
    let close = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0".repeat(20_000);
    for (name, close) in [("open.dcm", &[][..]), ("closed.dcm", &close)] {
        let path = folder.path().join(name);
        std::fs::write(&path, [&whole[..at], &open, close, &whole[at..], &[0, 0]].concat()).unwrap();
        refused("volume", &path, &["nesting"]);
        assert!(volume_info(&path).is_err());
    }
}
