//! A Mask R-CNN as a model: what its manifest must say, and the parts it finds.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use brainmesh_core::Silent;
use brainmesh_segmentation::{Device, Error, Model, Section, SectionFinder, Session, Tile};
use ndarray::Array3;
use std::path::PathBuf;
use tempfile::TempDir;

fn fixture() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/mask_rcnn")
}

/// A copy whose manifest says something else.
fn changed(from: &str, to: &str) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in ["detector.onnx", "boxes.onnx", "masks.onnx", "test_input.npy", "test_output.npy"] {
        std::fs::copy(fixture().join(file), copy.path().join(file)).unwrap();
    }
    let text = std::fs::read_to_string(fixture().join("rdf.yaml")).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(copy.path().join("rdf.yaml"), text.replacen(from, to, 1)).unwrap();
    copy
}

#[test]
fn a_manifest_that_does_not_hold_names_its_field() {
    for (from, to, field) in [
        ("- tissue", "- magnet", "config.brainmesh.classes"),
        ("least_spread: 8.0", "least_spread: 0", "config.brainmesh.least_spread"),
        ("min_size_px: 112", "min_size_px: 181", "settings.min_size_px"),
        ("max_size_px: 180", "max_size_px: 100000", "settings.max_size_px"),
        ("size_divisible_px: 32", "size_divisible_px: 0", "settings.size_divisible_px"),
        ("sampling_ratio: 2", "sampling_ratio: 0", "settings.regions.sampling_ratio"),
        ("sampling_ratio: 2", "sampling_ratio: -1", "settings.regions.sampling_ratio"),
        ("box_size: 7", "box_size: 700", "settings.regions.box_size"),
        ("canonical_scale_px: 224", "canonical_scale_px: -1.0", "settings.regions.canonical_scale_px"),
        ("before_suppression: 120", "before_suppression: 1000000", "settings.proposals.before_suppression"),
        ("most: 10", "most: 0", "settings.detections.most"),
        ("largest_log_scale: 4", "largest_log_scale: 1e9 #", "settings.largest_log_scale"),
        ("least_score: 0.7", "least_score: 7", "settings.detections.least_score"),
        ("least_score: 0.7", "least: 0.7", "settings.detections"),
        ("source: boxes.onnx", "source: ../boxes.onnx", "config.brainmesh.boxes"),
        ("task: mask-rcnn", "task: mask_rcnn", "config.brainmesh.task"),
        ("    - fluorescence", "    - fluorescence\n    - more", "inputs.axes"),
    ] {
        let error = Model::open(changed(from, to).path()).unwrap_err();
        assert!(matches!(error, Error::Manifest { .. } | Error::ManifestSyntax { .. }), "{to}: {error}");
        assert!(error.to_string().contains(field) && error.to_string().contains("rdf.yaml"), "{to}: {error}");
    }
}

#[test]
fn graphs_that_are_not_those_described_are_refused() {
    let copy = changed("name: made", "name: other");
    let mut bytes = std::fs::read(copy.path().join("masks.onnx")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(copy.path().join("masks.onnx"), bytes).unwrap();
    let error = Session::open(&Model::open(copy.path()).unwrap(), Device::Builtin, 1).unwrap_err();
    assert!(matches!(&error, Error::Checksum { path, .. } if path.ends_with("masks.onnx")), "{error}");

    // The head of masks where that of boxes should be, both as they are.
    let text = std::fs::read_to_string(fixture().join("rdf.yaml")).unwrap();
    let place = |name: &str| text.find(&format!("source: {name}.onnx")).unwrap();
    let end = |from: usize| from + text[from..].match_indices('\n').nth(1).unwrap().0;
    let (boxes, masks) = (place("boxes"), place("masks"));
    let (its, other) = (&text[boxes..end(boxes)], &text[masks..end(masks)]);
    let error = Session::open(&Model::open(changed(its, other).path()).unwrap(), Device::Builtin, 1).unwrap_err();
    assert!(error.to_string().contains("expected 2 outputs, found 1"), "{error}");
}

#[test]
fn parts_of_all_tiles_lie_in_the_picture_and_are_clockwise() {
    let model = Model::open(fixture()).unwrap();
    let finder = SectionFinder::of(model.manifest()).unwrap();
    let mut session = Session::open(&model, Device::Builtin, 1).unwrap();
    let size = [400, 250];
    let picture = Array3::from_shape_fn((2, size[1], size[0]), |(c, y, x)| {
        ((x as f32 / 9.0 + c as f32).sin() * (y as f32 / 7.0).cos()).clamp(-1.0, 1.0)
    });
    let tiles = finder.tiles(size, 64);
    // Of 180, every 120: 0, 120, 240 and 0, 120.
    assert_eq!(tiles.len(), 6);
    let mut parts = [Vec::new(), Vec::new()];
    for tile in &tiles {
        let [columns, rows] = tile.inside(size);
        let inside = picture.slice(ndarray::s![.., rows, columns]);
        let found = session.section_parts(tile, inside, &Silent).unwrap();
        parts.iter_mut().zip(found).for_each(|(all, found)| all.extend(found));
    }
    let count = parts[0].len() + parts[1].len();
    assert!(count > 5, "{count}");
    for part in parts.iter().flatten() {
        assert!(part.area_px2() > 0.0 && part.toward_px.is_none());
        let [x, y] = part.centre_px();
        assert!((0.0..400.0).contains(&x) && (0.0..250.0).contains(&y), "{x} {y}");
    }
    let [tissue, magnet] = parts;
    let sections = Section::from_parts(tissue, magnet);
    assert!(!sections.is_empty() && sections.len() <= count);

    let other = Tile { input: [0..64, 0..64], core: [0..64, 0..64] };
    let error = session.section_parts(&other, picture.view(), &Silent).unwrap_err();
    assert!(matches!(error, Error::Input { field: "tile", .. }), "{error}");
}
