//! gzip of one member, compressed on all cores: parts of 1 MiB are deflated alone and end on a whole byte (an empty stored
//! block, zlib's sync flush), so that together they are one deflate stream, as Mark Adler's pigz does it.

use crate::gzip::{BATCH, BLOCK_BYTES, LEVEL, range_of};
use crate::{Result, fault};
use brainmesh_core::Monitor;
use flate2::{Compress, Compression, Crc, FlushCompress};
use rayon::prelude::*;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// Deflated, no name, no time, unknown system, so that the same content gives the same bytes.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// An empty final block ends the stream.
const END: [u8; 2] = [3, 0];

/// Writes the content of `parts`, from byte `from` on, as one member.
pub(crate) fn write(
    path: &Path,
    out: &mut (impl Write + ?Sized),
    parts: &[&[u8]],
    from: usize,
    monitor: &dyn Monitor,
) -> Result<()> {
    let total: usize = parts.iter().map(|part| part.len()).sum();
    let count = (total - from).div_ceil(BLOCK_BYTES);
    monitor.stage("compressing", count as u64);
    out.write_all(&HEADER).map_err(fault::io(path))?;
    let mut crc = Crc::new();
    for first in (0..count).step_by(BATCH) {
        monitor.check()?;
        let batch: Vec<_> = (first..(first + BATCH).min(count)).collect();
        let deflated: Vec<Option<(Vec<u8>, Crc)>> = batch
            .par_iter()
            .map(|n| {
                let start = from + n * BLOCK_BYTES;
                deflated(&range_of(parts, start..(start + BLOCK_BYTES).min(total)))
            })
            .collect();
        for part in deflated {
            let (bytes, part_crc) = part.ok_or_else(|| fault::io(path)(ErrorKind::OutOfMemory.into()))?;
            out.write_all(&bytes).map_err(fault::io(path))?;
            crc.combine(&part_crc);
        }
        monitor.advance(batch.len() as u64);
    }
    // The format keeps the length modulo 2^32.
    let trailer = [&END[..], &crc.sum().to_le_bytes(), &((total - from) as u32).to_le_bytes()].concat();
    out.write_all(&trailer).map_err(fault::io(path))
}

fn deflated(content: &[u8]) -> Option<(Vec<u8>, Crc)> {
    let mut compress = Compress::new(Compression::new(LEVEL.unsigned_abs()), false);
    // Stored blocks are the worst case; what deflate adds to them is far below a thousandth.
    let mut bytes = Vec::with_capacity(content.len() + content.len() / 1000 + 1024);
    compress.compress_vec(content, &mut bytes, FlushCompress::Sync).ok()?;
    let is_whole = compress.total_in() == content.len() as u64 && bytes.len() < bytes.capacity();
    let mut crc = Crc::new();
    crc.update(content);
    is_whole.then_some((bytes, crc))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brainmesh_core::Silent;
    use flate2::read::GzDecoder;
    use std::io::Read;

    #[test]
    fn it_is_one_member_that_any_reader_takes() {
        let noise: Vec<u8> = (0..3_500_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let path = Path::new("a.gz");
        for (content, from) in [(&noise[..], 7), (&noise[..BLOCK_BYTES], 0), (&noise[..5], 5)] {
            let mut packed = Vec::new();
            write(path, &mut packed, &[&content[..3], &content[3..]], from, &Silent).unwrap();
            // `GzDecoder` stops after the first member and checks its CRC and length.
            let (mut back, mut rest) = (Vec::new(), packed.as_slice());
            GzDecoder::new(&mut rest).read_to_end(&mut back).unwrap();
            assert!(back == content[from..] && rest.is_empty());
        }
    }
}
