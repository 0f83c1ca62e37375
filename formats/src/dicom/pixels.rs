use super::codestream::{Stated, segments, unpacked};
use super::file::{DicomFile, fenced};
use super::frame::Frame;
use super::structure::DataSet;
use crate::volume_reader::Region;
use crate::voxel::fill;
use crate::{Result, Voxel, fault};
use brainmesh_core::Monitor;
use dicom_dictionary_std::uids;
use dicom_pixeldata::PixelDecoder;
use rayon::prelude::*;
use std::ops::Range;

/// Fills `out` with a region of a volume, `i` fastest; `frames` are the slices of the region, in order.
pub(super) fn read<T: Voxel>(
    files: &[DicomFile],
    frames: &[Frame],
    region: &Region,
    out: &mut [T],
    monitor: &dyn Monitor,
) -> Result<()> {
    let mut slices: Vec<(&Frame, &mut [T])> =
        frames.iter().zip(out.chunks_exact_mut(region[0].len() * region[1].len())).collect();
    // Each file is opened once, however its frames are spread over the volume.
    slices.sort_by_key(|(frame, _)| frame.file);
    let mut groups: Vec<_> = slices.chunk_by_mut(|a, b| a.0.file == b.0.file).collect();
    groups.par_iter_mut().try_for_each(|group| {
        monitor.check()?;
        read_file(files, region, group)?;
        monitor.advance(group.iter().map(|(_, slice)| slice.len() as u64).sum());
        Ok(())
    })
}

/// The frames of one file, each into its slice.
fn read_file<T: Voxel>(files: &[DicomFile], region: &Region, frames: &mut [(&Frame, &mut [T])]) -> Result<()> {
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
        let bytes = frame.rows * frame.columns * frame.stored.bytes();
        let start = frame.number * bytes;
        let Some(frame_pixels) = pixels.get(start..start + bytes) else {
            return Err(fault::truncated(&file.path, start + bytes, pixels.len()));
        };
        let row_bytes = frame.columns * frame.stored.bytes();
        let rows = frame_pixels.chunks_exact(row_bytes).skip(region[1].start);
        for (row, values) in rows.zip(slice.chunks_exact_mut(region[0].len())) {
            convert(frame, &row[region[0].start * frame.stored.bytes()..], big_endian, values).map_err(|value| {
                fault::invalid(&file.path, "intensity", format!("a value of type {}", T::STORED), value)
            })?;
        }
    }
    Ok(())
}

fn native(file: &DicomFile) -> Range<usize> {
    let start = file.pixels.value;
    start..start.saturating_add(file.pixels.length.unwrap_or(0) as usize)
}

/// `slope * stored + intercept`, in double precision and rounded once.
fn convert<T: Voxel>(frame: &Frame, pixels: &[u8], big_endian: bool, values: &mut [T]) -> std::result::Result<(), f64> {
    let intensity = |pixel: u32| frame.slope * frame.stored.value(pixel) + frame.intercept;
    match frame.stored.bits_allocated {
        8 => fill(values, pixels.iter().map(|&p| intensity(p.into())), None),
        16 => {
            let number = |p| if big_endian { u16::from_be_bytes(p) } else { u16::from_le_bytes(p) };
            fill(values, pixels.as_chunks().0.iter().map(|&p| intensity(number(p).into())), None)
        }
        _ => {
            let number = |p| if big_endian { u32::from_be_bytes(p) } else { u32::from_le_bytes(p) };
            fill(values, pixels.as_chunks().0.iter().map(|&p| intensity(number(p))), None)
        }
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
