//! `evaluate sections` on files of every kind; figures by hand and by pycocotools.

use super::*;
use brainmesh_formats::{WaferMark, WaferMarks};
use serde_json::{Value, json};
use std::collections::BTreeMap;

type Quad = [[f64; 2]; 4];

/// Tissue of 60 x 30 pixels with its magnet part below, turned by so many degrees clockwise on the screen.
fn section(x: f64, y: f64, degrees: f64) -> [Quad; 2] {
    let (s, c) = degrees.to_radians().sin_cos();
    let place = |[u, v]: [f64; 2]| [x + c * u - s * v, y + s * u + c * v];
    let tissue: Quad = [[-30.0, 10.0], [-30.0, -20.0], [30.0, -20.0], [30.0, 10.0]];
    let magnet: Quad = [[-30.0, 25.0], [-30.0, 12.0], [30.0, 12.0], [30.0, 25.0]];
    [tissue.map(place), magnet.map(place)]
}

/// Six sections, each turned by ten degrees more.
fn six() -> Vec<[Quad; 2]> {
    (0..6)
        .map(|n| section(100.0 + 130.0 * f64::from(n % 3), 100.0 + 130.0 * f64::from(n / 3), 10.0 * f64::from(n)))
        .collect()
}

fn written(folder: &Path, name: &str, content: &Value) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content.to_string()).unwrap();
    path
}

fn truth(sections: &[[Quad; 2]]) -> Value {
    let sections: Vec<Value> = sections.iter().map(|[t, m]| json!({"tissue": t, "magnet": m})).collect();
    json!({"seed": 1, "size": [500, 400], "sections": sections})
}

fn feature(kind: &str, number: usize, corners: &[[f64; 2]], confidence: f64) -> Value {
    let ring = [corners, &corners[..1]].concat();
    json!({
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"kind": kind, "number": number, "confidence": confidence},
    })
}

fn geojson(features: Vec<Value>) -> Value {
    json!({"type": "FeatureCollection", "features": features})
}

fn found(sections: &[[Quad; 2]]) -> Value {
    let of = |(n, [t, m]): (usize, &[Quad; 2])| [feature("tissue", n, t, 0.9), feature("magnet", n, m, 0.8)];
    geojson(sections.iter().enumerate().flat_map(of).collect())
}

/// As `segment sections` and MagFinder write it: tissue from its far side, of magnet parts the middle.
fn magc(folder: &Path, sections: &[[Quad; 2]]) -> PathBuf {
    let path = folder.join("found.magc");
    let mark = |points_px: Vec<[f64; 2]>| WaferMark { points_px, other: vec![] };
    let middle = |quad: &Quad| [0, 1].map(|axis| quad.iter().map(|corner| corner[axis]).sum::<f64>() / 4.0);
    let numbered = || (1..).zip(sections);
    let marks = WaferMarks {
        sections: numbered().map(|(n, [t, _])| (n, mark(vec![t[1], t[2], t[3], t[0]]))).collect(),
        magnets: numbered().map(|(n, [_, m])| (n, mark(vec![middle(m)]))).collect::<BTreeMap<_, _>>(),
        ..WaferMarks::default()
    };
    brainmesh_formats::write_magc(&path, &marks).unwrap();
    path
}

fn evaluated(files: &[&Path], more: &[&str]) -> Value {
    let files: Vec<&str> = files.iter().map(|path| text(path)).collect();
    let output = brainmesh(&[&["evaluate", "sections", "--json"], files.as_slice(), more].concat());
    ok(&output);
    serde_json::from_slice(&output.stdout).unwrap()
}

fn near(value: &Value, expected: f64) {
    assert!((value.as_f64().unwrap() - expected).abs() < 1e-6, "expected {expected}, found {value}");
}

fn warned(json: &Value, words: &[&str]) {
    let all = json["warnings"].to_string();
    words.iter().for_each(|word| assert!(all.contains(word), "expected {word:?} in: {all}"));
}

