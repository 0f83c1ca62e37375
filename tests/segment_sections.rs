//! `segment sections`: pictures of made wafers in, sections out. Every section is 24 x 12 pixels with its magnet part 14 pixels below
//! (`segmentation/tests/data/make_sections.py` says what the made network finds).
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use super::*;
use brainmesh_core::{Grid, Silent, Volume};
use brainmesh_formats::{VolumeWriter, read_magc, write_png, write_volume};
use glam::DAffine3;
use serde_json::Value;

const SIZE: [usize; 2] = [300, 230];
/// From the top down, as they are to be numbered.
const CENTRES: [[f64; 2]; 5] = [[200.4, 30.2], [60.0, 58.5], [90.0, 66.0], [254.7, 128.0], [120.3, 190.0]];

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../segmentation/tests/data/made-sections")
}

/// Spots of SD 6 pixels on a dark ground with some grain, 20 to 230.
fn spots(centres: &[[f64; 2]], enlarged: usize) -> Vec<u8> {
    let [width, height] = SIZE.map(|length| length * enlarged);
    let pixel = |n: usize| {
        let at = [n % width, n / width].map(|at| (at as f64 + 0.5) / enlarged as f64 - 0.5);
        let glow = |c: &[f64; 2]| (-((at[0] - c[0]).powi(2) + (at[1] - c[1]).powi(2)) / 72.0).exp();
        (20.0 + 200.0 * centres.iter().map(glow).fold(0.0, f64::max) + (n * 7919 % 11) as f64) as u8
    };
    (0..width * height).map(pixel).collect()
}

fn below(centres: &[[f64; 2]]) -> Vec<[f64; 2]> {
    centres.iter().map(|[x, y]| [*x, y + 14.0]).collect()
}

fn volume<T: Copy>(values: Vec<T>, size: [usize; 2]) -> Volume<T> {
    Volume::new(Grid::new([size[0], size[1], 1], DAffine3::IDENTITY, "unregistered").unwrap(), values).unwrap()
}

/// Both channels as PNG.
fn wafer(folder: &Path) -> [PathBuf; 2] {
    let paths = ["grey.png", "glow.png"].map(|name| folder.join(name));
    write_png(&paths[0], SIZE, &spots(&CENTRES, 1)).unwrap();
    write_png(&paths[1], SIZE, &spots(&below(&CENTRES), 1)).unwrap();
    paths
}

fn segment(words: &[&str]) -> Output {
    let model = model();
    let mut all = vec!["segment", "sections", "--model", text(&model), "--device", "builtin"];
    all.extend(words);
    brainmesh(&all)
}

