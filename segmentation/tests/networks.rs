//! Networks made by torch, with outputs computed by ONNX Runtime (`tests/data/make_networks.py`).

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod support;

use brainmesh_core::{Cancelled, Monitor, Silent};
use brainmesh_segmentation::{Device, Error, Model, Session};
use ndarray::{Array3, Axis, concatenate, s};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use support::here;

const NETWORKS: [&str; 6] = ["before-1d", "dilated-2d", "residual-2d", "dense-1d", "long-2d", "made-layers"];
/// Networks that give classes instead of probabilities.
const CLASSIFIERS: [&str; 2] = ["classes-1d", "classes-2d"];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// Rays of a model, the same in every run, with values like those of normalised intensities.
fn rays(model: &Model, count: usize) -> Array3<f32> {
    let mut state = 20_u64;
    Array3::from_shape_simple_fn(
        (count, model.manifest().rays().unwrap().channels.len(), model.manifest().rays().unwrap().samples),
        || {
            // Knuth's MMIX generator; the top bits are good enough for test data.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f32 / (1_u32 << 24) as f32 - 0.5) * 4.0
        },
    )
}

#[test]
fn the_built_in_engine_gives_what_onnx_runtime_gave() {
    for name in NETWORKS.into_iter().chain(CLASSIFIERS) {
        let model = Model::open(folder(name)).unwrap();
        let mut session = Session::open(&model, Device::Builtin, 2).unwrap();
        let difference = model.verify(&mut session).unwrap().unwrap();
        assert!(difference <= 1e-5, "{name}: {difference}");
    }
}

#[test]
fn a_ray_gives_the_same_bits_with_any_threads_and_any_company() {
    for name in NETWORKS {
        let model = Model::open(folder(name)).unwrap();
        let rays = rays(&model, 75);
        let mut one = Session::open(&model, Device::Builtin, 1).unwrap();
        let mut two = Session::open(&model, Device::Builtin, 2).unwrap();
        let whole = one.classify(&rays, &Silent).unwrap();
        assert_eq!(whole, two.classify(&rays, &Silent).unwrap(), "{name}");
        let parts = [(0, 1), (1, 30), (30, 75)].map(|(start, end)| {
            let part = rays.slice(s![start..end, .., ..]).to_owned();
            two.classify(&part, &Silent).unwrap().values().clone()
        });
        let parts: Vec<_> = parts.iter().map(|part| part.view()).collect();
        assert_eq!(whole.values(), concatenate(Axis(0), &parts).unwrap(), "{name}");
    }
}

#[test]
fn no_rays_give_no_probabilities() {
    let model = Model::open(folder("made-layers")).unwrap();
    let mut session = Session::open(&model, Device::Auto, 0).unwrap();
    assert!(session.device_note().contains("built-in"), "{}", session.device_note());
    assert_eq!(session.classify(&rays(&model, 0), &Silent).unwrap().values().dim(), (0, 8, 20));
}

#[test]
fn rays_that_do_not_fit_are_refused() {
    let model = Model::open(folder("made-layers")).unwrap();
    let mut session = Session::open(&model, Device::Builtin, 1).unwrap();
    for (shape, field) in [((2, 2, 20), "channels"), ((2, 3, 21), "samples")] {
        let error = session.classify(&Array3::zeros(shape), &Silent).unwrap_err();
        assert!(error.to_string().contains(field), "{error}");
    }
    let mut rays = rays(&model, 2);
    rays[[1, 0, 3]] = f32::NAN;
    assert!(matches!(session.classify(&rays, &Silent), Err(Error::Input { .. })));
}

#[test]
fn sums_that_overflow_are_an_error_and_leave_no_trace() {
    for name in NETWORKS {
        let model = Model::open(folder(name)).unwrap();
        let mut session = Session::open(&model, Device::Builtin, 1).unwrap();
        let mut rays = rays(&model, 70);
        rays.mapv_inplace(|value| value.signum() * f32::MAX);
        assert!(matches!(session.classify(&rays, &Silent), Err(Error::Output { .. })), "{name}");
        assert!(model.verify(&mut session).unwrap().unwrap() <= 1e-5, "{name}");
    }
}

