//! Boundary accuracy on phantoms no model was trained on, beside the reference procedure (Wagstyl 2020: argmax, first
//! sample of each class, sort, smooth each layer alone by 1 mm, round to a sample).
//!
//! `cargo bench -p brainmesh-cli --bench layers -- [--json] [--seeds N] [--model DIR]`. Seeds start at 900,000: the
//! training package makes its phantoms from seeds above 160,900,000.
#![allow(clippy::print_stdout, reason = "the result goes to the terminal")]

use brainmesh_cli::score::{BoundaryError, Confusion, class_at};
use brainmesh_core::{BOUNDARY_COUNT, Channel, LAYER_COUNT, RayOutcome, RaySet, Silent};
use brainmesh_meshing::{
    DecodeOptions, DepthSpacing, Diffusion, RayIntensities, SmoothOptions, channels, decode, extended_rays, fill,
    no_cortex, sample, smooth_boundaries,
};
use brainmesh_phantom::{Artefacts, Folding, LayerModel, Phantom, PhantomOptions, Shape};
use brainmesh_segmentation::{Device, Model, Polarity, Session, normalise};
use ndarray::{Array2, Axis};
use std::error::Error;

/// First seed of the phantoms kept for this comparison.
const FIRST_SEED: u64 = 900_000;
const EXTENSION_MM: f64 = 0.5;
/// Voxel size, edge of the volume and of the triangles, mm.
const SIZES: [(f64, f64, f64); 4] = [(0.02, 8.0, 0.2), (0.04, 12.0, 0.3), (0.1, 16.0, 0.4), (0.2, 20.0, 0.5)];

#[derive(Default)]
struct Tally {
    confusion: Option<Confusion>,
    rays: usize,
    refused: usize,
    ours_mm: [Vec<f64>; BOUNDARY_COUNT],
    reference_mm: [Vec<f64>; BOUNDARY_COUNT],
    within_two_sd: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| arguments.iter().position(|a| a == name).and_then(|i| arguments.get(i + 1));
    let seeds: u64 = value("--seeds").map_or(Ok(4), |n| n.parse())?;
    let model = match value("--model") {
        Some(folder) => Model::open(folder)?,
        None => Model::named("cortical-layers")?,
    };
    let mut session = Session::open(&model, Device::Auto, 0)?;
    let mut results = serde_json::Map::new();
    for (spacing_mm, extent_mm, edge_mm) in SIZES {
        let mut tally = Tally::default();
        for seed in FIRST_SEED..FIRST_SEED + seeds {
            // Every other phantom divides its layers by distance, which the smoother's depth does not assume.
            let layer_model = if seed % 2 == 0 { LayerModel::Equivolumetric } else { LayerModel::Equidistant };
            let options = PhantomOptions {
                seed,
                shape: Shape::Folded(Folding { edge_mm, area_mm: 5.0, ..Folding::default() }),
                spacing_mm,
                extent_mm: Some([extent_mm, extent_mm, extent_mm.min(12.0)]),
                artefacts: Artefacts::MILD,
                layer_model,
                ..PhantomOptions::default()
            };
            score(&Phantom::make(&options, &Silent)?, &model, &mut session, &mut tally)?;
        }
        let name = format!("{:.0} um", spacing_mm * 1000.0);
        let summary = tally.summarise();
        if !arguments.iter().any(|a| a == "--json") {
            print(&name, &summary);
        }
        results.insert(name, summary);
    }
    if arguments.iter().any(|a| a == "--json") {
        println!("{:#}", serde_json::Value::Object(results));
    }
    Ok(())
}

fn score(phantom: &Phantom, model: &Model, session: &mut Session, tally: &mut Tally) -> Result<(), Box<dyn Error>> {
    let manifest = model.manifest().rays()?;
    let ribbon = phantom.given_ribbon();
    let rays = extended_rays(ribbon, EXTENSION_MM)?;
    let truth = phantom.truth_on_rays(&rays)?;
    let mut defects = no_cortex(ribbon, 0.5);
    let raw = sample(phantom.volume(), &rays, manifest.samples, None, &mut defects, &Silent)?;
    let intensities = RayIntensities { raw, smoothed: None, spacing: DepthSpacing::Equidistant, defects };
    let wanted: Vec<Channel> = manifest.channels.iter().map(|c| c.channel).collect();
    let profiles = channels(&wanted, &intensities, ribbon, &rays, manifest.samples, &Silent)?;
    let probabilities = session.classify(&normalise(&profiles, &rays, manifest, Polarity::DarkIsDense)?, &Silent)?;

    let defaults = DecodeOptions::default();
    let options = DecodeOptions { evidence: manifest.evidence.unwrap_or(defaults.evidence), ..defaults };
    let neighbours = ribbon.neighbours();
    let decoded = decode(&probabilities, &rays, profiles.defects(), &options, &Silent)?;
    let filled = fill(&decoded, &rays, &neighbours)?;
    let ours = smooth_boundaries(&filled, ribbon, &rays, &SmoothOptions::default(), &Silent)?.boundaries;
    let usable: Vec<bool> = profiles.defects().iter().map(Option::is_none).collect();
    let reference = reference_procedure(&probabilities, ribbon, &usable);

    let confusion = tally.confusion.get_or_insert_with(|| Confusion::new(LAYER_COUNT + 2));
    for ray in (0..rays.len()).filter(|&r| usable[r] && truth.row(r).iter().all(|t| t.is_finite())) {
        tally.rays += 1;
        let classes = probabilities.values().index_axis(Axis(0), ray);
        for i in 0..manifest.samples {
            let t = RaySet::t_of_sample(i as f64, manifest.samples);
            confusion.add(class_at(t, truth.row(ray)), argmax(classes.column(i)));
        }
        tally.refused += usize::from(decoded.outcomes()[ray] != RayOutcome::Measured);
        for k in 0..BOUNDARY_COUNT {
            let mm = |t: f64| (t - truth[[ray, k]]) * rays.length_mm(ray);
            tally.reference_mm[k].push(mm(reference[[ray, k]]));
            if ours.outcomes()[ray].has_layers() {
                let error = mm(ours.t()[[ray, k]]);
                tally.within_two_sd += usize::from(error.abs() <= 2.0 * ours.sd_mm()[[ray, k]]);
                tally.ours_mm[k].push(error);
            }
        }
    }
    Ok(())
}

