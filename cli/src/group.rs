//! A page over many results.

use crate::commands::name_of;
use crate::{Report, Result};
use brainmesh_core::LAYER_NAMES;
use brainmesh_report::{GroupPage, GroupRow};
use std::path::{Component, Path, PathBuf};

/// A value is far from the others beyond so many of their standard deviations, estimated from their median absolute deviation.
const FAR: f64 = 3.5;
/// With fewer results there is nothing to be far from.
const FEWEST: usize = 5;

/// Lists results (folder, page) on a page at `out`.
///
/// # Errors
/// A folder without a `report.json` of `rays2surface`.
pub(crate) fn group_html(results: &[(PathBuf, PathBuf)], out: &Path) -> Result<String> {
    let mut columns: Vec<(String, usize)> = [
        ("Rays", 0),
        ("Measured (%)", 2),
        ("Filled (%)", 2),
        ("Without layers (%)", 2),
        ("Faults of surfaces", 0),
        ("Moved vertices", 0),
        ("Thickness (mm)", 3),
    ]
    .map(|(name, digits)| (name.to_string(), digits))
    .to_vec();
    columns.extend(LAYER_NAMES.map(|layer| (format!("{layer} (mm)"), 3)));
    columns.push(("Uncertainty (mm)".into(), 4));
    let mut rows = Vec::new();
    for (folder, page) in results {
        let path = folder.join("report.json");
        let text = std::fs::read_to_string(&path)
            .map_err(|source| brainmesh_formats::Error::Io { path: path.clone(), source })?;
        let report = Report::parse(&path, &text)?;
        let page = page.exists().then(|| link(out, page));
        rows.push(GroupRow { name: name_of(folder), page, values: values(&report), far: Vec::new() });
    }
    // Folders of the same name (SUBJECT/layers, ...) are told apart by the one above.
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    for (n, (folder, _)) in results.iter().enumerate() {
        if names.iter().filter(|name| **name == names[n]).count() > 1 {
            rows[n].name = format!("{}/{}", name_of(&folder.join("..")), names[n]);
        }
    }
    for column in 0..columns.len() {
        let list: Vec<Option<f64>> = rows.iter().map(|row| row.values[column]).collect();
        for (row, far) in rows.iter_mut().zip(far(&list)) {
            row.far.push(far);
        }
    }
    let page = GroupPage {
        title: if rows.len() == 1 { "1 result".into() } else { format!("{} results", rows.len()) },
        subtitle: format!("Listed by brainmesh {}. Press a column's name to sort by it.", env!("CARGO_PKG_VERSION")),
        columns,
        rows,
        note: format!(
            "Marked with !: more than {FAR} standard deviations (1.4826 times the median absolute deviation) from the median, of {FEWEST} or more results. \
             Look at those first; they need not be wrong."
        ),
    };
    Ok(page.html()?)
}

fn values(report: &Report) -> Vec<Option<f64>> {
    let percent = |part: usize| Some(100.0 * part as f64 / report.rays.max(1) as f64);
    let certificate = &report.certificate;
    let faults = certificate.order_violations
        + certificate.self_intersecting_triangles.iter().chain(&certificate.crossing_triangles).sum::<usize>();
    let mut values = vec![
        Some(report.rays as f64),
        percent(report.measured),
        percent(report.defects.values().map(|count| count.filled).sum()),
        percent(report.defects.values().map(|count| count.missing).sum()),
        Some(faults as f64),
        Some(report.ray_field.moved_vertices as f64),
        report.thickness_mean_mm,
    ];
    let layer = |name: &str| report.layers.iter().find(|layer| layer.layer == name);
    values.extend(LAYER_NAMES.map(|name| layer(name)?.thickness_mean_mm));
    let sure: Vec<f64> = report.layers.iter().filter_map(|layer| layer.uncertainty_mean_mm).collect();
    values.push((!sure.is_empty()).then(|| sure.iter().sum::<f64>() / sure.len() as f64));
    values
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n % 2 == 1 { values[n / 2] } else { (values[n / 2 - 1] + values[n / 2]) / 2.0 }
}

/// Which values lie far from the median (Iglewicz and Hoaglin 1993).
fn far(values: &[Option<f64>]) -> Vec<bool> {
    let mut known: Vec<f64> = values.iter().flatten().copied().filter(|v| v.is_finite()).collect();
    if known.len() < FEWEST {
        return vec![false; values.len()];
    }
    let middle = median(&mut known);
    let mut away: Vec<f64> = known.iter().map(|v| (v - middle).abs()).collect();
    let sd = 1.4826 * median(&mut away);
    values.iter().map(|v| v.is_some_and(|v| (v - middle).abs() > FAR * sd && sd > 0.0)).collect()
}

/// From the file `from` to the file `to`, as a page links.
fn link(from: &Path, to: &Path) -> String {
    let whole = |path: &Path| {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.into());
        folder.join(path.file_name().unwrap_or_default())
    };
    let (from, to) = (whole(from), whole(to));
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) = (from.components().collect(), to.components().collect());
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_string(), from.len().saturating_sub(same + 1));
    let down = to[same.min(to.len())..].iter().map(|part| encoded(&part.as_os_str().to_string_lossy()));
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// A part of an address.
fn encoded(part: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    part.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_differs_is_far() {
        let values = [2.0, 2.1, 1.9, 2.05, 1.95, 9.0].map(Some);
        assert_eq!(far(&values), [false, false, false, false, false, true]);
        assert!(far(&[Some(1.0), Some(1.0), Some(9.0)]).iter().all(|far| !far));
        assert!(far(&[Some(1.0); 8]).iter().all(|far| !far));
        assert!(!far(&[Some(2.0), Some(2.1), Some(1.9), Some(2.2), Some(1.8), None])[5]);
    }

    #[test]
    fn links_lead_from_page_to_page() {
        let root = tempfile::tempdir().unwrap();
        let (a, b) = (root.path().join("all"), root.path().join("sub 1"));
        [&a, &b].into_iter().for_each(|folder| std::fs::create_dir(folder).unwrap());
        assert_eq!(link(&a.join("index.html"), &b.join("report.html")), "../sub%201/report.html");
        assert_eq!(link(&root.path().join("index.html"), &b.join("report.html")), "sub%201/report.html");
    }
}
