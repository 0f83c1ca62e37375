//! Large memory on huge pages: the one place of this crate where the system asks for `unsafe`.

/// Smaller memory does not repay the call.
const WORTH_HUGE_PAGES: usize = 4 << 20;

/// Asks for pages of 2 MiB where a large memory is about to be filled, so that page faults, half the time of reading a large file and a
/// quarter of that of sampling rays, are 512 times fewer. The content stays as it is; where the system has no such pages, nothing happens.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "no safe library offers madvise on memory that a Vec owns")]
pub fn ask_for_huge_pages<T>(values: &mut [T]) {
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

/// Does nothing on this system.
#[cfg(not(target_os = "linux"))]
pub fn ask_for_huge_pages<T>(_values: &mut [T]) {}
