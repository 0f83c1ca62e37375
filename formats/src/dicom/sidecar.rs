//! What a DICOM series says about its acquisition, for the JSON file beside a NIfTI one (BIDS 1.10, "magnetic resonance
//! imaging data"): times in seconds, angles in degrees, lengths in mm.
//!
//! Only what is listed here is written, and nothing that could name a person, a place or a day: no names, numbers, UIDs,
//! dates, institution, station or serial number, and no text that somebody typed (descriptions, protocols, comments).

use super::attributes::Attributes;
use super::csa::Csa;
use super::frame::Frame;
use super::layout::Layout;
use super::{Series, file::DicomFile};
use crate::{Result, VolumeOptions};
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use serde_json::{Map, Value, json};
use std::path::Path;

/// A number in the file, its functional group in enhanced images, its name in the JSON file, and its unit in that of BIDS.
const NUMBERS: [(Tag, Option<Tag>, &str, f64); 15] = [
    (tags::MAGNETIC_FIELD_STRENGTH, None, "MagneticFieldStrength", 1.0),
    (tags::IMAGING_FREQUENCY, None, "ImagingFrequency", 1.0),
    (tags::REPETITION_TIME, Some(tags::MR_TIMING_AND_RELATED_PARAMETERS_SEQUENCE), "RepetitionTime", 1e-3),
    (tags::ECHO_TIME, None, "EchoTime", 1e-3),
    (tags::EFFECTIVE_ECHO_TIME, Some(tags::MR_ECHO_SEQUENCE), "EchoTime", 1e-3),
    (tags::INVERSION_TIME, None, "InversionTime", 1e-3),
    (tags::INVERSION_TIMES, Some(tags::MR_MODIFIER_SEQUENCE), "InversionTime", 1e-3),
    (tags::FLIP_ANGLE, Some(tags::MR_TIMING_AND_RELATED_PARAMETERS_SEQUENCE), "FlipAngle", 1.0),
    (tags::ECHO_TRAIN_LENGTH, Some(tags::MR_TIMING_AND_RELATED_PARAMETERS_SEQUENCE), "EchoTrainLength", 1.0),
    (tags::PIXEL_BANDWIDTH, Some(tags::MR_IMAGING_MODIFIER_SEQUENCE), "PixelBandwidth", 1.0),
    (tags::PERCENT_PHASE_FIELD_OF_VIEW, Some(tags::MRFOV_GEOMETRY_SEQUENCE), "PercentPhaseFOV", 1.0),
    (tags::PERCENT_SAMPLING, Some(tags::MRFOV_GEOMETRY_SEQUENCE), "PercentSampling", 1.0),
    (tags::SLICE_THICKNESS, Some(tags::PIXEL_MEASURES_SEQUENCE), "SliceThickness", 1.0),
    (tags::SPACING_BETWEEN_SLICES, Some(tags::PIXEL_MEASURES_SEQUENCE), "SpacingBetweenSlices", 1.0),
    (tags::DIFFUSION_B_VALUE, Some(tags::MR_DIFFUSION_SEQUENCE), "DiffusionBValue", 1.0),
];
/// Words that the standard or the scanner's maker chose.
const WORDS: [(Tag, &str); 6] = [
    (tags::MODALITY, "Modality"),
    (tags::MANUFACTURER, "Manufacturer"),
    (tags::MANUFACTURER_MODEL_NAME, "ManufacturersModelName"),
    (tags::SCANNING_SEQUENCE, "ScanningSequence"),
    (tags::SEQUENCE_VARIANT, "SequenceVariant"),
    (tags::MR_ACQUISITION_TYPE, "MRAcquisitionType"),
];
const OTHERS: [Tag; 1] = [tags::IN_PLANE_PHASE_ENCODING_DIRECTION];

/// Whether this module reads a tag.
pub(super) fn reads(tag: Tag) -> bool {
    NUMBERS.iter().any(|n| n.0 == tag) || WORDS.iter().any(|w| w.0 == tag) || OTHERS.contains(&tag)
}

/// What a DICOM series says about its acquisition, as the JSON object that BIDS puts beside an image: field strength, times
/// in seconds, flip angle, manufacturer, slice timing of mosaics, ... of the volume that `options` choose. Never who was
/// imaged, where or when.
///
/// # Errors
/// As [`read_volume`](crate::read_volume), as far as the headers show it.
pub fn dicom_sidecar(path: &Path, options: &VolumeOptions) -> Result<Value> {
    let (series, _) = Series::open(path, options)?;
    let mut told = Map::new();
    let volume = series.volumes.get(options.volume_index.unwrap_or(0)).or(series.volumes.first());
    let first = volume.and_then(|(frames, _)| frames.first().map(|first| (frames, first)));
    if let Some((frames, first)) = first
        && let Some((file, layout)) = series.images.files.get(first.file).zip(series.images.layouts.get(first.file))
    {
        acquisition(file, first, &mut told);
        if let Some(times) = slice_times(file, layout, frames)? {
            told.insert("SliceTiming".into(), times);
        }
    }
    told.insert("ConversionSoftware".into(), "brainmesh".into());
    told.insert("ConversionSoftwareVersion".into(), env!("CARGO_PKG_VERSION").into());
    Ok(told.into())
}

fn acquisition(file: &DicomFile, frame: &Frame, told: &mut Map<String, Value>) {
    let a = Attributes::new(&file.path, &file.attributes, frame.number);
    for (tag, name) in WORDS {
        if let Some(word) = a.text(None, tag) {
            told.insert(name.into(), word.replace('\\', "_").into());
        }
    }
    if let Some(kinds) =
        a.text(Some(tags::MR_IMAGE_FRAME_TYPE_SEQUENCE), tags::FRAME_TYPE).or(a.text(None, tags::IMAGE_TYPE))
    {
        told.insert("ImageType".into(), kinds.split('\\').map(str::trim).collect());
    }
    for (tag, group, name, unit) in NUMBERS {
        let number = a.text(group, tag).and_then(|text| text.split('\\').next()?.trim().parse::<f64>().ok());
        if let Some(number) = number.filter(|n| n.is_finite()) {
            // Milliseconds are decimal: 2.3 s, not 2.3000000000000003.
            told.insert(name.into(), json!(if unit == 1.0 { number } else { number / (1.0 / unit) }));
        }
    }
    // Rows and columns are stored in the order of the file, so that `i` and `j` are those of the NIfTI image.
    match a.text(None, tags::IN_PLANE_PHASE_ENCODING_DIRECTION).as_deref() {
        Some("ROW") => told.insert("PhaseEncodingAxis".into(), "i".into()),
        Some("COL" | "COLUMN") => told.insert("PhaseEncodingAxis".into(), "j".into()),
        _ => None,
    };
}

/// Seconds after the start of the volume at which each slice was acquired, where a mosaic tells them.
fn slice_times(file: &DicomFile, layout: &Layout, frames: &[Frame]) -> Result<Option<Value>> {
    let Some(times_ms) = Csa::of(file)?.and_then(|csa| csa.numbers("MosaicRefAcqTimes")) else { return Ok(None) };
    let tile = |frame: &Frame| {
        let [left, top] = frame.corner;
        top / frame.rows * (layout.columns / frame.columns) + left / frame.columns
    };
    let of_file = frames.iter().all(|frame| frame.file == frames[0].file);
    let times: Option<Vec<f64>> = frames.iter().map(|frame| times_ms.get(tile(frame)).map(|ms| ms / 1000.0)).collect();
    Ok(times.filter(|_| of_file && times_ms.len() == frames.len()).map(Value::from))
}