#[test]
fn sections_have_their_place_number_angle_and_partner_in_every_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let [grey, glow] = wafer(folder.path());
    let [out, lines, map, preview] = ["a.magc", "a.csv", "a.geojson", "a.png"].map(path);
    let done = segment(&[
        text(&grey),
        "--fluorescence",
        text(&glow),
        "-o",
        text(&out),
        "--csv",
        text(&lines),
        "--geojson",
        text(&map),
        "--preview",
        text(&preview),
        "--json",
    ]);
    ok(&done);
    let summary: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!([&summary["tissue"], &summary["magnet"], &summary["pairs"]], [5, 5, 5]);
    assert_eq!(summary["size"], serde_json::json!(SIZE));
    assert!(
        summary["seconds_per_megapixel"].as_f64().unwrap() > 0.0 && summary["warnings"].as_array().unwrap().is_empty()
    );

    let marks = read_magc(&out).unwrap();
    assert_eq!((marks.sections.len(), marks.magnets.len()), (5, 5));
    assert_eq!(marks.serial_order, [1, 2, 3, 4, 5]);
    let mut stage = marks.stage_order.clone();
    stage.sort_unstable();
    assert_eq!(stage, [1, 2, 3, 4, 5]);
    for (number, centre) in (1..).zip(CENTRES) {
        let [x, y] = marks.sections[&number].centre_px();
        // All blocks of the made network point the same way, 4 pixels apart: a mean of some lies between them.
        assert!((x - centre[0]).abs() < 3.0 && (y - centre[1]).abs() < 3.0, "{number}: {x} {y}");
        // The far side runs from left to right.
        assert!(marks.sections[&number].angle_degrees().unwrap().abs() < 1e-3);
        assert!(marks.sections[&number].other.iter().any(|(key, _)| key == "confidence"));
        let magnet = marks.magnets[&number].centre_px();
        assert!((magnet[0] - x).abs() < 4.0 && (magnet[1] - y - 14.0).abs() < 4.0, "{magnet:?}");
    }
    let found = json(&map);
    let features = found["features"].as_array().unwrap();
    assert_eq!((features.len(), &found["size"]), (10, &serde_json::json!(SIZE)));
    for feature in features {
        let ring = feature["geometry"]["coordinates"][0].as_array().unwrap();
        assert_eq!((ring.len(), &ring[0]), (5, &ring[4]));
        assert_eq!(feature["properties"]["has_partner"], true);
        // 24 x 12 pixels, or up to 1.6 times as long and wide, as above.
        assert!((288.0..288.0 * 2.56).contains(&feature["properties"]["area_px2"].as_f64().unwrap()));
    }
    // Corner 0 at the seam, on the left of these: below the tissue's middle, above that of the magnet part.
    let corner = |feature: &Value| feature["geometry"]["coordinates"][0][0][1].as_f64().unwrap();
    assert!(corner(&features[0]) > CENTRES[0][1] && features[0]["properties"]["kind"] == "tissue");
    let rows = std::fs::read_to_string(&lines).unwrap();
    assert_eq!(rows.lines().count(), 11);
    assert!(
        rows.lines().nth(2).unwrap().starts_with("1,magnet,") && rows.lines().all(|row| row.split(',').count() == 16)
    );
    let seen = brainmesh_formats::volume_info(&preview).unwrap();
    assert_eq!((seen.shape, seen.volumes), ([SIZE[0], SIZE[1], 1], 3));
    // No hidden files, no journal.
    assert_eq!(entries(folder.path()).len(), 6);
}

#[test]
fn every_format_depth_and_order_of_reading_gives_the_same_sections() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let [grey, glow] = wafer(folder.path());
    let out = path("a.magc");
    let run = |grey: &Path, glow: &Path, more: &[&str]| {
        let mut words = vec![text(grey), "--fluorescence", text(glow), "-o", text(&out), "--force"];
        words.extend(more);
        ok(&segment(&words));
        std::fs::read_to_string(&out).unwrap()
    };
    let expected = run(&grey, &glow, &[]);
    for name in ["tif", "ome.zarr", "nrrd"] {
        let paths = ["grey", "glow"].map(|channel| path(&format!("{channel}.{name}")));
        write_volume(&paths[0], &volume(spots(&CENTRES, 1), SIZE)).unwrap();
        write_volume(&paths[1], &volume(spots(&below(&CENTRES), 1), SIZE)).unwrap();
        assert_eq!(run(&paths[0], &paths[1], &[]), expected, "{name}");
    }
    // Grey as red, green and blue; both channels in one file.
    let rgb = path("rgb.png");
    write_png(&rgb, SIZE, &spots(&CENTRES, 1).iter().flat_map(|&v| [v; 3]).collect::<Vec<_>>()).unwrap();
    assert_eq!(run(&rgb, &glow, &[]), expected);
    let pairs = spots(&CENTRES, 1).into_iter().zip(spots(&below(&CENTRES), 1));
    write_png(&rgb, SIZE, &pairs.flat_map(|(grey, glow)| [grey, glow, 0]).collect::<Vec<_>>()).unwrap();
    assert_eq!(run(&rgb, &rgb, &["--channel", "0", "--fluorescence-channel", "1"]), expected);
    ok(&segment(&[text(&rgb), "--channel=0", "--fluorescence-channel=1", "-o", text(&out), "--force"]));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), expected);

    // Of more bits and as numbers with a point the grey values are spaced alike: the same sections but for rounding.
    let wide = |values: Vec<u8>| volume(values.into_iter().map(|v| u16::from(v) * 200 + 7).collect(), SIZE);
    let real = |values: Vec<u8>| volume(values.into_iter().map(|v| f32::from(v) / 255.0).collect(), SIZE);
    let (a, b) = (path("wide.tif"), path("real.tif"));
    write_volume(&a, &wide(spots(&CENTRES, 1))).unwrap();
    write_volume(&b, &real(spots(&below(&CENTRES), 1))).unwrap();
    run(&a, &b, &[]);
    let marks = read_magc(&out).unwrap();
    std::fs::write(path("b.magc"), &expected).unwrap();
    let known = read_magc(&path("b.magc")).unwrap();
    for (found, known) in marks.sections.values().zip(known.sections.values()) {
        let apart = found.points_px.as_flattened().iter().zip(known.points_px.as_flattened());
        assert!(apart.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) < 0.01);
    }
    // Tiles of another size.
    for tile in ["64", "96", "160"] {
        run(&grey, &glow, &["--tile", tile]);
        let marks = read_magc(&out).unwrap();
        assert_eq!(marks.sections.len(), 5);
        for (found, known) in marks.sections.values().zip(known.sections.values()) {
            let apart = found.points_px.as_flattened().iter().zip(known.points_px.as_flattened());
            assert!(apart.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) < 1e-3, "{tile}");
        }
    }
}

