//! DICOM: a folder of images, or one file (PS3.5 and PS3.10 for the encoding, PS3.3 C.7.6.2 and C.7.6.16 for the geometry).
//!
//! - **Axes**: `i` runs along the columns of the image, `j` along its rows, `k` along the slice normal
//!   `row x column` of ImageOrientationPatient. `world = position + i * spacing_i * row + j * spacing_j * column`, with
//!   PixelSpacing giving `j` first; the patient frame is LPS and is turned to RAS here. The step along `k` is the mean
//!   difference of ImagePositionPatient, so a tilted gantry stays a sheared grid.
//! - **Scaling**: RescaleSlope and RescaleIntercept of each slice. MONOCHROME1 is not inverted: it only concerns display.
//! - **Several volumes**: a series whose positions repeat equally often is split by the first of temporal position, echo
//!   time, acquisition number, trigger time, b-value, image type that tells the repetitions apart; otherwise it has
//!   duplicates and is refused.
//! - **Mosaics** of Siemens are cut into their slices, as many as the CSA header tells, along its slice normal.
//! - **Faults** are named by [`DicomFault`]. Strict reading refuses all but tilt and varying rescale. Repair, where asked for,
//!   leaves out copies (slices at one place with equal pixels), slices that are truncated or have no position, slices beyond
//!   a gap (the longest run without one is kept) and slices of other size, orientation, spacing or frame of reference than
//!   the most; it puts uneven slices at even steps, none further than half a step or half a pixel. Nothing is invented. What was done is told
//!   in the warnings.
//! - **Refused, with the reason**: several series or kinds of slices (unless one is chosen, as `UID` or `UID/2`), a file
//!   without PixelSpacing, colour images, modality lookup tables, multi-frame files without functional groups.
//! - **Compression**: RLE, JPEG (baseline, extended with 12 bits, lossless), JPEG-LS, JPEG 2000 up to 16 bits. Not high-throughput
//!   JPEG 2000, JPEG XL, video.

mod attributes;
mod codestream;
mod csa;
mod decoder;
mod faults;
mod file;
mod frame;
mod group;
mod jpeg12;
mod jpeg_ls;
mod jpeg_ls_context;
mod layout;
mod line;
mod picture;
mod pixels;
mod rle;
mod series;
mod sidecar;
mod slices;
mod source;
mod stack;
mod structure;

use crate::volume_reader::{Opened, Region, Voxels};
use crate::{Error, Result, Scaling, StoredType, VolumeOptions, VolumeReader, Voxel, fault};
use brainmesh_core::{Grid, Monitor};
pub use faults::DicomFault;
use faults::DicomFault::{MissingPosition, TruncatedPixels};
use faults::file_name;
use file::DicomFile;
use frame::{Frame, frames_of};
use layout::Layout;
pub use picture::{DicomPicture, dicom_pictures};
pub use pixels::{DicomPixels, read_dicom_pixels};
pub use sidecar::dicom_sidecar;
use std::path::{Path, PathBuf};

/// Whether the first bytes are those of a DICOM file: `DICM` after a preamble of 128 bytes, or, where an old program left
/// both out, a data set that begins with group 2 or 8.
pub(crate) fn is_dicom(head: &[u8]) -> bool {
    head.get(128..132) == Some(b"DICM") || structure::bare_data_set(head).is_some()
}

/// Opens the series that `options` choose in a folder, or a file.
pub(crate) fn open(path: &Path, options: &VolumeOptions) -> Result<VolumeReader> {
    let (series, warnings) = Series::open(path, options)?;
    let volumes = series.volumes.len();
    let Some((frames, grid)) = series.volumes.get(options.volume_index.unwrap_or(0)).or(series.volumes.first()) else {
        return Err(fault::invalid(path, "slices", "at least 1", 0));
    };
    let scales = |f: &Frame| (f.slope, f.intercept);
    let asked = options.volume_index.map_or(&series.volumes[..], |_| &[]);
    let mut all = asked.iter().flat_map(|(frames, _)| frames).chain(frames).map(scales);
    let scaling = match all.next() {
        Some(first) if all.all(|other| other == first) => match first {
            (1.0, 0.0) => Scaling::None,
            (slope, intercept) => Scaling::Linear { slope, intercept },
        },
        _ => Scaling::PerSlice,
    };
    let layout = frames.first().and_then(|f| series.images.layouts.get(f.file));
    let stored = layout.map_or(StoredType::Uint16, |layout| layout.stored.stored_type());
    let (path, grid) = (path.into(), grid.clone());
    let opened = Opened { path, format: "DICOM", grid, volumes, stored, scaling, voxels: Voxels::Dicom(series) };
    Ok(VolumeReader::new(opened).with_warnings(warnings))
}

