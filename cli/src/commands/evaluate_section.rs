use super::print_line;
use super::rays::summary;
use crate::args::{EvaluateSection, PolarityArg};
use crate::output::write_json;
use crate::plan::decode_options;
use crate::preview::Preview;
use crate::score::{BOUNDARY_NAMES, SD_OF_90_PERCENT};
use crate::section_input::{Scale, Section, depth_mm, median_depth};
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::{BOUNDARY_COUNT, Channel, LayerBoundaries, RayDefect};
use brainmesh_meshing::decode;
use brainmesh_segmentation::{Model, Polarity, normalise};
use ndarray::Array2;
use serde::Serialize;
use std::collections::BTreeMap;

/// Results of a model on one section.
#[derive(Serialize)]
struct Results {
    schema: &'static str,
    brainmesh: &'static str,
    picture: String,
    model: String,
    pixel_um: f64,
    /// Where that comes from; with an assumed depth micrometres are as good as the assumption, shares are not touched.
    scale: Scale,
    voxel_um: f64,
    rays: usize,
    /// Streamlines that gave no ray, by reason.
    no_ray: BTreeMap<&'static str, usize>,
    median_depth_mm: f64,
    /// Rays the decoder refused.
    defects: usize,
    boundaries: Vec<Scores>,
    /// Mean over the inner boundaries that are known.
    mean_inner_share: Option<f64>,
}

/// Errors of one boundary. Shares are of each ray's depth, from the outer to the deep end of the labelled cortex.
#[derive(Serialize)]
struct Scores {
    boundary: &'static str,
    rays: usize,
    /// Mean absolute error.
    mean_share: f64,
    p95_share: f64,
    /// Mean signed error, positive when found too deep.
    bias_share: f64,
    mean_um: f64,
    bias_um: f64,
    /// Share of rays on which the truth lies within 1.645 standard deviations.
    within_90: f64,
    /// Mean place, as a share of the depth.
    found_at: f64,
    true_at: f64,
}

pub fn run(arguments: &EvaluateSection, threads: usize, progress: &Progress) -> Result<ExitCode> {
    let options = crate::plan::session_options(&arguments.engine, threads)?;
    let model = Model::find(&arguments.model)?;
    let task = model.manifest().rays()?;
    let section = Section::read(&arguments.inputs, task.extension_mm, progress)?;
    let channels: Vec<Channel> = task.channels.iter().map(|c| c.channel).collect();
    let profiles = section.profiles(&channels, task.samples)?;
    let polarity = match arguments.polarity {
        PolarityArg::DarkIsDense => Polarity::DarkIsDense,
        PolarityArg::BrightIsDense => Polarity::BrightIsDense,
    };
    let input = normalise(&profiles, &section.rays.rays, task, polarity)?;
    let probabilities = options.open(&model)?.classify(&input, progress)?;
    let found = decode(&probabilities, &section.rays.rays, profiles.defects(), &decode_options(task), progress)?;
    progress.finish();
    let boundaries: Vec<Scores> = (0..BOUNDARY_COUNT).filter_map(|k| score(&section, &found, k)).collect();
    let inner: Vec<f64> = boundaries
        .iter()
        .filter(|b| BOUNDARY_NAMES[1..BOUNDARY_NAMES.len() - 1].contains(&b.boundary))
        .map(|b| b.mean_share)
        .collect();
    let results = Results {
        schema: "brainmesh-section-1",
        brainmesh: env!("CARGO_PKG_VERSION"),
        picture: arguments.inputs.from_section.display().to_string(),
        model: model.manifest().name.clone(),
        pixel_um: section.pixel_um,
        scale: section.scale,
        voxel_um: section.spacing_mm() * 1000.0,
        rays: found.len(),
        no_ray: section.rays.refused.iter().map(|(why, n)| (why.name(), *n)).collect(),
        median_depth_mm: median_depth(&section.rays),
        defects: found.outcomes().iter().filter(|o| !o.has_layers()).count(),
        mean_inner_share: (!inner.is_empty()).then(|| inner.iter().sum::<f64>() / inner.len() as f64),
        boundaries,
    };
    if results.defects == results.rays {
        let reasons: Vec<_> = found.outcomes().iter().filter_map(|o| o.defect()).map(RayDefect::name).collect();
        return Err(Error::Unusable(format!("none of {} rays gives layers: {}", results.rays, reasons[0])));
    }
    write_json(&arguments.out, &results)?;
    if let Some(path) = &arguments.inputs.preview {
        let rays = &section.rays.rays;
        let mut measured: Array2<f64> = found.t().clone();
        for (mut row, outcome) in measured.outer_iter_mut().zip(found.outcomes()) {
            if !outcome.has_layers() {
                row.fill(f64::NAN);
            }
        }
        let truth = Preview::new(&section.picture).rays(&section.rays).boundaries(rays, &section.rays.boundaries_t);
        truth.beside(&Preview::new(&section.picture).boundaries(rays, &measured)).write(path)?;
    }
    summary(&section);
    print(&results);
    Ok(ExitCode::Done)
}

fn score(section: &Section, found: &LayerBoundaries, k: usize) -> Option<Scores> {
    let rays = &section.rays.rays;
    let truth = section.rays.boundaries_t.column(k);
    let scored: Vec<usize> =
        (0..rays.len()).filter(|&r| truth[r].is_finite() && found.outcomes()[r].has_layers()).collect();
    if scored.is_empty() {
        return None;
    }
    let place = |ray: usize, t: f64| (t - rays.pial_t(ray)) / (rays.white_t(ray) - rays.pial_t(ray));
    let mean = |value: &dyn Fn(usize) -> f64| scored.iter().map(|&r| value(r)).sum::<f64>() / scored.len() as f64;
    let share = |r: usize| place(r, found.t()[[r, k]]) - place(r, truth[r]);
    let um = |r: usize| share(r) * depth_mm(&section.rays, r) * 1000.0;
    let mut absolute: Vec<f64> = scored.iter().map(|&r| share(r).abs()).collect();
    absolute.sort_by(f64::total_cmp);
    let rank = ((absolute.len() as f64 * 0.95).ceil() as usize).clamp(1, absolute.len()) - 1;
    Some(Scores {
        boundary: BOUNDARY_NAMES[k],
        rays: scored.len(),
        mean_share: mean(&|r| share(r).abs()),
        p95_share: absolute[rank],
        bias_share: mean(&share),
        mean_um: mean(&|r| um(r).abs()),
        bias_um: mean(&um),
        within_90: mean(&|r| f64::from(um(r).abs() <= SD_OF_90_PERCENT * found.sd_mm()[[r, k]] * 1000.0)),
        found_at: mean(&|r| place(r, found.t()[[r, k]])),
        true_at: mean(&|r| place(r, truth[r])),
    })
}

fn print(results: &Results) {
    print_line(format!("{} defects; errors as shares of the depth", results.defects));
    print_line(format!(
        "{:>8} {:>6} {:>7} {:>7} {:>7} {:>8} {:>7}",
        "boundary", "rays", "mean %", "p95 %", "bias %", "mean um", "in 90 %"
    ));
    for b in &results.boundaries {
        print_line(format!(
            "{:>8} {:>6} {:>7.2} {:>7.2} {:>7.2} {:>8.0} {:>7.2}",
            b.boundary,
            b.rays,
            b.mean_share * 100.0,
            b.p95_share * 100.0,
            b.bias_share * 100.0,
            b.mean_um,
            b.within_90
        ));
    }
    if let Some(mean) = results.mean_inner_share {
        print_line(format!("mean of the inner boundaries: {:.2} % of the depth", mean * 100.0));
    }
}
