use super::attributes::Attributes;
use super::file::DicomFile;
use super::layout::Layout;
use super::slices::{checked, convert};
use super::source::PixelSource;
use super::{file_name, series};
use crate::{Error, Result, fault};
use dicom_dictionary_std::tags;
use glam::DVec3;
use std::path::{Path, PathBuf};

/// One frame of a DICOM image as a picture of its own, and what its header says of person, place and time. Only the header
/// has been read.
///
/// Nothing here need be there: cine series come anonymised, without a place, without spacing. Who needs one asks for it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DicomPicture {
    /// The file.
    pub path: PathBuf,
    /// Number in its file, from 0.
    pub frame: usize,
    /// Frames of its file.
    pub frames: usize,
    /// Pixels of a row and of a column.
    pub size: [usize; 2],
    /// Whether low stored values are shown white (MONOCHROME1).
    pub low_is_white: bool,
    /// Modality, such as `MR`; empty where the file does not say.
    pub modality: String,
    /// BodyPartExamined, such as `HEART`; empty where the file does not say.
    pub body_part: String,
    /// ImageType, values separated by backslashes.
    pub image_type: String,
    /// PatientID, and UIDs of study, series and frame of reference; empty where the file does not say.
    pub patient: String,
    /// StudyInstanceUID.
    pub study: String,
    /// SeriesInstanceUID.
    pub series: String,
    /// SeriesDescription.
    pub series_description: String,
    /// FrameOfReferenceUID.
    pub frame_of_reference: String,
    /// InstanceNumber.
    pub instance: Option<i64>,
    /// Centre of the first pixel, LPS mm.
    pub position_lps: Option<DVec3>,
    /// Unit vectors in which the column index and the row index grow, LPS.
    pub axes_lps: Option<[DVec3; 2]>,
    /// Distance of pixels along a row and along a column.
    pub spacing_mm: Option<[f64; 2]>,
    /// TriggerTime, or NominalCardiacTriggerDelayTime: after the R wave.
    pub trigger_ms: Option<f64>,
    /// NominalInterval, or RRIntervalTimeNominal: from one R wave to the next.
    pub interval_ms: Option<f64>,
    /// TemporalPositionIdentifier or TemporalPositionIndex.
    pub temporal_position: Option<i64>,
}

/// The frames of a DICOM file, or of all DICOM images in a folder and its folders, in the order of file names.
///
/// # Errors
/// Folders without images, files that are none; files that are damaged, of colours, with lookup tables, compressed in a way there is no decoder
/// for, or of several frames without functional groups (PS3.3 C.7.6.16), which do not say what sets frames apart.
pub fn dicom_pictures(path: &Path) -> Result<Vec<DicomPicture>> {
    let files = if path.is_dir() {
        series::images_of(path)?
    } else {
        let found = || Error::NotRecognised { path: path.into(), found: "no DICOM image".into() };
        vec![DicomFile::open_if_dicom(path)?.ok_or_else(found)?]
    };
    let mut pictures = Vec::new();
    for file in files {
        let layout = Layout::of(&file)?;
        let first = Attributes::new(&file.path, &file.attributes, 0);
        super::frame::check_kind(&file, &layout, &first)?;
        for number in 0..layout.frames {
            pictures.push(picture(&file, &layout, number)?);
        }
    }
    Ok(pictures)
}

impl DicomPicture {
    /// Name of its file, and its number where there are several.
    pub fn name(&self) -> String {
        let file = file_name(&self.path);
        if self.frames > 1 { format!("{file} frame {}", self.frame + 1) } else { file }
    }

