//! Every file brainmesh reads or writes; no other crate opens data files.
//!
//! Readers tell formats apart by content and turn what they find to RAS+ mm; writers state the space in every file that can
//! hold it, and write whole files or none ([`write_atomically`]). The note at the head of each format's module says which
//! axes, offsets and variants it knows. Errors name the file, the field, what was expected and what was found.

mod analyze;
mod array_info;
mod atomic;
mod bytes;
mod contour_text;
mod convert;
mod data_files;
mod decoded_surface;
mod dicom;
mod error;
mod fault;
mod freesurfer;
mod gifti;
mod glb;
mod gzip;
mod gzip_stream;
mod header_lines;
mod ini;
mod input;
mod layer_spots;
mod length_unit;
mod magc;
mod memory;
mod merge;
mod meta_image;
mod mgh;
mod minc;
mod mni_obj;
mod mz3;
mod nifti;
mod npy;
mod npy_header;
mod npz;
mod nrrd;
mod numbers;
mod ome_zarr;
mod picture_rows;
mod ply;
mod ply_header;
mod png_slices;
mod png_write;
mod profile_file;
mod raw;
mod raw_parts;
mod resample;
mod slices;
mod space_tag;
mod stl;
mod stored_type;
mod surface_detect;
mod surface_file;
mod surface_format;
mod surface_info;
mod surface_math;
mod text_number;
mod text_table;
mod text_values;
mod tiff_stack;
mod training_set;
mod vertex_map;
mod vertex_mask;
mod vertex_values;
mod volume_file;
mod volume_format;
mod volume_info;
mod volume_options;
mod volume_reader;
mod volume_writer;
mod voxel;
mod vtk;
mod wafer_outlines;
mod wavefront;
mod write_parts;

pub use array_info::{ArrayInfo, array_info};
pub use atomic::{WriteSeek, write_atomically};
pub use contour_text::{read_contour, write_contour};
pub use convert::{VolumeConversion, VolumeConversionPlan};
pub use dicom::{DicomFault, DicomPicture, DicomPixels, dicom_pictures, dicom_sidecar, read_dicom_pixels};
pub use error::Error;
pub use freesurfer::{
    VertexLabel, read_annot, read_freesurfer_label, read_morphometry, write_annot, write_freesurfer_label,
    write_morphometry,
};
pub use gifti::{
    LabelMap, ShapeMap, read_label_gifti, read_shape_gifti, write_func_gifti, write_label_gifti, write_shape_gifti,
    write_surfaces_gifti,
};
pub use glb::{SceneOptions, SceneSurface, read_scene, write_scene};
pub use layer_spots::{LayerSpot, read_layer_spots};
pub use magc::{WaferMark, WaferMarks, read_magc, write_magc};
pub use mz3::write_mz3_maps;
pub use nifti::Extension;
pub use npy::{NpyArray, read_npy, write_npy};
pub use npz::{npz_names, read_npz, write_npz};
pub use picture_rows::PictureRows;
pub use png_write::write_png;
pub use profile_file::{ProfileText, read_profile_array, read_profile_matrix, read_profile_text};
pub use resample::Interpolation;
pub use stored_type::StoredType;
pub use surface_file::{read_surface, write_surface};
pub use surface_format::SurfaceFormat;
pub use surface_info::{SurfaceInfo, surface_info};
pub use training_set::TrainingSet;
pub use vertex_map::VertexMaps;
pub use vertex_mask::read_vertex_mask;
pub use vertex_values::{VertexValues, read_vertex_maps};
pub use volume_file::{read_volume, volume_info};
pub use volume_format::VolumeFormat;
pub use volume_info::{Scaling, VolumeInfo};
pub use volume_options::VolumeOptions;
pub use volume_reader::{MappedVolume, Region, VolumeReader};
pub use volume_writer::{VolumeWriter, write_volume};
pub use voxel::Voxel;
pub use wafer_outlines::{WaferOutline, WaferOutlines, WaferSection, read_wafer_outlines};

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
