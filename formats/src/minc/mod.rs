//! MINC1 (netCDF-3) and MINC2 (HDF5), after the MINC programmer's guide and the MINC 2.0 file format reference.
//!
//! `i` is the spatial axis that varies fastest in the file, whichever it is (`dimorder`), then `j`, then `k`; integer voxel
//! coordinates are voxel centres. A spatial axis leads from `start` in steps of `step` (often negative) along its
//! `direction_cosines` (which may be oblique or sheared; as libminc and nibabel do, they are used as they stand), in MINC's
//! world, which is RAS+ mm; other `units` of length are converted. A spatial axis that is `irregular` is read where its
//! coordinates are regular within a thousandth of a step. Other axes (`time`, ...) count volumes, the last one fastest, and
//! `vector_dimension` planes; their positions may be irregular.
//! Stored integers lie in `valid_range` (values outside are clipped, as nibabel does) and stand for `image-min` to
//! `image-max`, which may differ from slice to slice; floats, and in MINC2 labels (an enumeration, class `label__`), stand
//! for themselves. Integers of class `integer` without `image-min` and `image-max` do as well.
//! Of a chunked file only the chunks that a region touches are read, several at once.
//! Not read: irregular sampling of a spatial axis, images without all three spatial axes, 64-bit integers (MINC has none),
//! complex and compound values.
//! MINC2 is written: of any type that is read, oblique or sheared, several volumes along `time`, scaled integers. Names of
//! labels are not written.

mod attributes;
mod axis;
mod hdf5;
mod image;
mod inflate;
mod one;
mod placement;
mod scale;
mod source;
mod two;
mod write;

use crate::input::Input;
use crate::{Result, VolumeReader};
pub(crate) use image::Image;
use source::Source;
pub(crate) use write::write;

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
