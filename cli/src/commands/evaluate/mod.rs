//! `evaluate layers`: every truth becomes a [`Comparison`], and that is scored and printed in one way.

mod against;
mod folder;
mod labels;
mod rays;
mod table;

pub(super) use against::{against_points, read_thickness};
pub(super) use table::print_boundaries;

use super::print_line;
use crate::args::EvaluateLayers;
use crate::score::{Comparison, ScoresByPart};
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::Monitor;
use serde::Serialize;
use std::collections::BTreeMap;

/// What `--json` prints; docs/evaluate.md describes every field.
#[derive(Serialize)]
struct Evaluation {
    schema: &'static str,
    /// What the truth was: points, labels, thickness or rays.
    truth: &'static str,
    /// `result`, or labelled rays by voxel size.
    groups: BTreeMap<String, ScoresByPart>,
}

pub fn run(arguments: &EvaluateLayers, threads: usize, progress: &Progress) -> Result<ExitCode> {
    let evaluation = evaluate(arguments, threads, progress)?;
    progress.finish();
    if arguments.json {
        let json = serde_json::to_string_pretty(&evaluation).map_err(|e| Error::Usage(e.to_string()))?;
        print_line(json);
    } else {
        for (name, scores) in &evaluation.groups {
            table::print(name, evaluation.truth, scores);
        }
    }
    Ok(ExitCode::Done)
}

/// What `evaluate layers --json` prints.
///
/// # Errors
/// As the command.
pub fn evaluate_layers(arguments: &EvaluateLayers, threads: usize, monitor: &dyn Monitor) -> Result<serde_json::Value> {
    let evaluation = evaluate(arguments, threads, monitor)?;
    serde_json::to_value(&evaluation).map_err(|e| Error::Usage(e.to_string()))
}

fn evaluate(arguments: &EvaluateLayers, threads: usize, monitor: &dyn Monitor) -> Result<Evaluation> {
    if !(arguments.damaged_mm > 0.0 && arguments.damaged_mm.is_finite()) {
        return Err(Error::Usage(format!("--damaged-mm: expected more than 0, found {}", arguments.damaged_mm)));
    }
    let (truth, comparisons) = compare(arguments, threads, monitor)?;
    let groups = comparisons.into_iter().map(|(name, comparison)| (name, comparison.scores())).collect();
    Ok(Evaluation { schema: "brainmesh-evaluate-layers-1", truth, groups })
}

fn compare(
    arguments: &EvaluateLayers,
    threads: usize,
    monitor: &dyn Monitor,
) -> Result<(&'static str, BTreeMap<String, Comparison>)> {
    let Some(result) = &arguments.result else {
        return Ok(("rays", rays::labelled_rays(arguments, threads, monitor)?));
    };
    let truths = (&arguments.truth_points, &arguments.truth_labels, &arguments.truth_thickness);
    let (truth, mut comparison) = match truths {
        (Some(points), None, None) => ("points", against_points(result, points, arguments.damaged_mm)?),
        (None, Some(volume), None) => ("labels", labels::against_labels(result, volume)?),
        (None, None, Some(thickness)) => ("thickness", against::against_thickness(result, thickness)?),
        _ => {
            return Err(Error::Usage(
                "--result: expected one of --truth-points, --truth-labels and --truth-thickness beside it".into(),
            ));
        }
    };
    if let Some(path) = &arguments.mask {
        let mask = brainmesh_formats::read_vertex_mask(path, comparison.len())?;
        comparison.scored.iter_mut().zip(mask).for_each(|(scored, wanted)| *scored &= wanted);
    }
    if let Some(path) = &arguments.parcels {
        let parcels = brainmesh_formats::read_label_gifti(path)?;
        let (expected, found) = (comparison.len(), parcels.labels.len());
        if found != expected {
            return Err(Error::Unusable(format!("{}: expected {expected} labels, found {found}", path.display())));
        }
        comparison.region_names = parcels.table.0.into_iter().map(|(region, label)| (region, label.name)).collect();
        comparison.region = parcels.labels;
    }
    Ok((truth, BTreeMap::from([("result".into(), comparison)])))
}
