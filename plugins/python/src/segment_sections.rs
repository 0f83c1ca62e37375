use crate::argv::{Argv, engine};
use crate::result::json;
use crate::work::{self, Caller};
use brainmesh_cli::args::{Command, SegmentArguments, SegmentSystem};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::path::PathBuf;

/// Where brain sections lie on a wafer: tissue and magnet parts with their corners, as GeoJSON (what `--geojson` writes).
///
/// `picture` and `fluorescence` are paths. Coordinates are pixels, y down, whole at the middle of a pixel; both parts of a section have one
/// `number`. What is odd is warned about (`UserWarning`). The other keywords are options of `brainmesh segment sections`;
/// `progress` and `cancel` as in `rays2surface`.
#[pyfunction]
#[pyo3(signature = (
    picture: "str | os.PathLike[str]",
    *,
    fluorescence: "str | os.PathLike[str] | None" = None,
    channel: "int | None" = None,
    fluorescence_channel: "int | None" = None,
    slice: "int | None" = None,
    scale: "float" = 1.0,
    min_confidence: "float" = 0.5,
    tile: "int" = 2048,
    model: "str | os.PathLike[str] | None" = None,
    device: "str" = "auto",
    precision: "str" = "f32",
    onnxruntime: "str | os.PathLike[str] | None" = None,
    threads: "int | None" = None,
    progress: "collections.abc.Callable[[str, int, int], object] | None" = None,
    cancel: "collections.abc.Callable[[], bool] | threading.Event | None" = None,
) -> "dict[str, typing.Any]")]
#[expect(clippy::too_many_arguments, reason = "one for each option of the command")]
pub fn segment_sections<'py>(
    py: Python<'py>,
    picture: PathBuf,
    fluorescence: Option<PathBuf>,
    channel: Option<i64>,
    fluorescence_channel: Option<i64>,
    slice: Option<i64>,
    scale: f64,
    min_confidence: f64,
    tile: i64,
    model: Option<PathBuf>,
    device: &str,
    precision: &str,
    onnxruntime: Option<PathBuf>,
    threads: Option<i64>,
    progress: Option<Py<PyAny>>,
    cancel: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let argv = Argv::new(&["segment", "sections"])
        .option("out", "result.magc")
        .maybe("fluorescence", fluorescence)
        .number("channel", channel)
        .number("fluorescence-channel", fluorescence_channel)
        .number("slice", slice)
        .number("scale", Some(scale))
        .number("min-confidence", Some(min_confidence))
        .number("tile", Some(tile))
        .maybe("model", model);
    let argv = engine(py, argv, device, precision, onnxruntime)?.positional([picture]);
    let renamed = || PyValueError::new_err("the command changed its name");
    let Command::Segment(arguments) = argv.parse()? else { return Err(renamed()) };
    let SegmentArguments::System(SegmentSystem::Sections(arguments)) = *arguments else { return Err(renamed()) };
    let (wafer, warnings) = work::run(py, Caller::new(progress, cancel, threads), move |watch| {
        brainmesh_cli::segment_sections(&arguments, watch.threads(), watch)
    })?;
    for warning in &warnings {
        py.import("warnings")?.call_method1("warn", (warning,))?;
    }
    json(py, &wafer.geojson().to_string())
}
