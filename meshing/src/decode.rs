use crate::bundle::{BUNDLE, Bundle, Moments};
use crate::durations::LayerDurations;
use crate::error::same_length;
use crate::{Error, Result};
use brainmesh_core::{BOUNDARY_COUNT, ClassProbabilities, LayerBoundaries, Monitor, RayDefect, RayOutcome, RaySet};
use ndarray::{Array2, Axis};
use pulp::{Arch, NullaryFnOnce};
use rayon::prelude::*;

/// Cortex thinner than this share of the given ribbon is none: a network that sees background everywhere is sure of it.
const MIN_CORTEX: f64 = 0.1;
/// Rays handled between two looks at the monitor.
const BATCH: usize = 1024;

/// How class probabilities become boundaries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecodeOptions {
    /// Exponent on the network's probabilities. Neighbouring samples see nearly the same input, so treating them as
    /// independent evidence (1) makes the posterior too narrow; a model states the value found in calibration.
    pub evidence: f64,
    /// Probability of passing over a layer altogether (agranular cortex has no layer IV).
    pub absent_layer: f64,
    /// A ray is defective when its ordered states explain less than this share of what the network says freely.
    pub min_agreement: f64,
    /// A ray is defective when a boundary's standard deviation is more than this share of the ribbon.
    pub max_relative_sd: f64,
    /// Thickness of the layers in the training data; without it every division of a ray is equally likely before the
    /// network speaks, and `absent_layer` holds for all layers. Not for rays that cover the ribbon alone.
    pub durations: Option<LayerDurations>,
    /// The rays cover the ribbon alone: boundaries 0 and 6 are the given surfaces, with standard deviation 0.
    pub ribbon_only: bool,
    /// Factors on the standard deviations of the seven boundaries, from a model's calibration on single rays.
    pub sd_scale: [f64; BOUNDARY_COUNT],
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            evidence: 0.3,
            absent_layer: 1e-3,
            min_agreement: 0.6,
            max_relative_sd: 0.25,
            durations: None,
            ribbon_only: false,
            sd_scale: [1.0; BOUNDARY_COUNT],
        }
    }
}

/// Boundaries of every ray: positions and standard deviations from the posterior of a left-to-right state model.
///
/// The states outside, I..VI, white follow each other in this order; a layer may be absent at a cost. Forward-backward
/// (Rabiner 1989, eqs. 19 to 27, scaled) gives `P(state at sample i <= k)`, which falls with i; boundary k is its mean
/// crossing, so positions are ordered by construction and lie between samples. With seven classes (the tutorial's
/// convention) class 0 serves outside and white alike.
///
/// Rays that cover the ribbon alone (18 blurred depths, say) give wide probabilities that are each right by themselves;
/// multiplying them along the ray narrows and shifts them. There the boundary is the expectation of the network's own
/// `P(class at sample i > k)`, which is ordered in k too (on held-out real profiles 96 um for 104 by the state model).
///
/// The standard deviation is that of the network's own opinion: `P(class at sample i > k)`, read as the distribution
/// function of boundary k, or that of the posterior where it is larger. The posterior multiplies samples that are not
/// independent; no exponent makes it as wide as the truth for sharp and for blurred boundaries alike.
///
/// Defective rays come back as [`RayOutcome::Missing`], spread evenly over the given ribbon.
///
/// # Errors
/// Numbers of rays that differ, fewer than two samples, an `evidence` outside (0, 2]; cancellation.
pub fn decode(
    probabilities: &ClassProbabilities,
    rays: &RaySet,
    defects: &[Option<RayDefect>],
    options: &DecodeOptions,
    monitor: &dyn Monitor,
) -> Result<LayerBoundaries> {
    let n = rays.len();
    let (rows, _, samples) = probabilities.values().dim();
    same_length("rays with class probabilities", n, rows)?;
    same_length("ray defects", n, defects.len())?;
    if samples < 2 || !(options.evidence > 0.0 && options.evidence <= 2.0) {
        return Err(Error::Core(brainmesh_core::Error::Invalid {
            field: "class probabilities",
            expected: "at least 2 samples a ray, and evidence above 0 and at most 2".into(),
            found: format!("{samples} samples, evidence {}", options.evidence),
        }));
    }
    monitor.stage("finding boundaries", n as u64);
    let arch = Arch::new();
    let blocks: Vec<Vec<Decoded>> = (0..n.div_ceil(BATCH))
        .into_par_iter()
        .map(|block| {
            monitor.check()?;
            let range = block * BATCH..n.min((block + 1) * BATCH);
            monitor.advance(range.len() as u64);
            let mut found: Vec<_> = range.clone().map(|ray| defects[ray].map_or(Ok(Moments::default()), Err)).collect();
            for (ray, found) in range.clone().zip(&mut found).filter(|(_, found)| found.is_ok()) {
                if probabilities.values().index_axis(Axis(0), ray).iter().any(|p| !p.is_finite()) {
                    *found = Err(RayDefect::NotFinite);
                }
            }
            let mut bundle = Bundle::new(options, samples);
            let good: Vec<usize> = range.clone().filter(|ray| found[ray - range.start].is_ok()).collect();
            for chosen in good.chunks(BUNDLE) {
                // A lane without a ray of its own repeats the last one.
                let lane = |l: usize| chosen[l.min(chosen.len() - 1)];
                let lanes: [usize; BUNDLE] = std::array::from_fn(lane);
                let views = lanes.map(|ray| probabilities.values().index_axis(Axis(0), ray));
                let ribbon_samples = lanes.map(|ray| (rays.white_t(ray) - rays.pial_t(ray)) * (samples - 1) as f64);
                bundle.load(&views);
                let moments = arch.dispatch(AtWork { bundle: &mut bundle, ribbon_samples });
                for (ray, moments) in chosen.iter().zip(moments) {
                    found[ray - range.start] = moments;
                }
            }
            Ok(range.zip(found).map(|(ray, found)| Decoded::new(found, rays, ray, options)).collect())
        })
        .collect::<Result<_>>()?;
    let decoded: Vec<Decoded> = blocks.into_iter().flatten().collect();
    let t = Array2::from_shape_fn((n, BOUNDARY_COUNT), |(ray, k)| decoded[ray].t[k]);
    let sd_mm = Array2::from_shape_fn((n, BOUNDARY_COUNT), |(ray, k)| decoded[ray].sd_mm[k]);
    let outcomes = decoded.iter().map(|d| d.outcome).collect();
    Ok(LayerBoundaries::new(t, sd_mm, outcomes)?)
}

