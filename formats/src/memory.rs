//! Large memory: results on huge pages, files mapped into memory. The two places where the system asks for `unsafe`.

use crate::{Result, fault};
use memmap2::Mmap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

/// Smaller results do not repay the call.
const WORTH_HUGE_PAGES: usize = 4 << 20;

/// `count` zeros. The pages are not touched yet, so that the threads that fill them share the cost of getting them.
pub(crate) fn zeros<T: bytemuck::Zeroable + Copy>(path: &Path, count: usize) -> Result<Vec<T>> {
    let mut values =
        bytemuck::allocation::try_zeroed_vec(count).map_err(|()| fault::io(path)(ErrorKind::OutOfMemory.into()))?;
    ask_for_huge_pages(&mut values);
    Ok(values)
}

/// Page faults cost half the time of reading a large file; pages of 2 MiB make them 512 times fewer.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "no safe library offers madvise on memory that a Vec owns")]
fn ask_for_huge_pages<T>(values: &mut [T]) {
    const PAGE: usize = 4096;
    let bytes = size_of_val(values);
    if bytes < WORTH_HUGE_PAGES {
        return;
    }
    let start = values.as_mut_ptr().addr().next_multiple_of(PAGE);
    let skipped = start - values.as_mut_ptr().addr();
    // SAFETY: the range lies within memory that `values` borrows mutably; MADV_HUGEPAGE changes no content. Where the kernel
    // refuses it, pages stay small.
    unsafe {
        libc::madvise(values.as_mut_ptr().byte_add(skipped).cast(), bytes - skipped, libc::MADV_HUGEPAGE);
    }
}

#[cfg(not(target_os = "linux"))]
fn ask_for_huge_pages<T>(_values: &mut [T]) {}

/// Maps a file for reading.
#[allow(unsafe_code, reason = "mapping is what a view without reading is; std has no safe form of it")]
pub(crate) fn map(path: &Path, file: &File) -> Result<Mmap> {
    // SAFETY: the mapping is read as plain bytes, for which any content is valid. Another program that shortens the file
    // meanwhile can end ours with SIGBUS, as the documentation of the public function says.
    unsafe { Mmap::map(file) }.map_err(fault::io(path))
}