#[test]
fn a_reduced_picture_gives_sections_in_pixels_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let size = SIZE.map(|length| 3 * length);
    write_png(&path("grey.png"), size, &spots(&CENTRES, 3)).unwrap();
    write_png(&path("glow.png"), size, &spots(&below(&CENTRES), 3)).unwrap();
    let (grey, glow, out) = (path("grey.png"), path("glow.png"), path("a.magc"));
    let words = [text(&grey), "--fluorescence", text(&glow), "-o", text(&out), "--scale", "3"];
    ok(&segment(&words));
    let marks = read_magc(&out).unwrap();
    assert_eq!(marks.sections.len(), 5);
    for (number, [x, y]) in (1..).zip(CENTRES) {
        let [found_x, found_y] = marks.sections[&number].centre_px();
        assert!((found_x - (3.0 * x + 1.0)).abs() < 9.0 && (found_y - (3.0 * y + 1.0)).abs() < 9.0);
        let points = &marks.sections[&number].points_px;
        // 24 pixels of the network, or up to 1.6 times that where corners are read from blocks on their side.
        assert!((72.0..72.0 * 1.6).contains(&(points[1][0] - points[0][0])), "{points:?}");
    }
    // Networks that know shorter or longer tissue than these 24 pixels.
    let folder = path("model");
    std::fs::create_dir(&folder).unwrap();
    for file in entries(&model()) {
        std::fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
    }
    for (known, hint) in [([4, 9], "--scale 14.5"), ([100, 200], "a picture of more pixels")] {
        let mut manifest = json(&folder.join("rdf.yaml"));
        manifest["config"]["brainmesh"]["tissue_length_px"] = serde_json::json!(known);
        std::fs::write(folder.join("rdf.yaml"), manifest.to_string()).unwrap();
        let system = ["segment", "sections", "--device", "builtin", "--force", "--model", text(&folder)];
        let done = brainmesh(&[system.as_slice(), words.as_slice()].concat());
        ok(&done);
        let warned = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(warned.contains(hint), "{warned}");
        assert!(warned.contains("about 29 pixels"), "{warned}");
    }
}

#[test]
fn parts_without_a_partner_stay_and_are_marked() {
    let folder = tempfile::tempdir().unwrap();
    let [grey, _] = wafer(folder.path());
    let glow = folder.path().join("other.png");
    // The first section has lost its magnet part; one lies alone.
    let places = [&below(&CENTRES)[1..], &[[30.0, 200.0]]].concat();
    write_png(&glow, SIZE, &spots(&places, 1)).unwrap();
    let (out, lines) = (folder.path().join("a.magc"), folder.path().join("a.csv"));
    let done =
        segment(&[text(&grey), "--fluorescence", text(&glow), "-o", text(&out), "--csv", text(&lines), "--json"]);
    ok(&done);
    let summary: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!([&summary["tissue"], &summary["magnet"], &summary["pairs"]], [5, 5, 4]);
    assert!(summary["warnings"][0].as_str().unwrap().contains("1 of 5 tissue parts, and 1 magnet parts"));
    let marks = read_magc(&out).unwrap();
    assert_eq!((marks.sections.len(), marks.magnets.len()), (5, 4));
    assert!(!marks.magnets.contains_key(&1));
    assert_eq!(marks.other[0].0, "magnet_alone.0006");
    let rows = std::fs::read_to_string(&lines).unwrap();
    assert!(rows.lines().nth(1).unwrap().starts_with("1,tissue,") && rows.lines().nth(1).unwrap().contains(",,"));
    assert!(rows.lines().last().unwrap().starts_with("6,magnet,"));
}

