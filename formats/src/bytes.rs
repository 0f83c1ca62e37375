use crate::{Result, fault};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The whole file in memory; its size is the operating system's, not a claim of its header.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(fault::io(path))
}

/// The first bytes of a file, fewer where it is shorter, and the length of the whole.
pub(crate) fn read_head(path: &Path, limit: usize) -> Result<(Vec<u8>, u64)> {
    let file = File::open(path).map_err(fault::io(path))?;
    let length = file.metadata().map_err(fault::io(path))?.len();
    let mut head = Vec::new();
    file.take(limit as u64).read_to_end(&mut head).map_err(fault::io(path))?;
    Ok((head, length))
}

/// The whole file in memory, with gzip (told by its first two bytes) taken off; its checksums are verified.
///
/// Surfaces and maps hold noise or text and never shrink thirty-fold, unless they are small: more is a trap, and is refused
/// before it takes memory.
pub(crate) fn read_content(path: &Path) -> Result<Vec<u8>> {
    let packed = read_bytes(path)?;
    if !packed.starts_with(&[0x1f, 0x8b]) {
        return Ok(packed);
    }
    let limit = packed.len().saturating_mul(32).saturating_add(64 << 20);
    let mut content = Vec::new();
    let mut decoder = MultiGzDecoder::new(packed.as_slice()).take(limit as u64 + 1);
    decoder.read_to_end(&mut content).map_err(|e| fault::invalid(path, "gzip", "a whole gzip stream", e))?;
    if content.len() > limit {
        return Err(fault::unsupported(path, "gzip", format!("more than {limit} bytes"), "32 times the file + 64 MiB"));
    }
    Ok(content)
}
