//! Against the training package's own reading of a made answer (`tests/data/make_sections.py`).

use super::{Part, PartKind, Section, Tile, parts};
use crate::SectionsTask;
use ndarray::{Array3, ArrayView3, s};
use ndarray_npy::ViewNpyExt;
use serde_json::Value;
use std::path::Path;

fn fixture() -> (Array3<f32>, Value) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let bytes = std::fs::read(data.join("sections_answer.npy")).unwrap();
    // The view wants its numbers aligned.
    let mut aligned = vec![0_u8; bytes.len() + 8];
    let start = aligned.as_ptr().align_offset(8);
    aligned[start..start + bytes.len()].copy_from_slice(&bytes);
    let answer = ArrayView3::<f32>::view_npy(&aligned[start..start + bytes.len()]).unwrap().to_owned();
    (answer, serde_json::from_slice(&std::fs::read(data.join("sections.json")).unwrap()).unwrap())
}

fn task(threshold: f64) -> SectionsTask {
    SectionsTask {
        stride: 4,
        unit_px: 32.0,
        step: 4,
        halo: 20,
        threshold,
        percentiles: [[1.0, 99.0]; 2],
        least_spread: 8.0,
        tissue_length_px: [60.0, 195.0],
    }
}

/// What is read from an answer that comes tile by tile.
fn read(answer: &Array3<f32>, size: [usize; 2], task: &SectionsTask, edge: usize, first: usize) -> Vec<Section> {
    let mut all: [Vec<Part>; 2] = Default::default();
    for tile in Tile::cover(task, size, edge, first) {
        let [x, y] = tile.input.clone().map(|range| range.start / 4..range.end / 4);
        let part = answer.slice(s![.., y, x]);
        for (all, kind) in all.iter_mut().zip([PartKind::Tissue, PartKind::Magnet]) {
            all.extend(parts(part, kind, task, &tile).unwrap());
        }
    }
    let [tissue, magnet] = all;
    Section::from_parts(tissue, magnet)
}

fn worst(part: &Part, expected: &Value) -> f64 {
    let number = |value: &Value| value.as_f64().unwrap();
    let corners = expected["corners"].as_array().unwrap().iter().flat_map(|corner| corner.as_array().unwrap());
    let toward = expected["toward"].as_array().unwrap();
    let expected: Vec<f64> = corners.chain(toward).chain([&expected["confidence"]]).map(number).collect();
    let found = part.corners_px.iter().flatten().copied().chain(part.toward_px.unwrap()).chain([part.confidence]);
    found.zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn sections_are_those_of_the_training_package_in_one_piece_and_in_tiles() {
    let (answer, expected) = fixture();
    let size: Vec<usize> = serde_json::from_value(expected["size"].clone()).unwrap();
    let task = task(expected["threshold"].as_f64().unwrap());
    let expected = expected["sections"].as_array().unwrap();
    assert!(expected.len() >= 8);
    for (edge, first) in [(4096, 0), (64, 0), (32, 12), (4, 0)] {
        let found = read(&answer, [size[0], size[1]], &task, edge, first);
        assert_eq!(found.len(), expected.len());
        for (section, expected) in found.iter().zip(expected) {
            for (part, expected) in [(&section.tissue, &expected["tissue"]), (&section.magnet, &expected["magnet"])] {
                assert_eq!(part.is_none(), expected.is_null());
                assert!(part.as_ref().is_none_or(|part| worst(part, expected) < 1e-6), "{part:?} {expected}");
            }
        }
    }
}

#[test]
fn an_answer_of_another_size_or_without_numbers_is_refused() {
    let (mut answer, _) = fixture();
    let tile = &Tile::cover(&task(0.3), [184, 160], 4096, 0)[0];
    let wide = &Tile::cover(&task(0.3), [188, 160], 4096, 0)[0];
    assert!(parts(answer.view(), PartKind::Tissue, &task(0.3), tile).is_ok());
    assert!(parts(answer.view(), PartKind::Tissue, &task(0.3), wide).is_err());
    answer[[11, 0, 0]] = f32::NAN;
    assert!(parts(answer.view(), PartKind::Tissue, &task(0.3), tile).is_err());
}
