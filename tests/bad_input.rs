//! What is wrong with an input is said once, with the file and the reason, and nothing is left behind.

use super::*;
use brainmesh_core::{Grid, Volume};

/// The arguments of `rays2surface` for a phantom's folder, writing to `out`.
fn arguments(phantom: &Path, out: &Path) -> Vec<String> {
    let file = |name: &str| text(&phantom.join(name)).to_owned();
    [
        ["--pial".into(), file("pial.surf.gii")],
        ["--white".into(), file("white.surf.gii")],
        ["--volume".into(), file("volume.nii.gz")],
        ["--out".into(), text(out).to_owned()],
    ]
    .concat()
}

/// Runs `rays2surface` on the phantom with one option changed or added; expects failure and an untouched folder.
fn refused(folder: &Path, changes: &[(&str, &Path)], code: i32, words: &[&str]) {
    let out = folder.join("out");
    let mut arguments = arguments(&sphere(folder), &out);
    for (option, value) in changes {
        match arguments.iter().position(|a| a == option) {
            Some(i) => arguments[i + 1] = text(value).to_owned(),
            None => arguments.extend([(*option).to_owned(), text(value).to_owned()]),
        }
    }
    let before = entries(folder);
    let mut command = vec!["rays2surface"];
    command.extend(arguments.iter().map(String::as_str));
    fails(&brainmesh(&command), code, words);
    assert_eq!(entries(folder), before, "something was left behind");
}

const TETRAHEDRON: &str = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n";

#[test]
fn surfaces_that_do_not_correspond() {
    let folder = tempfile::tempdir().unwrap();
    let white = folder.path().join("other.obj");
    std::fs::write(&white, TETRAHEDRON).unwrap();
    refused(folder.path(), &[("--white", &white)], 3, &["other.obj", "expected 10242", "found 4"]);
}

#[test]
fn vertices_that_are_not_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let pial = folder.path().join("nan.obj");
    std::fs::write(&pial, TETRAHEDRON.replacen("v 1 0 0", "v nan 0 0", 1)).unwrap();
    refused(folder.path(), &[("--pial", &pial)], 3, &["nan.obj", "finite"]);
}

#[test]
fn a_volume_somewhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let volume = folder.path().join("elsewhere.nii.gz");
    let far = glam::DAffine3::from_translation(glam::DVec3::splat(500.0));
    let grid = Grid::new([8, 8, 8], far, "scanner").unwrap();
    let ramp = (0..512).map(|i| i as f32).collect();
    brainmesh_formats::write_volume(&volume, &Volume::new(grid, ramp).unwrap()).unwrap();
    refused(folder.path(), &[("--volume", &volume)], 3, &["elsewhere.nii.gz", "does not cover the surfaces"]);
}

#[test]
fn truncated_files() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    for (option, name) in [("--volume", "volume.nii.gz"), ("--pial", "pial.surf.gii")] {
        let bytes = std::fs::read(phantom.join(name)).unwrap();
        let cut = folder.path().join(format!("cut-{name}"));
        std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
        refused(folder.path(), &[(option, &cut)], 3, &[&format!("cut-{name}")]);
    }
}

#[test]
fn a_file_that_does_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    refused(folder.path(), &[("--volume", &folder.path().join("gone.nii"))], 3, &["gone.nii", "no such file"]);
}

/// A copy of the shipped model that tests may spoil.
fn model_copy(folder: &Path) -> PathBuf {
    let copy = folder.join("model");
    std::fs::create_dir(&copy).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/cortical-layers");
    for entry in entries(&shipped) {
        std::fs::copy(&entry, copy.join(entry.file_name().unwrap())).unwrap();
    }
    copy
}

#[test]
fn a_model_with_other_labels() {
    let folder = tempfile::tempdir().unwrap();
    let model = model_copy(folder.path());
    let manifest = std::fs::read_to_string(model.join("rdf.yaml")).unwrap();
    std::fs::write(model.join("rdf.yaml"), manifest.replace("- outside", "- background")).unwrap();
    refused(folder.path(), &[("--model", &model)], 4, &["rdf.yaml", "outside", "background"]);
}

#[test]
fn a_model_whose_weights_are_not_those_of_its_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let model = model_copy(folder.path());
    let mut onnx = std::fs::read(model.join("model.onnx")).unwrap();
    let last = onnx.len() - 1;
    onnx[last] ^= 1;
    std::fs::write(model.join("model.onnx"), onnx).unwrap();
    refused(folder.path(), &[("--model", &model)], 4, &["model.onnx", "SHA-256"]);
}

#[test]
fn an_output_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    refused(folder.path(), &[("--out", &file)], 2, &["--out", "expected a folder"]);
    refused(folder.path(), &[("--out", &folder.path().join("no/such/out"))], 2, &["--out", "does not exist"]);
}

#[test]
fn arguments_that_do_not_go_together() {
    let folder = tempfile::tempdir().unwrap();
    refused(folder.path(), &[("--device", Path::new("quantum"))], 2, &["--device", "quantum"]);
    refused(folder.path(), &[("--precision", Path::new("f8"))], 2, &["--precision", "f8", "tf32"]);
    refused(folder.path(), &[("--smoothing", Path::new("much"))], 2, &["--smoothing", "much"]);
    refused(folder.path(), &[("--max-defects", Path::new("many"))], 2, &["--max-defects"]);
    refused(folder.path(), &[("--model", Path::new("cortical-layers-ribbon"))], 2, &["cortical-layers-ribbon", "pia"]);
}

#[test]
fn a_runtime_asked_for_by_name_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("libonnxruntime.so");
    std::fs::write(&library, "not a library").unwrap();
    refused(folder.path(), &[("--device", Path::new("cpu")), ("--onnxruntime", &library)], 4, &["libonnxruntime.so"]);
}
