use super::*;
use brainmesh_core::{Cancelled, Monitor, Silent};
use ndarray::{Array3, ArrayD, ArrayViewD, Axis, IxDyn, concatenate, s};
use ndarray_npy::read_npy;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// A file of `tests/data/make_images.py`.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images").join(name)
}

/// A network, its test input and its test output.
struct Made(Vec<u8>, ArrayD<f32>, ArrayD<f32>);

impl Made {
    fn read(name: &str) -> Self {
        let tensor = |end: &str| read_npy(path(&format!("{name}_{end}.npy"))).unwrap();
        Self(std::fs::read(path(&format!("{name}.onnx"))).unwrap(), tensor("input"), tensor("output"))
    }

    fn request(&self, device: Device) -> Request<'_> {
        Request {
            onnx: &self.0,
            name: "made.onnx",
            purpose: Purpose::Images,
            device,
            precision: Precision::F32,
            threads: 2,
            library: None,
            form: None,
            batch: 0,
        }
    }
}

const RAYS: Purpose = Purpose::Rays { channels: 3, classes: 8, samples: 20 };

fn largest_difference(a: &ArrayD<f32>, b: &ArrayD<f32>) -> f32 {
    assert_eq!(a.shape(), b.shape());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// `None`, and a line that says so, where there is no ONNX Runtime here.
fn here(opened: Opened) -> Option<Backend> {
    match opened {
        Ok((backend, _)) => Some(backend),
        Err(error) => {
            assert!(matches!(error, Error::RuntimeLibrary { .. } | Error::RuntimeVersion { .. }), "{error}");
            eprintln!("skipped: {error}");
            None
        }
    }
}

#[test]
fn rten_gives_what_onnx_runtime_gave_for_images() {
    let flat = Made::read("flat");
    let (mut backend, note) = flat.request(Device::Builtin).open().unwrap();
    assert!(matches!(backend, Backend::Rten(_)) && note.contains("rten"), "{note}");
    let output = backend.run(flat.1.view(), &Silent).unwrap();
    assert!(largest_difference(&output, &flat.2) < 1e-5);
    // Images in any company, and with any threads.
    let mut request = flat.request(Device::Builtin);
    request.threads = 1;
    let (mut alone, _) = request.open().unwrap();
    let parts: Vec<_> = flat.1.axis_chunks_iter(Axis(0), 1).map(|image| alone.run(image, &Silent).unwrap()).collect();
    let parts: Vec<_> = parts.iter().map(|part| part.view()).collect();
    assert_eq!(output, concatenate(Axis(0), &parts).unwrap());
}

#[test]
fn rten_gives_what_onnx_runtime_gave_for_rays() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for name in ["before-1d", "dilated-2d", "residual-2d", "dense-1d", "long-2d", "made-layers"] {
        let tensor = |file: &str| -> ArrayD<f32> { read_npy(data.join(name).join(file)).unwrap() };
        let onnx = std::fs::read(data.join(name).join("model.onnx")).unwrap();
        let made = Made(onnx, tensor("test_input.npy"), tensor("test_output.npy"));
        // As images, which the engine for rays leaves to rten.
        let (mut backend, _) = made.request(Device::Builtin).open().unwrap();
        let output = backend.run(made.1.view(), &Silent).unwrap();
        assert!(largest_difference(&output, &made.2) < 1e-5, "{name}");
    }
}

#[test]
fn images_of_another_size_give_the_same_with_rten_and_onnx_runtime() {
    let flat = Made::read("flat");
    let Some(mut runtime) = here(flat.request(Device::Cpu).open()) else { return };
    let (mut builtin, _) = flat.request(Device::Builtin).open().unwrap();
    let image =
        ArrayD::from_shape_fn(IxDyn(&[2, 2, 18, 26]), |i| ((i[0] + 3 * i[1] + 5 * i[2] * i[3]) % 7) as f32 / 3.0);
    let (expected, found) = (runtime.run(image.view(), &Silent).unwrap(), builtin.run(image.view(), &Silent).unwrap());
    assert!(largest_difference(&expected, &found) < 1e-5);
}

