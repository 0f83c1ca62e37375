//! Arguments of `evaluate membrane`, `evaluate ventricle` and `evaluate tissue`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Arguments of `evaluate membrane`.
#[derive(Debug, Clone, Args)]
pub struct EvaluateMembrane {
    /// Probability of cell interior: a stack (TIFF or any volume, one slice a page) or a folder of PNG or TIFF pictures.
    /// Whole numbers are divided by the largest of their type, half of which some must reach; a mask of 0 and 1 stays what it is.
    #[arg(long, value_name = "FILE|DIR", help_heading = "Input")]
    pub found: PathBuf,
    /// True cells in as many slices: 0 on membranes, one other value inside.
    #[arg(long, value_name = "FILE|DIR", help_heading = "Input")]
    pub truth: PathBuf,
    /// The truth holds numbers of cells (0 on membranes, if any) instead of one value.
    #[arg(long, help_heading = "Input")]
    pub truth_instances: bool,
    /// The sections themselves, for --pictures. Without them the probability is drawn.
    #[arg(long, value_name = "FILE|DIR", help_heading = "Output", requires = "pictures")]
    pub images: Option<PathBuf>,
    /// Where scores go.
    #[command(flatten)]
    pub output: EvaluationOutput,
}

/// Arguments of `evaluate ventricle`.
#[derive(Debug, Clone, Args)]
pub struct EvaluateVentricle {
    /// Folder with masks (PNG, 0 is outside) or contour text files of frames, also in folders below.
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    pub found: PathBuf,
    /// Folder with the true masks or contours. Frames that are found but have no truth are left out.
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    pub truth: PathBuf,
    /// Which contour files count. Masks do not say whose outline they have: with `outer` they count only in a folder without
    /// contour files.
    #[arg(long, value_enum, default_value_t, help_heading = "Input")]
    pub contour: ContourArg,
    /// What becomes of a frame that has a truth and nothing found.
    #[arg(long, value_enum, default_value_t, help_heading = "Input")]
    pub missing: MissingArg,
    /// Table (CSV, two columns) of frames or folders and the patients they belong to. Default: what stands before `-IM-`
    /// in a name, or the folder.
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub patients: Option<PathBuf>,
    /// Both folders (and --dicom) hold a single patient, whatever it is called.
    #[arg(long, help_heading = "Input")]
    pub one_patient: bool,
    /// DICOM files of the frames, for the size of their pixels; masks must have as many rows and columns.
    #[arg(long, value_name = "DIR", help_heading = "Input", conflicts_with = "spacing_mm")]
    pub dicom: Option<PathBuf>,
    /// Distance of rows and of columns (or one number for both). Without it and --dicom 1.3671875 mm is taken.
    #[arg(long, value_name = "MM[,MM]", value_delimiter = ',', num_args = 1..=2, help_heading = "Input")]
    pub spacing_mm: Vec<f64>,
    /// The frames themselves (PNG, named as their masks), for --pictures. Default: those of --dicom.
    #[arg(long, value_name = "DIR", help_heading = "Output", requires = "pictures")]
    pub images: Option<PathBuf>,
    /// Where scores go.
    #[command(flatten)]
    pub output: EvaluationOutput,
}

/// Contours of a heart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ContourArg {
    /// Endocardium (icontour).
    #[default]
    Inner,
    /// Epicardium (ocontour).
    Outer,
}

/// Frames that have a truth and nothing found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum MissingArg {
    /// An error that names them.
    #[default]
    Error,
    /// Nothing was found there: Dice 0, not good.
    Empty,
    /// They are left out, and counted.
    Skip,
}

/// Arguments of `evaluate tissue`.
#[derive(Debug, Clone, Args)]
pub struct EvaluateTissue {
    /// Labels found (0 background, 1 fluid, 2 grey, 3 white matter): files, or one folder.
    #[arg(long, value_name = "FILE|DIR", num_args = 1.., required = true, help_heading = "Input")]
    pub found: Vec<PathBuf>,
    /// True labels of each: files in the same order, or a folder with files of the same names.
    #[arg(long, value_name = "FILE|DIR", num_args = 1.., required = true, help_heading = "Input")]
    pub truth: Vec<PathBuf>,
    /// What the numbers of the truth mean.
    #[arg(long, value_enum, default_value_t, help_heading = "Input")]
    pub truth_labels: TissueLabelsArg,
    /// Read the labels found at the voxels of the truth (nearest) where grids differ by more than the order of their axes.
    #[arg(long, help_heading = "Input")]
    pub resample: bool,
    /// The scans themselves on the grids of the truth, in the same order as --found, for --pictures.
    #[arg(long, value_name = "FILE", num_args = 1.., help_heading = "Output", requires = "pictures")]
    pub images: Vec<PathBuf>,
    /// Where scores go.
    #[command(flatten)]
    pub output: EvaluationOutput,
}

/// Numbers of tissue labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum TissueLabelsArg {
    /// 0 background, 1 fluid of the ventricles, 2 grey matter, 3 white matter.
    #[default]
    Brainmesh,
    /// Those of FreeSurfer (aseg, aparc+aseg), put together to the same classes.
    Freesurfer,
}

/// Where scores go.
#[derive(Debug, Clone, Args)]
pub struct EvaluationOutput {
    /// Machine-readable: every figure of every case.
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Also write the JSON into this file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Draw the worst, the median and the best case into this folder: image, and outlines of truth (blue) and result (orange).
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub pictures: Option<PathBuf>,
}
