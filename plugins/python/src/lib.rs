//! The Python module: arguments are converted, the work is done by the crates beside this one on a thread of its own,
//! errors are mapped. What needs Python libraries (nibabel, trimesh, drawing) is written in Python, in `python/brainmesh`.

mod argv;
mod arrays;
mod errors;
mod evaluate;
mod files;
mod given;
mod layers;
mod mesh;
mod models;
mod phantom;
mod result;
mod ribbon;
mod segment;
mod segment_membrane;
mod segment_sections;
mod shared;
mod surface;
mod volume;
mod volume_file;
mod work;

use pyo3::prelude::*;

/// Rust side of brainmesh.
#[pymodule]
mod _brainmesh {
    #[pymodule_export]
    use crate::argv::command_line;
    #[pymodule_export]
    use crate::errors::{Cancelled, ModelError};
    #[pymodule_export]
    use crate::evaluate::evaluate_layers;
    #[pymodule_export]
    use crate::files::{kind, read, read_maps, read_surface, read_volume};
    #[pymodule_export]
    use crate::layers::rays2surface;
    #[pymodule_export]
    use crate::mesh::{isosurface, label_layers, mesh};
    #[pymodule_export]
    use crate::models::{add_model, list_models, remove_model, show_model, verify_models};
    #[pymodule_export]
    use crate::phantom::{PyPhantom, phantom};
    #[pymodule_export]
    use crate::result::{PyLayerResult, layer_colors, layer_names};
    #[pymodule_export]
    use crate::ribbon::PyRibbon;
    #[pymodule_export]
    use crate::segment::segment;
    #[pymodule_export]
    use crate::segment_membrane::segment_membrane;
    #[pymodule_export]
    use crate::segment_sections::segment_sections;
    #[pymodule_export]
    use crate::surface::PySurface;
    #[pymodule_export]
    use crate::volume::PyVolume;
    #[pymodule_export]
    use crate::volume_file::PyVolumeFile;
    #[pymodule_export]
    use crate::work::at_exit;

    /// The version of brainmesh.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
