use crate::argv::Argv;
use crate::result::json;
use crate::work::{self, Caller};
use brainmesh_cli::args::{Command, EvaluateCommand};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::path::PathBuf;

/// Scores a folder of `rays2surface` against a truth: what `brainmesh evaluate layers --json` prints. Give one of
/// `truth_points` (`truth/points.npz` of a phantom), `truth_labels` (a label volume) and `truth_thickness` ([vertices, 6] mm).
#[pyfunction]
#[pyo3(signature = (
    result: "str | os.PathLike[str]",
    *,
    truth_points: "str | os.PathLike[str] | None" = None,
    truth_labels: "str | os.PathLike[str] | None" = None,
    truth_thickness: "str | os.PathLike[str] | None" = None,
    parcels: "str | os.PathLike[str] | None" = None,
    mask: "str | os.PathLike[str] | None" = None,
) -> "dict[str, typing.Any]")]
pub fn evaluate_layers<'py>(
    py: Python<'py>,
    result: PathBuf,
    truth_points: Option<PathBuf>,
    truth_labels: Option<PathBuf>,
    truth_thickness: Option<PathBuf>,
    parcels: Option<PathBuf>,
    mask: Option<PathBuf>,
) -> PyResult<Bound<'py, PyAny>> {
    let argv = Argv::new(&["evaluate", "layers"])
        .option("result", result)
        .maybe("truth-points", truth_points)
        .maybe("truth-labels", truth_labels)
        .maybe("truth-thickness", truth_thickness)
        .maybe("parcels", parcels)
        .maybe("mask", mask);
    let Command::Evaluate(EvaluateCommand::Layers(arguments)) = argv.parse()? else {
        return Err(PyValueError::new_err("the command changed its name"));
    };
    let scores = work::run(py, Caller::default(), move |watch| {
        Ok(brainmesh_cli::evaluate_layers(&arguments, 0, watch)?.to_string())
    })?;
    json(py, &scores)
}
