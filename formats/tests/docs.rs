//! The table of `docs/formats.md` against the code: what it says is written and read lazily is, and every test it names exists.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use brainmesh_core::{Grid, Volume};
use brainmesh_formats::{SurfaceFormat, VolumeFormat, volume_info, write_volume};
use glam::{DAffine3, DVec3};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Rows of the table under a heading: cells by the name of their column.
fn table(heading: &str) -> Vec<BTreeMap<String, String>> {
    let page = std::fs::read_to_string(root().join("docs/formats.md")).unwrap();
    let section = page.split("\n## ").find(|section| section.starts_with(heading)).unwrap();
    let cells = |line: &str| -> Vec<String> { line.trim_matches('|').split('|').map(|c| c.trim().into()).collect() };
    let mut lines = section.lines().filter(|line| line.starts_with('|'));
    let names = cells(lines.next().unwrap());
    lines.skip(1).map(|line| names.iter().cloned().zip(cells(line)).collect()).collect()
}

/// Every source of a test: Rust and Python.
fn sources() -> String {
    let folders = ["formats/tests", "formats/src", "tests", "tests/python"].map(|folder| root().join(folder));
    let mut text = String::new();
    for folder in folders {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "rs" || e == "py") {
                text += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    text
}

#[test]
fn every_test_named_exists() {
    let sources = sources();
    for row in table("Volumes").into_iter().chain(table("Surfaces and maps")) {
        let named: Vec<&str> = row["held by"].split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{row:?}");
        for name in named {
            let found = sources.contains(&format!("fn {name}(")) || sources.contains(&format!("def {name}("));
            assert!(found, "{}: there is no test {name}", row["format"]);
        }
    }
}

#[test]
fn volumes_are_written_and_read_lazily_as_stated() {
    let folder = tempfile::tempdir().unwrap();
    let grid = Grid::new([5, 4, 3], DAffine3::from_scale(DVec3::new(0.5, 0.6, 0.7)), "scanner").unwrap();
    let volume = Volume::new(grid, (0..60u8).collect()).unwrap();
    let rows = table("Volumes");
    for row in &rows {
        // Names in the cell of writing are the endings that are written.
        for ending in row["write"].split('`').skip(1).step_by(2) {
            let path = folder.path().join(format!("a{ending}"));
            assert!(VolumeFormat::from_path(&path).is_some(), "{ending}");
            write_volume(&path, &volume).unwrap();
            let lazy = volume_info(&path).unwrap().lazy;
            assert_eq!(lazy, !row["lazy"].contains(&format!("not `{ending}`")) && row["lazy"] != "no", "{ending}");
        }
    }
    let stated: String = rows.iter().map(|row| row["write"].as_str()).collect();
    for ending in VolumeFormat::ALL.into_iter().flat_map(VolumeFormat::extensions) {
        assert!(stated.contains(&format!("`.{ending}`")), "{ending} is written, and not in the table");
    }
}

#[test]
fn surfaces_are_written_as_stated() {
    let stated: String = table("Surfaces and maps").iter().map(|row| row["write"].clone()).collect();
    for format in SurfaceFormat::ALL {
        assert!(stated.contains(&format!("`.{}`", format.extension())), "{format:?} is written, and not in the table");
    }
    for ending in stated.split('`').skip(1).step_by(2).filter(|e| e.starts_with('.')) {
        let known = SurfaceFormat::from_path(Path::new(&format!("a{ending}"))).is_some();
        assert!(known || SurfaceFormat::ALL.iter().any(|f| f.extension() == &ending[1..]), "{ending}");
    }
}
