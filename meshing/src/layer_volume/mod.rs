//! Which voxels lie in which layer: solids between surfaces, cut by lines along `i`.

mod fractions;
mod labels;
mod lines;
mod solids;

pub use fractions::layer_fractions;
pub use labels::{LayerLabels, label_layers};
