//! Fluid, grey and white matter of T1-weighted scans.

mod background;
mod contrast;
mod page;
mod scan;
mod system;

pub use contrast::TissueVolumes;
pub use system::{Tissue, segment_tissue};

use super::print_line;
use crate::args::SegmentTissue;
use crate::batch::{Job, jobs};
use crate::output::Staging;
use crate::run_page::page_beside;
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::{Monitor, Uncounted, Volume};
use brainmesh_formats::{Error as FormatsError, VolumeFormat, VolumeOptions, VolumeWriter};
use page::Source;
use serde_json::json;
use std::path::{Path, PathBuf};
use system::System;

const SUFFIX: &str = "tissue";

pub fn run(arguments: &SegmentTissue, threads: usize, progress: &Progress) -> Result<ExitCode> {
    let options = &arguments.system;
    let replaces = options.force || options.skip_existing;
    let ending = arguments.format.trim_start_matches('.');
    let mut jobs = jobs(&arguments.inputs, &arguments.out, SUFFIX, ending, replaces)?;
    for job in &jobs {
        VolumeFormat::of_output(&job.output).map_err(|error| Error::Usage(format!("--out: {error}")))?;
        let beside = beside(&job.output);
        if arguments.probabilities && beside.exists() && !replaces {
            return Err(Error::Usage(format!("{}: exists already; --force replaces it", beside.display())));
        }
    }
    for job in jobs.iter().filter(|_| arguments.report) {
        page_beside(&job.output, replaces)?;
    }
    if options.skip_existing {
        jobs.retain(|job| !job.output.exists());
    }
    let mut system = System::open(arguments, threads)?;
    let mut failure: Option<Error> = None;
    for job in &jobs {
        match one(arguments, job, &mut system, progress) {
            Ok(()) => {}
            Err(error) if !options.keep_going || error.exit_code() == ExitCode::Cancelled => return Err(error),
            Err(error) => {
                tracing::error!("{error}");
                failure.get_or_insert(error);
            }
        }
    }
    progress.finish();
    Ok(failure.map_or(ExitCode::Done, |error| error.exit_code()))
}

fn one(arguments: &SegmentTissue, job: &Job, system: &mut System, progress: &Progress) -> Result<()> {
    let input = job.input.display().to_string();
    let stages = progress.finish().len();
    progress.stage("reading", 1);
    let (scan, mut warnings) = read(arguments, &job.input, progress)?;
    let found = system.run(&scan, &input, progress)?;
    warnings.extend(found.warnings.iter().cloned());
    warnings.iter().for_each(|warning| tracing::warn!("{input}: {warning}"));
    write(job, &found, progress)?;
    let labels = found.table.0.iter().zip(found.volumes.ml.iter().zip(found.volumes.medians));
    let told: Vec<_> = labels
        .clone()
        .map(|((value, label), (ml, median))| {
            json!({ "value": value, "name": label.name, "ml": ml, "median_intensity": median })
        })
        .collect();
    let probabilities = (!found.probabilities.is_empty()).then(|| beside(&job.output));
    let summary = json!({
        "input": job.input, "output": job.output, "labels": told, "outer_csf": arguments.outer_csf,
        "probabilities": probabilities, "classes": found.classes, "warnings": warnings,
    });
    if arguments.report {
        let page = page_beside(&job.output, true)?;
        let source = Source { job, scan: &scan, found: &found, system, summary: &summary, warnings: &warnings };
        source.write(&page, stages, progress)?;
    }
    if arguments.system.json {
        print_line(summary.to_string());
        return Ok(());
    }
    print_line(job.output.display().to_string());
    for ((value, label), (ml, _)) in labels {
        print_line(format!("  {value} {}: {ml:.1} ml", label.name));
    }
    Ok(())
}

/// The scan, and what is odd of its file.
fn read(arguments: &SegmentTissue, input: &Path, monitor: &dyn Monitor) -> Result<(Volume<f32>, Vec<String>)> {
    let mut options = VolumeOptions::default().with_repair(arguments.repair);
    if let Some(uid) = &arguments.series {
        options = options.with_series(uid);
    }
    if let Some(index) = arguments.volume {
        options = options.with_volume_index(index);
    }
    let reader = options.open(input)?;
    let info = reader.info();
    let path = input.display();
    if info.planes.iter().any(|plane| plane == "red") && !arguments.any_image {
        return Err(Error::Unusable(format!("{path}: expected intensities, found a colour image")));
    }
    if info.volumes != 1 && arguments.volume.is_none() {
        let hint = "--volume N chooses one";
        return Err(Error::Unusable(format!("{path}: expected one volume, found {}; {hint}", info.volumes)));
    }
    let warnings = info.warnings.clone();
    Ok((reader.read::<f32>(arguments.volume.unwrap_or(0), &Uncounted(monitor))?, warnings))
}

/// `seg.nii.gz`: `seg_probabilities.nii.gz`.
fn beside(labels: &Path) -> PathBuf {
    let name = labels.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let endings = VolumeFormat::ALL.into_iter().flat_map(VolumeFormat::extensions);
    let ending = endings.filter(|ending| name.to_ascii_lowercase().ends_with(&format!(".{ending}")));
    let length = ending.map(|ending| ending.len() + 1).max().unwrap_or(0);
    let (stem, ending) = name.split_at(name.len() - length);
    labels.with_file_name(format!("{stem}_probabilities{ending}"))
}

/// Both files or none: the probabilities wait in a hidden folder until the labels are there.
fn write(job: &Job, found: &Tissue, progress: &Progress) -> Result<()> {
    let monitor: &dyn Monitor = &Uncounted(progress);
    let mut waiting = None;
    if !found.probabilities.is_empty() {
        let path = beside(&job.output);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let staging = Staging::new(folder)?;
        let hidden = staging.path().join(path.file_name().unwrap_or_default());
        VolumeWriter::default().write(&hidden, &found.probabilities, monitor)?;
        waiting = Some((staging, path));
    }
    let writer = VolumeWriter::default().with_labels(found.table.clone());
    writer.write(&job.output, std::slice::from_ref(&found.labels), monitor).map_err(|error| match error {
        FormatsError::Io { path: at, source } if at == job.output => Error::Write { path: at, source },
        error => error.into(),
    })?;
    if let Some((staging, path)) = waiting {
        // A folder (OME-Zarr) would be mixed with the one it replaces.
        if path.is_dir() {
            std::fs::remove_dir_all(&path).map_err(|source| Error::Write { path: path.clone(), source })?;
        }
        staging.publish()?;
    }
    Ok(())
}
