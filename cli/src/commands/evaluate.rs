use super::labelled_rays::LabelledRays;
use super::print_line;
use crate::args::EvaluateLayers;
use crate::input::Span;
use crate::plan::default_model;
use crate::score::{BoundaryError, Confusion, class_at, compare_fractions, fractions};
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::{BOUNDARY_COUNT, LAYER_COUNT, LAYER_NAMES, Monitor, RaySet};
use brainmesh_meshing::{DecodeOptions, decode};
use brainmesh_segmentation::{Model, Polarity, SessionOptions, normalise};
use ndarray::{Array2, Array3};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

pub fn run(arguments: &EvaluateLayers, threads: usize, progress: &Progress) -> Result<ExitCode> {
    let scores = match (&arguments.result, &arguments.truth_thickness, &arguments.truth_points) {
        (Some(result), Some(truth), None) => Scores::Fractions(against_thickness(arguments, result, truth)?),
        (Some(result), None, Some(truth)) => Scores::Points(against_points(result, truth, arguments.mask.as_deref())?),
        (None, ..) => Scores::Rays(labelled_rays(arguments, threads, progress)?),
        _ => {
            return Err(Error::Usage(
                "--result: expected one of --truth-thickness and --truth-points beside it".into(),
            ));
        }
    };
    progress.finish();
    if arguments.json {
        let json = serde_json::to_string_pretty(&scores).map_err(|e| Error::Usage(e.to_string()))?;
        print_line(json);
    } else {
        scores.print();
    }
    Ok(ExitCode::Done)
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Scores {
    Fractions(Vec<BoundaryError>),
    Points(Vec<BoundaryError>),
    Rays(BTreeMap<String, RayScores>),
}

/// Scores of a model on labelled rays of one voxel size.
#[derive(Serialize)]
struct RayScores {
    rays: usize,
    /// Share of samples with the right class, of eight.
    accuracy: f64,
    /// Outside, I..VI, white.
    jaccard: Vec<f64>,
    jaccard_mean: f64,
    /// Outside and white as one class, as in the tutorial.
    jaccard_seven: Vec<f64>,
    jaccard_seven_mean: f64,
    /// Rays the decoder refused.
    defects: usize,
    /// All seven boundaries of the accepted rays.
    boundaries: Vec<BoundaryError>,
    /// Share of boundaries within one and two of their own standard deviations (68 % and 95 % if normal).
    within_one_sd: f64,
    within_two_sd: f64,
}

fn against_thickness(arguments: &EvaluateLayers, result: &Path, truth: &Path) -> Result<Vec<BoundaryError>> {
    let maps = brainmesh_formats::read_shape_gifti(&result.join("thickness.shape.gii"))?;
    let column = |name: &str| {
        maps.iter()
            .find(|m| m.name == name)
            .ok_or_else(|| Error::Unusable(format!("{}: thickness.shape.gii: no map named {name}", result.display())))
    };
    let layers = LAYER_NAMES.iter().map(|name| column(name)).collect::<Result<Vec<_>>>()?;
    let n = layers[0].values.len();
    let found = Array2::from_shape_fn((n, LAYER_COUNT), |(v, k)| f64::from(layers[k].values[v]));
    let truth_mm = read_thickness(truth)?;
    if truth_mm.dim() != (n, LAYER_COUNT) {
        return Err(Error::Unusable(format!(
            "{}: expected [{n}, {LAYER_COUNT}] thicknesses, found {:?}",
            truth.display(),
            truth_mm.dim()
        )));
    }
    let parcels = match &arguments.parcels {
        Some(path) => Some(brainmesh_formats::read_label_gifti(path)?.labels),
        None => None,
    };
    if let (Some(labels), Some(path)) = (&parcels, &arguments.parcels)
        && labels.len() != n
    {
        return Err(Error::Unusable(format!("{}: expected {n} labels, found {}", path.display(), labels.len())));
    }
    let scored = scored_vertices(arguments.mask.as_deref(), n)?;
    Ok(compare_fractions(fractions(found.view()).view(), truth_mm.view(), &scored, parcels.as_deref()))
}

fn scored_vertices(mask: Option<&Path>, n: usize) -> Result<Vec<bool>> {
    Ok(match mask {
        Some(path) => brainmesh_formats::read_vertex_mask(path, n)?,
        None => vec![true; n],
    })
}

/// `[vertices, 6]` from .npy, or from a shape file of the six layers, with or without a total before them.
pub(super) fn read_thickness(path: &Path) -> Result<Array2<f64>> {
    if path.extension().is_some_and(|e| e == "gii") {
        let maps = brainmesh_formats::read_shape_gifti(path)?;
        if !(LAYER_COUNT..=LAYER_COUNT + 1).contains(&maps.len()) {
            return Err(Error::Unusable(format!(
                "{}: expected maps of six layers, or a total and six layers, found {} maps",
                path.display(),
                maps.len()
            )));
        }
        let layers = &maps[maps.len() - LAYER_COUNT..];
        let n = layers[0].values.len();
        return Ok(Array2::from_shape_fn((n, LAYER_COUNT), |(v, k)| f64::from(layers[k].values[v])));
    }
    Ok(brainmesh_formats::read_profile_matrix(path)?.mapv(f64::from))
}

/// Signed errors along the given rays: found boundary vertices against the true points on the same rays.
pub(super) fn against_points(result: &Path, truth: &Path, mask: Option<&Path>) -> Result<Vec<BoundaryError>> {
    let points: Array3<f32> = brainmesh_formats::read_npz(truth, "points")?
        .into_dimensionality()
        .map_err(|e| Error::Unusable(format!("{}: points: {e}", truth.display())))?;
    let (n, boundaries, axes) = points.dim();
    if (boundaries, axes) != (BOUNDARY_COUNT, 3) {
        return Err(Error::Unusable(format!(
            "{}: points: expected [rays, {BOUNDARY_COUNT}, 3], found {:?}",
            truth.display(),
            points.dim()
        )));
    }
    let at = |v: usize, k: usize| glam::DVec3::from_array(std::array::from_fn(|a| f64::from(points[[v, k, a]])));
    let total = brainmesh_formats::read_shape_gifti(&result.join("thickness.shape.gii"))?;
    let has_layers = |v: usize| total.first().is_some_and(|m| m.values.get(v).is_some_and(|t| t.is_finite()));
    let scored = scored_vertices(mask, n)?;
    let mut errors = Vec::new();
    for k in 0..BOUNDARY_COUNT {
        let path = result.join(format!("layer{k}.surf.gii"));
        let surface = brainmesh_formats::read_surface(&path)?;
        if surface.vertices().len() != n {
            return Err(Error::Unusable(format!(
                "{}: expected {n} vertices as in {}, found {}",
                path.display(),
                truth.display(),
                surface.vertices().len()
            )));
        }
        let signed: Vec<f64> = (0..n)
            .filter(|&v| scored[v] && has_layers(v))
            .filter_map(|v| {
                let inward = (at(v, BOUNDARY_COUNT - 1) - at(v, 0)).try_normalize()?;
                Some((surface.vertices()[v].0 - at(v, k)).dot(inward))
            })
            .collect();
        errors.extend(BoundaryError::from_signed_mm(boundary_name(k), &signed));
    }
    Ok(errors)
}

/// `pia`, `I-II` ... `V-VI`, `white`.
fn boundary_name(k: usize) -> String {
    match k {
        0 => "pia".into(),
        LAYER_COUNT => "white".into(),
        k => format!("{}-{}", LAYER_NAMES[k - 1], LAYER_NAMES[k]),
    }
}

/// Running sums of one voxel size.
#[derive(Default)]
struct Tally {
    eight: Option<Confusion>,
    seven: Option<Confusion>,
    rays: usize,
    defects: usize,
    signed_mm: [Vec<f64>; BOUNDARY_COUNT],
    within: [usize; 2],
}

fn labelled_rays(
    arguments: &EvaluateLayers,
    threads: usize,
    monitor: &dyn Monitor,
) -> Result<BTreeMap<String, RayScores>> {
    let name = arguments.model.as_deref().unwrap_or(default_model(Span::Extended { extension_mm: 0.5 }));
    let model = Model::find(name)?;
    let mut session = SessionOptions::default().with_threads(threads).open(&model)?;
    let defaults = DecodeOptions::default();
    let options =
        DecodeOptions { evidence: model.manifest().rays()?.evidence.unwrap_or(defaults.evidence), ..defaults };
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for path in &arguments.rays {
        let labelled = LabelledRays::read(path)?;
        let input = normalise(&labelled.profiles, &labelled.rays, model.manifest().rays()?, Polarity::DarkIsDense)?;
        let probabilities = session.classify(&input, monitor)?;
        let found = decode(&probabilities, &labelled.rays, labelled.profiles.defects(), &options, monitor)?;
        let tally = tallies.entry(format!("{:.0} um", labelled.spacing_mm * 1000.0)).or_default();
        let samples = labelled.profiles.samples();
        let eight = tally.eight.get_or_insert_with(|| Confusion::new(LAYER_COUNT + 2));
        let seven = tally.seven.get_or_insert_with(|| Confusion::new(LAYER_COUNT + 1));
        for ray in 0..labelled.rays.len() {
            tally.rays += 1;
            for i in 0..samples {
                let truth = class_at(RaySet::t_of_sample(i as f64, samples), labelled.boundaries_t.row(ray));
                let column = probabilities.values().slice(ndarray::s![ray, .., i]);
                let class = column.iter().enumerate().fold(0, |best, (c, p)| if *p > column[best] { c } else { best });
                // With seven classes outside and white are one: tell them apart by the side of the ray.
                let class = if column.len() == LAYER_COUNT + 1 && class == 0 && i * 2 > samples {
                    LAYER_COUNT + 1
                } else {
                    class
                };
                eight.add(truth, class);
                let merged = |c: usize| if c == LAYER_COUNT + 1 { 0 } else { c };
                seven.add(merged(truth), merged(class));
            }
            if !found.outcomes()[ray].has_layers() {
                tally.defects += 1;
                continue;
            }
            for k in 0..BOUNDARY_COUNT {
                let error = (found.t()[[ray, k]] - labelled.boundaries_t[[ray, k]]) * labelled.rays.length_mm(ray);
                tally.signed_mm[k].push(error);
                for (times, within) in [1.0, 2.0].into_iter().zip(&mut tally.within) {
                    *within += usize::from(error.abs() <= times * found.sd_mm()[[ray, k]]);
                }
            }
        }
    }
    Ok(tallies.into_iter().filter_map(|(spacing, tally)| Some((spacing, tally.finish()?))).collect())
}

impl Tally {
    fn finish(self) -> Option<RayScores> {
        let (eight, seven) = (self.eight?, self.seven?);
        let mean = |values: &[f64]| {
            let present: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
            present.iter().sum::<f64>() / present.len() as f64
        };
        let (jaccard, jaccard_seven) = (eight.jaccard(), seven.jaccard());
        let compared: usize = self.signed_mm.iter().map(Vec::len).sum();
        Some(RayScores {
            rays: self.rays,
            accuracy: eight.accuracy(),
            jaccard_mean: mean(&jaccard),
            jaccard,
            jaccard_seven_mean: mean(&jaccard_seven),
            jaccard_seven,
            defects: self.defects,
            boundaries: self
                .signed_mm
                .iter()
                .enumerate()
                .filter_map(|(k, signed)| BoundaryError::from_signed_mm(boundary_name(k), signed))
                .collect(),
            within_one_sd: self.within[0] as f64 / compared as f64,
            within_two_sd: self.within[1] as f64 / compared as f64,
        })
    }
}

impl Scores {
    fn print(&self) {
        match self {
            Self::Fractions(errors) => {
                print_line("Boundary as a fraction of the ribbon, error in micrometres of the true ribbon:");
                print_errors(errors);
            }
            Self::Points(errors) => {
                print_line("Error along the ray against the true boundary:");
                print_errors(errors);
            }
            Self::Rays(groups) => {
                for (spacing, scores) in groups {
                    print_line(format!(
                        "{spacing}: {} rays, accuracy {:.4}, Jaccard {:.4} (8 classes) {:.4} (7 classes), {} defects, \
                         within 1 SD {:.3}, 2 SD {:.3}",
                        scores.rays,
                        scores.accuracy,
                        scores.jaccard_mean,
                        scores.jaccard_seven_mean,
                        scores.defects,
                        scores.within_one_sd,
                        scores.within_two_sd
                    ));
                    let per_class: Vec<String> = scores.jaccard.iter().map(|j| format!("{j:.3}")).collect();
                    print_line(format!("  Jaccard outside, I..VI, white: {}", per_class.join(" ")));
                    print_errors(&scores.boundaries);
                }
            }
        }
    }
}

/// A table of boundary errors; correlations where there are any.
pub(super) fn print_errors(errors: &[BoundaryError]) {
    let correlated = errors.iter().any(|e| e.parcel_correlation.is_some());
    let last = if correlated { format!(" {:>9}", "parcel r") } else { String::new() };
    print_line(format!("{:>8} {:>8} {:>9} {:>9} {:>9}{last}", "boundary", "rays", "mean um", "p95 um", "bias um"));
    for e in errors {
        let last = e.parcel_correlation.map_or(String::new(), |r| format!(" {r:>9.3}"));
        print_line(format!(
            "{:>8} {:>8} {:>9.1} {:>9.1} {:>9.1}{last}",
            e.boundary, e.rays, e.mean_um, e.p95_um, e.bias_um
        ));
    }
}
