//! Large memory: results on huge pages, files mapped into memory, for which the system asks for `unsafe`.

use crate::{Result, fault};
use brainmesh_core::ask_for_huge_pages;
use memmap2::Mmap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

/// `count` zeros. The pages are not touched yet, so that the threads that fill them share the cost of getting them.
pub(crate) fn zeros<T: bytemuck::Zeroable + Copy>(path: &Path, count: usize) -> Result<Vec<T>> {
    let mut values =
        bytemuck::allocation::try_zeroed_vec(count).map_err(|()| fault::io(path)(ErrorKind::OutOfMemory.into()))?;
    ask_for_huge_pages(&mut values);
    Ok(values)
}

/// Maps a file for reading.
#[allow(unsafe_code, reason = "mapping is what a view without reading is; std has no safe form of it")]
pub(crate) fn map(path: &Path, file: &File) -> Result<Mmap> {
    // SAFETY: the mapping is read as plain bytes, for which any content is valid. Another program that shortens the file
    // meanwhile can end ours with SIGBUS, as the documentation of the public function says.
    unsafe { Mmap::map(file) }.map_err(fault::io(path))
}
