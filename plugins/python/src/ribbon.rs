use crate::errors::exception;
use crate::surface::PySurface;
use brainmesh_core::Ribbon;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

/// The cortical ribbon: a pial and a white surface in vertex correspondence. `ValueError` unless they share their triangles.
#[pyclass(frozen, name = "Ribbon", module = "brainmesh")]
pub struct PyRibbon {
    pial: Py<PySurface>,
    white: Py<PySurface>,
}

#[pymethods]
impl PyRibbon {
    #[new]
    #[pyo3(signature = (pial: "Surface", white: "Surface"))]
    pub(crate) fn create(pial: Py<PySurface>, white: Py<PySurface>) -> PyResult<Self> {
        Ribbon::new(pial.get().surface.as_ref().clone(), white.get().surface.as_ref().clone()).map_err(exception)?;
        Ok(Self { pial, white })
    }

    /// Outer surface.
    #[getter]
    pub(crate) fn pial(&self, py: Python<'_>) -> Py<PySurface> {
        self.pial.clone_ref(py)
    }

    /// Inner surface.
    #[getter]
    pub(crate) fn white(&self, py: Python<'_>) -> Py<PySurface> {
        self.white.clone_ref(py)
    }

    /// Straight distance between corresponding vertices [n], mm.
    #[getter]
    fn thickness_mm<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        let pairs = self.pial.get().surface.vertices().iter().zip(self.white.get().surface.vertices());
        pairs.map(|(pial, white)| pial.distance_mm(*white)).collect::<Vec<f64>>().into_pyarray(py)
    }

    fn __len__(&self) -> usize {
        self.pial.get().surface.vertices().len()
    }

    fn __repr__(&self) -> String {
        format!("<Ribbon of {} vertices>", self.__len__())
    }
}
