//! The choice of engines, and ONNX Runtime: its library, its accelerators, its errors.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod support;

use brainmesh_core::Silent;
use brainmesh_segmentation::{Device, Error, Model, Precision, Session, SessionOptions};
use ndarray::{Array3, ArrayView1, Axis};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::here;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn model() -> Model {
    Model::open(folder("made-layers")).unwrap()
}

#[test]
fn devices_have_names() {
    for (word, device) in [
        ("auto", Device::Auto),
        ("builtin", Device::Builtin),
        ("cpu", Device::Cpu),
        ("cuda:3", Device::Cuda(3)),
        ("tensorrt:1", Device::TensorRt(1)),
        ("openvino", Device::OpenVino),
        ("coreml", Device::CoreMl),
        ("directml", Device::DirectMl),
    ] {
        assert_eq!(word.parse::<Device>().unwrap(), device);
        assert_eq!(device.to_string(), word);
    }
    assert_eq!("cuda".parse::<Device>().unwrap(), Device::Cuda(0));
    assert_eq!("tensorrt".parse::<Device>().unwrap(), Device::TensorRt(0));
    for word in ["", "gpu", "cuda:", "cuda:-1", "cuda:+1", "cuda:1:1", "cuda:4294967296", "cpu:0", "CPU"] {
        assert!(matches!(word.parse::<Device>(), Err(Error::UnknownDevice(_))), "{word}");
    }
    for word in ["f32", "tf32", "f16"] {
        assert_eq!(word.parse::<Precision>().unwrap().to_string(), word);
    }
    assert!(matches!("int8".parse::<Precision>(), Err(Error::UnknownPrecision(_))));
}

#[test]
fn the_built_in_engines_have_one_precision() {
    let options = SessionOptions::default().with_device(Device::Builtin).with_precision(Precision::F16);
    let error = options.open(&model()).unwrap_err().to_string();
    assert!(error.contains("f32") && error.contains("f16"), "{error}");
}

#[test]
fn an_accelerator_that_is_not_there_is_an_error_that_says_why_and_what_to_install() {
    let model = model();
    if here(Session::open(&model, Device::Cpu, 1)).is_none() {
        return;
    }
    for (device, provider, install) in [
        (Device::Cuda(0), "CUDAExecutionProvider", "onnxruntime-gpu"),
        (Device::TensorRt(0), "TensorrtExecutionProvider", "tensorrt"),
        (Device::OpenVino, "OpenVINOExecutionProvider", "onnxruntime-openvino"),
        (Device::CoreMl, "CoreMLExecutionProvider", "macOS"),
        (Device::DirectMl, "DmlExecutionProvider", "onnxruntime-directml"),
    ] {
        match Session::open(&model, device, 1) {
            Ok(mut session) => assert!(model.verify(&mut session).unwrap().unwrap() <= 1e-3, "{device}"),
            Err(Error::Device { device: named, detail }) => {
                eprintln!("{detail}");
                assert_eq!(named, device.to_string());
                assert!(detail.contains(provider) && detail.contains(install), "{device}: {detail}");
            }
            Err(error) => panic!("{device}: {error}"),
        }
    }
}

#[test]
fn a_library_that_is_not_one_is_an_error() {
    let not_a_library = folder("made-layers").join("model.onnx");
    for path in [not_a_library, folder("nothing")] {
        let options = SessionOptions::default().with_device(Device::Cpu).with_library(&path);
        let error = options.open(&model()).unwrap_err();
        assert!(matches!(error, Error::RuntimeLibrary { .. }), "{error}");
        assert!(error.to_string().contains("pip install --upgrade onnxruntime"), "{error}");
    }
}

/// A library with the entry point of ONNX Runtime and the version `version`; `None` where there is no C compiler.
fn library_of_version(folder: &Path, version: &str) -> Option<PathBuf> {
    let source = format!(
        r#"
        static const void *api(unsigned version) {{ (void)version; return 0; }}
        static const char *name(void) {{ return "{version}"; }}
        static const struct {{ const void *(*api)(unsigned); const char *(*name)(void); }} base = {{ api, name }};
        const void *OrtGetApiBase(void) {{ return &base; }}
        "#
    );
    let (file, library) = (folder.join("made.c"), folder.join("libonnxruntime.so"));
    std::fs::write(&file, source).unwrap();
    let compiler = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &file]).status();
    if !compiler.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no C compiler");
        return None;
    }
    Some(library)
}

