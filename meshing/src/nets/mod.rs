//! Closed surfaces of labels and of a scalar volume by surface nets.

mod cells;
mod fans;
mod interfaces;
mod isosurface;
mod label_value;
mod surface_nets;

pub use interfaces::Interfaces;
pub use isosurface::Isosurface;
pub use label_value::LabelValue;
pub use surface_nets::SurfaceNets;
