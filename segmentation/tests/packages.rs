//! Packages, the store they go to, and what is refused on the way.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use brainmesh_segmentation::{
    Activation, AxisSize, Device, Error, ImageOutput, ImageTask, Interpolation, Model, Package, Preprocessing,
    SessionOptions, Store,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn builtin() -> SessionOptions {
    SessionOptions::default().with_device(Device::Builtin).with_threads(1)
}

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().join("models"));
    (folder, store)
}

const FILES: [&str; 4] = ["rdf.yaml", "model.onnx", "test_input.npy", "test_output.npy"];

/// A copy of made-layers with a manifest that tests may change.
fn copy() -> (TempDir, Value) {
    let copy = tempfile::tempdir().unwrap();
    for file in FILES {
        std::fs::copy(data("made-layers").join(file), copy.path().join(file)).unwrap();
    }
    let manifest = serde_json::from_slice(&std::fs::read(copy.path().join("rdf.yaml")).unwrap()).unwrap();
    (copy, manifest)
}

fn write(folder: &Path, manifest: &Value) {
    std::fs::write(folder.join("rdf.yaml"), manifest.to_string()).unwrap();
}

/// A bundle like made-bundle, with another value at a place of one of its files.
fn bundle(file: &str, pointer: &str, value: Value) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("made-bundle");
    for file in ["configs/metadata.json", "configs/inference.json", "models/model.onnx"] {
        std::fs::create_dir_all(copy.join(file).parent().unwrap()).unwrap();
        std::fs::copy(data("made-bundle").join(file), copy.join(file)).unwrap();
    }
    let path = copy.join("configs").join(file);
    let mut content: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    *content.pointer_mut(pointer).unwrap() = value;
    std::fs::write(path, content.to_string()).unwrap();
    (folder, copy)
}

fn zip(path: &Path, entries: &[(&str, &[u8])]) {
    let mut archive = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, bytes) in entries {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
}

fn refused(path: &Path, words: &[&str]) {
    let error = Package::open(path, false).err().map(|error| error.to_string()).unwrap_or_default();
    for word in words {
        assert!(error.contains(word), "{}: expected {word:?} in {error:?}", path.display());
    }
}

#[test]
fn a_model_is_added_whole_listed_replaced_and_removed() {
    let (_folder, store) = store();
    assert!(store.names().unwrap().is_empty());
    let mut package = Package::open(data("made-layers"), false).unwrap();
    assert_eq!(package.short_name(), "made-layers");
    let found = store.add(&mut package, "mine", false, &builtin()).unwrap();
    assert!(found.agrees() && found.difference.unwrap() <= 1e-5 && found.device.contains("built-in"), "{found:?}");
    assert_eq!(store.names().unwrap(), ["mine"]);
    // Nothing needed changing: comments of a manifest stay.
    for file in FILES {
        let [added, given] = [store.folder().join("mine"), data("made-layers")].map(|path| path.join(file));
        assert_eq!(std::fs::read(added).unwrap(), std::fs::read(given).unwrap(), "{file}");
    }
    assert_eq!(store.open("mine").unwrap().manifest().name, store.manifest("mine").unwrap().name);

    let error = store.add(&mut package, "mine", false, &builtin()).unwrap_err();
    assert!(matches!(error, Error::Store { .. }), "{error}");
    let mut other = Package::open(data("dense-1d"), false).unwrap();
    store.add(&mut other, "mine", true, &builtin()).unwrap();
    assert_eq!(store.manifest("mine").unwrap().onnx, Model::open(data("dense-1d")).unwrap().manifest().onnx);
    assert_eq!(std::fs::read_dir(store.folder()).unwrap().count(), 1, "what was replaced is gone");

    store.remove("mine").unwrap();
    assert_eq!(std::fs::read_dir(store.folder()).unwrap().count(), 0);
    assert!(matches!(store.remove("mine"), Err(Error::UnknownModel { .. })));
    assert!(matches!(store.remove("cortical-layers"), Err(Error::Store { .. })));
}

