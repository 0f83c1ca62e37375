use super::print_line;
use super::report::{PAGE, name_of};
use crate::args::Rays2surface;
use crate::output::{Staging, write_json, write_text};
use crate::page::PageSource;
use crate::{ExitCode, InMemory, Plan, Progress, Result, Solved};
use std::collections::BTreeMap;
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
    let seconds = seconds_of_stages(timings).into_iter();
    let mut timings: Vec<(String, f64)> = seconds.map(|(name, seconds)| (name.to_string(), seconds)).collect();
    timings.sort_by(|a, b| b.1.total_cmp(&a.1));
    let source = PageSource {
        results: &solved.results,
        report: &solved.report,
        folder: out,
        title: name_of(out),
        volume: None,
        timings,
    };
    let html = source.html(progress)?;
    progress.finish();
    let path = out.join(PAGE);
    write_text(&path, &html)?;
    print_line(format!("written   {} ({:.1} MB)", path.display(), html.len() as f64 / 1e6));
    Ok(())
}

/// Seconds of every stage; of one that came several times (smoothing, by channel) all together.
fn seconds_of_stages(timings: &[(&'static str, Duration)]) -> BTreeMap<&'static str, f64> {
    let mut seconds = BTreeMap::new();
    for (name, time) in timings {
        *seconds.entry(*name).or_insert(0.0) += time.as_secs_f64();
    }
    seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cause: the last of several stages of one name took the place of all before it.
    #[test]
    fn stages_that_come_again_add_up() {
        let second = Duration::from_secs(1);
        let seconds = seconds_of_stages(&[("smoothing", 3 * second), ("reading", second), ("smoothing", second)]);
        assert_eq!(seconds, BTreeMap::from([("reading", 1.0), ("smoothing", 4.0)]));
    }
}