#[test]
fn whatever_file_holds_the_truth_it_matches_itself() {
    let folder = tempfile::tempdir().unwrap();
    let sections = six();
    let truth = written(folder.path(), "truth.json", &truth(&sections));
    let text_folder = folder.path().join("wafer");
    std::fs::create_dir(&text_folder).unwrap();
    for (part, name) in ["tissue", "mag"].iter().enumerate() {
        // Three times as large: pixel centres are whole in both.
        let full = |v: f64| (v + 0.5) * 3.0 - 0.5;
        let line = |s: &[Quad; 2]| s[part].map(|[x, y]| format!("{:.9},{:.9}\t", full(x), full(y))).concat() + "\n";
        let lines: String = sections.iter().map(line).collect();
        std::fs::write(text_folder.join(format!("source_sections_{name}.txt")), lines).unwrap();
    }
    let geojson = written(folder.path(), "found.geojson", &found(&sections));
    let magc = magc(folder.path(), &sections);
    let third = (1.0_f64 / 3.0).to_string();
    for (files, more, has_magnets, has_confidences) in [
        ([&geojson, &truth], vec![], true, true),
        ([&geojson, &text_folder], vec!["--scale", third.as_str()], true, true),
        ([&magc, &truth], vec![], false, false),
        ([&geojson, &magc], vec![], false, true),
        ([&truth, &geojson], vec![], true, false),
    ] {
        let json = evaluated(&files.map(|path| path.as_path()), &more);
        for kind in if has_magnets { ["tissue", "magnet"].as_slice() } else { &["tissue"] } {
            let scores = &json["pooled"][kind];
            assert_eq!((&scores["truths"], &scores["found"], &scores["doubles"]), (&6.into(), &6.into(), &0.into()));
            near(&scores["masks"]["mean"], 1.0);
            near(&scores["boxes"]["mean"], 1.0);
            near(&scores["recall"], 1.0);
            near(&scores["worst_centre_px"], 0.0);
            // The microscope's angle, of corner 1 to 2, wherever a file begins.
            near(&scores["worst_angle_degrees"], 0.0);
        }
        assert_eq!(json["pooled"]["magnet"].is_null(), !has_magnets);
        let pairs = &json["pooled"]["pairs"];
        assert_eq!((&pairs["pairs"], &pairs["right"]), (&6.into(), &6.into()));
        near(&pairs["worst_centre_px"], 0.0);
        let all = json["warnings"].to_string();
        assert_eq!(all.contains("no confidences"), !has_confidences, "{all}");
        assert_eq!(all.contains("no outlines of magnet parts"), !has_magnets, "{all}");
    }
}

#[test]
fn errors_of_centre_and_angle_and_swapped_pairs_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let truth = written(folder.path(), "truth.json", &truth(&six()));
    let mut moved = six();
    // The first 2 pixels to the left and 1.5 down, the second turned by 3 degrees about its middle, the last not found.
    moved[0] = section(98.0, 101.5, 0.0);
    moved[1] = section(230.0, 100.0, 13.0);
    moved.pop();
    let (third, fourth) = (moved[2][1], moved[3][1]);
    (moved[2][1], moved[3][1]) = (fourth, third);
    let found = written(folder.path(), "found.geojson", &found(&moved));
    let out = folder.path().join("scores.json");
    let json = evaluated(&[&found, &truth], &["--out", text(&out)]);
    assert_eq!(super::json(&out), json);
    let tissue = &json["pooled"]["tissue"];
    near(&tissue["recall"], 5.0 / 6.0);
    near(&tissue["masks"]["at_50"], 84.0 / 101.0);
    near(&tissue["worst_centre_px"], 2.5);
    near(&tissue["worst_angle_degrees"], 3.0);
    near(&tissue["median_angle_degrees"], 0.0);
    let pairs = &json["pooled"]["pairs"];
    assert_eq!((&pairs["pairs"], &pairs["right"], &pairs["wrong"]), (&5.into(), &3.into(), &2.into()));
    // Less certain than asked for: nothing is matched, average precision stays.
    let sure = evaluated(&[&found, &truth], &["--least", "0.95"]);
    near(&sure["pooled"]["tissue"]["recall"], 0.0);
    near(&sure["pooled"]["tissue"]["masks"]["at_50"], 84.0 / 101.0);
    let table = brainmesh(&["evaluate", "sections", text(&found), text(&truth)]);
    ok(&table);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.contains("0.8317") && table.contains("3 of 5 tissue parts"), "{table}");
}