#[test]
fn a_model_of_images_gives_its_test_output_after_preprocessing_and_softmax() {
    let model = Model::open(data("made-image")).unwrap();
    let found = builtin().verify(&model).unwrap();
    assert!(found.difference.unwrap() <= 1e-5, "{found:?}");
    // Each part of that counts.
    let text = std::fs::read_to_string(data("made-image/rdf.yaml")).unwrap();
    for (place, value) in [
        ("/inputs/0/preprocessing", json!([])),
        ("/inputs/0/preprocessing/0/kwargs/axes", json!(["batch", "channel", "y", "x"])),
        ("/inputs/0/preprocessing/0/kwargs/axes", json!(["y", "x"])),
        ("/outputs/0/postprocessing", json!([])),
    ] {
        let mut manifest: Value = serde_json::from_str(&text).unwrap();
        *manifest.pointer_mut(place).unwrap() = value;
        let copy = tempfile::tempdir().unwrap();
        for file in FILES {
            std::fs::copy(data("made-image").join(file), copy.path().join(file)).unwrap();
        }
        write(copy.path(), &manifest);
        let found = builtin().verify(&Model::open(copy.path()).unwrap()).unwrap();
        assert!(!found.agrees() && found.difference.unwrap() > 1e-2, "{place}: {found:?}");
    }
}

#[test]
fn names_that_lead_elsewhere_or_hide_another_model_are_refused() {
    let (_folder, store) = store();
    let mut package = Package::open(data("made-layers"), false).unwrap();
    for name in
        ["", ".", "..", "../x", "a/b", "/x", "a\\b", ".hidden", "A", "a b", "x.", "cortical-layers", &"x".repeat(65)]
    {
        let error = store.add(&mut package, name, true, &builtin()).unwrap_err();
        assert!(matches!(error, Error::Store { .. }), "{name}: {error}");
    }
    assert!(!store.folder().exists());
}

