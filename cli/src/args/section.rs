//! Arguments of `rays` and `evaluate section`.

use super::{EngineArguments, PolarityArg};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// A section, its layers, and how rays are laid through it.
#[derive(Debug, Clone, Args)]
pub struct SectionInputs {
    /// Picture of the section (PNG, TIFF or any volume of one plane; grey or red-green-blue).
    #[arg(long, value_name = "IMAGE", help_heading = "Section")]
    pub from_section: PathBuf,
    /// Label image of the same size: 0 outside, 1 to 6 layers I to VI, 7 (or 0) white matter. Layers may be missing.
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Section",
        conflicts_with = "spots",
        required_unless_present = "spots"
    )]
    pub labels: Option<PathBuf>,
    /// Layers at points instead of an image: positions of Space Ranger, or a table with a header x, y, layer.
    #[arg(long, value_name = "FILE", help_heading = "Section")]
    pub spots: Option<PathBuf>,
    /// Table of the points' layers: barcode, section, layer, or barcode, layer.
    #[arg(long, value_name = "FILE", help_heading = "Section", requires = "spots")]
    pub spot_labels: Option<PathBuf>,
    /// Which section of that table.
    #[arg(long, value_name = "NAME", help_heading = "Section", requires = "spot_labels")]
    pub section: Option<String>,
    /// Pixels of the picture for one pixel of the positions: a number, or Space Ranger's scalefactors_json.json.
    #[arg(long, value_name = "SCALE|FILE", help_heading = "Section", requires = "spots")]
    pub spot_scale: Option<String>,
    /// Distance of neighbouring points, from which the size of a pixel follows.
    #[arg(long, value_name = "UM", default_value_t = 100.0, help_heading = "Section")]
    pub spot_pitch_um: f64,
    /// A pixel further than this from all points has no label. Default: the pitch.
    #[arg(long, value_name = "UM", help_heading = "Section", requires = "spots")]
    pub spot_reach_um: Option<f64>,
    /// Size of a pixel, or `unknown`: then the median ray from pia to white is taken as --depth-mm. Default: from the
    /// spots, or as the file says.
    #[arg(long, value_name = "UM|unknown", help_heading = "Section")]
    pub pixel_um: Option<String>,
    /// Depth of the cortex where the size of a pixel is unknown (2.67 mm: mean of von Economo's areas).
    #[arg(long, value_name = "MM", default_value_t = 2.67, help_heading = "Section")]
    pub depth_mm: f64,
    /// What is taken of a coloured picture.
    #[arg(long, value_enum, default_value_t, help_heading = "Section")]
    pub grey: GreyArg,
    /// Distance of neighbouring rays half way between pia and white.
    #[arg(long, value_name = "UM", default_value_t = 50.0, help_heading = "Rays")]
    pub every_um: f64,
    /// Each sample is the mean over a square of this size, like the voxels a model was trained on.
    #[arg(long, value_name = "UM", default_value_t = 20.0, help_heading = "Rays")]
    pub voxel_um: f64,
    /// Picture of the section with its rays and boundaries (PNG).
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub preview: Option<PathBuf>,
}

/// Grey values of a coloured picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum GreyArg {
    /// .2126 red + .7152 green + .0722 blue (Rec. 709), of the stored values.
    #[default]
    Luminance,
    /// The red plane: dark where haematoxylin is, hardly touched by eosin.
    Red,
    /// The green plane.
    Green,
    /// The blue plane.
    Blue,
}

/// Arguments of `rays`.
#[derive(Debug, Clone, Args)]
pub struct RaysCommand {
    /// The section.
    #[command(flatten)]
    pub inputs: SectionInputs,
    /// Length of the rays outside the pia and below the white boundary.
    #[arg(long, value_name = "MM", default_value_t = 0.5, help_heading = "Rays")]
    pub extension_mm: f64,
    /// Samples a ray.
    #[arg(long, value_name = "N", default_value_t = 200, help_heading = "Rays", value_parser = clap::value_parser!(u16).range(2..=4096))]
    pub samples: u16,
    /// Channels, comma-separated: raw, smoothed:MM, depth, `thickness[:MM]`.
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "raw,smoothed:0.163,smoothed:1,smoothed:2,depth",
        help_heading = "Rays"
    )]
    pub channels: Vec<String>,
    /// Labelled rays (.npz) as `evaluate layers --rays` and training read them.
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub out: PathBuf,
}

/// Arguments of `evaluate section`.
#[derive(Debug, Clone, Args)]
pub struct EvaluateSection {
    /// The section.
    #[command(flatten)]
    pub inputs: SectionInputs,
    /// Model: a name of `brainmesh models list` or a folder.
    #[arg(long, value_name = "NAME|DIR", default_value = "cortical-layers", help_heading = "Model")]
    pub model: String,
    /// Dense cell layers are dark (Nissl, H&E) or bright.
    #[arg(long, value_enum, default_value_t, help_heading = "Section")]
    pub polarity: PolarityArg,
    /// What runs the model.
    #[command(flatten)]
    pub engine: EngineArguments,
    /// Results (JSON).
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub out: PathBuf,
}
