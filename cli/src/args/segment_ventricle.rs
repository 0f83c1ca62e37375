use super::SystemArguments;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `segment ventricle`.
#[derive(Debug, Clone, Args)]
pub struct SegmentVentricle {
    /// Short-axis cine MR: folders of DICOM images, one patient each, or of PNG pictures; single files are taken together.
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// Folder for a PNG mask (0, 255) of each picture under its name, contours, areas and volumes.
    #[arg(long, short, value_name = "DIR", help_heading = "Output")]
    pub out: PathBuf,
    /// Contour text files for PNG pictures too.
    #[arg(long, help_heading = "Output")]
    pub contours: bool,
    /// Pictures with their contours, and a sheet of all.
    #[arg(long, help_heading = "Output")]
    pub overlays: bool,
    /// SeriesInstanceUID to read, of folders that hold others too; may be given several times.
    #[arg(long, value_name = "UID", help_heading = "Input")]
    pub series: Vec<String>,
    /// Distance of pixels where a picture does not say it.
    #[arg(long, value_name = "MM", help_heading = "Input")]
    pub spacing_mm: Option<f64>,
    /// The two phases of each slice are end-diastole and end-systole, so that they give an ejection fraction.
    #[arg(long, help_heading = "Input")]
    pub two_phases: bool,
    /// Also write a page to look at the result with: report.html.
    #[arg(long, help_heading = "Output")]
    pub report: bool,
    /// What all systems take.
    #[command(flatten)]
    pub system: SystemArguments,
}
