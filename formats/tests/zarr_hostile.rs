//! Damaged OME-Zarr folders: an error or a volume, never a panic, a hang, or memory beyond what the folder can hold.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use brainmesh_formats::{VolumeOptions, read_volume};
use peak_alloc::PeakAlloc;
use std::path::{Path, PathBuf};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const MOST_MEMORY_MB: f32 = 160.0;
/// Times that each file of each folder is damaged.
const ROUNDS: usize = 60;

/// Numbers without pattern, the same on every run (Knuth's MMIX generator).
struct Noise(u64);

impl Noise {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

fn files_of(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() { files_of(&entry.path(), files) } else { files.push(entry.path()) }
    }
}

/// A number of a JSON text replaced by one at which counts go wrong, or any byte changed.
fn damaged(bytes: &[u8], noise: &mut Noise) -> Vec<u8> {
    const NUMBERS: [&str; 8] = ["0", "-1", "1", "255", "65536", "4294967296", "1e300", "18446744073709551615"];
    let numbers: Vec<_> =
        (1..bytes.len()).filter(|&n| bytes[n].is_ascii_digit() && b" [,".contains(&bytes[n - 1])).collect();
    let mut changed = bytes.to_vec();
    if bytes.first() == Some(&b'{') && !numbers.is_empty() && noise.below(2) == 0 {
        let start = numbers[noise.below(numbers.len())];
        let end = start + bytes[start..].iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
        changed.splice(start..end, NUMBERS[noise.below(NUMBERS.len())].bytes());
    } else if !changed.is_empty() {
        for _ in 0..1 + noise.below(3) {
            let at = noise.below(changed.len());
            changed[at] = [0, 0xff, changed[at] ^ (1 << noise.below(8)), noise.below(256) as u8][noise.below(4)];
        }
    }
    if noise.below(8) == 0 {
        changed.truncate(noise.below(changed.len() + 1));
    }
    changed
}

#[test]
fn changed_folders_give_an_error_or_a_volume() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/zarr");
    let folder = tempfile::tempdir().unwrap();
    let mut noise = Noise(11);
    let mut read = 0;
    for name in [
        "v2-blosc",
        "v2-zlib-big-endian",
        "v2-fortran",
        "v3-default",
        "v3-shards",
        "v3-transposed",
        "v3-bitshuffle",
        "v3-tczyx",
    ] {
        let (from, path) = (data.join(name), folder.path().join(name));
        let mut files = Vec::new();
        files_of(&from, &mut files);
        files.sort();
        for file in &files {
            let to = path.join(file.strip_prefix(&from).unwrap());
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(file, to).unwrap();
        }
        for round in 0..ROUNDS * files.len() {
            let file = &files[round % files.len()];
            let to = path.join(file.strip_prefix(&from).unwrap());
            let whole = std::fs::read(file).unwrap();
            let bytes = damaged(&whole, &mut noise);
            std::fs::remove_file(&to).unwrap();
            std::fs::write(&to, &bytes).unwrap();
            MEMORY.reset_peak_usage();
            let start = std::time::Instant::now();
            read += usize::from(read_volume(&path).is_ok());
            let _ = VolumeOptions::default().with_volume_index(1).with_level(1).read(&path);
            let (peak, seconds) = (MEMORY.peak_usage_as_mb(), start.elapsed().as_secs());
            if seconds > 5 || peak > MOST_MEMORY_MB {
                panic!("{peak} MB, {seconds} s for {}: {}", to.display(), bytes.escape_ascii());
            }
            std::fs::remove_file(&to).unwrap();
            std::fs::write(&to, whole).unwrap();
        }
    }
    assert!(read > 0);
}
