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
            let near = |at: &[f64; 2]| (at[0] - x).abs().max((at[1] - y).abs()) < 2.0;
            assert!(TISSUE.iter().any(near), "{x} {y}");
            // The made network points the same way from every block: corners read from blocks that lie .6 of the way to them
            // lie that much farther out.
            let larger = tissue.length_px() / 24.0;
            assert!((magnet.centre_px()[1] - y - 14.0).abs() < 3.0);
            assert!((1.0..1.6).contains(&larger) && tissue.area_px2() < 288.0 * 1.6 * 1.6, "{larger}");
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

/// Eight sections of 120 x 50 and 120 x 24 pixels with a dark seam, turned by 23 degrees more each, on a bright wafer; noise.
fn drawn() -> (Array3<f32>, Vec<[f64; 2]>) {
    let places: Vec<[f64; 2]> =
        (0..8).map(|n| [130.0 + 190.0 * f64::from(n), 120.0 + 12.0 * f64::from(n % 3)]).collect();
    let mut state = 1_u64;
    let mut noise = || {
        let mut one = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f64 / f64::from(1 << 24) - 0.5
        };
        // Nearly Gaussian, of SD .04.
        (one() + one() + one()) * 0.08
    };
    let mut picture = Array3::zeros((2, 256, 1600));
    for y in 0..256_u32 {
        for x in 0..1600_u32 {
            let (mut grey, mut glow) = (0.35, -0.5);
            for (n, [at_x, at_y]) in places.iter().enumerate() {
                let (sine, cosine) = (23.0 * n as f64).to_radians().sin_cos();
                let [dx, dy] = [f64::from(x) - at_x, f64::from(y) - at_y];
                let [u, v] = [dx * cosine + dy * sine, dy * cosine - dx * sine];
                // Borders a pixel or two wide.
                let edge = |far: f64| 1.0 / (1.0 + (2.0 * far).exp());
                let within = |middle: f64, half: f64| edge(u.abs() - 60.0) * edge((v - middle).abs() - half);
                for (share, value) in [(within(0.0, 25.0), 0.0), (within(38.0, 12.0), 0.15), (within(25.5, 1.2), -0.3)]
                {
                    grey += share * (value - grey);
                }
                glow += within(38.0, 12.0) * (0.45 - glow);
            }
            picture[[0, y as usize, x as usize]] = (grey + noise()) as f32;
            picture[[1, y as usize, x as usize]] = glow as f32;
        }
    }
    (picture, places)
}

#[test]
fn the_shipped_network_finds_the_same_however_tiles_lie() {
    let (picture, places) = drawn();
    let model = Model::named("sections").unwrap();
    let task = model.manifest().sections().unwrap().clone();
    let mut session = Session::open(&model, Device::Builtin, 0).unwrap();
    let mut read = |edge: usize, first: usize| {
        let mut all: [Vec<Part>; 2] = Default::default();
        for tile in Tile::cover(&task, [1600, 256], edge, first) {
            let [x, y] = tile.inside([1600, 256]);
            let parts = session.section_parts(&tile, picture.slice(s![.., y, x]), &Silent).unwrap();
            all.iter_mut().zip(parts).for_each(|(all, parts)| all.extend(parts));
        }
        let [tissue, magnet] = all;
        Section::from_parts(tissue, magnet)
    };
    let whole = read(4096, 0);
    for [x, y] in places {
        let near = |part: &Part| (part.centre_px()[0] - x).hypot(part.centre_px()[1] - y) < 6.0;
        assert_eq!(
            whole.iter().filter_map(|section| section.tissue.as_ref()).filter(|part| near(part)).count(),
            1,
            "{x}"
        );
    }
    assert!(whole.iter().filter(|section| section.tissue.is_some() && section.magnet.is_some()).count() >= 6);
    for (edge, first) in [(384, 0), (320, 64)] {
        let tiles = read(edge, first);
        assert_eq!(tiles.len(), whole.len(), "{edge} {first}");
        for section in &whole {
            let corners =
                |section: &Section| section.tissue.as_ref().or(section.magnet.as_ref()).map(|part| part.corners_px);
            let apart = |other: &Section| {
                let (a, b) = (corners(section).unwrap(), corners(other).unwrap());
                let apart = a.as_flattened().iter().zip(b.as_flattened()).map(|(a, b)| (a - b).abs());
                apart.fold(0.0, f64::max)
            };
            assert!(tiles.iter().map(apart).fold(f64::INFINITY, f64::min) < 1e-3, "{edge} {first}");
        }
    }
}
