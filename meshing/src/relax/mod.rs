//! Smoothing of surfaces by their neighbours, without shrinking (Taubin 1995, SIGGRAPH, section 3).

mod kernel;
mod links;
mod surface;

pub(crate) use kernel::relax_cells;
pub(crate) use links::Links;
pub use surface::SurfaceSmoother;
