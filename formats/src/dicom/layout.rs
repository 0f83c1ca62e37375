use super::attributes::Attributes;
use super::faults::{DicomFault, file_name};
use super::file::DicomFile;
use crate::{Result, StoredType, fault};
use dicom_dictionary_std::tags;

/// Pixels a stream of no length may stand for, and pixels more for each of its bytes: an empty frame of JPEG 2000 or JPEG-LS
/// compresses without bound, and memory for it is taken before it is decoded.
const BLANK_PIXELS: usize = 1 << 24;
const PIXELS_A_BYTE: usize = 1 << 10;

/// How a sample is stored (PS3.5 8.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stored {
    pub bits_allocated: u16,
    pub bits_stored: u16,
    pub high_bit: u16,
    pub signed: bool,
    pub float: bool,
}

impl Stored {
    /// The type that holds a sample.
    pub fn stored_type(self) -> StoredType {
        match (self.bits_allocated, self.signed, self.float) {
            (32, _, true) => StoredType::Float32,
            (_, _, true) => StoredType::Float64,
            (1 | 8, false, _) => StoredType::Uint8,
            (1 | 8, true, _) => StoredType::Int8,
            (16, false, _) => StoredType::Uint16,
            (16, true, _) => StoredType::Int16,
            (_, false, _) => StoredType::Uint32,
            (_, true, _) => StoredType::Int32,
        }
    }

    /// Whether all bits of a sample are those of its number.
    pub fn is_full(self) -> bool {
        self.float || self.bits_stored == self.bits_allocated
    }

    /// Bytes a sample takes once it is decoded.
    pub fn bytes(self) -> usize {
        self.stored_type().size_bytes()
    }

    /// The number in the stored bits of a sample; the others may hold overlays.
    pub fn integer(self, sample: u32) -> i64 {
        let to_top = 31 - u32::from(self.high_bit);
        let unused = 32 - u32::from(self.bits_stored);
        let top = sample << to_top;
        if self.signed { i64::from(top as i32 >> unused) } else { i64::from(top >> unused) }
    }
}

/// How the image of a file is laid out (PS3.3 C.7.6.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub frames: usize,
    pub rows: usize,
    pub columns: usize,
    /// Samples of a pixel: 1, or 3 for colours.
    pub samples: usize,
    pub stored: Stored,
    /// Colour by colour instead of pixel by pixel.
    pub planar: bool,
    pub photometric: String,
}

