use crate::arrays::count;
use crate::errors::exception;
use crate::surface::PySurface;
use crate::volume::PyVolume;
use crate::volume_file::PyVolumeFile;
use crate::work::{self, Caller};
use brainmesh_formats::{Error, VertexValues, VolumeOptions, read_vertex_maps, surface_info};
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::{Path, PathBuf};

/// Reads one volume of a file, or of a folder of DICOM images or slices.
///
/// `index` counts time points and channels; `series` is the SeriesInstanceUID to read from a DICOM folder that holds several;
/// `repair` mends what is wrong with a series where that is possible. Scaling is applied; `dtype` None keeps the stored type
/// of values that are not scaled. Every format of `brainmesh info` is told by its content. What is odd about a file is a warning.
#[pyfunction]
#[pyo3(signature = (path: "str | os.PathLike[str]", *, index: "int" = 0, series: "str | None" = None, repair: "bool" = false, dtype: "numpy.typing.DTypeLike | None" = None) -> "Volume")]
pub fn read_volume(
    py: Python<'_>,
    path: PathBuf,
    index: i64,
    series: Option<String>,
    repair: bool,
    dtype: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyVolume> {
    exists(&path)?;
    let file = PyVolumeFile::open(py, path, series, repair)?;
    file.warn(py)?;
    file.read_volume(py, count("index", index)?, dtype)
}

/// Reads a surface; its vertices are in RAS+ mm whatever the file's frame.
#[pyfunction]
#[pyo3(signature = (path: "str | os.PathLike[str]") -> "Surface")]
pub fn read_surface(py: Python<'_>, path: PathBuf) -> PyResult<PySurface> {
    exists(&path)?;
    let surface = work::run(py, Caller::default(), move |_| Ok(brainmesh_formats::read_surface(&path)?))?;
    Ok(PySurface::new(surface))
}

/// Reads a volume or a surface, whichever the file is.
#[pyfunction]
#[pyo3(signature = (path: "str | os.PathLike[str]") -> "Volume | Surface")]
pub fn read(py: Python<'_>, path: PathBuf) -> PyResult<Py<PyAny>> {
    Ok(match kind(py, path.clone())? {
        "volume" => Bound::new(py, read_volume(py, path, 0, None, false, None)?)?.into_any().unbind(),
        // A file of maps alone says so itself.
        _ => Bound::new(py, read_surface(py, path)?)?.into_any().unbind(),
    })
}

/// Values at the vertices of a surface by name: float32, or int32 for labels. GIFTI, FreeSurfer's curv and annot files, MZ3, and
/// what VTK and PLY surfaces carry. FreeSurfer's maps have no name in the file: theirs is empty.
#[pyfunction]
#[pyo3(signature = (path: "str | os.PathLike[str]") -> "dict[str, numpy.typing.NDArray[typing.Any]]")]
pub fn read_maps(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyDict>> {
    exists(&path)?;
    let maps = work::run(py, Caller::default(), move |_| Ok(read_vertex_maps(&path)?))?;
    let named = PyDict::new(py);
    for map in maps {
        match map {
            VertexValues::Shape(map) => named.set_item(map.name, map.values.into_pyarray(py))?,
            VertexValues::Labels(map) => named.set_item("labels", map.labels.into_pyarray(py))?,
        }
    }
    Ok(named)
}

/// What a file or folder is by its content: 'volume', 'surface' or 'maps' (values at vertices).
#[pyfunction]
#[pyo3(signature = (path: "str | os.PathLike[str]") -> "typing.Literal['volume', 'surface', 'maps']")]
pub fn kind(py: Python<'_>, path: PathBuf) -> PyResult<&'static str> {
    exists(&path)?;
    work::run(py, Caller::default(), move |_| {
        match VolumeOptions::default().open(&path) {
            Ok(_) => return Ok("volume"),
            Err(Error::NotRecognised { .. }) if path.is_file() => {}
            Err(error) => return Err(error.into()),
        }
        match (surface_info(&path), read_vertex_maps(&path)) {
            (Ok(_), _) => Ok("surface"),
            (Err(_), Ok(_)) => Ok("maps"),
            (Err(error), Err(_)) => Err(error.into()),
        }
    })
}

fn exists(path: &Path) -> PyResult<()> {
    match std::fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(source) => Err(exception(Error::Io { path: path.into(), source })),
    }
}
