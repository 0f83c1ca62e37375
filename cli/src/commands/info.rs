use super::info_text::print_text;
use super::print_line;
use crate::args::InfoCommand;
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::{Monitor, Stage};
use brainmesh_formats::{VolumeOptions, VolumeReader};
use serde_json::{Value, json};

pub fn run(arguments: &InfoCommand, progress: &Progress) -> Result<ExitCode> {
    let summary = describe(arguments, progress)?;
    progress.finish();
    if arguments.json {
        print_line(format!("{summary:#}"));
    } else if summary["kind"] == "model" {
        super::model_text::print_model(&summary);
    } else {
        print_text(&arguments.file, &summary);
    }
    Ok(ExitCode::Done)
}

/// What a file is: model, volume, surface, arrays, in this order; the first whose content it is.
fn describe(arguments: &InfoCommand, progress: &Progress) -> Result<Value> {
    let path = arguments.file.as_path();
    if !path.exists() {
        return Err(Error::Unusable(format!("{}: no such file or folder", path.display())));
    }
    if path.join("rdf.yaml").is_file() {
        return Ok(super::models::describe(&brainmesh_segmentation::Model::open(path)?));
    }
    let mut options = VolumeOptions::default().with_repair(arguments.repair);
    if let Some(uid) = &arguments.series {
        options = options.with_series(uid);
    }
    match options.open(path) {
        Ok(volume) => return describe_volume(&volume, arguments.stats, progress),
        Err(brainmesh_formats::Error::NotRecognised { .. }) if path.is_file() => {}
        Err(error) => return Err(error.into()),
    }
    let surface = match brainmesh_formats::surface_info(path) {
        Ok(surface) => return value("surface", Ok(surface)),
        Err(error) => error,
    };
    let is_map = path.to_string_lossy().ends_with(".gii");
    match brainmesh_formats::array_info(path) {
        Ok(arrays) => value("arrays", Ok(json!({ "arrays": arrays }))),
        // The error of the kind it was taken for.
        Err(_) if !is_map && !matches!(surface, brainmesh_formats::Error::NotRecognised { .. }) => Err(surface.into()),
        Err(error) => Err(error.into()),
    }
}

fn describe_volume(volume: &VolumeReader, stats: bool, progress: &Progress) -> Result<Value> {
    let mut summary = value("volume", Ok(volume.info()))?;
    if let Value::Object(fields) = &mut summary {
        let (low, high) = volume.grid().world_bounds();
        fields.insert("low_mm".into(), json!(low.to_array()));
        fields.insert("high_mm".into(), json!(high.to_array()));
        if volume.info().labels > 0 {
            let names: serde_json::Map<String, Value> =
                volume.labels().0.iter().map(|(value, label)| (value.to_string(), json!(label.name))).collect();
            fields.insert("label_names".into(), names.into());
        }
        if stats {
            fields.insert("stats".into(), statistics(volume, progress)?);
        }
    }
    Ok(summary)
}

/// Of all intensities of all volumes, in double precision.
fn statistics(volume: &VolumeReader, progress: &Progress) -> Result<Value> {
    let volumes = volume.info().volumes;
    let [ni, nj, nk] = volume.grid().shape();
    progress.stage("reading", (volume.grid().voxel_count() * volumes) as u64);
    volume.load()?;
    // 64 MiB of f64 at a time.
    let thickness = ((8 << 20) / (ni * nj)).clamp(1, nk);
    let (mut low, mut high, mut sum) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
    let (mut finite, mut nan, mut infinite) = (0u64, 0u64, 0u64);
    for index in 0..volumes {
        for start in (0..nk).step_by(thickness) {
            let region = [0..ni, 0..nj, start..(start + thickness).min(nk)];
            let slab = volume.read_region::<f64>(index, &region, &Stage(progress))?;
            let mut slab_sum = 0.0;
            for &value in slab.data() {
                if value.is_finite() {
                    (low, high) = (low.min(value), high.max(value));
                    slab_sum += value;
                    finite += 1;
                } else if value.is_nan() {
                    nan += 1;
                } else {
                    infinite += 1;
                }
            }
            sum += slab_sum;
        }
    }
    let of_some = |value: f64| if finite > 0 { json!(value) } else { Value::Null };
    Ok(json!({
        "min": of_some(low),
        "max": of_some(high),
        "mean": of_some(sum / finite as f64),
        "nan": nan,
        "infinite": infinite,
    }))
}

fn value(kind: &str, info: brainmesh_formats::Result<impl serde::Serialize>) -> Result<Value> {
    let mut value = serde_json::to_value(info?).map_err(|error| Error::Unusable(error.to_string()))?;
    if let Value::Object(fields) = &mut value {
        fields.insert("kind".into(), kind.into());
    }
    Ok(value)
}
