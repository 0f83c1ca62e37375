use super::SystemArguments;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `segment membrane`.
#[derive(Debug, Clone, Args)]
pub struct SegmentMembrane {
    /// Stacks and pictures: TIFF of any number of pages, PNG, folders of pages in the order of their names, or any volume.
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// Result, whose ending says the format (float32, a page for each slice); or a folder, for INPUT_membrane.tif of each input.
    #[arg(long, short, value_name = "FILE|DIR", help_heading = "Output")]
    pub out: PathBuf,
    /// Number the cells of each slice too: into this file, or one named after the result (prob.tif: prob_cells.tif).
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, help_heading = "Output")]
    pub instances: Option<Option<PathBuf>>,
    /// Leave membranes 0 among the cells; otherwise cells grow until they touch.
    #[arg(long, help_heading = "Output", requires = "instances")]
    pub keep_borders: bool,
    /// Probability above which a pixel is inside a cell.
    #[arg(long, value_name = "0..1", default_value_t = 0.5, help_heading = "Output")]
    pub threshold: f32,
    /// Ending, and so the format, of results in a folder.
    #[arg(long, value_name = "ENDING", default_value = "tif", help_heading = "Output")]
    pub format: String,
    /// Size of a pixel, whatever the input says; as the network's where neither does.
    #[arg(long, value_name = "NM", help_heading = "Input")]
    pub pixel_nm: Option<f64>,
    /// One of several channels, from 0.
    #[arg(long, value_name = "N", help_heading = "Input")]
    pub channel: Option<usize>,
    /// Whether mirrored slices are segmented too and all averaged: better, and 4 times slower. Default: as the model says.
    #[arg(long, value_name = "BOOL", help_heading = "Model")]
    pub flips: Option<bool>,
    /// Also write a page to look at the result with: RESULT_report.html.
    #[arg(long, help_heading = "Output")]
    pub report: bool,
    /// What all systems take.
    #[command(flatten)]
    pub system: SystemArguments,
}
