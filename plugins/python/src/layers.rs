use crate::argv::{Argv, engine};
use crate::given;
use crate::result::PyLayerResult;
use crate::work::{self, Caller};
use brainmesh_cli::args::Command;
use brainmesh_cli::{InMemory, Plan};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::path::PathBuf;

/// Six cortical layers, as seven surfaces, from a pial and a white surface and intensities.
///
/// `pial` and `white` are surfaces in vertex correspondence (RAS+ mm). Intensities come from `volume`, or as `profiles` [vertices,
/// depths] that were sampled elsewhere, or along `rays` of their own (a file). Paths, `Volume` and `Surface` give the same bytes.
/// Every other keyword is the option of `brainmesh rays2surface` of that name. `out` writes the folder that the command writes.
///
/// `progress(stage, done, total)` is called on this thread, at most 20 times a second. `cancel`, a callable or a
/// `threading.Event`, is asked as often; once it says yes, and on Ctrl-C, the call ends within half a second with `Cancelled`
/// (`KeyboardInterrupt`) and nothing is written.
///
/// Raises `OSError` and `ValueError` for inputs that cannot be read or used, `ModelError` for a model or engine that fails.
#[pyfunction]
#[pyo3(signature = (
    pial: "Surface | str | os.PathLike[str]",
    white: "Surface | str | os.PathLike[str]",
    volume: "Volume | str | os.PathLike[str] | None" = None,
    *,
    smoothed_volume: "Volume | str | os.PathLike[str] | None" = None,
    profiles: "numpy.typing.ArrayLike | str | os.PathLike[str] | None" = None,
    smoothed_profiles: "numpy.typing.ArrayLike | str | os.PathLike[str] | None" = None,
    rays: "str | os.PathLike[str] | None" = None,
    ray_distance_mm: "float | None" = None,
    profiles_span: "typing.Literal['extended', 'pial-white']" = "extended",
    profiles_depths: "typing.Literal['equivolumetric', 'equidistant']" = "equivolumetric",
    missing_value: "float | None" = None,
    min_thickness_mm: "float" = 0.5,
    mask: "numpy.typing.ArrayLike | str | os.PathLike[str] | None" = None,
    volume_index: "int" = 0,
    series: "str | None" = None,
    polarity: "typing.Literal['dark-is-dense', 'bright-is-dense']" = "dark-is-dense",
    interpolation: "typing.Literal['linear', 'cubic']" = "linear",
    extension_mm: "float" = 0.5,
    model: "str | os.PathLike[str] | None" = None,
    device: "str" = "auto",
    precision: "str" = "f32",
    onnxruntime: "str | os.PathLike[str] | None" = None,
    smoothing: "float | typing.Literal['auto'] | None" = None,
    min_gap_mm: "float" = 0.01,
    keep_crossings: "bool" = false,
    seed: "int" = 1609,
    max_defects: "int | str | None" = None,
    threads: "int | None" = None,
    out: "str | os.PathLike[str] | None" = None,
    formats: "collections.abc.Sequence[str]" = Vec::new(),
    progress: "collections.abc.Callable[[str, int, int], object] | None" = None,
    cancel: "collections.abc.Callable[[], bool] | threading.Event | None" = None,
) -> "LayerResult")]
#[expect(clippy::too_many_arguments, reason = "one for each option of the command")]
pub fn rays2surface(
    py: Python<'_>,
    pial: &Bound<'_, PyAny>,
    white: &Bound<'_, PyAny>,
    volume: Option<&Bound<'_, PyAny>>,
    smoothed_volume: Option<&Bound<'_, PyAny>>,
    profiles: Option<&Bound<'_, PyAny>>,
    smoothed_profiles: Option<&Bound<'_, PyAny>>,
    rays: Option<PathBuf>,
    ray_distance_mm: Option<f64>,
    profiles_span: &str,
    profiles_depths: &str,
    missing_value: Option<f32>,
    min_thickness_mm: f64,
    mask: Option<&Bound<'_, PyAny>>,
    volume_index: i64,
    series: Option<String>,
    polarity: &str,
    interpolation: &str,
    extension_mm: f64,
    model: Option<PathBuf>,
    device: &str,
    precision: &str,
    onnxruntime: Option<PathBuf>,
    smoothing: Option<Word>,
    min_gap_mm: f64,
    keep_crossings: bool,
    seed: i64,
    max_defects: Option<Word>,
    threads: Option<i64>,
    out: Option<PathBuf>,
    formats: Vec<String>,
    progress: Option<Py<PyAny>>,
    cancel: Option<Py<PyAny>>,
) -> PyResult<PyLayerResult> {
    let pial = given::surface(pial, "pial")?;
    let white = given::surface(white, "white")?;
    let volume = given::volume(volume, "volume")?;
    let smoothed_volume = given::volume(smoothed_volume, "smoothed_volume")?;
    let profiles = given::matrix(profiles, "profiles")?;
    let smoothed_profiles = given::matrix(smoothed_profiles, "smoothed_profiles")?;
    let mask = given::mask(mask)?;
    if volume.memory.is_some() {
        given::whole(volume_index != 0, series.is_some())?;
    }
    let argv = Argv::new(&["rays2surface"])
        .maybe("pial", pial.path)
        .maybe("white", white.path)
        .maybe("volume", volume.path)
        .maybe("smoothed-volume", smoothed_volume.path)
        .maybe("profiles", profiles.path)
        .maybe("smoothed-profiles", smoothed_profiles.path)
        .maybe("rays", rays)
        .number("ray-distance-mm", ray_distance_mm)
        .option("profiles-span", profiles_span)
        .option("profiles-depths", profiles_depths)
        .number("missing-value", missing_value)
        .number("min-thickness-mm", Some(min_thickness_mm))
        .maybe("mask", mask.path)
        .number("volume-index", Some(volume_index))
        .maybe("series", series)
        .option("polarity", polarity)
        .option("interpolation", interpolation)
        .number("extension-mm", Some(extension_mm))
        .maybe("model", model)
        .maybe("smoothing", smoothing.map(|word| word.0))
        .number("min-gap-mm", Some(min_gap_mm))
        .flag("keep-crossings", keep_crossings)
        .number("seed", Some(seed))
        .maybe("max-defects", max_defects.map(|word| word.0))
        .option("out", out.clone().unwrap_or_else(|| ".".into()))
        .maybe("format", (!formats.is_empty()).then(|| formats.join(",")));
    let Command::Rays2surface(arguments) = engine(py, argv, device, precision, onnxruntime)?.parse()? else {
        return Err(PyValueError::new_err("the command changed its name"));
    };
    let memory = InMemory {
        pial: pial.memory,
        white: white.memory,
        volume: volume.memory,
        smoothed_volume: smoothed_volume.memory,
        profiles: profiles.memory,
        smoothed_profiles: smoothed_profiles.memory,
        mask: mask.memory,
    };
    let solved = work::run(py, Caller::new(progress, cancel, threads), move |watch| {
        let plan = Plan::resolve(&arguments, &memory, watch.threads())?;
        drop(memory);
        match out {
            Some(out) => plan.run(&out, watch),
            None => plan.solve(watch),
        }
    })?;
    PyLayerResult::new(py, solved.results, solved.report.summary().join("\n"), solved.too_many_defects)
}

/// A number or a word, as the command line takes it.
pub struct Word(String);

impl<'py> FromPyObject<'_, 'py> for Word {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(object.str()?.to_string()))
    }
}
