//! Whole-program tests: the `brainmesh` binary on files it made or was given, judged by geometry and exit codes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The binary with progress off.
fn brainmesh(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_brainmesh")).args(arguments).args(["--progress", "none"]).output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn ok(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Fails with this code and one clear error that names each of `words`.
fn fails(output: &Output, code: i32, words: &[&str]) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{error}");
    let lines: Vec<&str> = error.lines().filter(|l| l.contains("error")).collect();
    assert_eq!(lines.len(), 1, "expected one error, found: {error}");
    for word in words {
        assert!(error.contains(word), "expected {word:?} in: {error}");
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    entries
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn sha256(path: &Path) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(std::fs::read(path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A concentric-sphere phantom in a folder of its own.
fn sphere(folder: &Path) -> PathBuf {
    let out = folder.join("sphere");
    ok(&brainmesh(&[
        "phantom",
        "--shape",
        "sphere",
        "--spacing-mm",
        "0.2",
        "--extent-mm",
        "16",
        "--artefacts",
        "none",
        "--out",
        text(&out),
    ]));
    out
}

mod bad_input;
mod bench;
mod convert;
mod equivariance;
mod equivolume;
mod evaluate;
mod evaluate_pictures;
mod evaluate_sections;
mod given_rays;
mod hostile;
mod mesh;
mod models;
mod report;
mod segment;
mod segment_membrane;
mod segment_sections;
mod segment_tissue;
mod slicer;
mod slicer_description;
mod sphere;
mod surface;
mod ventricle;
