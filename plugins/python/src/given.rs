use crate::arrays::as_array;
use crate::surface::PySurface;
use crate::volume::PyVolume;
use brainmesh_core::{Surface, Volume};
use ndarray::Array2;
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

/// A path, or something in memory.
pub struct Given<T> {
    /// What the command line is told.
    pub path: Option<PathBuf>,
    /// What takes the path's place.
    pub memory: Option<Arc<T>>,
}

impl<T> Given<T> {
    fn memory(value: T) -> Self {
        Self { path: Some("(in memory)".into()), memory: Some(Arc::new(value)) }
    }

    /// A path where there is one; else what `take` makes of it; nothing for `None`.
    fn new(object: Option<&Bound<'_, PyAny>>, take: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> PyResult<Self> {
        match object {
            None => Ok(Self { path: None, memory: None }),
            Some(object) => match object.extract::<PathBuf>() {
                Ok(path) => Ok(Self { path: Some(path), memory: None }),
                Err(_) => take(object).map(Self::memory),
            },
        }
    }
}

pub fn unfit(argument: &str, expected: &str, object: &Bound<'_, PyAny>) -> PyErr {
    let found = object.get_type().name().map_or_else(|_| "something else".into(), |name| name.to_string());
    PyValueError::new_err(format!("{argument}: expected {expected}, found {found}"))
}

/// Refuses what chooses one of several volumes of a file, for a `Volume`.
pub fn whole(has_index: bool, has_series: bool) -> PyResult<()> {
    match (has_index, has_series) {
        (true, _) => Err(PyValueError::new_err("volume_index: a Volume holds one volume; it chooses one of a file's")),
        (_, true) => Err(PyValueError::new_err("series: a Volume is no folder of DICOM images")),
        _ => Ok(()),
    }
}

/// A `Surface` or a path.
pub fn surface(object: &Bound<'_, PyAny>, argument: &str) -> PyResult<Given<Surface>> {
    Given::new(Some(object), |object| {
        let surface = object.cast::<PySurface>().map_err(|_| unfit(argument, "a Surface or a path", object))?;
        Ok(surface.get().surface.as_ref().clone())
    })
}

/// A `Volume` or a path.
pub fn volume(object: Option<&Bound<'_, PyAny>>, argument: &str) -> PyResult<Given<Volume<f32>>> {
    Given::new(object, |object| {
        let volume = object.cast::<PyVolume>().map_err(|_| unfit(argument, "a Volume or a path", object))?;
        volume.get().values(object.py())
    })
}

/// An array `[vertices, depths]` or a path.
pub fn matrix(object: Option<&Bound<'_, PyAny>>, argument: &str) -> PyResult<Given<Array2<f32>>> {
    Given::new(object, |object| {
        let array = as_array(object, Some("float32"), Some("C"))?;
        let shape = array.shape().to_vec();
        let array = array.cast::<PyArray2<f32>>();
        let array = array.map_err(|_| {
            PyValueError::new_err(format!("{argument}: expected shape [vertices, depths], found {shape:?}"))
        })?;
        Ok(array.readonly().as_array().to_owned())
    })
}

/// An array of a value a vertex, used where it is not 0, or a path.
pub fn mask(object: Option<&Bound<'_, PyAny>>) -> PyResult<Given<Vec<bool>>> {
    Given::new(object, |object| {
        let array = as_array(object, Some("bool"), Some("C"))?;
        let shape = array.shape().to_vec();
        let array = array.cast::<PyArray1<bool>>();
        let array =
            array.map_err(|_| PyValueError::new_err(format!("mask: expected shape [vertices], found {shape:?}")))?;
        Ok(array.readonly().as_array().to_vec())
    })
}
