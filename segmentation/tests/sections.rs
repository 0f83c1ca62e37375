//! Sections on wafers with a made network whose answer can be worked out (`data/make_sections.py`).

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod support;

use brainmesh_core::Silent;
use brainmesh_segmentation::{
    Device, Error, Levels, Manifest, Model, Part, Section, SectionFinder, SectionsTask, SegmentOptions, Session, Tile,
};
use ndarray::{Array3, s};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/made-sections")
}

fn model() -> Model {
    Model::open(folder()).unwrap()
}

/// Spots of SD 6 pixels, as bright as told, for the network between -.5 and .5.
fn picture([width, height]: [usize; 2], spots: [&[[f64; 2]]; 2]) -> Array3<f32> {
    Array3::from_shape_fn((2, height, width), |(channel, y, x)| {
        let glow = |[at_x, at_y]: &[f64; 2]| (-((x as f64 - at_x).powi(2) + (y as f64 - at_y).powi(2)) / 72.0).exp();
        (spots[channel].iter().map(glow).fold(0.0, f64::max) - 0.5) as f32
    })
}

/// Where sections are: in the middle, across borders of tiles, side by side, at the border of the picture.
const TISSUE: [[f64; 2]; 6] = [[40.3, 40.8], [64.0, 90.0], [93.2, 90.4], [125.9, 31.7], [150.0, 139.0], [12.5, 128.2]];

fn found(session: &mut Session, picture: &Array3<f32>, edge: usize, first: usize) -> Vec<Section> {
    let task: SectionsTask = model().manifest().sections().unwrap().clone();
    let (_, height, width) = picture.dim();
    let mut all: [Vec<Part>; 2] = Default::default();
    for tile in Tile::cover(&task, [width, height], edge, first) {
        let [x, y] = tile.inside([width, height]);
        let parts = session.section_parts(&tile, picture.slice(s![.., y, x]), &Silent).unwrap();
        all.iter_mut().zip(parts).for_each(|(all, parts)| all.extend(parts));
    }
    let [tissue, magnet] = all;
    let mut sections = Section::from_parts(tissue, magnet);
    sections.sort_by(|a, b| centre(a)[0].total_cmp(&centre(b)[0]));
    sections
}

fn centre(section: &Section) -> [f64; 2] {
    section.tissue.as_ref().or(section.magnet.as_ref()).map_or([f64::NAN; 2], Part::centre_px)
}

fn sessions() -> Vec<Session> {
    let builtin = Session::open(&model(), Device::Builtin, 1).unwrap();
    let runtime = support::here(Session::open(&model(), Device::Cpu, 1));
    [Some(builtin), runtime].into_iter().flatten().collect()
}

#[test]
fn sections_are_where_the_picture_has_them_and_the_same_for_every_lattice_of_tiles() {
    // No multiple of the network's steps.
    let size = [171, 163];
    let magnet = TISSUE.map(|[x, y]| [x, y + 14.0]);
    let picture = picture(size, [&TISSUE, &magnet]);
    for mut session in sessions() {
        let whole = found(&mut session, &picture, 4096, 0);
        assert_eq!(whole.len(), TISSUE.len());
        for section in &whole {
            let (tissue, magnet) = (section.tissue.as_ref().unwrap(), section.magnet.as_ref().unwrap());
            let [x, y] = tissue.centre_px();
            let near = |at: &[f64; 2]| (at[0] - x).abs().max((at[1] - y).abs()) < 1.5;
            assert!(TISSUE.iter().any(near), "{x} {y}");
            assert!((magnet.centre_px()[1] - y - 14.0).abs() < 2.5);
            assert!((tissue.length_px() - 24.0).abs() < 1e-3 && (tissue.area_px2() - 288.0).abs() < 0.1);
        }
        for edge in [16, 32, 48, 96] {
            for first in (0..edge).step_by(16) {
                let tiles = found(&mut session, &picture, edge, first);
                assert_eq!(tiles.len(), whole.len(), "{edge} {first}");
                for (tiles, whole) in tiles.iter().zip(&whole) {
                    for (a, b) in [(&tiles.tissue, &whole.tissue), (&tiles.magnet, &whole.magnet)] {
                        let (a, b) = (a.as_ref().unwrap(), b.as_ref().unwrap());
                        let apart = a.corners_px.as_flattened().iter().zip(b.corners_px.as_flattened());
                        assert!(apart.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) < 1e-3, "{edge} {first}");
                        assert!((a.confidence - b.confidence).abs() < 1e-5);
                    }
                }
            }
        }
    }
}