#[test]
fn noise_gives_a_warning_and_a_valid_file_without_sections() {
    let folder = tempfile::tempdir().unwrap();
    let (noise, out) = (folder.path().join("noise.tif"), folder.path().join("a.magc"));
    let mut state = 9_u64;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    write_volume(&noise, &volume((0..SIZE[0] * SIZE[1]).map(next).collect::<Vec<u8>>(), SIZE)).unwrap();
    let done = segment(&[text(&noise), "-o", text(&out), "--preview", text(&folder.path().join("a.png"))]);
    ok(&done);
    assert!(String::from_utf8_lossy(&done.stderr).contains("no tissue was found"));
    assert!(read_magc(&out).unwrap().sections.is_empty());
}

#[test]
fn a_run_that_was_stopped_goes_on_and_ends_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let [grey, glow] = wafer(folder.path());
    let (out, whole) = (folder.path().join("a.magc"), folder.path().join("whole.magc"));
    let words = |out: &Path| -> Vec<String> {
        ["--fluorescence", text(&glow), "--tile", "64", text(&grey), "-o", text(out)].map(String::from).to_vec()
    };
    let run = |out: &Path, more: &[&str]| {
        let words = words(out);
        segment(&words.iter().map(String::as_str).chain(more.iter().copied()).collect::<Vec<_>>())
    };
    ok(&run(&whole, &[]));
    // The journal of a run that was killed after seven tiles, in the middle of a line: of one that ended, by hand.
    let journal = folder.path().join("a.magc.part");
    let model = model();
    let mut child = Command::new(env!("CARGO_BIN_EXE_brainmesh"))
        .args(["segment", "sections", "--model", text(&model), "--device", "builtin", "--progress", "none"])
        .args(words(&out))
        .spawn()
        .unwrap();
    let mut lines = 0;
    while child.try_wait().unwrap().is_none() {
        lines = std::fs::read_to_string(&journal).unwrap_or_default().lines().count();
        if lines > 3 {
            // Whatever it was doing then.
            let _ = child.kill();
            break;
        }
    }
    child.wait().unwrap();
    // A fast machine may have ended before.
    let was_stopped = journal.exists();
    if !was_stopped {
        assert_eq!(std::fs::read(&out).unwrap(), std::fs::read(&whole).unwrap());
        return;
    }
    assert!(lines > 3 && !out.exists());
    // Other settings, another picture.
    fails(&run(&out, &["--resume", "--scale", "2"]), 2, &["--resume", "scale", "found 1"]);
    let other = folder.path().join("other.png");
    write_png(&other, SIZE, &spots(&CENTRES[..4], 1)).unwrap();
    fails(&segment(&[text(&other), "--tile", "64", "-o", text(&out), "--resume"]), 2, &["--resume", "expected"]);
    let done = run(&out, &["--resume", "--json"]);
    ok(&done);
    let summary: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert!(summary["tiles_kept"].as_u64().unwrap() >= 3 && summary["tiles"] == 20, "{summary}");
    assert_eq!(std::fs::read(&out).unwrap(), std::fs::read(&whole).unwrap());
    assert!(!journal.exists());
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let [grey, glow] = wafer(folder.path());
    let out = path("a.magc");
    let (grey, glow, out) = (text(&grey), text(&glow), text(&out));
    let small = path("small.png");
    write_png(&small, [100, 90], &vec![7; 9000]).unwrap();
    fails(&segment(&[text(&small), "-o", out]), 3, &["the same value everywhere"]);
    fails(&segment(&[grey, "--fluorescence", text(&small), "-o", out]), 3, &["300 x 230", "100 x 90"]);
    let mask = path("mask.png");
    write_png(&mask, [100, 90], &(0..9000).map(|n| (n / 5 % 3) as u8).collect::<Vec<_>>()).unwrap();
    fails(&segment(&[text(&mask), "-o", out]), 3, &["3 values", "masks"]);
    let colours = path("colours.png");
    write_png(&colours, SIZE, &(0..SIZE[0] * SIZE[1] * 3).map(|n| (n % 251) as u8).collect::<Vec<_>>()).unwrap();
    fails(&segment(&[text(&colours), "-o", out]), 3, &["a colour picture", "--channel"]);
    fails(&segment(&[text(&colours), "--channel", "3", "-o", out]), 3, &["channel 3", "one of 3"]);
    let pages = path("pages.tif");
    let all = Volume::new(
        Grid::new([60, 50, 2], DAffine3::IDENTITY, "unregistered").unwrap(),
        (0..6000).map(|n| (n % 251) as u8).collect::<Vec<_>>(),
    );
    VolumeWriter::default().write(&pages, &[all.unwrap()], &Silent).unwrap();
    fails(&segment(&[text(&pages), "-o", out]), 3, &["2 slices", "--slice"]);
    fails(&segment(&[text(&pages), "--slice", "2", "-o", out]), 3, &["--slice 2"]);
    ok(&segment(&[text(&pages), "--slice", "1", "-o", text(&path("page.magc"))]));

    fails(&segment(&["nowhere.png", "-o", out]), 3, &["nowhere.png"]);
    fails(&segment(&[grey, "-o", text(&path("a.json"))]), 2, &["--out", ".magc"]);
    fails(&segment(&[grey, "-o", text(&path("none/a.magc"))]), 2, &["none does not exist"]);
    fails(&segment(&[grey, "-o", out, "--preview", grey]), 2, &["--preview", "input"]);
    fails(&segment(&[grey, "-o", out, "--scale", "0.5"]), 2, &["--scale", "0.5"]);
    fails(&segment(&[grey, "-o", out, "--scale", "nan"]), 2, &["--scale"]);
    fails(&segment(&[grey, "-o", out, "--min-confidence", "2"]), 2, &["--min-confidence"]);
    fails(
        &segment(&[grey, "-o", out, "--geojson", text(&path("b.json")), "--csv", text(&path("b.json"))]),
        2,
        &["--csv"],
    );
    std::fs::write(path("b.magc"), "").unwrap();
    fails(&segment(&[grey, "-o", text(&path("b.magc"))]), 2, &["--force"]);
    let other = model().with_file_name("made-membrane");
    let with = |model: &Path, system: &[&str]| {
        brainmesh(&[&["segment"], system, &["--model", text(model), grey, "-o", out]].concat())
    };
    fails(&with(&other, &["sections"]), 4, &["sections on wafers"]);
    let (sections, nii) = (model(), path("a.nii.gz"));
    fails(&brainmesh(&["segment", text(&sections), glow, "-o", text(&nii)]), 4, &["brainmesh segment sections"]);
    assert!(!Path::new(out).exists() && !path("a.magc.part").exists() && !nii.exists());
}