#[test]
fn three_dimensions_are_for_onnx_runtime() {
    let solid = Made::read("solid");
    let error = solid.request(Device::Builtin).open().err().unwrap();
    assert!(matches!(&error, Error::Unsupported { op, .. } if op == "Conv"), "{error}");
    assert!(error.to_string().contains("ONNX Runtime runs it"), "{error}");
    match solid.request(Device::Auto).open() {
        Ok((mut backend, note)) => {
            assert!(note.starts_with("ONNX Runtime on"), "{note}");
            assert!(largest_difference(&backend.run(solid.1.view(), &Silent).unwrap(), &solid.2) < 1e-5);
        }
        Err(error) => {
            let Error::NoEngine { reasons, .. } = &error else { panic!("{error}") };
            assert!(matches!(reasons[0], Error::RuntimeLibrary { .. } | Error::RuntimeVersion { .. }), "{error}");
        }
    }
}

#[test]
fn a_network_of_one_batch_size_takes_any_number_of_rays() {
    let wide = Made::read("wide");
    let mut rays: Array3<f32> = Array3::zeros((7, 3, 20));
    let first: ArrayViewD<f32> = wide.1.index_axis(Axis(2), 0);
    rays.slice_mut(s![..4, .., ..]).assign(&first);
    rays.slice_mut(s![4.., .., ..]).assign(&first.slice_axis(Axis(0), (1..4).into()));
    for device in [Device::Builtin, Device::Cpu] {
        let mut request = wide.request(device);
        request.purpose = RAYS;
        let Some(mut backend) = here(request.open()) else { continue };
        let mut output = Array3::zeros((7, 8, 20));
        backend.run_rays(rays.view(), output.view_mut(), &Silent).unwrap();
        let expected = wide.2.index_axis(Axis(2), 0);
        let expected = concatenate(Axis(0), &[expected.view(), expected.slice_axis(Axis(0), (1..4).into())]).unwrap();
        assert!(largest_difference(&output.into_dyn(), &expected) < 1e-5, "{device}");
    }
}

#[test]
fn a_network_that_does_not_fit_its_rays_is_refused_before_any_engine_is_asked() {
    let wide = Made::read("wide");
    for (task, says) in [
        (Purpose::Rays { channels: 2, classes: 8, samples: 20 }, "3 input channels, its manifest says 2"),
        (Purpose::Rays { channels: 3, classes: 7, samples: 20 }, "8 output channels, its manifest says 7"),
        (Purpose::Rays { channels: 3, classes: 8, samples: 21 }, "20 input samples, its manifest says 21"),
    ] {
        for device in [Device::Auto, Device::Builtin, Device::Cpu, Device::Cuda(0)] {
            let mut request = wide.request(device);
            request.purpose = task;
            let error = request.open().err().unwrap();
            assert!(matches!(error, Error::Onnx { .. }) && error.to_string().contains(says), "{error}");
        }
    }
    let solid = Made::read("solid");
    let mut request = solid.request(Device::Auto);
    request.purpose = RAYS;
    let error = request.open().err().unwrap().to_string();
    assert!(error.contains("expected [rays, channels, samples]") && error.contains("[?, 1, ?, ?, ?]"), "{error}");
}

#[test]
fn an_input_of_the_wrong_shape_is_refused() {
    let flat = Made::read("flat");
    for device in [Device::Builtin, Device::Cpu] {
        let Some(mut backend) = here(flat.request(device).open()) else { continue };
        for shape in [&[1, 3, 8, 12][..], &[1, 2, 8], &[1, 2, 8, 12, 1]] {
            let error = backend.run(ArrayD::zeros(IxDyn(shape)).view(), &Silent).unwrap_err();
            assert!(matches!(error, Error::Input { field: "input shape", .. }), "{error}");
            assert!(error.to_string().contains("[?, 2, ?, ?]"), "{error}");
        }
        // Declared free, but not by the network: skipped rows do not fit the upsampled ones.
        let error = backend.run(ArrayD::zeros(IxDyn(&[1, 2, 7, 12])).view(), &Silent).unwrap_err();
        assert!(matches!(error, Error::Rten { .. } | Error::Runtime { .. }), "{error}");
    }
}