/// A bundle at work, compiled for the vector instructions that `pulp` found.
struct AtWork<'a, 'o> {
    bundle: &'a mut Bundle<'o>,
    ribbon_samples: [f64; BUNDLE],
}

impl NullaryFnOnce for AtWork<'_, '_> {
    type Output = [std::result::Result<Moments, RayDefect>; BUNDLE];

    #[inline(always)]
    fn call(self) -> Self::Output {
        self.bundle.moments(&self.ribbon_samples)
    }
}

struct Decoded {
    t: [f64; BOUNDARY_COUNT],
    sd_mm: [f64; BOUNDARY_COUNT],
    outcome: RayOutcome,
}

impl Decoded {
    fn new(found: std::result::Result<Moments, RayDefect>, rays: &RaySet, ray: usize, options: &DecodeOptions) -> Self {
        let (pial, white) = (rays.pial_t(ray), rays.white_t(ray));
        let found = found.and_then(|moments| {
            let widest = moments.iter().map(|m| m.1).fold(0.0, f64::max);
            let cortex = moments[BOUNDARY_COUNT - 1].0 - moments[0].0;
            let weak = widest > options.max_relative_sd * (white - pial) || cortex < MIN_CORTEX * (white - pial);
            if weak { Err(RayDefect::WeakEvidence) } else { Ok(moments) }
        });
        match found {
            Ok(moments) => Self {
                t: moments.map(|m| m.0),
                sd_mm: std::array::from_fn(|k| moments[k].1 * rays.length_mm(ray) * options.sd_scale[k]),
                outcome: RayOutcome::Measured,
            },
            Err(defect) => Self {
                t: std::array::from_fn(|k| {
                    (pial + (white - pial) * k as f64 / (BOUNDARY_COUNT - 1) as f64).clamp(pial, white)
                }),
                sd_mm: [f64::INFINITY; BOUNDARY_COUNT],
                outcome: RayOutcome::Missing(defect),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brainmesh_core::{Silent, WorldPoint};
    use ndarray::Array3;

    fn one_ray(length_mm: f64) -> RaySet {
        RaySet::new(
            vec![WorldPoint::new(0.0, 0.0, 0.0)],
            vec![WorldPoint::new(0.0, 0.0, -length_mm)],
            vec![0.1],
            vec![0.9],
        )
        .unwrap()
    }

    /// Probabilities of classes whose boundaries lie at `crossings` (in samples) with edges `width` samples wide.
    fn soft(crossings: [f64; 7], width: f64, samples: usize, classes: usize) -> ClassProbabilities {
        let rise = |i: usize, k: usize| 1.0 / (1.0 + (-(i as f64 - crossings[k]) / width).exp());
        let mut values = Array3::zeros((1, classes, samples));
        for i in 0..samples {
            for s in 0..8 {
                let from = if s == 0 { 1.0 } else { rise(i, s - 1) };
                let to = if s == 7 { 0.0 } else { rise(i, s) };
                values[[0, s % classes, i]] += (from - to).max(0.0) as f32;
            }
        }
        ClassProbabilities::new(values).unwrap()
    }

    fn positions(probabilities: &ClassProbabilities, samples: usize) -> Vec<f64> {
        let found = decode(
            probabilities,
            &one_ray(3.0),
            &[None],
            &DecodeOptions { evidence: 1.0, ..Default::default() },
            &Silent,
        )
        .unwrap();
        assert_eq!(found.outcomes()[0], RayOutcome::Measured);
        found.t().iter().map(|t| t * (samples - 1) as f64).collect()
    }

    #[test]
    fn soft_edges_are_found_to_a_tenth_of_a_sample() {
        let truth = [30.3, 48.7, 63.1, 95.45, 108.9, 131.2, 160.6];
        for classes in [7, 8] {
            for (found, truth) in positions(&soft(truth, 2.0, 200, classes), 200).into_iter().zip(truth) {
                assert!((found - truth).abs() < 0.1, "{classes} classes: {found} for {truth}");
            }
        }
    }

    #[test]
    fn a_calibration_changes_standard_deviations_alone() {
        let probabilities = soft([30.3, 48.7, 63.1, 95.45, 108.9, 131.2, 160.6], 2.0, 200, 8);
        let found = |options: DecodeOptions| decode(&probabilities, &one_ray(3.0), &[None], &options, &Silent).unwrap();
        let sd_scale = [0.5, 1.0, 2.0, 1.0, 1.0, 3.0, 0.25];
        let (plain, scaled) =
            (found(DecodeOptions::default()), found(DecodeOptions { sd_scale, ..DecodeOptions::default() }));
        assert!(plain.t() == scaled.t());
        for (k, factor) in sd_scale.into_iter().enumerate() {
            assert!((scaled.sd_mm()[[0, k]] / plain.sd_mm()[[0, k]] - factor).abs() < 1e-12, "boundary {k}");
        }
    }

    #[test]
    fn an_absent_layer_has_no_thickness_and_hides_no_other() {
        let truth = [30.0, 48.0, 63.0, 95.0, 95.0, 131.0, 160.0];
        let found = positions(&soft(truth, 1.0, 200, 8), 200);
        assert!(found[4] - found[3] < 0.6, "{found:?}");
        assert!((found[5] - 131.0).abs() < 0.2);
    }

    #[test]
    fn over_the_ribbon_alone_wide_opinions_are_taken_at_their_mean() {
        let truth = [0.0, 30.3, 51.7, 95.4, 108.9, 141.2, 199.0];
        let options = DecodeOptions { ribbon_only: true, max_relative_sd: 1.0, ..Default::default() };
        let ends = [0.0, -3.0].map(|z| vec![WorldPoint::new(0.0, 0.0, z)]);
        let [outer, inner] = ends;
        let rays = RaySet::new(outer, inner, vec![0.0], vec![1.0]).unwrap();
        let found = decode(&soft(truth, 5.0, 200, 8), &rays, &[None], &options, &Silent).unwrap();
        assert_eq!((found.t()[[0, 0]], found.t()[[0, 6]], found.sd_mm()[[0, 0]]), (0.0, 1.0, 0.0));
        for (k, truth) in truth.into_iter().enumerate().take(6).skip(1) {
            let sample = found.t()[[0, k]] * 199.0;
            assert!((sample - truth).abs() < 0.6, "boundary {k}: {sample} for {truth}");
        }
    }

    #[test]
    fn a_stray_island_does_not_move_boundaries() {
        let truth = [30.0, 48.0, 63.0, 95.0, 110.0, 131.0, 160.0];
        let mut values = soft(truth, 1.0, 200, 8).values().clone();
        for i in 180..186 {
            values.slice_mut(ndarray::s![0, .., i]).assign(&ndarray::array![0., 1., 0., 0., 0., 0., 0., 0.]);
        }
        let found = positions(&ClassProbabilities::new(values).unwrap(), 200);
        for (found, truth) in found.into_iter().zip(truth) {
            assert!((found - truth).abs() < 0.5, "{found} for {truth}");
        }
    }

    #[test]
    fn noise_is_a_defect() {
        let mut state = 1u32;
        let values = Array3::from_shape_fn((1, 8, 200), |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if state >> 29 == 0 { 0.9f32 } else { 0.01 }
        });
        let found = decode(
            &ClassProbabilities::new(values).unwrap(),
            &one_ray(3.0),
            &[None],
            &DecodeOptions::default(),
            &Silent,
        );
        assert_eq!(found.unwrap().outcomes()[0], RayOutcome::Missing(RayDefect::WeakEvidence));
    }
}
