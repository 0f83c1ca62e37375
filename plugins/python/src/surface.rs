use crate::arrays::{as_array, mapping, points, triangles};
use crate::errors::exception;
use crate::shared::{points_array, triangles_array};
use crate::work::{self, Caller};
use brainmesh_core::{Structure, Surface, WorldPoint};
use brainmesh_formats::{SurfaceFormat, VertexMaps};
use brainmesh_meshing::{DecimateOptions, Plane, contours, decimate};
use glam::DVec3;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A triangle mesh in the world.
///
/// `vertices` [n, 3] are RAS+ millimetres, `triangles` [m, 3] vertex indices, counter-clockwise seen from outside. Both are
/// copied and checked (finite, in range, no vertex twice in a triangle) when a surface is made, and cannot change afterwards:
/// the arrays it gives are read-only views of its own memory. `structure` is 'left', 'right' or 'unknown'.
///
/// >>> import brainmesh
/// >>> corners = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
/// >>> tetrahedron = brainmesh.Surface(corners, [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
/// >>> tetrahedron.euler_characteristic, round(tetrahedron.volume_mm3, 6)
/// (2, 0.166667)
#[pyclass(frozen, name = "Surface", module = "brainmesh")]
pub struct PySurface {
    pub(crate) surface: Arc<Surface>,
}

impl PySurface {
    pub(crate) fn new(surface: Surface) -> Self {
        Self { surface: Arc::new(surface) }
    }
}

#[pymethods]
impl PySurface {
    #[new]
    #[pyo3(signature = (vertices: "numpy.typing.ArrayLike", triangles: "numpy.typing.ArrayLike", *, structure: "typing.Literal['left', 'right', 'unknown']" = "unknown"))]
    fn create(vertices: &Bound<'_, PyAny>, triangles: &Bound<'_, PyAny>, structure: &str) -> PyResult<Self> {
        let structure = match structure {
            "left" => Structure::CortexLeft,
            "right" => Structure::CortexRight,
            "unknown" => Structure::Unknown,
            found => {
                return Err(PyValueError::new_err(format!(
                    "structure: expected left, right or unknown, found {found}"
                )));
            }
        };
        let surface = Surface::new(points(vertices, "vertices")?, self::triangles(triangles)?, structure);
        Ok(Self::new(surface.map_err(exception)?))
    }

