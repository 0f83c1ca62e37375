//! Voxels that lie in a file one after another, plain or compressed: NIfTI, ANALYZE, MGH, NRRD, MetaImage.

use crate::gzip::{self, BlockCache, BlockIndex};
use crate::raw_parts::Parts;
use crate::volume_reader::Region;
use crate::voxel::{Encoding, Voxel};
use crate::{Result, fault, memory};
use brainmesh_core::Monitor;
use rayon::prelude::*;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Stored bytes converted at a time: small enough for the second-level cache, large enough that a call costs nothing.
const BLOCK_BYTES: usize = 1 << 19;
/// Compressed blocks are inflated whole, so that parts read from them should be large.
const COMPRESSED_BLOCK_BYTES: usize = 1 << 23;
const GZIP: &str = "gzip";

/// An array in a file: `i` fastest, then `j`, `k`, then volumes; of several values a voxel ("planes"), these are fastest of
/// all, and plane `p` of volume `v` counts as volume `v * planes + p`.
#[derive(Debug)]
pub(crate) struct RawVoxels {
    path: PathBuf,
    bytes: Bytes,
    offset: u64,
    shape: [usize; 3],
    volumes: usize,
    planes: usize,
    pub encoding: Encoding,
    /// A stream's content, once it is decoded, and where in it the first value is.
    loaded: OnceLock<(Bytes, u64)>,
}

/// Where the bytes are.
#[derive(Debug)]
enum Bytes {
    Plain(File),
    /// gzip that can be entered at every block.
    Blocks(File, BlockIndex),
    /// gzip or zlib that cannot, from a byte of the file on, and its name.
    Stream(u64, &'static str),
    /// Plain bytes in several files.
    Parts(Parts),
    /// Already decoded.
    Memory(Vec<u8>),
}

/// How an array lies in its file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawLayout {
    /// Of the first value, in the content (after gzip, where there is any).
    pub offset: u64,
    pub shape: [usize; 3],
    /// Volumes of `planes` each.
    pub volumes: usize,
    pub planes: usize,
    pub encoding: Encoding,
}

impl RawLayout {
    /// Of all values; counts may be as wrong as the header that they come from.
    pub fn bytes(&self) -> u128 {
        let counts = self.shape.into_iter().chain([self.volumes, self.planes, self.encoding.stored.size_bytes()]);
        counts.fold(1, |n, count| n.saturating_mul(count as u128))
    }
}

impl RawVoxels {
    /// Of a file, plain or gzipped, which must be long enough.
    pub fn of_file(path: &Path, layout: RawLayout) -> Result<Self> {
        let file = File::open(path).map_err(fault::io(path))?;
        let file_bytes = file.metadata().map_err(fault::io(path))?.len();
        let mut magic = [0; 2];
        let is_gzip = gzip::read_at(&file, &mut magic, 0).is_ok() && gzip::is_gzip(&magic);
        let (bytes, most_bytes) = if !is_gzip {
            (Bytes::Plain(file), file_bytes)
        } else if let Some(index) = BlockIndex::of(path, &file)? {
            let content = index.content_bytes();
            (Bytes::Blocks(file, index), content)
        } else {
            (Bytes::Stream(0, GZIP), file_bytes.saturating_mul(gzip::DEFLATE_RATIO))
        };
        Self::new(path, bytes, most_bytes, layout)
    }

    /// Of a file whose bytes stand for themselves, even where they begin like gzip.
    pub fn of_plain(path: &Path, layout: RawLayout) -> Result<Self> {
        let file = File::open(path).map_err(fault::io(path))?;
        let file_bytes = file.metadata().map_err(fault::io(path))?.len();
        Self::new(path, Bytes::Plain(file), file_bytes, layout)
    }

    /// Of a gzip or zlib stream that begins at byte `start` of a file; `layout.offset` counts in its content.
    pub fn of_stream(path: &Path, start: u64, layout: RawLayout) -> Result<Self> {
        let file = File::open(path).map_err(fault::io(path))?;
        let file_bytes = file.metadata().map_err(fault::io(path))?.len();
        let mut magic = [0; 2];
        let name = if gzip::read_at(&file, &mut magic, start).is_ok() && gzip::is_gzip(&magic) { GZIP } else { "zlib" };
        let most_bytes = file_bytes.saturating_sub(start).saturating_mul(gzip::DEFLATE_RATIO);
        Self::new(path, Bytes::Stream(start, name), most_bytes, layout)
    }

