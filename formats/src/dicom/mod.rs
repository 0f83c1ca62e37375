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
//! - **Refused, with the reason**: several series (unless one is chosen), missing or unevenly spaced or repeated slices,
//!   slices of different orientation, size or spacing, a file without PixelSpacing or position, colour images, modality
//!   lookup tables, mosaics, multi-frame files without functional groups.
//! - **Compression**: RLE, JPEG (baseline, extended with 12 bits, lossless), JPEG-LS, JPEG 2000 up to 16 bits. Not high-throughput
//!   JPEG 2000, JPEG XL, video.

mod attributes;
mod codestream;
mod decoder;
mod file;
mod frame;
mod jpeg12;
mod jpeg_ls;
mod jpeg_ls_context;
mod layout;
mod pixels;
mod rle;
mod series;
mod slices;
mod source;
mod stack;
mod structure;

use crate::volume_info::rows;
use crate::{Error, Result, Scaling, VolumeInfo, VolumeOptions, fault};
use brainmesh_core::{Grid, Volume};
use file::DicomFile;
use frame::{Frame, frames_of};
use layout::Layout;
pub use pixels::{DicomPixels, read_dicom_pixels};
use stack::Stack;
use std::path::Path;

/// Whether the first bytes are those of a DICOM file: `DICM` after a preamble of 128 bytes, or, where an old program left
/// both out, a data set that begins with group 2 or 8.
pub(crate) fn is_dicom(head: &[u8]) -> bool {
    head.get(128..132) == Some(b"DICM") || structure::bare_data_set(head).is_some()
}

/// Reads the volume `options` choose from a folder or file.
pub(crate) fn read(path: &Path, options: &VolumeOptions) -> Result<Volume<f32>> {
    let series = Series::open(path, options)?;
    let (frames, grid) = series.volume(path, options)?;
    let data = slices::read(&series.files, &series.layouts, frames, &grid)?;
    Volume::new(grid, data).map_err(fault::core(path))
}

/// Describes the volume `options` choose.
pub(crate) fn info(path: &Path, options: &VolumeOptions) -> Result<VolumeInfo> {
    let series = Series::open(path, options)?;
    let (frames, grid) = series.volume(path, options)?;
    let scaling = match frames {
        [first, rest @ ..] if rest.iter().all(|f| (f.slope, f.intercept) == (first.slope, first.intercept)) => {
            match (first.slope, first.intercept) {
                (1.0, 0.0) => Scaling::None,
                (slope, intercept) => Scaling::Linear { slope, intercept },
            }
        }
        _ => Scaling::PerSlice,
    };
    Ok(VolumeInfo {
        format: "DICOM",
        shape: grid.shape(),
        volumes: series.stack.volumes.len(),
        spacing_mm: grid.spacing_mm(),
        world_from_voxel: rows(grid.affine()),
        world: grid.world().to_owned(),
        stored: frames.first().map_or("", |f| f.stored.name()),
        scaling,
    })
}

/// One series: its files, and its frames as volumes of sorted slices.
struct Series {
    files: Vec<DicomFile>,
    layouts: Vec<Layout>,
    stack: Stack,
}

impl Series {
    fn open(path: &Path, options: &VolumeOptions) -> Result<Self> {
        let files = series::choose(path, series::images_of(path)?, options.series.as_deref())?;
        let layouts: Vec<Layout> = files.iter().map(Layout::of).collect::<Result<_>>()?;
        let mut frames = Vec::new();
        for (index, (file, layout)) in files.iter().zip(&layouts).enumerate() {
            frames.extend(frames_of(file, layout, index)?);
        }
        let stack = Stack::new(path, &files, frames)?;
        Ok(Self { files, layouts, stack })
    }

    fn volume(&self, path: &Path, options: &VolumeOptions) -> Result<(&[Frame], Grid)> {
        let volumes = &self.stack.volumes;
        let frames = volumes.get(options.volume_index).ok_or_else(|| Error::Invalid {
            path: path.into(),
            field: "volume index".into(),
            expected: format!("below {}", volumes.len()),
            found: options.volume_index.to_string(),
        })?;
        Ok((frames, stack::grid(path, &self.files, frames)?))
    }
}
