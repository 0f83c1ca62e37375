//! The vocabulary of brainmesh: few types, exact meanings, no input or output.
//!
//! World space is **RAS+ in millimetres, `f64`** everywhere in this workspace; orientation changes in a reader
//! and in a writer, nowhere else. Integer voxel coordinates are voxel centres.
//!
//! Every type checks its invariants when it is made, so that nobody has to check them again.

mod boundaries;
mod certificate;
mod error;
mod grid;
mod label;
mod layers;
mod monitor;
mod orientation;
mod orthonormal;
mod pages;
mod point;
mod profiles;
mod ray;
mod ribbon;
mod surface;
mod volume;

pub use boundaries::{LayerBoundaries, RayDefect, RayOutcome};
pub use certificate::Certificate;
pub use error::Error;
pub use grid::Grid;
pub use label::{Label, LabelTable};
pub use layers::{BOUNDARY_COUNT, LAYER_COUNT, LAYER_NAMES, LayerSurfaces, layer_color};
pub use monitor::{Cancelled, Monitor, Silent, Stage, Uncounted};
pub use orientation::{AxisSwap, Orientation};
pub use pages::ask_for_huge_pages;
pub use point::{VoxelPoint, WorldPoint};
pub use profiles::{Channel, ClassProbabilities, Profiles};
pub use ray::RaySet;
pub use ribbon::Ribbon;
pub use surface::{EdgeCounts, Neighbours, Structure, Surface};
pub use volume::{SharedValues, Volume};

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