    /// Of plain files that share the values evenly, each from a byte of its own on; `path` is named in errors.
    pub fn of_parts(path: &Path, parts: Vec<(PathBuf, u64)>, layout: RawLayout) -> Result<Self> {
        let parts = Parts::new(parts, layout.bytes())?;
        let most_bytes = parts.bytes();
        Self::new(path, Bytes::Parts(parts), most_bytes, layout)
    }

    /// Of bytes that another reader decoded from `path`; `layout.offset` counts in them.
    pub fn of_bytes(path: &Path, bytes: Vec<u8>, layout: RawLayout) -> Result<Self> {
        let length = bytes.len() as u64;
        Self::new(path, Bytes::Memory(bytes), length, layout)
    }

    fn new(path: &Path, bytes: Bytes, most_bytes: u64, layout: RawLayout) -> Result<Self> {
        let RawLayout { offset, shape, volumes, planes, encoding } = layout;
        let expected = layout.bytes().saturating_add(offset.into());
        if expected > u128::from(most_bytes) {
            let expected_bytes = u64::try_from(expected).unwrap_or(u64::MAX);
            return Err(crate::Error::Truncated { path: path.into(), expected_bytes, found_bytes: most_bytes });
        }
        if matches!(bytes, Bytes::Stream(..)) {
            // Before memory is taken for the result.
            gzip::refuse_bomb(path, expected as u64, most_bytes / gzip::DEFLATE_RATIO)?;
        }
        Ok(Self { path: path.into(), bytes, offset, shape, volumes, planes, encoding, loaded: OnceLock::new() })
    }

    /// Whether a part is read without reading all.
    pub fn is_lazy(&self) -> bool {
        !matches!(self.bytes, Bytes::Stream(..)) || self.loaded.get().is_some()
    }

