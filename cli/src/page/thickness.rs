use super::words::bytes;
use crate::report::mean_sd;
use crate::{LayerResults, Report};
use brainmesh_core::{LAYER_NAMES, layer_color};
use brainmesh_phantom::{BIGBRAIN_MM, VON_ECONOMO_TOTAL_MM};
use brainmesh_report::{Histogram, Published, Table, ValueRange};

/// Where the published means are from.
pub(super) const SOURCE: &str = "published mean and standard deviation; of the layers: left hemisphere of the BigBrain (154,827 vertices; layers of \
Wagstyl et al. 2020, PLoS Biology 18(4) e3000678); of the whole: 33 areas with six layers (von Economo and Koskinas 1925). \
One brain and one atlas: a difference is no fault by itself.";

/// Histograms (title, SVG) of the whole and of the layers, and the table beside them.
pub(super) fn thickness(results: &LayerResults, report: &Report) -> (Vec<(String, String)>, Table) {
    let head = [
        "Layer",
        "Mean (mm)",
        "SD (mm)",
        "5th to 95th percentile",
        "Published mean (SD)",
        "Uncertainty of its lower boundary (mm)",
    ];
    let mut table = Table { head: head.map(Into::into).to_vec(), rows: Vec::new() };
    let mut histograms = Vec::new();
    let layers = ValueRange::up_to_share(results.thickness_mm[1..].iter().flatten().copied(), 0.995);
    let whole = ValueRange::up_to_share(results.thickness_mm[0].iter().copied(), 0.995);
    for (k, values) in results.thickness_mm.iter().enumerate() {
        let (name, range, published) = match k.checked_sub(1) {
            None => ("Whole cortex".to_string(), whole, VON_ECONOMO_TOTAL_MM),
            Some(layer) => (format!("Layer {}", LAYER_NAMES[layer]), layers, BIGBRAIN_MM[layer]),
        };
        let published = Published { mean: published.0, sd: published.1 };
        // Between boundaries k - 1 and k a layer has the colour of the lower one; the whole is grey.
        let color = if k == 0 { [150, 150, 150] } else { bytes(layer_color(k)) };
        let title = format!("{name}, thickness in mm");
        histograms.push((title.clone(), Histogram::new(title, values, range, color, Some(published)).svg()));
        let number = |v: Option<f64>| v.map_or_else(|| "-".into(), |v| format!("{v:.3}"));
        let found = mean_sd(values.iter().map(|&v| f64::from(v)));
        let uncertainty = k.checked_sub(1).and_then(|layer| report.layers.get(layer)?.uncertainty_mean_mm);
        table.rows.push(vec![
            name,
            number(found.map(|f| f.0)),
            number(found.map(|f| f.1)),
            percentiles(values),
            format!("{:.3} ({:.3})", published.mean, published.sd),
            number(uncertainty),
        ]);
    }
    (histograms, table)
}

fn percentiles(values: &[f32]) -> String {
    let mut finite: Vec<f32> = values.iter().copied().filter(|v| v.is_finite()).collect();
    finite.sort_by(f32::total_cmp);
    let at = |share: f64| finite.get((finite.len().saturating_sub(1) as f64 * share).round() as usize);
    match (at(0.05), at(0.95)) {
        (Some(low), Some(high)) => format!("{low:.3} to {high:.3}"),
        _ => "-".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_finite_values() {
        let values: Vec<f32> = (0..=100u8).map(|n| f32::from(n) / 100.0).chain([f32::NAN; 50]).collect();
        assert_eq!(percentiles(&values), "0.050 to 0.950");
        assert_eq!(percentiles(&[f32::NAN]), "-");
    }
}
