use super::axes::Axes;
use super::codec::MOST_CHUNK_BYTES;
use crate::stored_type::ByteOrder;
use crate::volume_reader::Region;
use crate::voxel::{Encoding, Voxel};
use crate::{Result, StoredType, fault};
use brainmesh_core::Monitor;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zarrs::array::{Array, ArrayBytes, ArrayMetadata, ArrayShardedExt, ArraySubset, CodecOptions};
use zarrs::convert::array_metadata_v2_to_v3;
use zarrs::filesystem::FilesystemStore;
use zarrs::plugin::ExtensionName;

/// Decoded chunks held at a time, unless one alone is larger.
const BATCH_BYTES: usize = 64 << 20;
/// No codec shrinks values by more than this: zstd writes 128 KiB of equal bytes as 4.
const MOST_RATIO: u64 = 40_000;
/// Blocks of a region that may be missing: a sparse image has few of its own size, a lie has no limit.
const MOST_MISSING: usize = 1 << 20;
/// Memory that a fill value other than 0 may take, and how much more for each byte that is stored.
const FREE_FILL_BYTES: u64 = 256 << 20;
const MOST_FILL_RATIO: u64 = 4096;

/// One level of an image: its array, read in blocks.
#[derive(Debug)]
pub(crate) struct Image {
    /// Of the array.
    path: PathBuf,
    root: PathBuf,
    array: Array<FilesystemStore>,
    axes: Axes,
    pub(super) stored: StoredType,
    /// Voxels decoded together, along every dimension: a chunk, or a layer of a shard.
    block: Vec<u64>,
    chunk: Vec<u64>,
}

/// A part of a region that lies in one block.
struct Part {
    subset: ArraySubset,
    /// Start and length along x, y, z.
    start: [usize; 3],
    shape: [usize; 3],
    /// Stored values; none where the chunk is missing.
    bytes: Option<Vec<u8>>,
    file_bytes: u64,
}

impl Image {
    /// Opens the array of a level, whose metadata are checked.
    pub(super) fn open(root: &Path, level: &str, axes: Axes) -> Result<Self> {
        let path = root.join(level);
        for name in ["zarr.json", ".zarray", ".zattrs"].map(|name| path.join(name)) {
            if name.exists() {
                super::json::check_size(&name)?;
            }
        }
        let field = |error: &dyn std::fmt::Display| fault::invalid(&path, "zarr array", "one that can be read", error);
        let store = FilesystemStore::new(root).map_err(|e| field(&e))?;
        let mut array = Array::open(Arc::new(store), &format!("/{level}")).map_err(|e| field(&e))?;
        // `zarrs` makes the blosc codec of zarr v2 without asking its registry, where the bounded one is.
        if let ArrayMetadata::V2(metadata) = array.metadata().clone() {
            let metadata = array_metadata_v2_to_v3(&metadata).map_err(|e| field(&e))?;
            let metadata = ArrayMetadata::V3(metadata);
            array = Array::new_with_metadata(array.storage(), &format!("/{level}"), metadata).map_err(|e| field(&e))?;
        }
        if array.dimensionality() != axes.count {
            let expected = format!("{} (the number of axes)", axes.count);
            return Err(fault::invalid(&path, "dimensions of the array", expected, array.dimensionality()));
        }
        let name = array.data_type().name_v3().unwrap_or_default();
        let stored = if name == "bool" { Some(StoredType::Uint8) } else { StoredType::from_name(&name) };
        let supported = "integers of 8 to 64 bits, float32, float64";
        let stored = stored.ok_or_else(|| fault::unsupported(&path, "data type", array.data_type(), supported))?;
        let (chunk, block) = blocks(&path, &array, stored)?;
        Ok(Self { path, root: root.into(), array, axes, stored, block, chunk })
    }

    /// Voxels along x, y, z.
    pub fn shape(&self) -> Result<[usize; 3]> {
        let mut shape = [1; 3];
        for (length, n) in shape.iter_mut().zip(self.axes.space) {
            if let Some(n) = n {
                *length = self.length(n)?;
            }
        }
        Ok(shape)
    }

    /// Time points and channels.
    pub fn volumes(&self) -> Result<[usize; 2]> {
        let length = |n: Option<usize>| n.map_or(Ok(1), |n| self.length(n));
        Ok([length(self.axes.time)?, length(self.axes.channel)?])
    }

    fn length(&self, dimension: usize) -> Result<usize> {
        let length = self.array.shape()[dimension];
        usize::try_from(length).map_err(|_| fault::invalid(&self.path, "shape", "a countable number of voxels", length))
    }

    /// Whether not one chunk is there.
    pub fn is_empty(&self) -> Result<bool> {
        let entries = std::fs::read_dir(&self.path).map_err(fault::io(&self.path))?;
        let is_chunk = |name: &std::ffi::OsStr| !matches!(name.to_str(), Some("zarr.json" | ".zarray" | ".zattrs"));
        Ok(!entries.flatten().any(|entry| is_chunk(&entry.file_name())))
    }

