//! The left ventricle in short-axis cine MR: masks, contours, areas and volumes.

mod case;
mod finder;
mod job;
mod overlay;
mod page;
mod patient;
mod phases;
mod picture;
mod report;
mod volumes;

pub use finder::{Ventricle, VentricleFinder};

use crate::args::SegmentVentricle;
use crate::plan::session_options;
use crate::report::ModelSummary;
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::Monitor;
use brainmesh_segmentation::Model;
use case::{Case, Input, places};
use job::Job;
use std::path::PathBuf;

pub fn run(arguments: &SegmentVentricle, threads: usize, progress: &Progress) -> Result<ExitCode> {
    let system = &arguments.system;
    if arguments.spacing_mm.is_some_and(|mm| !finder::POSSIBLE_MM.contains(&mm)) {
        let (least, most) = (finder::POSSIBLE_MM.start(), finder::POSSIBLE_MM.end());
        return Err(Error::Usage(format!("--spacing-mm: expected {least} to {most}")));
    }
    let session = session_options(&system.engine, threads)?;
    let model = Model::find(system.model.as_deref().unwrap_or("ventricle"))?;
    let mut failures = Failures { keep_going: system.keep_going, first: None };
    let inputs = Input::of(&arguments.inputs)?;
    let (mut opened, mut cases) = (Vec::new(), Vec::new());
    for input in &inputs {
        match input.open(arguments) {
            Ok(case) => {
                opened.push(input);
                cases.push(case);
            }
            Err(error) => failures.add(error)?,
        }
    }
    let several = inputs.len() > 1;
    let masks = places(&opened, &mut cases, several)?;
    let folder = |case: &Case| if several { PathBuf::from(&case.name) } else { PathBuf::new() };
    let mut jobs: Vec<Job> =
        cases.into_iter().zip(masks).map(|(case, masks)| Job { folder: folder(&case), case, masks }).collect();
    for job in &jobs {
        job.check(arguments)?;
    }
    if system.skip_existing {
        jobs.retain(|job| !job.masks.iter().all(|mask| arguments.out.join(mask).exists()));
    }
    if jobs.is_empty() {
        return Ok(failures.exit_code());
    }
    let session = session.open(&model)?;
    let mut finder = VentricleFinder::new(session, model.manifest())?;
    tracing::info!("{}", finder.device_note());
    progress.stage("find ventricle", jobs.iter().map(|job| job.case.pictures.len() as u64).sum());
    let summary = ModelSummary::from(model.manifest());
    for job in jobs {
        if let Err(error) = job.run(arguments, &summary, &mut finder, &mut failures, progress) {
            failures.add(error)?;
        }
    }
    progress.finish();
    Ok(failures.exit_code())
}

/// What went wrong so far, where the work goes on.
struct Failures {
    keep_going: bool,
    first: Option<ExitCode>,
}

impl Failures {
    /// Notes an error, or gives it back where it ends the work.
    fn add(&mut self, error: Error) -> Result<()> {
        if !self.keep_going || error.exit_code() == ExitCode::Cancelled {
            return Err(error);
        }
        tracing::error!("{error}");
        self.first.get_or_insert(error.exit_code());
        Ok(())
    }

    fn exit_code(&self) -> ExitCode {
        self.first.unwrap_or(ExitCode::Done)
    }
}
