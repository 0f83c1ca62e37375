//! The part near the middle, against the training package's own answers (`data/make_near_centre.py`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use brainmesh_core::{Grid, Silent, Volume};
use brainmesh_segmentation::{Device, Model, NearCentre, SegmentOptions, Segmentation, Session};
use glam::DAffine3;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// Probabilities, width, and whether each pixel belongs.
type Case = (Vec<f32>, usize, Vec<bool>);

fn cases() -> (NearCentre, Vec<Case>) {
    let text = std::fs::read_to_string(data().join("near_centre.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let cases = file["cases"].as_array().unwrap().iter().map(|case| {
        let levels = case["levels"].as_array().unwrap().iter();
        let rows = case["part"].as_array().unwrap().iter();
        (
            levels.map(|level| level.as_u64().unwrap() as f32 / 255.0).collect(),
            case["width"].as_u64().unwrap() as usize,
            rows.flat_map(|row| row.as_str().unwrap().bytes().map(|byte| byte == b'#')).collect(),
        )
    });
    (NearCentre { sd: file["sd"].as_f64().unwrap() }, cases.collect())
}

#[test]
fn the_part_is_that_of_the_training_package() {
    let (near, cases) = cases();
    assert!(cases.len() >= 9);
    for (number, (probability, width, part)) in cases.into_iter().enumerate() {
        assert!(part.contains(&true));
        assert!(near.part(&probability, width, 0.5) == part, "case {number}");
    }
}

#[test]
fn what_the_network_hardly_sees_is_nothing() {
    let near = NearCentre { sd: 0.1 };
    assert_eq!(near.part(&[0.0, 0.049, 0.0], 3, 0.5), [false; 3]);
    assert_eq!(near.part(&[0.0, 0.051, 0.0], 3, 0.5), [false, true, false]);
    assert!(near.part(&[], 3, 0.5).is_empty());
}

#[test]
fn each_slice_keeps_one_part_where_the_manifest_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(data().join("above-half")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    let edit = |settings: Value| {
        let path = folder.path().join("rdf.yaml");
        let mut manifest: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let brainmesh = manifest["config"]["brainmesh"].as_object_mut().unwrap();
        brainmesh.extend(settings.as_object().unwrap().clone());
        std::fs::write(&path, manifest.to_string()).unwrap();
    };
    edit(serde_json::json!({ "component": { "near_centre_sd": 0.1171875 } }));
    // The network is sigmoid(1000 (x - 0.5)); turned round here, so that it gives the probabilities of a case. The second
    // slice is the case mirrored.
    let (_, cases) = cases();
    let (probability, width, part) = &cases[0];
    let given = |p: &f32| if *p > 0.0 { (0.5 + (p / (1.0 - p)).ln() / 1000.0).clamp(0.0, 1.0) } else { 0.0 };
    let probability: Vec<f32> = probability.iter().map(given).collect();
    let mirrored: Vec<f32> = probability.iter().rev().copied().collect();
    let both = [probability.as_slice(), mirrored.as_slice()].concat();
    let grid = Grid::new([*width, probability.len() / width, 2], DAffine3::IDENTITY, "scanner").unwrap();
    let volume = Volume::new(grid, both).unwrap();
    let mut session = Session::open(&Model::open(folder.path()).unwrap(), Device::Builtin, 1).unwrap();
    let found = session.segment(&[volume], &SegmentOptions::default(), &Silent).unwrap().segmentation;
    let Segmentation::Labels(found) = found else { panic!("{found:?}") };
    let expected: Vec<u8> = part.iter().chain(part.iter().rev()).map(|&belongs| u8::from(belongs)).collect();
    assert!(found.data() == expected);

    edit(serde_json::json!({ "largest_component": true }));
    let error = Model::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("config.brainmesh.component") && error.contains("largest_component"), "{error}");
}
