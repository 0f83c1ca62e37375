use crate::commands::print_line;
use crate::score::{BoundaryError, ClassScores, Detection, Scores, ScoresByPart, ThicknessError};

/// Scores of a group as tables; regions with one line each.
pub(super) fn print(name: &str, truth: &str, scores: &ScoresByPart) {
    let all = &scores.all;
    let refused = scores.refused.as_ref().map_or(0, |r| r.rays);
    print_line(format!("{name}: {} rays, {} compared, {refused} refused", all.rays, all.compared));
    for (what, classes) in [("between boundaries", &all.classes), ("network alone", &all.network)] {
        if let Some(classes) = classes {
            print_classes(what, classes);
        }
    }
    if let Some(damage) = &all.damage {
        print_damage(damage);
    }
    if let Some(ratio) = all.ribbon_ratio {
        print_line(format!(
            "The given ribbon has {ratio:.3} of the thickness of the true one; all is scaled to the true one."
        ));
    }
    print_line(match truth {
        "thickness" => "Boundaries as fractions of the ribbon, errors in micrometres of the true ribbon:",
        _ => "Boundaries along the ray, errors in micrometres:",
    });
    print_boundaries(&all.boundaries);
    print_thickness(&all.thickness);
    if !scores.regions.is_empty() {
        print_line(format!("{:>8} {:>9} {:>9} {:>9}  region", "rays", "accuracy", "mean um", "bias um"));
        for region in &scores.regions {
            print_line(region_line(&region.region, &region.scores));
        }
    }
}

fn print_classes(what: &str, scores: &ClassScores) {
    print_line(format!(
        "Classes, {what}: accuracy {:.4}, Jaccard {:.4} (8 classes), {:.4} (7 classes)",
        scores.accuracy, scores.jaccard_mean, scores.jaccard_seven_mean
    ));
    let listed = |values: &[f64]| values.iter().map(|v| format!("{v:.3}")).collect::<Vec<_>>().join(" ");
    print_line(format!("  Jaccard of outside, I..VI, white: {}", listed(&scores.jaccard)));
    if let Some(confidence) = &scores.confidence {
        print_line(format!("  Confidence (best less second):   {}", listed(confidence)));
    }
}

fn print_damage(damage: &Detection) {
    print_line(format!(
        "Damaged rays: {} of {} refused; precision {:.3}, recall {:.3}, F1 {:.3}",
        damage.found, damage.damaged, damage.precision, damage.recall, damage.f1
    ));
}

/// A table of boundary errors; coverage and correlations where there are any.
pub(in crate::commands) fn print_boundaries(errors: &[BoundaryError]) {
    let calibrated = errors.iter().any(|e| e.calibration.is_some());
    let correlated = errors.iter().any(|e| e.parcel_correlation.is_some());
    let mut head =
        format!("{:>8} {:>8} {:>9} {:>9} {:>9} {:>9}", "boundary", "rays", "mean um", "median um", "p95 um", "bias um");
    if calibrated {
        head += &format!(" {:>8} {:>8} {:>8}", "in 1 SD", "in 90 %", "in 2 SD");
    }
    if correlated {
        head += &format!(" {:>9}", "region r");
    }
    print_line(head);
    for e in errors {
        let shown = &e.errors;
        let mut line = format!(
            "{:>8} {:>8} {:>9.1} {:>9.1} {:>9.1} {:>9.1}",
            e.boundary, shown.rays, shown.mean_um, shown.median_um, shown.p95_um, shown.bias_um
        );
        if calibrated {
            line += &e.calibration.as_ref().map_or(format!(" {:>8} {:>8} {:>8}", "", "", ""), |c| {
                format!(" {:>8.3} {:>8.3} {:>8.3}", c.within_one_sd, c.coverage_90, c.within_two_sd)
            });
        }
        if correlated {
            line += &e.parcel_correlation.map_or(String::new(), |r| format!(" {r:>9.3}"));
        }
        print_line(line.trim_end());
    }
}

fn print_thickness(layers: &[ThicknessError]) {
    if layers.is_empty() {
        return;
    }
    let correlated = layers.iter().any(|l| l.parcel_correlation.is_some());
    let last = if correlated { format!(" {:>9}", "region r") } else { String::new() };
    print_line(format!(
        "{:>8} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}{last}",
        "layer", "rays", "mean um", "median um", "p95 um", "found mm", "true mm", "ratio"
    ));
    for l in layers {
        let last = l.parcel_correlation.map_or(String::new(), |r| format!(" {r:>9.3}"));
        print_line(format!(
            "{:>8} {:>8} {:>9.1} {:>9.1} {:>9.1} {:>9.3} {:>9.3} {:>9.3}{last}",
            l.layer,
            l.errors.rays,
            l.errors.mean_um,
            l.errors.median_um,
            l.errors.p95_um,
            l.mean_mm,
            l.truth_mean_mm,
            l.ratio
        ));
    }
}

/// Means over the boundaries of a region.
fn region_line(name: &str, scores: &Scores) -> String {
    let n = scores.boundaries.len() as f64;
    let mean = |value: fn(&BoundaryError) -> f64| scores.boundaries.iter().map(value).sum::<f64>() / n;
    let classes = scores.classes.as_ref().or(scores.network.as_ref());
    let accuracy = classes.map_or(String::new(), |c| format!("{:.4}", c.accuracy));
    let (error, bias) = (mean(|e| e.errors.mean_um), mean(|e| e.errors.bias_um));
    if scores.boundaries.is_empty() {
        return format!("{:>8} {accuracy:>9} {:>9} {:>9}  {name}", scores.rays, "", "");
    }
    format!("{:>8} {accuracy:>9} {error:>9.1} {bias:>9.1}  {name}", scores.rays)
}
