use super::Source;
use super::axis::{Axis, grid};
use crate::stored_type::StoredType;
use crate::volume_reader::{Opened, Region, Voxels};
use crate::voxel::fill;
use crate::{Error, Result, Scaling, VolumeReader, Voxel, fault};
use brainmesh_core::Monitor;
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
    pub(super) source: Source,
    /// The file holds no more content than this.
    pub(super) most_bytes: u64,
}

/// `image-min` or `image-max`: one number for every position along some axes of the image.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limit {
    /// Slowest first.
    pub axes: Vec<String>,
    pub values: Vec<f64>,
}

/// How stored integers become intensities.
struct Scale {
    valid: [f64; 2],
    /// Step in the tables for a step along each axis of the image.
    strides: Vec<usize>,
    /// Slope and intercept.
    table: Vec<(f64, f64)>,
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
            Some(scale) => match scale.table[..] {
                [(slope, intercept)] => Scaling::Linear { slope, intercept },
                _ => Scaling::PerSlice,
            },
        };
        Ok(VolumeReader::new(Opened {
            path: self.path.clone(),
            format: self.format,
            grid,
            volumes,
            stored: self.stored,
            scaling,
            voxels: Voxels::Minc(self),
        }))
    }

    /// Fills `out` with a region of a volume.
    pub fn read<T: Voxel>(&self, volume: usize, region: &Region, out: &mut [T], monitor: &dyn Monitor) -> Result<()> {
        let mut ranges = self.ranges(volume)?;
        let spatial: Vec<usize> = (0..self.axes.len()).filter(|&n| self.axes[n].is_spatial()).collect();
        spatial.iter().rev().zip(region).for_each(|(&n, range)| ranges[n] = range.clone());
        let scale = self.scale()?;
        // In blocks along the slowest spatial axis, so that the stored values are never all in memory beside the result.
        let slowest = spatial.first().copied().unwrap_or_default();
        let thickness = self.source.block_thickness(slowest);
        let whole = ranges[slowest].clone();
        let mut out = out;
        let mut start = whole.start;
        while start < whole.end {
            monitor.check()?;
            ranges[slowest] = start..((start / thickness + 1) * thickness).min(whole.end);
            start = ranges[slowest].end;
            let stored = self.source.block(&self.path, &ranges)?;
            let expected: usize = ranges.iter().map(Range::len).product();
            if stored.len() != expected {
                return Err(fault::invalid(&self.path, "image", format!("{expected} values"), stored.len()));
            }
            let mut scaled = stored;
            if let Some(scale) = &scale {
                scale.apply(&ranges, &mut scaled);
            }
            let (filled, rest) = out.split_at_mut(expected);
            fill(filled, scaled.iter().copied(), None).map_err(|value| {
                fault::invalid(&self.path, "intensity", format!("a value of type {}", T::STORED), value)
            })?;
            monitor.advance(expected as u64);
            out = rest;
        }
        Ok(())
    }

    fn volumes(&self) -> Result<usize> {
        let counts = self.axes.iter().filter(|a| !a.is_spatial());
        let volumes = counts.clone().try_fold(1usize, |n, axis| n.checked_mul(axis.length));
        volumes.ok_or_else(|| {
            let found: Vec<_> = counts.map(|a| a.length).collect();
            fault::invalid(&self.path, "image dimensions", "a countable number of volumes", format!("{found:?}"))
        })
    }

    /// What to read along each axis: all of the spatial ones, one position of each of the others.
    fn ranges(&self, volume_index: usize) -> Result<Vec<Range<usize>>> {
        let volumes = self.volumes()?;
        if volume_index >= volumes {
            let expected = format!("below {volumes} (the number of volumes)");
            return Err(fault::invalid(&self.path, "volume index", expected, volume_index));
        }
        let mut rest = volume_index;
        let mut ranges: Vec<_> = self.axes.iter().map(|axis| 0..axis.length).collect();
        for (axis, range) in self.axes.iter().zip(&mut ranges).rev().filter(|(axis, _)| !axis.is_spatial()) {
            let position = rest % axis.length;
            *range = position..position + 1;
            rest /= axis.length;
        }
        Ok(ranges)
    }

    /// None for floats, which stand for themselves.
    fn scale(&self) -> Result<Option<Scale>> {
        let Some((lowest, highest)) = self.stored.integer_range() else { return Ok(None) };
        let valid = match self.valid_range {
            None => [lowest, highest],
            Some([a, b]) => [a.min(b), a.max(b)],
        };
        if valid[0] < lowest || valid[1] > highest {
            let expected = format!("within {lowest} to {highest} ({})", self.stored.name());
            return Err(fault::invalid(&self.path, "image:valid_range", expected, format!("{valid:?}")));
        }
        // libminc takes 0 to 1 where they are missing; like nibabel we would rather not guess intensities.
        let (Some(minimum), Some(maximum)) = (&self.minimum, &self.maximum) else {
            let expected = "both, since the image is stored as integers";
            return Err(fault::invalid(&self.path, "image-min and image-max", expected, "not both"));
        };
        if minimum.axes != maximum.axes {
            let (expected, found) =
                (format!("the axes of image-min {:?}", minimum.axes), format!("{:?}", maximum.axes));
            return Err(fault::invalid(&self.path, "image-max", expected, found));
        }
        let strides = self.strides(minimum)?;
        let count: usize =
            minimum.axes.iter().filter_map(|name| self.axis(name)).map(|(_, axis)| axis.length).product();
        if minimum.values.len() != count || maximum.values.len() != count {
            let found = format!("{} and {}", minimum.values.len(), maximum.values.len());
            return Err(fault::invalid(&self.path, "image-min and image-max", format!("{count} values each"), found));
        }
        let range = valid[1] - valid[0];
        let pairs = minimum.values.iter().zip(&maximum.values).map(|(&low, &high)| {
            let slope = if range > 0.0 { (high - low) / range } else { 0.0 };
            (slope, low - slope * valid[0])
        });
        let table: Vec<_> = pairs.collect();
        if let Some(slice) = table.iter().position(|(slope, intercept)| !slope.is_finite() || !intercept.is_finite()) {
            let found = format!("{} to {} at slice {slice}", minimum.values[slice], maximum.values[slice]);
            return Err(fault::invalid(&self.path, "image-min and image-max", "finite values", found));
        }
        Ok(Some(Scale { valid, strides, table }))
    }

    /// Steps in the tables of `limit` along each axis of the image.
    fn strides(&self, limit: &Limit) -> Result<Vec<usize>> {
        let mut strides = vec![0; self.axes.len()];
        let mut stride = 1;
        for name in limit.axes.iter().rev() {
            let known = self.axis(name).filter(|&(n, _)| n + 1 < self.axes.len() && strides[n] == 0);
            let (n, axis) = known.ok_or_else(|| {
                fault::invalid(&self.path, "image-min", "axes of the image except its fastest, each once", name)
            })?;
            strides[n] = stride;
            stride *= axis.length;
        }
        Ok(strides)
    }

    fn axis(&self, name: &str) -> Option<(usize, &Axis)> {
        self.axes.iter().enumerate().find(|(_, axis)| axis.name == name)
    }
}

impl Scale {
    /// Turns the stored values of a block, which run over `ranges`, the last one fastest, into intensities.
    fn apply(&self, ranges: &[Range<usize>], values: &mut [f64]) {
        let Some((fastest, slower)) = ranges.split_last() else { return };
        let mut position: Vec<usize> = slower.iter().map(|r| r.start).collect();
        for row in values.chunks_mut(fastest.len()) {
            let entry: usize = position.iter().zip(&self.strides).map(|(p, stride)| p * stride).sum();
            let (slope, intercept) = self.table[entry];
            let [low, high] = self.valid;
            row.iter_mut().for_each(|v| *v = v.clamp(low, high) * slope + intercept);
            for (p, range) in position.iter_mut().zip(slower).rev() {
                *p += 1;
                if *p < range.end {
                    break;
                }
                *p = range.start;
            }
        }
    }
}
