//! The pipeline of brainmesh as a library: arguments become a [`Plan`], the plan runs, the run gives a [`Report`].
//!
//! The command line, the Python package and the plugins all call [`Plan::run`], so that they give the same bytes.

pub mod args;
mod batch;
mod command_line;
mod commands;
mod contour;
mod error;
mod given;
mod given_rays;
mod group;
mod help;
mod input;
mod layers;
mod output;
mod page;
mod plan;
mod plane;
mod preview;
mod progress;
mod report;
mod results;
mod run;
mod run_page;
mod sampling;
pub mod score;
mod section_input;
mod slicer;
mod summary;

pub use command_line::command_line;
pub use commands::{
    Cells, Made, MadePhantom, Membranes, Tissue, TissueVolumes, Ventricle, VentricleFinder, WaferSections, add_model,
    describe_model, dispatch, evaluate_layers, evaluate_membrane, evaluate_sections, evaluate_tissue,
    evaluate_ventricle, layer_table, list_models, make_phantom, mesh_file, mesh_labels, mesh_values, segment_membrane,
    segment_sections, segment_tissue, segment_volumes, verify_models,
};
pub use error::{Error, ExitCode};
pub use given::{Given, InMemory};
pub use input::{Source, Span};
pub use plan::{Plan, decode_options, surface_format};
pub use progress::Progress;
pub use report::Report;
pub use results::LayerResults;
pub use run::Solved;
pub use slicer::{SlicerModule, slicer_module};

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
