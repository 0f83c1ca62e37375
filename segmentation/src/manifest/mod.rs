//! `rdf.yaml` in the form of bioimage.io 0.5 (<https://github.com/bioimage-io/spec-bioimage-io>) with our own part under
//! `config.brainmesh`. JSON is YAML, so that a manifest may be either. Fields this program does not need are ignored.

mod document;
mod image;
mod mask_rcnn;
mod processing;
mod rays;
mod refinement;
mod sections;

pub use image::{AxisSize, ImageAxis, ImageOutput, ImageTask, Interpolation, Locator};
pub use mask_rcnn::{DetectionSettings, MaskRcnnSettings, MaskRcnnTask, ProposalSettings, RegionSettings};
pub use processing::{Activation, Preprocessing, Scope};
pub use rays::{InputChannel, LayerFractions, Normalisation, RayTask, Span};
pub use refinement::Refinement;
pub(crate) use sections::ANSWERS;
pub use sections::SectionsTask;

use crate::{Error, Result};
use document::{Document, Tensor};
use serde::Deserialize;
use std::path::{Component, Path};

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
    /// SPDX identifier of the weights' licence; empty where none is stated.
    pub license: String,
    /// Names of the authors.
    pub authors: Vec<String>,
    /// What to cite.
    pub citations: Vec<String>,
    /// What the network does.
    pub task: Task,
    /// The network.
    pub onnx: FileReference,
    /// Input and output of the network for [`Model::verify`](crate::Model::verify), where given.
    pub test_tensors: Option<(FileReference, FileReference)>,
    /// Largest difference from the test output that counts as the same, as [`Model::verify`](crate::Model::verify)
    /// measures it.
    pub tolerance: f64,
}

/// bioimage.io's own: <https://github.com/bioimage-io/spec-bioimage-io>, `ReproducibilityTolerance`.
const TOLERANCE: f64 = 1e-3;
/// Format versions of manifests.
const FORMAT: &str = "0.5";

/// What a network does.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// Names the layers along rays.
    Rays(Box<RayTask>),
    /// Segments images or volumes.
    Image(Box<ImageTask>),
    /// Finds brain sections on wafers.
    Sections(Box<SectionsTask>),
    /// Finds brain sections on wafers by boxes and masks.
    MaskRcnn(Box<MaskRcnnTask>),
}

impl Manifest {
    /// Reads a manifest; `path` is only named in errors.
    ///
    /// # Errors
    /// [`Error::ManifestSyntax`] or [`Error::Manifest`], both naming the field: an unknown task, layers with classes
    /// other than outside, I..VI and perhaps white, sizes or channels that contradict one another, a file outside the
    /// manifest's folder.
    pub fn parse(yaml: &[u8], path: &Path) -> Result<Self> {
        let checker = Checker { path };
        let document: Document = checker.typed(read(yaml, path)?, "")?;
        document.check(&checker)
    }

    /// Every file that it names.
    pub fn files(&self) -> impl Iterator<Item = &FileReference> {
        let others = match &self.task {
            Task::Image(task) => [task.locator.as_ref().map(|locator| &locator.onnx), None],
            Task::MaskRcnn(task) => [Some(&task.boxes), Some(&task.masks)],
            Task::Rays(_) | Task::Sections(_) => [None, None],
        };
        let tensors = self.test_tensors.iter().flat_map(|(input, output)| [input, output]);
        std::iter::once(&self.onnx).chain(tensors).chain(others.into_iter().flatten())
    }

    /// The task of a network along rays.
    ///
    /// # Errors
    /// [`Error::Task`] for any other.
    pub fn rays(&self) -> Result<&RayTask> {
        match &self.task {
            Task::Rays(task) => Ok(task),
            Task::Image(_) => Err(self.other_task("a model of layers along rays", IMAGES)),
            Task::Sections(_) | Task::MaskRcnn(_) => Err(self.other_task("a model of layers along rays", SECTIONS)),
        }
    }

    /// The task of a network that segments images or volumes.
    ///
    /// # Errors
    /// [`Error::Task`] for any other.
    pub fn image(&self) -> Result<&ImageTask> {
        match &self.task {
            Task::Image(task) => Ok(task),
            Task::Rays(_) => Err(self.other_task("a model that segments images", RAYS)),
            Task::Sections(_) | Task::MaskRcnn(_) => Err(self.other_task("a model that segments images", SECTIONS)),
        }
    }

    /// The task of a network that finds sections on wafers.
    ///
    /// # Errors
    /// [`Error::Task`] for any other.
    pub fn sections(&self) -> Result<&SectionsTask> {
        match &self.task {
            Task::Sections(task) => Ok(task),
            Task::Rays(_) => Err(self.other_task("a model of sections on wafers", RAYS)),
            Task::Image(_) => Err(self.other_task("a model of sections on wafers", IMAGES)),
            Task::MaskRcnn(_) => Err(self.other_task("a model of sections by peaks", "a Mask R-CNN")),
        }
    }

