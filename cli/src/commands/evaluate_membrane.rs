use super::case_pictures::{CasePlane, chosen, write_cases};
use super::evaluation::{number, publish};
use super::pages::{Page, Pages, is_fraction, read_pages};
use super::print_line;
use crate::args::EvaluateMembrane;
use crate::plane::{parts, thin_borders};
use crate::score::{
    CELL_SCORES, CellScores, best_thresholds, cell_scores_json, mean_over_slices, score_cells, thresholds,
};
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::Monitor;
use brainmesh_formats::StoredType;
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::path::Path;

pub fn run(arguments: &EvaluateMembrane, progress: &Progress) -> Result<ExitCode> {
    let json = evaluate_membrane(arguments, progress)?;
    progress.finish();
    publish(&arguments.output, &json, || print(&json))
}

/// What `evaluate membrane --json` prints.
///
/// # Errors
/// Files that cannot be read, are no probabilities or no labels, or do not fit each other.
pub fn evaluate_membrane(arguments: &EvaluateMembrane, monitor: &dyn Monitor) -> Result<Value> {
    monitor.stage("reading", 0);
    let found = probabilities(&arguments.found, monitor)?;
    let truth = cells(&arguments.truth, arguments.truth_instances, monitor)?;
    let pairs = paired((&arguments.found, &found), (&arguments.truth, &truth))?;
    let thresholds = thresholds();
    monitor.stage("scoring", (pairs.len() * thresholds.len()) as u64);
    let slices = pairs
        .par_iter()
        .map(|(found, truth)| {
            let scores = |&threshold: &f64| {
                monitor.check()?;
                let scores = score_cells(&truth.values, &found.values, threshold, found.size);
                monitor.advance(1);
                scores.ok_or_else(|| {
                    Error::Unusable(format!(
                        "{}, {}: expected a cell at least, found none",
                        arguments.truth.display(),
                        truth.name
                    ))
                })
            };
            thresholds.par_iter().map(scores).collect::<Result<Vec<CellScores>>>()
        })
        .collect::<Result<Vec<_>>>()?;
    let mean = mean_over_slices(&slices);
    let best = best_thresholds(&mean);
    let half = thresholds.len() / 2;
    let at_best = |by_threshold: &[CellScores]| -> CellScores { std::array::from_fn(|s| by_threshold[best[s]][s]) };
    let cases: Vec<Value> = pairs
        .iter()
        .zip(&slices)
        .map(|((_, truth), by_threshold)| {
            json!({
                "name": truth.name,
                "best": cell_scores_json(&at_best(by_threshold)),
                "at_half": cell_scores_json(&by_threshold[half]),
            })
        })
        .collect();
    if let Some(folder) = &arguments.output.pictures {
        let scores: Vec<f64> = slices.iter().map(|by_threshold| by_threshold[best[0]][0]).collect();
        let images = arguments.images.as_deref().map(|path| read_pages::<f32>(path, monitor)).transpose()?;
        if let (Some(images), Some(path)) = (&images, &arguments.images) {
            paired((path, images), (&arguments.truth, &truth))?;
        }
        let mut drawn = Vec::new();
        for (which, case) in chosen(&scores) {
            let (found, truth) = pairs[case];
            let inside: Vec<bool> = found.values.iter().map(|&p| f64::from(p) > thresholds[best[0]]).collect();
            let grey = images.as_ref().and_then(|all| {
                if all.named {
                    all.pages.iter().find(|page| page.name == truth.name).or(all.pages.get(case))
                } else {
                    all.pages.get(case)
                }
            });
            let plane = CasePlane {
                size: found.size,
                grey: grey.unwrap_or(found).values.clone(),
                truth: thin_borders(&truth.values, found.size),
                found: thin_borders(&parts(&inside, found.size).0, found.size),
            };
            drawn.push((format!("{which}_{}_v_rand_{:.4}", truth.name, scores[case]), vec![plane]));
        }
        write_cases(folder, &drawn)?;
    }
    let threshold: Map<String, Value> =
        CELL_SCORES.iter().zip(best).map(|(name, at)| ((*name).into(), Value::from(thresholds[at]))).collect();
    let curve = |(at, scores): (&f64, &CellScores)| {
        let mut row = cell_scores_json(scores);
        row.insert("threshold".into(), Value::from(*at));
        row
    };
    Ok(json!({
        "schema": "brainmesh-evaluate-membrane-1",
        "found": arguments.found.display().to_string(),
        "truth": arguments.truth.display().to_string(),
        "slices": pairs.len(),
        "pooled": {
            "best": cell_scores_json(&at_best(&mean)),
            "threshold": threshold,
            "at_half": cell_scores_json(&mean[half]),
        },
        "thresholds": thresholds.iter().zip(&mean).map(curve).collect::<Vec<_>>(),
        "cases": cases,
    }))
}

/// Probabilities from 0 to 1: fractions as they are, whole numbers over the largest of their type, masks of 0 and 1. Whole
/// numbers that stay below half of that are no probabilities: cell interior nowhere. They are numbers of cells, or a mask.
fn probabilities(path: &Path, monitor: &dyn Monitor) -> Result<Pages<f32>> {
    let mut all = read_pages::<f32>(path, monitor)?;
    let values = || all.pages.iter().flat_map(|page| &page.values);
    if let Some(bad) = values().find(|v| !v.is_finite() || **v < 0.0) {
        return Err(Error::Unusable(format!("{}: expected probabilities from 0, found {bad}", path.display())));
    }
    let largest = values().copied().fold(0.0, f32::max);
    let one = match all.stored {
        _ if is_fraction(all.stored) || largest <= 1.0 => 1.0,
        StoredType::Int8 => 127.0,
        StoredType::Uint8 => 255.0,
        StoredType::Int16 => 32767.0,
        StoredType::Uint16 => 65535.0,
        _ => 1.0,
    };
    if largest > one {
        return Err(Error::Unusable(format!(
            "{}: expected probabilities up to {one} ({}), found {largest}",
            path.display(),
            all.stored
        )));
    }
    if largest < one / 2.0 && one > 1.0 {
        return Err(Error::Unusable(format!(
            "{}: expected probabilities from 0 to {one} ({}) that reach half of it somewhere, or a mask of 0 and 1, found \
             values up to {largest} (numbers of cells, or another mask?)",
            path.display(),
            all.stored
        )));
    }
    all.pages.iter_mut().flat_map(|page| &mut page.values).for_each(|v| *v /= one);
    Ok(all)
}

