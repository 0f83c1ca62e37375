use crate::argv::{Argv, engine};
use crate::volume::PyVolume;
use crate::work::{self, Caller};
use brainmesh_cli::args::{Command, SegmentArguments, SegmentSystem};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::path::PathBuf;

/// Where cells are in electron micrographs: the probability of a cell's interior, and numbers of the cells or None.
///
/// `micrographs` is a `Volume` whose slices along its third axis are segmented one by one, or a path (a stack, a picture, a folder of
/// pictures). `instances` numbers the cells of every slice, no number in two slices; they touch, unless `keep_borders`.
/// `pixel_nm` states the size of a pixel; a spacing of 1 mm in a world `unregistered` is not known, and taken as the network's.
/// What is odd about the micrographs is warned about (`UserWarning`). The other keywords are options of
/// `brainmesh segment membrane`; `progress` and `cancel` as in `rays2surface`.
#[pyfunction]
#[pyo3(signature = (
    micrographs: "Volume | str | os.PathLike[str]",
    *,
    instances: "bool" = false,
    keep_borders: "bool" = false,
    threshold: "float" = 0.5,
    pixel_nm: "float | None" = None,
    channel: "int | None" = None,
    flips: "bool | None" = None,
    model: "str | os.PathLike[str] | None" = None,
    device: "str" = "auto",
    precision: "str" = "f32",
    onnxruntime: "str | os.PathLike[str] | None" = None,
    threads: "int | None" = None,
    progress: "collections.abc.Callable[[str, int, int], object] | None" = None,
    cancel: "collections.abc.Callable[[], bool] | threading.Event | None" = None,
) -> "tuple[Volume, Volume | None]")]
#[expect(clippy::too_many_arguments, reason = "one for each option of the command")]
pub fn segment_membrane(
    py: Python<'_>,
    micrographs: &Bound<'_, PyAny>,
    instances: bool,
    keep_borders: bool,
    threshold: f64,
    pixel_nm: Option<f64>,
    channel: Option<i64>,
    flips: Option<bool>,
    model: Option<PathBuf>,
    device: &str,
    precision: &str,
    onnxruntime: Option<PathBuf>,
    threads: Option<i64>,
    progress: Option<Py<PyAny>>,
    cancel: Option<Py<PyAny>>,
) -> PyResult<(PyVolume, Option<PyVolume>)> {
    let (path, volume) = match micrographs.extract::<PathBuf>() {
        Ok(path) => (path, None),
        Err(_) => {
            let expected = || PyValueError::new_err("micrographs: expected a Volume or a path");
            let volume = micrographs.cast::<PyVolume>().map_err(|_| expected())?.get().values(py)?;
            ("(in memory)".into(), Some(volume))
        }
    };
    let argv = Argv::new(&["segment", "membrane"])
        .option("out", "result.tif")
        .flag("instances", instances)
        .flag("keep-borders", keep_borders)
        .number("threshold", Some(threshold))
        .number("pixel-nm", pixel_nm)
        .number("channel", channel)
        .number("flips", flips)
        .maybe("model", model);
    let argv = engine(py, argv, device, precision, onnxruntime)?.positional([path]);
    let renamed = || PyValueError::new_err("the command changed its name");
    let Command::Segment(arguments) = argv.parse()? else { return Err(renamed()) };
    let SegmentArguments::System(SegmentSystem::Membrane(arguments)) = *arguments else { return Err(renamed()) };
    let found = work::run(py, Caller::new(progress, cancel, threads), move |watch| {
        brainmesh_cli::segment_membrane(&arguments, volume, watch.threads(), watch)
    })?;
    for warning in &found.warnings {
        py.import("warnings")?.call_method1("warn", (warning,))?;
    }
    let cells = found.cells.map(|cells| PyVolume::new(py, cells.labels, Default::default())).transpose()?;
    Ok((PyVolume::new(py, found.probability, Default::default())?, cells))
}
