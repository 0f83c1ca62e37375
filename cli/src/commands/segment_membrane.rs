use super::segment;
use crate::args::{SegmentCommand, SegmentMembrane};
use crate::{ExitCode, Progress, Result};

pub fn run(arguments: &SegmentMembrane, threads: usize, progress: &Progress) -> Result<ExitCode> {
    let system = &arguments.system;
    let command = SegmentCommand {
        model: system.model.clone().unwrap_or_else(|| "membrane".into()),
        inputs: arguments.inputs.clone(),
        out: arguments.out.clone(),
        output: Some("probability:interior".into()),
        format: "tif".into(),
        force: system.force,
        skip_existing: system.skip_existing,
        volume: None,
        series: None,
        repair: false,
        keep_going: system.keep_going,
        engine: system.engine.clone(),
        flips: arguments.flips,
        overlap: None,
        window: Vec::new(),
        json: system.json,
        dry_run: false,
    };
    segment::run(&command, threads, progress)
}
