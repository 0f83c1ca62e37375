//! gzip (RFC 1952): whole streams, and streams of independent members of 1 MiB that can be read and written in parallel.
//!
//! A member says in its extra field how long it is, so that a reader hops from member to member: subfield `MZ` with the
//! length of the deflated data (MiGz) in files of ours, `BC` with the length of the member less one (BGZF) in those of
//! samtools and its kin. Every other reader takes such a file for the plain gzip that it is. Checksums are always verified.

use crate::{Result, fault};
use brainmesh_core::Monitor;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use libdeflater::{CompressionLvl, Compressor, Crc, Decompressor};
use rayon::prelude::*;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

/// Deflate turns at most 258 bytes into 2 bits, so that a stream of n bytes holds at most 1032 n
/// (<https://zlib.net/zlib_tech.html>); gzip's header and trailer only lower that.
pub(crate) const DEFLATE_RATIO: u64 = 1032;
/// Content of a member that we write.
pub(crate) const BLOCK_BYTES: usize = 1 << 20;
/// Members in memory at a time when writing.
pub(crate) const BATCH: usize = 32;
const MAGIC: [u8; 2] = [0x1f, 0x8b];
const DEFLATED: u8 = 8;
const EXTRA: u8 = 4;
/// CRC-32 and length.
const TRAILER_BYTES: usize = 8;
/// More content than this, at more than that ratio, is no brain but a bomb.
const BOMB_BYTES: u64 = 1 << 30;
const BOMB_RATIO: u64 = 900;
/// Content after what a header declares is checked up to here, then refused.
const MOST_SURPLUS_BYTES: u64 = 256 << 20;
/// What may follow the voxels in one go: the tags of MGH, the odd byte.
const MOST_FOOTER_BYTES: u64 = 1 << 20;

/// Whether a file begins like gzip.
pub(crate) fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&MAGIC)
}

/// Refuses content that only a stream made to fill memory holds.
pub(crate) fn refuse_bomb(path: &Path, content_bytes: u64, file_bytes: u64) -> Result<()> {
    if content_bytes > BOMB_BYTES && content_bytes / BOMB_RATIO > file_bytes {
        let expected = format!("at most {BOMB_RATIO} bytes of content a byte of file, beyond 1 GiB");
        return Err(fault::invalid(path, "gzip data", expected, format!("{content_bytes} bytes in {file_bytes}")));
    }
    Ok(())
}

/// Length of the content, or as much of it as is too much.
pub(crate) fn content_bytes(path: &Path) -> Result<u64> {
    let file = File::open(path).map_err(fault::io(path))?;
    let most = file.metadata().map_err(fault::io(path))?.len().saturating_mul(BOMB_RATIO).max(BOMB_BYTES);
    let mut content = MultiGzDecoder::new(BufReader::with_capacity(1 << 16, file));
    let (mut buffer, mut total) = (vec![0; 1 << 20], 0);
    while total <= most + BOMB_RATIO {
        match content.read(&mut buffer).map_err(|e| damaged(path, "gzip data", e))? {
            0 => break,
            n => total += n as u64,
        }
    }
    Ok(total)
}

/// A part of the content of a stream.
pub(crate) struct Content {
    pub bytes: Vec<u8>,
    /// Where in the content they begin.
    pub start: u64,
}

impl Content {
    /// A range that was asked for.
    pub fn of(&self, range: &Range<u64>) -> &[u8] {
        let [start, end] = [range.start, range.end].map(|at| at.saturating_sub(self.start) as usize);
        self.bytes.get(start..end).unwrap_or_default()
    }
}

/// At least the range of the content of a gzip or zlib stream of any kind, which begins at byte `at` of the file and has
/// `total` bytes of content by the file's header.
pub(crate) fn read_range(path: &Path, at: u64, range: Range<u64>, total: u64) -> Result<Content> {
    let file_bytes = std::fs::metadata(path).map_err(fault::io(path))?.len();
    refuse_bomb(path, range.end, file_bytes)?;
    let wanted = range.end - range.start;
    if total / 2 <= wanted
        && let Some(bytes) = inflate_whole(path, at, total)?
    {
        return Ok(Content { bytes, start: 0 });
    }
    let start = range.start;
    Ok(Content { bytes: stream_range(path, at, range, total)?, start })
}

