//! Text for the methods of a paper.

use super::words::{grouped, is_no_fault, percent, sum};
use crate::Report;

/// What the text of [`methods`] cites, by number.
pub(super) const CITATIONS: [&str; 5] = [
    "brainmesh, https://github.com/brainmesh/brainmesh (version and model as given above).",
    "Wagstyl K, Larocque S, Cucurull G, et al. BigBrain 3D atlas of cortical layers: cortical and laminar thickness gradients diverge in sensory and motor cortices. PLoS Biology 2020; 18(4): e3000678. doi:10.1371/journal.pbio.3000678",
    "Waehnert MD, Dinse J, Weiss M, et al. Anatomically motivated modeling of cortical laminae. NeuroImage 2014; 93: 210-220. doi:10.1016/j.neuroimage.2013.03.078",
    "Rabiner LR. A tutorial on hidden Markov models and selected applications in speech recognition. Proceedings of the IEEE 1989; 77(2): 257-286. doi:10.1109/5.18626",
    "Shewchuk JR. Adaptive precision floating-point arithmetic and fast robust geometric predicates. Discrete & Computational Geometry 1997; 18: 305-363. doi:10.1007/PL00009321",
];

/// Text for the methods of a paper; numbers in brackets are those of [`CITATIONS`].
pub(super) fn methods(report: &Report) -> String {
    let inputs = &report.parameters["inputs"];
    let span = match inputs["span"]["extended"]["extension_mm"].as_f64() {
        Some(mm) => format!("from {mm} mm outside the pial surface to {mm} mm below the white surface"),
        None => "from the pial to the white surface".into(),
    };
    let source = if inputs["source"].get("volume").is_some() {
        let how = if inputs["cubic"] == true { "cubic convolution" } else { "trilinear interpolation" };
        format!("Intensities were sampled from the volume by {how}")
    } else if inputs["source"].get("profiles").is_some() {
        "Intensity profiles that had been sampled beforehand were used".into()
    } else {
        "Intensities came with the rays".into()
    };
    let faults = || report.defects.iter().filter(|(kind, _)| !is_no_fault(kind)).map(|(_, count)| count);
    let (filled, missing) = (faults().map(|c| c.filled).sum::<usize>(), faults().map(|c| c.missing).sum::<usize>());
    let lengths: Vec<f64> = report.parameters["smoothing_lengths_mm"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(serde_json::Value::as_f64)
        .collect();
    let smoothing = match (lengths.iter().copied().reduce(f64::min), lengths.iter().copied().reduce(f64::max)) {
        (Some(_), Some(high)) if high > 0.0 => {
            let low = lengths.iter().copied().fold(f64::INFINITY, f64::min);
            let chosen = if report.parameters["smoothing"] == "auto" {
                ", a length chosen from held-out parts of the data"
            } else {
                ""
            };
            let length = if low == high { format!("{low} mm") } else { format!("{low} to {high} mm") };
            format!(
                "Boundaries were then smoothed over the mesh as a Gaussian field (correlation length {length}{chosen}), in the share of the volume above them [3], each weighted by its own variance."
            )
        }
        _ => "Boundaries were not smoothed over the mesh.".into(),
    };
    let certificate = &report.certificate;
    let checked = if certificate.is_clean() {
        "no surface crosses itself or the next one".to_string()
    } else {
        format!(
            "{} triangles cross others of the same surface, {} those of the next one, and boundaries are out of order on {} rays",
            sum(&certificate.self_intersecting_triangles),
            sum(&certificate.crossing_triangles),
            certificate.order_violations
        )
    };
    let moved = match report.ray_field.moved_vertices {
        0 => String::new(),
        n => format!(
            " Where surfaces would have crossed, {} vertices were moved off their rays (by {:.3} mm on average).",
            grouped(n),
            report.ray_field.moved_mean_mm
        ),
    };
    let layers: Vec<String> = report
        .layers
        .iter()
        .filter_map(|l| Some(format!("{} {:.3} ({:.3})", l.layer, l.thickness_mean_mm?, l.thickness_sd_mm?)))
        .collect();
    let thickness = match report.thickness_mean_mm {
        Some(mean) => format!(
            " Mean thickness was {mean:.3} mm; of the layers (standard deviation between rays): {} mm.",
            layers.join(", ")
        ),
        None => String::new(),
    };
    format!(
        "Cortical layers were found with brainmesh {} [1] and its model {} {}. One straight ray was laid through each of {} pairs of corresponding \
         vertices, {span} [2]. {source}. A neural network gave the probability of each layer at every sample; a state model that allows \
         the layers in their order alone turned these into seven boundaries with standard deviations, by the forward-backward algorithm [4]. {} rays \
         ({}) were measured; {} defective ones were filled from measured neighbours and {} have no layers. {smoothing}{moved} The seven surfaces were \
         checked with exact geometric predicates [5]: {checked}.{thickness}",
        report.brainmesh,
        report.model.name,
        report.model.version,
        grouped(report.rays),
        grouped(report.measured),
        percent(report.measured, report.rays),
        grouped(filled),
        grouped(missing),
    )
}
