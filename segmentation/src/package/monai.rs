//! Bundles of MONAI (<https://docs.monai.io/en/stable/mb_specification.html>): `configs/metadata.json` says what the network
//! takes and gives, `configs/inference.json` what is done before and after it.

use super::config::Config;
use super::transforms::{Steps, Translator};
use super::translation::Translation;
use super::{Files, Plan};
use crate::manifest::Manifest;
use crate::onnx::Interface;
use crate::source::{MANIFEST, MAX_FILE_BYTES, sha256};
use crate::{Error, Result};
use serde_json::{Map, Value, json};

/// What tells a bundle.
pub(super) const METADATA: [&str; 2] = ["configs/metadata.json", "configs/metadata.yaml"];
const INFERENCE: [&str; 2] = ["configs/inference.json", "configs/inference.yaml"];
const ONNX: &str = "models/model.onnx";
const AXES: [&str; 3] = ["x", "y", "z"];
/// What `SlidingWindowInferer` does unless told.
const OVERLAP: f64 = 0.25;

/// An input or output of `network_data_format`.
pub(super) struct Format {
    pub channels: Vec<String>,
    shape: Vec<Value>,
}

pub(super) fn plan(files: &mut Files, ignore_unknown: bool) -> Result<Plan> {
    if !files.has(ONNX) {
        return Err(Error::Package {
            path: files.path().join(ONNX),
            field: "weights".into(),
            expected: "an ONNX file (`python -m monai.bundle onnx_export` makes it)".into(),
            found: format!("in models: {}", files.within("models").join(", ")),
        });
    }
    let metadata = Config::read(files, &METADATA)?;
    let inference = Config::read(files, &INFERENCE)?;
    let onnx = files.read(ONNX, MAX_FILE_BYTES)?;
    let interface = Interface::read(&onnx, &files.path().join(ONNX).display().to_string())?;
    let input = format(&metadata, "inputs")?;
    let output = format(&metadata, "outputs")?;
    let axes = AXES.get(..input.shape.len()).filter(|axes| axes.len() >= 2);
    let axes =
        axes.ok_or_else(|| metadata.wrong("spatial_shape", "two or three sizes", input.shape.len().to_string()))?;
    if interface.input.rank().is_some_and(|rank| rank != axes.len() + 2) {
        let expected = format!("{} axes, as spatial_shape of its metadata and two more", axes.len() + 2);
        return Err(metadata.wrong(ONNX, expected, interface.input.describe()));
    }
    let translator = Translator {
        config: &inference,
        axes,
        foreground: output.channels.len().saturating_sub(1).max(1),
        ignore_unknown,
        steps: Steps::default(),
    };
    let mut steps = translator.translate()?;
    let windows = Windows::read(&inference, axes.len(), &mut steps)?;
    let mut sizes = Vec::new();
    for (axis, said) in input.shape.iter().enumerate() {
        sizes.push(match (interface.input.size(axis + 2), windows.roi.as_ref().and_then(|roi| roi[axis])) {
            (Some(fixed), _) => json!(fixed),
            (None, Some(roi)) if said.is_number() => json!(roi),
            (None, _) => size(&metadata, said)?,
        });
    }
    let document = Translation {
        metadata: &metadata,
        folder: files.path(),
        input: &input,
        output: &output,
        axes,
        sizes: &sizes,
        windows: &windows,
        steps: &steps,
        weights: json!({
            "source": "model.onnx",
            "sha256": sha256(&onnx),
            // Older than any that the format knows.
            "opset_version": interface.opset.unwrap_or(7),
        }),
    }
    .document();
    let text = super::json(&document);
    let manifest = Manifest::parse(&text, &files.path().join(MANIFEST))?;
    notes(&mut steps, &output, document.get("license").is_some());
    Ok(Plan { manifest, text, sources: vec![("model.onnx".into(), ONNX.into())], notes: steps.notes })
}

/// What a user should know of the translation.
fn notes(steps: &mut Steps, output: &Format, has_license: bool) {
    if steps.activation == Some("sigmoid") && output.channels.len() > 1 {
        steps.notes.push("classes that overlap become one label a voxel, the likeliest".into());
    }
    if !has_license {
        steps.notes.push("the bundle's metadata states no licence".into());
    }
}

