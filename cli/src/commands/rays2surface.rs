use super::print_line;
use crate::args::Rays2surface;
use crate::output::write_json;
use crate::run::Outcome;
use crate::{ExitCode, Plan, Progress, Result};
use std::collections::BTreeMap;
use std::time::Duration;

pub fn run(arguments: &Rays2surface, threads: usize, progress: &Progress) -> Result<ExitCode> {
    let plan = Plan::resolve(arguments, threads)?;
    if arguments.dry_run {
        let session = plan.open_session()?;
        let summary = serde_json::json!({
            "model": plan.model.manifest().name,
            "device": session.device_note(),
            "out": plan.out,
            "parameters": plan.parameters(),
        });
        print_line(format!("{summary:#}"));
        return Ok(ExitCode::Done);
    }
    let outcome = plan.run(progress)?;
    let timings = progress.finish();
    if let Some(path) = &arguments.timings {
        write_json(path, &seconds_of_stages(&timings))?;
    }
    for (name, time) in &timings {
        tracing::debug!(stage = name, seconds = time.as_secs_f64());
    }
    summarise(&plan, &outcome);
    Ok(if outcome.too_many_defects { ExitCode::TooManyDefects } else { ExitCode::Done })
}

/// The result in a few lines.
pub(super) fn summarise(plan: &Plan, outcome: &Outcome) {
    let report = &outcome.report;
    print_line(format!("{} on {}", report.model.name, report.device));
    print_line(format!("rays      {} ({} measured)", report.rays, report.measured));
    if let Some(given) = &report.given_rays {
        print_line(format!(
            "given     {} attached, {} too far, {} too short, {} second at a vertex",
            given.attached, given.too_far, given.too_short, given.second_at_vertex
        ));
    }
    for (kind, count) in &report.defects {
        print_line(format!("defects   {kind}: {} missing, {} filled", count.missing, count.filled));
    }
    if let Some(total) = report.thickness_mean_mm {
        let layers: Vec<String> =
            report.layers.iter().filter_map(|l| Some(format!("{} {:.3}", l.layer, l.thickness_mean_mm?))).collect();
        print_line(format!("thickness {total:.3} mm: {}", layers.join(", ")));
    }
    let rays = &report.ray_field;
    if rays.moved_vertices > 0 {
        print_line(format!(
            "moved     {} vertices off their rays by {:.3} mm on average, {:.3} at most, where surfaces would cross",
            rays.moved_vertices, rays.moved_mean_mm, rays.moved_max_mm
        ));
    }
    let certificate = &report.certificate;
    let sum = |counts: &[usize]| counts.iter().sum::<usize>();
    print_line(format!(
        "checked   {} order violations, {} self-intersecting and {} crossing triangles (given surfaces: {})",
        certificate.order_violations,
        sum(&certificate.self_intersecting_triangles),
        sum(&certificate.crossing_triangles),
        certificate.given_ribbon_intersecting_triangles,
    ));
    print_line(format!("written   {} files in {}", outcome.files.len(), plan.out.display()));
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
