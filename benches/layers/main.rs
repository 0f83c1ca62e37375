//! Boundary accuracy on phantoms no model was trained on, beside the reference procedure (Wagstyl 2020) with and
//! without its smoothing, and beside ours without smoothing over the mesh.
//!
//! `cargo bench -p brainmesh-cli --bench layers -- [--json] [--seeds N] [--first N] [--only TEXT] [--model DIR]`.
//! `--first` skips that many seeds; `--only` takes the scenarios whose name contains the text. `--length MM`,
//! `--sd-scale` and `--smoothed-sd-scale` (seven numbers) stand in for the model's calibration. One JSON object a
//! scenario, one member a method, as docs/evaluate.md describes them.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the result goes to the terminal")]

mod reference;
mod scenario;
mod sparse;

use brainmesh_cli::decode_options;
use brainmesh_cli::score::{BoundaryError, Comparison, RayClasses, ScoresByPart, class_at};
use brainmesh_core::{BOUNDARY_COUNT, Channel, LAYER_COUNT, LayerBoundaries, RayOutcome, RaySet, Silent};
use brainmesh_meshing::{
    DecodeOptions, DepthSpacing, RayIntensities, SampleOptions, SmoothOptions, Smoothing, channels, decode,
    extended_rays, fill, mark_damage, no_cortex, sample, smooth_boundaries,
};
use brainmesh_phantom::Phantom;
use brainmesh_segmentation::{Device, Model, Polarity, Session, normalise};
use ndarray::{Array2, Axis};
use reference::{argmax, reference};
use scenario::SCENARIOS;
use std::error::Error;

const EXTENSION_MM: f64 = 0.5;
/// Tissue missing on a damaged ray, mm.
const DAMAGED_MM: f64 = 0.1;
/// In the order in which [`score`] finds them.
const METHODS: [&str; 6] = [
    "brainmesh",
    "brainmesh, no smoothing",
    "reference",
    "reference, no smoothing",
    "brainmesh, a tenth of rays",
    "brainmesh, five sections",
];
/// The last of [`METHODS`]: its regions are distances from the sections.
const FIVE_SECTIONS: usize = METHODS.len() - 1;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| arguments.iter().position(|a| a == name).and_then(|i| arguments.get(i + 1));
    let seeds: u64 = value("--seeds").map_or(Ok(4), |n| n.parse())?;
    let first: u64 = value("--first").map_or(Ok(0), |n| n.parse())?;
    let json = arguments.iter().any(|a| a == "--json");
    let model = match value("--model") {
        Some(folder) => Model::open(folder)?,
        None => Model::named("cortical-layers")?,
    };
    let (decoding, smoothing) = options(&model, &arguments)?;
    let mut session = Session::open(&model, Device::Auto, 0)?;
    let mut results = serde_json::Map::new();
    for scenario in SCENARIOS.iter().filter(|s| value("--only").is_none_or(|text| s.name.contains(text.as_str()))) {
        let mut pooled: [Comparison; METHODS.len()] = std::array::from_fn(|_| Comparison::with_rays(0));
        for n in first..first + seeds {
            let phantom = Phantom::make(&scenario.options(n), &Silent)?;
            for (all, mut one) in pooled.iter_mut().zip(score(&phantom, &model, &mut session, &decoding, &smoothing)?) {
                // Areas of phantoms are numbered on; distances are the same in all.
                let names = std::mem::take(&mut one.region_names);
                let regions = (!names.is_empty()).then(|| one.region.clone());
                let before = all.len();
                all.append(one)?;
                if let Some(regions) = regions {
                    all.region[before..].copy_from_slice(&regions);
                    all.region_names.extend(names);
                }
            }
            eprintln!("{}: phantom {} of {seeds}", scenario.name, n + 1 - first);
        }
        let scores = pooled.map(|comparison| comparison.scores());
        if !json {
            print(scenario.name, &scores);
        }
        let members = METHODS.iter().zip(&scores).map(|(name, s)| Ok((name.to_string(), serde_json::to_value(s)?)));
        results.insert(
            scenario.name.into(),
            members.collect::<Result<serde_json::Map<_, _>, serde_json::Error>>()?.into(),
        );
    }
    if json {
        println!("{:#}", serde_json::Value::Object(results));
    }
    Ok(())
}

