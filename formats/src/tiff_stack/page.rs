use super::view::PageView;
use crate::stored_type::ByteOrder;
use crate::voxel::{Encoding, Voxel};
use crate::{Result, StoredType, fault};
use std::fs::File;
use std::io::BufReader;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use tiff::decoder::{ChunkType, Decoder, Limits};
use tiff::tags::{CompressionMethod, PhotometricInterpretation, PlanarConfiguration, SampleFormat, Tag};
use tiff::{ColorType, TiffError};

/// Pages, strips and tiles decode to less than this.
const MOST_CHUNK_BYTES: u64 = 1 << 30;
/// What may be decoded from few bytes.
const FREE_BYTES: u64 = 16 << 20;
/// How much more a byte of a file can hold: zstd packs 128 KiB of equal bytes into 4, LZW 4096 into 12 bits.
const ZSTD_RATIO: u64 = 40_000;
const MOST_RATIO: u64 = 4096;

pub(super) type PageDecoder = Decoder<BufReader<PageView>>;

/// What a page declares about its pixels; equal in all pages of a stack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PageKind {
    pub width: usize,
    pub height: usize,
    pub samples: usize,
    pub encoding: Encoding,
    pub colours: Colours,
}

/// What the samples of a pixel are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Colours {
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
    Bands,
}

impl Colours {
    /// Names of the samples; none of grey alone.
    pub fn names(self, samples: usize) -> Vec<String> {
        let named = |names: &[&str]| names.iter().map(|&name| name.into()).collect();
        match self {
            Self::Grey => Vec::new(),
            Self::GreyAlpha => named(&["grey", "alpha"]),
            Self::Rgb => named(&["red", "green", "blue"]),
            Self::Rgba => named(&["red", "green", "blue", "alpha"]),
            Self::Bands => (0..samples).map(|n| format!("sample {n}")).collect(),
        }
    }
}

/// Opens a file at one of its pages.
pub(super) fn decoder_at(path: &Path, file: &Arc<File>, page: Option<u64>) -> Result<PageDecoder> {
    let view = PageView::new(file, page).map_err(fault::io(path))?;
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MOST_CHUNK_BYTES as usize;
    limits.intermediate_buffer_size = MOST_CHUNK_BYTES as usize;
    // No value of a directory is longer than its file.
    limits.ifd_value_size = view.length().clamp(1 << 12, 64 << 20) as usize;
    let decoder = Decoder::new(BufReader::with_capacity(1 << 16, view)).map_err(broken(path))?;
    Ok(decoder.with_limits(limits))
}

/// Adds the path to what the library says.
pub(super) fn broken(path: &Path) -> impl FnOnce(TiffError) -> crate::Error + '_ {
    move |error| match error {
        TiffError::IoError(source) => fault::io(path)(source),
        error => fault::invalid(path, "TIFF", "pages that can be decoded", error),
    }
}

/// Reads what the page at hand declares.
pub(super) fn kind_of(path: &Path, decoder: &mut PageDecoder) -> Result<PageKind> {
    let (width, height) = decoder.dimensions().map_err(broken(path))?;
    let number = |decoder: &mut PageDecoder, tag, none: u64| {
        decoder
            .find_tag_unsigned_vec::<u64>(tag)
            .map_err(broken(path))
            .map(|v| v.and_then(|v| v.first().copied()).unwrap_or(none))
    };
    let color = decoder.colortype().map_err(broken(path))?;
    let colours = match color {
        ColorType::Gray(_) => Colours::Grey,
        ColorType::GrayA(_) => Colours::GreyAlpha,
        ColorType::RGB(_) => Colours::Rgb,
        ColorType::RGBA(_) => Colours::Rgba,
        ColorType::Multiband { .. } => Colours::Bands,
        other => return Err(fault::unsupported(path, "colours", format!("{other:?}"), "grey, red-green-blue")),
    };
    let samples = usize::from(color.num_samples());
    let planar = number(decoder, Tag::PlanarConfiguration, 1)?;
    if samples > 1 && planar == u64::from(PlanarConfiguration::Planar.to_u16()) {
        return Err(fault::unsupported(
            path,
            "planar configuration",
            "one plane after the other",
            "interleaved samples",
        ));
    }
    let format = SampleFormat::from_u16_exhaustive(number(decoder, Tag::SampleFormat, 1)? as u16);
    let stored = match (format, color.bit_depth()) {
        (SampleFormat::Uint | SampleFormat::Void, 8) => StoredType::Uint8,
        (SampleFormat::Uint | SampleFormat::Void, 16) => StoredType::Uint16,
        (SampleFormat::Uint | SampleFormat::Void, 32) => StoredType::Uint32,
        (SampleFormat::Uint | SampleFormat::Void, 64) => StoredType::Uint64,
        (SampleFormat::Int, 8) => StoredType::Int8,
        (SampleFormat::Int, 16) => StoredType::Int16,
        (SampleFormat::Int, 32) => StoredType::Int32,
        (SampleFormat::Int, 64) => StoredType::Int64,
        (SampleFormat::IEEEFP, 32) => StoredType::Float32,
        (SampleFormat::IEEEFP, 64) => StoredType::Float64,
        (format, bits) => {
            let supported = "integers of 8 to 64 bits, float32, float64";
            return Err(fault::unsupported(path, "sample format", format!("{format:?} of {bits} bits"), supported));
        }
    };
    // The library turns "white is zero" around; what is stored is wanted here, as it concerns display alone.
    let photometric = number(decoder, Tag::PhotometricInterpretation, 1)?;
    let scale = match (photometric == u64::from(PhotometricInterpretation::WhiteIsZero.to_u16()), stored) {
        (false, _) => None,
        (true, StoredType::Uint8) => Some((-1.0, 255.0)),
        (true, StoredType::Uint16) => Some((-1.0, 65535.0)),
        (true, other) => {
            return Err(fault::unsupported(
                path,
                "photometric interpretation",
                format!("white is zero, {other}"),
                "uint8, uint16",
            ));
        }
    };
    let (width, height) = (width as usize, height as usize);
    check_chunks(path, decoder, (width * height * samples * stored.size_bytes()) as u64)?;
    let encoding = Encoding { stored, order: ByteOrder::NATIVE, scale };
    Ok(PageKind { width, height, samples, encoding, colours })
}

