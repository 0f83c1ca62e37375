//! MINC1 (netCDF-3) and MINC2 (HDF5), after the MINC programmer's guide and the MINC 2.0 file format reference.
//!
//! `i` is the spatial axis that varies fastest in the file, whichever it is (`dimorder`), then `j`, then `k`; integer voxel
//! coordinates are voxel centres. A spatial axis leads from `start` in steps of `step` (often negative) along its
//! `direction_cosines`, in MINC's world, which is RAS+ mm. Other axes (`time`, ...) count volumes, the last one fastest.
//! Stored integers lie in `valid_range` (values outside are clipped, as nibabel does) and stand for `image-min` to
//! `image-max`, which may differ from slice to slice; floats stand for themselves.
//! Not read: irregular sampling of a spatial axis, `vector_dimension` (colours), complex values.

mod attributes;
mod axis;
mod image;
mod one;
mod source;
mod two;

use crate::input::Input;
use crate::{Result, VolumeReader};
pub(crate) use image::Image;
use source::Source;

/// Whether a file begins like netCDF-3 or HDF5; whether it is MINC is seen when it is opened.
pub(crate) fn is_minc(head: &[u8]) -> bool {
    head.starts_with(b"CDF") || head.starts_with(HDF5)
}

const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Opens a file that [`is_minc`].
pub(crate) fn open(input: Input) -> Result<VolumeReader> {
    let image = if input.head().starts_with(HDF5) { two::open(input)? } else { one::open(input)? };
    image.into_reader()
}
