use super::file::DicomFile;
use super::layout::{Layout, Stored};
use super::source::PixelSource;
use crate::{Result, StoredType, fault};
use rayon::prelude::*;
use std::path::Path;

/// Every sample of a DICOM image as it is stored: before rescaling and palettes, colours in the space `photometric` names.
/// Compression is taken off, and with it the colour transforms that belong to it (of JPEG 2000, not of JPEG).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DicomPixels {
    /// Number of frames, the slowest axis.
    pub frames: usize,
    /// Rows of a frame.
    pub rows: usize,
    /// Columns of a frame.
    pub columns: usize,
    /// Samples of a pixel, the fastest axis: 1, or 3 for colours.
    pub samples: usize,
    /// Type of a sample.
    pub stored: StoredType,
    /// PhotometricInterpretation, such as `MONOCHROME2`, `RGB`, `YBR_FULL`, `PALETTE COLOR`.
    pub photometric: String,
    /// The samples, little endian; bits above the stored ones are those of the sign.
    pub bytes: Vec<u8>,
}

/// Reads the samples of one DICOM file, of whichever kind: colours, palettes and images without a place are no volumes, but
/// have pixels.
///
/// # Errors
/// Where the file cannot be read, is no DICOM image, is damaged, or is compressed in a way there is no decoder for.
pub fn read_dicom_pixels(path: &Path) -> Result<DicomPixels> {
    let file = DicomFile::open(path)?.ok_or_else(|| fault::invalid(path, "pixel data", "an image", "none"))?;
    let layout = Layout::of(&file)?;
    let source = PixelSource::open(&file, &layout)?;
    let mut bytes = vec![0; layout.frame_bytes() * layout.frames];
    let frames = bytes.par_chunks_exact_mut(layout.frame_bytes()).enumerate();
    frames.try_for_each_init(Vec::new, |samples, (number, target)| {
        source.frame(number, samples)?;
        let samples = samples.get(..target.len()).ok_or_else(|| fault::truncated(path, target.len(), samples.len()))?;
        target.copy_from_slice(samples);
        clear_unused(layout.stored, target);
        Ok::<(), crate::Error>(())
    })?;
    let Layout { frames, rows, columns, samples, stored, photometric, .. } = layout;
    Ok(DicomPixels { frames, rows, columns, samples, stored: stored.stored_type(), photometric, bytes })
}

/// Leaves of every sample only the number in its stored bits.
fn clear_unused(stored: Stored, samples: &mut [u8]) {
    if stored.is_full() {
        return;
    }
    let width = stored.bytes();
    for sample in samples.chunks_exact_mut(width) {
        let mut word = [0; 4];
        word[..width].copy_from_slice(sample);
        let value = stored.integer(u32::from_le_bytes(word));
        sample.copy_from_slice(&value.to_le_bytes()[..width]);
    }
}
