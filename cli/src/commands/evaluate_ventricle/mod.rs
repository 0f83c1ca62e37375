//! `evaluate ventricle`: masks or contours of frames against those of an expert.

mod draw;
mod frame_files;
mod pairs;
mod pictures;
mod spacing;

use super::evaluation::{number, publish};
use super::print_line;
use crate::args::{EvaluateVentricle, MissingArg};
use crate::score::{FrameScores, VentricleScores, score_outlines};
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::Monitor;
use draw::draw_both;
use frame_files::{FrameFiles, FrameKey, Patients, frames_in, read_patients};
use pairs::pair;
use rayon::prelude::*;
use serde_json::{Value, json};
use spacing::Spacing;

pub fn run(arguments: &EvaluateVentricle, progress: &Progress) -> Result<ExitCode> {
    let json = evaluate_ventricle(arguments, progress)?;
    progress.finish();
    publish(&arguments.output, &json, || print(&json))
}

/// What `evaluate ventricle --json` prints.
///
/// # Errors
/// Folders without frames or without any in common, frames without a result (unless allowed), files that are no masks or
/// contours, pictures of different sizes.
pub fn evaluate_ventricle(arguments: &EvaluateVentricle, monitor: &dyn Monitor) -> Result<Value> {
    let patients = arguments.patients.as_deref().map_or(Ok(Patients::new()), read_patients)?;
    let mut warnings = Vec::new();
    let found = frames_in(&arguments.found, arguments.contour, &patients, &mut warnings)?;
    let truth = frames_in(&arguments.truth, arguments.contour, &patients, &mut warnings)?;
    let pairs = pair((&arguments.found, &found), (&arguments.truth, &truth), arguments.one_patient)?;
    let missing: Vec<_> = pairs.frames.iter().filter(|(.., found)| found.is_none()).collect();
    if arguments.missing == MissingArg::Error && !missing.is_empty() {
        let first: Vec<_> = missing.iter().take(3).map(|(_, truth, _)| truth.any().display().to_string()).collect();
        return Err(Error::Unusable(format!(
            "{}: expected a result for each of {} frames, found none for {}, the first {}; --missing empty counts them as \
             nothing found, --missing skip leaves them out",
            arguments.found.display(),
            pairs.frames.len(),
            missing.len(),
            first.join(", ")
        )));
    }
    let count = missing.len();
    let spacing = Spacing::of(arguments, &patients)?;
    let is_scored = |found: Option<&FrameFiles>| found.is_some() || arguments.missing != MissingArg::Skip;
    let keys = pairs.frames.iter().filter(|(.., found)| is_scored(*found)).map(|(key, ..)| *key);
    warnings.extend(spacing.warning(keys));
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    monitor.stage("scoring", pairs.frames.len() as u64);
    let scored = |(key, truth, found): &(&FrameKey, &FrameFiles, Option<&FrameFiles>)| -> Result<Option<FrameScores>> {
        monitor.check()?;
        let found = match (found, arguments.missing) {
            (None, MissingArg::Skip) => return Ok(None),
            (found, _) => *found,
        };
        let (mm, picture) = spacing.of_frame(key)?;
        let both = draw_both(truth, found, picture, monitor)?;
        let scores = score_outlines(&both.truth, &both.found, both.size, mm);
        monitor.advance(1);
        let true_pixels = both.truth.mask.iter().filter(|&&inside| inside).count();
        Ok(Some(FrameScores { patient: key.patient.clone(), frame: key.frame.clone(), true_pixels, scores }))
    };
    let frames: Vec<FrameScores> =
        pairs.frames.par_iter().map(scored).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    if let Some(folder) = &arguments.output.pictures {
        pictures::write(arguments, folder, &pairs, &frames, &patients, monitor)?;
    }
    let pooled = VentricleScores::new(&frames);
    Ok(json!({
        "schema": "brainmesh-evaluate-ventricle-1",
        "found": arguments.found.display().to_string(),
        "truth": arguments.truth.display().to_string(),
        "spacing": spacing.source(),
        "spacing_mm": if let Spacing::One([columns, rows], _) = &spacing { json!([rows, columns]) } else { Value::Null },
        "warnings": warnings,
        "missing": count,
        "found_without_truth": pairs.without_truth,
        "pooled": pooled,
        "cases": frames,
    }))
}

fn print(json: &Value) {
    let pooled = &json["pooled"];
    let missing = match json["missing"].as_u64() {
        Some(0) | None => String::new(),
        Some(n) => format!(", {n} without a result"),
    };
    let spacing = match json["spacing"].as_str() {
        Some("nominal") => "nominal (1.37 mm)",
        Some("dicom") => "of the DICOM files",
        _ => "as given",
    };
    print_line(format!("{} frames{missing}; pixel size {spacing}", pooled["frames"]));
    print_line("good: distance below 5 mm; means per patient over good contours, `Dice all` over all frames");
    print_line(format!(
        "{:>7} {:>7} {:>9} {:>7} {:>8} {:>12} {:>10} {:>9}  patient",
        "frames", "good", "Dice good", "APD mm", "both mm", "Hausdorff mm", "conformity", "Dice all"
    ));
    let line = |row: &Value, name: &str| {
        print_line(format!(
            "{:>7} {:>7} {:>9} {:>7} {:>8} {:>12} {:>10} {:>9}  {name}",
            row["frames"].to_string(),
            number(&row["good"], 4),
            number(&row["dice_good"], 4),
            number(&row["apd_mm"], 3),
            number(&row["apd_symmetric_mm"], 3),
            number(&row["hausdorff_mm"], 2),
            number(&row["conformity_good"], 3),
            number(&row["dice_all"], 4)
        ));
    };
    for (name, row) in pooled["patients"].as_object().into_iter().flatten() {
        line(row, name);
    }
    line(pooled, "all");
    print_line(format!(
        "{} frames without overlap; worst patient: {}",
        pooled["missed"],
        pooled["worst_patient"].as_str().unwrap_or_default()
    ));
}
