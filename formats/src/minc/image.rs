use super::Source;
use super::axis::{Axis, grid};
use super::scale::{Limit, Scale};
use super::source::Stored;
use crate::stored_type::StoredType;
use crate::volume_info::rows;
use crate::{Error, Result, Scaling, VolumeInfo, fault};
use brainmesh_core::{Grid, LabelTable};
use bytemuck::Zeroable;
use rayon::prelude::*;
use std::ops::Range;
use std::path::PathBuf;

/// An open MINC image of either version.
pub(super) struct Image {
    pub path: PathBuf,
    pub format: &'static str,
    /// Slowest first.
    pub axes: Vec<Axis>,
    pub stored: StoredType,
    pub valid_range: Option<[f64; 2]>,
    pub minimum: Option<Limit>,
    pub maximum: Option<Limit>,
    /// Whether stored integers are the values themselves (labels, counts).
    pub is_unscaled: bool,
    pub labels: Option<LabelTable>,
    /// What was assumed.
    pub warnings: Vec<String>,
    pub source: Source,
    /// The file holds no more content than this.
    pub most_bytes: u64,
}

impl Image {
    pub fn grid(&self) -> Result<Grid> {
        grid(&self.path, &self.axes)
    }

    pub fn info(&self) -> Result<VolumeInfo> {
        let grid = self.grid()?;
        let scaling = match self.scale()? {
            None => Scaling::None,
            Some(scale) => match scale.single() {
                Some((slope, intercept)) => Scaling::Linear { slope, intercept },
                None => Scaling::PerSlice,
            },
        };
        Ok(VolumeInfo {
            format: self.format,
            shape: grid.shape(),
            volumes: self.volumes()?,
            spacing_mm: grid.spacing_mm(),
            world_from_voxel: rows(grid.affine()),
            world: grid.world().into(),
            stored: self.stored.name(),
            scaling,
        })
    }

    /// The voxels of `region`, along i, j and k, of one volume; `to` makes a value of an intensity. Of a chunked file only
    /// the chunks that the region touches are read.
    pub fn read<T: Zeroable + Send>(
        &self,
        volume_index: usize,
        region: &[Range<usize>; 3],
        to: impl Fn(f64) -> T + Sync,
    ) -> Result<Vec<T>> {
        let ranges = self.ranges(volume_index, region)?;
        let whole =
            self.axes.iter().try_fold(self.stored.size_bytes() as u64, |n, axis| n.checked_mul(axis.length as u64));
        if let Some(expected_bytes) = Some(whole.unwrap_or(u64::MAX)).filter(|&n| n > self.most_bytes) {
            return Err(Error::Truncated { path: self.path.clone(), expected_bytes, found_bytes: self.most_bytes });
        }
        match self.stored {
            StoredType::Int8 => self.read_as::<i8, T>(&ranges, &to),
            StoredType::Uint8 => self.read_as::<u8, T>(&ranges, &to),
            StoredType::Int16 => self.read_as::<i16, T>(&ranges, &to),
            StoredType::Uint16 => self.read_as::<u16, T>(&ranges, &to),
            StoredType::Int32 => self.read_as::<i32, T>(&ranges, &to),
            StoredType::Uint32 => self.read_as::<u32, T>(&ranges, &to),
            StoredType::Float32 => self.read_as::<f32, T>(&ranges, &to),
            StoredType::Float64 => self.read_as::<f64, T>(&ranges, &to),
            StoredType::Int64 | StoredType::Uint64 => {
                Err(fault::unsupported(&self.path, "type of image", self.stored.name(), "up to 32 bits"))
            }
        }
    }

    /// In slabs along the slowest spatial axis: they follow one another in the result, several are read at once, and the
    /// stored values are never all in memory beside it.
    fn read_as<S: Stored, T: Zeroable + Send>(
        &self,
        ranges: &[Range<usize>],
        to: &(impl Fn(f64) -> T + Sync),
    ) -> Result<Vec<T>> {
        let scale = self.scale()?;
        let count: usize = ranges.iter().map(Range::len).product();
        let memory = || fault::io(&self.path)(std::io::ErrorKind::OutOfMemory.into());
        let mut data = bytemuck::allocation::try_zeroed_vec(count).map_err(|()| memory())?;
        let slowest = self.axes.iter().position(Axis::is_spatial).unwrap_or_default();
        let slab = count / ranges[slowest].len().max(1);
        let thickness = self.source.slab_thickness(slowest, slab * size_of::<S>());
        let mut slabs = Vec::new();
        let (mut rest, mut start) = (data.as_mut_slice(), ranges[slowest].start);
        while start < ranges[slowest].end {
            let end = ((start / thickness + 1) * thickness).min(ranges[slowest].end);
            let (out, next) = rest.split_at_mut((end - start) * slab);
            slabs.push((start..end, out));
            (rest, start) = (next, end);
        }
        slabs.into_par_iter().try_for_each(|(range, out)| {
            let mut ranges = ranges.to_vec();
            ranges[slowest] = range;
            let stored = self.source.block::<S>(&self.path, &ranges)?;
            if stored.len() != out.len() {
                return Err(fault::invalid(&self.path, "image", format!("{} values", out.len()), stored.len()));
            }
            match &scale {
                None => out.iter_mut().zip(stored).for_each(|(out, v)| *out = to(v.into())),
                Some(scale) => scale.apply(&ranges, &stored, out, to),
            }
            Ok(())
        })?;
        Ok(data)
    }

    pub fn volumes(&self) -> Result<usize> {
        let counts = self.axes.iter().filter(|a| !a.is_spatial());
        let volumes = counts.clone().try_fold(1usize, |n, axis| n.checked_mul(axis.length));
        volumes.ok_or_else(|| {
            let found: Vec<_> = counts.map(|a| a.length).collect();
            fault::invalid(&self.path, "image dimensions", "a countable number of volumes", format!("{found:?}"))
        })
    }

    /// What to read along each axis: the region along the spatial ones, one position of each of the others.
    fn ranges(&self, volume_index: usize, region: &[Range<usize>; 3]) -> Result<Vec<Range<usize>>> {
        let volumes = self.volumes()?;
        if volume_index >= volumes {
            let expected = format!("below {volumes} (the number of volumes)");
            return Err(fault::invalid(&self.path, "volume index", expected, volume_index));
        }
        let mut rest = volume_index;
        let mut region = region.iter();
        let mut ranges = Vec::with_capacity(self.axes.len());
        // The file lists its slowest axis first, the region its fastest.
        for axis in self.axes.iter().rev() {
            if axis.is_spatial() {
                let whole = 0..axis.length;
                let range = region.next().cloned().unwrap_or(whole);
                if range.start > range.end || range.end > axis.length {
                    let expected = format!("within 0..{} along {}", axis.length, axis.name);
                    return Err(fault::invalid(&self.path, "region", expected, format!("{range:?}")));
                }
                ranges.push(range);
            } else {
                let position = rest % axis.length;
                ranges.push(position..position + 1);
                rest /= axis.length;
            }
        }
        ranges.reverse();
        Ok(ranges)
    }

    /// None for values that stand for themselves: floats and labels.
    fn scale(&self) -> Result<Option<Scale>> {
        if self.is_unscaled || self.stored.integer_range().is_none() {
            return Ok(None);
        }
        let limits = [self.minimum.as_ref(), self.maximum.as_ref()];
        Scale::new(&self.path, self.stored, &self.axes, self.valid_range, limits).map(Some)
    }
}
