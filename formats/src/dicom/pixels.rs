use super::codestream::{Stated, segments, unpacked};
use super::file::{DicomFile, fenced};
use super::frame::{Frame, Stored};
use super::structure::DataSet;
use crate::{Result, fault};
use brainmesh_core::Grid;
use dicom_dictionary_std::uids;
use dicom_pixeldata::PixelDecoder;
use rayon::prelude::*;
use std::ops::Range;

/// Intensities of a volume, `i` fastest, its slices in the order of `frames`.
pub(super) fn read(files: &[DicomFile], frames: &[Frame], grid: &Grid) -> Result<Vec<f32>> {
    let mut values = vec![0.0; grid.voxel_count()];
    let mut slices: Vec<(&Frame, &mut [f32])> =
        frames.iter().zip(values.chunks_exact_mut(grid.voxel_count() / frames.len().max(1))).collect();
    // Each file is opened once, however its frames are spread over the volume.
    slices.sort_by_key(|(frame, _)| frame.file);
    let mut groups: Vec<_> = slices.chunk_by_mut(|a, b| a.0.file == b.0.file).collect();
    groups.par_iter_mut().try_for_each(|group| read_file(files, group))?;
    Ok(values)
}

/// The frames of one file, each into its slice.
fn read_file(files: &[DicomFile], frames: &mut [(&Frame, &mut [f32])]) -> Result<()> {
    let Some((first, _)) = frames.first() else { return Ok(()) };
    let Some(file) = files.get(first.file) else { return Ok(()) };
    let content = file.content()?;
    let data_set = content.data_set();
    let decoded;
    let (pixels, big_endian) = if file.is_native() {
        (data_set.get(native(file)).unwrap_or_default(), file.encoding.big_endian)
    } else {
        decoded = decode(file, data_set, first)?;
        (decoded.as_slice(), false)
    };
    for (frame, slice) in frames {
        let bytes = slice.len() * frame.stored.bytes();
        let start = frame.number * bytes;
        let Some(frame_pixels) = pixels.get(start..start + bytes) else {
            return Err(fault::truncated(&file.path, start + bytes, pixels.len()));
        };
        convert(frame, frame_pixels, big_endian, slice);
    }
    Ok(())
}

fn native(file: &DicomFile) -> Range<usize> {
    let start = file.pixels.value;
    start..start.saturating_add(file.pixels.length.unwrap_or(0) as usize)
}

/// `slope * stored + intercept`, in double precision and rounded once.
fn convert(frame: &Frame, pixels: &[u8], big_endian: bool, values: &mut [f32]) {
    let Stored { bits_allocated, .. } = frame.stored;
    let intensity = |pixel: u32| (frame.slope * frame.stored.value(pixel) + frame.intercept) as f32;
    match bits_allocated {
        8 => values.iter_mut().zip(pixels).for_each(|(v, &p)| *v = intensity(p.into())),
        16 => values.iter_mut().zip(pixels.as_chunks().0).for_each(|(v, &p)| {
            *v = intensity(if big_endian { u16::from_be_bytes(p) } else { u16::from_le_bytes(p) }.into());
        }),
        _ => values.iter_mut().zip(pixels.as_chunks().0).for_each(|(v, &p)| {
            *v = intensity(if big_endian { u32::from_be_bytes(p) } else { u32::from_le_bytes(p) });
        }),
    }
}

/// The pixels of every frame of an encapsulated file, little endian.
fn decode(file: &DicomFile, data_set: &[u8], frame: &Frame) -> Result<Vec<u8>> {
    let path = &file.path;
    let whole = DataSet { path, bytes: data_set, total: data_set.len(), encoding: file.encoding };
    let fragments = whole.fragments(file.pixels.value)?;
    let bytes = |range: &Range<usize>| data_set.get(range.clone()).unwrap_or_default();
    for fragment in fragments.parts.iter().skip(1) {
        check(file, frame, bytes(fragment))?;
    }
    let element = bytes(&(file.pixels.start..fragments.end));
    let object = file.with_pixel_data(element)?;
    fenced(path, "pixel data", || Ok(object.decode_pixel_data()?.data().to_vec()))
}

/// Refuses a fragment whose own header disagrees with the file's, so that a decoder takes no more memory than the image.
fn check(file: &DicomFile, frame: &Frame, fragment: &[u8]) -> Result<()> {
    let stored = frame.stored;
    if file.transfer_syntax == uids::RLE_LOSSLESS {
        let pixels = frame.rows * frame.columns;
        if !segments(fragment).is_some_and(|s| s.len() == stored.bytes() && s.iter().all(|s| unpacked(s) >= pixels)) {
            let expected = format!("{} RLE segments of {pixels} bytes", stored.bytes());
            return Err(fault::invalid(
                &file.path,
                "pixel data",
                expected,
                format!("{} bytes without", fragment.len()),
            ));
        }
        return Ok(());
    }
    // A frame may go on in a fragment that is no start of a stream.
    if !matches!(fragment, [0xff, 0xd8, ..] | [0xff, 0x4f, ..]) {
        return Ok(());
    }
    let stated = Stated::of(fragment)
        .ok_or_else(|| fault::invalid(&file.path, "pixel data", "the size of the image at its start", "none"))?;
    let agrees = (stated.columns as usize, stated.rows as usize, stated.components) == (frame.columns, frame.rows, 1)
        && u16::from(stated.bits) <= stored.bits_allocated
        // The JPEG decoder gives as many bytes as the stream's own depth needs, and they are read as the file's.
        && (fragment[1] == 0x4f || u16::from(stated.bits).next_multiple_of(8) == stored.bits_allocated);
    if agrees {
        return Ok(());
    }
    let expected = format!("{} x {} pixels of {} bits", frame.columns, frame.rows, stored.bits_allocated);
    Err(fault::invalid(&file.path, "pixel data", expected, stated))
}
