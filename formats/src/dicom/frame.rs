use super::attributes::Attributes;
use super::file::DicomFile;
use crate::{Result, StoredType, fault};
use dicom_dictionary_std::{tags, uids};
use glam::DVec3;

/// Direction cosines are written with six digits or more.
const UNIT_TOLERANCE: f64 = 1e-3;

/// Compressed transfer syntaxes there are decoders for.
const DECODED: [&str; 8] = [
    uids::ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN,
    uids::RLE_LOSSLESS,
    uids::JPEG_BASELINE8_BIT,
    uids::JPEG_EXTENDED12_BIT,
    uids::JPEG_LOSSLESS,
    uids::JPEG_LOSSLESS_SV1,
    uids::JPEG2000_LOSSLESS,
    uids::JPEG2000,
];

/// How pixels are stored (PS3.5 8.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    pub bits_allocated: u16,
    pub bits_stored: u16,
    pub high_bit: u16,
    pub signed: bool,
}

impl Stored {
    /// The type that holds a pixel.
    pub fn stored_type(self) -> StoredType {
        match (self.bits_allocated, self.signed) {
            (8, false) => StoredType::Uint8,
            (8, true) => StoredType::Int8,
            (16, false) => StoredType::Uint16,
            (16, true) => StoredType::Int16,
            (_, false) => StoredType::Uint32,
            (_, true) => StoredType::Int32,
        }
    }

    /// Bytes a pixel takes.
    pub fn bytes(self) -> usize {
        usize::from(self.bits_allocated / 8)
    }

    /// The number in the stored bits of a pixel; the others may hold overlays.
    pub fn value(self, pixel: u32) -> f64 {
        let to_top = 31 - u32::from(self.high_bit);
        let unused = 32 - u32::from(self.bits_stored);
        let top = pixel << to_top;
        if self.signed { f64::from(top as i32 >> unused) } else { f64::from(top >> unused) }
    }
}

/// One image plane.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// Index of its file in the series.
    pub file: usize,
    /// Its number in the file, from 0.
    pub number: usize,
    pub columns: usize,
    pub rows: usize,
    /// Centre of the first pixel, LPS mm.
    pub position_lps: DVec3,
    /// Unit vectors in which the column index and the row index grow.
    pub row_lps: DVec3,
    pub column_lps: DVec3,
    /// Along a row (`i`) and along a column (`j`).
    pub spacing_mm: [f64; 2],
    /// What the header says about the distance of slices.
    pub slice_step_mm: Option<f64>,
    pub slope: f64,
    pub intercept: f64,
    pub stored: Stored,
    pub frame_of_reference: String,
    /// What may tell volumes of one series apart, in the order it is tried.
    pub keys: [Option<String>; 6],
}