    /// Intensities along rows, rescaled; those of MONOCHROME1, where low is white, are negated, so that bright is high.
    ///
    /// # Errors
    /// A file that has changed, is truncated or damaged.
    pub fn read(&self) -> Result<Vec<f32>> {
        let path = &self.path;
        let file = DicomFile::open(path)?.ok_or_else(|| fault::invalid(path, "pixel data", "an image", "none"))?;
        let layout = Layout::of(&file)?;
        if [layout.columns, layout.rows] != self.size || layout.frames != self.frames {
            return Err(fault::invalid(path, "Columns and Rows", "what they were before", "another size"));
        }
        let a = Attributes::new(path, &file.attributes, self.frame);
        let transformation = Some(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE);
        let slope = a.number(transformation, tags::RESCALE_SLOPE, "RescaleSlope")?.unwrap_or(1.0);
        let intercept = a.number(transformation, tags::RESCALE_INTERCEPT, "RescaleIntercept")?.unwrap_or(0.0);
        let mut samples = Vec::new();
        PixelSource::open(&file, &layout)?.frame(self.frame, &mut samples)?;
        let mut values = vec![0.0; layout.pixels()];
        let samples = checked(&layout, &samples, path)?;
        convert((slope, intercept), &layout, samples, &mut values)
            .map_err(|value| fault::invalid(path, "intensity", "a value of float32", value))?;
        if is_low_white(&layout) {
            values.iter_mut().for_each(|value| *value = -*value);
        }
        Ok(values)
    }
}

fn is_low_white(layout: &Layout) -> bool {
    layout.photometric == "MONOCHROME1"
}

fn picture(file: &DicomFile, layout: &Layout, number: usize) -> Result<DicomPicture> {
    let path = &file.path;
    let a = Attributes::new(path, &file.attributes, number);
    if number > 0 && !a.has_functional_groups() {
        return Err(fault::invalid(path, "NumberOfFrames", "a functional group for each", format!("{number} groups")));
    }
    let text = |tag| a.text(None, tag).unwrap_or_default();
    let whole = |tag| a.text(None, tag).and_then(|text| text.parse::<i64>().ok());
    let position = a.vectors(tags::PLANE_POSITION_SEQUENCE, tags::IMAGE_POSITION_PATIENT, "ImagePositionPatient")?;
    let axes_lps: Option<[DVec3; 2]> =
        a.vectors(tags::PLANE_ORIENTATION_SEQUENCE, tags::IMAGE_ORIENTATION_PATIENT, "ImageOrientationPatient")?;
    if let Some([row, column]) = axes_lps {
        super::frame::check_axes(path, row, column)?;
    }
    let spacing = a.numbers(Some(tags::PIXEL_MEASURES_SEQUENCE), tags::PIXEL_SPACING, "PixelSpacing", 2)?;
    if let Some(spacing) = spacing.as_ref().filter(|spacing| spacing.iter().any(|&s| s <= 0.0)) {
        return Err(fault::invalid(path, "PixelSpacing", "two lengths above 0", format!("{spacing:?}")));
    }
    let cardiac = Some(tags::CARDIAC_SYNCHRONIZATION_SEQUENCE);
    let delay = a.number(cardiac, tags::NOMINAL_CARDIAC_TRIGGER_DELAY_TIME, "NominalCardiacTriggerDelayTime")?;
    let interval = a.number(cardiac, tags::RR_INTERVAL_TIME_NOMINAL, "RRIntervalTimeNominal")?;
    let index = a.text(Some(tags::FRAME_CONTENT_SEQUENCE), tags::TEMPORAL_POSITION_INDEX);
    Ok(DicomPicture {
        path: path.clone(),
        frame: number,
        frames: layout.frames,
        size: [layout.columns, layout.rows],
        low_is_white: is_low_white(layout),
        modality: text(tags::MODALITY),
        body_part: text(tags::BODY_PART_EXAMINED),
        image_type: text(tags::IMAGE_TYPE),
        patient: text(tags::PATIENT_ID),
        study: text(tags::STUDY_INSTANCE_UID),
        series: text(tags::SERIES_INSTANCE_UID),
        series_description: text(tags::SERIES_DESCRIPTION),
        frame_of_reference: text(tags::FRAME_OF_REFERENCE_UID),
        instance: whole(tags::INSTANCE_NUMBER),
        position_lps: position.map(|[position]: [DVec3; 1]| position),
        axes_lps,
        // Distance between rows comes first in the file.
        spacing_mm: spacing.and_then(|spacing| Some([*spacing.get(1)?, *spacing.first()?])),
        trigger_ms: a.number(None, tags::TRIGGER_TIME, "TriggerTime")?.or(delay),
        interval_ms: a.number(None, tags::NOMINAL_INTERVAL, "NominalInterval")?.or(interval),
        temporal_position: index.and_then(|index| index.parse().ok()).or(whole(tags::TEMPORAL_POSITION_IDENTIFIER)),
    })
}
