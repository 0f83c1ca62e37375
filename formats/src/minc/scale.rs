use super::axis::Axis;
use crate::stored_type::StoredType;
use crate::voxel::{Encoding, fill};
use crate::{Result, Voxel, fault};
use std::ops::Range;
use std::path::Path;

/// `image-min` or `image-max`: one number for every position along some axes of the image.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limit {
    /// Slowest first.
    pub axes: Vec<String>,
    pub values: Vec<f64>,
}

/// How stored integers become intensities.
#[derive(Debug)]
pub(super) struct Scale {
    valid: [f64; 2],
    /// Step in the table for a step along each axis of the image.
    strides: Vec<usize>,
    /// Slope and intercept.
    table: Vec<(f64, f64)>,
}

impl Scale {
    /// From what a file of stored integers declares.
    pub fn new(
        path: &Path,
        stored: StoredType,
        axes: &[Axis],
        valid_range: Option<[f64; 2]>,
        limits: [Option<&Limit>; 2],
    ) -> Result<Self> {
        let (lowest, highest) = stored.integer_range().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let valid = match valid_range {
            None => [lowest, highest],
            Some([a, b]) => [a.min(b), a.max(b)],
        };
        if valid[0] < lowest || valid[1] > highest {
            let expected = format!("within {lowest} to {highest} ({})", stored.name());
            return Err(fault::invalid(path, "image:valid_range", expected, format!("{valid:?}")));
        }
        // libminc takes 0 to 1 where they are missing; like nibabel we would rather not guess intensities.
        let [Some(minimum), Some(maximum)] = limits else {
            let expected = "both, since the image is stored as integers";
            return Err(fault::invalid(path, "image-min and image-max", expected, "not both"));
        };
        if minimum.axes != maximum.axes {
            let (expected, found) =
                (format!("the axes of image-min {:?}", minimum.axes), format!("{:?}", maximum.axes));
            return Err(fault::invalid(path, "image-max", expected, found));
        }
        let (strides, count) = strides(path, axes, &minimum.axes)?;
        if minimum.values.len() != count || maximum.values.len() != count {
            let found = format!("{} and {}", minimum.values.len(), maximum.values.len());
            return Err(fault::invalid(path, "image-min and image-max", format!("{count} values each"), found));
        }
        let range = valid[1] - valid[0];
        let is_constant = minimum.values == maximum.values;
        if range == 0.0 && !is_constant {
            let expected = "two different values, since image-min and image-max differ";
            return Err(fault::invalid(path, "image:valid_range", expected, format!("{valid:?}")));
        }
        let pairs = minimum.values.iter().zip(&maximum.values).map(|(&low, &high)| {
            let slope = if range > 0.0 { (high - low) / range } else { 0.0 };
            (slope, low - slope * valid[0])
        });
        let table: Vec<_> = pairs.collect();
        if let Some(slice) = table.iter().position(|(slope, intercept)| !slope.is_finite() || !intercept.is_finite()) {
            let found = format!("{} to {} at slice {slice}", minimum.values[slice], maximum.values[slice]);
            return Err(fault::invalid(path, "image-min and image-max", "finite values", found));
        }
        Ok(Self { valid, strides, table })
    }

    /// Slope and intercept where they are the same for the whole image.
    pub fn single(&self) -> Option<(f64, f64)> {
        match self.table[..] {
            [pair] => Some(pair),
            _ => None,
        }
    }

    /// The intensities of a block, into `out`: `stored`, of this machine's byte order, runs over `ranges`, the last one fastest. The error is an intensity
    /// that `T` cannot hold.
    pub fn apply<T: Voxel>(
        &self,
        ranges: &[Range<usize>],
        encoding: Encoding,
        stored: &[u8],
        out: &mut [T],
    ) -> std::result::Result<(), f64> {
        // One run of values has one slope: it spans the fastest axes, along which nothing changes.
        let fastest = self.strides.iter().rev().take_while(|&&stride| stride == 0).count();
        let (slower, faster) = ranges.split_at(ranges.len() - fastest);
        let run: usize = faster.iter().map(Range::len).product();
        let mut position: Vec<usize> = slower.iter().map(|r| r.start).collect();
        let [low, high] = self.valid;
        let size = encoding.stored.size_bytes();
        let mut buffer = [0f64; 1024];
        for (stored, out) in stored.chunks(run.max(1) * size).zip(out.chunks_mut(run.max(1))) {
            let entry: usize = position.iter().zip(&self.strides).map(|(p, stride)| p * stride).sum();
            let (slope, intercept) = self.table[entry];
            // Few values at a time, so that they stay in the cache.
            for (stored, out) in stored.chunks(buffer.len() * size).zip(out.chunks_mut(buffer.len())) {
                let values = &mut buffer[..out.len()];
                encoding.decode(stored, 1, values)?;
                values.iter_mut().for_each(|value| *value = value.clamp(low, high));
                fill(out, values, Some((slope, intercept)))?;
            }
            for (p, range) in position.iter_mut().zip(slower).rev() {
                *p += 1;
                if *p < range.end {
                    break;
                }
                *p = range.start;
            }
        }
        Ok(())
    }
}

/// Steps in a table over the axes `names` along each axis of the image, and the length of that table.
fn strides(path: &Path, axes: &[Axis], names: &[String]) -> Result<(Vec<usize>, usize)> {
    let mut strides = vec![0; axes.len()];
    let mut stride = 1usize;
    for name in names.iter().rev() {
        let known = axes.iter().position(|axis| axis.name == *name);
        let known = known.filter(|&n| n + 1 < axes.len() && strides[n] == 0);
        let next = known.and_then(|n| stride.checked_mul(axes[n].length).map(|next| (n, next)));
        let (n, next) = next.ok_or_else(|| {
            fault::invalid(path, "image-min", "axes of the image except its fastest, each once", name)
        })?;
        strides[n] = stride;
        stride = next;
    }
    Ok((strides, stride))
}
