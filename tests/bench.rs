//! `bench segment`: what it says of engines, not how fast they are.

use crate::{brainmesh, fails, ok};
use serde_json::Value;

const RAYS: [&str; 6] = ["--rays", "40", "--repeats", "2", "--batch", "16,64"];

fn bench(arguments: &[&str]) -> Value {
    let output = brainmesh(&[&["bench", "segment", "--json"], arguments, &RAYS].concat());
    ok(&output);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn engines_stand_side_by_side_or_say_why_not() {
    let report = bench(&["--engines", "builtin,rten,onnxruntime,tensorrt", "--threads", "1"]);
    assert_eq!((&report["rays"], &report["repeats"]), (&40.into(), &2.into()));
    let rows = report["rows"].as_array().unwrap();
    let missing = report["missing"].as_array().unwrap();
    let batches = |engine: &str| -> Vec<&Value> {
        rows.iter().filter(|row| row["engine"] == engine).map(|row| &row["batch"]).collect()
    };
    assert_eq!(batches("builtin"), [&Value::Null]);
    for engine in ["rten", "onnxruntime-1d", "onnxruntime-2d", "tensorrt"] {
        let reasons: Vec<_> = missing.iter().filter(|other| other["engine"] == engine).collect();
        if engine == "rten" || reasons.is_empty() {
            assert_eq!(batches(engine), [&Value::from(16), &Value::from(64)], "{engine}");
        } else {
            assert!(batches(engine).is_empty() && reasons.len() == 1, "{missing:?}");
            assert!(!reasons[0]["reason"].as_str().unwrap().is_empty());
            eprintln!("not compared: {}", reasons[0]);
        }
    }
    for row in rows {
        assert_eq!(row["threads"], 1);
        assert!(row["rays_per_s"].as_f64().unwrap() >= row["median_rays_per_s"].as_f64().unwrap(), "{row}");
        let flop = report["flop_per_ray"].as_f64().unwrap() * row["rays_per_s"].as_f64().unwrap();
        assert!((row["gflop_per_s"].as_f64().unwrap() * 1e9 / flop - 1.0).abs() < 1e-9, "{row}");
        assert!(row["largest_difference"].as_f64().unwrap() <= 1e-4, "{row}");
        assert!(row["argmax_equal"].as_f64().unwrap() >= 0.9999, "{row}");
        assert!(cfg!(not(target_os = "linux")) || row["peak_bytes"].as_u64().is_some(), "{row}");
    }
}

#[test]
fn a_table_names_every_engine() {
    let output = brainmesh(&[&["bench", "segment", "--engines", "rten,builtin"], &RAYS[..]].concat());
    ok(&output);
    let table = String::from_utf8(output.stdout).unwrap();
    let engines: Vec<_> = table.lines().skip(2).map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(engines, ["rten", "rten", "builtin"], "{table}");
}

#[test]
fn what_cannot_be_measured_is_refused_at_once() {
    for (arguments, words) in [
        (["--engines", "builtin,abacus"], ["--engines", "abacus"]),
        (["--engines", "cpu/f8"], ["--engines", "f8"]),
        (["--model", "no-such-model"], ["no-such-model", "cortical-layers"]),
    ] {
        let output = brainmesh(&[&["bench", "segment"][..], &arguments[..]].concat());
        let code = if arguments[0] == "--model" { 4 } else { 2 };
        fails(&output, code, &words);
    }
}