    /// Fills `out` with a region of a volume; channels run fastest of volumes.
    pub fn read<T: Voxel>(&self, volume: usize, region: &Region, out: &mut [T], monitor: &dyn Monitor) -> Result<()> {
        let channels = self.volumes()?[1];
        let mut ranges = vec![0..1; self.axes.count];
        let fixed = [(self.axes.time, volume / channels), (self.axes.channel, volume % channels)];
        fixed.into_iter().for_each(|(n, at)| n.into_iter().for_each(|n| ranges[n] = at as u64..at as u64 + 1));
        for (n, range) in self.axes.space.iter().zip(region) {
            n.iter().for_each(|&n| ranges[n] = range.start as u64..range.end as u64);
        }
        // Blocks are numbered with z slowest, so that those of a batch fill planes that follow one another.
        let mut order: Vec<usize> = (0..self.axes.count).collect();
        order.sort_by_key(|n| self.axes.space.iter().position(|s| s == &Some(*n)));
        let counts: Vec<_> = ranges.iter().zip(&self.block).map(|(r, b)| (r.end - 1) / b - r.start / b + 1).collect();
        let total = counts.iter().try_fold(1u64, |n, &count| n.checked_mul(count)).unwrap_or(u64::MAX);
        let block_bytes = self.block.iter().product::<u64>() as usize * self.stored.size_bytes();
        let batch = (BATCH_BYTES / block_bytes.max(1)).clamp(2 * rayon::current_num_threads(), 4096) as u64;
        let plane = region[0].len() * region[1].len();
        let (mut missing, mut missing_bytes, mut file_bytes, mut first) = (0, 0u64, 0u64, 0);
        let is_zero = self.array.fill_value().as_ne_bytes().iter().all(|&byte| byte == 0);
        while first < total {
            monitor.check()?;
            let numbers = first..total.min(first + batch);
            first = numbers.end;
            let parts: Vec<_> = numbers
                .into_par_iter()
                .map(|number| self.part(number, &order, &counts, &ranges))
                .collect::<Result<_>>()?;
            for part in &parts {
                file_bytes = file_bytes.saturating_add(part.file_bytes);
                if part.bytes.is_none() {
                    missing += 1;
                    let voxels: usize = part.shape.iter().product();
                    missing_bytes = missing_bytes.saturating_add((voxels * size_of::<T>()) as u64);
                }
            }
            let most_bytes = FREE_FILL_BYTES.saturating_add(file_bytes.saturating_mul(MOST_FILL_RATIO));
            if missing > MOST_MISSING || !is_zero && missing_bytes > most_bytes {
                let expected = "not so many of a region missing";
                return Err(fault::invalid(&self.path, "chunks", expected, format!("{missing} of {first}")));
            }
            let starts = parts.iter().map(|part| part.start[2]);
            let low = starts.min().unwrap_or_default();
            let high = parts.iter().map(|part| part.start[2] + part.shape[2]).max().unwrap_or_default();
            let k0 = region[2].start;
            let planes = out.get_mut((low - k0) * plane..(high - k0) * plane).unwrap_or_default();
            planes
                .par_chunks_mut(plane)
                .enumerate()
                .try_for_each(|(k, plane)| parts.iter().try_for_each(|part| self.copy(part, low + k, region, plane)))?;
            monitor.advance(parts.iter().map(|part| part.shape.iter().product::<usize>() as u64).sum());
        }
        Ok(())
    }

