//! `evaluate sections`: outlines of sections on wafers against each other.

mod picture;
mod table;

use super::evaluation::publish;
use crate::args::{EvaluateSections, EvaluationOutput};
use crate::score::{InstancePicture, InstanceScores, PairPicture, PairScores};
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::Monitor;
use picture::Picture;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::path::Path;

pub fn run(arguments: &EvaluateSections, progress: &Progress) -> Result<ExitCode> {
    let json = evaluate_sections(arguments, progress)?;
    progress.finish();
    let output = EvaluationOutput { json: arguments.json, out: arguments.out.clone(), pictures: None };
    publish(&output, &json, || table::print(&json))
}

/// What `evaluate sections --json` prints.
///
/// # Errors
/// Files that cannot be read, or that say themselves that they are of pictures of different sizes.
pub fn evaluate_sections(arguments: &EvaluateSections, monitor: &dyn Monitor) -> Result<Value> {
    let pairs: Vec<[&Path; 2]> = match arguments.files.as_chunks::<2>() {
        (pairs, []) => pairs.iter().map(|[found, truth]| [found.as_path(), truth.as_path()]).collect(),
        _ => {
            let found = arguments.files.len();
            return Err(Error::Usage(format!("FOUND TRUTH: expected pairs of files, found {found} of them")));
        }
    };
    if !(arguments.scale > 0.0 && arguments.scale.is_finite()) {
        return Err(Error::Usage(format!("--scale: expected more than 0, found {}", arguments.scale)));
    }
    if !(0.0..=1.0).contains(&arguments.least) {
        return Err(Error::Usage(format!("--least: expected 0 to 1, found {}", arguments.least)));
    }
    monitor.stage("scoring", pairs.len() as u64);
    let scored = |[found, truth]: &[&Path; 2]| {
        monitor.check()?;
        let picture = Picture::read(found, truth, arguments.scale)?;
        let scores = scores(std::slice::from_ref(&picture), arguments.least);
        monitor.advance(1);
        Ok((picture, scores))
    };
    let scored: Vec<(Picture, Value)> = pairs.par_iter().map(scored).collect::<Result<_>>()?;
    let (pictures, of_each): (Vec<Picture>, Vec<Value>) = scored.into_iter().unzip();
    let mut warnings = Vec::new();
    let mut cases = Vec::new();
    for (([found, truth], picture), mut case) in pairs.iter().zip(&pictures).zip(of_each) {
        let own = picture.warnings(arguments.least);
        own.iter().for_each(|warning| tracing::warn!("{}: {warning}", found.display()));
        case["found"] = json!(found);
        case["truth"] = json!(truth);
        warnings.extend(own.iter().map(|warning| format!("{}: {warning}", found.display())));
        cases.push(case);
    }
    Ok(json!({
        "schema": "brainmesh-evaluate-sections-1",
        "scale": arguments.scale,
        "least_confidence": arguments.least,
        "warnings": warnings,
        "pooled": scores(&pictures, arguments.least),
        "cases": cases,
    }))
}

/// Of some pictures together; magnet parts of those where both files have their outlines.
fn scores(pictures: &[Picture], least: f64) -> Value {
    let tissue: Vec<&InstancePicture> = pictures.iter().map(|picture| &picture.pairs.tissue).collect();
    let magnet: Vec<&InstancePicture> = pictures.iter().filter_map(|picture| picture.magnet.as_ref()).collect();
    let pairs: Vec<&PairPicture> =
        pictures.iter().filter(|picture| picture.has_magnets).map(|picture| &picture.pairs).collect();
    json!({
        "tissue": InstanceScores::over(&tissue, least),
        "magnet": (!magnet.is_empty()).then(|| InstanceScores::over(&magnet, least)),
        "pairs": (!pairs.is_empty()).then(|| PairScores::over(&pairs, least)),
    })
}
