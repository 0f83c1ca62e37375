use crate::argv::{Argv, engine};
use crate::given;
use crate::volume::PyVolume;
use crate::work::{self, Caller};
use brainmesh_cli::args::{Command, SegmentArguments};
use brainmesh_core::Volume;
use brainmesh_segmentation::Segmentation;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::path::PathBuf;

/// Labels of voxels, or the probability of a class, by a model of images.
///
/// `model` is a name of `models.list()` or a folder with rdf.yaml. `volume` is a `Volume`, a list of them (one a channel), or a
/// path. `output` is 'labels' or 'probability:CLASS'; by default what the model is for. The result lies on the grid of the
/// input, whatever its orientation and spacing. The other keywords are options of `brainmesh segment`; `progress` and `cancel`
/// as in `rays2surface`.
#[pyfunction]
#[pyo3(signature = (
    model: "str | os.PathLike[str]",
    volume: "Volume | collections.abc.Sequence[Volume] | str | os.PathLike[str]",
    *,
    output: "str | None" = None,
    flips: "bool | None" = None,
    overlap: "float | None" = None,
    window: "collections.abc.Sequence[int]" = Vec::new(),
    volume_index: "int | None" = None,
    series: "str | None" = None,
    device: "str" = "auto",
    precision: "str" = "f32",
    onnxruntime: "str | os.PathLike[str] | None" = None,
    threads: "int | None" = None,
    progress: "collections.abc.Callable[[str, int, int], object] | None" = None,
    cancel: "collections.abc.Callable[[], bool] | threading.Event | None" = None,
) -> "Volume")]
#[expect(clippy::too_many_arguments, reason = "one for each option of the command")]
pub fn segment(
    py: Python<'_>,
    model: PathBuf,
    volume: &Bound<'_, PyAny>,
    output: Option<String>,
    flips: Option<bool>,
    overlap: Option<f64>,
    window: Vec<i64>,
    volume_index: Option<i64>,
    series: Option<String>,
    device: &str,
    precision: &str,
    onnxruntime: Option<PathBuf>,
    threads: Option<i64>,
    progress: Option<Py<PyAny>>,
    cancel: Option<Py<PyAny>>,
) -> PyResult<PyVolume> {
    let (path, volumes) = match volume.extract::<PathBuf>() {
        Ok(path) => (path, None),
        Err(_) => ("(in memory)".into(), Some(channels(volume)?)),
    };
    if volumes.is_some() {
        given::whole(volume_index.is_some(), series.is_some())?;
    }
    let window: Vec<String> = window.iter().map(i64::to_string).collect();
    let argv = Argv::new(&["segment"])
        .option("out", "result.nii.gz")
        .maybe("output", output)
        .number("flips", flips)
        .number("overlap", overlap)
        .maybe("window", (!window.is_empty()).then(|| window.join(",")))
        .number("volume", volume_index)
        .maybe("series", series);
    let argv = engine(py, argv, device, precision, onnxruntime)?.positional([model, path]);
    let Command::Segment(arguments) = argv.parse()? else {
        return Err(PyValueError::new_err("the command changed its name"));
    };
    let SegmentArguments::Model(arguments) = *arguments else {
        return Err(PyValueError::new_err("model: expected a model, found the name of a system; give its folder"));
    };
    let (segmented, labels) = work::run(py, Caller::new(progress, cancel, threads), move |watch| {
        brainmesh_cli::segment_volumes(&arguments, volumes.as_deref(), watch.threads(), watch)
    })?;
    match segmented.segmentation {
        Segmentation::Labels(volume) => PyVolume::new(py, volume, labels),
        Segmentation::WideLabels(volume) => PyVolume::new(py, volume, labels),
        Segmentation::Probability(volume) => PyVolume::new(py, volume, Default::default()),
    }
}

/// One volume, or a list of them.
fn channels(given: &Bound<'_, PyAny>) -> PyResult<Vec<Volume<f32>>> {
    if let Ok(volume) = given.cast::<PyVolume>() {
        return Ok(vec![volume.get().values(given.py())?]);
    }
    let expected = || PyValueError::new_err("volume: expected a Volume, a list of them, or a path");
    let list = given.try_iter().map_err(|_| expected())?;
    let volume = |item: PyResult<Bound<'_, PyAny>>| {
        let item = item?;
        item.cast::<PyVolume>().map_err(|_| expected())?.get().values(given.py())
    };
    let volumes = list.map(volume).collect::<PyResult<Vec<_>>>()?;
    if volumes.is_empty() { Err(expected()) } else { Ok(volumes) }
}