/// The files of one series.
#[derive(Debug)]
struct Images {
    /// The folder or file that was asked for.
    path: PathBuf,
    /// SeriesInstanceUID.
    series: String,
    files: Vec<DicomFile>,
    /// Of each file.
    layouts: Vec<Layout>,
}

impl Images {
    /// A frame's file, and its number where the file has several.
    fn name(&self, frame: &Frame) -> String {
        let file = self.files.get(frame.file).map(|f| file_name(&f.path)).unwrap_or_default();
        if frame.number == 0 { file } else { format!("{file} frame {}", frame.number + 1) }
    }
}

/// What was done about faults, for people.
struct Repairs {
    /// Whether anything may be done.
    allowed: bool,
    warnings: Vec<String>,
}

impl Repairs {
    fn made(&mut self, action: String) {
        self.warnings.push(format!("repaired: {action}"));
    }

    /// A fault that is no error.
    fn note(&mut self, fault: DicomFault) {
        let text = fault.to_string();
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }
}

/// One series: its files, and its volumes, each of sorted slices on a grid.
#[derive(Debug)]
pub(crate) struct Series {
    images: Images,
    volumes: Vec<(Vec<Frame>, Grid)>,
}

impl Series {
    /// Fills `out` with a region of a volume.
    pub fn read<T: Voxel>(&self, volume: usize, region: &Region, out: &mut [T], monitor: &dyn Monitor) -> Result<()> {
        let frames = self.volumes.get(volume).and_then(|(frames, _)| frames.get(region[2].clone())).unwrap_or_default();
        slices::read(&self.images, frames, region, out, monitor)
    }

    /// The series that `options` choose, and what people should know about it.
    fn open(path: &Path, options: &VolumeOptions) -> Result<(Self, Vec<String>)> {
        let mut repairs = Repairs { allowed: options.repair, warnings: Vec::new() };
        let (series, kind) = series::parse_choice(options.series.as_deref());
        let (series, files) = series::choose(path, series::images_of(path)?, series)?;
        let mut images = Images { path: path.into(), series, files: Vec::new(), layouts: Vec::new() };
        let mut frames = Vec::new();
        for file in files {
            let found = Layout::of(&file).and_then(|layout| {
                let frames = frames_of(&file, &layout, images.files.len())?;
                Ok((layout, frames))
            });
            match found {
                Ok((layout, found)) => {
                    images.files.push(file);
                    images.layouts.push(layout);
                    frames.extend(found);
                }
                Err(Error::Dicom { fault: fault @ (MissingPosition { .. } | TruncatedPixels { .. }), .. })
                    if repairs.allowed =>
                {
                    repairs.made(format!("left out: {fault}"));
                }
                Err(error) => return Err(error),
            }
        }
        if frames.is_empty() {
            return Err(fault::invalid(path, "slices", "at least 1 that can be used", repairs.warnings.join(", ")));
        }
        let frames = group::one_kind(&images, frames, kind, &mut repairs)?;
        let volumes = stack::volumes(&images, frames, &mut repairs)?;
        let scales = |f: &Frame| (f.slope, f.intercept);
        if volumes.iter().any(|(frames, _)| frames.windows(2).any(|p| scales(&p[0]) != scales(&p[1]))) {
            repairs.note(DicomFault::VaryingRescale);
        }
        Ok((Self { images, volumes }, repairs.warnings))
    }
}
