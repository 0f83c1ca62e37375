//! What a manifest holds, as it is written.

use super::FileReference;
use super::image::{Interpolation, Locator};
use super::rays::{InputChannel, LayerFractions, Span};
use crate::{NearCentre, Polarity};
use brainmesh_core::BOUNDARY_COUNT;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(super) struct Document {
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub version: String,
    #[serde(default)]
    pub license: String,
    #[serde(default)]
    pub authors: Vec<Author>,
    #[serde(default)]
    pub cite: Vec<Citation>,
    pub inputs: Vec<Tensor>,
    pub outputs: Vec<Tensor>,
    pub weights: Weights,
    #[serde(default)]
    pub config: Config,
}

#[derive(Deserialize)]
pub(super) struct Author {
    pub name: String,
}

#[derive(Deserialize)]
pub(super) struct Citation {
    pub text: String,
}

#[derive(Deserialize)]
pub(super) struct Tensor {
    pub axes: Vec<Axis>,
    pub test_tensor: Option<FileReference>,
    #[serde(default)]
    pub preprocessing: Vec<Step>,
    #[serde(default)]
    pub postprocessing: Vec<Step>,
}

impl Tensor {
    pub fn channel_names(&self) -> impl Iterator<Item = &str> {
        self.axes.iter().flat_map(|axis| &axis.channel_names).map(String::as_str)
    }
}

#[derive(Deserialize)]
pub(super) struct Axis {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: Option<String>,
    #[serde(default)]
    pub channel_names: Vec<String>,
    /// A number, or an object that describes a range or names another axis.
    pub size: Option<Value>,
    pub scale: Option<f64>,
    pub unit: Option<String>,
    #[serde(default)]
    pub halo: usize,
}

/// A processing step of bioimage.io: <https://bioimage.io/docs/#/bioimageio_preprocessing_spec>.
#[derive(Deserialize)]
pub(super) struct Step {
    pub id: String,
    #[serde(default)]
    pub kwargs: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
pub(super) struct Weights {
    pub onnx: Option<FileReference>,
    #[serde(flatten)]
    pub others: serde_json::Map<String, Value>,
}

/// Our own part. A model without one is a segmentation that bioimage.io describes in full.
#[derive(Deserialize, Default)]
pub(super) struct Config {
    pub brainmesh: Option<serde_json::Map<String, Value>>,
}

#[derive(Deserialize)]
pub(super) struct RayDocument {
    pub span: Span,
    pub samples: usize,
    pub polarity: Polarity,
    pub channels: Vec<InputChannel>,
    pub layer_fractions: Option<LayerFractions>,
    #[serde(default)]
    pub extension_mm: f64,
    pub decoder: Option<Decoder>,
}

#[derive(Deserialize, Default)]
pub(super) struct Decoder {
    pub evidence: Option<f64>,
    pub sd_scale: Option<[f64; BOUNDARY_COUNT]>,
    pub smoothed_sd_scale: Option<[f64; BOUNDARY_COUNT]>,
    #[serde(default)]
    pub durations: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct ImageDocument {
    pub orientation: Option<String>,
    #[serde(default)]
    pub interpolation: Interpolation,
    #[serde(default)]
    pub fit: bool,
    pub window: Option<Vec<usize>>,
    pub overlap: Option<f64>,
    #[serde(default)]
    pub flips: Vec<String>,
    #[serde(default)]
    pub views: Vec<String>,
    #[serde(default)]
    pub nonzero: bool,
    pub output: Option<String>,
    pub threshold: Option<f32>,
    #[serde(default)]
    pub labels: Vec<LabelDocument>,
    #[serde(default)]
    pub largest_component: bool,
    #[serde(default)]
    pub fill_holes: bool,
    pub component: Option<NearCentre>,
    pub refine: Option<RefineDocument>,
    pub locator: Option<Locator>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefineDocument {
    /// Names of classes.
    pub classes: Vec<String>,
    pub prior: Option<f32>,
    pub reach: Option<f64>,
    pub rounds: Option<usize>,
}

#[derive(Deserialize)]
pub(super) struct LabelDocument {
    /// Name of the class, as in the output's `channel_names`.
    pub class: String,
    pub value: i32,
    pub color: Option<[u8; 3]>,
}
