use crate::{Result, fault};
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
