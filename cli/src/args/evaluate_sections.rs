use clap::Args;
use std::path::PathBuf;

/// Arguments of `evaluate sections`.
#[derive(Debug, Clone, Args)]
pub struct EvaluateSections {
    /// What was found and its truth, one pair a picture: GeoJSON or .magc of `segment sections`; truth.json of
    /// `make-wafer`, .magc, GeoJSON, or corners x,y as text (a section a line; a folder with source_sections_tissue.txt and
    /// source_sections_mag.txt).
    #[arg(value_names = ["FOUND", "TRUTH"], num_args = 2.., required = true, help_heading = "Input")]
    pub files: Vec<PathBuf>,
    /// The truth was drawn on a picture of another size: pixels of FOUND for one of its own (0.3333 where the picture was
    /// made a third as wide).
    #[arg(long, value_name = "F", default_value_t = 1.0, help_heading = "Input")]
    pub scale: f64,
    /// Parts that are less certain count in the average precision alone.
    #[arg(long, value_name = "CONFIDENCE", default_value_t = 0.5, help_heading = "Input")]
    pub least: f64,
    /// Machine-readable: every figure of every picture.
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Also write the JSON into this file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
}
