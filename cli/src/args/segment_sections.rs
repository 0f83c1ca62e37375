use super::EngineArguments;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `segment sections`.
#[derive(Debug, Clone, Args)]
pub struct SegmentSections {
    /// Picture of the wafer in reflected light, of any size: TIFF (BigTIFF, strips, tiles), PNG, OME-Zarr.
    #[arg(value_name = "IMAGE")]
    pub image: PathBuf,
    /// Picture of the same pixels in the fluorescence of the magnet parts.
    #[arg(long, value_name = "IMAGE2", help_heading = "Input")]
    pub fluorescence: Option<PathBuf>,
    /// One of several channels of the picture, from 0.
    #[arg(long, value_name = "N", help_heading = "Input")]
    pub channel: Option<usize>,
    /// The channel of the fluorescence; without --fluorescence, of the picture itself.
    #[arg(long, value_name = "N", help_heading = "Input")]
    pub fluorescence_channel: Option<usize>,
    /// One of several slices or pages, from 0.
    #[arg(long, value_name = "N", help_heading = "Input")]
    pub slice: Option<usize>,
    /// Reduce the picture so many times (1 or more) for the network, which knows tissue of 60 to 195 pixels length.
    #[arg(long, value_name = "F", default_value_t = 1.0, help_heading = "Input")]
    pub scale: f64,
    /// Sections as MagFinder reads them (.magc), in pixels of the picture.
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub out: PathBuf,
    /// Outlines as polygons (GeoJSON) in pixels, y down, whole at the middle of a pixel.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub geojson: Option<PathBuf>,
    /// A line for each part: place, angle, area, corners, confidence, partner.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub csv: Option<PathBuf>,
    /// Reduced picture with outlines and numbers (.png).
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub preview: Option<PathBuf>,
    /// Least confidence of a section (of the surer of its parts).
    #[arg(long, value_name = "0..1", default_value_t = 0.5, help_heading = "Output")]
    pub min_confidence: f64,
    /// Replace results that exist.
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// Go on where a run of the same pictures, model and settings was stopped (FILE.part keeps what it found).
    #[arg(long, help_heading = "Output")]
    pub resume: bool,
    /// Another model: a name, or a folder with rdf.yaml.
    #[arg(long, value_name = "NAME|DIR", default_value = "sections", help_heading = "Model")]
    pub model: String,
    /// Pixels along a side of what goes through the network at once, beside its margin: less takes less memory. A Mask R-CNN has tiles of its own.
    #[arg(long, value_name = "PX", default_value_t = 2048, value_parser = clap::value_parser!(u32).range(64..=16384), help_heading = "Model")]
    pub tile: u32,
    /// What runs the model.
    #[command(flatten)]
    pub engine: EngineArguments,
    /// Print JSON.
    #[arg(long, help_heading = "General")]
    pub json: bool,
}
