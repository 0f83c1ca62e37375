//! Images and volumes through networks that take a part at a time.
//!
//! The volume is brought to the network's grid (axes, spacing) where it is read, window by window; windows overlap and
//! are blended with Gaussian weights in a slab across the longest axis, whose finished planes become labels at once. So
//! memory is that of the input, one byte a voxel of the result, and the slab.

mod components;
mod field;
mod forecast;
mod intensity;
mod layout;
mod locate;
mod near_centre;
mod options;
mod placement;
mod refine;
mod runner;
mod segment;
mod slab;
mod trial;
mod views;
mod windows;

pub use forecast::Forecast;
pub use near_centre::NearCentre;
pub use options::SegmentOptions;
pub use segment::{Segmentation, Segmented};

pub(crate) use field::Field;
pub(crate) use segment::segment;
pub(crate) use trial::run_tensor;