impl Layout {
    /// Reads it from a file's header and checks it against the file's length.
    pub fn of(file: &DicomFile) -> Result<Self> {
        let path = &file.path;
        let a = Attributes::new(path, &file.attributes, 0);
        let count = |tag, name| match a.whole::<u16>(tag, name)? {
            0 => Err(fault::invalid(path, name, "at least 1", 0)),
            n => Ok(usize::from(n)),
        };
        let frames = a.whole_or_none::<usize>(tags::NUMBER_OF_FRAMES, "NumberOfFrames")?.unwrap_or(1);
        if frames == 0 {
            return Err(fault::invalid(path, "NumberOfFrames", "at least 1", 0));
        }
        let layout = Self {
            frames,
            rows: count(tags::ROWS, "Rows")?,
            columns: count(tags::COLUMNS, "Columns")?,
            samples: count(tags::SAMPLES_PER_PIXEL, "SamplesPerPixel")?,
            stored: stored(file, &a)?,
            planar: a.whole_or_none::<u16>(tags::PLANAR_CONFIGURATION, "PlanarConfiguration")? == Some(1),
            photometric: a.text(None, tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default(),
        };
        layout.check_length(file)?;
        Ok(layout)
    }

    /// Pixels of a frame.
    pub fn pixels(&self) -> usize {
        self.rows * self.columns
    }

    /// Bytes of a decoded frame.
    pub fn frame_bytes(&self) -> usize {
        self.pixels() * self.samples * self.stored.bytes()
    }

    /// Whether pairs of pixels share their two colour differences: Y Y Cb Cr.
    pub fn is_halved(&self) -> bool {
        self.samples == 3 && self.stored.bits_allocated == 8 && self.photometric == "YBR_FULL_422"
    }

    /// Bits an uncompressed frame takes in the file; only frames of single bits do not start with a byte.
    pub fn native_bits(&self) -> usize {
        let samples = if self.is_halved() { 2 } else { self.samples };
        self.pixels() * samples * usize::from(self.stored.bits_allocated)
    }

    fn check_length(&self, file: &DicomFile) -> Result<()> {
        let found = file.pixels.length.map_or(file.length, |length| length as usize);
        if file.is_native() {
            let needed = self.native_bits().saturating_mul(self.frames).div_ceil(8);
            if needed <= found {
                return Ok(());
            }
            let (expected_bytes, found_bytes) = (needed as u64, found as u64);
            let fault = DicomFault::TruncatedPixels { file: file_name(&file.path), expected_bytes, found_bytes };
            return Err(fault.at(&file.path));
        }
        let most = BLANK_PIXELS.saturating_add(found.saturating_mul(PIXELS_A_BYTE));
        let pixels = self.pixels().saturating_mul(self.samples).saturating_mul(self.frames);
        if pixels > most {
            let expected = format!("at most {most} samples in {found} bytes");
            return Err(fault::invalid(&file.path, "pixel data", expected, pixels));
        }
        Ok(())
    }
}

fn stored(file: &DicomFile, a: &Attributes) -> Result<Stored> {
    let float_bits = match file.pixels.tag {
        tags::FLOAT_PIXEL_DATA => Some(32),
        tags::DOUBLE_FLOAT_PIXEL_DATA => Some(64),
        _ => None,
    };
    let bits_allocated: u16 = a.whole(tags::BITS_ALLOCATED, "BitsAllocated")?;
    if let Some(bits) = float_bits {
        if bits_allocated != bits {
            return Err(fault::invalid(&file.path, "BitsAllocated", bits.to_string(), bits_allocated));
        }
        return Ok(Stored { bits_allocated, bits_stored: bits, high_bit: bits - 1, signed: true, float: true });
    }
    if !matches!(bits_allocated, 1 | 8 | 16 | 32) || bits_allocated == 1 && !file.is_native() {
        return Err(fault::unsupported(&file.path, "BitsAllocated", bits_allocated, "1 (uncompressed), 8, 16 and 32"));
    }
    let bits_stored = a.whole_or_none(tags::BITS_STORED, "BitsStored")?.unwrap_or(bits_allocated);
    let high_bit = a.whole_or_none(tags::HIGH_BIT, "HighBit")?.unwrap_or(bits_stored.wrapping_sub(1));
    if !(1..=bits_allocated).contains(&bits_stored) || !(bits_stored - 1..bits_allocated).contains(&high_bit) {
        let expected = format!("bits within the {bits_allocated} allocated");
        return Err(fault::invalid(&file.path, "BitsStored", expected, format!("{bits_stored} up to bit {high_bit}")));
    }
    let signed = a.whole_or_none::<u16>(tags::PIXEL_REPRESENTATION, "PixelRepresentation")?.unwrap_or(0) == 1;
    Ok(Stored { bits_allocated, bits_stored, high_bit, signed, float: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_stored_bits_count() {
        let stored = |bits_allocated, bits_stored, high_bit, signed| Stored {
            bits_allocated,
            bits_stored,
            high_bit,
            signed,
            float: false,
        };
        let twelve = stored(16, 12, 11, true);
        assert_eq!([0x0000, 0x07ff, 0x0fff, 0xf800].map(|p| twelve.integer(p)), [0, 2047, -1, -2048]);
        assert_eq!(stored(16, 12, 15, false).integer(0xfff3), 4095);
        assert_eq!(stored(32, 32, 31, true).integer(u32::MAX), -1);
    }
}
