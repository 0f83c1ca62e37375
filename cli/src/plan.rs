use crate::args::{EngineArguments, Rays2surface};
use crate::given::InMemory;
use crate::input::{InputPlan, Span};
use crate::{Error, Result};
use brainmesh_formats::SurfaceFormat;
use brainmesh_meshing::{DecodeOptions, LayerDurations, SmoothOptions, Smoothing};
use brainmesh_segmentation::{Device, Model, Precision, RayTask, Session, SessionOptions};
use serde_json::json;
use std::str::FromStr;

/// What `rays2surface` will do: arguments checked, files found, model opened, nothing computed.
pub struct Plan {
    pub(crate) inputs: InputPlan,
    pub(crate) formats: Vec<SurfaceFormat>,
    pub(crate) model: Model,
    pub(crate) task: RayTask,
    pub(crate) session: SessionOptions,
    pub(crate) smoothing: Smoothing,
    pub(crate) min_gap_mm: f64,
    pub(crate) keep_crossings: bool,
    pub(crate) seed: u64,
    pub(crate) max_defects: Option<Limit>,
}

/// The most defects a run may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Limit {
    Count(usize),
    Percent(f64),
}

impl Limit {
    /// Whether `defects` of `rays` are too many.
    pub(crate) fn exceeded(self, defects: usize, rays: usize) -> bool {
        match self {
            Self::Count(limit) => defects > limit,
            Self::Percent(percent) => defects as f64 > percent / 100.0 * rays as f64,
        }
    }
}

impl FromStr for Limit {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        let found = match word.strip_suffix('%') {
            Some(percent) => percent.parse().ok().filter(|p| (0.0..=100.0).contains(p)).map(Self::Percent),
            None => word.parse().ok().map(Self::Count),
        };
        found.ok_or_else(|| {
            Error::Usage(format!("--max-defects: expected a number or a percentage like 2%, found {word}"))
        })
    }
}

/// The shipped model for rays that cover this much.
pub(crate) fn default_model(span: Span) -> &'static str {
    match span {
        Span::Extended { .. } => "cortical-layers",
        Span::PialWhite => "cortical-layers-ribbon",
    }
}

/// How boundaries are found with a model: as its span and its calibration say.
pub fn decode_options(task: &RayTask) -> DecodeOptions {
    let defaults = DecodeOptions::default();
    let shares = task.layer_fractions.filter(|_| task.durations);
    DecodeOptions {
        evidence: task.evidence.unwrap_or(defaults.evidence),
        durations: shares.map(|s| LayerDurations { mean: s.mean, sd: s.sd, absent: s.absent }),
        ribbon_only: task.span == brainmesh_segmentation::Span::PialWhite,
        sd_scale: task.sd_scale.unwrap_or(defaults.sd_scale),
        ..defaults
    }
}

/// Engine options from the command line.
///
/// # Errors
/// [`Error::Usage`] for an unknown device or precision, or a runtime library that does not exist.
pub(crate) fn session_options(arguments: &EngineArguments, threads: usize) -> Result<SessionOptions> {
    let usage = |option: &str, error: brainmesh_segmentation::Error| Error::Usage(format!("{option}: {error}"));
    let device = arguments.device.parse::<Device>().map_err(|error| usage("--device", error))?;
    let precision = arguments.precision.parse::<Precision>().map_err(|error| usage("--precision", error))?;
    let options = SessionOptions::default().with_device(device).with_precision(precision).with_threads(threads);
    match &arguments.onnxruntime {
        Some(path) if !path.is_file() => Err(Error::Usage(format!("--onnxruntime {}: no such file", path.display()))),
        Some(path) => Ok(options.with_library(path)),
        None => Ok(options),
    }
}

