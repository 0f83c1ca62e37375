//! From a cortical ribbon to rays, profiles, layer boundaries and checked layer surfaces. Opens no files.

mod channels;
mod diffusion;
mod error;
mod rays;
mod sample;

pub use channels::{DepthSpacing, RayIntensities, channels};
pub use diffusion::{Diffusion, mean_curvature};
pub use error::Error;
pub use rays::{NO_CORTEX_MM, extended_rays, no_cortex, ribbon_rays};
pub use sample::sample;

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
