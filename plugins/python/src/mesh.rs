use crate::argv::Argv;
use crate::given;
use crate::result::PyLayerResult;
use crate::surface::PySurface;
use crate::volume::PyVolume;
use crate::work::{self, Caller};
use brainmesh_cli::args::{Command, MeshCommand};
use brainmesh_cli::{layer_table, mesh_file, mesh_labels, mesh_values};
use brainmesh_formats::VolumeOptions;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Closed surfaces of the labels of a volume, by label; neighbouring labels share their faces. The keywords are options of
/// `brainmesh mesh`; `progress` and `cancel` as in `rays2surface`.
#[pyfunction]
#[pyo3(signature = (
    volume: "Volume | str | os.PathLike[str]",
    *,
    labels: "collections.abc.Sequence[int]" = Vec::new(),
    relax: "int | None" = None,
    smooth: "int" = 0,
    decimate: "float | None" = None,
    max_error_mm: "float | None" = None,
    volume_index: "int | None" = None,
    threads: "int | None" = None,
    progress: "collections.abc.Callable[[str, int, int], object] | None" = None,
    cancel: "collections.abc.Callable[[], bool] | threading.Event | None" = None,
) -> "dict[int, Surface]")]
#[expect(clippy::too_many_arguments, reason = "one for each option of the command")]
pub fn mesh(
    py: Python<'_>,
    volume: &Bound<'_, PyAny>,
    labels: Vec<i64>,
    relax: Option<i64>,
    smooth: i64,
    decimate: Option<f64>,
    max_error_mm: Option<f64>,
    volume_index: Option<i64>,
    threads: Option<i64>,
    progress: Option<Py<PyAny>>,
    cancel: Option<Py<PyAny>>,
) -> PyResult<BTreeMap<u32, PySurface>> {
    let labels: Vec<String> = labels.iter().map(i64::to_string).collect();
    let argv = Argv::new(&["mesh"])
        .maybe("labels", (!labels.is_empty()).then(|| labels.join(",")))
        .number("relax", relax)
        .number("smooth", Some(smooth))
        .number("decimate", decimate)
        .number("max-error-mm", max_error_mm)
        .number("volume", volume_index);
    let caller = Caller::new(progress, cancel, threads);
    let made = match volume.cast::<PyVolume>() {
        Ok(given) => {
            given::whole(volume_index.is_some(), false)?;
            let values = given.get().labels_u32(py)?;
            let arguments = arguments(argv, "(in memory)".into())?;
            work::run(py, caller, move |watch| mesh_labels(&arguments, &values, watch))
        }
        Err(_) => {
            let arguments = arguments(argv, path(volume, "volume")?)?;
            work::run(py, caller, move |watch| mesh_file(&arguments, watch))
        }
    }?;
    Ok(made.into_iter().filter_map(|made| Some((made.value?, PySurface::new(made.surface)))).collect())
}

/// The surface around what is above `value`. The keywords are options of `brainmesh mesh`; `progress` and `cancel` as in
/// `rays2surface`.
#[pyfunction]
#[pyo3(signature = (
    volume: "Volume | str | os.PathLike[str]",
    value: "float",
    *,
    relax: "int" = 0,
    smooth: "int" = 0,
    decimate: "float | None" = None,
    max_error_mm: "float | None" = None,
    volume_index: "int | None" = None,
    threads: "int | None" = None,
    progress: "collections.abc.Callable[[str, int, int], object] | None" = None,
    cancel: "collections.abc.Callable[[], bool] | threading.Event | None" = None,
) -> "Surface")]
#[expect(clippy::too_many_arguments, reason = "one for each option of the command")]
pub fn isosurface(
    py: Python<'_>,
    volume: &Bound<'_, PyAny>,
    value: f32,
    relax: i64,
    smooth: i64,
    decimate: Option<f64>,
    max_error_mm: Option<f64>,
    volume_index: Option<i64>,
    threads: Option<i64>,
    progress: Option<Py<PyAny>>,
    cancel: Option<Py<PyAny>>,
) -> PyResult<PySurface> {
    let argv = Argv::new(&["mesh"])
        .number("isovalue", Some(value))
        .number("relax", Some(relax))
        .number("smooth", Some(smooth))
        .number("decimate", decimate)
        .number("max-error-mm", max_error_mm)
        .number("volume", volume_index);
    let caller = Caller::new(progress, cancel, threads);
    let made = match volume.cast::<PyVolume>() {
        Ok(given) => {
            given::whole(volume_index.is_some(), false)?;
            let values = given.get().values::<f32>(py)?;
            let arguments = arguments(argv, "(in memory)".into())?;
            work::run(py, caller, move |watch| mesh_values(&arguments, &values, watch))
        }
        Err(_) => {
            let arguments = arguments(argv, path(volume, "volume")?)?;
            work::run(py, caller, move |watch| mesh_file(&arguments, watch))
        }
    }?;
    let surface = made.into_iter().next().map(|made| PySurface::new(made.surface));
    surface.ok_or_else(|| PyValueError::new_err(format!("isosurface: nothing is above {value}")))
}

/// The layer of every voxel on the grid of `like`: 1 to 6, and 0 outside the cortex.
#[pyfunction]
#[pyo3(signature = (
    result: "LayerResult",
    like: "Volume | str | os.PathLike[str]",
    *,
    threads: "int | None" = None,
    progress: "collections.abc.Callable[[str, int, int], object] | None" = None,
    cancel: "collections.abc.Callable[[], bool] | threading.Event | None" = None,
) -> "Volume")]
pub fn label_layers(
    py: Python<'_>,
    result: &Bound<'_, PyLayerResult>,
    like: &Bound<'_, PyAny>,
    threads: Option<i64>,
    progress: Option<Py<PyAny>>,
    cancel: Option<Py<PyAny>>,
) -> PyResult<PyVolume> {
    let grid = match like.cast::<PyVolume>() {
        Ok(volume) => Ok(volume.get().grid.clone()),
        Err(_) => Err(path(like, "like")?),
    };
    let results = Arc::clone(&result.get().results);
    let volume = work::run(py, Caller::new(progress, cancel, threads), move |watch| {
        let grid = match grid {
            Ok(grid) => grid,
            Err(path) => VolumeOptions::default().open(&path)?.grid().clone(),
        };
        results.label_volume(&grid, watch)
    })?;
    PyVolume::new(py, volume, layer_table())
}

fn path(object: &Bound<'_, PyAny>, argument: &str) -> PyResult<PathBuf> {
    object.extract().map_err(|_| given::unfit(argument, "a Volume or a path", object))
}

fn arguments(argv: Argv, input: PathBuf) -> PyResult<Box<MeshCommand>> {
    match argv.option("out", "surfaces").positional([input]).parse()? {
        Command::Mesh(arguments) => Ok(arguments),
        _ => Err(PyValueError::new_err("the command changed its name")),
    }
}