/// A stream of one member, at once: the fastest way. None where it is anything else, damaged for example.
fn inflate_whole(path: &Path, at: u64, total: u64) -> Result<Option<Vec<u8>>> {
    let mut packed = Vec::new();
    open_at(path, at)?.read_to_end(&mut packed).map_err(fault::io(path))?;
    // A member ends with the length of its content: a little more than the header tells of, where something follows the voxels.
    let ends_with = packed.last_chunk::<4>().map(|length| u64::from(u32::from_le_bytes(*length)));
    let length = ends_with.filter(|length| (total..=total.saturating_add(MOST_FOOTER_BYTES)).contains(length));
    let Ok(length) = usize::try_from(length.unwrap_or(total)) else { return Ok(None) };
    let mut content: Vec<u8> = crate::memory::zeros(path, length)?;
    let found = if is_gzip(&packed) {
        Decompressor::new().gzip_decompress(&packed, &mut content)
    } else {
        Decompressor::new().zlib_decompress(&packed, &mut content)
    };
    Ok((found == Ok(length)).then_some(content))
}

/// A file from byte `at`.
fn open_at(path: &Path, at: u64) -> Result<File> {
    let mut file = File::open(path).map_err(fault::io(path))?;
    file.seek(SeekFrom::Start(at)).map_err(fault::io(path))?;
    Ok(file)
}

/// What a decoder says about a stream.
pub(crate) fn damaged(path: &Path, field: &str, error: io::Error) -> crate::Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => fault::invalid(path, field, "a whole stream", "its end is missing"),
        ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::Other => {
            fault::invalid(path, field, "an intact stream", error)
        }
        _ => fault::io(path)(error),
    }
}

/// Any stream, member after member, to its end so that every checksum is seen.
fn stream_range(path: &Path, at: u64, range: Range<u64>, total: u64) -> Result<Vec<u8>> {
    let mut packed = BufReader::with_capacity(1 << 18, open_at(path, at)?);
    let is_gzip = is_gzip(packed.fill_buf().map_err(fault::io(path))?);
    let (field, mut content): (_, Box<dyn Read>) = if is_gzip {
        ("gzip data", Box::new(MultiGzDecoder::new(packed)))
    } else {
        ("zlib data", Box::new(ZlibDecoder::new(packed)))
    };
    let damaged = |e: io::Error| damaged(path, field, e);
    let skipped = io::copy(&mut content.by_ref().take(range.start), &mut io::sink()).map_err(damaged)?;
    let mut bytes = Vec::new();
    content.by_ref().take(range.end - range.start).read_to_end(&mut bytes).map_err(damaged)?;
    let found = skipped + bytes.len() as u64;
    if found < range.end {
        return Err(fault::truncated(path, range.end as usize, found as usize));
    }
    let most = total.max(range.end).saturating_add(MOST_SURPLUS_BYTES);
    let rest = io::copy(&mut content.take(most - range.end), &mut io::sink()).map_err(damaged)?;
    if range.end + rest == most {
        let found = format!("more than {most} bytes");
        return Err(fault::invalid(path, field, format!("about the {total} bytes declared"), found));
    }
    Ok(bytes)
}

/// Where the members of a file lie that says so.
#[derive(Debug)]
pub(crate) struct BlockIndex {
    blocks: Vec<Block>,
}

/// One member: its deflated data in the file, its content in the whole content.
#[derive(Debug, Clone, Copy)]
struct Block {
    deflated: (u64, usize),
    start: u64,
    length: usize,
}

impl BlockIndex {
    /// None where a member does not say how long it is, or lies about it.
    pub fn of(path: &Path, file: &File) -> Result<Option<Self>> {
        let file_bytes = file.metadata().map_err(fault::io(path))?.len();
        let mut blocks = Vec::new();
        let (mut at, mut start) = (0, 0);
        while at < file_bytes {
            let mut header = [0; 20];
            if file_bytes - at < header.len() as u64 || read_at(file, &mut header, at).is_err() {
                return Ok(None);
            }
            let Some((header_bytes, member_bytes)) = member_length(&header) else { return Ok(None) };
            let mut length = [0; 4];
            let end = at + member_bytes;
            if end > file_bytes
                || member_bytes < header_bytes + TRAILER_BYTES as u64
                || read_at(file, &mut length, end - 4).is_err()
            {
                return Ok(None);
            }
            let length = u32::from_le_bytes(length) as usize;
            let deflated_bytes = (member_bytes - header_bytes) as usize - TRAILER_BYTES;
            // A block is read as a whole; one that is far larger than anyone writes is read as a stream instead.
            if length > 64 * BLOCK_BYTES || length as u64 > DEFLATE_RATIO * deflated_bytes as u64 {
                return Ok(None);
            }
            if length > 0 {
                blocks.push(Block { deflated: (at + header_bytes, deflated_bytes), start, length });
            }
            start += length as u64;
            at = end;
        }
        Ok((blocks.len() > 1).then_some(Self { blocks }))
    }

