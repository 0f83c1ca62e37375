use crate::surface::PySurface;
use crate::work::{self, Caller};
use brainmesh_cli::LayerResults;
use brainmesh_core::{BOUNDARY_COUNT, LAYER_NAMES, layer_color};
use ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Six cortical layers: what `rays2surface` found, or a folder that it wrote before.
#[pyclass(frozen, name = "LayerResult", module = "brainmesh")]
pub struct PyLayerResult {
    pub(crate) results: Arc<LayerResults>,
    surfaces: Vec<Py<PySurface>>,
    summary: String,
    too_many_defects: bool,
}

impl PyLayerResult {
    pub(crate) fn new(
        py: Python<'_>,
        results: LayerResults,
        summary: String,
        too_many_defects: bool,
    ) -> PyResult<Self> {
        let surfaces = results.surfaces.iter().map(|surface| Py::new(py, PySurface::new(surface.clone())));
        Ok(Self { surfaces: surfaces.collect::<PyResult<_>>()?, results: Arc::new(results), summary, too_many_defects })
    }
}

fn columns<'py>(py: Python<'py>, columns: &[Vec<f32>]) -> Bound<'py, PyArray2<f32>> {
    let rows = columns.first().map_or(0, Vec::len);
    let array = Array2::from_shape_fn((rows, columns.len()), |(row, column)| columns[column][row]).into_pyarray(py);
    crate::shared::read_only(&array);
    array
}

#[pymethods]
impl PyLayerResult {
    /// Reads a folder that `brainmesh rays2surface` or `save` wrote.
    #[staticmethod]
    #[pyo3(signature = (folder: "str | os.PathLike[str]") -> "LayerResult")]
    fn read(py: Python<'_>, folder: PathBuf) -> PyResult<Self> {
        let results = work::run(py, Caller::default(), move |_| LayerResults::read(&folder))?;
        Self::new(py, results, String::new(), false)
    }

    /// Seven surfaces that share their triangles: 0 the pia, k the boundary below layer k, 6 grey/white.
    #[getter]
    fn surfaces<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.surfaces)
    }

    /// [vertices, 7] float32 in mm: all layers, then I to VI. NaN where there are no layers.
    #[getter]
    fn thickness_mm<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<f32>> {
        columns(py, &self.results.thickness_mm)
    }

    /// [vertices, 7] float32: standard deviation in mm of each boundary's place along its ray. NaN where there are no layers.
    #[getter]
    fn uncertainty_mm<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<f32>> {
        columns(py, &self.results.uncertainty_mm)
    }

    /// [vertices] int32: 0, or a code that `defect_names` explains.
    #[getter]
    fn defects<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i32>> {
        self.results.defects.clone().into_pyarray(py)
    }

    /// What each code of `defects` means.
    #[getter]
    fn defect_names(&self) -> BTreeMap<i32, String> {
        self.results.defect_names.0.iter().map(|(&value, label)| (value, label.name.clone())).collect()
    }

    /// What `report.json` holds: inputs with checksums, model, device, parameters, defects, thickness, certificate.
    #[getter]
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        Ok(json(py, &self.results.report)?.cast_into::<PyDict>()?)
    }

    /// `report["certificate"]`: what was checked on the surfaces, and what was found.
    #[getter]
    fn certificate<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.report(py)?.as_any().get_item("certificate")
    }

    /// The lines that the command line prints; empty for a folder that was read.
    #[getter]
    fn summary(&self) -> &str {
        &self.summary
    }

    /// More defects than `max_defects` allowed.
    #[getter]
    fn too_many_defects(&self) -> bool {
        self.too_many_defects
    }

    /// Writes the folder that `brainmesh rays2surface --out` writes, byte for byte; returns the files. `formats` are further surface
    /// formats beside GIFTI. All files appear, or none.
    #[pyo3(signature = (out: "str | os.PathLike[str]", *, formats: "collections.abc.Sequence[str]" = Vec::new()) -> "list[str]")]
    fn save(&self, py: Python<'_>, out: PathBuf, formats: Vec<String>) -> PyResult<Vec<String>> {
        let results = Arc::clone(&self.results);
        let files = work::run(py, Caller::default(), move |_| {
            let formats = formats.iter().map(|name| brainmesh_cli::surface_format(name));
            results.save(&out, &formats.collect::<brainmesh_cli::Result<Vec<_>>>()?)
        })?;
        Ok(files.into_iter().map(|file| file.display().to_string()).collect())
    }

    /// Draws the layers with pyvista, else with matplotlib. Keywords go on to `brainmesh.view.layers`.
    #[pyo3(signature = (**keywords: "typing.Any") -> "typing.Any")]
    fn plot<'py>(slf: Bound<'py, Self>, keywords: Option<&Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("brainmesh.view")?.call_method("layers", (slf,), keywords)
    }

    fn __repr__(&self) -> String {
        format!("<LayerResult of {} vertices>", self.results.defects.len())
    }
}

/// JSON as Python's own objects.
pub fn json<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (text,))
}

/// Colours of the seven boundaries (red, green, blue, alpha from 0 to 1), from the pia inwards; readers who cannot tell red from
/// green can tell them apart.
#[pyfunction]
#[pyo3(signature = () -> "list[tuple[float, float, float, float]]")]
pub fn layer_colors() -> Vec<(f32, f32, f32, f32)> {
    (0..BOUNDARY_COUNT).map(layer_color).map(|[r, g, b]| (r, g, b, 1.0)).collect()
}

/// Names of the layers, outermost first.
#[pyfunction]
#[pyo3(signature = () -> "list[str]")]
pub fn layer_names() -> Vec<&'static str> {
    LAYER_NAMES.to_vec()
}