impl Plan {
    /// From arguments, and what the caller has in memory; `threads` 0 means all cores.
    ///
    /// # Errors
    /// Everything that can be known before computing: options, files that do not exist, a model that cannot be opened or
    /// does not fit the span of the rays.
    pub fn resolve(arguments: &Rays2surface, memory: &InMemory, threads: usize) -> Result<Self> {
        let inputs = InputPlan::resolve(&arguments.inputs, memory)?;
        let formats = arguments.format.iter().map(|name| surface_format(name)).collect::<Result<_>>()?;
        let smoothing = match arguments.smoothing.as_str() {
            "auto" => Smoothing::Auto { seed: arguments.seed },
            word => match word.parse::<f64>() {
                Ok(length_mm) if (0.0..=1000.0).contains(&length_mm) => Smoothing::LengthMm(length_mm),
                _ => return Err(Error::Usage(format!("--smoothing: expected auto or 0 to 1000, found {word}"))),
            },
        };
        let min_gap_mm = arguments.min_gap_mm;
        if !(0.0..=1.0).contains(&min_gap_mm) {
            return Err(Error::Usage(format!("--min-gap-mm: expected 0 to 1, found {min_gap_mm}")));
        }
        let max_defects = arguments.max_defects.as_deref().map(str::parse).transpose()?;
        let session = session_options(&arguments.engine, threads)?;
        let model = Model::find(arguments.model.as_deref().unwrap_or(default_model(inputs.span)))?;
        let task = model.manifest().rays()?.clone();
        let fits = match (task.span, inputs.span) {
            (brainmesh_segmentation::Span::Extended, Span::Extended { extension_mm }) => {
                extension_mm == task.extension_mm
            }
            (brainmesh_segmentation::Span::PialWhite, Span::PialWhite) => true,
            _ => false,
        };
        if !fits {
            return Err(Error::Usage(format!(
                "model {} is for {}, the rays are {}; choose another --model, --profiles-span or --extension-mm",
                model.manifest().name,
                describe_span(&task),
                match inputs.span {
                    Span::Extended { extension_mm } => format!("extended by {extension_mm} mm"),
                    Span::PialWhite => "from pia to white surface".into(),
                }
            )));
        }
        Ok(Self {
            inputs,
            formats,
            model,
            task,
            session,
            smoothing,
            min_gap_mm,
            keep_crossings: arguments.keep_crossings,
            seed: arguments.seed,
            max_defects,
        })
    }

    /// Opens the engine the plan asks for.
    ///
    /// # Errors
    /// A device or runtime that cannot be had.
    pub fn open_session(&self) -> Result<Session> {
        Ok(self.session.open(&self.model)?)
    }

    /// How boundaries are smoothed: as asked for, with the model's calibration.
    pub(crate) fn smooth_options(&self) -> SmoothOptions {
        let defaults = SmoothOptions::default();
        SmoothOptions {
            smoothing: self.smoothing,
            min_gap_mm: self.min_gap_mm,
            smoothed_sd_scale: self.task.smoothed_sd_scale.unwrap_or(defaults.smoothed_sd_scale),
            ..defaults
        }
    }

    /// Everything that shapes the result, for the report and `--dry-run`.
    pub fn parameters(&self) -> serde_json::Value {
        json!({
            "inputs": self.inputs,
            "smoothing": match self.smoothing {
                Smoothing::Auto { .. } => json!("auto"),
                Smoothing::LengthMm(length_mm) => json!(length_mm),
            },
            "min_gap_mm": self.min_gap_mm,
            "keep_crossings": self.keep_crossings,
            "evidence": self.task.evidence,
            "durations": self.task.durations,
            "sd_scale": decode_options(&self.task).sd_scale,
            "smoothed_sd_scale": self.smooth_options().smoothed_sd_scale,
            "seed": self.seed,
        })
    }
}

fn describe_span(task: &RayTask) -> String {
    match task.span {
        brainmesh_segmentation::Span::Extended => format!("rays extended by {} mm", task.extension_mm),
        brainmesh_segmentation::Span::PialWhite => "rays from pia to white surface".into(),
    }
}

/// The surface format of a name of `--format`.
///
/// # Errors
/// [`Error::Usage`] for another name.
pub fn surface_format(name: &str) -> Result<SurfaceFormat> {
    Ok(match name {
        "gii" | "gifti" => SurfaceFormat::Gifti,
        "ply" => SurfaceFormat::Ply,
        "glb" => SurfaceFormat::Glb,
        "obj" => SurfaceFormat::Obj,
        "stl" => SurfaceFormat::Stl,
        "vtk" => SurfaceFormat::Vtk,
        "vtp" => SurfaceFormat::Vtp,
        "mz3" => SurfaceFormat::Mz3,
        "freesurfer" => SurfaceFormat::FreeSurfer,
        "mni-obj" => SurfaceFormat::MniObj,
        _ => {
            return Err(Error::Usage(format!(
                "--format: expected gii, ply, glb, obj, stl, vtk, vtp, mz3, freesurfer or mni-obj, found {name}"
            )));
        }
    })
}