    /// [n, 3] RAS+ mm, float64, read-only; shares the surface's memory.
    #[getter]
    fn vertices(slf: Bound<'_, Self>) -> Bound<'_, PyArray2<f64>> {
        points_array(slf.get().surface.vertices(), slf.clone().into_any())
    }

    /// [m, 3] vertex indices, uint32, read-only; shares the surface's memory.
    #[getter]
    fn triangles(slf: Bound<'_, Self>) -> Bound<'_, PyArray2<u32>> {
        triangles_array(slf.get().surface.triangles(), slf.clone().into_any())
    }

    /// Which part of the brain: 'left', 'right' or 'unknown'.
    #[getter]
    fn structure(&self) -> &'static str {
        match self.surface.structure() {
            Structure::CortexLeft => "left",
            Structure::CortexRight => "right",
            Structure::Unknown => "unknown",
        }
    }

    /// Sum of the triangles' areas.
    #[getter]
    fn area_mm2(&self) -> f64 {
        self.surface.area_mm2()
    }

    /// Enclosed volume, positive where normals point outward; means nothing for an open surface.
    #[getter]
    fn volume_mm3(&self) -> f64 {
        self.surface.signed_volume_mm3()
    }

    /// Vertices - edges + triangles: 2 for a sphere.
    #[getter]
    fn euler_characteristic(&self) -> i64 {
        self.surface.euler_characteristic()
    }

    /// Writes the surface. The ending of the name says the format; `format` does where it cannot (mni-obj, freesurfer). `maps` are
    /// values at the vertices by name, for formats that carry them: ply, vtk, vtp. 3D Slicer reads every one at its place.
    #[pyo3(signature = (path: "str | os.PathLike[str]", *, format: "str | None" = None, maps: "collections.abc.Mapping[str, numpy.typing.ArrayLike] | None" = None) -> "None")]
    fn save(
        &self,
        py: Python<'_>,
        path: PathBuf,
        format: Option<&str>,
        maps: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let maps: BTreeMap<String, Bound<'_, PyAny>> = mapping(py, maps)?.extract()?;
        let format = match format {
            Some(name) => brainmesh_cli::surface_format(name).map_err(exception)?,
            None => SurfaceFormat::from_path(&path).ok_or_else(|| {
                PyValueError::new_err(format!(
                    "{}: the ending says no surface format; name one by format=",
                    path.display()
                ))
            })?,
        };
        let mut named = VertexMaps::default();
        for (name, values) in maps {
            let array = as_array(&values, Some("float32"), Some("C"))?;
            let values = array.cast::<PyArray1<f32>>().map_err(|_| {
                let (n, found) = (self.surface.vertices().len(), array.shape());
                PyValueError::new_err(format!("maps: {name}: expected shape [{n}], found {found:?}"))
            })?;
            let values = values.readonly();
            named.push(name, values.as_array().to_vec()).map_err(exception)?;
        }
        if !named.is_empty() && !format.carries_maps() {
            return Err(PyValueError::new_err(format!("maps: {} carries none; ply, vtk and vtp do", format.name())));
        }
        let surface = Arc::clone(&self.surface);
        work::run(py, Caller::default(), move |_| {
            let maps = (!named.is_empty()).then_some(&named);
            Ok(brainmesh_formats::write_surface(&path, &surface, format, maps)?)
        })
    }

    /// Where a plane cuts the surface: polylines [k, 3] in RAS+ mm. A closed one ends at the point it begins with.
    #[pyo3(signature = (origin: "numpy.typing.ArrayLike", normal: "numpy.typing.ArrayLike") -> "list[numpy.typing.NDArray[numpy.float64]]")]
    fn contours<'py>(
        &self,
        py: Python<'py>,
        origin: [f64; 3],
        normal: [f64; 3],
    ) -> PyResult<Vec<Bound<'py, PyArray2<f64>>>> {
        let plane = Plane::new(WorldPoint(DVec3::from_array(origin)), DVec3::from_array(normal)).map_err(exception)?;
        let surface = Arc::clone(&self.surface);
        let found = work::run(py, Caller::default(), move |_| Ok(contours(&surface, &plane)))?;
        let array = |line: brainmesh_meshing::Contour| {
            let mut points: Vec<[f64; 3]> = line.points.iter().map(|p| p.to_array()).collect();
            if line.closed
                && let Some(&first) = points.first()
            {
                points.push(first);
            }
            ndarray::Array2::from(points).into_pyarray(py)
        };
        Ok(found.into_iter().map(array).collect())
    }

    /// The surface with about this share of its triangles, no further than `max_error_mm` from where it was.
    #[pyo3(signature = (share: "float", *, max_error_mm: "float | None" = None) -> "Surface")]
    fn decimate(&self, py: Python<'_>, share: f64, max_error_mm: Option<f64>) -> PyResult<Self> {
        if !(share > 0.0 && share <= 1.0) {
            return Err(PyValueError::new_err(format!("share: expected above 0 and at most 1, found {share}")));
        }
        let options = DecimateOptions {
            target_triangles: (self.surface.triangles().len() as f64 * share).round() as usize,
            max_error_mm: max_error_mm.unwrap_or(f64::INFINITY),
            lock_borders: false,
        };
        let surface = Arc::clone(&self.surface);
        let decimated = work::run(py, Caller::default(), move |_| Ok(decimate(&surface, &options)?))?;
        Ok(Self::new(decimated.surface))
    }

    /// As a mesh of trimesh, with the same vertices in the same order.
    #[pyo3(signature = () -> "typing.Any")]
    fn to_trimesh<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("brainmesh._interop")?.call_method1("surface_to_trimesh", (slf,))
    }

    /// Of a mesh of trimesh, whose coordinates must be RAS+ mm.
    #[staticmethod]
    #[pyo3(signature = (mesh: "typing.Any") -> "Surface")]
    fn from_trimesh<'py>(mesh: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        mesh.py().import("brainmesh._interop")?.call_method1("surface_from_trimesh", (mesh,))
    }

    /// Draws the surface with pyvista, else with matplotlib, whichever is installed; `values` at the vertices give colours.
    /// Keywords go on to `brainmesh.view.surface`.
    #[pyo3(signature = (values: "numpy.typing.ArrayLike | None" = None, **keywords: "typing.Any") -> "typing.Any")]
    fn show<'py>(
        slf: Bound<'py, Self>,
        values: Option<Bound<'py, PyAny>>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("brainmesh.view")?.call_method("surface", (slf, values), keywords)
    }

    /// So that surfaces can be copied, pickled, and sent to other processes.
    fn __reduce__<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("brainmesh._interop")?.call_method1("reduce_surface", (slf,))
    }

    fn __repr__(&self) -> String {
        let (vertices, triangles) = (self.surface.vertices().len(), self.surface.triangles().len());
        format!("<Surface of {vertices} vertices and {triangles} triangles, {}>", self.structure())
    }
}