fn argmax(classes: ndarray::ArrayView1<f32>) -> usize {
    classes.iter().enumerate().fold(0, |best, (c, p)| if *p > classes[best] { c } else { best })
}

/// Positions `t` `[rays, 7]` as the reference finds them.
fn reference_procedure(
    probabilities: &brainmesh_core::ClassProbabilities,
    ribbon: &brainmesh_core::Ribbon,
    usable: &[bool],
) -> Array2<f64> {
    let (rays, classes, samples) = probabilities.values().dim();
    let mut first = Array2::<f32>::zeros((rays, BOUNDARY_COUNT));
    for ray in 0..rays {
        let labels: Vec<usize> =
            (0..samples).map(|i| argmax(probabilities.values().slice(ndarray::s![ray, .., i]))).collect();
        let mut indices: Vec<f32> = (1..=BOUNDARY_COUNT)
            .map(|class| {
                // The last boundary is the first white sample; with seven classes white is 0 again, after layer VI.
                let found = if class < classes {
                    labels.iter().position(|&l| l == class)
                } else {
                    labels.iter().rposition(|&l| l == LAYER_COUNT).map(|i| i + 1)
                };
                found.unwrap_or(0) as f32
            })
            .collect();
        indices.sort_by(f32::total_cmp);
        first.row_mut(ray).assign(&ndarray::Array1::from(indices));
    }
    let flow = Diffusion::new(ribbon.pial(), |v| usable[v]);
    let smooth = flow.smooth(&first, 1.0, &Silent).unwrap_or(first);
    smooth.mapv(|index| RaySet::t_of_sample(f64::from(index).round(), samples))
}

impl Tally {
    fn summarise(&self) -> serde_json::Value {
        let errors = |signed: &[Vec<f64>; BOUNDARY_COUNT]| -> Vec<Option<BoundaryError>> {
            signed.iter().enumerate().map(|(k, s)| BoundaryError::from_signed_mm(format!("layer{k}"), s)).collect()
        };
        let jaccard = self.confusion.as_ref().map(Confusion::jaccard).unwrap_or_default();
        let compared: usize = self.ours_mm.iter().map(Vec::len).sum();
        serde_json::json!({
            "rays": self.rays,
            "refused": self.refused,
            "accuracy": self.confusion.as_ref().map(Confusion::accuracy),
            "jaccard": jaccard,
            "jaccard_mean": jaccard.iter().sum::<f64>() / jaccard.len() as f64,
            "within_two_sd": self.within_two_sd as f64 / compared as f64,
            "brainmesh": errors(&self.ours_mm),
            "reference": errors(&self.reference_mm),
        })
    }
}

fn print(name: &str, summary: &serde_json::Value) {
    println!(
        "{name}: {} rays, {} refused, accuracy {:.4}, Jaccard {:.4}, within 2 SD {:.3}",
        summary["rays"],
        summary["refused"],
        summary["accuracy"].as_f64().unwrap_or(f64::NAN),
        summary["jaccard_mean"].as_f64().unwrap_or(f64::NAN),
        summary["within_two_sd"].as_f64().unwrap_or(f64::NAN),
    );
    println!("  {:10} {:>28} {:>28}", "", "brainmesh mean/p95/bias um", "reference mean/p95/bias um");
    for k in 0..BOUNDARY_COUNT {
        let column = |who: &str| {
            let e = &summary[who][k];
            let um = |name: &str| e[name].as_f64().unwrap_or(f64::NAN);
            format!("{:8.1} {:8.1} {:8.1}", um("mean_um"), um("p95_um"), um("bias_um"))
        };
        println!("  layer{k:<5} {:>28} {:>28}", column("brainmesh"), column("reference"));
    }
}
