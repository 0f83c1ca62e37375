//! NIfTI-1 and NIfTI-2: `.nii`, `.hdr` + `.img`, each also gzipped, in both byte orders.
//!
//! Voxel `(i, j, k)` is axes 1 to 3 of the file and its integer coordinates are voxel centres, world is RAS+ as in the file,
//! in mm (metres and micrometres of `xyzt_units` are converted). Placement is the sform where it has a code, else the qform,
//! else the spacing alone, which names its world `unregistered`. Axes 4 to 7 count volumes, axis 4 fastest. Colours and
//! complex numbers are read as planes (`red`, `green`, `blue`, `alpha`; `real`, `imaginary`). Header extensions are kept.
//! Not read: 1-bit and 128-bit values.
//!
//! Written in this machine's byte order, `.nii.gz` in blocks that can be read alone.
//!
//! The `nifti` library parses the NIfTI-1 header. Data and NIfTI-2 are read here, because it ignores `vox_offset`, lacks
//! version 2, stops after the first gzip member and panics on complex values.

mod extension;
mod header;
mod placement;
mod read;
mod write;

pub use extension::Extension;
pub(crate) use header::is_nifti;
pub(crate) use read::{header_of_image, image_of_header, open};
pub(crate) use write::{write, write_slabs};