/// The one input or output.
fn format(metadata: &Config, kind: &'static str) -> Result<Format> {
    let field = format!("network_data_format.{kind}");
    let tensors = metadata.root.pointer(&format!("/network_data_format/{kind}")).and_then(Value::as_object);
    let count = tensors.map_or(0, Map::len);
    let tensor = tensors.filter(|tensors| tensors.len() == 1).and_then(|tensors| tensors.values().next()?.as_object());
    let tensor = tensor.ok_or_else(|| metadata.wrong(&field, "one image", count.to_string()))?;
    let count = tensor.get("num_channels").and_then(Value::as_u64).filter(|count| (1..=1024).contains(count));
    let count = count
        .ok_or_else(|| metadata.wrong(format!("{field}.num_channels"), "1 to 1024", found(tensor, "num_channels")))?;
    let names = tensor.get("channel_def").and_then(Value::as_object);
    let shape = tensor.get("spatial_shape").and_then(Value::as_array);
    let shape = shape
        .ok_or_else(|| metadata.wrong(format!("{field}.spatial_shape"), "sizes", found(tensor, "spatial_shape")))?;
    let mut channels: Vec<String> = Vec::new();
    for number in 0..count {
        let name = names.and_then(|names| names.get(&number.to_string())).and_then(Value::as_str);
        let mut name = identifier(name.unwrap_or_default());
        if name.is_empty() || channels.contains(&name) {
            name = format!("{name}{}{number}", if name.is_empty() { "channel_" } else { "_" });
        }
        channels.push(name);
    }
    Ok(Format { channels, shape: shape.clone() })
}

fn found(object: &Map<String, Value>, key: &str) -> String {
    object.get(key).map_or("nothing".into(), Value::to_string)
}

/// Names of channels are identifiers in the format of bioimage.io: letters, digits and underscores.
fn identifier(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("_");
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// A number, `*` for any, or a product such as `16*n` or `2**p*n` whose letters stand for 1, 2, 3, ...
fn size(metadata: &Config, said: &Value) -> Result<Value> {
    let wrong = || {
        let expected = "a size above 0, * or a product such as 16*n";
        metadata.wrong("network_data_format.inputs.spatial_shape", expected, said.to_string())
    };
    if let Some(size) = said.as_u64().filter(|&size| size > 0) {
        return Ok(json!(size));
    }
    let text: String = said.as_str().unwrap_or_default().split_whitespace().collect();
    if text == "*" {
        return Ok(json!({ "min": 1, "step": 1 }));
    }
    let number = |word: &str| match word {
        "n" | "p" => Some(1_u32),
        digits => digits.parse().ok(),
    };
    let mut step = 1_u32;
    for factor in text.replace("**", "^").split('*') {
        let (base, power) = factor.split_once('^').unwrap_or((factor, "1"));
        let power = number(base).zip(number(power)).and_then(|(base, power)| base.checked_pow(power));
        step = power.and_then(|power| step.checked_mul(power)).filter(|&step| step > 0).ok_or_else(wrong)?;
    }
    Ok(json!({ "min": step, "step": step }))
}

/// What the inferer of a bundle does.
pub(super) struct Windows {
    /// Sizes, nothing for the whole axis.
    pub roi: Option<Vec<Option<u64>>>,
    pub overlap: f64,
}

impl Windows {
    fn read(inference: &Config, axes: usize, steps: &mut Steps) -> Result<Self> {
        let field = "inferer";
        let inferer = inference.root.get(field).map(|inferer| inference.resolve(inferer, field)).transpose()?;
        let name = inferer.and_then(|inferer| inferer.get("_target_")).and_then(Value::as_str).unwrap_or_default();
        match (name.rsplit('.').next(), inferer.and_then(Value::as_object)) {
            (Some("SlidingWindowInferer" | "SlidingWindowInfererAdapt"), Some(inferer)) => {
                let roi = inference.numbers(inferer, "roi_size", field, axes)?;
                let roi = roi.map(|sizes| {
                    let whole = |size: &f64| (*size >= 1.0 && *size < 1e6).then_some(*size as u64);
                    sizes.iter().map(whole).collect()
                });
                Ok(Self { roi, overlap: inference.number(inferer, "overlap", field)?.unwrap_or(OVERLAP) })
            }
            (Some("SimpleInferer"), _) => {
                steps.notes.push("the bundle runs on whole images, brainmesh on windows of them".into());
                Ok(Self { roi: None, overlap: 0.5 })
            }
            _ => Err(inference.wrong(field, "a SlidingWindowInferer or SimpleInferer", name)),
        }
    }
}
