//! From a cortical ribbon to rays, profiles, layer boundaries and checked layer surfaces. Opens no files.

mod attach;
mod banks;
mod boxes;
mod bundle;
mod certify;
mod channels;
mod columns;
mod contours;
mod curvature;
mod damage;
mod decimate;
mod decode;
mod depth_map;
mod diffusion;
mod durations;
mod edges;
mod equivolume;
mod error;
mod fans;
mod field;
mod fill;
mod groups;
mod intersect;
mod layer_volume;
mod layers;
mod measure;
mod nearest;
mod nets;
mod opinion;
mod order;
mod ordering;
mod pages;
mod posterior;
mod power;
mod predicates;
mod rays;
mod relax;
mod remesh;
mod roots;
mod sample;
mod scatter;
mod section;
mod separate;
mod smooth;
mod solver;
mod strength;
mod subdivide;
mod system;
mod thickness;
mod zorder;

pub use attach::{AttachedRays, RefusedRays, attach_rays};
pub use banks::{WithinBanks, limit_to_banks};
pub use certify::{certify, certify_surfaces};
pub use channels::{DepthSpacing, RayIntensities, channels};
pub use contours::{Contour, Plane, contours};
pub use curvature::{gaussian_curvature, mean_curvature};
pub use damage::mark_damage;
pub use decimate::{DecimateOptions, Decimated, decimate};
pub use decode::{DecodeOptions, decode};
pub use diffusion::Diffusion;
pub use durations::LayerDurations;
pub use edges::unpaired_sides;
pub use equivolume::{equivolumetric_depth, equivolumetric_depths, surfaces_at_depths, vertex_areas_mm2, volume_share};
pub use error::Error;
pub use fill::fill;
pub use layer_volume::{LayerLabels, label_layers, layer_fractions};
pub use layers::{layer_surfaces, thickness_mm};
pub use measure::{Spread, SurfaceMeasures, measure};
pub use nearest::NearestPoint;
pub use nets::{Interfaces, Isosurface, LabelValue, SurfaceNets};
pub use rays::{extended_rays, no_cortex, ribbon_rays};
pub use relax::SurfaceSmoother;
pub use remesh::remesh;
pub use sample::{Brick, RayInterpolation, SampleOptions, sample, sample_bricks, sample_plane, sample_values};
pub use section::{
    NoRay, SectionOptions, SectionRays, SectionSampling, label_spots, part_banks, section_profiles, section_rays,
    spot_pitch_px,
};
pub use separate::{SeparateOptions, Separated, separate_surfaces};
pub use smooth::{SmoothOptions, Smoothed, Smoothing, smooth_boundaries};
pub use subdivide::{subdivide, subdivide_ribbon};
pub use thickness::closest_thickness_mm;

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
