//! Cell interiors in electron micrographs of serial sections.

mod cells;
mod page;
mod polarity;
mod sections;
mod system;

pub use system::{Cells, Membranes, segment_membrane};

use super::print_line;
use crate::args::SegmentMembrane;
use crate::batch::jobs;
use crate::output::Staging;
use crate::run_page::page_beside;
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::{Monitor, Uncounted, Volume};
use brainmesh_formats::{Error as FormatsError, VolumeFormat, VolumeWriter};
use page::{Seen, Source};
use sections::{Reading, Sections};
use serde_json::json;
use std::path::{Path, PathBuf};
use system::System;

pub fn run(arguments: &SegmentMembrane, threads: usize, progress: &Progress) -> Result<ExitCode> {
    let works = works(arguments)?;
    let mut system = System::open(arguments, threads)?;
    let mut failure: Option<Error> = None;
    for work in &works {
        match one(arguments, work, &mut system, progress) {
            Ok(()) => {}
            Err(error) if !arguments.system.keep_going || error.exit_code() == ExitCode::Cancelled => {
                return Err(error);
            }
            Err(error) => {
                tracing::error!("{error}");
                failure.get_or_insert(error);
            }
        }
    }
    progress.finish();
    Ok(failure.map_or(ExitCode::Done, |error| error.exit_code()))
}

/// An input and its results.
struct Work {
    input: PathBuf,
    probability: PathBuf,
    cells: Option<PathBuf>,
}

fn works(arguments: &SegmentMembrane) -> Result<Vec<Work>> {
    let system = &arguments.system;
    let replaces = system.force || system.skip_existing;
    let jobs = jobs(&arguments.inputs, &arguments.out, SUFFIX, arguments.format.trim_start_matches('.'), replaces)?;
    if let (Some(Some(path)), [_, _, ..]) = (&arguments.instances, jobs.as_slice()) {
        let expected = "no file where there are several inputs";
        return Err(Error::Usage(format!("--instances={}: expected {expected}", path.display())));
    }
    let mut works = Vec::new();
    for job in jobs {
        let cells = match &arguments.instances {
            None => None,
            Some(Some(path)) => Some(path.clone()),
            Some(None) => Some(cells_beside(&job.output)),
        };
        for (option, path) in [("out", Some(&job.output)), ("instances", cells.as_ref())] {
            let Some(path) = path else { continue };
            VolumeFormat::of_output(path).map_err(|error| Error::Usage(format!("--{option}: {error}")))?;
        }
        if let Some(cells) = &cells {
            check_cells(cells, &job.output, &arguments.inputs, replaces)?;
        }
        if arguments.report {
            page_beside(&job.output, replaces)?;
        }
        let is_done = job.output.exists() && cells.as_ref().is_none_or(|cells| cells.exists());
        if !(system.skip_existing && is_done) {
            works.push(Work { input: job.input, probability: job.output, cells });
        }
    }
    Ok(works)
}

const SUFFIX: &str = "membrane";

/// `prob.tif`: `prob_cells.tif`; in a folder `INPUT_membrane.tif`: `INPUT_cells.tif`.
fn cells_beside(probability: &Path) -> PathBuf {
    let name = probability.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let endings = VolumeFormat::ALL.into_iter().flat_map(VolumeFormat::extensions);
    let ending = endings.filter(|ending| name.to_ascii_lowercase().ends_with(&format!(".{ending}")));
    let length = ending.map(|ending| ending.len() + 1).max().unwrap_or(0);
    let (stem, ending) = name.split_at(name.len() - length);
    let stem = stem.strip_suffix(&format!("_{SUFFIX}")).unwrap_or(stem);
    probability.with_file_name(format!("{stem}_cells{ending}"))
}

fn check_cells(cells: &Path, probability: &Path, inputs: &[PathBuf], replaces: bool) -> Result<()> {
    let wrong = |text: String| Err(Error::Usage(format!("--instances {}: {text}", cells.display())));
    let folder = cells.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return wrong(format!("the folder {} does not exist", folder.display()));
    }
    if cells == probability {
        return wrong("expected another file than --out".into());
    }
    let place = cells.canonicalize().ok();
    if place.is_some() && inputs.iter().any(|input| input.canonicalize().ok() == place) {
        return wrong("expected another file than an input".into());
    }
    if cells.exists() && !replaces {
        return wrong("exists already; --force replaces it, --skip-existing leaves it".into());
    }
    Ok(())
}