/// As the model's calibration says, unless told otherwise.
fn options(model: &Model, arguments: &[String]) -> Result<(DecodeOptions, SmoothOptions), Box<dyn Error>> {
    let numbers = |name: &str| -> Result<Option<Vec<f64>>, Box<dyn Error>> {
        let word = arguments.iter().position(|a| a == name).and_then(|i| arguments.get(i + 1));
        Ok(word.map(|w| w.split(',').map(str::parse).collect::<Result<_, _>>()).transpose()?)
    };
    let seven = |name: &str, otherwise: Option<[f64; BOUNDARY_COUNT]>| match numbers(name)? {
        Some(given) => <[f64; BOUNDARY_COUNT]>::try_from(given)
            .map_err(|given| format!("{name}: expected {BOUNDARY_COUNT} numbers, found {}", given.len()).into()),
        None => Ok::<_, Box<dyn Error>>(otherwise.unwrap_or([1.0; BOUNDARY_COUNT])),
    };
    let one = |name: &str| Ok::<_, Box<dyn Error>>(numbers(name)?.and_then(|n| n.first().copied()));
    let (task, defaults) = (model.manifest().rays()?, SmoothOptions::default());
    let decoding = DecodeOptions { sd_scale: seven("--sd-scale", task.sd_scale)?, ..decode_options(task) };
    let smoothing = SmoothOptions {
        smoothing: one("--length")?.map_or(defaults.smoothing, Smoothing::LengthMm),
        smoothed_sd_scale: seven("--smoothed-sd-scale", task.smoothed_sd_scale)?,
        ..defaults
    };
    Ok((decoding, smoothing))
}

/// The whole pipeline on one phantom, by every method.
fn score(
    phantom: &Phantom,
    model: &Model,
    session: &mut Session,
    decoding: &DecodeOptions,
    smoothing: &SmoothOptions,
) -> Result<[Comparison; METHODS.len()], Box<dyn Error>> {
    let manifest = model.manifest().rays()?;
    let ribbon = phantom.given_ribbon();
    let rays = extended_rays(ribbon, EXTENSION_MM)?;
    let (truth, missing_mm) = (phantom.truth_on_rays(&rays)?, phantom.missing_mm(&rays)?);
    let mut defects = no_cortex(ribbon, 0.5);
    let options = SampleOptions { samples: manifest.samples, ..SampleOptions::default() };
    let raw = sample(phantom.volume(), &rays, &options, &mut defects, &Silent)?;
    let intensities = RayIntensities { raw, smoothed: None, spacing: DepthSpacing::Equidistant, defects };
    let wanted: Vec<Channel> = manifest.channels.iter().map(|c| c.channel).collect();
    let profiles = channels(&wanted, &intensities, ribbon, &rays, manifest.samples, &Silent)?;
    let probabilities = session.classify(&normalise(&profiles, &rays, manifest, Polarity::DarkIsDense)?, &Silent)?;

    let neighbours = ribbon.neighbours();
    let decoded = decode(&probabilities, &rays, profiles.defects(), decoding, &Silent)?;
    let decoded = mark_damage(&decoded, &profiles, &rays, true)?;
    let filled = fill(&decoded, &rays, &neighbours)?;
    let usable: Vec<bool> = profiles.defects().iter().map(Option::is_none).collect();
    let smoothed = smooth_boundaries(&filled, ribbon, &rays, smoothing, &Silent)?;
    eprintln!("  smoothing lengths {:.2?} mm", smoothed.lengths_mm);
    let smoothed = smoothed.boundaries;
    let interpolated = |part: LayerBoundaries| -> Result<LayerBoundaries, Box<dyn Error>> {
        let filled = fill(&part, &rays, &neighbours)?;
        Ok(smooth_boundaries(&filled, ribbon, &rays, smoothing, &Silent)?.boundaries)
    };
    let tenth = interpolated(sparse::keep(&decoded, sparse::a_tenth)?)?;
    let distances_mm: Vec<f64> = (0..rays.len()).map(|ray| sparse::distance_mm(ribbon, ray)).collect();
    let sections = interpolated(sparse::keep(&decoded, |ray| sparse::traced(distances_mm[ray]))?)?;

    let nothing = Array2::from_elem((rays.len(), BOUNDARY_COUNT), f64::NAN);
    let of = |found: &LayerBoundaries| (found.t().clone(), found.sd_mm().clone());
    let found: [(Array2<f64>, Array2<f64>); METHODS.len()] = [
        of(&smoothed),
        of(&filled),
        (reference(&probabilities, ribbon, &usable, 1.0), nothing.clone()),
        (reference(&probabilities, ribbon, &usable, 0.0), nothing),
        of(&tenth),
        of(&sections),
    ];
    Ok(std::array::from_fn(|method| {
        let (t, sd_mm) = &found[method];
        let mut comparison = Comparison::with_rays(rays.len());
        for ray in 0..rays.len() {
            comparison.scored[ray] = usable[ray] && truth.row(ray).iter().all(|t| t.is_finite());
            comparison.refused[ray] = decoded.outcomes()[ray] != RayOutcome::Measured;
            comparison.damaged[ray] = Some(missing_mm[ray] >= DAMAGED_MM);
            comparison.region[ray] = phantom.regions()[ray] as i32 + 1;
            if method == FIVE_SECTIONS {
                let (band, name) = sparse::band(distances_mm[ray]);
                comparison.region[ray] = band;
                comparison.region_names.insert(band, name);
            }
            if !comparison.scored[ray] {
                continue;
            }
            let mm = |t: f64| t * rays.length_mm(ray);
            let sd: [f64; BOUNDARY_COUNT] = std::array::from_fn(|k| sd_mm[[ray, k]]);
            comparison.set_boundaries(
                ray,
                &std::array::from_fn(|k| mm(t[[ray, k]])),
                &std::array::from_fn(|k| mm(truth[[ray, k]])),
                &sd.map(|sd| if sd.is_finite() { sd } else { f64::NAN }),
            );
            let (mut classes, mut network) = (RayClasses::default(), RayClasses::default());
            let column = probabilities.values().index_axis(Axis(0), ray);
            for i in 0..manifest.samples {
                let at = RaySet::t_of_sample(i as f64, manifest.samples);
                let true_class = class_at(at, truth.row(ray));
                classes.add(true_class, class_at(at, t.row(ray)), f32::NAN);
                let class = argmax(column.column(i));
                // With seven classes white is 0 again, in the inner half.
                let white = column.nrows() == LAYER_COUNT + 1 && class == 0 && 2 * i > manifest.samples;
                network.add(true_class, if white { LAYER_COUNT + 1 } else { class }, f32::NAN);
            }
            comparison.classes[ray] = Some(classes);
            comparison.network[ray] = Some(network);
        }
        comparison
    }))
}

