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

/// Fills `bytes` from `offset` on, wherever the file stands; for several threads at once.
pub(crate) fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> std::io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset);
    #[cfg(windows)]
    {
        let mut done = 0;
        while done < bytes.len() {
            match std::os::windows::fs::FileExt::seek_read(file, &mut bytes[done..], offset + done as u64)? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                n => done += n,
            }
        }
        Ok(())
    }
}