    /// Length of the content.
    pub fn content_bytes(&self) -> u64 {
        self.blocks.last().map_or(0, |b| b.start + b.length as u64)
    }

    /// Fills `out` with the content from `at`, which must lie within it. `cache` keeps the block read last.
    pub fn read(&self, path: &Path, file: &File, at: u64, out: &mut [u8], cache: &mut BlockCache) -> Result<()> {
        let (mut at, mut out) = (at, out);
        while !out.is_empty() {
            let index = self.blocks.partition_point(|b| b.start <= at).saturating_sub(1);
            let block = self.blocks[index];
            if cache.index != Some(index) {
                cache.index = None;
                block.inflate(path, file, cache)?;
                cache.index = Some(index);
            }
            let within = (at - block.start) as usize;
            let taken = out.len().min(block.length - within);
            let (filled, rest) = out.split_at_mut(taken);
            filled.copy_from_slice(&cache.content[within..within + taken]);
            (at, out) = (at + taken as u64, rest);
        }
        Ok(())
    }
}

/// The last block that was read.
#[derive(Default)]
pub(crate) struct BlockCache {
    index: Option<usize>,
    packed: Vec<u8>,
    content: Vec<u8>,
}

impl Block {
    fn inflate(self, path: &Path, file: &File, cache: &mut BlockCache) -> Result<()> {
        let (at, length) = self.deflated;
        cache.packed.resize(length + TRAILER_BYTES, 0);
        read_at(file, &mut cache.packed, at).map_err(fault::io(path))?;
        cache.content.resize(self.length, 0);
        let (deflated, trailer) = cache.packed.split_at(length);
        let found = Decompressor::new().deflate_decompress(deflated, &mut cache.content);
        let mut crc = Crc::new();
        crc.update(&cache.content);
        if found != Ok(self.length) || trailer[..4] != crc.sum().to_le_bytes() {
            let field = format!("gzip member at byte {at}");
            return Err(fault::invalid(path, field, "intact data that match their checksum", "damaged data"));
        }
        Ok(())
    }
}

/// Length of a member's header, and of the member, where its one extra subfield says so.
fn member_length(header: &[u8; 20]) -> Option<(u64, u64)> {
    let [0x1f, 0x8b, DEFLATED, EXTRA, _, _, _, _, _, _, extra @ ..] = header else { return None };
    match *extra {
        [8, 0, b'M', b'Z', 4, 0, a, b, c, d] => {
            let deflated = u32::from_le_bytes([a, b, c, d]);
            Some((20, 20 + u64::from(deflated) + TRAILER_BYTES as u64))
        }
        [6, 0, b'B', b'C', 2, 0, a, b, _, _] => Some((18, u64::from(u16::from_le_bytes([a, b])) + 1)),
        _ => None,
    }
}

/// Writes `parts`, one after the other, as members of 1 MiB that are compressed on all cores.
pub(crate) fn write_blocks(
    path: &Path,
    out: &mut (impl Write + ?Sized),
    parts: &[&[u8]],
    monitor: &dyn Monitor,
) -> Result<()> {
    let total: usize = parts.iter().map(|p| p.len()).sum();
    let count = total.div_ceil(BLOCK_BYTES).max(1);
    monitor.stage("compressing", count as u64);
    for first in (0..count).step_by(BATCH) {
        monitor.check()?;
        let batch: Vec<_> = (first..(first + BATCH).min(count)).collect();
        let members = batch.par_iter().map_init(
            || Compressor::new(CompressionLvl::new(LEVEL).unwrap_or_default()),
            |compressor, &n| member(compressor, &range_of(parts, n * BLOCK_BYTES..((n + 1) * BLOCK_BYTES).min(total))),
        );
        let members: Vec<Option<Vec<u8>>> = members.collect();
        for member in members {
            let member = member.ok_or_else(|| fault::io(path)(ErrorKind::OutOfMemory.into()))?;
            out.write_all(&member).map_err(fault::io(path))?;
        }
        monitor.advance(batch.len() as u64);
    }
    Ok(())
}

