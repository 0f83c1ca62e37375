//! `brainmesh models`, with folders of its own in place of the user's.

use super::{entries, fails, ok, text};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A user who has added nothing yet.
struct User(TempDir);

impl User {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brainmesh"));
        command.args(arguments).args(["--progress", "none"]);
        // Linux; macOS; Windows.
        for name in ["XDG_DATA_HOME", "XDG_CACHE_HOME", "HOME", "APPDATA", "LOCALAPPDATA", "USERPROFILE"] {
            command.env(name, self.0.path().join(name));
        }
        command.output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        ok(&output);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Files that a command left, wherever.
    fn files(&self) -> Vec<PathBuf> {
        fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
            for path in entries(folder) {
                if path.is_dir() { collect(&path, files) } else { files.push(path) }
            }
        }
        let mut files = Vec::new();
        collect(self.0.path(), &mut files);
        files
    }
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../segmentation/tests/data").join(name)
}

fn names(models: &Value) -> Vec<&str> {
    models.as_array().unwrap().iter().map(|model| model["name"].as_str().unwrap()).collect()
}

const SHIPPED: [&str; 7] = [
    "cortical-layers",
    "cortical-layers-fast",
    "cortical-layers-ribbon",
    "tissue",
    "membrane",
    "ventricle",
    "sections",
];

#[test]
fn models_are_listed_shown_added_used_and_removed() {
    let user = User::new();
    assert_eq!(names(&user.json(&["models", "list", "--json"])), SHIPPED);
    let folder = data("made-layers");
    ok(&user.run(&["models", "add", text(&folder), "--name", "mine", "--device", "builtin"]));
    let models = user.json(&["models", "list", "--json"]);
    assert_eq!(names(&models), [&SHIPPED[..], &["mine"]].concat());
    assert_eq!(models[SHIPPED.len()]["task"], "layers");
    let shown = user.json(&["models", "show", "mine", "--json"]);
    let given = user.json(&["info", text(&folder), "--json"]);
    assert_eq!((&shown["sha256"], &shown["classes"]), (&given["sha256"], &json!(8)));
    assert!(Path::new(shown["folder"].as_str().unwrap()).join("model.onnx").is_file());

    let output = user.run(&["models", "add", text(&folder), "--name", "mine"]);
    fails(&output, 4, &["mine", "added before"]);
    ok(&user.run(&["models", "add", text(&folder), "--name", "mine", "--force"]));

    let list = user.run(&["models", "list"]);
    let lines = String::from_utf8(list.stdout).unwrap();
    assert!(lines.lines().any(|line| line.starts_with("mine ") && line.contains("added")), "{lines}");
    ok(&user.run(&["models", "remove", "mine"]));
    assert_eq!(names(&user.json(&["models", "list", "--json"])), SHIPPED);
    fails(&user.run(&["models", "show", "mine"]), 4, &["mine", "cortical-layers-ribbon"]);
    fails(&user.run(&["models", "remove", "cortical-layers"]), 4, &["part of the program"]);
}

#[test]
fn verification_says_the_difference_and_fails_on_a_mismatch() {
    let user = User::new();
    let found = user.json(&["models", "verify", "--device", "builtin", "--json"]);
    assert_eq!(names(&found), SHIPPED);
    for model in found.as_array().unwrap() {
        assert!(model["agrees"] == true && model["difference"].as_f64().unwrap() <= 1e-4, "{model}");
        // The ribbon's dense layers, and networks over pictures, are no convolutions along rays: the plain engine runs them.
        let engine = if SHIPPED[..2].contains(&model["name"].as_str().unwrap()) { "built-in" } else { "rten" };
        assert!(model["device"].as_str().unwrap().contains(engine), "{model}");
    }
    // What agreed is remembered, one file each.
    assert_eq!(user.files().len(), SHIPPED.len(), "{:?}", user.files());

    // The output of another network, under its right hash.
    let other = tempfile::tempdir().unwrap();
    for file in ["model.onnx", "test_input.npy", "test_output.npy", "rdf.yaml"] {
        std::fs::copy(data("made-image").join(file), other.path().join(file)).unwrap();
    }
    let mut manifest: Value = super::json(&other.path().join("rdf.yaml"));
    manifest["outputs"][0]["postprocessing"] = json!([{ "id": "sigmoid" }]);
    std::fs::write(other.path().join("rdf.yaml"), manifest.to_string()).unwrap();
    let arguments = ["models", "verify", "cortical-layers", text(other.path()), "--device", "builtin"];
    let output = user.run(&arguments);
    fails(&output, 4, &["not verified", text(other.path())]);
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(lines.contains("cortical-layers: agrees") && lines.contains(": DIFFERS"), "{lines}");
    fails(&user.run(&["models", "add", text(other.path()), "--device", "builtin"]), 4, &["made image", "difference"]);
    assert_eq!(names(&user.json(&["models", "list", "--json"])), SHIPPED);
    assert_eq!(user.files().len(), SHIPPED.len(), "{:?}", user.files());
}

#[test]
fn a_damaged_model_is_listed_as_such_and_the_others_stay() {
    let user = User::new();
    ok(&user.run(&["models", "add", text(&data("made-layers")), "--device", "builtin"]));
    let shown = user.json(&["models", "show", "made-layers", "--json"]);
    let folder = PathBuf::from(shown["folder"].as_str().unwrap());
    std::fs::write(folder.join("rdf.yaml"), "name: [").unwrap();
    let models = user.json(&["models", "list", "--json"]);
    assert_eq!(names(&models), [&SHIPPED[..], &["made-layers"]].concat());
    assert!(models[SHIPPED.len()]["error"].as_str().unwrap().contains("rdf.yaml"), "{models}");
    fails(&user.run(&["models", "show", "made-layers"]), 4, &["rdf.yaml"]);
    ok(&user.run(&["models", "remove", "made-layers"]));
}

#[test]
fn what_is_no_model_is_refused_by_name() {
    let user = User::new();
    let empty = tempfile::tempdir().unwrap();
    fails(&user.run(&["models", "add", text(empty.path())]), 4, &[text(empty.path()), "rdf.yaml"]);
    let bundle = data("made-bundle");
    let output = user.run(&["models", "add", text(&bundle), "--name", "../up", "--device", "builtin"]);
    fails(&output, 4, &["../up"]);
    fails(&user.run(&["models", "verify", "--device", "abacus"]), 2, &["--device", "abacus"]);
    assert!(user.files().is_empty());
}