/// The frames of a file that is number `index` of its series.
pub(super) fn frames_of(file: &DicomFile, index: usize) -> Result<Vec<Frame>> {
    let path = &file.path;
    let first = Attributes::new(path, &file.attributes, 0);
    let count = first.whole_or_none::<usize>(tags::NUMBER_OF_FRAMES, "NumberOfFrames")?.unwrap_or(1);
    if count > 1 && !first.has_functional_groups() {
        let supported = "one frame a file, or functional groups";
        return Err(fault::unsupported(path, "NumberOfFrames", count, supported));
    }
    if file.pixels.tag != tags::PIXEL_DATA {
        return Err(fault::unsupported(path, "pixel data", "floating point", "integers"));
    }
    let components: u16 = first.whole(tags::SAMPLES_PER_PIXEL, "SamplesPerPixel")?;
    let interpretation = first.text(None, tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default();
    if components != 1 || !interpretation.starts_with("MONOCHROME") {
        let found = format!("{interpretation} of {components} samples a pixel");
        return Err(fault::unsupported(path, "PhotometricInterpretation", found, "MONOCHROME1 and MONOCHROME2"));
    }
    if first.text(None, tags::IMAGE_TYPE).is_some_and(|t| t.contains("MOSAIC")) {
        return Err(fault::unsupported(path, "ImageType", "MOSAIC", "one slice an image"));
    }
    if file.attributes.get(tags::MODALITY_LUT_SEQUENCE).is_some() {
        let supported = "RescaleSlope and RescaleIntercept";
        return Err(fault::unsupported(path, "ModalityLUTSequence", "a lookup table", supported));
    }
    if !file.is_native() && !DECODED.contains(&file.transfer_syntax.as_str()) {
        let supported = "uncompressed, RLE, JPEG, JPEG 2000";
        return Err(fault::unsupported(path, "TransferSyntaxUID", &file.transfer_syntax, supported));
    }
    let stored = stored(file, &first)?;
    let pixels = |tag, name| match first.whole::<u16>(tag, name)? {
        0 => Err(fault::invalid(path, name, "at least 1", 0)),
        n => Ok(usize::from(n)),
    };
    let (rows, columns) = (pixels(tags::ROWS, "Rows")?, pixels(tags::COLUMNS, "Columns")?);
    let frame_bytes = rows * columns * stored.bytes();
    if let (true, Some(length)) = (file.is_native(), file.pixels.length) {
        let needed = frame_bytes.saturating_mul(count);
        if needed > length as usize {
            return Err(fault::truncated(path, needed, length as usize));
        }
    }
    // Every frame of an enhanced image has its own item, so that the count cannot outgrow the file.
    (0..count).map(|number| frame(file, index, number, [rows, columns], stored)).collect()
}

fn frame(file: &DicomFile, index: usize, number: usize, [rows, columns]: [usize; 2], stored: Stored) -> Result<Frame> {
    let path = &file.path;
    let a = Attributes::new(path, &file.attributes, number);
    if number > 0 && !a.has_functional_groups() {
        return Err(fault::invalid(path, "NumberOfFrames", "a functional group for each", format!("{number} groups")));
    }
    let [position_lps] =
        a.vectors(tags::PLANE_POSITION_SEQUENCE, tags::IMAGE_POSITION_PATIENT, "ImagePositionPatient")?;
    let [row_lps, column_lps] =
        a.vectors(tags::PLANE_ORIENTATION_SEQUENCE, tags::IMAGE_ORIENTATION_PATIENT, "ImageOrientationPatient")?;
    let off = [row_lps.length() - 1.0, column_lps.length() - 1.0, row_lps.dot(column_lps)];
    if off.iter().any(|x| x.abs() > UNIT_TOLERANCE) {
        let found = format!("{row_lps} and {column_lps}");
        return Err(fault::invalid(path, "ImageOrientationPatient", "two unit vectors at a right angle", found));
    }
    let measures = Some(tags::PIXEL_MEASURES_SEQUENCE);
    let Some(spacing) = a.numbers(measures, tags::PIXEL_SPACING, "PixelSpacing", 2)? else {
        return Err(a.missing("PixelSpacing"));
    };
    // Distance between rows comes first: that is the step of j.
    let spacing_mm = [spacing[1], spacing[0]];
    if spacing_mm.iter().any(|&s| s <= 0.0) {
        return Err(fault::invalid(path, "PixelSpacing", "two lengths above 0", format!("{spacing:?}")));
    }
    let step = a.number(measures, tags::SPACING_BETWEEN_SLICES, "SpacingBetweenSlices")?;
    let thickness = a.number(measures, tags::SLICE_THICKNESS, "SliceThickness")?;
    let transformation = Some(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE);
    let slope = a.number(transformation, tags::RESCALE_SLOPE, "RescaleSlope")?.unwrap_or(1.0);
    if slope == 0.0 {
        return Err(fault::invalid(path, "RescaleSlope", "other than 0", slope));
    }
    Ok(Frame {
        file: index,
        number,
        columns,
        rows,
        position_lps,
        row_lps,
        column_lps,
        spacing_mm,
        slice_step_mm: step.map(f64::abs).filter(|&s| s > 0.0).or(thickness.filter(|&t| t > 0.0)),
        slope,
        intercept: a.number(transformation, tags::RESCALE_INTERCEPT, "RescaleIntercept")?.unwrap_or(0.0),
        stored,
        frame_of_reference: a.text(None, tags::FRAME_OF_REFERENCE_UID).unwrap_or_default(),
        keys: [
            a.text(Some(tags::FRAME_CONTENT_SEQUENCE), tags::TEMPORAL_POSITION_INDEX)
                .or_else(|| a.text(None, tags::TEMPORAL_POSITION_IDENTIFIER)),
            a.text(Some(tags::MR_ECHO_SEQUENCE), tags::EFFECTIVE_ECHO_TIME).or_else(|| a.text(None, tags::ECHO_TIME)),
            a.text(None, tags::ACQUISITION_NUMBER),
            a.text(None, tags::TRIGGER_TIME),
            a.text(Some(tags::MR_DIFFUSION_SEQUENCE), tags::DIFFUSION_B_VALUE),
            a.text(Some(tags::MR_IMAGE_FRAME_TYPE_SEQUENCE), tags::FRAME_TYPE)
                .or_else(|| a.text(None, tags::IMAGE_TYPE)),
        ],
    })
}

fn stored(file: &DicomFile, first: &Attributes) -> Result<Stored> {
    let bits_allocated: u16 = first.whole(tags::BITS_ALLOCATED, "BitsAllocated")?;
    if !matches!(bits_allocated, 8 | 16 | 32) {
        return Err(fault::unsupported(&file.path, "BitsAllocated", bits_allocated, "8, 16 and 32"));
    }
    let bits_stored = first.whole_or_none(tags::BITS_STORED, "BitsStored")?.unwrap_or(bits_allocated);
    let high_bit = first.whole_or_none(tags::HIGH_BIT, "HighBit")?.unwrap_or(bits_stored.wrapping_sub(1));
    if !(1..=bits_allocated).contains(&bits_stored) || !(bits_stored - 1..bits_allocated).contains(&high_bit) {
        let expected = format!("bits within the {bits_allocated} allocated");
        return Err(fault::invalid(&file.path, "BitsStored", expected, format!("{bits_stored} up to bit {high_bit}")));
    }
    let signed = first.whole_or_none::<u16>(tags::PIXEL_REPRESENTATION, "PixelRepresentation")?.unwrap_or(0) == 1;
    Ok(Stored { bits_allocated, bits_stored, high_bit, signed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_stored_bits_count() {
        let twelve = Stored { bits_allocated: 16, bits_stored: 12, high_bit: 11, signed: true };
        assert_eq!([0x0000, 0x07ff, 0x0fff, 0xf800].map(|p| twelve.value(p)), [0.0, 2047.0, -1.0, -2048.0]);
        let high = Stored { bits_allocated: 16, bits_stored: 12, high_bit: 15, signed: false };
        assert_eq!(high.value(0xfff3), 4095.0);
        let whole = Stored { bits_allocated: 32, bits_stored: 32, high_bit: 31, signed: true };
        assert_eq!(whole.value(u32::MAX), -1.0);
    }
}