fn print(name: &str, scores: &[ScoresByPart; METHODS.len()]) {
    let (ours, damage) = (&scores[0].all, scores[0].all.damage.as_ref());
    println!("{name}: {} rays", ours.rays);
    for (who, classes) in [("network", &ours.network), ("layers", &ours.classes)] {
        if let Some(c) = classes {
            println!("  {who:8} accuracy {:.4}, mean Jaccard {:.4}", c.accuracy, c.jaccard_mean);
        }
    }
    if let Some(d) = damage {
        println!("  damaged {}, refused {}, F1 {:.3}", d.damaged, d.refused, d.f1);
    }
    for band in &scores[FIVE_SECTIONS].regions {
        let inner: Vec<_> =
            band.scores.boundaries.iter().filter(|b| !["pia", "white"].contains(&b.boundary.as_str())).collect();
        let mean = |of: &dyn Fn(&BoundaryError) -> f64| inner.iter().map(|b| of(b)).sum::<f64>() / inner.len() as f64;
        let covered = mean(&|b| b.calibration.as_ref().map_or(f64::NAN, |c| 100.0 * c.coverage_90));
        println!(
            "  {}: {} rays, mean {:.1} um, 90 % {covered:.1}",
            band.region,
            band.scores.rays,
            mean(&|b| b.errors.mean_um)
        );
    }
    for (method, scores) in METHODS.iter().zip(scores) {
        let boundaries = &scores.all.boundaries;
        let row =
            |of: &dyn Fn(usize) -> f64| -> String { (0..boundaries.len()).map(|k| format!("{:7.1}", of(k))).collect() };
        let inner = &boundaries[1..boundaries.len().saturating_sub(1)];
        let mean = inner.iter().map(|b| b.errors.mean_um).sum::<f64>() / inner.len() as f64;
        println!("  {method:25} mean {}   I-II..V-VI {mean:.1} um", row(&|k| boundaries[k].errors.mean_um));
        println!("  {:25} p95  {}", "", row(&|k| boundaries[k].errors.p95_um));
        println!("  {:25} bias {}", "", row(&|k| boundaries[k].errors.bias_um));
        if boundaries.iter().any(|b| b.calibration.is_some()) {
            let coverage = |k: usize| boundaries[k].calibration.as_ref().map_or(f64::NAN, |c| 100.0 * c.coverage_90);
            println!("  {:25} 90 % {}", "", row(&coverage));
            let factor = |k: usize| boundaries[k].calibration.as_ref().map_or(f64::NAN, |c| c.sd_factor_90);
            println!(
                "  {:25} x SD {}",
                "",
                (0..boundaries.len()).map(|k| format!("{:7.2}", factor(k))).collect::<String>()
            );
        }
    }
}
