use crate::Error;
use std::path::Path;

/// What is wrong, or worth knowing, about the images of a DICOM series as one volume. Files are named without their folder.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DicomFault {
    /// Slices are missing.
    #[error(
        "slice positions: expected slices {usual_mm:.4} mm apart, found {step_mm:.4} mm between {before} and {after}, as if \
         {missing} were missing"
    )]
    Gap {
        /// The slice before the gap.
        before: String,
        /// The slice behind it.
        after: String,
        /// How many would fit between.
        missing: usize,
        /// From one to the other along the normal.
        step_mm: f64,
        /// Median of all steps.
        usual_mm: f64,
    },
    /// Slices are unevenly spaced.
    #[error(
        "slice positions: expected slices {usual_mm:.4} mm apart, found {step_mm:.4} mm between {before} and {after}"
    )]
    Jitter {
        /// A slice.
        before: String,
        /// The next one.
        after: String,
        /// From one to the other along the normal.
        step_mm: f64,
        /// Median of all steps.
        usual_mm: f64,
    },
    /// A slice does not lie on the line through the others.
    #[error("ImagePositionPatient: expected slices on a line, found {slice} {off_mm:.4} mm beside it")]
    OffLine {
        /// The slice.
        slice: String,
        /// Its distance from where an even stack has it.
        off_mm: f64,
    },
    /// Two slices lie at the same place, and nothing makes them slices of different volumes.
    #[error(
        "ImagePositionPatient: expected each position once, or volumes told apart by time, echo, acquisition, trigger, \
         b-value or image type, found {first} and {second} at the same position"
    )]
    DuplicatePosition {
        /// A slice.
        first: String,
        /// Another one.
        second: String,
    },
    /// Slices differ in what they must share to be one volume: size, orientation, spacing or frame of reference.
    #[error("{field}: expected one kind of slice, found {}; choose one by its name", groups.join(", "))]
    Mixed {
        /// The first attribute in which they differ.
        field: &'static str,
        /// The kinds: the name that chooses it, its number of images, what sets it apart.
        groups: Vec<String>,
    },
    /// A slice does not say where it lies.
    #[error("{file}: ImagePositionPatient: expected a value, found none")]
    MissingPosition {
        /// The file.
        file: String,
    },
    /// A slice does not say which way it faces.
    #[error("{file}: ImageOrientationPatient: expected a value, found none")]
    MissingOrientation {
        /// The file.
        file: String,
    },
    /// A slice does not say how large its pixels are.
    #[error("{file}: PixelSpacing: expected a value, found none")]
    MissingSpacing {
        /// The file.
        file: String,
    },
    /// A lone slice does not say how thick it is.
    #[error("{file}: SliceThickness: expected a length, since there is one slice only, found none")]
    MissingThickness {
        /// The file.
        file: String,
    },
    /// A file ends before its pixels do.
    #[error("{file}: pixel data truncated: expected {expected_bytes} bytes, found {found_bytes}")]
    TruncatedPixels {
        /// The file.
        file: String,
        /// Bytes its header needs.
        expected_bytes: u64,
        /// Bytes that are there.
        found_bytes: u64,
    },
    /// Slices are shifted against one another. No error: the grid is sheared.
    #[error("the gantry was tilted by {degrees:.2} degrees: the grid is sheared")]
    GantryTilt {
        /// Between the slice normal and the line of slices.
        degrees: f64,
    },
    /// Slices are scaled differently. No error: each is rescaled by its own numbers.
    #[error("RescaleSlope and RescaleIntercept differ from slice to slice")]
    VaryingRescale,
}

impl DicomFault {
    /// The error of the series or file at `path`.
    pub(super) fn at(self, path: &Path) -> Error {
        Error::Dicom { path: path.into(), fault: self }
    }
}

/// A file's name without its folder.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
