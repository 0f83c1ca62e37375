//! `model.json`, in the style of bioimage.io 0.5 (<https://bioimage.io/docs/#/bioimageio_model_spec>) with our own part
//! under `config.brainmesh`. Fields this program does not need are ignored, so that richer manifests stay readable.

use crate::{Error, Polarity, Result};
use brainmesh_core::{Channel, LAYER_COUNT, LAYER_NAMES};
use serde::Deserialize;
use std::path::{Component, Path};

/// How a channel is brought to the scale the network was trained on. See [`normalise`](crate::normalise).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalisation {
    /// Minus the ray's mean, by the ray's standard deviation.
    PerRay,
    /// Minus the data set's median, by 1.4826 times its median absolute deviation.
    Dataset,
    /// Minus `mean`, by `sd`, both fixed when the network was trained.
    Fixed {
        /// Subtracted.
        mean: f64,
        /// Divisor, above 0.
        sd: f64,
    },
}

/// One input channel of a network.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct InputChannel {
    /// What it holds.
    #[serde(flatten)]
    pub channel: Channel,
    /// How it is scaled.
    pub normalisation: Normalisation,
}

/// Which part of a ray the samples cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    /// From outside the pia to within the white matter.
    Extended,
    /// From the given pial to the given white surface.
    PialWhite,
}

/// Share of each layer in cortical thickness, over the training data.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct LayerFractions {
    /// Means of layers I..VI; they sum to about 1.
    pub mean: [f64; LAYER_COUNT],
    /// Standard deviations.
    pub sd: [f64; LAYER_COUNT],
}

/// A file beside the manifest, and its hash.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FileReference {
    /// File name, relative to the manifest.
    pub source: String,
    /// SHA-256 as 64 hexadecimal digits.
    pub sha256: String,
}

/// What a model takes, gives and was made from. Its invariants are checked by [`Manifest::parse`].
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Short name, as in [`Model::named`](crate::Model::named).
    pub name: String,
    /// One or two sentences.
    pub description: String,
    /// Version of the weights.
    pub version: String,
    /// SPDX identifier of the weights' licence.
    pub license: String,
    /// Names of the authors.
    pub authors: Vec<String>,
    /// What to cite.
    pub citations: Vec<String>,
    /// Part of the ray that is sampled.
    pub span: Span,
    /// How far rays reach beyond pia and white surface, in mm; 0 for [`Span::PialWhite`].
    pub extension_mm: f64,
    /// Samples a ray.
    pub samples: usize,
    /// Polarity of the intensities the network was trained on.
    pub polarity: Polarity,
    /// Input channels, in the network's order.
    pub channels: Vec<InputChannel>,
    /// Whether white matter is a class of its own (8 classes, else 7).
    pub has_white_class: bool,
    /// Prior of layer thickness from the training data, where given.
    pub layer_fractions: Option<LayerFractions>,
    /// Exponent on the probabilities for decoding boundaries, from the model's calibration, where given.
    pub evidence: Option<f64>,
    /// The network.
    pub onnx: FileReference,
    /// Input and output of the network for [`Model::verify`](crate::Model::verify), where given.
    pub test_tensors: Option<(FileReference, FileReference)>,
}

impl Manifest {
    /// Reads a manifest; `path` is only named in errors.
    ///
    /// # Errors
    /// [`Error::ManifestSyntax`] or [`Error::Manifest`], both naming the field: a task other than `layers`, classes
    /// other than outside, I..VI and perhaps white, sizes or channels that contradict one another, a file outside the
    /// manifest's folder.
    pub fn parse(json: &[u8], path: &Path) -> Result<Self> {
        let mut json = serde_json::Deserializer::from_slice(json);
        let document: Document = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let field = error.path().to_string();
            Error::ManifestSyntax { path: path.into(), field, source: error.into_inner() }
        })?;
        document.check(&Checker { path })
    }

    /// Number of classes: 7, or 8 with white matter.
    pub fn classes(&self) -> usize {
        LAYER_COUNT + 1 + usize::from(self.has_white_class)
    }
}

#[derive(Deserialize)]
struct Document {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    version: String,
    license: String,
    #[serde(default)]
    authors: Vec<Author>,
    #[serde(default)]
    cite: Vec<Citation>,
    inputs: Vec<Tensor>,
    outputs: Vec<Tensor>,
    weights: Weights,
    config: Config,
}

#[derive(Deserialize)]
struct Author {
    name: String,
}

#[derive(Deserialize)]
struct Citation {
    text: String,
}

#[derive(Deserialize)]
struct Tensor {
    axes: Vec<Axis>,
    test_tensor: Option<FileReference>,
}

#[derive(Deserialize)]
struct Axis {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    #[serde(default)]
    channel_names: Vec<String>,
    /// A number, or in richer manifests an object that describes a range.
    size: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Weights {
    onnx: FileReference,
}

#[derive(Deserialize)]
struct Config {
    brainmesh: Settings,
}

#[derive(Deserialize)]
struct Settings {
    task: String,
    span: Span,
    samples: usize,
    polarity: Polarity,
    channels: Vec<InputChannel>,
    layer_fractions: Option<LayerFractions>,
    #[serde(default)]
    extension_mm: f64,
    decoder: Option<Decoder>,
}

#[derive(Deserialize)]
struct Decoder {
    evidence: Option<f64>,
}

/// Ray lengths beyond this are no cortical rays, and would only ask for memory.
const MAX_SAMPLES: usize = 16_384;
const MAX_CHANNELS: usize = 64;

/// Makes errors that name the manifest.
struct Checker<'a> {
    path: &'a Path,
}

