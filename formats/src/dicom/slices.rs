use super::Images;
use super::frame::Frame;
use super::layout::Layout;
use super::source::PixelSource;
use crate::stored_type::ByteOrder;
use crate::volume_reader::Region;
use crate::voxel::{Encoding, fill};
use crate::{Result, Voxel, fault};
use brainmesh_core::Monitor;
use rayon::prelude::*;
use std::path::Path;

/// Fills `out` with a region of a volume, `i` fastest; `frames` are the slices of the region, in order.
pub(super) fn read<T: Voxel>(
    images: &Images,
    frames: &[Frame],
    region: &Region,
    out: &mut [T],
    monitor: &dyn Monitor,
) -> Result<()> {
    let mut slices: Vec<(&Frame, &mut [T])> =
        frames.iter().zip(out.chunks_exact_mut(region[0].len() * region[1].len())).collect();
    // Each file is opened once, and each of its frames read once, however they are spread over the volume.
    slices.sort_by_key(|(frame, _)| (frame.file, frame.number));
    let mut files: Vec<_> = slices.chunk_by_mut(|a, b| a.0.file == b.0.file).collect();
    files.par_iter_mut().try_for_each_init(Vec::new, |samples, slices| {
        let Some((first, _)) = slices.first() else { return Ok(()) };
        let Some((file, layout)) = images.files.get(first.file).zip(images.layouts.get(first.file)) else {
            return Ok(());
        };
        let source = PixelSource::open(file, layout)?;
        let mut same_frame: Vec<_> = slices.chunk_by_mut(|a, b| a.0.number == b.0.number).collect();
        let read = |samples: &mut Vec<u8>, slices: &mut &mut [(&Frame, &mut [T])]| {
            monitor.check()?;
            let Some((first, _)) = slices.first() else { return Ok(()) };
            source.frame(first.number, samples)?;
            let samples = checked(layout, samples, &file.path)?;
            for (frame, values) in slices.iter_mut() {
                cut(frame, layout, samples, region, values, &file.path)?;
                monitor.advance(values.len() as u64);
            }
            Ok(())
        };
        match same_frame.as_mut_slice() {
            [one] => read(samples, one),
            several => several.par_iter_mut().try_for_each_init(Vec::new, read),
        }
    })
}

/// Whether two frames hold the same numbers.
pub(super) fn same_pixels(images: &Images, a: &Frame, b: &Frame) -> Result<bool> {
    let intensities = |frame: &Frame| {
        let mut values = vec![0.0; frame.columns * frame.rows];
        let whole = [0..frame.columns, 0..frame.rows, 0..1];
        if let Some((file, layout)) = images.files.get(frame.file).zip(images.layouts.get(frame.file)) {
            let mut samples = Vec::new();
            PixelSource::open(file, layout)?.frame(frame.number, &mut samples)?;
            cut(frame, layout, checked(layout, &samples, &file.path)?, &whole, &mut values, &file.path)?;
        }
        Ok::<Vec<f64>, crate::Error>(values)
    };
    Ok(intensities(a)? == intensities(b)?)
}

pub(super) fn checked<'a>(layout: &Layout, samples: &'a [u8], path: &Path) -> Result<&'a [u8]> {
    let needed = layout.frame_bytes();
    samples.get(..needed).ok_or_else(|| fault::truncated(path, needed, samples.len()))
}

/// The intensities of a region of a slice, which may be a part of its image.
fn cut<T: Voxel>(
    frame: &Frame,
    layout: &Layout,
    samples: &[u8],
    region: &Region,
    values: &mut [T],
    path: &Path,
) -> Result<()> {
    let scale = (frame.slope, frame.intercept);
    let misfit = |value| fault::invalid(path, "intensity", format!("a value of type {}", T::STORED), value);
    if region[0].len() == layout.columns && region[1].len() == layout.rows {
        return convert(scale, layout, samples, values).map_err(misfit);
    }
    let width = layout.stored.bytes();
    let [left, top] = [frame.corner[0] + region[0].start, frame.corner[1] + region[1].start];
    for (row, values) in values.chunks_exact_mut(region[0].len()).enumerate() {
        let start = (top + row) * layout.columns + left;
        convert(scale, layout, &samples[start * width..][..values.len() * width], values).map_err(misfit)?;
    }
    Ok(())
}

/// `slope * stored + intercept`, in double precision and rounded once. The error is a value that `T` cannot hold.
pub(super) fn convert<T: Voxel>(
    scale: (f64, f64),
    layout: &Layout,
    samples: &[u8],
    values: &mut [T],
) -> std::result::Result<(), f64> {
    let stored = layout.stored;
    let scale = Some(scale).filter(|&scale| scale != (1.0, 0.0));
    if stored.is_full() {
        return Encoding { stored: stored.stored_type(), order: ByteOrder::Little, scale }.decode(samples, 1, values);
    }
    // Bits that store no number are in the way: few values at a time, so that they stay in the cache.
    let mut numbers = [0.0; 1024];
    let width = stored.bytes();
    for (values, samples) in values.chunks_mut(numbers.len()).zip(samples.chunks(numbers.len() * width)) {
        for (number, sample) in numbers.iter_mut().zip(samples.chunks_exact(width)) {
            let bits = sample.iter().rev().fold(0, |bits, &byte| bits << 8 | u32::from(byte));
            *number = stored.integer(bits) as f64;
        }
        fill(values, &numbers[..values.len()], scale)?;
    }
    Ok(())
}
