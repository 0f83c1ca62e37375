//! brainmesh-formats

mod atomic;
mod error;
mod fault;
mod freesurfer;
mod gifti;
mod glb;
mod mni_obj;
mod npy;
mod npy_header;
mod npz;
mod ply;
mod ply_header;
mod space_tag;
mod stl;
mod surface_file;
mod surface_format;
mod surface_math;
mod text_number;
mod vertex_map;
mod vtp;
mod wavefront;

pub use atomic::{WriteSeek, write_atomically};
pub use error::Error;
pub use freesurfer::read_morphometry;
pub use gifti::{LabelMap, ShapeMap, read_label_gifti, read_shape_gifti, write_label_gifti, write_shape_gifti};
pub use glb::{SceneSurface, write_scene};
pub use npy::{NpyArray, read_npy, write_npy};
pub use npz::{npz_names, read_npz, write_npz};
pub use surface_file::{read_surface, write_surface};
pub use surface_format::SurfaceFormat;
pub use vertex_map::VertexMaps;

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
