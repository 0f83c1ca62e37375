use super::SystemArguments;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `segment tissue`.
#[derive(Debug, Clone, Args)]
pub struct SegmentTissue {
    /// T1-weighted scans of human heads, with or without skull: files, or folders of DICOM images.
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// Result, whose ending says the format; or a folder, for INPUT_tissue.nii.gz of each input.
    #[arg(long, short, value_name = "FILE|DIR", help_heading = "Output")]
    pub out: PathBuf,
    /// Ending, and so the format, of results in a folder.
    #[arg(long, value_name = "ENDING", default_value = "nii.gz", help_heading = "Output")]
    pub format: String,
    /// Fluid around the brain and in its sulci is label 1 too, not only that of the ventricles.
    #[arg(long, help_heading = "Output")]
    pub outer_csf: bool,
    /// Write the probabilities of all classes beside each result, as volumes of one file: RESULT_probabilities.
    #[arg(long, help_heading = "Output")]
    pub probabilities: bool,
    /// One of several volumes of the input, from 0.
    #[arg(long, value_name = "N", help_heading = "Input")]
    pub volume: Option<usize>,
    /// SeriesInstanceUID to read from a DICOM folder that holds several.
    #[arg(long, value_name = "UID", help_heading = "Input")]
    pub series: Option<String>,
    /// Mend what is wrong with a DICOM series where that is possible, and say so.
    #[arg(long, help_heading = "Input")]
    pub repair: bool,
    /// Take what does not look like a T1-weighted scan of a head all the same.
    #[arg(long, help_heading = "Input")]
    pub any_image: bool,
    /// Also write a page to look at the result with: RESULT_report.html.
    #[arg(long, help_heading = "Output")]
    pub report: bool,
    /// What all systems take.
    #[command(flatten)]
    pub system: SystemArguments,
}
