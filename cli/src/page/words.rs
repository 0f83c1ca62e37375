//! What a report says in words and tables.

use crate::Report;
use crate::report::ModelSummary;
use brainmesh_core::BOUNDARY_COUNT;
use brainmesh_report::{Fact, Table};

/// What each surface is.
pub(crate) fn surface_names() -> [String; BOUNDARY_COUNT] {
    ["Pia", "I / II", "II / III", "III / IV", "IV / V", "V / VI", "Grey / white"].map(Into::into)
}

/// A colour as style sheets have it.
pub(crate) fn bar_color([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Shares of red, green and blue as bytes.
pub(crate) fn bytes(color: [f32; 3]) -> [u8; 3] {
    color.map(|c| (c * 255.0).round() as u8)
}

/// A whole number with commas.
pub(super) fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(super) fn percent(part: usize, whole: usize) -> String {
    format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64)
}

pub(super) fn sum(counts: &[usize]) -> usize {
    counts.iter().sum()
}

/// Kinds of defects that are no fault: where there is no cortex, or where the user wanted none.
pub(super) fn is_no_fault(kind: &str) -> bool {
    use brainmesh_core::RayDefect;
    [RayDefect::NoCortex, RayDefect::Masked, RayDefect::NotSampled].iter().any(|defect| defect.name() == kind)
}

pub(super) fn subtitle(report: &Report) -> String {
    format!(
        "Six cortical layers by brainmesh {}, model {} {}",
        report.brainmesh, report.model.name, report.model.version
    )
}

pub(super) fn facts(report: &Report) -> Vec<Fact> {
    let fact = |name: &str, value: String, note: String, warns: bool| Fact { name: name.into(), value, note, warns };
    let without: usize =
        report.defects.iter().filter(|(kind, _)| is_no_fault(kind)).map(|(_, c)| c.missing + c.filled).sum();
    let meant = report.rays.saturating_sub(without);
    let faults = || report.defects.iter().filter(|(kind, _)| !is_no_fault(kind)).map(|(_, count)| count);
    let (filled, missing) = (faults().map(|c| c.filled).sum::<usize>(), faults().map(|c| c.missing).sum::<usize>());
    let mut facts = vec![
        fact(
            "Rays measured",
            percent(report.measured, meant),
            format!(
                "{} of {}{}",
                grouped(report.measured),
                grouped(meant),
                if without > 0 {
                    format!("; {} more without cortex or not wanted", grouped(without))
                } else {
                    String::new()
                }
            ),
            report.measured * 10 < meant * 9,
        ),
        fact(
            "Defects",
            grouped(filled + missing),
            format!("{} filled from neighbours, {} without layers", grouped(filled), grouped(missing)),
            missing * 100 > meant,
        ),
    ];
    let certificate = &report.certificate;
    let crossing = sum(&certificate.crossing_triangles) + sum(&certificate.self_intersecting_triangles);
    let clean = certificate.is_clean();
    facts.push(fact(
        "Certificate",
        if clean { "clean".into() } else { format!("{} faults", grouped(crossing + certificate.order_violations)) },
        if clean {
            "no surface crosses itself or the next".into()
        } else {
            format!("{} triangles cross, {} rays out of order", grouped(crossing), certificate.order_violations)
        },
        !clean,
    ));
    if let Some(mean) = report.thickness_mean_mm {
        facts.push(fact("Mean thickness", format!("{mean:.2} mm"), "of the whole cortex".into(), false));
    }
    let uncertainty: Vec<f64> = report.layers.iter().filter_map(|layer| layer.uncertainty_mean_mm).collect();
    if !uncertainty.is_empty() {
        let mean = uncertainty.iter().sum::<f64>() / uncertainty.len() as f64;
        facts.push(fact(
            "Uncertainty",
            format!("{:.0} \u{b5}m", 1000.0 * mean),
            "mean standard deviation of boundaries I / II to grey / white".into(),
            false,
        ));
    }
    facts
}

pub(super) fn defects(report: &Report) -> Table {
    let head = ["Kind", "Filled from neighbours", "Without layers", "Share of all rays"].map(Into::into).to_vec();
    let row = |(kind, count): (&String, &crate::report::DefectCount)| {
        vec![
            kind.clone(),
            grouped(count.filled),
            grouped(count.missing),
            percent(count.filled + count.missing, report.rays),
        ]
    };
    Table { head, rows: report.defects.iter().map(row).collect() }
}

pub(super) fn certificate(report: &Report) -> Table {
    let certificate = &report.certificate;
    let names = surface_names();
    let mut head = vec!["Surface".to_string()];
    head.extend(
        [
            "Triangles that cross others of it",
            "Triangles that cross the next surface",
            "Least distance to the next (mm)",
        ]
        .map(Into::into),
    );
    let count = |counts: &[usize], k: usize| counts.get(k).map_or_else(|| "-".into(), |&n| grouped(n));
    let mut rows: Vec<Vec<String>> = (0..BOUNDARY_COUNT)
        .map(|k| {
            let gap = certificate.least_gap_mm.get(k).copied().flatten();
            vec![
                names[k].clone(),
                count(&certificate.self_intersecting_triangles, k),
                count(&certificate.crossing_triangles, k),
                gap.map_or_else(|| "-".into(), |mm| format!("{mm:.3}")),
            ]
        })
        .collect();
    let mut more = |name: &str, value: String| rows.push(vec![name.into(), value, String::new(), String::new()]);
    more("Rays on which boundaries are out of order", grouped(certificate.order_violations));
    more("Triangles that crossed in the given surfaces", grouped(certificate.given_ribbon_intersecting_triangles));
    more("Euler characteristic", certificate.euler_characteristic.to_string());
    more("Edges of one triangle (0: closed)", grouped(certificate.border_edges));
    more("Edges of more than two triangles (0: manifold)", grouped(certificate.non_manifold_edges));
    let field = &report.ray_field;
    more("Vertices moved off their rays", grouped(field.moved_vertices));
    if field.moved_vertices > 0 {
        more("How far: mean, most (mm)", format!("{:.3}, {:.3}", field.moved_mean_mm, field.moved_max_mm));
    }
    Table { head, rows }
}

pub(crate) fn made_with(version: &str, model: &ModelSummary, device: &str) -> Table {
    let row = |name: &str, value: &str| vec![name.to_string(), value.to_string()];
    Table {
        head: Vec::new(),
        rows: vec![
            row("brainmesh", version),
            row("Model", &format!("{} {}", model.name, model.version)),
            row("Licence of its weights", &model.license),
            row("SHA-256 of its network", &model.sha256),
            row("Ran on", device),
        ],
    }
}

pub(crate) fn timings(stages: &[(String, f64)]) -> Table {
    if stages.is_empty() {
        return Table::default();
    }
    let total: f64 = stages.iter().map(|s| s.1).sum();
    let row = |(name, seconds): &(String, f64)| {
        vec![name.clone(), format!("{seconds:.2}"), format!("{:.0} %", 100.0 * seconds / total.max(1e-9))]
    };
    let mut rows: Vec<_> = stages.iter().map(row).collect();
    rows.push(vec!["All".into(), format!("{total:.2}"), String::new()]);
    Table { head: ["Stage", "Seconds", "Share"].map(Into::into).to_vec(), rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(
            [0, 12, 999, 1000, 163_842, 1_000_000].map(grouped),
            ["0", "12", "999", "1,000", "163,842", "1,000,000"]
        );
    }

    #[test]
    fn times_are_told_with_their_sum() {
        let table = timings(&[("a".into(), 1.0), ("b".into(), 3.0)]);
        assert_eq!(table.rows[1], ["b", "3.00", "75 %"]);
        assert_eq!(table.rows[2][1], "4.00");
        assert!(timings(&[]).rows.is_empty());
    }
}