fn one(arguments: &SegmentMembrane, work: &Work, system: &mut System, progress: &Progress) -> Result<()> {
    let reading = Reading { pixel_nm: arguments.pixel_nm, channel: arguments.channel };
    let stages = progress.finish().len();
    progress.stage("reading", 1);
    let sections = Sections::read(&work.input, reading, progress)?;
    let pixel_nm = sections.pixel_nm;
    let seen = arguments.report.then(|| Seen::of(&sections)).transpose()?;
    let input = work.input.display();
    let found = system.run(sections, progress).map_err(|error| match error {
        Error::Unusable(text) => Error::Unusable(format!("{input}: {text}")),
        error => error,
    })?;
    found.warnings.iter().for_each(|warning| tracing::warn!("{input}: {warning}"));
    write(work, &found, progress)?;
    let [ni, nj, nk] = found.probability.grid().shape();
    let values = found.probability.data();
    let inside = values.iter().filter(|&&value| value > arguments.threshold).count() as f64 / values.len() as f64;
    let count = found.cells.as_ref().map(|cells| cells.count);
    let summary = json!({
        "input": work.input, "output": work.probability, "cells": work.cells, "slices": nk, "size": [ni, nj],
        "pixel_nm": pixel_nm, "network_pixel_nm": system.pixel_nm(), "threshold": arguments.threshold,
        "interior_share": inside, "cell_count": count, "warnings": found.warnings,
    });
    if let Some(seen) = seen {
        let page = page_beside(&work.probability, true)?;
        let source = Source {
            work,
            seen: &seen,
            found: &found,
            system,
            inside,
            threshold: arguments.threshold,
            summary: &summary,
        };
        source.write(&page, stages, progress)?;
    }
    if arguments.system.json {
        print_line(summary.to_string());
        return Ok(());
    }
    print_line(work.probability.display().to_string());
    let plural = if nk == 1 { "" } else { "s" };
    print_line(format!("  {nk} slice{plural} of {ni} x {nj} pixels, {:.1} % of them inside cells", 100.0 * inside));
    if let (Some(path), Some(count)) = (&work.cells, count) {
        print_line(path.display().to_string());
        print_line(format!("  {count} cells, each in one slice"));
    }
    Ok(())
}

/// Both files or none: that of the cells waits in a hidden folder until the other is there.
fn write(work: &Work, found: &Membranes, progress: &Progress) -> Result<()> {
    let monitor: &dyn Monitor = &Uncounted(progress);
    let mut waiting = None;
    if let (Some(path), Some(cells)) = (&work.cells, &found.cells) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let staging = Staging::new(folder)?;
        let hidden = staging.path().join(path.file_name().unwrap_or_default());
        match narrow(&cells.labels)? {
            Some(labels) => put(&hidden, &labels, monitor),
            None => put(&hidden, &cells.labels, monitor),
        }?;
        waiting = Some((staging, path));
    }
    put(&work.probability, &found.probability, monitor)?;
    if let Some((staging, path)) = waiting {
        // A folder (OME-Zarr) would be mixed with the one it replaces.
        if path.is_dir() {
            std::fs::remove_dir_all(path).map_err(|source| Error::Write { path: path.clone(), source })?;
        }
        staging.publish()?;
    }
    Ok(())
}

/// In 16 bits where the numbers fit.
fn narrow(labels: &Volume<u32>) -> Result<Option<Volume<u16>>> {
    let values: Option<Vec<u16>> = labels.data().iter().map(|&label| u16::try_from(label).ok()).collect();
    Ok(values.map(|values| Volume::new(labels.grid().clone(), values)).transpose()?)
}

fn put<T: brainmesh_formats::Voxel>(path: &Path, volume: &Volume<T>, monitor: &dyn Monitor) -> Result<()> {
    VolumeWriter::default().write(path, std::slice::from_ref(volume), monitor).map_err(|error| match error {
        FormatsError::Io { path: at, source } if at == *path => Error::Write { path: at, source },
        error => error.into(),
    })
}
