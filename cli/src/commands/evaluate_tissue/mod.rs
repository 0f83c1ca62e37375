//! `evaluate tissue`: label volumes against each other.

mod labels;
mod pairs;
mod pictures;

use super::evaluation::{number, publish};
use super::print_line;
use crate::args::{EvaluateTissue, TissueLabelsArg};
use crate::score::{TISSUE_CLASSES, TissueConfusion};
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::Monitor;
use labels::read_case;
use pairs::pairs;
use pictures::write_pictures;
use rayon::prelude::*;
use serde_json::{Value, json};

pub fn run(arguments: &EvaluateTissue, progress: &Progress) -> Result<ExitCode> {
    let json = evaluate_tissue(arguments, progress)?;
    progress.finish();
    publish(&arguments.output, &json, || print(&json))
}

/// What `evaluate tissue --json` prints.
///
/// # Errors
/// Files that cannot be read, hold other labels, or lie elsewhere in the world than their truth.
pub fn evaluate_tissue(arguments: &EvaluateTissue, monitor: &dyn Monitor) -> Result<Value> {
    let pairs = pairs(arguments)?;
    if !(arguments.images.is_empty() || arguments.images.len() == pairs.len()) {
        let (expected, found) = (pairs.len(), arguments.images.len());
        return Err(Error::Usage(format!("--images: expected {expected} files as there are cases, found {found}")));
    }
    monitor.stage("scoring", pairs.len() as u64);
    let mut pooled = TissueConfusion::default();
    let mut volumes_ml = [[0.0; 4]; 2];
    let mut cases = Vec::new();
    for (found_path, truth_path, name) in &pairs {
        let (truth, found, resampled) = read_case(arguments, found_path, truth_path)?;
        monitor.check()?;
        let confusion = count(truth.data(), found.data());
        let voxel_ml = truth.grid().affine().matrix3.determinant().abs() / 1000.0;
        let ml = |voxels: u64| voxels as f64 * voxel_ml;
        for (class, score) in confusion.classes().iter().enumerate() {
            volumes_ml[0][class] += ml(score.true_voxels);
            volumes_ml[1][class] += ml(score.found_voxels);
        }
        let of_case = confusion.classes().map(|s| [ml(s.true_voxels), ml(s.found_voxels)]);
        let mut case = scores(&confusion, of_case);
        case["name"] = Value::from(name.as_str());
        case["resampled"] = Value::from(resampled);
        cases.push(case);
        pooled = pooled.with(&confusion);
        monitor.advance(1);
    }
    if let Some(folder) = &arguments.output.pictures {
        write_pictures(arguments, folder, &pairs, &cases, monitor)?;
    }
    let of_all = std::array::from_fn(|class| [volumes_ml[0][class], volumes_ml[1][class]]);
    Ok(json!({
        "schema": "brainmesh-evaluate-tissue-1",
        "truth_labels": match arguments.truth_labels {
            TissueLabelsArg::Brainmesh => "brainmesh",
            TissueLabelsArg::Freesurfer => "freesurfer",
        },
        "pooled": scores(&pooled, of_all),
        "cases": cases,
    }))
}

/// Scores of a confusion; `volumes_ml` of each class: true and found.
fn scores(confusion: &TissueConfusion, volumes_ml: [[f64; 2]; 4]) -> Value {
    let classes: Vec<Value> = confusion
        .classes()
        .iter()
        .zip(volumes_ml)
        .map(|(score, [true_ml, found_ml])| {
            json!({
                "class": score.class,
                "dice": score.dice,
                "jaccard": score.jaccard,
                "true_voxels": score.true_voxels,
                "found_voxels": score.found_voxels,
                "true_ml": true_ml,
                "found_ml": found_ml,
            })
        })
        .collect();
    json!({
        "accuracy": confusion.accuracy(),
        "accuracy_in_brain": confusion.accuracy_in_brain(),
        "classes": classes,
        "confusion": confusion,
    })
}

fn count(truth: &[u8], found: &[u8]) -> TissueConfusion {
    truth
        .par_chunks(1 << 16)
        .zip(found.par_chunks(1 << 16))
        .map(|(truth, found)| {
            let mut counts = TissueConfusion::default();
            truth.iter().zip(found).for_each(|(&t, &f)| counts.add(t, f));
            counts
        })
        .reduce(TissueConfusion::default, |a, b| a.with(&b))
}

fn print(json: &Value) {
    let pooled = &json["pooled"];
    let cases = json["cases"].as_array().map(Vec::as_slice).unwrap_or_default();
    print_line(format!(
        "accuracy {} of the whole image, {} within the true brain",
        number(&pooled["accuracy"], 4),
        number(&pooled["accuracy_in_brain"], 4)
    ));
    print_line(format!("{:>13} {:>7} {:>8} {:>9} {:>9}", "class", "Dice", "Jaccard", "true ml", "found ml"));
    for row in pooled["classes"].as_array().into_iter().flatten() {
        print_line(format!(
            "{:>13} {:>7} {:>8} {:>9} {:>9}",
            row["class"].as_str().unwrap_or_default(),
            number(&row["dice"], 4),
            number(&row["jaccard"], 4),
            number(&row["true_ml"], 1),
            number(&row["found_ml"], 1)
        ));
    }
    print_line("voxels, rows: truth, columns: found");
    confusion_lines(&pooled["confusion"]).iter().for_each(print_line);
    if cases.len() > 1 {
        print_line(format!("{:>9} {:>7} {:>7} {:>7}  case", "accuracy", "CSF", "grey", "white"));
        for case in cases {
            let dice = |class: usize| number(&case["classes"][class]["dice"], 4);
            print_line(format!(
                "{:>9} {:>7} {:>7} {:>7}  {}",
                number(&case["accuracy"], 4),
                dice(1),
                dice(2),
                dice(3),
                case["name"].as_str().unwrap_or_default()
            ));
        }
    }
}

/// The table of a confusion, as wide as its largest number.
fn confusion_lines(confusion: &Value) -> Vec<String> {
    // A JSON number does not know of widths: only its text does.
    let row = |row: &Value| row.as_array().into_iter().flatten().map(Value::to_string).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = confusion.as_array().into_iter().flatten().map(row).collect();
    let width = rows.iter().flatten().map(String::len).max().unwrap_or(0).max(12);
    let line = |first: &str, cells: &[String]| {
        cells.iter().fold(format!("{first:>13}"), |line, cell| format!("{line} {cell:>width$}"))
    };
    let head = line("", &TISSUE_CLASSES.map(String::from));
    std::iter::once(head).chain(TISSUE_CLASSES.iter().zip(&rows).map(|(class, cells)| line(class, cells))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_confusion_do_not_run_together() {
        // They once stood without anything between them: the width of a JSON number is passed over.
        let rows = [[308_830, 20, 32, 226], [0, 1, 2, 3], [4, 5, 1_234_567_890_123, 7], [8, 9, 10, 11]];
        let lines = confusion_lines(&json!(rows));
        let words = |line: &str| line.split_whitespace().map(String::from).collect::<Vec<_>>();
        assert_eq!(words(&lines[0]), TISSUE_CLASSES);
        for ((line, class), row) in lines[1..].iter().zip(TISSUE_CLASSES).zip(rows) {
            assert_eq!(words(line)[0], class);
            assert_eq!(words(line)[1..], row.map(|n: u64| n.to_string()));
        }
        // One column a number: all lines end where the head does.
        assert!(lines.len() == 5 && lines.iter().all(|line| line.len() == lines[0].len()), "{lines:?}");
    }
}
