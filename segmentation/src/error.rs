use std::path::PathBuf;

use crate::device::Device;
use crate::nearest::did_you_mean;

/// What went wrong with a model, its input or the library that runs it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of a model could not be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A manifest is not YAML, or a field is missing or of the wrong type.
    #[error("{path}: field `{field}`: {detail}", path = path.display())]
    ManifestSyntax {
        /// The manifest.
        path: PathBuf,
        /// Path of the field, e.g. `config.brainmesh.samples`.
        field: String,
        /// What the parser said.
        detail: String,
    },
    /// A field of a manifest holds a value that this program cannot use.
    #[error("{path}: field `{field}`: expected {expected}, found {found}", path = path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Path of the field.
        field: &'static str,
        /// What would be right.
        expected: String,
        /// What was found.
        found: String,
    },
    /// A model made for another task.
    #[error("{model}: expected {expected}, found {found}")]
    Task {
        /// Name of the model.
        model: String,
        /// What is needed.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A file is not the one the manifest describes.
    #[error("{path}: expected SHA-256 {expected}, found {found}", path = path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The manifest's hash.
        expected: String,
        /// The file's hash.
        found: String,
    },
    /// A file is larger than any model of this kind.
    #[error("{path}: expected at most {limit_bytes} bytes, found {found_bytes}", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit_bytes: u64,
        /// The file's size.
        found_bytes: u64,
    },
    /// There is no model of this name.
    #[error(
        "no model is named `{name}`{}, expected a folder with rdf.yaml or one of: {}",
        did_you_mean(name, known),
        known.join(", ")
    )]
    UnknownModel {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A device does not give what the model's makers got.
    #[error("{model} on {device}: expected its test output to within {tolerance:e}, found a difference of {found:.3e}")]
    Verification {
        /// Name of the model.
        model: String,
        /// What it ran on.
        device: String,
        /// Largest difference the manifest allows.
        tolerance: f64,
        /// Largest difference found.
        found: f64,
    },
    /// A model cannot be added, replaced or removed.
    #[error("{name}: expected {expected}, found {found}")]
    Store {
        /// Name of the model.
        name: String,
        /// What would be right.
        expected: String,
        /// What was found.
        found: String,
    },
    /// A package or bundle that cannot be made a model of this program.
    #[error("{path}: {field}: expected {expected}, found {found}", path = path.display())]
    Package {
        /// Folder or archive, and the file in it.
        path: PathBuf,
        /// What is wrong.
        field: String,
        /// What would be right.
        expected: String,
        /// What was found.
        found: String,
    },
    /// An ONNX file is damaged.
    #[error("{model}: not a readable ONNX file: {detail}")]
    Onnx {
        /// Where the network came from.
        model: String,
        /// What is wrong.
        detail: String,
    },
    /// The built-in engine does not know an operator, or not with these attributes.
    #[error("{model}: the built-in engine cannot run node `{node}` ({op}): {detail}")]
    Unsupported {
        /// Where the network came from.
        model: String,
        /// Name of the node, or of its output where it has no name.
        node: String,
        /// Operator type.
        op: String,
        /// What is not supported.
        detail: String,
    },
    /// The built-in engine would need more memory than any ray network does.
    #[error(
        "{model}: the network wants {found_bytes} bytes of working memory a thread, expected at most {limit_bytes}"
    )]
    Memory {
        /// Where the network came from.
        model: String,
        /// The limit.
        limit_bytes: usize,
        /// What the network's channels and padding ask for.
        found_bytes: usize,
    },
    /// No engine that is here runs the network.
    #[error("{model}: nothing here runs it; {}", reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    NoEngine {
        /// Where the network came from.
        model: String,
        /// Why each engine that was asked does not.
        reasons: Vec<Error>,
    },
    /// The crate `rten` cannot read or run a network.
    #[error("{model}: rten: {detail}")]
    Rten {
        /// Where the network came from.
        model: String,
        /// Its words.
        detail: String,
    },
    /// Rays that do not fit the model.
    #[error("{field}: the model expects {expected}, found {found}")]
    Input {
        /// What does not fit.
        field: &'static str,
        /// What the model was trained on.
        expected: String,
        /// What was given.
        found: String,
    },
    /// An option that the model does not allow.
    #[error("{option}: expected {expected}, found {found}")]
    Option {
        /// Which.
        option: &'static str,
        /// What the model allows.
        expected: String,
        /// What was asked.
        found: String,
    },
    /// The network's output is not a set of class probabilities.
    #[error("the network's output is not a probability: expected {expected}, found {found}")]
    Output {
        /// What probabilities look like.
        expected: String,
        /// What the network gave.
        found: String,
    },
    /// The network's output has another shape than its input asks for.
    #[error("the network's output: expected {expected}, found {found}")]
    Shape {
        /// What the input asks for.
        expected: String,
        /// The shape that came out.
        found: String,
    },
    /// A word that names no device.
    #[error(
        "unknown device `{0}`{near}, expected auto, builtin, cpu, cuda, cuda:N, tensorrt, tensorrt:N, openvino, coreml or directml",
        near = did_you_mean(.0, &Device::WORDS)
    )]
    UnknownDevice(String),
    /// A word that names no precision.
    #[error("unknown precision `{0}`, expected f32, tf32 or f16")]
    UnknownPrecision(String),
    /// The device cannot be used.
    #[error("device {device}: {detail}")]
    Device {
        /// The device asked for.
        device: String,
        /// Why it cannot be used.
        detail: String,
    },
    /// A device has too little memory for a single item.
    #[error("device {device}: out of memory: {detail}")]
    DeviceMemory {
        /// The device.
        device: String,
        /// What the runtime said.
        detail: String,
    },
    /// The ONNX Runtime library was not found or could not be loaded.
    #[error("ONNX Runtime: {detail}; install it with `pip install --upgrade onnxruntime`, or name its library")]
    RuntimeLibrary {
        /// What was tried and what went wrong.
        detail: String,
    },
    /// The ONNX Runtime library is older than what this program is made for.
    #[error(
        "{path}: ONNX Runtime {found}, expected {expected} or later; `pip install --upgrade onnxruntime`, or name another library",
        path = path.display()
    )]
    RuntimeVersion {
        /// The library.
        path: PathBuf,
        /// The oldest version that would do.
        expected: String,
        /// What the library says of itself.
        found: String,
    },
    /// ONNX Runtime reported an error.
    #[error("ONNX Runtime, {step}: {detail}")]
    Runtime {
        /// What it was doing.
        step: &'static str,
        /// Its words.
        detail: String,
    },
    /// A value type refused what it was given.
    #[error(transparent)]
    Core(#[from] brainmesh_core::Error),
    /// Cancelled.
    #[error(transparent)]
    Cancelled(#[from] brainmesh_core::Cancelled),
}
