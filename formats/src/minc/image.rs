use super::Source;
use super::axis::{Axis, grid};
use super::scale::{Limit, Scale};
use crate::stored_type::{ByteOrder, StoredType};
use crate::volume_reader::{Opened, Region, Voxels};
use crate::voxel::Encoding;
use crate::{Error, Result, Scaling, VolumeReader, Voxel, fault};
use brainmesh_core::{LabelTable, Monitor};
use rayon::prelude::*;
use std::ops::Range;
use std::path::PathBuf;

/// An open MINC image of either version.
#[derive(Debug)]
pub(crate) struct Image {
    pub(super) path: PathBuf,
    pub(super) format: &'static str,
    /// Slowest first.
    pub(super) axes: Vec<Axis>,
    pub(super) stored: StoredType,
    pub(super) valid_range: Option<[f64; 2]>,
    pub(super) minimum: Option<Limit>,
    pub(super) maximum: Option<Limit>,
    /// Whether stored integers are the values themselves (labels, counts).
    pub(super) is_unscaled: bool,
    pub(super) labels: LabelTable,
    /// What was assumed.
    pub(super) warnings: Vec<String>,
    pub(super) source: Source,
    /// The file holds no more content than this.
    pub(super) most_bytes: u64,
}

impl Image {
    /// Checks what the headers say together.
    pub fn into_reader(self) -> Result<VolumeReader> {
        let grid = grid(&self.path, &self.axes)?;
        let volumes = self.volumes()?;
        let expected = grid.voxel_count() as u128 * volumes as u128 * self.stored.size_bytes() as u128;
        if expected > u128::from(self.most_bytes) {
            let expected_bytes = u64::try_from(expected).unwrap_or(u64::MAX);
            return Err(Error::Truncated { path: self.path, expected_bytes, found_bytes: self.most_bytes });
        }
        let scaling = match self.scale()? {
            None => Scaling::None,
            Some(scale) => match scale.single() {
                Some((slope, intercept)) => Scaling::Linear { slope, intercept },
                None => Scaling::PerSlice,
            },
        };
        let planes = self.axes.iter().find(|axis| axis.is_vector()).map_or(0, |axis| axis.length);
        let planes: Vec<_> = (0..planes).map(|n| format!("component {n}")).collect();
        let planes: Vec<_> = planes.iter().map(String::as_str).collect();
        let time_step_s = self.axes.iter().find_map(|axis| axis.time_step_s);
        let (labels, warnings) = (self.labels.clone(), self.warnings.clone());
        let reader = VolumeReader::new(Opened {
            path: self.path.clone(),
            format: self.format,
            grid,
            volumes,
            stored: self.stored,
            scaling,
            voxels: Voxels::Minc(self),
        });
        Ok(reader.with_planes(&planes).with_time_step_s(time_step_s).with_labels(labels).with_warnings(warnings))
    }

    /// Fills `out` with a region of a volume. Of a chunked file only the chunks that the region touches are read: in slabs along
    /// the slowest spatial axis, which follow one another in the result, several at once, so that the stored values are never
    /// all in memory beside it.
    pub fn read<T: Voxel>(&self, volume: usize, region: &Region, out: &mut [T], monitor: &dyn Monitor) -> Result<()> {
        let ranges = self.ranges(volume, region);
        let scale = self.scale()?;
        let slowest = self.axes.iter().position(Axis::is_spatial).unwrap_or_default();
        let plane = out.len() / ranges[slowest].len().max(1);
        let thickness = self.source.slab_thickness(slowest, plane * self.stored.size_bytes());
        let mut slabs = Vec::new();
        let (mut rest, mut start) = (out, ranges[slowest].start);
        while start < ranges[slowest].end {
            let end = ((start / thickness + 1) * thickness).min(ranges[slowest].end);
            let (slab, next) = rest.split_at_mut((end - start) * plane);
            slabs.push((start..end, slab));
            (rest, start) = (next, end);
        }
        slabs.into_par_iter().try_for_each(|(range, out)| {
            monitor.check()?;
            let mut ranges = ranges.to_vec();
            ranges[slowest] = range;
            self.source.block(&self.path, self.stored, &ranges, &mut |stored| {
                if stored.len() != out.len() * self.stored.size_bytes() {
                    let found = stored.len() / self.stored.size_bytes();
                    return Err(fault::invalid(&self.path, "image", format!("{} values", out.len()), found));
                }
                let encoding = Encoding { stored: self.stored, order: ByteOrder::NATIVE, scale: None };
                let filled = match &scale {
                    None => encoding.decode(stored, 1, out),
                    Some(scale) => scale.apply(&ranges, encoding, stored, out),
                };
                filled.map_err(|value| {
                    fault::invalid(&self.path, "intensity", format!("a value of type {}", T::STORED), value)
                })
            })?;
            monitor.advance(out.len() as u64);
            Ok(())
        })
    }

    fn volumes(&self) -> Result<usize> {
        let counts = self.axes.iter().filter(|a| !a.is_spatial());
        let volumes = counts.clone().try_fold(1usize, |n, axis| n.checked_mul(axis.length));
        volumes.ok_or_else(|| {
            let found: Vec<_> = counts.map(|a| a.length).collect();
            fault::invalid(&self.path, "image dimensions", "a countable number of volumes", format!("{found:?}"))
        })
    }

    /// What to read along each axis: the region along the spatial ones, one position of each of the others. Planes run
    /// fastest, wherever their axis stands in the file, then the other axes, the file's last one first.
    fn ranges(&self, volume: usize, region: &Region) -> Vec<Range<usize>> {
        let mut ranges = vec![0..1; self.axes.len()];
        let mut rest = volume;
        for is_vector in [true, false] {
            for (axis, range) in self.axes.iter().zip(&mut ranges).rev() {
                if !axis.is_spatial() && axis.is_vector() == is_vector {
                    *range = rest % axis.length..rest % axis.length + 1;
                    rest /= axis.length;
                }
            }
        }
        let spatial = self.axes.iter().zip(&mut ranges).rev().filter(|(axis, _)| axis.is_spatial());
        spatial.zip(region).for_each(|((_, range), wanted)| *range = wanted.clone());
        ranges
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
