//! What [`normalise`] promises, on profiles whose statistics are known.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use brainmesh_core::{Channel, Profiles, RayDefect, RaySet, WorldPoint};
use brainmesh_segmentation::{Error, Model, Polarity, RayTask, Span, normalise};
use ndarray::{Array3, s};
use std::path::Path;

const SAMPLES: usize = 20;
const SMOOTHED: Channel = Channel::Smoothed { fwhm_mm: 0.163 };

/// Smoothed per ray, raw over the data set, depth with mean and standard deviation 0.5.
fn task() -> RayTask {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/made-layers");
    Model::open(folder).unwrap().manifest().rays().unwrap().clone()
}

fn rays(count: usize, pial_t: f64, white_t: f64) -> RaySet {
    let points = |z: f64| (0..count).map(|i| WorldPoint::new(i as f64, 0.0, z)).collect();
    RaySet::new(points(0.0), points(3.0), vec![pial_t; count], vec![white_t; count]).unwrap()
}

/// Ray r, sample s: smoothed r + s, raw 100 r + s, depth s / 19.
fn values(count: usize) -> Array3<f32> {
    Array3::from_shape_fn((count, 3, SAMPLES), |(ray, channel, sample)| match channel {
        0 => (ray + sample) as f32,
        1 => (100 * ray + sample) as f32,
        _ => sample as f32 / 19.0,
    })
}

fn profiles(values: Array3<f32>) -> Profiles {
    let defects = vec![None; values.dim().0];
    Profiles::new(vec![SMOOTHED, Channel::Raw, Channel::Depth], values, defects).unwrap()
}

fn assert_close(found: f32, expected: f64) {
    assert!((f64::from(found) - expected).abs() < 1e-6, "expected {expected}, found {found}");
}

#[test]
fn each_channel_is_scaled_as_the_manifest_says() {
    // Samples 5..=14 lie within the ribbon.
    let rays = rays(3, 5.0 / 19.0 - 1e-9, 14.0 / 19.0 + 1e-9);
    let mut values = values(3);
    // Outside the ribbon, so no part of the statistics of the data set.
    values.slice_mut(s![.., 1, ..5]).fill(1e6);
    let found = normalise(&profiles(values), &rays, &task(), Polarity::DarkIsDense).unwrap();
    // 0..=19 has the mean 9.5 and the variance (20^2 - 1) / 12.
    let sd = (399.0_f64 / 12.0).sqrt();
    // Raw within the ribbon: 5..=14, 105..=114, 205..=214; the middle two are 109 and 110.
    let raw: Vec<f64> =
        [5.0, 105.0, 205.0].iter().flat_map(|start| (0..10).map(move |i| start + f64::from(i))).collect();
    let mut deviations: Vec<f64> = raw.iter().map(|value| (value - 109.5).abs()).collect();
    deviations.sort_by(f64::total_cmp);
    let spread = 1.4826 * (deviations[14] + deviations[15]) / 2.0;
    for ray in 0..3 {
        for sample in 0..SAMPLES {
            assert_close(found[[ray, 0, sample]], (sample as f64 - 9.5) / sd);
            if sample >= 5 {
                assert_close(found[[ray, 1, sample]], ((100 * ray + sample) as f64 - 109.5) / spread);
            }
            assert_close(found[[ray, 2, sample]], (sample as f64 / 19.0 - 0.5) / 0.5);
        }
    }
}

#[test]
fn an_inverted_volume_gives_the_same_input_as_the_one_it_was_made_from() {
    let rays = rays(4, 0.2, 0.8);
    let dark = values(4);
    let mut bright = dark.clone();
    bright.slice_mut(s![.., ..2, ..]).mapv_inplace(|value| 255.0 - value);
    let dark = normalise(&profiles(dark), &rays, &task(), Polarity::DarkIsDense).unwrap();
    let bright = normalise(&profiles(bright), &rays, &task(), Polarity::BrightIsDense).unwrap();
    for (a, b) in dark.iter().zip(&bright) {
        assert_close(*a, f64::from(*b));
    }
}

#[test]
fn defective_and_constant_rays_are_zero() {
    let mut values = values(3);
    values.slice_mut(s![1, .., ..]).fill(f32::NAN);
    values.slice_mut(s![2, 0, ..]).fill(0.1);
    let defects = vec![None, Some(RayDefect::NotFinite), None];
    let profiles = Profiles::new(vec![SMOOTHED, Channel::Raw, Channel::Depth], values, defects).unwrap();
    let found = normalise(&profiles, &rays(3, 0.2, 0.8), &task(), Polarity::DarkIsDense).unwrap();
    assert!(found.slice(s![1, .., ..]).iter().all(|&value| value == 0.0));
    assert!(found.slice(s![2, 0, ..]).iter().all(|&value| value == 0.0));
    assert!(found.iter().all(|value| value.is_finite()));
}

#[test]
fn channels_are_found_by_what_they_hold() {
    let rays = rays(3, 0.2, 0.8);
    let straight = normalise(&profiles(values(3)), &rays, &task(), Polarity::DarkIsDense).unwrap();
    let mut turned = Array3::zeros((3, 4, SAMPLES));
    for (to, from) in [(0, 2), (2, 1), (3, 0)] {
        turned.slice_mut(s![.., to, ..]).assign(&values(3).slice(s![.., from, ..]));
    }
    let channels = vec![Channel::Depth, Channel::Thickness { fwhm_mm: 0.0 }, Channel::Raw, SMOOTHED];
    let turned = Profiles::new(channels, turned, vec![None; 3]).unwrap();
    assert_eq!(straight, normalise(&turned, &rays, &task(), Polarity::DarkIsDense).unwrap());
}

#[test]
fn profiles_that_do_not_fit_are_refused() {
    let task = task();
    let refuse = |profiles: &Profiles, rays: &RaySet, manifest: &RayTask, field: &str| {
        let error = normalise(profiles, rays, manifest, Polarity::DarkIsDense).unwrap_err();
        assert!(matches!(error, Error::Input { .. }) && error.to_string().contains(field), "{error}");
    };
    let good = profiles(values(3));
    refuse(&good, &rays(2, 0.2, 0.8), &task, "rays");
    refuse(&good, &rays(3, 0.0, 1.0), &task, "span");
    refuse(&good, &rays(3, 0.2, 0.8), &RayTask { span: Span::PialWhite, ..task.clone() }, "span");
    refuse(&good, &rays(3, 0.2, 0.8), &RayTask { samples: 21, ..task.clone() }, "samples");
    for other in [Channel::Smoothed { fwhm_mm: 0.2 }, Channel::Curvature { fwhm_mm: 0.0 }] {
        let channels = vec![other, Channel::Raw, Channel::Depth];
        let profiles = Profiles::new(channels, values(3), vec![None; 3]).unwrap();
        refuse(&profiles, &rays(3, 0.2, 0.8), &task, "channels");
    }
}

#[test]
fn threads_do_not_change_the_result() {
    let (profiles, rays) = (profiles(values(500)), rays(500, 0.2, 0.8));
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| normalise(&profiles, &rays, &task(), Polarity::BrightIsDense).unwrap())
    };
    assert_eq!(run(1), run(3));
}
