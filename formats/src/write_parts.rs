use crate::{Result, WriteSeek, fault, gzip, gzip_stream, write_atomically};
use brainmesh_core::Monitor;
use std::path::Path;

/// Values written between two looks at the monitor.
const CHUNK_BYTES: usize = 8 << 20;

/// How a file's content is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    None,
    /// The whole file in gzip members that can be read alone.
    GzipBlocks,
    /// All but that many bytes at the start in one gzip member, for readers that take no more than one (pynrrd).
    GzipAfter(usize),
}

/// Writes a file of `parts`, one after the other, whole or not at all.
pub(crate) fn write_parts(path: &Path, parts: &[&[u8]], packing: Packing, monitor: &dyn Monitor) -> Result<()> {
    write_atomically(path, |file| append_parts(path, file, parts, packing, monitor))
}

/// Appends `parts` to a file.
pub(crate) fn append_parts(
    path: &Path,
    file: &mut dyn WriteSeek,
    parts: &[&[u8]],
    packing: Packing,
    monitor: &dyn Monitor,
) -> Result<()> {
    match packing {
        Packing::GzipBlocks => gzip::write_blocks(path, file, parts, monitor),
        Packing::GzipAfter(plain_bytes) => {
            let total = parts.iter().map(|part| part.len()).sum();
            file.write_all(&gzip::range_of(parts, 0..plain_bytes.min(total))).map_err(fault::io(path))?;
            gzip_stream::write(path, file, parts, plain_bytes.min(total), monitor)
        }
        Packing::None => {
            monitor.stage("writing", parts.iter().map(|part| part.len() as u64).sum());
            for chunk in parts.iter().flat_map(|part| part.chunks(CHUNK_BYTES)) {
                monitor.check()?;
                file.write_all(chunk).map_err(fault::io(path))?;
                monitor.advance(chunk.len() as u64);
            }
            Ok(())
        }
    }
}
