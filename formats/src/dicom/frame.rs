use super::attributes::Attributes;
use super::csa::Csa;
use super::decoder::check_syntax;
use super::faults::{DicomFault, file_name};
use super::file::DicomFile;
use super::layout::Layout;
use crate::{Result, fault};
use dicom_dictionary_std::tags;
use glam::DVec3;
use std::path::Path;

/// Direction cosines are written with six digits or more.
const UNIT_TOLERANCE: f64 = 1e-3;

/// One image plane.
#[derive(Debug, Clone)]
pub(super) struct Frame {
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
    /// Where it begins in its image, in pixels; elsewhere than at 0 in a mosaic only.
    pub corner: [usize; 2],
    pub slope: f64,
    pub intercept: f64,
    pub frame_of_reference: String,
    /// What may tell volumes of one series apart, in the order it is tried.
    pub keys: [Option<String>; 6],
}

/// The frames of a file that is number `index` of its series.
pub(super) fn frames_of(file: &DicomFile, layout: &Layout, index: usize) -> Result<Vec<Frame>> {
    let path = &file.path;
    let first = Attributes::new(path, &file.attributes, 0);
    check_kind(file, layout, &first)?;
    // Every frame of an enhanced image has its own item, so that the count cannot outgrow the file.
    let frames = (0..layout.frames).map(|number| frame(file, layout, index, number)).collect::<Result<Vec<_>>>()?;
    if first.text(None, tags::IMAGE_TYPE).is_some_and(|t| t.split('\\').any(|kind| kind == "MOSAIC")) {
        return frames.iter().map(|frame| mosaic(file, frame)).collect::<Result<Vec<_>>>().map(|tiles| tiles.concat());
    }
    Ok(frames)
}

/// Refuses images whose pixels are no intensities, or whose frames nothing sets apart.
pub(super) fn check_kind(file: &DicomFile, layout: &Layout, first: &Attributes) -> Result<()> {
    let path = &file.path;
    if layout.frames > 1 && !first.has_functional_groups() {
        let supported = "one frame a file, or functional groups";
        return Err(fault::unsupported(path, "NumberOfFrames", layout.frames, supported));
    }
    if layout.samples != 1 || !layout.photometric.starts_with("MONOCHROME") {
        let found = format!("{} of {} samples a pixel", layout.photometric, layout.samples);
        return Err(fault::unsupported(path, "PhotometricInterpretation", found, "MONOCHROME1 and MONOCHROME2"));
    }
    if file.attributes.get(tags::MODALITY_LUT_SEQUENCE).is_some() {
        let supported = "RescaleSlope and RescaleIntercept";
        return Err(fault::unsupported(path, "ModalityLUTSequence", "a lookup table", supported));
    }
    if !file.is_native() {
        check_syntax(path, &file.transfer_syntax)?;
    }
    Ok(())
}

/// Refuses vectors that are no axes of a plane.
pub(super) fn check_axes(path: &Path, row_lps: DVec3, column_lps: DVec3) -> Result<()> {
    let off = [row_lps.length() - 1.0, column_lps.length() - 1.0, row_lps.dot(column_lps)];
    if off.iter().any(|x| x.abs() > UNIT_TOLERANCE) {
        let found = format!("{row_lps} and {column_lps}");
        return Err(fault::invalid(path, "ImageOrientationPatient", "two unit vectors at a right angle", found));
    }
    Ok(())
}

/// The slices of a mosaic, which lie row by row in the smallest square that holds them. ImagePositionPatient is that of a
/// slice as large as the mosaic around the same middle
/// (<https://nipy.org/nibabel/dicom/dicom_mosaic.html>).
fn mosaic(file: &DicomFile, image: &Frame) -> Result<Vec<Frame>> {
    let path = &file.path;
    let csa =
        Csa::of(file)?.ok_or_else(|| fault::unsupported(path, "ImageType", "MOSAIC", "mosaics with a CSA header"))?;
    let count = csa.number("NumberOfImagesInMosaic").filter(|&n| n >= 1.0 && n.fract() == 0.0);
    let normal = csa.numbers("SliceNormalVector").as_deref().and_then(|n| <[f64; 3]>::try_from(n).ok());
    let Some((count, normal)) = count.zip(normal.map(DVec3::from_array)) else {
        return Err(fault::invalid(path, "CSA header", "NumberOfImagesInMosaic and SliceNormalVector", "none"));
    };
    let tiles = count.sqrt().ceil() as usize;
    let (columns, rows) = (image.columns / tiles, image.rows / tiles);
    if columns * rows == 0 || columns * tiles != image.columns || rows * tiles != image.rows {
        let found = format!("{} x {}", image.columns, image.rows);
        return Err(fault::invalid(path, "Columns and Rows", format!("{tiles} x {tiles} equal tiles"), found));
    }
    let upright = image.row_lps.cross(image.column_lps);
    if normal.dot(upright).abs() < 1.0 - UNIT_TOLERANCE {
        return Err(fault::invalid(path, "SliceNormalVector", format!("along {upright}"), normal));
    }
    let Some(step) = image.slice_step_mm else {
        return Err(fault::invalid(path, "SpacingBetweenSlices", "a length, for a mosaic", "none"));
    };
    let half = |whole: usize, part: usize| (whole - part) as f64 / 2.0;
    let [di, dj] = image.spacing_mm;
    let first_lps = image.position_lps
        + image.row_lps * di * half(image.columns, columns)
        + image.column_lps * dj * half(image.rows, rows);
    let along = upright * normal.dot(upright).signum();
    let tile = |k: usize| Frame {
        columns,
        rows,
        corner: [k % tiles * columns, k / tiles * rows],
        position_lps: first_lps + along * step * k as f64,
        ..image.clone()
    };
    Ok((0..count as usize).map(tile).collect())
}

fn frame(file: &DicomFile, layout: &Layout, index: usize, number: usize) -> Result<Frame> {
    let path = &file.path;
    let a = Attributes::new(path, &file.attributes, number);
    if number > 0 && !a.has_functional_groups() {
        return Err(fault::invalid(path, "NumberOfFrames", "a functional group for each", format!("{number} groups")));
    }
    let name = || file_name(path);
    let position = a.vectors(tags::PLANE_POSITION_SEQUENCE, tags::IMAGE_POSITION_PATIENT, "ImagePositionPatient")?;
    let [position_lps] = position.ok_or_else(|| DicomFault::MissingPosition { file: name() }.at(path))?;
    let orientation =
        a.vectors(tags::PLANE_ORIENTATION_SEQUENCE, tags::IMAGE_ORIENTATION_PATIENT, "ImageOrientationPatient")?;
    let [row_lps, column_lps] = orientation.ok_or_else(|| DicomFault::MissingOrientation { file: name() }.at(path))?;
    check_axes(path, row_lps, column_lps)?;
    let measures = Some(tags::PIXEL_MEASURES_SEQUENCE);
    let Some(spacing) = a.numbers(measures, tags::PIXEL_SPACING, "PixelSpacing", 2)? else {
        return Err(DicomFault::MissingSpacing { file: name() }.at(path));
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
        columns: layout.columns,
        rows: layout.rows,
        position_lps,
        row_lps,
        column_lps,
        spacing_mm,
        slice_step_mm: step.map(f64::abs).filter(|&s| s > 0.0).or(thickness.filter(|&t| t > 0.0)),
        corner: [0, 0],
        slope,
        intercept: a.number(transformation, tags::RESCALE_INTERCEPT, "RescaleIntercept")?.unwrap_or(0.0),
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
