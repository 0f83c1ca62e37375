//! GIFTI 1.0 (Harwell, Bremen, Coulon et al. 2011, "GIFTI Surface Data Format").
//!
//! - **Frame**: coordinates are RAS+ mm and are taken as stored, as nibabel and Connectome Workbench do (its
//!   `SurfaceFile::validateDataArraysAfterReading` once applied the matrix to Talairach space and stopped, because of what
//!   FreeSurfer writes there). The matrices of `CoordinateSystemTransformMatrix` lead from the stored space to another
//!   one, hence applying them would move a surface off its volume; bicpl's reader, which applies them blindly, differs.
//!   FreeSurfer's `VolGeomC_*` metadata are not applied either: `mris_convert --to-scanner` leaves them in place after
//!   shifting the vertices, so they cannot tell whether a shift is due. Files from plain `mris_convert` are in surface
//!   RAS; convert with `--to-scanner`, or read the FreeSurfer file itself, whose footer is unambiguous.
//! - **Encodings**: ASCII, Base64Binary, GZipBase64Binary (a zlib stream in spite of its name; gzip is accepted),
//!   ExternalFileBinary (only below the folder of the file); both byte orders, row and column major, every real type.
//! - **Not supported**: more than two dimensions, complex and RGB types. gzip around the file (`.gii.gz`) is taken off.
//!
//! Entities other than the five of XML are refused and document types are not read, so nothing expands.

mod array;
mod maps;
mod parse;
mod payload;
mod surface;
mod write;

pub use maps::{
    LabelMap, ShapeMap, read_label_gifti, read_shape_gifti, write_func_gifti, write_label_gifti, write_shape_gifti,
};
pub(crate) use maps::{read_any_maps, values_from};
pub(crate) use parse::{GiftiFile, parse, read_file};
pub use surface::write_surfaces_gifti;
pub(crate) use surface::{surface_from, write_surface_gifti};