#[test]
fn nothing_is_placed_unless_the_network_gives_its_test_output() {
    let (_folder, store) = store();
    let (copy, mut manifest) = copy();
    // Half of one probability more.
    let mut output = std::fs::read(copy.path().join("test_output.npy")).unwrap();
    let end = output.len();
    output[end - 4..].copy_from_slice(&0.5_f32.to_le_bytes());
    std::fs::write(copy.path().join("test_output.npy"), &output).unwrap();
    manifest["outputs"][0]["test_tensor"]["sha256"] = hash(&output).into();
    write(copy.path(), &manifest);
    let mut package = Package::open(copy.path(), false).unwrap();
    let error = store.add(&mut package, "mine", false, &builtin()).unwrap_err();
    assert!(matches!(error, Error::Verification { .. }), "{error}");
    assert!(error.to_string().contains("made-layers on built-in") && error.to_string().contains("1e-3"), "{error}");
    assert_eq!(std::fs::read_dir(store.folder()).unwrap().count(), 0);
    // The same wherever such a model is opened, and not remembered as good.
    for _ in 0..2 {
        let error = builtin().open(&Model::open(copy.path()).unwrap()).unwrap_err();
        assert!(matches!(error, Error::Verification { .. }), "{error}");
    }
    // A manifest may allow more.
    manifest["config"]["brainmesh"]["tolerance"] = 1.0.into();
    write(copy.path(), &manifest);
    builtin().open(&Model::open(copy.path()).unwrap()).unwrap();
    for tolerance in [json!(-1), json!("much"), json!(2), json!(null)] {
        manifest["config"]["brainmesh"]["tolerance"] = tolerance;
        write(copy.path(), &manifest);
        refused(copy.path(), &["rdf.yaml", "config.brainmesh.tolerance"]);
    }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_file_that_is_missing_or_another_is_named_and_nothing_is_placed() {
    let (_folder, store) = store();
    for file in ["model.onnx", "test_input.npy"] {
        for content in [None, Some(b"other")] {
            let (copy, _) = copy();
            match content {
                None => std::fs::remove_file(copy.path().join(file)).unwrap(),
                Some(bytes) => std::fs::write(copy.path().join(file), bytes).unwrap(),
            }
            let mut package = Package::open(copy.path(), false).unwrap();
            let error = store.add(&mut package, "mine", false, &builtin()).unwrap_err();
            match content {
                None => assert!(matches!(error, Error::Io { .. }), "{error}"),
                Some(_) => assert!(matches!(error, Error::Checksum { .. }), "{error}"),
            }
            assert!(error.to_string().contains(copy.path().join(file).to_str().unwrap()), "{error}");
            assert!(store.names().unwrap().is_empty());
        }
    }
}

#[test]
fn a_bioimageio_package_keeps_what_is_used_and_gets_hashes() {
    let (_folder, store) = store();
    let (copy, mut manifest) = copy();
    let hashes = manifest.clone();
    manifest["weights"]["onnx"].as_object_mut().unwrap().remove("sha256");
    manifest["inputs"][0]["test_tensor"]["sha256"] = Value::Null;
    manifest["inputs"][0]["sample_tensor"] = json!({ "source": "sample.tif" });
    manifest["weights"]["onnx"]["parent"] = "pytorch_state_dict".into();
    manifest["weights"]["pytorch_state_dict"] = json!({ "source": "weights.pt" });
    manifest["covers"] = json!([{ "source": "cover.png" }]);
    manifest["documentation"] = "README.md".into();
    std::fs::write(copy.path().join("README.md"), "a card").unwrap();
    let files: Vec<(String, Vec<u8>)> = ["model.onnx", "test_input.npy", "test_output.npy", "README.md"]
        .map(|file| (file.into(), std::fs::read(copy.path().join(file)).unwrap()))
        .into();
    // In the archive of a download, inside one folder; beside files that lead elsewhere and are not asked for.
    for prefix in ["", "download/"] {
        let path = copy.path().join("package.zip");
        let text = manifest.to_string();
        let manifest_name = format!("{prefix}bioimageio.yaml");
        let mut entries = vec![(manifest_name.as_str(), text.as_bytes())];
        let names: Vec<String> = files.iter().map(|(name, _)| format!("{prefix}{name}")).collect();
        entries.extend(names.iter().zip(&files).map(|(name, (_, bytes))| (name.as_str(), bytes.as_slice())));
        entries.extend([("../../evil", b"x".as_slice()), ("/etc/evil", b"x")]);
        zip(&path, &entries);
        let mut package = Package::open(&path, false).unwrap();
        assert!(package.notes().iter().any(|note| note.contains("pytorch_state_dict")), "{:?}", package.notes());
        store.add(&mut package, "mine", true, &builtin()).unwrap();
        let mut names: Vec<String> = std::fs::read_dir(store.folder().join("mine"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["README.md", "model.onnx", "rdf.yaml", "test_input.npy", "test_output.npy"]);
        let added: Value =
            serde_json::from_slice(&std::fs::read(store.folder().join("mine/rdf.yaml")).unwrap()).unwrap();
        assert_eq!(added["weights"], hashes["weights"]);
        assert_eq!(added["inputs"], hashes["inputs"]);
    }
}

#[test]
fn packages_that_cannot_be_used_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("package.zip");
    refused(&path, &["package.zip"]);
    refused(folder.path(), &["rdf.yaml or bioimageio.yaml or configs/metadata.json"]);
    std::fs::write(&path, b"PK\x03\x04 and no more").unwrap();
    refused(&path, &["ZIP archive"]);
    zip(&path, &[("notes.txt", b"hello")]);
    refused(&path, &["rdf.yaml", "notes.txt"]);
    zip(&path, &[("../rdf.yaml", b"x"), ("/rdf.yaml", b"x"), ("a/b/rdf.yaml", b"x")]);
    refused(&path, &["rdf.yaml"]);

    let (copy, manifest) = copy();
    let mut other = manifest.clone();
    other["format_version"] = "0.4.10".into();
    write(copy.path(), &other);
    refused(copy.path(), &["format_version", "0.5", "0.4.10"]);
    let mut other = manifest.clone();
    other["weights"] = json!({ "torchscript": {}, "pytorch_state_dict": {} });
    write(copy.path(), &other);
    refused(copy.path(), &["weights", "onnx", "torchscript", "pytorch_state_dict"]);
    for source in ["../model.onnx", "/etc/passwd", "https://example.org/model.onnx", ""] {
        let mut other = manifest.clone();
        other["weights"]["onnx"] = json!({ "source": source });
        write(copy.path(), &other);
        assert!(Package::open(copy.path(), false).is_err(), "{source}");
    }
    let mut other = manifest;
    other["weights"]["onnx"]["external_data"] = json!({ "source": "model.onnx.data" });
    write(copy.path(), &other);
    refused(copy.path(), &["weights.onnx", "one ONNX file", "model.onnx.data"]);
}

#[test]
fn archives_and_manifests_that_swell_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("package.zip");
    // 2 MiB of spaces where a manifest has at most one.
    zip(&path, &[("rdf.yaml", &vec![b' '; 2 << 20])]);
    refused(&path, &["rdf.yaml", "at most"]);
    // 600 MiB of zeros in 600 KiB, as weights without a hash.
    let (_, mut manifest) = copy();
    manifest["weights"]["onnx"].as_object_mut().unwrap().remove("sha256");
    let text = manifest.to_string();
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    archive.start_file("rdf.yaml", SimpleFileOptions::default()).unwrap();
    archive.write_all(text.as_bytes()).unwrap();
    archive.start_file("model.onnx", SimpleFileOptions::default()).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..600 {
        archive.write_all(&zeros).unwrap();
    }
    archive.finish().unwrap();
    refused(&path, &["model.onnx", "packed into"]);

    // A billion laughs, in YAML and where a bundle may have it.
    let mut laughs = String::from("a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n");
    for level in 1..12 {
        let before = level - 1;
        laughs += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{before}"); 9].join(", "));
    }
    std::fs::write(folder.path().join("rdf.yaml"), &laughs).unwrap();
    refused(folder.path(), &["rdf.yaml"]);
    let (_other, bundle) = bundle("metadata.json", "/version", json!("1"));
    std::fs::write(bundle.join("configs/inference.json"), &laughs).unwrap();
    refused(&bundle, &["inference.json"]);
    let deep = "[".repeat(100_000);
    std::fs::write(folder.path().join("rdf.yaml"), deep).unwrap();
    refused(folder.path(), &["rdf.yaml"]);
}