    fn other_task(&self, expected: &'static str, found: &'static str) -> Error {
        Error::Task { model: self.name.clone(), expected, found }
    }
}

const RAYS: &str = "one of layers along rays";
const IMAGES: &str = "one that segments images";
const SECTIONS: &str = "one of sections on wafers, for `brainmesh segment sections --model`";

/// Reads YAML, which JSON is; of a manifest the version of the format is known then, since others look different.
///
/// # Errors
/// [`Error::ManifestSyntax`] for something else; [`Error::Manifest`] for another version.
pub(crate) fn read(yaml: &[u8], path: &Path) -> Result<serde_json::Value> {
    let value = yaml_value(yaml, path)?;
    let found = value.get("format_version").and_then(serde_json::Value::as_str).unwrap_or("none");
    let is_known = found.split('.').take(2).eq(FORMAT.split('.'));
    let expected = format!("{FORMAT} (older ones: `bioimageio update-format`)");
    Checker { path }.require(is_known, "format_version", expected, found)?;
    Ok(value)
}

/// Any YAML or JSON file.
///
/// # Errors
/// [`Error::ManifestSyntax`].
pub(crate) fn yaml_value(yaml: &[u8], path: &Path) -> Result<serde_json::Value> {
    // As in YAML 1.2, where `y` is a string.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_slice_with_options(yaml, options).map_err(|error| Error::ManifestSyntax {
        path: path.into(),
        field: "(the whole)".into(),
        detail: error.to_string(),
    })
}

/// Makes errors that name the manifest.
struct Checker<'a> {
    path: &'a Path,
}

impl Checker<'_> {
    fn typed<T: serde::de::DeserializeOwned>(&self, value: serde_json::Value, within: &str) -> Result<T> {
        serde_path_to_error::deserialize(value).map_err(|error| Error::ManifestSyntax {
            path: self.path.into(),
            field: format!("{within}{}", error.path()),
            detail: error.inner().to_string(),
        })
    }

    fn wrong(&self, field: &'static str, expected: impl Into<String>, found: impl Into<String>) -> Error {
        Error::Manifest { path: self.path.into(), field, expected: expected.into(), found: found.into() }
    }

    fn require(
        &self,
        holds: bool,
        field: &'static str,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Result<()> {
        if holds { Ok(()) } else { Err(self.wrong(field, expected, found)) }
    }

    fn one<'t>(&self, tensors: &'t [Tensor], field: &'static str) -> Result<&'t Tensor> {
        match tensors {
            [tensor] => Ok(tensor),
            _ => Err(self.wrong(field, "one tensor", tensors.len().to_string())),
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
        let (input, output) = (checker.one(&self.inputs, "inputs")?, checker.one(&self.outputs, "outputs")?);
        let mut settings = self.config.brainmesh.unwrap_or_default();
        let tolerance = settings.remove("tolerance").unwrap_or_else(|| TOLERANCE.into());
        let tolerance = tolerance.as_f64().filter(|tolerance| (0.0..=1.0).contains(tolerance)).ok_or_else(|| {
            checker.wrong("config.brainmesh.tolerance", "a number from 0 to 1", tolerance.to_string())
        })?;
        let task = settings.remove("task").unwrap_or_else(|| "segmentation".into());
        let task = match task.as_str() {
            Some("layers") => {
                let settings = checker.typed(settings.into(), "config.brainmesh.")?;
                Task::Rays(Box::new(RayTask::check(settings, input, output, checker)?))
            }
            Some("segmentation") => {
                let settings = checker.typed(settings.into(), "config.brainmesh.")?;
                Task::Image(Box::new(ImageTask::check(settings, input, output, checker)?))
            }
            Some("sections") => {
                let settings: SectionsTask = checker.typed(settings.into(), "config.brainmesh.")?;
                Task::Sections(Box::new(settings.check(input, output, checker)?))
            }
            Some("mask-rcnn") => {
                let settings: MaskRcnnTask = checker.typed(settings.into(), "config.brainmesh.")?;
                Task::MaskRcnn(Box::new(settings.check(input, checker)?))
            }
            _ => {
                let expected = "`layers`, `segmentation`, `sections` or `mask-rcnn`";
                return Err(checker.wrong("config.brainmesh.task", expected, task.to_string()));
            }
        };
        let others: Vec<&str> = self.weights.others.keys().map(String::as_str).collect();
        let onnx = self.weights.onnx.ok_or_else(|| checker.wrong("weights", "onnx", others.join(", ")))?;
        checker.file(&onnx, "weights.onnx")?;
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
            task,
            onnx,
            test_tensors,
            tolerance,
        })
    }
}
