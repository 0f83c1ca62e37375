use super::print_line;
use super::report::{PAGE, name_of};
use crate::args::Rays2surface;
use crate::output::{Staging, write_json, write_text};
use crate::page::PageSource;
use crate::report::{longest_first, seconds_of_stages};
use crate::{ExitCode, InMemory, Plan, Progress, Result, Solved};
use std::path::Path;
use std::time::Duration;

pub fn run(arguments: &Rays2surface, threads: usize, progress: &Progress) -> Result<ExitCode> {
    let plan = Plan::resolve(arguments, &InMemory::default(), threads)?;
    drop(Staging::new(&arguments.out)?);
    if arguments.dry_run {
        let session = plan.open_session()?;
        let summary = serde_json::json!({
            "model": plan.model.manifest().name,
            "device": session.device_note(),
            "out": arguments.out,
            "parameters": plan.parameters(),
        });
        print_line(format!("{summary:#}"));
        return Ok(ExitCode::Done);
    }
    let solved = plan.run(&arguments.out, progress)?;
    let timings = progress.finish();
    if let Some(path) = &arguments.timings {
        write_json(path, &seconds_of_stages(&timings))?;
    }
    for (name, time) in &timings {
        tracing::debug!(stage = name, seconds = time.as_secs_f64());
    }
    summarise(&solved, &arguments.out);
    if arguments.report {
        write_report(&solved, &arguments.out, &timings, progress)?;
    }
    Ok(if solved.too_many_defects { ExitCode::TooManyDefects } else { ExitCode::Done })
}

/// The result in a few lines.
pub(super) fn summarise(solved: &Solved, out: &Path) {
    solved.report.summary().into_iter().for_each(print_line);
    print_line(format!("written   {} files in {}", solved.files.len(), out.display()));
}

/// The page of a result that was just written, with the times it took.
pub(super) fn write_report(
    solved: &Solved,
    out: &Path,
    timings: &[(&'static str, Duration)],
    progress: &Progress,
) -> Result<()> {
    let source = PageSource {
        results: &solved.results,
        report: &solved.report,
        folder: out,
        title: name_of(out),
        volume: None,
        timings: longest_first(seconds_of_stages(timings)),
    };
    let html = source.html(progress)?;
    progress.finish();
    let path = out.join(PAGE);
    write_text(&path, &html)?;
    print_line(format!("written   {} ({:.1} MB)", path.display(), html.len() as f64 / 1e6));
    Ok(())
}