#[test]
fn damaged_archives_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("package.zip");
    let files: Vec<(&str, Vec<u8>)> =
        FILES.map(|file| (file, std::fs::read(data("made-layers").join(file)).unwrap())).into();
    let entries: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    zip(&path, &entries);
    let whole = std::fs::read(&path).unwrap();
    let (_store_folder, store) = store();
    let mut state = 20_u64;
    let mut random = |limit: usize| {
        // Knuth's MMIX generator; its top bits are good enough here.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    // Most of an archive is packed data, whose checksums catch everything: the directory at its end matters most.
    let directory = whole.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    let mut refused = 0;
    for round in 0..400 {
        let mut damaged = whole.clone();
        let start = if round % 2 == 0 { directory } else { 0 };
        for _ in 0..1 + random(4) {
            let place = start + random(whole.len() - start);
            damaged[place] = random(256) as u8;
        }
        if round % 10 == 9 {
            damaged.truncate(random(whole.len()));
        }
        std::fs::write(&path, &damaged).unwrap();
        let added = Package::open(&path, false).and_then(|mut package| store.add(&mut package, "x", true, &builtin()));
        refused += usize::from(added.is_err());
    }
    assert!(refused > 100, "{refused}");
    // What was placed, if anything, is whole.
    assert!(store.names().unwrap().is_empty() || builtin().open(&store.open("x").unwrap()).is_ok());
}

