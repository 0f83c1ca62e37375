//! Arithmetic on one plane of pixels: `values[x + width * y]`, rows from the top, size `[width, height]`.

mod nearest;
mod parts;
mod polygon;

pub use nearest::{nearest_where, thin_borders};
pub use parts::parts;
pub use polygon::fill_polygon;