#[test]
fn nothing_is_found_in_nothing() {
    for mut session in sessions() {
        for empty in [picture([70, 50], [&[], &[]]), picture([1, 1], [&[], &[]])] {
            assert!(found(&mut session, &empty, 64, 0).is_empty());
        }
    }
}

#[test]
fn levels_are_percentiles_apart_by_no_less_than_the_model_says() {
    let finder = SectionFinder::of(model().manifest()).unwrap();
    // 0 to 200: the 1st, 99th and 99.5th percentile of 201 values are 2, 198 and 199.
    let sample: Vec<f32> = (0..=200).rev().map(|n| n as f32).collect();
    let levels = Levels::measure(sample.clone(), 0, &finder, 255.0);
    assert_eq!(levels, Levels { low: 2.0, high: 198.0 });
    assert_eq!(Levels::measure(sample, 1, &finder, 255.0).high, 199.0);
    assert_eq!(levels.apply(2.0), -0.5);
    assert_eq!(levels.apply(100.0), 0.0);
    assert_eq!([levels.apply(-1e9), levels.apply(1e9)], [-1.0, 1.0]);
    // Empty: 8 of 255, or as much of 65535.
    assert_eq!(Levels::measure(vec![7.0; 9], 1, &finder, 255.0), Levels { low: 7.0, high: 15.0 });
    assert_eq!(Levels::measure(vec![0.0, f32::NAN], 1, &finder, 65535.0).high, 8.0 * 257.0);
}

#[test]
fn a_model_of_sections_is_for_its_command_and_no_other_is() {
    let mut session = sessions().remove(0);
    let error = session.segment(&[], &SegmentOptions::default(), &Silent).unwrap_err();
    assert!(matches!(error, Error::Task { .. }) && error.to_string().contains("segment sections"), "{error}");
    let other = Model::open(folder().with_file_name("made-membrane")).unwrap();
    let error = other.manifest().sections().unwrap_err();
    assert!(error.to_string().contains("sections on wafers"), "{error}");
    // A tile of another size than what it is given.
    let task = model().manifest().sections().unwrap().clone();
    let tile = &Tile::cover(&task, [32, 32], 32, 0)[0];
    for shape in [(2, 33, 32), (1, 32, 32), (2, 0, 32)] {
        let error = session.section_parts(tile, Array3::zeros(shape).view(), &Silent).unwrap_err();
        assert!(matches!(error, Error::Input { .. }), "{error}");
    }
}

#[test]
fn manifests_that_cannot_be_are_refused() {
    let text = std::fs::read_to_string(folder().join("rdf.yaml")).unwrap();
    let parse = |edit: &dyn Fn(&mut Value)| {
        let mut manifest: Value = serde_json::from_str(&text).unwrap();
        edit(&mut manifest);
        Manifest::parse(manifest.to_string().as_bytes(), Path::new("rdf.yaml"))
    };
    assert!(parse(&|_| {}).is_ok());
    let settings: [(&str, Value); 12] = [
        ("stride", json!(0)),
        ("step", json!(18)),
        ("step", json!(0)),
        ("step", json!(1_000_000)),
        ("halo", json!(24)),
        ("halo", json!(1_000_000)),
        ("threshold", json!(1)),
        ("unit_px", json!(-32)),
        ("least_spread", json!(0)),
        ("percentiles", json!([[1, 99], [99, 1]])),
        ("tissue_length_px", json!([50, 50])),
        ("tile", json!(64)),
    ];
    for (field, value) in settings {
        let error = parse(&|manifest| manifest["config"]["brainmesh"][field] = value.clone()).unwrap_err().to_string();
        assert!(error.contains(field), "{field}: {error}");
    }
    let error = parse(&|manifest| manifest["inputs"][0]["axes"][1]["channel_names"] = json!(["one"])).unwrap_err();
    assert!(error.to_string().contains("2 channels"), "{error}");
    let error = parse(&|manifest| manifest["outputs"][0]["axes"][2]["id"] = json!("x")).unwrap_err();
    assert!(error.to_string().contains("outputs.axes"), "{error}");
}
