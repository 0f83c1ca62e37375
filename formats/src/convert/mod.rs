//! From one volume file to another: a part of it, other axes, another grid, another type.
//!
//! - **Order**: the part is cut out first (in voxels of the file), then the grid changes, then the type.
//! - **Axes** are swapped and turned round without touching a value; the world position of every voxel stays.
//! - **Grid**: the smallest one with axes at right angles that covers the part ([`Grid::orthonormal`](brainmesh_core::Grid::orthonormal)),
//!   linear between voxel centres, or nearest for labels; what lies outside of the old voxels is `fill`.
//! - **Types**: stored values stay as they are, bit for bit, where the target holds their type and scaling. Slopes and
//!   intercepts become float32 in NIfTI-1. Scaling that changes from slice to slice, or that the target has no place for, is
//!   applied and gives floats: float64 where values have more than 24 bits. An integer type asked for takes intensities that
//!   are such integers, or, with `scale`, the nearest multiple of a step.
//! - **Memory**: volumes that are large and can be read in parts go to NIfTI a slab at a time.

mod plan;
mod run;
mod scale;

pub use plan::{VolumeConversion, VolumeConversionPlan};