/// Counts progress, and cancels after some of it.
struct Until(u64, AtomicU64);

impl Monitor for Until {
    fn stage(&self, _name: &'static str, total: u64) {
        assert!(total >= self.0);
    }
    fn advance(&self, steps: u64) {
        self.1.fetch_add(steps, Ordering::Relaxed);
    }
    fn is_cancelled(&self) -> bool {
        self.1.load(Ordering::Relaxed) >= self.0
    }
}

#[test]
fn progress_adds_up_and_cancelling_stops() {
    let model = Model::open(folder("made-layers")).unwrap();
    let mut session = Session::open(&model, Device::Builtin, 2).unwrap();
    let rays = rays(&model, 1000);
    let all = Until(1000, AtomicU64::new(0));
    session.classify(&rays, &all).unwrap();
    assert_eq!(all.1.load(Ordering::Relaxed), 1000);
    let some = Until(100, AtomicU64::new(0));
    assert!(matches!(session.classify(&rays, &some), Err(Error::Cancelled(Cancelled))));
    assert!(some.1.load(Ordering::Relaxed) < 200);
}

#[test]
fn the_built_in_engine_agrees_with_onnx_runtime() {
    for name in NETWORKS {
        let model = Model::open(folder(name)).unwrap();
        let Some(mut runtime) = here(Session::open(&model, Device::Cpu, 2)) else { return };
        assert!(model.verify(&mut runtime).unwrap().unwrap() <= 1e-5, "{name}");
        let rays = rays(&model, 500);
        let expected = runtime.classify(&rays, &Silent).unwrap();
        let found = Session::open(&model, Device::Builtin, 2).unwrap().classify(&rays, &Silent).unwrap();
        let differences = expected.values().iter().zip(found.values()).map(|(a, b)| (a - b).abs());
        let largest = differences.fold(0.0, f32::max);
        assert!(largest <= 1e-4, "{name}: {largest}");
        let columns = |values: &Array3<f32>| -> Vec<usize> {
            values
                .lanes(Axis(1))
                .into_iter()
                .map(|column| (0..column.len()).max_by(|&a, &b| column[a].total_cmp(&column[b])).unwrap())
                .collect()
        };
        let (expected, found) = (columns(expected.values()), columns(found.values()));
        let equal = expected.iter().zip(&found).filter(|(a, b)| a == b).count();
        assert!(equal as f64 >= 0.99999 * expected.len() as f64, "{name}: {equal} of {}", expected.len());
    }
}

/// Also checks what the networks mean that are written anew: ONNX Runtime runs them.
#[test]
fn a_network_gives_the_same_in_either_form_and_any_batch() {
    use brainmesh_segmentation::{Form, SessionOptions};
    for name in NETWORKS.into_iter().chain(CLASSIFIERS) {
        let model = Model::open(folder(name)).unwrap();
        for form in [Form::OneDimensional, Form::TwoDimensional] {
            for batch in [1, 8, 1000] {
                let options = SessionOptions::default().with_device(Device::Cpu).with_form(form).with_batch(batch);
                let mut session = match options.open(&model) {
                    Ok(session) => session,
                    Err(error) => {
                        let missing = matches!(error, Error::RuntimeLibrary { .. } | Error::RuntimeVersion { .. });
                        assert!(missing, "{name}, {form:?}: {error}");
                        return eprintln!("skipped: {error}");
                    }
                };
                let difference = model.verify(&mut session).unwrap().unwrap();
                assert!(difference <= 1e-5, "{name}, {form:?}, {batch}: {difference}");
            }
        }
    }
}

#[test]
fn the_cost_of_a_ray_is_that_of_its_weights() {
    // 2 to 16 to 16 to 16 maps by 25 taps, and 16 to 8 classes by one.
    let weights = 25 * (2 * 16 + 16 * 16 + 16 * 16) + 16 * 8;
    assert_eq!(Model::open(folder("long-2d")).unwrap().direct_flop_per_ray().unwrap(), 2 * 200 * weights);
}