#[test]
fn a_mask_rcnn_goes_the_same_way() {
    let folder = tempfile::tempdir().unwrap();
    let [grey, glow] = wafer(folder.path());
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../segmentation/tests/data/mask_rcnn");
    let out = folder.path().join("a.magc");
    let lines = folder.path().join("a.csv");
    let words =
        ["segment", "sections", text(&grey), "--fluorescence", text(&glow), "-o", text(&out), "--csv", text(&lines)];
    let run = || {
        let more = ["--model", text(&model), "--device", "builtin", "--json", "--force"];
        let done = brainmesh(&[&words[..], &more].concat());
        ok(&done);
        let summary: Value = serde_json::from_slice(&done.stdout).unwrap();
        (summary, std::fs::read(&out).unwrap(), std::fs::read_to_string(&lines).unwrap())
    };
    let (summary, bytes, rows) = run();
    // Tiles of 180 pixels, every 120, cover 300 x 230.
    assert_eq!(summary["tiles"], 4);
    let parts = summary["tissue"].as_u64().unwrap() + summary["magnet"].as_u64().unwrap();
    assert!(parts > 0 && rows.lines().count() as u64 == parts + 1, "{summary}");
    let marks = read_magc(&out).unwrap();
    assert_eq!(marks.sections.len() as u64, summary["tissue"].as_u64().unwrap());
    for section in marks.sections.values() {
        let [x, y] = section.centre_px();
        assert!((0.0..300.0).contains(&x) && (0.0..230.0).contains(&y));
    }
    let (_, again, _) = run();
    assert_eq!(bytes, again);
    let shown = brainmesh(&["models", "show", text(&model), "--json"]);
    ok(&shown);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(
        [&shown["task"], &shown["network"], &shown["tile"]],
        [&Value::from("sections"), &"Mask R-CNN".into(), &180.into()]
    );
}
