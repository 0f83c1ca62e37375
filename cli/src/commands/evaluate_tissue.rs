use super::evaluation::{number, publish};
use super::print_line;
use crate::args::{EvaluateTissue, TissueLabelsArg};
use crate::score::{TISSUE_CLASSES, TissueConfusion, tissue_of_freesurfer};
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::{Grid, Monitor, Uncounted, Volume, VoxelPoint};
use brainmesh_formats::VolumeOptions;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Corners of two grids that are nearer than this share of a voxel are the same.
const SAME_VOXELS: f64 = 0.05;
/// Of the true brain so much must lie within the volume found.
const LEAST_COVERED: f64 = 0.95;

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
    monitor.stage("scoring", pairs.len() as u64);
    let mut pooled = TissueConfusion::default();
    let mut volumes_ml = [[0.0; 4]; 2];
    let mut cases = Vec::new();
    for (found_path, truth_path, name) in &pairs {
        let truth = classes(truth_path, |label| match arguments.truth_labels {
            TissueLabelsArg::Brainmesh => u8::try_from(label).ok().filter(|&class| class < 4),
            TissueLabelsArg::Freesurfer => tissue_of_freesurfer(label),
        })?;
        let found = classes(found_path, |label| u8::try_from(label).ok().filter(|&class| class < 4))?;
        let (found, resampled) = on_grid(found, found_path, &truth, truth_path, arguments.resample)?;
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

/// The volume with a class for each of its labels.
fn classes(path: &Path, class_of: impl Fn(i32) -> Option<u8> + Sync) -> Result<Volume<u8>> {
    let labels: Volume<i32> = VolumeOptions::default().read_as(path)?;
    let unknown: BTreeSet<i32> = labels
        .data()
        .par_chunks(1 << 16)
        .flat_map_iter(|part| part.iter().copied().filter(|&label| class_of(label).is_none()).collect::<BTreeSet<_>>())
        .collect();
    if !unknown.is_empty() {
        let first: Vec<String> = unknown.iter().take(10).map(ToString::to_string).collect();
        let more = if unknown.len() > 10 { format!(" and {} more", unknown.len() - 10) } else { String::new() };
        return Err(Error::Unusable(format!(
            "{}: labels: expected 0 background, 1 fluid, 2 grey, 3 white matter (or with --truth-labels freesurfer those of \
             FreeSurfer), found {}{more}",
            path.display(),
            first.join(", ")
        )));
    }
    let (grid, data) = labels.into_parts();
    let data = data.par_iter().map(|&label| class_of(label).unwrap_or_default()).collect();
    Ok(Volume::new(grid, data)?)
}

/// The labels found at the voxels of the truth, and whether they had to be read anew there.
fn on_grid(
    found: Volume<u8>,
    found_path: &Path,
    truth: &Volume<u8>,
    truth_path: &Path,
    resample: bool,
) -> Result<(Volume<u8>, bool)> {
    let swap = found.grid().orientation().swap_to(truth.grid().orientation());
    let found = if swap.is_identity() { found } else { found.swapped(swap)? };
    if is_same(found.grid(), truth.grid()) {
        return Ok((found, false));
    }
    let show = |grid: &Grid| {
        let (low, high) = grid.world_bounds();
        let corner = |p: brainmesh_core::WorldPoint| format!("({:.1}, {:.1}, {:.1})", p.0.x, p.0.y, p.0.z);
        format!("{:?} voxels from {} to {} mm", grid.shape(), corner(low), corner(high))
    };
    if !resample {
        return Err(Error::Unusable(format!(
            "{}: expected the voxels of {}, {}, found {}; --resample reads the labels at the voxels of the truth",
            found_path.display(),
            truth_path.display(),
            show(truth.grid()),
            show(found.grid())
        )));
    }
    let grid = truth.grid();
    let [ni, nj, _] = grid.shape();
    let place = |at: usize| {
        let world =
            grid.world_from_voxel(VoxelPoint::new((at % ni) as f64, (at / ni % nj) as f64, (at / ni / nj) as f64));
        let voxel = found.grid().voxel_from_world(world).0.round();
        let is_inside = voxel.min_element() >= 0.0;
        if !is_inside {
            return None;
        }
        let [i, j, k] = voxel.to_array().map(|v| v as usize);
        found.get(i, j, k)
    };
    let read: Vec<Option<u8>> = (0..grid.voxel_count()).into_par_iter().map(place).collect();
    let brain = truth.data().iter().zip(&read).filter(|(class, _)| **class != 0);
    let (inside, all) =
        brain.fold((0usize, 0usize), |(inside, all), (_, v)| (inside + usize::from(v.is_some()), all + 1));
    if (inside as f64) < LEAST_COVERED * all as f64 {
        return Err(Error::Unusable(format!(
            "{}: expected a head in the place of {} ({}), found only {:.0} % of it within {}",
            found_path.display(),
            truth_path.display(),
            show(truth.grid()),
            100.0 * inside as f64 / all as f64,
            show(found.grid())
        )));
    }
    let data = read.into_iter().map(Option::unwrap_or_default).collect();
    Ok((Volume::new(grid.clone(), data)?, true))
}

/// Whether voxels lie at the same places in the world: the corners of both do.
fn is_same(one: &Grid, other: &Grid) -> bool {
    let least_mm = other.spacing_mm().into_iter().fold(f64::INFINITY, f64::min);
    let corner = |grid: &Grid, n: usize| {
        let at = |axis: usize| if n >> axis & 1 == 1 { grid.shape()[axis] as f64 } else { 0.0 };
        grid.world_from_voxel(VoxelPoint::new(at(0), at(1), at(2))).0
    };
    one.shape() == other.shape() && (0..8).all(|n| corner(one, n).distance(corner(other, n)) <= SAME_VOXELS * least_mm)
}

/// Found and true file, and the name of the case.
fn pairs(arguments: &EvaluateTissue) -> Result<Vec<(PathBuf, PathBuf, String)>> {
    let (found, truth) = (&arguments.found, &arguments.truth);
    if let ([found], [truth]) = (&found[..], &truth[..])
        && found.is_dir()
        && truth.is_dir()
    {
        return by_name(found, truth);
    }
    if found.len() != truth.len() {
        return Err(Error::Usage(format!("--truth: expected {} files as --found, found {}", found.len(), truth.len())));
    }
    Ok(found.iter().zip(truth).map(|(f, t)| (f.clone(), t.clone(), stem(f))).collect())
}

/// Files of two folders with the same names (a `_tissue` at the end of those found does not count).
fn by_name(found: &Path, truth: &Path) -> Result<Vec<(PathBuf, PathBuf, String)>> {
    let list = |folder: &Path| -> Result<Vec<PathBuf>> {
        let io = |source| brainmesh_formats::Error::Io { path: folder.into(), source };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(io)? {
            let entry = entry.map_err(io)?;
            if entry.path().is_file() && !entry.file_name().as_encoded_bytes().starts_with(b".") {
                files.push(entry.path());
            }
        }
        files.sort();
        Ok(files)
    };
    let (found_files, truth_files) = (list(found)?, list(truth)?);
    let mut pairs = Vec::new();
    for truth_file in &truth_files {
        let name = stem(truth_file);
        let is_of =
            |file: &Path| stem(file).strip_suffix("_tissue").unwrap_or(&stem(file)) == name || stem(file) == name;
        let of: Vec<&PathBuf> = found_files.iter().filter(|file| is_of(file)).collect();
        let [file] = of[..] else {
            return Err(Error::Unusable(format!(
                "{}: expected one file of this name in {}, found {}",
                truth_file.display(),
                found.display(),
                of.len()
            )));
        };
        pairs.push((file.clone(), truth_file.clone(), name));
    }
    if pairs.is_empty() || found_files.len() > pairs.len() {
        return Err(Error::Unusable(format!(
            "{}: expected a file of the same name in {} for each of {}, found {}",
            found.display(),
            truth.display(),
            found_files.len(),
            pairs.len()
        )));
    }
    Ok(pairs)
}

/// A name without its endings.
fn stem(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let end = [".nii.gz", ".nii", ".mnc.gz", ".mnc", ".mgz", ".mgh", ".nrrd", ".nhdr", ".mha", ".mhd", ".tif", ".tiff"]
        .into_iter()
        .find(|ending| name.to_ascii_lowercase().ends_with(ending));
    name[..name.len() - end.map_or(0, str::len)].to_string()
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
    for (class, row) in TISSUE_CLASSES.iter().zip(pooled["confusion"].as_array().into_iter().flatten()) {
        let counts: Vec<String> = row.as_array().into_iter().flatten().map(|n| format!("{n:>11}")).collect();
        print_line(format!("{class:>13}{}", counts.join("")));
    }
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