#[test]
fn a_monai_bundle_becomes_a_model_with_the_same_meaning() {
    let package = Package::open(data("made-bundle"), false).unwrap();
    assert_eq!(package.short_name(), "made-tissue-segmentation");
    assert!(package.notes().is_empty(), "{:?}", package.notes());
    let task = package.manifest().image().unwrap().clone();
    assert_eq!(package.manifest().version, "0.2.1");
    assert_eq!(package.manifest().citations.len(), 1);
    assert_eq!(task.channels, ["image"]);
    assert_eq!(task.classes, ["background", "grey_matter", "_2nd_tissue"]);
    assert_eq!(task.values, [0, 1, 2]);
    assert_eq!(task.orientation.unwrap().to_string(), "RAS");
    let axes: Vec<_> = task.axes.iter().map(|axis| (axis.axis, axis.size, axis.spacing_mm)).collect();
    let steps = |step| AxisSize::Steps { min: step, step };
    assert_eq!(axes, [(0, steps(4), Some(1.5)), (1, steps(4), Some(1.5)), (2, steps(1), Some(2.0))]);
    assert_eq!((task.window.as_slice(), task.overlap), ([16, 16, 8].as_slice(), 0.25));
    assert_eq!(
        (task.activation, task.interpolation, task.nonzero),
        (Activation::Softmax, Interpolation::Linear, false)
    );
    assert_eq!(task.output, ImageOutput::Labels { threshold: None });

    // ScaleIntensityRanged takes a_min and a_max to b_min and b_max, and clips there.
    let Preprocessing::Linear { gain, offset } = task.preprocessing[0] else { panic!("{:?}", task.preprocessing) };
    assert!((gain * -57.0 + offset + 1.0).abs() < 1e-6 && (gain * 164.0 + offset - 1.0).abs() < 1e-6);
    assert_eq!(task.preprocessing[1], Preprocessing::Clip { min: -1.0, max: 1.0 });
    // ScaleIntensityRangePercentilesd takes the percentiles of each channel to 0 and 2.
    let Preprocessing::ScaleRange { min_percentile, max_percentile, scope, .. } = task.preprocessing[2] else {
        panic!("{:?}", task.preprocessing)
    };
    assert_eq!((min_percentile, max_percentile, scope.per_channel, scope.whole), (1.0, 99.0, true, false));
    assert_eq!(task.preprocessing[3], Preprocessing::Linear { gain: 2.0, offset: 0.0 });
    assert_eq!(task.preprocessing.len(), 4);
}

#[test]
fn a_bundle_runs_once_added() {
    let (_folder, store) = store();
    let mut package = Package::open(data("made-bundle"), false).unwrap();
    // Only ONNX Runtime runs networks of three dimensions.
    let session = SessionOptions::default().with_device(Device::Cpu).with_threads(1);
    match store.add(&mut package, "organs", false, &session) {
        Err(Error::RuntimeLibrary { detail }) => eprintln!("no ONNX Runtime here, not tested: {detail}"),
        added => {
            assert_eq!(added.unwrap().difference, None);
            assert_eq!(store.open("organs").unwrap().manifest(), package.manifest());
        }
    }
}

/// What the steps of a bundle with this one before its network become.
fn translated(step: Value) -> ImageTask {
    let (_folder, path) = bundle("inference.json", "/preprocessing/transforms", json!([step]));
    Package::open(path, false).unwrap().manifest().image().unwrap().clone()
}

#[test]
fn each_known_transform_of_monai_has_its_meaning() {
    let task = translated(
        json!({"_target_": "NormalizeIntensityd", "keys": "image", "nonzero": "True", "channel_wise": true}),
    );
    assert!(task.nonzero && task.orientation.is_none() && task.axes[0].spacing_mm.is_none());
    let [Preprocessing::ZeroMeanUnitVariance { scope, eps }] = task.preprocessing[..] else { panic!("{task:?}") };
    assert!(scope.per_channel && eps <= 1e-9);

    let task =
        translated(json!({"_target_": "NormalizeIntensityd", "keys": "image", "subtrahend": 100, "divisor": 50.0}));
    assert_eq!(task.preprocessing, [Preprocessing::Linear { gain: 0.02, offset: -2.0 }]);

    let task = translated(json!({"_target_": "ScaleIntensityd", "keys": "image"}));
    let [Preprocessing::ScaleRange { min_percentile, max_percentile, scope, .. }] = task.preprocessing[..] else {
        panic!("{task:?}")
    };
    assert_eq!((min_percentile, max_percentile, scope.per_channel), (0.0, 100.0, false));

    let task = translated(json!({"_target_": "ScaleIntensityd", "keys": "image", "minv": -1.0, "maxv": 1.0}));
    assert_eq!(task.preprocessing[1], Preprocessing::Linear { gain: 2.0, offset: -1.0 });

    let task = translated(json!({"_target_": "Spacingd", "keys": "image", "pixdim": 0.5, "mode": ["nearest"]}));
    assert_eq!((task.axes[2].spacing_mm, task.interpolation), (Some(0.5), Interpolation::Nearest));
}