#[test]
fn pycocotools_gives_the_same_through_files() {
    let folder = tempfile::tempdir().unwrap();
    let text = include_str!("../cli/tests/data/instances.json");
    let fixture: Value = serde_json::from_str(text).unwrap();
    for (n, case) in fixture["cases"].as_array().unwrap().iter().enumerate() {
        let mut files = Vec::new();
        for (m, picture) in case["pictures"].as_array().unwrap().iter().enumerate() {
            let sections: Vec<Value> =
                picture["truth"].as_array().unwrap().iter().map(|outline| json!({"tissue": outline})).collect();
            let of = |(number, part): (usize, &Value)| {
                let corners: Vec<[f64; 2]> = serde_json::from_value(part["outline"].clone()).unwrap();
                feature("tissue", number, &corners, part["confidence"].as_f64().unwrap())
            };
            let features = picture["found"].as_array().unwrap().iter().enumerate().map(of).collect();
            files.push(written(folder.path(), &format!("{n}-{m}.geojson"), &geojson(features)));
            files.push(written(folder.path(), &format!("{n}-{m}.json"), &json!({"sections": sections})));
        }
        let json = evaluated(&files.iter().map(PathBuf::as_path).collect::<Vec<_>>(), &[]);
        assert_eq!(json["cases"].as_array().unwrap().len(), 2);
        for (kind, key) in [("boxes", "at_50"), ("boxes", "mean"), ("masks", "at_50"), ("masks", "mean")] {
            let (found, expected) = (&json["pooled"]["tissue"][kind][key], &case[kind][key]);
            let difference = found.as_f64().unwrap() - expected.as_f64().unwrap();
            assert!(difference.abs() < 1e-9, "{kind} {key}: found {found}, pycocotools {expected}");
        }
    }
}

#[test]
fn what_does_not_fit_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let sections = six();
    let truth_file = written(folder.path(), "truth.json", &truth(&sections));
    let changed = |name: &str, change: &dyn Fn([f64; 2]) -> [f64; 2]| {
        let moved: Vec<_> = sections.iter().map(|both| both.map(|quad| quad.map(change))).collect();
        written(folder.path(), name, &found(&moved))
    };
    let large = changed("large.geojson", &|[x, y]| [3.0 * x, 3.0 * y]);
    let json = evaluated(&[&large, &truth_file], &[]);
    warned(&json, &["0 of 6 tissue parts overlap", "--scale 3.000", "outside the true picture"]);
    near(&json["pooled"]["tissue"]["recall"], 0.0);
    let mirrored = changed("mirrored.geojson", &|[x, y]| [499.0 - x, y]);
    warned(&evaluated(&[&mirrored, &truth_file], &[]), &["0 of 6 tissue parts overlap", "mirrored"]);
    // As someone else's file may begin them: with the seam.
    let other: Vec<[Quad; 2]> = sections.iter().map(|[[a, b, c, d], m]| [[*c, *d, *a, *b], *m]).collect();
    let other = written(folder.path(), "other.geojson", &found(&other));
    warned(&evaluated(&[&other, &truth_file], &[]), &["angles of 6 of 6", "another corner"]);
    let mut again = sections.clone();
    again.push(section(101.0, 100.0, 0.0));
    let again = written(folder.path(), "again.json", &truth(&again));
    let exact = written(folder.path(), "exact.geojson", &found(&sections));
    let json = evaluated(&[&exact, &again], &[]);
    // Its magnet part with it.
    warned(&json, &["2 true parts lie on earlier ones"]);
    near(&json["pooled"]["tissue"]["recall"], 1.0);
    near(&json["pooled"]["magnet"]["recall"], 1.0);

    let mut sized = found(&sections);
    sized["size"] = json!([1000, 800]);
    let sized = written(folder.path(), "sized.geojson", &sized);
    let run = |more: &[&str]| brainmesh(&[&["evaluate", "sections"], more].concat());
    fails(&run(&[text(&sized), text(&truth_file)]), 3, &["1000 x 800", "500 x 400", "--scale"]);
    ok(&run(&[text(&sized), text(&truth_file), "--scale", "2"]));
    fails(&run(&[text(&exact), text(&truth_file), text(&exact)]), 2, &["pairs of files", "3"]);
    fails(&run(&[text(&exact), text(&truth_file), "--scale", "0"]), 2, &["--scale"]);
    fails(&run(&[text(&exact), text(&truth_file), "--least", "2"]), 2, &["--least"]);
    fails(&run(&[text(&exact), text(&folder.path().join("none.json"))]), 3, &["none.json"]);
}

#[test]
fn nothing_found_is_a_recall_of_none() {
    let folder = tempfile::tempdir().unwrap();
    let truth = written(folder.path(), "truth.json", &truth(&six()));
    let none = written(folder.path(), "none.geojson", &geojson(vec![]));
    let json = evaluated(&[&none, &truth], &[]);
    near(&json["pooled"]["tissue"]["recall"], 0.0);
    near(&json["pooled"]["magnet"]["masks"]["at_50"], 0.0);
    let reverse = evaluated(&[&truth, &none], &[]);
    assert!(reverse["pooled"]["tissue"]["recall"].is_null());
    assert_eq!(reverse["pooled"]["tissue"]["spurious"], 6);
}
