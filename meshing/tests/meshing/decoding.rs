use crate::support::{Random, Stopped, assert_cancelled, with_threads};
use brainmesh_core::{ClassProbabilities, LayerBoundaries, RayDefect, RayOutcome, RaySet, Silent, WorldPoint};
use brainmesh_meshing::{DecodeOptions, decode};
use ndarray::Array3;

const SAMPLES: usize = 200;

/// Parallel rays of 3 mm, the ribbon between 0.1 and 0.9.
fn parallel_rays(n: usize) -> RaySet {
    let at = |z: f64| (0..n).map(|i| WorldPoint::new(i as f64, 0.0, z)).collect();
    RaySet::new(at(0.0), at(-3.0), vec![0.1; n], vec![0.9; n]).unwrap()
}

/// Class probabilities of one boundary set a ray, each boundary's place uncertain by a logistic of scale `scale`, as a
/// calibrated network would state them.
fn calibrated(places: &[[f64; 7]], scale: f64) -> ClassProbabilities {
    let mut values = Array3::zeros((places.len(), 8, SAMPLES));
    for (ray, places) in places.iter().enumerate() {
        for i in 0..SAMPLES {
            let past = |k: usize| 1.0 / (1.0 + ((places[k] - i as f64) / scale).exp());
            for s in 0..8 {
                let from = if s == 0 { 1.0 } else { past(s - 1) };
                let to = if s == 7 { 0.0 } else { past(s) };
                values[[ray, s, i]] = (from - to).max(0.0) as f32;
            }
        }
    }
    ClassProbabilities::new(values).unwrap()
}

fn decoded(probabilities: &ClassProbabilities) -> LayerBoundaries {
    let rays = parallel_rays(probabilities.values().dim().0);
    decode(probabilities, &rays, &vec![None; rays.len()], &DecodeOptions::default(), &Silent).unwrap()
}

fn in_samples(found: &LayerBoundaries, ray: usize) -> Vec<f64> {
    found.t().row(ray).iter().map(|t| t * (SAMPLES - 1) as f64).collect()
}

#[test]
fn a_thin_uncertain_layer_keeps_its_thickness_to_a_sample() {
    // Layer IV of 0 to 14 samples between boundaries known to scale 4 (standard deviation 7): nowhere, or barely, is it
    // the most probable class.
    for thickness in [0.0, 4.0, 8.0, 14.0] {
        let places = [20.0, 34.0, 46.0, 80.0, 80.0 + thickness, 120.0, 160.0];
        for scale in [1.0, 2.0, 4.0] {
            let found = in_samples(&decoded(&calibrated(&[places], scale)), 0);
            assert!((found[4] - found[3] - thickness).abs() < 1.0, "{thickness} at scale {scale}: {found:?}");
        }
    }
}

#[test]
fn standard_deviations_of_a_calibrated_network_are_right_whatever_their_size() {
    // Boundaries lie where a network that knows its own uncertainty says, with the logistic distribution it says.
    for scale in [1.0, 2.0, 4.0, 6.0] {
        let stated = [25.0, 45.0, 65.0, 85.0, 105.0, 125.0, 165.0].map(|p| p + 0.37);
        let found = decoded(&calibrated(&[stated], scale));
        let expected_mm = std::f64::consts::PI / 3f64.sqrt() * scale * 3.0 / (SAMPLES - 1) as f64;
        for sd_mm in found.sd_mm() {
            assert!((sd_mm / expected_mm - 1.0).abs() < 0.15, "scale {scale}: {sd_mm} mm for {expected_mm} mm");
        }
    }
}

#[test]
fn boundaries_of_random_probabilities_are_ordered() {
    let mut random = Random(11);
    for classes in [7, 8] {
        // From flat noise to nearly certain classes.
        for sharpness in [0.1, 1.0, 5.0, 15.0] {
            let mut values = Array3::from_shape_fn((200, classes, 30), |_| (sharpness * random.normal()).exp() as f32);
            for ray in 0..200 {
                for i in 0..30 {
                    let total: f32 = (0..classes).map(|c| values[[ray, c, i]]).sum();
                    (0..classes).for_each(|c| values[[ray, c, i]] /= total);
                }
            }
            let probabilities = ClassProbabilities::new(values).unwrap();
            let rays = parallel_rays(200);
            for ribbon_only in [false, true] {
                let options =
                    DecodeOptions { ribbon_only, min_agreement: 0.0, max_relative_sd: 10.0, ..Default::default() };
                // `LayerBoundaries` refuses what is out of order or not finite.
                let found = decode(&probabilities, &rays, &[None; 200], &options, &Silent).unwrap();
                if ribbon_only {
                    assert!(found.outcomes().iter().all(|o| *o == RayOutcome::Measured));
                    assert!(found.t().outer_iter().all(|t| t[0] == 0.0 && t[6] == 1.0));
                    assert!(found.sd_mm().outer_iter().all(|sd| sd[0] == 0.0 && sd[6] == 0.0));
                }
            }
        }
    }
}

#[test]
fn defects_stay_and_bad_numbers_become_defects() {
    let places = [20.0, 34.0, 46.0, 80.0, 95.0, 120.0, 160.0];
    let mut values = calibrated(&[places; 4], 1.0).values().clone();
    values[[1, 3, 7]] = f32::NAN;
    values.slice_mut(ndarray::s![2, .., ..]).fill(0.0);
    values.slice_mut(ndarray::s![2, 0, ..]).fill(1.0);
    let probabilities = ClassProbabilities::new(values).unwrap();
    let defects = [None, None, None, Some(RayDefect::Masked)];
    let found = decode(&probabilities, &parallel_rays(4), &defects, &DecodeOptions::default(), &Silent).unwrap();
    assert_eq!(found.outcomes()[0], RayOutcome::Measured);
    assert_eq!(found.outcomes()[1], RayOutcome::Missing(RayDefect::NotFinite));
    // Nothing but background holds no layers.
    assert_eq!(found.outcomes()[2], RayOutcome::Missing(RayDefect::WeakEvidence));
    assert_eq!(found.outcomes()[3], RayOutcome::Missing(RayDefect::Masked));
    assert!(found.sd_mm().row(3).iter().all(|sd| sd.is_infinite()));
    // Over the ribbon alone too: nothing in it is cortex.
    let options = DecodeOptions { ribbon_only: true, ..Default::default() };
    let found = decode(&probabilities, &parallel_rays(4), &defects, &options, &Silent).unwrap();
    assert_eq!(found.outcomes()[2], RayOutcome::Missing(RayDefect::WeakEvidence));
    // Too few rays for the probabilities is an error, not a panic.
    assert!(decode(&probabilities, &parallel_rays(3), &[None; 3], &DecodeOptions::default(), &Silent).is_err());
}

#[test]
fn decoding_stops_and_does_not_depend_on_threads() {
    let mut random = Random(4);
    let places: Vec<[f64; 7]> = (0..3000)
        .map(|_| {
            let mut places: [f64; 7] = std::array::from_fn(|_| 10.0 + 180.0 * random.uniform());
            places.sort_by(f64::total_cmp);
            places
        })
        .collect();
    let probabilities = calibrated(&places, 2.0);
    let rays = parallel_rays(3000);
    let none = vec![None; 3000];
    assert_cancelled(decode(&probabilities, &rays, &none, &DecodeOptions::default(), &Stopped));
    with_threads(|| decode(&probabilities, &rays, &none, &DecodeOptions::default(), &Silent).unwrap());
}
