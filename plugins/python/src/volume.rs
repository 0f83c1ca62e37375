use crate::arrays::{self, Value, as_array, mapping, type_name};
use crate::errors::exception;
use crate::work::{self, Caller};
use brainmesh_core::{Grid, LabelTable, Monitor, Volume};
use brainmesh_formats::{StoredType, VolumeReader, VolumeWriter};
use numpy::{PyArray2, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Does `$body` with `$T` standing for the type of values that `$stored` names.
macro_rules! of_type {
    ($stored:expr, $T:ident => $body:expr) => {
        match $stored {
            StoredType::Int8 => {
                type $T = i8;
                $body
            }
            StoredType::Uint8 => {
                type $T = u8;
                $body
            }
            StoredType::Int16 => {
                type $T = i16;
                $body
            }
            StoredType::Uint16 => {
                type $T = u16;
                $body
            }
            StoredType::Int32 => {
                type $T = i32;
                $body
            }
            StoredType::Uint32 => {
                type $T = u32;
                $body
            }
            StoredType::Int64 => {
                type $T = i64;
                $body
            }
            StoredType::Uint64 => {
                type $T = u64;
                $body
            }
            StoredType::Float32 => {
                type $T = f32;
                $body
            }
            StoredType::Float64 => {
                type $T = f64;
                $body
            }
        }
    };
}

/// A scalar volume: values on voxels, and where these lie in the world (RAS+ millimetres).
///
/// `data` is an array [ni, nj, nk], which is kept as it is: not copied where it holds numbers of 1 to 8 bytes in this machine's
/// order. It must not change while a function of brainmesh works on it. `world_from_voxel` is an affine matrix [4, 4] from voxel
/// coordinates (i, j, k, 1), whole at voxel centres; it may be oblique, mirrored or sheared. `labels` names values.
///
/// >>> import brainmesh, numpy
/// >>> volume = brainmesh.Volume(numpy.zeros((4, 5, 6), "float32"), numpy.diag([-2, 2, 2, 1]))
/// >>> volume.shape, volume.spacing_mm, volume.orientation
/// ((4, 5, 6), (2.0, 2.0, 2.0), 'LAS')
#[pyclass(frozen, name = "Volume", module = "brainmesh")]
pub struct PyVolume {
    data: Py<PyUntypedArray>,
    pub(crate) grid: Grid,
    table: LabelTable,
}

impl PyVolume {
    /// Takes over a volume; nothing is copied.
    pub(crate) fn new<T: Value>(py: Python<'_>, volume: Volume<T>, table: LabelTable) -> PyResult<Self> {
        let (grid, data) = arrays::into_array(py, volume)?;
        Ok(Self { data: data.as_untyped().clone().unbind(), grid, table })
    }

    /// Its values as `T`, which share memory with the array where that holds them so.
    pub(crate) fn values<T: Value>(&self, py: Python<'_>) -> PyResult<Volume<T>> {
        arrays::volume(&self.grid, self.data.bind(py))
    }

    /// Its values as labels.
    ///
    /// # Errors
    /// `ValueError` for values that are not whole numbers of 0 and more.
    pub(crate) fn labels_u32(&self, py: Python<'_>) -> PyResult<Volume<u32>> {
        let stored = self.stored(py)?;
        if stored == StoredType::Uint8 || stored == StoredType::Uint16 || stored == StoredType::Uint32 {
            return self.values(py);
        }
        let values: Volume<f64> = self.values(py)?;
        let is_label = |v: &f64| v.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(v);
        if let Some(found) = values.data().iter().find(|v| !is_label(v)) {
            return Err(PyValueError::new_err(format!("labels: expected whole numbers from 0, found {found}")));
        }
        let data = values.data().iter().map(|&v| v as u32).collect();
        Volume::new(self.grid.clone(), data).map_err(exception)
    }

    fn stored(&self, py: Python<'_>) -> PyResult<StoredType> {
        stored_type(&type_name(self.data.bind(py))?)
    }

    /// Reads one volume of an open file, as the type that is named or as it is stored.
    pub(crate) fn read(
        py: Python<'_>,
        caller: Caller,
        reader: &std::sync::Arc<VolumeReader>,
        index: usize,
        region: Option<brainmesh_formats::Region>,
        dtype: StoredType,
    ) -> PyResult<Self> {
        let region = region.unwrap_or_else(|| reader.grid().shape().map(|n| 0..n));
        let table = reader.labels().clone();
        let reader = std::sync::Arc::clone(reader);
        of_type!(dtype, T => {
            let volume = work::run(py, caller, move |watch| Ok(reader.read_region::<T>(index, &region, watch)?))?;
            Self::new(py, volume, table)
        })
    }
}

/// The type a name of numpy's stands for.
pub fn stored_type(name: &str) -> PyResult<StoredType> {
    StoredType::from_name(name).ok_or_else(|| {
        let all = StoredType::ALL.map(|stored| stored.to_string()).join(", ");
        PyValueError::new_err(format!("dtype: expected one of {all}, found {name}"))
    })
}

#[pymethods]
impl PyVolume {
    #[new]
    #[pyo3(signature = (data: "numpy.typing.ArrayLike", world_from_voxel: "numpy.typing.ArrayLike", *, labels: "collections.abc.Mapping[int, str] | None" = None))]
    fn create(
        data: &Bound<'_, PyAny>,
        world_from_voxel: &Bound<'_, PyAny>,
        labels: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut array = as_array(data, None, None)?;
        match array.shape() {
            [_, _, _] => {}
            shape => return Err(PyValueError::new_err(format!("data: expected shape [ni, nj, nk], found {shape:?}"))),
        }
        let name = type_name(&array)?;
        if name == "bool" {
            array = as_array(&array, Some("uint8"), None)?;
        } else if name == "float16" {
            array = as_array(&array, Some("float32"), None)?;
        } else {
            let stored = stored_type(&name)?.to_string();
            // The same array, unless its bytes are in another order.
            array = as_array(&array, Some(&stored), None)?;
        }
        let shape = array.shape();
        let grid = arrays::grid([shape[0], shape[1], shape[2]], world_from_voxel)?;
        let mut table = LabelTable::default();
        for (value, name) in mapping(data.py(), labels)?.extract::<BTreeMap<i64, String>>()? {
            let value = i32::try_from(value)
                .map_err(|_| PyValueError::new_err(format!("labels: expected values of 32 bits, found {value}")))?;
            table.insert(value, name, color(value));
        }
        Ok(Self { data: array.unbind(), grid, table })
    }

    /// Values [ni, nj, nk].
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Bound<'py, PyUntypedArray> {
        self.data.bind(py).clone()
    }

    /// Voxels along i, j, k.
    #[getter]
    fn shape(&self) -> (usize, usize, usize) {
        self.grid.shape().into()
    }

    /// Affine matrix [4, 4] from (i, j, k, 1) to RAS+ mm.
    #[getter]
    fn world_from_voxel<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<f64>> {
        arrays::matrix(py, self.grid.affine())
    }

    /// Distance in mm between neighbouring voxel centres along i, j, k.
    #[getter]
    fn spacing_mm(&self) -> (f64, f64, f64) {
        self.grid.spacing_mm().into()
    }

    /// Where i, j, k lead to: 'RAS' is right, anterior, superior; oblique axes by the nearest.
    #[getter]
    fn orientation(&self) -> String {
        self.grid.orientation().to_string()
    }

    /// Names of labels, by value; empty where there are none.
    #[getter]
    fn labels(&self) -> BTreeMap<i32, String> {
        self.table.0.iter().map(|(&value, label)| (value, label.name.clone())).collect()
    }

    /// Colours of labels (red, green, blue, alpha from 0 to 1), by value.
    #[getter]
    fn label_colors(&self) -> BTreeMap<i32, (f32, f32, f32, f32)> {
        self.table.0.iter().map(|(&value, label)| (value, label.rgba.into())).collect()
    }

    /// Writes the volume; the ending of the name says the format. The file appears whole or not at all. OME-Zarr and segmentations
    /// of 3D Slicer (.seg.nrrd) keep the names of labels, other formats have no place for them.
    #[pyo3(signature = (path: "str | os.PathLike[str]") -> "None")]
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let writer = VolumeWriter::default().with_labels(self.table.clone());
        of_type!(self.stored(py)?, T => {
            let volume = self.values::<T>(py)?;
            work::run(py, Caller::default(), move |watch| {
                let monitor: &dyn Monitor = watch;
                Ok(writer.write(&path, std::slice::from_ref(&volume), monitor)?)
            })
        })
    }

    /// As an image of nibabel, whose affine is `world_from_voxel`.
    #[pyo3(signature = () -> "typing.Any")]
    fn to_nibabel<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("brainmesh._interop")?.call_method1("volume_to_nibabel", (slf,))
    }

    /// Of a 3-D image of nibabel, scaled as its header says.
    #[staticmethod]
    #[pyo3(signature = (image: "typing.Any") -> "Volume")]
    fn from_nibabel<'py>(image: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        image.py().import("brainmesh._interop")?.call_method1("volume_from_nibabel", (image,))
    }

    /// So that volumes can be copied, pickled, and sent to other processes.
    fn __reduce__<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("brainmesh._interop")?.call_method1("reduce_volume", (slf,))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let ([ni, nj, nk], [x, y, z]) = (self.grid.shape(), self.grid.spacing_mm());
        let dtype = type_name(self.data.bind(py))?;
        Ok(format!("<Volume {ni} x {nj} x {nk} of {x:.4} x {y:.4} x {z:.4} mm, {}, {dtype}>", self.grid.orientation()))
    }
}

/// A colour of its own for a label: hues a golden angle apart.
fn color(value: i32) -> [f32; 4] {
    let hue = (value as f32 * 137.508).rem_euclid(360.0) / 60.0;
    let x = 1.0 - (hue % 2.0 - 1.0).abs();
    let [r, g, b] = match hue as u32 {
        0 => [1.0, x, 0.0],
        1 => [x, 1.0, 0.0],
        2 => [0.0, 1.0, x],
        3 => [0.0, x, 1.0],
        4 => [x, 0.0, 1.0],
        _ => [1.0, 0.0, x],
    };
    [r, g, b, 1.0]
}