impl Checker<'_> {
    fn require(
        &self,
        holds: bool,
        field: &'static str,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Result<()> {
        if holds {
            return Ok(());
        }
        Err(Error::Manifest { path: self.path.into(), field, expected: expected.into(), found: found.into() })
    }

    fn one<'t>(&self, tensors: &'t [Tensor], field: &'static str) -> Result<&'t Tensor> {
        match tensors {
            [tensor] => Ok(tensor),
            _ => Err(Error::Manifest {
                path: self.path.into(),
                field,
                expected: "one tensor".into(),
                found: tensors.len().to_string(),
            }),
        }
    }

    fn file(&self, file: &FileReference, field: &'static str) -> Result<()> {
        let inside = !file.source.is_empty()
            && Path::new(&file.source).components().all(|part| matches!(part, Component::Normal(_)));
        self.require(inside, field, "a file name inside the model's folder", &file.source)?;
        let is_hash = file.sha256.len() == 64 && file.sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.require(is_hash, field, "a SHA-256 of 64 hexadecimal digits", &file.sha256)
    }
}

impl Document {
    fn check(self, checker: &Checker) -> Result<Manifest> {
        let settings = self.config.brainmesh;
        checker.require(settings.task == "layers", "config.brainmesh.task", "`layers`", &settings.task)?;
        checker.require(
            (2..=MAX_SAMPLES).contains(&settings.samples),
            "config.brainmesh.samples",
            format!("2 to {MAX_SAMPLES}"),
            settings.samples.to_string(),
        )?;
        let count = settings.channels.len();
        checker.require(
            (1..=MAX_CHANNELS).contains(&count),
            "config.brainmesh.channels",
            format!("1 to {MAX_CHANNELS} channels"),
            count.to_string(),
        )?;
        for input in &settings.channels {
            let usable = match input.normalisation {
                Normalisation::Fixed { mean, sd } => mean.is_finite() && sd.is_finite() && sd > 0.0,
                Normalisation::PerRay | Normalisation::Dataset => true,
            };
            let found = format!("{:?}", input.normalisation);
            checker.require(
                usable,
                "config.brainmesh.channels.normalisation",
                "a finite mean and an sd above 0",
                found,
            )?;
        }
        let extension_mm = settings.extension_mm;
        checker.require(
            extension_mm.is_finite() && extension_mm >= 0.0,
            "config.brainmesh.extension_mm",
            "0 or more",
            extension_mm.to_string(),
        )?;
        if let Some(LayerFractions { mean, sd }) = settings.layer_fractions {
            let usable = mean.iter().chain(&sd).all(|value| value.is_finite() && *value >= 0.0);
            let found = format!("mean {mean:?}, sd {sd:?}");
            checker.require(usable, "config.brainmesh.layer_fractions", "finite numbers, 0 or more", found)?;
        }
        let evidence = settings.decoder.and_then(|decoder| decoder.evidence);
        checker.require(
            evidence.is_none_or(|evidence| evidence > 0.0 && evidence <= 1.0),
            "config.brainmesh.decoder.evidence",
            "above 0 and at most 1",
            format!("{evidence:?}"),
        )?;

        let (input, output) = (checker.one(&self.inputs, "inputs")?, checker.one(&self.outputs, "outputs")?);
        let named: usize = input.axes.iter().map(|axis| axis.channel_names.len()).sum();
        let expected = format!("{count} names, as config.brainmesh.channels");
        checker.require(named == count, "inputs.axes.channel_names", expected, named.to_string())?;
        for (tensor, field) in [(input, "inputs.axes.size"), (output, "outputs.axes.size")] {
            let ray_axis = tensor.axes.iter().rfind(|axis| axis.kind == "space" && axis.id.as_deref() != Some("y"));
            if let Some(size) = ray_axis.and_then(|axis| axis.size.as_ref()).and_then(serde_json::Value::as_u64) {
                let expected = format!("{}, as config.brainmesh.samples", settings.samples);
                checker.require(size == settings.samples as u64, field, expected, size.to_string())?;
            }
        }
        let classes: Vec<&str> = output.axes.iter().flat_map(|axis| &axis.channel_names).map(String::as_str).collect();
        let layers_match =
            classes.len() > LAYER_COUNT && classes[0] == "outside" && classes[1..=LAYER_COUNT] == LAYER_NAMES;
        let has_white_class = classes.get(LAYER_COUNT + 1..) == Some(&["white"]);
        checker.require(
            layers_match && (has_white_class || classes.len() == LAYER_COUNT + 1),
            "outputs.axes.channel_names",
            "outside, I, II, III, IV, V, VI and perhaps white",
            classes.join(", "),
        )?;

        checker.file(&self.weights.onnx, "weights.onnx")?;
        let test_tensors = input.test_tensor.clone().zip(output.test_tensor.clone());
        if let Some((test_input, test_output)) = &test_tensors {
            checker.file(test_input, "inputs.test_tensor")?;
            checker.file(test_output, "outputs.test_tensor")?;
        }
        Ok(Manifest {
            name: self.name,
            description: self.description,
            version: self.version,
            license: self.license,
            authors: self.authors.into_iter().map(|author| author.name).collect(),
            citations: self.cite.into_iter().map(|citation| citation.text).collect(),
            span: settings.span,
            extension_mm,
            samples: settings.samples,
            polarity: settings.polarity,
            channels: settings.channels,
            has_white_class,
            layer_fractions: settings.layer_fractions,
            evidence,
            onnx: self.weights.onnx,
            test_tensors,
        })
    }
}
