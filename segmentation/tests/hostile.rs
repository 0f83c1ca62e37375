//! Damaged and malicious models: each gives an error that says what is wrong, and none a panic.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use brainmesh_core::Silent;
use brainmesh_segmentation::{Device, Error, Model, Session};
use ndarray::Array3;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A copy of a model that tests may damage.
struct Copy(TempDir, Value);

impl Copy {
    fn of(name: &str) -> Self {
        let copy = tempfile::tempdir().unwrap();
        for file in ["rdf.yaml", "model.onnx", "test_input.npy", "test_output.npy"] {
            std::fs::copy(folder(name).join(file), copy.path().join(file)).unwrap();
        }
        let manifest = serde_json::from_slice(&std::fs::read(copy.path().join("rdf.yaml")).unwrap()).unwrap();
        Self(copy, manifest)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn open(&self) -> Result<Model, Error> {
        std::fs::write(self.path("rdf.yaml"), self.1.to_string()).unwrap();
        Model::open(self.0.path())
    }

    /// With another network, whose hash the manifest knows; what it should give, nobody does.
    fn with_onnx(&mut self, bytes: &[u8]) -> Result<Session, Error> {
        self.1["inputs"][0]["test_tensor"] = Value::Null;
        std::fs::write(self.path("model.onnx"), bytes).unwrap();
        self.1["weights"]["onnx"]["sha256"] = sha256(bytes).into();
        Session::open(&self.open()?, Device::Builtin, 1)
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
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
fn a_manifest_that_does_not_hold_names_its_field() {
    let cases: &[(&str, Value, &str)] = &[
        ("/config/brainmesh/task", json!("tissue"), "config.brainmesh.task"),
        ("/config/brainmesh/span", json!("white-pial"), "config.brainmesh.span"),
        ("/config/brainmesh/samples", json!(0), "config.brainmesh.samples"),
        ("/config/brainmesh/samples", json!(1_000_000_000_000_u64), "config.brainmesh.samples"),
        ("/config/brainmesh/samples", json!(-5), "config.brainmesh.samples"),
        ("/config/brainmesh/samples", json!(21), "axes.size"),
        ("/config/brainmesh/polarity", json!("grey"), "config.brainmesh.polarity"),
        ("/config/brainmesh/channels", json!([]), "config.brainmesh.channels"),
        (
            "/config/brainmesh/channels/0",
            json!({"kind": "smell", "normalisation": "per_ray"}),
            "config.brainmesh.channels",
        ),
        ("/config/brainmesh/channels/0", json!({"kind": "raw"}), "config.brainmesh.channels"),
        ("/config/brainmesh/channels/2/normalisation/fixed/sd", json!(0), "config.brainmesh.channels.normalisation"),
        ("/config/brainmesh/extension_mm", json!(-1.0), "config.brainmesh.extension_mm"),
        ("/config/brainmesh/layer_fractions/mean", json!([1, 2, 3]), "config.brainmesh.layer_fractions"),
        ("/config/brainmesh", json!("layers"), "config.brainmesh"),
        ("/inputs", json!([]), "inputs"),
        ("/inputs/0/axes/1/channel_names", json!(["raw"]), "inputs.axes.channel_names"),
        ("/outputs/0/axes/1/channel_names/4", json!("IVa"), "outputs.axes.channel_names"),
        ("/outputs/0/axes/1/channel_names", json!(["outside", "I"]), "outputs.axes.channel_names"),
        ("/outputs/0/axes/3/size", json!(40), "outputs.axes.size"),
        ("/weights/onnx/source", json!("../model.onnx"), "weights.onnx"),
        ("/weights/onnx/source", json!("/etc/passwd"), "weights.onnx"),
        ("/weights/onnx/sha256", json!("12"), "weights.onnx"),
        ("/inputs/0/test_tensor/source", json!(""), "inputs.test_tensor"),
    ];
    for (pointer, value, field) in cases {
        let mut copy = Copy::of("made-layers");
        *copy.1.pointer_mut(pointer).unwrap() = value.clone();
        let error = copy.open().unwrap_err();
        assert!(matches!(error, Error::Manifest { .. } | Error::ManifestSyntax { .. }), "{pointer}: {error}");
        assert!(error.to_string().contains(field) && error.to_string().contains("rdf.yaml"), "{pointer}: {error}");
    }
}

#[test]
fn labels_that_are_no_layers_are_named_beside_the_right_ones() {
    let mut copy = Copy::of("made-layers");
    copy.1["outputs"][0]["axes"][1]["channel_names"][7] = json!("claustrum");
    let error = copy.open().unwrap_err().to_string();
    assert!(error.contains("claustrum") && error.contains("outside, I, II, III, IV, V, VI"), "{error}");
}

#[test]
fn a_network_that_is_not_the_one_described_is_refused() {
    let copy = Copy::of("made-layers");
    let mut bytes = std::fs::read(copy.path("model.onnx")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(copy.path("model.onnx"), bytes).unwrap();
    assert!(matches!(copy.open(), Err(Error::Checksum { .. })));
    std::fs::remove_file(copy.path("model.onnx")).unwrap();
    assert!(matches!(copy.open(), Err(Error::Io { .. })));
}

#[test]
fn a_network_with_other_channels_than_its_manifest_is_refused() {
    let onnx = std::fs::read(folder("before-1d").join("model.onnx")).unwrap();
    let error = Copy::of("made-layers").with_onnx(&onnx).unwrap_err().to_string();
    assert!(error.contains("input channels") && error.contains('2') && error.contains('3'), "{error}");
}

/// A network of made-layers with another operator for `Relu`.
fn with_operator(name: &[u8; 4]) -> Vec<u8> {
    let mut onnx = std::fs::read(folder("made-layers").join("model.onnx")).unwrap();
    let place = onnx.windows(4).position(|window| window == b"Relu").unwrap();
    onnx[place..place + 4].copy_from_slice(name);
    onnx
}

#[test]
fn an_operator_that_no_engine_knows_is_named() {
    let error = Copy::of("made-layers").with_onnx(&with_operator(b"Relo")).unwrap_err();
    let Error::NoEngine { reasons, .. } = &error else { panic!("{error}") };
    assert!(matches!(&reasons[0], Error::Unsupported { op, .. } if op == "Relo"), "{error}");
    assert!(matches!(&reasons[1], Error::Rten { detail, .. } if detail.contains("Relo")), "{error}");
    assert!(error.to_string().contains("node `"), "{error}");
}

#[test]
fn what_the_engine_for_rays_does_not_run_goes_to_another_and_the_note_says_why() {
    let mut copy = Copy::of("made-layers");
    let session = copy.with_onnx(&with_operator(b"Tanh")).unwrap();
    let note = session.device_note();
    assert!(note.starts_with("built-in engine for plain networks (rten)") && note.contains("Tanh"), "{note}");
    let session = Session::open(&copy.open().unwrap(), Device::Auto, 1).unwrap();
    let note = session.device_note();
    let runtime = note.starts_with("ONNX Runtime on cpu");
    // Without a library the note says what was looked for as well.
    assert!(note.contains("Tanh") && (runtime || note.contains("pip install --upgrade onnxruntime")), "{note}");
}

#[test]
fn truncated_and_mutated_networks_never_panic() {
    for name in ["before-1d", "dilated-2d", "residual-2d", "dense-1d"] {
        let mut copy = Copy::of(name);
        let onnx = std::fs::read(copy.path("model.onnx")).unwrap();
        for end in (0..onnx.len()).step_by(onnx.len() / 60) {
            assert!(copy.with_onnx(&onnx[..end]).is_err(), "{name} cut at {end}");
        }
        let mut random = Random(20);
        let (mut opened, mut refused) = (0, 0);
        for _ in 0..300 {
            let mut mutated = onnx.clone();
            for _ in 0..1 + random.below(4) {
                let place = random.below(mutated.len());
                mutated[place] = random.below(256) as u8;
            }
            match copy.with_onnx(&mutated) {
                Ok(mut session) => {
                    opened += 1;
                    let brainmesh = &copy.1["config"]["brainmesh"];
                    let channels = brainmesh["channels"].as_array().unwrap().len();
                    let samples = brainmesh["samples"].as_u64().unwrap() as usize;
                    let _ = session.classify(&Array3::from_elem((3, channels, samples), 0.5), &Silent);
                }
                Err(_) => refused += 1,
            }
        }
        assert!(opened > 0 && refused > 0, "{name}: {opened} opened, {refused} refused");
    }
}

#[test]
fn test_tensors_that_are_none_are_refused() {
    let whole = std::fs::read(folder("made-layers").join("test_input.npy")).unwrap();
    let mut huge = whole.clone();
    let place = huge.windows(4).position(|window| window == b"(21,").unwrap();
    huge[place..place + 4].copy_from_slice(b"(9e9");
    let digits = whole.windows(6).position(|window| window == b"(21, 3").unwrap();
    let mut larger = whole.clone();
    larger[digits..digits + 6].copy_from_slice(b"(99993");
    let mut version_2 = whole.clone();
    version_2[6] = 2;
    for bytes in [&whole[..0], &whole[..50], &whole[..whole.len() - 4], &huge, &larger, &version_2] {
        let mut copy = Copy::of("made-layers");
        std::fs::write(copy.path("test_input.npy"), bytes).unwrap();
        copy.1["inputs"][0]["test_tensor"]["sha256"] = sha256(bytes).into();
        let error = Session::open(&copy.open().unwrap(), Device::Builtin, 1).unwrap_err();
        assert!(matches!(error, Error::Manifest { field: "test_tensor", .. }), "{error}");
    }
}