/// Smaller files than zlib's level 6 in less time.
pub(crate) const LEVEL: i32 = 6;

/// A part of the concatenation of `parts`, copied only where it spans two.
pub(crate) fn range_of<'a>(parts: &[&'a [u8]], range: Range<usize>) -> std::borrow::Cow<'a, [u8]> {
    let mut start = 0;
    let mut gathered = Vec::new();
    for part in parts {
        let [from, to] = [range.start, range.end].map(|at| at.clamp(start, start + part.len()) - start);
        if to - from == range.len() {
            return part[from..to].into();
        }
        gathered.extend_from_slice(&part[from..to]);
        start += part.len();
    }
    gathered.into()
}

fn member(compressor: &mut Compressor, content: &[u8]) -> Option<Vec<u8>> {
    let bound = compressor.deflate_compress_bound(content.len());
    let mut bytes = vec![0; 20 + bound + TRAILER_BYTES];
    let length = compressor.deflate_compress(content, &mut bytes[20..20 + bound]).ok()?;
    // No time and system unknown, so that the same content gives the same bytes.
    bytes[..10].copy_from_slice(&[0x1f, 0x8b, DEFLATED, EXTRA, 0, 0, 0, 0, 0, 255]);
    bytes[10..16].copy_from_slice(&[8, 0, b'M', b'Z', 4, 0]);
    bytes[16..20].copy_from_slice(&(length as u32).to_le_bytes());
    bytes.truncate(20 + length);
    let mut crc = Crc::new();
    crc.update(content);
    bytes.extend_from_slice(&crc.sum().to_le_bytes());
    bytes.extend_from_slice(&(content.len() as u32).to_le_bytes());
    Some(bytes)
}

/// Fills `buffer` from a place in the file, whatever other threads read meanwhile.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::read_exact_at(file, buffer, at);
    #[cfg(windows)]
    {
        let (mut buffer, mut at) = (buffer, at);
        while !buffer.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(file, buffer, at) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => {
                    buffer = &mut buffer[n..];
                    at += n as u64;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brainmesh_core::Silent;

    fn noise(bytes: usize) -> Vec<u8> {
        (0..bytes as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 27) as u8).collect()
    }

    #[test]
    fn any_part_of_a_blocked_file_is_read_alone_and_the_whole_by_any_reader() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gz");
        let content = noise(3 * BLOCK_BYTES + 12345);
        let mut packed = Vec::new();
        write_blocks(&path, &mut packed, &[&content[..352], &content[352..]], &Silent).unwrap();
        std::fs::write(&path, &packed).unwrap();
        let mut whole = Vec::new();
        MultiGzDecoder::new(packed.as_slice()).read_to_end(&mut whole).unwrap();
        assert!(whole == content);
        let file = File::open(&path).unwrap();
        let index = BlockIndex::of(&path, &file).unwrap().unwrap();
        assert_eq!(index.content_bytes(), content.len() as u64);
        for range in [0..10, BLOCK_BYTES - 3..BLOCK_BYTES + 3, 5..content.len()] {
            let mut part = vec![0; range.len()];
            index.read(&path, &file, range.start as u64, &mut part, &mut BlockCache::default()).unwrap();
            assert!(part == content[range]);
        }
    }

    #[test]
    fn a_flipped_bit_in_a_block_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gz");
        let content = noise(2 * BLOCK_BYTES);
        let mut packed = Vec::new();
        write_blocks(&path, &mut packed, &[&content], &Silent).unwrap();
        let middle = packed.len() / 4;
        packed[middle] ^= 1;
        std::fs::write(&path, &packed).unwrap();
        let file = File::open(&path).unwrap();
        let index = BlockIndex::of(&path, &file).unwrap().unwrap();
        let mut part = vec![0; 8];
        assert!(index.read(&path, &file, 0, &mut part, &mut BlockCache::default()).is_err());
    }
}
