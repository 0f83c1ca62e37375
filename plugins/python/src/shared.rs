//! The one place of this crate that hands memory across: arrays that Rust reads, and arrays that read Rust's memory.
#![allow(unsafe_code)]

use brainmesh_core::{SharedValues, WorldPoint};
use ndarray::ArrayView2;
use numpy::{Element, PyArray2, PyArray3, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;
use std::sync::Arc;

/// Memory of a numpy array, which is kept alive.
struct ArrayMemory<T> {
    start: *const T,
    length: usize,
    _array: Py<PyArray3<T>>,
}

// SAFETY: the memory is only read, and belongs to an array that lives as long; see `values`.
unsafe impl<T: Send + Sync> Send for ArrayMemory<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for ArrayMemory<T> {}

impl<T> AsRef<[T]> for ArrayMemory<T> {
    fn as_ref(&self) -> &[T] {
        // SAFETY: `values` took both from an array whose memory is contiguous and aligned, and which is kept alive; numpy
        // does not move the memory of an array that somebody else holds. That nobody writes to it meanwhile is what the
        // documentation asks of the caller, as numpy itself does of code that releases the GIL.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }
}

/// The values of an array with the first axis fastest, without copying; `None` for another order in memory.
pub fn values<T: Element + Send + Sync + 'static>(array: &Bound<'_, PyArray3<T>>) -> Option<SharedValues<T>> {
    let start = array.data().cast_const();
    if !array.is_fortran_contiguous() || !start.is_aligned() {
        return None;
    }
    Some(Arc::new(ArrayMemory { start, length: array.len(), _array: array.clone().unbind() }))
}

/// `[points, 3]`, read-only, without copying: `owner` keeps the points alive and never changes them.
pub fn points_array<'py>(points: &[WorldPoint], owner: Bound<'py, PyAny>) -> Bound<'py, PyArray2<f64>> {
    // SAFETY: a `WorldPoint` is three `f64` in a row (`repr(transparent)` over glam's `repr(C)` vector).
    let view = unsafe { ArrayView2::from_shape_ptr((points.len(), 3), points.as_ptr().cast::<f64>()) };
    // SAFETY: the array's base is `owner`.
    let array = unsafe { PyArray2::borrow_from_array(&view, owner) };
    read_only(&array);
    array
}

/// `[triangles, 3]`, as [`points_array`].
pub fn triangles_array<'py>(triangles: &[[u32; 3]], owner: Bound<'py, PyAny>) -> Bound<'py, PyArray2<u32>> {
    let flat = triangles.as_flattened();
    // SAFETY: the shape is that of the slice.
    let view = unsafe { ArrayView2::from_shape_ptr((triangles.len(), 3), flat.as_ptr()) };
    // SAFETY: the array's base is `owner`.
    let array = unsafe { PyArray2::borrow_from_array(&view, owner) };
    read_only(&array);
    array
}

/// Makes writing to an array an error in Python.
pub fn read_only<T: Element>(array: &Bound<'_, PyArray2<T>>) {
    array.readwrite().make_nonwriteable();
}
