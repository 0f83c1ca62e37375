//! FreeSurfer's binary surfaces (`lh.white`, `lh.pial`), morphometry (`lh.thickness`, `lh.curv`), annotations
//! (`lh.aparc.annot`) and labels (`lh.cortex.label`), as nibabel's `freesurfer.io` and FreeSurfer's `mrisurf_io.cpp`.
//!
//! - **Frame**: stored coordinates are surface RAS (tkRAS), centred on the conformed volume. The footer holds the volume's
//!   geometry; with direction cosines `R = [x_ras y_ras z_ras]` and centre `c_ras`,
//!   `scanner = R * T^-1 * surface + c_ras`, where `T` holds the cosines of surface RAS, `x -> -R`, `y -> -S`, `z -> +A`
//!   (<https://surfer.nmr.mgh.harvard.edu/fswiki/CoordinateSystems>; voxel sizes cancel). For the usual cosines this is a
//!   shift by `c_ras`. Files without a valid footer, and files that say `useRealRAS`, are taken as scanner RAS.
//! - **Writing**: scanner RAS with a footer of a made-up volume (256 mm cube, usual cosines, `c_ras` = 0), in which
//!   surface RAS and scanner RAS agree, so that readers with and without footer see the same place.
//! - **Quadrangle surfaces** of both kinds (hundredths of a millimetre as int16, and float32) are read; every quadrangle
//!   becomes two triangles as FreeSurfer and nibabel cut it, along a diagonal that depends on its first corner.
//! - All numbers are big endian. **Not supported**: the text form of surfaces (`.asc`), annotations without a colour table.

mod annot;
mod cursor;
mod footer;
mod label;
mod morphometry;
mod quads;
mod surface;

pub(crate) use annot::{decode as decode_annot, is_annot};
pub use annot::{read_annot, write_annot};
pub use label::{VertexLabel, read_freesurfer_label, write_freesurfer_label};
pub(crate) use label::{decode as decode_label, is_label};
pub(crate) use morphometry::{decode as decode_morphometry, is_morphometry};
pub use morphometry::{read_morphometry, write_morphometry};
pub(crate) use surface::{decode, is_surface, structure_of, write};