#[test]
fn what_a_bundle_does_that_is_not_known_is_refused_by_name_or_left_out() {
    let image = |name: &str| json!({"_target_": name, "keys": "image"});
    let normalise = json!({"_target_": "NormalizeIntensityd", "keys": "image", "nonzero": true});
    let cases = [
        ("/preprocessing/transforms", json!([image("HistogramNormalized")]), "preprocessing.HistogramNormalized"),
        ("/preprocessing/transforms", json!([image("CropForegroundd")]), "CropForegroundd"),
        ("/preprocessing/transforms", json!([normalise, image("ScaleIntensityd")]), "nonzero"),
        (
            "/preprocessing/transforms",
            json!([{"_target_": "ScaleIntensityRanged", "keys": "image", "a_min": 0, "a_max": 1, "clip": true}]),
            "clip",
        ),
        ("/postprocessing/transforms", json!([{"_target_": "Lambdad", "keys": "pred"}]), "postprocessing.Lambdad"),
        ("/postprocessing/transforms/0/other", json!("$torch.exp"), ""),
    ];
    for (pointer, value, word) in cases {
        if word.is_empty() {
            continue;
        }
        let (_folder, path) = bundle("inference.json", pointer, value);
        refused(&path, &["inference.json", "step that changes the result", word]);
        let package = Package::open(&path, true).unwrap();
        assert!(package.notes().iter().any(|note| note.contains(word)), "{word}: {:?}", package.notes());
    }
}

#[test]
fn bundles_that_do_not_hold_name_their_field() {
    let inference = [
        ("/settings/pixdim", json!("$[1.5] * 3"), "preprocessing.Spacingd.pixdim"),
        ("/settings/pixdim", json!([0, 1, 1]), "pixdim"),
        ("/settings/pixdim", json!("@settings#pixdim"), "only Python can evaluate"),
        ("/preprocessing/transforms", json!("$@a + @b"), "preprocessing"),
        ("/preprocessing/transforms/4/a_max", json!(-57), "ScaleIntensityRanged"),
        ("/inferer/_target_", json!("SaliencyInferer"), "inferer"),
        ("/inferer/roi_size", json!([16, 16]), "inferer.roi_size"),
        ("/preprocessing/transforms/2/axcodes", json!("RAX"), "orientation"),
    ];
    for (pointer, value, word) in inference {
        let (_folder, path) = bundle("inference.json", pointer, value);
        refused(&path, &[word]);
    }
    let input = "/network_data_format/inputs/image";
    let metadata = [
        ("/num_channels", json!(0), "num_channels"),
        ("/num_channels", json!(1e9), "num_channels"),
        ("/spatial_shape", json!([96]), "spatial_shape"),
        ("/spatial_shape", json!(["16*k", 16, 16]), "16*k"),
        ("/spatial_shape", json!(["2**64", 16, 16]), "2**64"),
        ("/spatial_shape", json!([16, 16]), "model.onnx"),
        ("/spatial_shape", json!(null), "spatial_shape"),
    ];
    for (field, value, word) in metadata {
        let (_folder, path) = bundle("metadata.json", &format!("{input}{field}"), value);
        refused(&path, &[word]);
    }
    let (_folder, path) = bundle("metadata.json", "/version", json!("1"));
    std::fs::rename(path.join("models/model.onnx"), path.join("models/model.ts")).unwrap();
    refused(&path, &["models/model.onnx", "onnx_export", "model.ts"]);
}

#[test]
fn sizes_of_a_bundle_may_be_expressions() {
    for (text, step) in [("16*n", 16), ("2**p*n", 2), ("2 ** 5 * n", 32), ("n", 1), ("*", 1)] {
        let pointer = "/network_data_format/inputs/image/spatial_shape";
        let (_folder, path) = bundle("metadata.json", pointer, json!([text, text, text]));
        let package = Package::open(path, false).unwrap();
        assert_eq!(package.manifest().image().unwrap().axes[1].size, AxisSize::Steps { min: step, step }, "{text}");
    }
}