/// Numbers of the true cells, 0 on their borders.
fn cells(path: &Path, are_instances: bool, monitor: &dyn Monitor) -> Result<Pages<u32>> {
    let all = read_pages::<u32>(path, monitor)?;
    let pages = all.pages.into_iter();
    if are_instances {
        return Ok(Pages { pages: pages.collect(), ..all });
    }
    let mut inside = None;
    let to_cells = |page: Page<u32>| {
        for &value in page.values.iter().filter(|&&value| value != 0) {
            let known = *inside.get_or_insert(value);
            if value != known {
                return Err(Error::Unusable(format!(
                    "{}, {}: expected 0 on membranes and {known} in cells, found {value}; numbers of cells need \
                     --truth-instances",
                    path.display(),
                    page.name
                )));
            }
        }
        let is_cell: Vec<bool> = page.values.iter().map(|&value| value != 0).collect();
        Ok(Page { values: parts(&is_cell, page.size).0, ..page })
    };
    Ok(Pages { pages: pages.map(to_cells).collect::<Result<_>>()?, stored: all.stored, named: all.named })
}

type Pair<'a> = (&'a Page<f32>, &'a Page<u32>);

/// Pages of both sides: by name where both are pictures of a folder, else in their order.
fn paired<'a>(found: (&Path, &'a Pages<f32>), truth: (&Path, &'a Pages<u32>)) -> Result<Vec<Pair<'a>>> {
    let (found_path, truth_path) = (found.0.display(), truth.0.display());
    let (found, truth) = (found.1, truth.1);
    let pairs: Vec<Pair<'a>> = if found.named && truth.named {
        let of = |page: &'a Page<u32>| found.pages.iter().find(|f| f.name == page.name).map(|f| (f, page));
        let pairs: Vec<_> = truth.pages.iter().filter_map(of).collect();
        if pairs.len() != truth.pages.len() || pairs.len() != found.pages.len() {
            let lonely = |names: Vec<&str>, others: Vec<&str>| {
                names.into_iter().filter(|name| !others.contains(name)).take(3).collect::<Vec<_>>().join(", ")
            };
            let names = || {
                let of_found = found.pages.iter().map(|p| p.name.as_str()).collect::<Vec<_>>();
                (of_found, truth.pages.iter().map(|p| p.name.as_str()).collect::<Vec<_>>())
            };
            let (of_found, of_truth) = names();
            let (no_truth, not_found) = (lonely(of_found.clone(), of_truth.clone()), lonely(of_truth, of_found));
            return Err(Error::Unusable(format!(
                "{found_path} and {truth_path}: expected pictures of the same names, found {} and {}; only among the \
                 first: {no_truth}; only among the second: {not_found}",
                found.pages.len(),
                truth.pages.len(),
            )));
        }
        pairs
    } else {
        if found.pages.len() != truth.pages.len() {
            return Err(Error::Unusable(format!(
                "{truth_path}: expected {} slices as {found_path} has, found {}",
                found.pages.len(),
                truth.pages.len()
            )));
        }
        found.pages.iter().zip(&truth.pages).collect()
    };
    for (found, truth) in &pairs {
        if found.size != truth.size {
            let ([w, h], [a, b]) = (found.size, truth.size);
            return Err(Error::Unusable(format!(
                "{truth_path}, {}: expected {w} x {h} pixels as {found_path}, found {a} x {b}",
                truth.name
            )));
        }
    }
    Ok(pairs)
}

fn print(json: &Value) {
    print_line(format!(
        "{} slices; means over slices, at the threshold that is best for each and at .5",
        json["slices"]
    ));
    print_line(format!("{:>25} {:>10} {:>9} {:>10}", "score", "best", "threshold", "at .5"));
    let pooled = &json["pooled"];
    for name in CELL_SCORES {
        print_line(format!(
            "{name:>25} {:>10} {:>9} {:>10}",
            number(&pooled["best"][name], 6),
            number(&pooled["threshold"][name], 2),
            number(&pooled["at_half"][name], 6)
        ));
    }
    let cases = json["cases"].as_array().map(Vec::as_slice).unwrap_or_default();
    if cases.len() > 1 {
        print_line("At these thresholds:");
        print_line(format!(
            "{:>9} {:>9} {:>11} {:>10} {:>13} {:>17}  slice",
            "v_rand", "v_info", "pixel_error", "rand_error", "warping_error", "split_merge_error"
        ));
        for case in cases {
            let of = |name: &str| number(&case["best"][name], 6);
            print_line(format!(
                "{:>9} {:>9} {:>11} {:>10} {:>13} {:>17}  {}",
                of("v_rand"),
                of("v_info"),
                of("pixel_error"),
                of("rand_error"),
                of("warping_error"),
                of("split_merge_error"),
                case["name"].as_str().unwrap_or_default()
            ));
        }
    }
}