    /// Short name of how the bytes are packed.
    pub fn packing(&self) -> &'static str {
        match self.bytes {
            Bytes::Plain(_) | Bytes::Parts(_) => "none",
            Bytes::Blocks(..) => "gzip (blocks)",
            Bytes::Stream(_, name) => name,
            Bytes::Memory(_) => "decoded",
        }
    }

    /// Bytes of a plain file that follow the last value.
    pub fn surplus_bytes(&self) -> u64 {
        let end = self.place(0, [0; 3]) + self.volumes as u64 * self.volume_bytes();
        let Bytes::Plain(file) = &self.bytes else { return 0 };
        file.metadata().map_or(0, |m| m.len().saturating_sub(end))
    }

    /// The stored bytes of everything, mapped; none where they are compressed.
    pub fn map(&self) -> Result<Option<(memmap2::Mmap, usize)>> {
        let Bytes::Plain(file) = &self.bytes else { return Ok(None) };
        Ok(Some((memory::map(&self.path, file)?, self.offset as usize)))
    }

    /// Fills `out` with a region of a volume, `i` fastest; `region` and `volume` must lie within.
    pub fn read<T: Voxel>(&self, volume: usize, region: &Region, out: &mut [T], monitor: &dyn Monitor) -> Result<()> {
        self.read_as(self.encoding, volume, region, out, monitor)
    }

    /// [`read`](Self::read) without scaling.
    pub fn read_stored<T: Voxel>(
        &self,
        volume: usize,
        region: &Region,
        out: &mut [T],
        monitor: &dyn Monitor,
    ) -> Result<()> {
        self.read_as(Encoding { scale: None, ..self.encoding }, volume, region, out, monitor)
    }

    /// Decodes a stream whole, so that every later read takes from memory what it needs; other files stay as they are.
    pub fn load(&self) -> Result<()> {
        if let Bytes::Stream(stream, _) = self.bytes
            && self.loaded.get().is_none()
        {
            // Another thread may have been faster, with the same content.
            let _ = self.loaded.set(self.inflated(stream, self.offset..self.total())?);
        }
        Ok(())
    }

    fn read_as<T: Voxel>(
        &self,
        encoding: Encoding,
        volume: usize,
        region: &Region,
        out: &mut [T],
        monitor: &dyn Monitor,
    ) -> Result<()> {
        let Bytes::Stream(stream, _) = self.bytes else {
            return self.read_parts((&self.bytes, self.offset), encoding, volume, region, out, monitor);
        };
        if let Some((bytes, offset)) = self.loaded.get() {
            return self.read_parts((bytes, *offset), encoding, volume, region, out, monitor);
        }
        // From the first to the last byte of the region.
        let [[i0, j0, k0], [i1, j1, k1]] = [region.each_ref().map(|r| r.start), region.each_ref().map(|r| r.end - 1)];
        let end = self.place(volume, [i1, j1, k1]) + self.voxel_bytes() as u64;
        let (bytes, offset) = self.inflated(stream, self.place(volume, [i0, j0, k0])..end)?;
        self.read_parts((&bytes, offset), encoding, volume, region, out, monitor)
    }

    /// At least a range of a stream's content, and where in it the first value would be.
    fn inflated(&self, stream: u64, range: Range<u64>) -> Result<(Bytes, u64)> {
        let content = gzip::read_range(&self.path, stream, range, self.total())?;
        // That may be before the bytes kept: offsets are taken modulo 2^64.
        Ok((Bytes::Memory(content.bytes), self.offset.wrapping_sub(content.start)))
    }

    fn read_parts<T: Voxel>(
        &self,
        (bytes, offset): (&Bytes, u64),
        encoding: Encoding,
        volume: usize,
        region: &Region,
        out: &mut [T],
        monitor: &dyn Monitor,
    ) -> Result<()> {
        let [ni, nj, _] = self.shape;
        let [ri, rj, rk] = region;
        // Values that follow one another in the file and in the result.
        let run = match (ri.len() == ni, rj.len() == nj) {
            (true, true) => ri.len() * rj.len() * rk.len(),
            (true, false) => ri.len() * rj.len(),
            _ => ri.len(),
        };
        let row_start = |row: usize| match run {
            n if n == ri.len() => [ri.start, rj.start + row % rj.len(), rk.start + row / rj.len()],
            _ => [ri.start, rj.start, rk.start + row],
        };
        let block_bytes = if matches!(bytes, Bytes::Blocks(..)) { COMPRESSED_BLOCK_BYTES } else { BLOCK_BYTES };
        let block = (block_bytes / self.voxel_bytes()).max(1);
        let plane = (volume % self.planes * self.encoding.stored.size_bytes()) as u64;
        out.par_chunks_mut(block).enumerate().try_for_each_init(
            || (Vec::new(), BlockCache::default()),
            |(buffer, cache), (n, mut out)| {
                monitor.check()?;
                let mut at = n * block;
                let filled = out.len() as u64;
                while !out.is_empty() {
                    let (row, within) = (at / run, at % run);
                    let (part, rest) = out.split_at_mut(out.len().min(run - within));
                    let start = self.place(volume, row_start(row)) + (within * self.voxel_bytes()) as u64 + plane;
                    let start = start.wrapping_sub(self.offset).wrapping_add(offset);
                    // The last voxel ends with its last plane, which may be another.
                    let length = (part.len() - 1) * self.voxel_bytes() + self.encoding.stored.size_bytes();
                    let stored = match bytes {
                        Bytes::Memory(content) => {
                            let start = start as usize;
                            content.get(start..start + length).unwrap_or_default()
                        }
                        Bytes::Plain(file) => {
                            buffer.resize(length, 0);
                            gzip::read_at(file, buffer, start).map_err(fault::io(&self.path))?;
                            buffer.as_slice()
                        }
                        Bytes::Blocks(file, index) => {
                            buffer.resize(length, 0);
                            index.read(&self.path, file, start, buffer, cache)?;
                            buffer.as_slice()
                        }
                        Bytes::Parts(parts) => {
                            buffer.resize(length, 0);
                            parts.read(start, buffer)?;
                            buffer.as_slice()
                        }
                        Bytes::Stream(..) => &[],
                    };
                    encoding.decode(stored, self.planes, part).map_err(|value| {
                        fault::invalid(&self.path, "intensity", format!("a value of type {}", T::STORED), value)
                    })?;
                    at += part.len();
                    out = rest;
                }
                monitor.advance(filled);
                Ok(())
            },
        )
    }

    fn voxel_bytes(&self) -> usize {
        self.encoding.stored.size_bytes() * self.planes
    }

    fn volume_bytes(&self) -> u64 {
        self.shape.iter().product::<usize>() as u64 * self.voxel_bytes() as u64
    }

    /// Length of the content as far as the header declares it.
    fn total(&self) -> u64 {
        self.offset + self.volumes as u64 * self.volume_bytes()
    }

    /// Place of a voxel's first byte in the content.
    fn place(&self, volume: usize, [i, j, k]: [usize; 3]) -> u64 {
        let voxel = i + self.shape[0] * (j + self.shape[1] * k);
        self.offset + (volume / self.planes) as u64 * self.volume_bytes() + voxel as u64 * self.voxel_bytes() as u64
    }
}
