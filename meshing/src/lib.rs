//! From a cortical ribbon to rays, profiles, layer boundaries and checked layer surfaces. Opens no files.

mod banks;
mod boxes;
mod certify;
mod channels;
mod decode;
mod diffusion;
mod error;
mod fill;
mod intersect;
mod layers;
mod predicates;
mod rays;
mod sample;
mod section;
mod smooth;

pub use banks::{LimitedRays, limit_extensions};
pub use certify::certify;
pub use channels::{DepthSpacing, RayIntensities, channels};
pub use decode::{DecodeOptions, decode};
pub use diffusion::{Diffusion, mean_curvature};
pub use error::Error;
pub use fill::fill;
pub use layers::{layer_surfaces, thickness_mm};
pub use rays::{extended_rays, no_cortex, ribbon_rays};
pub use sample::sample;
pub use section::{
    NoRay, SectionOptions, SectionRays, SectionSampling, label_spots, part_banks, section_profiles, section_rays,
    spot_pitch_px,
};
pub use smooth::{Smoothing, smooth_boundaries};

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
