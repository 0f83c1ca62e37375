//! Compressed frames: which decoder reads which stream, told by the stream itself, since transfer syntaxes lie.

use super::codestream::{Coded, Process};
use super::file::fenced;
use super::layout::Layout;
use super::{jpeg_ls, jpeg12, rle};
use crate::{Result, fault};
use dicom_dictionary_std::uids;
use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};
use jpeg_decoder::{ColorTransform, Decoder};
use std::error::Error as StdError;
use std::path::Path;

/// Compressed transfer syntaxes there are decoders for.
const DECODED: [&str; 10] = [
    uids::ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN,
    uids::RLE_LOSSLESS,
    uids::JPEG_BASELINE8_BIT,
    uids::JPEG_EXTENDED12_BIT,
    uids::JPEG_LOSSLESS,
    uids::JPEG_LOSSLESS_SV1,
    uids::JPEGLS_LOSSLESS,
    uids::JPEGLS_NEAR_LOSSLESS,
    uids::JPEG2000_LOSSLESS,
    uids::JPEG2000,
];

type Decoded<T> = std::result::Result<T, Box<dyn StdError>>;

/// Refuses a compressed transfer syntax without a decoder.
pub(super) fn check_syntax(path: &Path, transfer_syntax: &str) -> Result<()> {
    if DECODED.contains(&transfer_syntax) {
        return Ok(());
    }
    let supported = "uncompressed, RLE, JPEG, JPEG-LS, JPEG 2000";
    Err(fault::unsupported(path, "TransferSyntaxUID", transfer_syntax, supported))
}

/// A frame's samples, little endian, those of a pixel beside one another, at their full width.
pub(super) fn decode(path: &Path, transfer_syntax: &str, layout: &Layout, stream: &[u8]) -> Result<Vec<u8>> {
    let bytes = match transfer_syntax {
        uids::ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN => stream.to_vec(),
        uids::RLE_LOSSLESS => fenced(path, "pixel data", || {
            Ok(rle::decode(stream, layout.pixels(), layout.samples, layout.stored.bytes())?)
        })?,
        _ => {
            let coded = Coded::of(stream).ok_or_else(|| {
                fault::invalid(path, "pixel data", "the size of the image at its start", "a stream without")
            })?;
            check(path, layout, coded)?;
            fenced(path, "pixel data", || coded_samples(coded, layout))?
        }
    };
    if bytes.len() < layout.frame_bytes() {
        return Err(fault::truncated(path, layout.frame_bytes(), bytes.len()));
    }
    Ok(bytes)
}

/// Refuses a stream whose own header disagrees with the file's, so that a decoder takes no more memory than the image.
fn check(path: &Path, layout: &Layout, coded: Coded) -> Result<()> {
    let agrees = (coded.columns as usize, coded.rows as usize, usize::from(coded.components))
        == (layout.columns, layout.rows, layout.samples)
        && u16::from(coded.bits) <= layout.stored.bits_allocated.min(16)
        && !layout.stored.float;
    if agrees {
        return Ok(());
    }
    let Layout { columns, rows, samples, stored, .. } = layout;
    let expected = format!("{columns} x {rows} pixels of {samples} x {} bits", stored.bits_allocated);
    Err(fault::invalid(path, "pixel data", expected, coded))
}

fn coded_samples(coded: Coded, layout: &Layout) -> Decoded<Vec<u8>> {
    let samples = match coded.process {
        Process::Jpeg { .. } if coded.components > 1 && (coded.bits, coded.components) != (8, 3) => {
            return Err("colours other than three of 8 bits are not supported".into());
        }
        Process::Jpeg { sof: 0xc1 } if coded.bits == 12 => jpeg12::decode(coded.stream, layout.columns, layout.rows)?,
        Process::Jpeg { .. } => jpeg(coded.stream, coded.bits, coded.components)?,
        Process::JpegLs => jpeg_ls::decode(coded.stream)?,
        Process::Jpeg2000 { signed } => jpeg2000(coded.stream, signed, coded.bits)?,
    };
    Ok(match layout.stored.bytes() {
        1 => samples.into_iter().map(|s| s as u8).collect(),
        2 => samples.into_iter().flat_map(u16::to_le_bytes).collect(),
        _ => samples.into_iter().flat_map(|s| u32::from(s).to_le_bytes()).collect(),
    })
}

/// JPEG of 8 bits, and lossless JPEG of up to 16; colours stay as they are stored.
fn jpeg(stream: &[u8], bits: u8, components: u16) -> Decoded<Vec<u16>> {
    let mut decoder = Decoder::new(stream);
    // "From RGB", whatever they are: the decoder's "none" mixes up the samples.
    decoder.set_color_transform(if components == 1 { ColorTransform::None } else { ColorTransform::RGB });
    let bytes = decoder.decode()?;
    Ok(if bits > 8 {
        bytes.as_chunks().0.iter().map(|&pair| u16::from_ne_bytes(pair)).collect()
    } else {
        bytes.into_iter().map(u16::from).collect()
    })
}

/// JPEG 2000 of up to 16 bits, which the decoder's single precision holds exactly. It adds half the range to signed samples
/// too, which is taken off again.
fn jpeg2000(stream: &[u8], signed: bool, bits: u8) -> Decoded<Vec<u16>> {
    let image = Image::new(stream, &DecodeSettings::default())?;
    let mut context = DecoderContext::default();
    let image = image.decode(&mut context)?;
    let components = image.components();
    let top = f32::from(u16::MAX >> (16 - bits));
    let middle = if signed { 1u16 << (bits - 1) } else { 0 };
    let mut samples = vec![0; components.iter().map(|c| c.samples().len()).sum()];
    for (n, component) in components.iter().enumerate() {
        let targets = samples.iter_mut().skip(n).step_by(components.len());
        for (to, from) in targets.zip(component.samples()) {
            *to = (from.round().clamp(0.0, top) as u16).wrapping_sub(middle);
        }
    }
    Ok(samples)
}
