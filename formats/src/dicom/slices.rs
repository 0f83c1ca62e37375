use super::file::DicomFile;
use super::frame::Frame;
use super::layout::Layout;
use super::source::PixelSource;
use crate::{Result, fault};
use brainmesh_core::Grid;
use rayon::prelude::*;

/// Intensities of a volume, `i` fastest, its slices in the order of `frames`.
pub(super) fn read(files: &[DicomFile], layouts: &[Layout], frames: &[Frame], grid: &Grid) -> Result<Vec<f32>> {
    let mut values = vec![0.0; grid.voxel_count()];
    let mut slices: Vec<(&Frame, &mut [f32])> =
        frames.iter().zip(values.chunks_exact_mut(grid.voxel_count() / frames.len().max(1))).collect();
    // Each file is opened once, however its frames are spread over the volume.
    slices.sort_by_key(|(frame, _)| frame.file);
    let mut groups: Vec<_> = slices.chunk_by_mut(|a, b| a.0.file == b.0.file).collect();
    groups.par_iter_mut().try_for_each_init(Vec::new, |samples, group| {
        let Some((first, _)) = group.first() else { return Ok(()) };
        let Some((file, layout)) = files.get(first.file).zip(layouts.get(first.file)) else { return Ok(()) };
        let source = PixelSource::open(file, layout)?;
        let read = |samples: &mut Vec<u8>, frame: &Frame, slice: &mut [f32]| {
            source.frame(frame.number, samples)?;
            let needed = slice.len() * layout.stored.bytes();
            let samples = samples.get(..needed).ok_or_else(|| fault::truncated(&file.path, needed, samples.len()))?;
            convert(frame, layout, samples, slice);
            Ok(())
        };
        match group {
            [(frame, slice)] => read(samples, frame, slice),
            _ => {
                group.par_iter_mut().try_for_each_init(Vec::new, |samples, (frame, slice)| read(samples, frame, slice))
            }
        }
    })?;
    Ok(values)
}

/// `slope * stored + intercept`, in double precision and rounded once.
fn convert(frame: &Frame, layout: &Layout, samples: &[u8], values: &mut [f32]) {
    let stored = layout.stored;
    let scaled = |value: f64| (frame.slope * value + frame.intercept) as f32;
    let intensity = |sample: u32| scaled(stored.integer(sample) as f64);
    match (stored.bytes(), stored.float) {
        (1, _) => values.iter_mut().zip(samples).for_each(|(v, &s)| *v = intensity(s.into())),
        (2, _) => values
            .iter_mut()
            .zip(samples.as_chunks().0)
            .for_each(|(v, &s)| *v = intensity(u16::from_le_bytes(s).into())),
        (_, false) => {
            values.iter_mut().zip(samples.as_chunks().0).for_each(|(v, &s)| *v = intensity(u32::from_le_bytes(s)));
        }
        (4, true) => {
            values.iter_mut().zip(samples.as_chunks().0).for_each(|(v, &s)| *v = scaled(f32::from_le_bytes(s).into()));
        }
        _ => values.iter_mut().zip(samples.as_chunks().0).for_each(|(v, &s)| *v = scaled(f64::from_le_bytes(s))),
    }
}