    /// Decodes block `number` of those that a region touches, which are counted with `order[0]` fastest.
    fn part(&self, number: u64, order: &[usize], counts: &[u64], ranges: &[std::ops::Range<u64>]) -> Result<Part> {
        let mut rest = number;
        let mut within = ranges.to_vec();
        for &n in order {
            let at = (ranges[n].start / self.block[n] + rest % counts[n]) * self.block[n];
            rest /= counts[n];
            within[n] = at.max(ranges[n].start)..(at + self.block[n]).min(ranges[n].end);
        }
        let along = |f: &dyn Fn(&std::ops::Range<u64>) -> u64, none| {
            self.axes.space.map(|n| n.map_or(none, |n| f(&within[n]) as usize))
        };
        let (start, shape) = (along(&|r| r.start, 0), along(&|r| r.end - r.start, 1));
        let subset = ArraySubset::new_with_ranges(&within);
        let indices: Vec<_> = within.iter().zip(&self.chunk).map(|(r, chunk)| r.start / chunk).collect();
        let file = self.root.join(self.array.chunk_key(&indices).as_str());
        let (bytes, file_bytes) = match file.metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (None, 0),
            Err(error) => return Err(fault::io(&file)(error)),
            Ok(metadata) if !metadata.is_file() => {
                return Err(fault::invalid(&file, "chunk", "a file", "something else"));
            }
            Ok(metadata) => {
                let decoded = self.block.iter().product::<u64>() * self.stored.size_bytes() as u64;
                if decoded > (BATCH_BYTES as u64).saturating_add(metadata.len().saturating_mul(MOST_RATIO)) {
                    let least = decoded as usize / MOST_RATIO as usize;
                    return Err(fault::truncated(&file, least, metadata.len() as usize));
                }
                (Some(self.decoded(&file, &subset)?), metadata.len())
            }
        };
        Ok(Part { subset, start, shape, bytes, file_bytes })
    }

    fn decoded(&self, file: &Path, subset: &ArraySubset) -> Result<Vec<u8>> {
        // Blocks are decoded in parallel; a codec must not divide one further.
        let options = CodecOptions::default().with_concurrent_target(1);
        let bytes: ArrayBytes = self
            .array
            .retrieve_array_subset_opt(subset, &options)
            .map_err(|error| fault::invalid(file, "chunk", "one that can be decoded", error))?;
        let bytes = bytes.into_fixed().map_err(|e| fault::invalid(file, "chunk", "values of one size", e))?;
        let expected = subset.num_elements_usize() * self.stored.size_bytes();
        if bytes.len() == expected {
            Ok(bytes.into_owned())
        } else {
            Err(fault::truncated(file, expected, bytes.len()))
        }
    }

    /// Copies what a part has of plane `k` of the volume to the plane of a region.
    fn copy<T: Voxel>(&self, part: &Part, k: usize, region: &Region, plane: &mut [T]) -> Result<()> {
        if k < part.start[2] || k >= part.start[2] + part.shape[2] {
            return Ok(());
        }
        let encoding = Encoding { stored: self.stored, order: ByteOrder::NATIVE, scale: None };
        let refuse = |value| fault::invalid(&self.path, "intensity", format!("a value of type {}", T::STORED), value);
        let left = part.start[0] - region[0].start;
        let size = self.stored.size_bytes();
        let mut strides = [0; 3];
        for (stride, n) in strides.iter_mut().zip(self.axes.space) {
            let faster = n.map_or(&[][..], |n| &part.subset.shape()[n + 1..]);
            *stride = faster.iter().product::<u64>() as usize;
        }
        let mut fill = [T::default()];
        if part.bytes.is_none() {
            encoding.decode(self.array.fill_value().as_ne_bytes(), 1, &mut fill).map_err(refuse)?;
            // The result is zeros already; memory that nobody touches costs nothing.
            if bytemuck::bytes_of(&fill[0]).iter().all(|&byte| byte == 0) {
                return Ok(());
            }
        }
        for j in 0..part.shape[1] {
            let row = (part.start[1] - region[1].start + j) * region[0].len() + left;
            let row = plane.get_mut(row..row + part.shape[0]).unwrap_or_default();
            match &part.bytes {
                None => row.fill(fill[0]),
                Some(bytes) => {
                    let at = (j * strides[1] + (k - part.start[2]) * strides[2]) * size;
                    encoding.decode(bytes.get(at..).unwrap_or_default(), strides[0], row).map_err(refuse)?;
                }
            }
        }
        Ok(())
    }
}

/// The chunks of an array, and what of them is decoded at a time; both must be of a size that can be meant.
fn blocks(path: &Path, array: &Array<FilesystemStore>, stored: StoredType) -> Result<(Vec<u64>, Vec<u64>)> {
    let invalid = |error: &dyn std::fmt::Display| fault::invalid(path, "chunks", "a regular grid", error);
    let name = array.chunk_grid().name_v3().unwrap_or_default();
    if name != "regular" {
        return Err(fault::unsupported(path, "chunk grid", name, "regular"));
    }
    if array.shape().contains(&0) {
        return Err(fault::invalid(
            path,
            "shape",
            "at least one voxel along every axis",
            format!("{:?}", array.shape()),
        ));
    }
    let chunk = array.chunk_shape(&vec![0; array.dimensionality()]).map_err(|e| invalid(&e))?;
    let chunk: Vec<u64> = chunk.iter().map(|n| n.get()).collect();
    let mut block = chunk.clone();
    if let Some(inner) = array.effective_subchunk_shape() {
        // Parts of a shard share an index, which is read anew for each block: whole rows of them make a block.
        let rows = array.dimensionality().saturating_sub(2);
        block.iter_mut().zip(&inner).take(rows).for_each(|(n, inner)| *n = inner.get());
        // The shard's index has 16 bytes for each of its parts.
        let parts = chunk.iter().zip(&inner).try_fold(16u64, |n, (c, i)| n.checked_mul(c / i.get()));
        check_size(path, "parts of a shard (16 bytes each)", &[parts.unwrap_or(u64::MAX)])?;
    }
    let mut bytes = block.clone();
    bytes.push(stored.size_bytes() as u64);
    check_size(path, "chunk", &bytes)?;
    Ok((chunk, block))
}

fn check_size(path: &Path, what: &str, factors: &[u64]) -> Result<()> {
    let bytes = factors.iter().try_fold(1u64, |n, &factor| n.checked_mul(factor)).unwrap_or(u64::MAX);
    if bytes <= MOST_CHUNK_BYTES {
        return Ok(());
    }
    Err(fault::unsupported(path, what, format!("{bytes} bytes"), &format!("up to {MOST_CHUNK_BYTES} bytes decoded")))
}
