use super::against::is_damaged;
use crate::args::EvaluateLayers;
use crate::commands::labelled_rays::LabelledRays;
use crate::input::Span;
use crate::plan::{decode_options, default_model};
use crate::score::{Comparison, RayClasses, class_at, class_between};
use crate::{Error, Result};
use brainmesh_core::{BOUNDARY_COUNT, ClassProbabilities, LAYER_COUNT, LayerBoundaries, Monitor, RaySet};
use brainmesh_meshing::decode;
use brainmesh_segmentation::{Model, Polarity, SessionOptions, normalise};
use ndarray::{ArrayView1, s};
use std::collections::BTreeMap;
use std::path::Path;

/// Runs a model on labelled rays: its network and the decoder, ray by ray, by voxel size.
pub(super) fn labelled_rays(
    arguments: &EvaluateLayers,
    threads: usize,
    monitor: &dyn Monitor,
) -> Result<BTreeMap<String, Comparison>> {
    let name = arguments.model.as_deref().unwrap_or(default_model(Span::Extended { extension_mm: 0.5 }));
    let model = Model::find(name)?;
    let mut session = SessionOptions::default().with_threads(threads).open(&model)?;
    let options = decode_options(model.manifest().rays()?);
    let mut groups: BTreeMap<String, Comparison> = BTreeMap::new();
    for path in &arguments.rays {
        let labelled = LabelledRays::read(path)?;
        let input = normalise(&labelled.profiles, &labelled.rays, model.manifest().rays()?, Polarity::DarkIsDense)?;
        let probabilities = session.classify(&input, monitor)?;
        let found = decode(&probabilities, &labelled.rays, labelled.profiles.defects(), &options, monitor)?;
        let mut comparison = compare(&labelled, &probabilities, &found, arguments.damaged_mm);
        if arguments.rays.len() > 1 {
            name_regions(&mut comparison, path);
        }
        let group = groups.entry(format!("{:.0} um", labelled.spacing_mm * 1000.0));
        let whole = group.or_insert_with(|| Comparison::with_rays(0));
        whole.append(comparison).map_err(|error| Error::Unusable(format!("{}: {error}", path.display())))?;
    }
    Ok(groups)
}

/// Regions of several files are told apart by the path.
fn name_regions(comparison: &mut Comparison, path: &Path) {
    for region in comparison.region.iter().filter(|region| **region != 0) {
        comparison.region_names.entry(*region).or_insert_with(|| format!("{} region {region}", path.display()));
    }
}

fn compare(
    labelled: &LabelledRays,
    probabilities: &ClassProbabilities,
    found: &LayerBoundaries,
    damaged_mm: f64,
) -> Comparison {
    let mut comparison = Comparison::with_rays(labelled.rays.len());
    let samples = labelled.profiles.samples();
    for ray in 0..labelled.rays.len() {
        let length_mm = labelled.rays.length_mm(ray);
        let truth = labelled.boundaries_t.row(ray);
        let row = |values: ArrayView1<f64>| -> [f64; BOUNDARY_COUNT] { std::array::from_fn(|k| values[k] * length_mm) };
        let has_layers = found.outcomes()[ray].has_layers();
        comparison.refused[ray] = !has_layers;
        if has_layers {
            let sd_mm = std::array::from_fn(|k| found.sd_mm()[[ray, k]]);
            comparison.set_boundaries(ray, &row(found.t().row(ray)), &row(truth), &sd_mm);
        }
        let (mut classes, mut network) = (RayClasses::default(), RayClasses::default());
        for i in 0..samples {
            let t = RaySet::t_of_sample(i as f64, samples);
            let Some(truth) = class_between(t, truth) else { continue };
            if has_layers {
                classes.add(truth, class_at(t, found.t().row(ray)), 0.0);
            }
            let (class, margin) = most_probable(probabilities.values().slice(s![ray, .., i]));
            // With seven classes outside and white are one: told apart by the side of the ray.
            let is_white = probabilities.values().dim().1 == LAYER_COUNT + 1 && class == 0 && i * 2 > samples;
            network.add(truth, if is_white { LAYER_COUNT + 1 } else { class }, margin);
        }
        comparison.classes[ray] = has_layers.then_some(classes);
        comparison.network[ray] = Some(network);
    }
    if let Some(missing_mm) = &labelled.missing_mm {
        comparison.damaged = missing_mm.iter().map(|&mm| is_damaged(mm, damaged_mm)).collect();
    }
    if let Some(region) = &labelled.region {
        comparison.region.clone_from(region);
    }
    comparison
}

/// The class with the highest probability (the first of several), and how far ahead of the next it is.
fn most_probable(probabilities: ArrayView1<f32>) -> (usize, f32) {
    let (mut best, mut next) = ((0, f32::NEG_INFINITY), f32::NEG_INFINITY);
    for (class, &p) in probabilities.iter().enumerate() {
        if p > best.1 {
            next = best.1;
            best = (class, p);
        } else {
            next = next.max(p);
        }
    }
    (best.0, best.1 - next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_margin_is_to_the_next_best_wherever_it_stands() {
        for (probabilities, class) in
            [(array![0.1, 0.6, 0.25, 0.05], 1), (array![0.25, 0.6, 0.1, 0.05], 1), (array![0.6, 0.25, 0.1, 0.05], 0)]
        {
            let (found, margin) = most_probable(probabilities.view());
            assert_eq!(found, class);
            assert!((margin - 0.35).abs() < 1e-6, "{margin}");
        }
        assert_eq!(most_probable(array![0.5, 0.5].view()), (0, 0.0));
    }
}