#[test]
fn damaged_files_and_unknown_operators_are_errors_on_every_engine() {
    let flat = Made::read("flat");
    for device in [Device::Auto, Device::Builtin, Device::Cpu] {
        let cut = Made(flat.0[..flat.0.len() / 2].to_vec(), flat.1.clone(), flat.2.clone());
        let error = cut.request(device).open().err().unwrap();
        assert!(matches!(error, Error::Onnx { .. }), "{device}: {error}");
        let mut unknown = Made(flat.0.clone(), flat.1.clone(), flat.2.clone());
        // The field of the operator, not the node's name.
        let place = unknown.0.windows(9).position(|window| window == b"\x22\x07MaxPool").unwrap();
        unknown.0[place + 2..place + 9].copy_from_slice(b"MaxSwim");
        let error = unknown.request(device).open().err().unwrap();
        let without_runtime = device != Device::Builtin && error.to_string().contains("pip install");
        assert!(error.to_string().contains("MaxSwim") || without_runtime, "{device}: {error}");
    }
}

/// Cancels after one item.
#[derive(Default)]
struct AfterOne(AtomicU64);

impl Monitor for AfterOne {
    fn stage(&self, _name: &'static str, _total: u64) {}
    fn advance(&self, steps: u64) {
        self.0.fetch_add(steps, Ordering::Relaxed);
    }
    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= 1
    }
}

#[test]
fn cancelling_stops_between_batches() {
    let flat = Made::read("flat");
    for device in [Device::Builtin, Device::Cpu] {
        let Some(mut backend) = here(flat.request(device).open()) else { continue };
        let monitor = AfterOne::default();
        assert!(matches!(backend.run(flat.1.view(), &monitor), Err(Error::Cancelled(Cancelled))));
        assert_eq!(monitor.0.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn sixteen_bits_change_little() {
    for (name, task) in [("flat", Purpose::Images), ("solid", Purpose::Images), ("wide", RAYS)] {
        let made = Made::read(name);
        let mut request = made.request(Device::Cpu);
        (request.purpose, request.precision) = (task, Precision::F16);
        let Some(mut backend) = here(request.open()) else { continue };
        let output = backend.run(made.1.view(), &Silent).unwrap();
        let difference = largest_difference(&output, &made.2);
        // No change at all would mean that nothing was rounded.
        assert!(difference > 0.0 && difference < 5e-3, "{name}: {difference}");
        assert!(output.iter().zip(&made.2).any(|(a, b)| (a - b).abs() > 1e-5), "{name}");
    }
}

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn mutated_networks_end_no_program() {
    let mut random = Random(21);
    for (name, device) in
        [("flat", Device::Builtin), ("wide", Device::Builtin), ("wide", Device::Cpu), ("solid", Device::Cpu)]
    {
        let made = Made::read(name);
        if device == Device::Cpu && here(made.request(device).open()).is_none() {
            continue;
        }
        let (mut opened, mut refused) = (0, 0);
        for _ in 0..MUTATIONS {
            let mut onnx = made.0.clone();
            for _ in 0..1 + random.below(4) {
                let place = random.below(onnx.len());
                onnx[place] = random.below(256) as u8;
            }
            let mutated = Made(onnx, made.1.clone(), made.2.clone());
            match mutated.request(device).open() {
                Ok((mut backend, _)) => {
                    opened += 1;
                    let _ = backend.run(mutated.1.view(), &Silent);
                }
                Err(_) => refused += 1,
            }
        }
        assert!(opened > 0 && refused > 0, "{name}: {opened} opened, {refused} refused");
    }
}

/// By hand also with 20,000.
const MUTATIONS: usize = 200;