#[test]
fn sixteen_bits_change_few_classes_of_the_shipped_models() {
    for name in Model::names() {
        let model = Model::named(name).unwrap();
        // Networks over pictures are kept in 16 bits, and computed in 32.
        let Ok(input) = model.manifest().rays() else { continue };
        let options = SessionOptions::default().with_device(Device::Cpu).with_threads(2);
        let (Some(mut whole), Some(mut half)) =
            (here(options.clone().open(&model)), here(options.with_precision(Precision::F16).open(&model)))
        else {
            return;
        };
        let mut state = 20_u64;
        // As smooth as intensities are: sums of random steps.
        let mut rays = Array3::from_shape_simple_fn((300, input.channels.len(), input.samples), || {
            // Knuth's MMIX generator; the top bits are good enough for test data.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f32 / (1_u32 << 24) as f32 - 0.5) / 2.0
        });
        for mut ray in rays.lanes_mut(Axis(2)) {
            (1..ray.len()).for_each(|sample| ray[sample] += ray[sample - 1]);
        }
        let (expected, found) = (whole.classify(&rays, &Silent).unwrap(), half.classify(&rays, &Silent).unwrap());
        let differences = expected.values().iter().zip(found.values()).map(|(a, b)| (a - b).abs());
        let largest = differences.fold(0.0, f32::max);
        let class = |column: ArrayView1<f32>| (0..column.len()).max_by(|&a, &b| column[a].total_cmp(&column[b]));
        let columns = expected.values().lanes(Axis(1)).into_iter().zip(found.values().lanes(Axis(1)));
        let equal = columns.filter(|(a, b)| class(*a) == class(*b)).count();
        let share = equal as f64 / (300 * input.samples) as f64;
        eprintln!("{name}: {largest}, {share}");
        assert!(largest > 0.0 && largest < 2e-2 && share >= 0.999, "{name}: {largest}, {share}");
    }
}

/// Runs one of the tests below in a process of its own, without a Python and with these variables: a process loads one
/// library and keeps it. `program` is this program or a copy of it.
#[cfg(unix)]
fn alone(program: &Path, test: &str, variables: &[(&str, &Path)]) {
    let nothing = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", test, "--ignored"]).env_clear().env("HOME", nothing.path()).env("PATH", nothing.path());
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[cfg(unix)]
fn libraries_that_are_missing_or_of_no_use_are_told_apart() {
    let program = std::env::current_exe().unwrap();
    alone(&program, "alone_without_a_library", &[]);
    alone(&program, "alone_with_a_text_file", &[("ORT_DYLIB_PATH", &folder("make_networks.py"))]);
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = library_of_version(folder.path(), "1.16.3") else { return };
    alone(&program, "alone_with_an_old_library", &[("ORT_DYLIB_PATH", &library)]);
    // The same library, found beside the program.
    let copy = folder.path().join("program");
    std::fs::copy(&program, &copy).unwrap();
    alone(&copy, "alone_with_an_old_library", &[]);
}

#[test]
#[ignore = "runs in a process of its own"]
fn alone_without_a_library() {
    let error = Session::open(&model(), Device::Cpu, 1).unwrap_err();
    assert!(matches!(error, Error::RuntimeLibrary { .. }), "{error}");
    assert!(error.to_string().contains("pip install --upgrade onnxruntime"), "{error}");
    let mut session = Session::open(&model(), Device::Auto, 1).unwrap();
    assert!(model().verify(&mut session).unwrap().unwrap() < 1e-5);
}

#[test]
#[ignore = "runs in a process of its own"]
fn alone_with_a_text_file() {
    let error = Session::open(&model(), Device::Cpu, 1).unwrap_err();
    assert!(matches!(error, Error::RuntimeLibrary { .. }), "{error}");
    assert!(error.to_string().contains("make_networks.py"), "{error}");
}

#[test]
#[ignore = "runs in a process of its own"]
fn alone_with_an_old_library() {
    let error = Session::open(&model(), Device::Cpu, 1).unwrap_err();
    let Error::RuntimeVersion { path, expected, found } = &error else { panic!("{error}") };
    assert!(path.ends_with("libonnxruntime.so"), "{error}");
    assert_eq!((expected.as_str(), found.as_str()), ("1.24", "1.16.3"));
    assert!(error.to_string().contains("pip install --upgrade onnxruntime"), "{error}");
}
