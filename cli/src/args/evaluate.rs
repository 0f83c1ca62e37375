use super::{EvaluateMembrane, EvaluateSection, EvaluateSections, EvaluateTissue, EvaluateVentricle};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What to evaluate.
#[derive(Debug, Subcommand)]
pub enum EvaluateCommand {
    /// Layer boundaries: a result folder against a truth, or a model against labelled rays.
    Layers(EvaluateLayers),
    /// A model on a section whose layers are drawn, from picture and labels to a results file.
    Section(Box<EvaluateSection>),
    /// Cells between membranes: probabilities against labels (V_rand, V_info, pixel, Rand and warping error).
    Membrane(EvaluateMembrane),
    /// The left ventricle: masks or contours against those of an expert (distance, Dice, good contours).
    Ventricle(EvaluateVentricle),
    /// Grey and white matter and fluid: label volumes against each other (accuracy, Dice, Jaccard).
    Tissue(EvaluateTissue),
    /// Sections on a wafer: outlines against true ones (mAP, recall, centres, angles, doubles, merges, pairs).
    Sections(EvaluateSections),
}

/// Arguments of `evaluate layers`.
#[derive(Debug, Clone, Args)]
pub struct EvaluateLayers {
    /// Folder written by rays2surface.
    #[arg(long, value_name = "DIR", required_unless_present = "rays")]
    pub result: Option<PathBuf>,
    /// True boundary points on the rays (truth/points.npz of `brainmesh phantom`). Compares millimetres.
    #[arg(long, value_name = "FILE", group = "truth")]
    pub truth_points: Option<PathBuf>,
    /// True labels as a volume (0 outside, 1 to 6 layers, 7 or 0 white matter), read along the rays. Compares millimetres.
    #[arg(long, value_name = "FILE", group = "truth")]
    pub truth_labels: Option<PathBuf>,
    /// True thickness of layers I..VI in mm: [vertices, 6] as .npy or shape GIFTI. Compares fractions of the ribbon.
    #[arg(long, value_name = "FILE", group = "truth")]
    pub truth_thickness: Option<PathBuf>,
    /// Regions (label GIFTI, 0 = none): scores of each, and correlations of their means.
    #[arg(long, value_name = "FILE", requires = "result")]
    pub parcels: Option<PathBuf>,
    /// Score only these vertices.
    #[arg(long, value_name = "FILE", requires = "result")]
    pub mask: Option<PathBuf>,
    /// Labelled rays (.npz of `brainmesh phantom --rays`, one a volume): runs the model on them.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["result", "truth"], num_args = 1..)]
    pub rays: Vec<PathBuf>,
    /// Model for --rays: a name of `brainmesh models list` or a folder.
    #[arg(long, value_name = "NAME|DIR", requires = "rays")]
    pub model: Option<String>,
    /// A ray is damaged where its truth says that at least so much tissue is missing on it.
    #[arg(long, value_name = "MM", default_value_t = 0.1)]
    pub damaged_mm: f64,
    /// Machine-readable: every figure, all regions.
    #[arg(long)]
    pub json: bool,
}
