use crate::argv::Argv;
use crate::ribbon::PyRibbon;
use crate::surface::PySurface;
use crate::volume::PyVolume;
use crate::work::{self, Caller};
use brainmesh_cli::args::Command;
use brainmesh_cli::make_phantom;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// A made cortex with known layers.
#[pyclass(frozen, name = "Phantom", module = "brainmesh")]
pub struct PyPhantom {
    volume: Py<PyVolume>,
    ribbon: Py<PyRibbon>,
    surfaces: Vec<Py<PySurface>>,
}

#[pymethods]
impl PyPhantom {
    /// Intensities, whole numbers up to 65535.
    #[getter]
    fn volume(&self, py: Python<'_>) -> Py<PyVolume> {
        self.volume.clone_ref(py)
    }

    /// The pial surface as a user would have it.
    #[getter]
    fn pial(&self, py: Python<'_>) -> Py<PySurface> {
        self.ribbon.get().pial(py)
    }

    /// The white surface as a user would have it.
    #[getter]
    fn white(&self, py: Python<'_>) -> Py<PySurface> {
        self.ribbon.get().white(py)
    }

    /// Both as a ribbon.
    #[getter]
    fn ribbon(&self, py: Python<'_>) -> Py<PyRibbon> {
        self.ribbon.clone_ref(py)
    }

    /// The seven true boundaries.
    #[getter]
    fn surfaces<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.surfaces)
    }
}

/// Makes a cortex with known layers: the values that a reader of the files of `brainmesh phantom` gets. The same seed gives the
/// same bytes. `progress` and `cancel` as in `rays2surface`.
#[pyfunction]
#[pyo3(signature = (
    *,
    seed: "int" = 1609,
    shape: "typing.Literal['folded', 'sphere']" = "folded",
    extent_mm: "float | None" = None,
    edge_mm: "float" = 0.4,
    spacing_mm: "float" = 0.1,
    artefacts: "typing.Literal['none', 'mild', 'full']" = "mild",
    surface_error_mm: "float" = 0.0,
    threads: "int | None" = None,
    progress: "collections.abc.Callable[[str, int, int], object] | None" = None,
    cancel: "collections.abc.Callable[[], bool] | threading.Event | None" = None,
) -> "Phantom")]
#[expect(clippy::too_many_arguments, reason = "one for each option of the command")]
pub fn phantom(
    py: Python<'_>,
    seed: i64,
    shape: &str,
    extent_mm: Option<f64>,
    edge_mm: f64,
    spacing_mm: f64,
    artefacts: &str,
    surface_error_mm: f64,
    threads: Option<i64>,
    progress: Option<Py<PyAny>>,
    cancel: Option<Py<PyAny>>,
) -> PyResult<PyPhantom> {
    let argv = Argv::new(&["phantom"])
        .option("out", "phantom")
        .number("seed", Some(seed))
        .option("shape", shape)
        .number("extent-mm", extent_mm)
        .number("edge-mm", Some(edge_mm))
        .number("spacing-mm", Some(spacing_mm))
        .option("artefacts", artefacts)
        .number("surface-error-mm", Some(surface_error_mm));
    let Command::Phantom(arguments) = argv.parse()? else {
        return Err(PyValueError::new_err("the command changed its name"));
    };
    let made = work::run(py, Caller::new(progress, cancel, threads), move |watch| make_phantom(&arguments, watch))?;
    let surface = |surface: &brainmesh_core::Surface| Py::new(py, PySurface::new(surface.clone()));
    Ok(PyPhantom {
        ribbon: Py::new(py, PyRibbon::create(surface(made.ribbon.pial())?, surface(made.ribbon.white())?)?)?,
        surfaces: made.surfaces.iter().map(surface).collect::<PyResult<_>>()?,
        volume: Py::new(py, PyVolume::new(py, made.volume, Default::default())?)?,
    })
}
