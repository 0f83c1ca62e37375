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
//!   lookup tables, mosaics, float pixel data, multi-frame files without functional groups.
//! - Compressed pixel data go through `dicom-pixeldata`: RLE, JPEG (baseline, lossless), JPEG 2000. Not JPEG-LS, JPEG XL.

mod attributes;
mod codestream;
mod file;
mod frame;
mod pixels;
mod series;
mod stack;
mod structure;

use crate::volume_reader::{Opened, Region, Voxels};
use crate::{Result, Scaling, StoredType, VolumeOptions, VolumeReader, Voxel};
use brainmesh_core::{Grid, Monitor};
use file::DicomFile;
use frame::{Frame, frames_of};
use stack::Stack;
use std::path::Path;

/// Whether the first bytes are those of a DICOM file: `DICM` after a preamble of 128 bytes, or, where an old program left
/// both out, a data set that begins with group 2 or 8.
pub(crate) fn is_dicom(head: &[u8]) -> bool {
    head.get(128..132) == Some(b"DICM") || structure::bare_data_set(head).is_some()
}

/// Opens the series that `options` choose in a folder, or a file.
pub(crate) fn open(path: &Path, options: &VolumeOptions) -> Result<VolumeReader> {
    let files = series::choose(path, series::images_of(path)?, options.series.as_deref())?;
    let mut frames = Vec::new();
    for (index, file) in files.iter().enumerate() {
        frames.extend(frames_of(file, index)?);
    }
    let volumes = Stack::new(path, &files, frames)?.volumes;
    let series = Series { files, volumes };
    let grid = series.grid(path, options.volume_index.unwrap_or(0))?;
    let frames = series.volumes.first().map_or(&[][..], Vec::as_slice);
    let scaling = match frames {
        [first, rest @ ..] if rest.iter().all(|f| (f.slope, f.intercept) == (first.slope, first.intercept)) => {
            match (first.slope, first.intercept) {
                (1.0, 0.0) => Scaling::None,
                (slope, intercept) => Scaling::Linear { slope, intercept },
            }
        }
        _ => Scaling::PerSlice,
    };
    Ok(VolumeReader::new(Opened {
        path: path.into(),
        format: "DICOM",
        grid,
        volumes: series.volumes.len(),
        stored: frames.first().map_or(StoredType::Uint16, |f| f.stored.stored_type()),
        scaling,
        voxels: Voxels::Dicom(series),
    }))
}

/// One series: its files, and its frames as volumes of sorted slices.
#[derive(Debug)]
pub(crate) struct Series {
    files: Vec<DicomFile>,
    volumes: Vec<Vec<Frame>>,
}

impl Series {
    /// Fills `out` with a region of a volume.
    pub fn read<T: Voxel>(&self, volume: usize, region: &Region, out: &mut [T], monitor: &dyn Monitor) -> Result<()> {
        let frames = self.volumes.get(volume).map_or(&[][..], Vec::as_slice);
        pixels::read(&self.files, frames.get(region[2].clone()).unwrap_or_default(), region, out, monitor)
    }

    fn grid(&self, path: &Path, volume: usize) -> Result<Grid> {
        stack::grid(path, &self.files, self.volumes.get(volume).or(self.volumes.first()).map_or(&[], Vec::as_slice))
    }
}
