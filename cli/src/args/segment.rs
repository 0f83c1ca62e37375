use super::{EngineArguments, SegmentMembrane, SegmentSections, SegmentTissue, SegmentVentricle};
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};
use std::path::PathBuf;

/// Arguments of `segment`: a system by its word, or else a model.
#[derive(Debug)]
pub enum SegmentArguments {
    /// Any model of images.
    Model(Box<SegmentCommand>),
    /// A system that does more than its model.
    System(SegmentSystem),
}

/// Systems: words that come first among the arguments. A model of such a name is reached by `--model`, or as a folder
/// (`./membrane`).
#[derive(Debug, Subcommand)]
pub enum SegmentSystem {
    /// Cell interiors in electron micrographs: their probability, and each slice's cells.
    Membrane(Box<SegmentMembrane>),
    /// The left ventricle in short-axis cine MR: masks, contours, areas, volumes and ejection fraction.
    Ventricle(Box<SegmentVentricle>),
    /// Fluid, grey and white matter of T1-weighted scans of the head.
    Tissue(Box<SegmentTissue>),
    /// Brain sections on wafers: place, outline and angle of tissue and magnet parts.
    Sections(Box<SegmentSections>),
}

impl FromArgMatches for SegmentArguments {
    fn from_arg_matches(matches: &ArgMatches) -> clap::error::Result<Self> {
        Ok(match matches.subcommand_name() {
            Some(_) => Self::System(SegmentSystem::from_arg_matches(matches)?),
            None => Self::Model(Box::new(SegmentCommand::from_arg_matches(matches)?)),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> clap::error::Result<()> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// By hand, since clap derives no arguments that a subcommand replaces unless each may be missing.
impl Args for SegmentArguments {
    fn augment_args(command: Command) -> Command {
        SegmentSystem::augment_subcommands(SegmentCommand::augment_args(command))
            .args_conflicts_with_subcommands(true)
            .subcommand_negates_reqs(true)
            .disable_help_subcommand(true)
            .subcommand_help_heading("Systems, with options of their own")
            .subcommand_value_name("SYSTEM")
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// What all systems take beside their inputs.
#[derive(Debug, Clone, Args)]
pub struct SystemArguments {
    /// Replace results that exist.
    #[arg(long, help_heading = "Output", conflicts_with = "skip_existing")]
    pub force: bool,
    /// Leave out inputs whose result exists: goes on where a run was stopped.
    #[arg(long, help_heading = "Output")]
    pub skip_existing: bool,
    /// Go on with the next input where one fails; the exit code then is that of the first failure.
    #[arg(long, help_heading = "Input")]
    pub keep_going: bool,
    /// Another model than the one of the system's name: a name, or a folder with rdf.yaml.
    #[arg(long, value_name = "NAME|DIR", help_heading = "Model")]
    pub model: Option<String>,
    /// What runs the model.
    #[command(flatten)]
    pub engine: EngineArguments,
    /// Print JSON.
    #[arg(long, help_heading = "General")]
    pub json: bool,
}

/// Arguments of `segment` with a model.
#[derive(Debug, Clone, Args)]
pub struct SegmentCommand {
    /// Model: a name, or a folder with rdf.yaml.
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// Volumes (files, or folders of DICOM images or slices). Several channels are the volumes of one file.
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// Result, whose ending says the format; or a folder, for INPUT_MODEL.nii.gz of each input.
    #[arg(long, short, value_name = "FILE|DIR", help_heading = "Output")]
    pub out: PathBuf,
    /// labels, or `probability:CLASS` (float32). Default: what the model is for.
    #[arg(long, value_name = "WHAT", help_heading = "Output")]
    pub output: Option<String>,
    /// Ending, and so the format, of results in a folder.
    #[arg(long, value_name = "ENDING", default_value = "nii.gz", help_heading = "Output")]
    pub format: String,
    /// Replace results that exist.
    #[arg(long, help_heading = "Output", conflicts_with = "skip_existing")]
    pub force: bool,
    /// Leave out inputs whose result exists: goes on where a run was stopped.
    #[arg(long, help_heading = "Output")]
    pub skip_existing: bool,
    /// One of several volumes of the input, from 0.
    #[arg(long, value_name = "N", help_heading = "Input")]
    pub volume: Option<usize>,
    /// SeriesInstanceUID to read from a DICOM folder that holds several.
    #[arg(long, value_name = "UID", help_heading = "Input")]
    pub series: Option<String>,
    /// Mend what is wrong with a DICOM series where that is possible, and say so.
    #[arg(long, help_heading = "Input")]
    pub repair: bool,
    /// Go on with the next input where one fails; the exit code then is that of the first failure.
    #[arg(long, help_heading = "Input")]
    pub keep_going: bool,
    /// What runs the model.
    #[command(flatten)]
    pub engine: EngineArguments,
    /// Whether mirrored inputs are segmented too and all averaged: better, and 2 to 8 times slower.
    #[arg(long, value_name = "BOOL", help_heading = "Model")]
    pub flips: Option<bool>,
    /// Share of a window that the next one covers again.
    #[arg(long, value_name = "0..0.9", help_heading = "Model")]
    pub overlap: Option<f64>,
    /// Voxels the network is given at a time, in the order of its axes.
    #[arg(long, value_name = "N,N[,N]", value_delimiter = ',', num_args = 1, help_heading = "Model")]
    pub window: Vec<usize>,
    /// Print one JSON object an input.
    #[arg(long, help_heading = "General")]
    pub json: bool,
    /// Check everything and print what would be done and the memory it takes.
    #[arg(long, help_heading = "General")]
    pub dry_run: bool,
}
