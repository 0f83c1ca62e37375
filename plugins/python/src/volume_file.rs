use crate::arrays::{self, count};
use crate::volume::{PyVolume, stored_type};
use crate::work::{self, Caller};
use brainmesh_formats::{Scaling, StoredType, VolumeOptions, VolumeReader};
use numpy::PyArray2;
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// An opened volume file: its headers are read and checked, its voxels when asked for.
///
/// For files larger than memory, and for series (4-D). `dtype` is how values are stored; where they are scaled (`is_scaled`)
/// intensities are float32.
#[pyclass(frozen, name = "VolumeFile", module = "brainmesh")]
pub struct PyVolumeFile {
    reader: Arc<VolumeReader>,
}

impl PyVolumeFile {
    pub(crate) fn open(py: Python<'_>, path: PathBuf, series: Option<String>, repair: bool) -> PyResult<Self> {
        let reader = work::run(py, Caller::default(), move |_| {
            let mut options = VolumeOptions::default().with_repair(repair);
            if let Some(uid) = series {
                options = options.with_series(uid);
            }
            Ok(options.open(&path)?)
        })?;
        Ok(Self { reader: Arc::new(reader) })
    }

    /// How values are read: as the caller says, else as they are stored, or float32 where they are scaled.
    fn type_of(&self, py: Python<'_>, dtype: Option<&Bound<'_, PyAny>>) -> PyResult<StoredType> {
        match dtype {
            Some(dtype) => named_type(py, dtype),
            None if self.reader.info().scaling == Scaling::None => Ok(self.reader.stored()),
            None => Ok(StoredType::Float32),
        }
    }

    /// Tells Python what is odd about the file.
    pub(crate) fn warn(&self, py: Python<'_>) -> PyResult<()> {
        for warning in &self.reader.info().warnings {
            let text = format!("{}: {warning}", self.reader.path().display());
            py.import("warnings")?.call_method1("warn", (text,))?;
        }
        Ok(())
    }

    pub(crate) fn read_volume(
        &self,
        py: Python<'_>,
        index: usize,
        dtype: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyVolume> {
        PyVolume::read(py, Caller::default(), &self.reader, index, None, self.type_of(py, dtype)?)
    }
}

/// Whatever numpy takes for a type.
fn named_type(py: Python<'_>, dtype: &Bound<'_, PyAny>) -> PyResult<StoredType> {
    let name: String = py.import("numpy")?.call_method1("dtype", (dtype,))?.getattr("name")?.extract()?;
    stored_type(&name)
}

#[pymethods]
impl PyVolumeFile {
    #[new]
    #[pyo3(signature = (path: "str | os.PathLike[str]", *, series: "str | None" = None, repair: "bool" = false))]
    fn create(py: Python<'_>, path: PathBuf, series: Option<String>, repair: bool) -> PyResult<Self> {
        Self::open(py, path, series, repair)
    }

    /// The file or folder.
    #[getter]
    fn path(&self) -> String {
        self.reader.path().display().to_string()
    }

    /// Name of the format, such as 'NIfTI-1'.
    #[getter]
    fn format(&self) -> &'static str {
        self.reader.info().format
    }

    /// Voxels along i, j, k.
    #[getter]
    fn shape(&self) -> (usize, usize, usize) {
        self.reader.grid().shape().into()
    }

    /// Number of volumes: time points, echoes, colours.
    #[getter]
    fn volumes(&self) -> usize {
        self.reader.info().volumes
    }

    /// How values are stored.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("numpy")?.call_method1("dtype", (self.reader.stored().to_string(),))
    }

    /// Whether intensities are other numbers than the stored ones.
    #[getter]
    fn is_scaled(&self) -> bool {
        self.reader.info().scaling != Scaling::None
    }

    /// Whether a part is read without reading all of the file.
    #[getter]
    fn is_lazy(&self) -> bool {
        self.reader.info().lazy
    }

    /// Affine matrix [4, 4] from (i, j, k, 1) to RAS+ mm.
    #[getter]
    fn world_from_voxel<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<f64>> {
        arrays::matrix(py, self.reader.grid().affine())
    }

    /// Distance in mm between neighbouring voxel centres along i, j, k.
    #[getter]
    fn spacing_mm(&self) -> (f64, f64, f64) {
        self.reader.grid().spacing_mm().into()
    }

    /// Where i, j, k lead to, such as 'RAS'.
    #[getter]
    fn orientation(&self) -> String {
        self.reader.grid().orientation().to_string()
    }

    /// Names of labels, by value.
    #[getter]
    fn labels(&self) -> BTreeMap<i32, String> {
        self.reader.labels().0.iter().map(|(&value, label)| (value, label.name.clone())).collect()
    }

    /// Colours of labels (red, green, blue, alpha from 0 to 1), by value.
    #[getter]
    fn label_colors(&self) -> BTreeMap<i32, (f32, f32, f32, f32)> {
        self.reader.labels().0.iter().map(|(&value, label)| (value, label.rgba.into())).collect()
    }

    /// What is odd about the file, and what was done about it.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.reader.info().warnings.clone()
    }

    /// Reads volume `index`.
    #[pyo3(signature = (index: "int" = 0, dtype: "numpy.typing.DTypeLike | None" = None) -> "Volume")]
    fn read(&self, py: Python<'_>, index: i64, dtype: Option<&Bound<'_, PyAny>>) -> PyResult<PyVolume> {
        self.read_volume(py, count("index", index)?, dtype)
    }

    /// Reads voxels from `start` up to, not including, `stop` along i, j, k; its `world_from_voxel` is that of the part.
    #[pyo3(signature = (start: "tuple[int, int, int]", stop: "tuple[int, int, int]", *, index: "int" = 0, dtype: "numpy.typing.DTypeLike | None" = None) -> "Volume")]
    fn read_region(
        &self,
        py: Python<'_>,
        start: [i64; 3],
        stop: [i64; 3],
        index: i64,
        dtype: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyVolume> {
        let [mut first, mut end] = [[0; 3]; 2];
        for axis in 0..3 {
            (first[axis], end[axis]) = (count("start", start[axis])?, count("stop", stop[axis])?);
        }
        let region = [0, 1, 2].map(|axis: usize| first[axis]..end[axis]);
        let index = count("index", index)?;
        PyVolume::read(py, Caller::default(), &self.reader, index, Some(region), self.type_of(py, dtype)?)
    }

    /// Prepares for many regions: a compressed stream, which can only be read from its start, is decoded into memory once.
    #[pyo3(signature = () -> "None")]
    fn load(&self, py: Python<'_>) -> PyResult<()> {
        let reader = Arc::clone(&self.reader);
        work::run(py, Caller::default(), move |_| Ok(reader.load()?))
    }

    fn __repr__(&self) -> String {
        let [ni, nj, nk] = self.reader.grid().shape();
        let info = self.reader.info();
        format!("<VolumeFile {} {} {ni} x {nj} x {nk} {}>", self.reader.path().display(), info.format, info.stored)
    }
}
