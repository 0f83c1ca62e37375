use crate::argv::{Argv, engine};
use crate::errors::exception;
use crate::result::json;
use crate::work::{self, Caller};
use brainmesh_cli::args::{Command, ModelsCommand};
use brainmesh_segmentation::{Model, Store};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde_json::Value;
use std::path::PathBuf;

/// The models there are: those that ship with brainmesh and those that were added.
#[pyfunction]
#[pyo3(signature = () -> "list[dict[str, typing.Any]]")]
pub fn list_models(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let models = work::run(py, Caller::default(), |_| brainmesh_cli::list_models())?;
    json(py, &models.to_string())
}

/// What a model takes, gives, and was made from. `model` is a name or a folder with rdf.yaml.
#[pyfunction]
#[pyo3(signature = (model: "str | os.PathLike[str]") -> "dict[str, typing.Any]")]
pub fn show_model(py: Python<'_>, model: PathBuf) -> PyResult<Bound<'_, PyAny>> {
    let text = work::run(py, Caller::default(), move |_| {
        Ok(brainmesh_cli::describe_model(&Model::find(&model.to_string_lossy())?).to_string())
    })?;
    json(py, &text)
}

/// Compares what a device gives with what the makers of the models got; all models where none are named.
#[pyfunction]
#[pyo3(signature = (
    models: "collections.abc.Sequence[str]" = Vec::new(),
    *,
    device: "str" = "auto",
    precision: "str" = "f32",
    onnxruntime: "str | os.PathLike[str] | None" = None,
) -> "list[dict[str, typing.Any]]")]
pub fn verify_models<'py>(
    py: Python<'py>,
    models: Vec<String>,
    device: &str,
    precision: &str,
    onnxruntime: Option<PathBuf>,
) -> PyResult<Bound<'py, PyAny>> {
    let argv = engine(py, Argv::new(&["models", "verify"]), device, precision, onnxruntime)?.positional(models);
    let Command::Models(ModelsCommand::Verify(arguments)) = argv.parse()? else {
        return Err(PyValueError::new_err("the command changed its name"));
    };
    let results = work::run(py, Caller::default(), move |_| brainmesh_cli::verify_models(&arguments, 0))?;
    json(py, &Value::from(results).to_string())
}

/// Adds a model: a folder or ZIP archive with rdf.yaml (bioimage.io), or a MONAI bundle. Returns what is to be said of it.
#[pyfunction]
#[pyo3(signature = (
    package: "str | os.PathLike[str]",
    *,
    name: "str | None" = None,
    force: "bool" = false,
    ignore_unknown: "bool" = false,
    device: "str" = "auto",
) -> "list[str]")]
pub fn add_model(
    py: Python<'_>,
    package: PathBuf,
    name: Option<String>,
    force: bool,
    ignore_unknown: bool,
    device: &str,
) -> PyResult<Vec<String>> {
    let argv = Argv::new(&["models", "add"])
        .maybe("name", name)
        .flag("force", force)
        .flag("ignore-unknown", ignore_unknown)
        .option("device", device)
        .positional([package]);
    let Command::Models(ModelsCommand::Add(arguments)) = argv.parse()? else {
        return Err(PyValueError::new_err("the command changed its name"));
    };
    work::run(py, Caller::default(), move |_| brainmesh_cli::add_model(&arguments, 0))
}

/// Removes a model that was added.
#[pyfunction]
#[pyo3(signature = (name: "str") -> "None")]
pub fn remove_model(name: &str) -> PyResult<()> {
    Store::user().and_then(|store| store.remove(name)).map_err(exception)
}
