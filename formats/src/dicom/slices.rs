use super::Images;
use super::frame::Frame;
use super::layout::Layout;
use super::source::PixelSource;
use crate::{Result, fault};
use brainmesh_core::Grid;
use rayon::prelude::*;

/// Intensities of a volume, `i` fastest, its slices in the order of `frames`.
pub(super) fn read(images: &Images, frames: &[Frame], grid: &Grid) -> Result<Vec<f32>> {
    let mut values = vec![0.0; grid.voxel_count()];
    let mut slices: Vec<(&Frame, &mut [f32])> =
        frames.iter().zip(values.chunks_exact_mut(grid.voxel_count() / frames.len().max(1))).collect();
    // Each file is opened once, and each of its frames read once, however they are spread over the volume.
    slices.sort_by_key(|(frame, _)| (frame.file, frame.number));
    let mut files: Vec<_> = slices.chunk_by_mut(|a, b| a.0.file == b.0.file).collect();
    files.par_iter_mut().try_for_each(|slices| {
        let Some((first, _)) = slices.first() else { return Ok(()) };
        let Some((file, layout)) = images.files.get(first.file).zip(images.layouts.get(first.file)) else {
            return Ok(());
        };
        let source = PixelSource::open(file, layout)?;
        let mut same_frame: Vec<_> = slices.chunk_by_mut(|a, b| a.0.number == b.0.number).collect();
        same_frame.par_iter_mut().try_for_each_init(Vec::new, |samples, slices| {
            let Some((first, _)) = slices.first() else { return Ok(()) };
            source.frame(first.number, samples)?;
            let samples = checked(layout, samples, &file.path)?;
            slices.iter_mut().for_each(|(frame, values)| cut(frame, layout, samples, values));
            Ok(())
        })
    })?;
    Ok(values)
}

/// Whether two frames hold the same numbers.
pub(super) fn same_pixels(images: &Images, a: &Frame, b: &Frame) -> Result<bool> {
    let intensities = |frame: &Frame| {
        let mut values = vec![0.0; frame.columns * frame.rows];
        if let Some((file, layout)) = images.files.get(frame.file).zip(images.layouts.get(frame.file)) {
            let mut samples = Vec::new();
            PixelSource::open(file, layout)?.frame(frame.number, &mut samples)?;
            cut(frame, layout, checked(layout, &samples, &file.path)?, &mut values);
        }
        Ok::<_, crate::Error>(values)
    };
    Ok(intensities(a)? == intensities(b)?)
}

fn checked<'a>(layout: &Layout, samples: &'a [u8], path: &std::path::Path) -> Result<&'a [u8]> {
    let needed = layout.frame_bytes();
    samples.get(..needed).ok_or_else(|| fault::truncated(path, needed, samples.len()))
}

/// The intensities of a slice, which may be a part of its image.
fn cut(frame: &Frame, layout: &Layout, samples: &[u8], values: &mut [f32]) {
    if frame.columns == layout.columns {
        return convert(frame, layout, samples, values);
    }
    let width = layout.stored.bytes();
    let [left, top] = frame.corner;
    for (row, values) in values.chunks_exact_mut(frame.columns).enumerate() {
        let start = (top + row) * layout.columns + left;
        convert(frame, layout, &samples[start * width..][..frame.columns * width], values);
    }
}

/// `slope * stored + intercept`, in double precision and rounded once.
fn convert(frame: &Frame, layout: &Layout, samples: &[u8], values: &mut [f32]) {
    let stored = layout.stored;
    let scaled = |value: f64| (frame.slope * value + frame.intercept) as f32;
    let intensity = |sample: u32| scaled(stored.integer(sample) as f64);
    let words = || samples.as_chunks::<4>().0.iter();
    match (stored.bytes(), stored.float) {
        (1, _) => values.iter_mut().zip(samples).for_each(|(v, &s)| *v = intensity(s.into())),
        (2, _) => {
            let words = samples.as_chunks().0.iter();
            values.iter_mut().zip(words).for_each(|(v, &s)| *v = intensity(u16::from_le_bytes(s).into()));
        }
        (_, false) => values.iter_mut().zip(words()).for_each(|(v, &s)| *v = intensity(u32::from_le_bytes(s))),
        (4, true) => values.iter_mut().zip(words()).for_each(|(v, &s)| *v = scaled(f32::from_le_bytes(s).into())),
        _ => values.iter_mut().zip(samples.as_chunks().0).for_each(|(v, &s)| *v = scaled(f64::from_le_bytes(s))),
    }
}
