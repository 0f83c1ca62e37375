use super::SystemArguments;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `segment membrane`.
#[derive(Debug, Clone, Args)]
pub struct SegmentMembrane {
    /// Stacks and pictures: TIFF of any number of pages, PNG, folders of pages in the order of their numbers, or any volume.
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// Result, whose ending says the format (float32, a page for each slice); or a folder, for INPUT_membrane.tif of each input.
    #[arg(long, short, value_name = "FILE|DIR", help_heading = "Output")]
    pub out: PathBuf,
    /// Whether mirrored slices are segmented too and all averaged: better, and 4 times slower.
    #[arg(long, value_name = "BOOL", help_heading = "Model")]
    pub flips: Option<bool>,
    /// What all systems take.
    #[command(flatten)]
    pub system: SystemArguments,
}