/// Whether strips or tiles have a size that can be meant, and the file the bytes for uncompressed ones.
fn check_chunks(path: &Path, decoder: &mut PageDecoder, page_bytes: u64) -> Result<()> {
    let (width, height) = decoder.chunk_dimensions();
    let layout = decoder.image_chunk_buffer_layout(0).map_err(broken(path))?;
    let file_bytes = decoder.inner().get_ref().length();
    let most = most_bytes(path, decoder)?;
    // Plain ones need not be taken whole: see `is_plain`.
    let most_chunk = if is_uncompressed(path, decoder)? { most } else { MOST_CHUNK_BYTES.min(most.max(FREE_BYTES)) };
    if width == 0 || height == 0 || layout.complete_len as u64 > most_chunk {
        let expected = format!("a size that {file_bytes} bytes can hold");
        return Err(fault::invalid(path, "strips or tiles", expected, format!("{width} x {height} pixels")));
    }
    if page_bytes > most {
        return Err(fault::truncated(path, page_bytes as usize, file_bytes as usize));
    }
    Ok(())
}

fn is_uncompressed(path: &Path, decoder: &mut PageDecoder) -> Result<bool> {
    let compression = decoder.find_tag_unsigned::<u16>(Tag::Compression).map_err(broken(path))?;
    Ok(compression.is_none_or(|c| c == CompressionMethod::None.to_u16()))
}

/// Whether the rows of the page at hand lie in the file one after another as they are, one value a pixel.
pub(super) fn is_plain(path: &Path, decoder: &mut PageDecoder, kind: &PageKind) -> Result<bool> {
    if kind.samples > 1 || !is_uncompressed(path, decoder)? || decoder.get_chunk_type() == ChunkType::Tile {
        return Ok(false);
    }
    let list = |decoder: &mut PageDecoder, tag| {
        decoder.find_tag_unsigned_vec::<u64>(tag).map(Option::unwrap_or_default).map_err(broken(path))
    };
    let (starts, lengths) = (list(decoder, Tag::StripOffsets)?, list(decoder, Tag::StripByteCounts)?);
    let ends = starts.iter().zip(&lengths).map(|(start, length)| start.saturating_add(*length));
    let bytes = (kind.width * kind.height * kind.encoding.stored.size_bytes()) as u64;
    let are_adjacent = ends.zip(starts.iter().skip(1)).all(|(end, start)| end == *start);
    let whole = lengths.iter().fold(0_u64, |sum, length| sum.saturating_add(*length));
    Ok(!starts.is_empty() && starts.len() == lengths.len() && are_adjacent && whole == bytes)
}

/// What the file at hand can hold at most, decoded.
pub(super) fn most_bytes(path: &Path, decoder: &mut PageDecoder) -> Result<u64> {
    let file_bytes = decoder.inner().get_ref().length();
    let compression = decoder.find_tag_unsigned::<u16>(Tag::Compression).map_err(broken(path))?.unwrap_or(1);
    Ok(match CompressionMethod::from_u16_exhaustive(compression) {
        CompressionMethod::None => file_bytes,
        CompressionMethod::ZSTD => FREE_BYTES.saturating_add(file_bytes.saturating_mul(ZSTD_RATIO)),
        _ => FREE_BYTES.saturating_add(file_bytes.saturating_mul(MOST_RATIO)),
    })
}

/// Fills `out` with one sample of the pixels of columns `i` and rows `j` of the page at hand.
pub(super) fn read<T: Voxel>(
    path: &Path,
    decoder: &mut PageDecoder,
    kind: &PageKind,
    sample: usize,
    [i, j]: [&Range<usize>; 2],
    out: &mut [T],
) -> Result<()> {
    let (width, height) = decoder.chunk_dimensions();
    let (width, height) = (width as usize, height as usize);
    let across = kind.width.div_ceil(width);
    let size = kind.encoding.stored.size_bytes();
    let mut buffer = Vec::new();
    for y in j.start / height..=(j.end - 1) / height {
        for x in i.start / width..=(i.end - 1) / width {
            let index = (x + across * y) as u32;
            let (columns, rows) = decoder.chunk_data_dimensions(index);
            let (columns, rows) = (columns as usize, rows as usize);
            buffer.resize(columns * rows * kind.samples * size, 0);
            decoder.read_chunk_bytes(index, &mut buffer).map_err(broken(path))?;
            let inside = (x * width).max(i.start)..(x * width + columns).min(i.end);
            for row in (y * height).max(j.start)..(y * height + rows).min(j.end) {
                let at = ((row - y * height) * columns + inside.start - x * width) * kind.samples + sample;
                let target = (row - j.start) * i.len() + inside.start - i.start;
                let target = out.get_mut(target..target + inside.len()).unwrap_or_default();
                let bytes = buffer.get(at * size..).unwrap_or_default();
                kind.encoding.decode(bytes, kind.samples, target).map_err(|value| {
                    fault::invalid(path, "intensity", format!("a value of type {}", T::STORED), value)
                })?;
            }
        }
    }
    Ok(())
}
