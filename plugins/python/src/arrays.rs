use crate::shared;
use brainmesh_core::{Grid, Volume, WorldPoint};
use brainmesh_formats::Voxel;
use glam::{DAffine3, DMat3, DVec3};
use ndarray::{Array3, ShapeBuilder};
use numpy::{
    Element, IntoPyArray, PyArray2, PyArray3, PyArrayDescrMethods, PyArrayMethods, PyReadonlyArray2, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// A value of a volume that numpy knows too.
pub trait Value: Voxel + Element {}
impl<T: Voxel + Element> Value for T {}

/// `numpy.asarray(object, dtype, order)`.
pub fn as_array<'py>(
    object: &Bound<'py, PyAny>,
    dtype: Option<&str>,
    order: Option<&str>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let py = object.py();
    // numpy would give what lies under the mask.
    let mask = object.getattr_opt("mask")?.filter(|_| object.hasattr("filled").unwrap_or(false));
    if mask.is_some_and(|mask| mask.call_method0("any").is_ok_and(|any| any.is_truthy().unwrap_or(true))) {
        return Err(PyValueError::new_err(
            "expected an array without masked values; fill them first, by array.filled(value)",
        ));
    }
    let options = PyDict::new(py);
    if let Some(dtype) = dtype {
        options.set_item("dtype", dtype)?;
    }
    if let Some(order) = order {
        options.set_item("order", order)?;
    }
    let array = py.import("numpy")?.call_method("asarray", (object,), Some(&options))?;
    Ok(array.cast_into::<PyUntypedArray>()?)
}

/// Name of an array's type, such as `float32`.
pub fn type_name(array: &Bound<'_, PyUntypedArray>) -> PyResult<String> {
    array.dtype().getattr("name")?.extract()
}

/// Any mapping of Python; empty for `None`.
pub fn mapping<'py>(py: Python<'py>, object: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyDict>> {
    match object {
        None => Ok(PyDict::new(py)),
        Some(object) => Ok(py.get_type::<PyDict>().call1((object,))?.cast_into()?),
    }
}

/// A whole number that counts or indexes.
///
/// # Errors
/// `ValueError` with the argument's name for a negative one.
pub fn count(argument: &str, value: i64) -> PyResult<usize> {
    usize::try_from(value).map_err(|_| PyValueError::new_err(format!("{argument}: expected 0 or more, found {value}")))
}

/// Rows of three numbers as points.
pub fn points(object: &Bound<'_, PyAny>, field: &str) -> PyResult<Vec<WorldPoint>> {
    let array = as_array(object, Some("float64"), Some("C"))?;
    let expected = || PyValueError::new_err(format!("{field}: expected shape [n, 3], found {:?}", array.shape()));
    let array = array.cast::<PyArray2<f64>>().map_err(|_| expected())?.readonly();
    let view = array.as_array();
    if view.ncols() != 3 {
        return Err(expected());
    }
    Ok(view.outer_iter().map(|row| WorldPoint::new(row[0], row[1], row[2])).collect())
}

/// Rows of three vertex indices, of any type of integer.
pub fn triangles(object: &Bound<'_, PyAny>) -> PyResult<Vec<[u32; 3]>> {
    let array = as_array(object, None, None)?;
    let wrong =
        |found: String| PyValueError::new_err(format!("triangles: expected whole numbers [n, 3], found {found}"));
    if array.shape().contains(&0) {
        return Ok(Vec::new());
    }
    if !matches!(array.dtype().kind(), b'i' | b'u') || array.ndim() != 2 || array.shape()[1] != 3 {
        return Err(wrong(format!("{} {:?}", type_name(&array)?, array.shape())));
    }
    let array = as_array(&array, Some("int64"), Some("C"))?;
    let array: PyReadonlyArray2<'_, i64> = array.cast::<PyArray2<i64>>()?.readonly();
    let index = |value: i64| u32::try_from(value).map_err(|_| wrong(value.to_string()));
    array.as_array().outer_iter().map(|row| Ok([index(row[0])?, index(row[1])?, index(row[2])?])).collect()
}

/// `[4, 4]`.
pub fn matrix<'py>(py: Python<'py>, affine: DAffine3) -> Bound<'py, PyArray2<f64>> {
    let (m, t) = (affine.matrix3, affine.translation);
    let row = |r: usize| [m.x_axis[r], m.y_axis[r], m.z_axis[r], t[r]];
    let rows = [row(0), row(1), row(2), [0.0, 0.0, 0.0, 1.0]];
    ndarray::arr2(&rows).into_pyarray(py)
}

/// A grid from a shape and a `[4, 4]` matrix.
pub fn grid(shape: [usize; 3], world_from_voxel: &Bound<'_, PyAny>) -> PyResult<Grid> {
    let array = as_array(world_from_voxel, Some("float64"), Some("C"))?;
    let wrong = |found: String| {
        PyValueError::new_err(format!("world_from_voxel: expected an affine matrix [4, 4], found {found}"))
    };
    let rows = array.cast::<PyArray2<f64>>().map_err(|_| wrong(format!("shape {:?}", array.shape())))?.readonly();
    let m = rows.as_array();
    if m.shape() != [4, 4] {
        return Err(wrong(format!("shape {:?}", m.shape())));
    }
    if [m[[3, 0]], m[[3, 1]], m[[3, 2]], m[[3, 3]]] != [0.0, 0.0, 0.0, 1.0] {
        return Err(wrong(format!("a last row of {}", m.row(3))));
    }
    let column = |c: usize| DVec3::new(m[[0, c]], m[[1, c]], m[[2, c]]);
    let affine = DAffine3 { matrix3: DMat3::from_cols(column(0), column(1), column(2)), translation: column(3) };
    Grid::new(shape, affine, "scanner").map_err(|error| PyValueError::new_err(error.to_string()))
}

/// Hands the values of a volume to numpy as `[ni, nj, nk]`; nothing is copied.
pub fn into_array<T: Value>(py: Python<'_>, volume: Volume<T>) -> PyResult<(Grid, Bound<'_, PyArray3<T>>)> {
    let (grid, data) = volume.into_parts();
    let [ni, nj, nk] = grid.shape();
    let array =
        Array3::from_shape_vec((ni, nj, nk).f(), data).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok((grid, array.into_pyarray(py)))
}

/// A volume that reads an array of numpy's: in place where it holds `T` with the first axis fastest, else from a copy.
pub fn volume<T: Value>(grid: &Grid, data: &Bound<'_, PyAny>) -> PyResult<Volume<T>> {
    let name = T::STORED.to_string();
    let array = as_array(data, Some(&name), Some("F"))?;
    let array = array.cast::<PyArray3<T>>()?;
    let values = match shared::values(array) {
        Some(values) => values,
        // An array whose memory is not aligned.
        None => shared::values(array.call_method1("copy", ("F",))?.cast::<PyArray3<T>>()?)
            .ok_or_else(|| PyValueError::new_err("volume: expected an array in memory"))?,
    };
    Volume::shared(grid.clone(), values).map_err(|error| PyValueError::new_err(error.to_string()))
}
