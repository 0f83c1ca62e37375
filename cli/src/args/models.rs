//! Arguments of `models`.

use super::EngineArguments;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What to do with models.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// The models there are: those that ship with brainmesh and those that were added.
    List(ListModels),
    /// What a model takes, gives, and was made from.
    Show(ShowModel),
    /// Compare what a device gives with what the makers of the models got.
    Verify(VerifyModels),
    /// Add a model: a folder or ZIP archive with rdf.yaml (bioimage.io), or a MONAI bundle with models/model.onnx.
    Add(AddModel),
    /// Remove a model that was added.
    Remove(RemoveModel),
}

/// Arguments of `models list`.
#[derive(Debug, Clone, Args)]
pub struct ListModels {
    /// Machine-readable.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `models show`.
#[derive(Debug, Clone, Args)]
pub struct ShowModel {
    /// Name, or a folder with rdf.yaml.
    #[arg(value_name = "NAME|DIR")]
    pub model: String,
    /// Machine-readable.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `models verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyModels {
    /// Names or folders. Default: all models there are.
    #[arg(value_name = "NAME|DIR")]
    pub models: Vec<String>,
    /// Where to run.
    #[command(flatten)]
    pub engine: EngineArguments,
    /// Machine-readable.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `models add`.
#[derive(Debug, Clone, Args)]
pub struct AddModel {
    /// Folder or ZIP archive.
    #[arg(value_name = "DIR|ZIP")]
    pub package: PathBuf,
    /// Name to add it under. Default: from its manifest.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Replace the model of this name.
    #[arg(long)]
    pub force: bool,
    /// Of a MONAI bundle: leave out steps that brainmesh does not know. Results will differ from the bundle's.
    #[arg(long)]
    pub ignore_unknown: bool,
    /// Where to try it.
    #[command(flatten)]
    pub engine: EngineArguments,
}

/// Arguments of `models remove`.
#[derive(Debug, Clone, Args)]
pub struct RemoveModel {
    /// Name, as in the list.
    pub name: String,
}
