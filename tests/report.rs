//! `report`, `figure`, and the published schema of `report.json`.

use super::{brainmesh, fails, json, ok, sphere, text};
use std::path::{Path, PathBuf};

/// Layers of the phantom of spheres, with a page.
fn result(folder: &Path) -> PathBuf {
    let made = sphere(folder);
    let out = folder.join("layers");
    ok(&brainmesh(&[
        "rays2surface",
        "--pial",
        text(&made.join("pial.surf.gii")),
        "--white",
        text(&made.join("white.surf.gii")),
        "--volume",
        text(&made.join("volume.nii.gz")),
        "--out",
        text(&out),
        "--report",
    ]));
    out
}

fn schema() -> serde_json::Value {
    json(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/report.schema.json"))
}

/// Between `start` and `end`, once.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, after) = page.split_once(start).unwrap();
    after.split_once(end).unwrap().0
}

#[test]
fn a_result_has_a_page_figures_and_a_report_as_published() {
    let folder = tempfile::tempdir().unwrap();
    let layers = result(folder.path());
    let report = json(&layers.join("report.json"));

    // The published schema takes what a run writes, and refuses what it does not.
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let faults: Vec<String> = schema.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let broken = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut report = report.clone();
        change(&mut report);
        assert!(!schema.is_valid(&report));
    };
    broken(&|r| r["schema"] = "brainmesh-report-0".into());
    broken(&|r| r["more"] = 1.into());
    broken(&|r| r["measured"] = (-1).into());
    broken(&|r| drop(r.as_object_mut().unwrap().remove("certificate")));
    broken(&|r| r["certificate"]["crossing_triangles"] = serde_json::json!([0]));
    broken(&|r| r["inputs"][0]["sha256"] = "x".into());
    broken(&|r| r["defects"]["other"] = serde_json::json!({ "filled": 0, "missing": 0 }));

    // The page holds everything and asks for nothing.
    let page = std::fs::read_to_string(layers.join("report.html")).unwrap();
    assert!(page.len() < 5_000_000, "{}", page.len());
    for asks in ["src=\"http", "href=\"http", "url(http", "@import", "<link rel=\"stylesheet"] {
        assert!(!page.contains(asks), "{asks}");
    }
    assert_eq!(page.matches("class=\"enlarge\"").count(), 12);
    // Twelve slices, and four views of the surface.
    assert_eq!(page.matches("data:image/jpeg;base64,").count(), 16);
    for input in report["inputs"].as_array().unwrap() {
        assert!(page.contains(input["sha256"].as_str().unwrap()));
    }
    // Times are of this run; without them the page says so.
    assert!(between(&page, "<h3>Time</h3>", "</details>").contains("classify rays"));

    // What the page says was typed gives the same parameters again.
    let command = between(&page, "<pre id=\"command\">", "</pre>").replace("&#38;", "&");
    let words: Vec<&str> = command.split(' ').skip(1).chain(["--dry-run"]).collect();
    let planned = brainmesh(&words);
    ok(&planned);
    let planned: serde_json::Value = serde_json::from_slice(&planned.stdout).unwrap();
    let mut expected = report["parameters"].clone();
    expected.as_object_mut().unwrap().remove("smoothing_lengths_mm");
    assert_eq!(planned["parameters"], expected);

    // A volume that has changed since is not shown as that of the run.
    let volume = PathBuf::from(report["inputs"][2]["path"].as_str().unwrap());
    let whole = std::fs::read(&volume).unwrap();
    std::fs::copy(volume.with_file_name("truth").join("labels.nii.gz"), &volume).unwrap();
    ok(&brainmesh(&["report", text(&layers), "--title", "A <b> & c"]));
    let page = std::fs::read_to_string(layers.join("report.html")).unwrap();
    assert!(page.contains("is not as it was in the run"));
    // The views of the surface, and no slice.
    assert_eq!(page.matches("data:image/jpeg;base64,").count(), 4);
    assert!(page.contains("<title>A &#60;b&#62; &#38; c"), "{}", &page[..400]);
    let figure = |arguments: &[&str], name: &str| {
        let out = folder.path().join(name);
        let output = brainmesh(&[&["figure"], arguments, &["--out", text(&out)]].concat());
        (output, out)
    };
    let (output, _) = figure(&["slice", text(&layers), "--plane", "z=0"], "changed.png");
    fails(&output, 3, &["SHA-256", "--volume"]);
    std::fs::write(&volume, whole).unwrap();

    // Figures: their size is what was asked for; bad wishes are told.
    let size = |path: &Path| {
        let png = std::fs::read(path).unwrap();
        let word = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        (word(16), word(20))
    };
    let (output, out) = figure(&["surface", text(&layers), "--map", "thickness:III", "--width", "400"], "a.png");
    ok(&output);
    assert_eq!(size(&out).0, 800);
    let (output, out) = figure(&["slice", text(&layers), "--plane", "z=0", "--scale", "1"], "b.png");
    ok(&output);
    // The slice through the middle of a sphere is a square.
    let (width, height) = size(&out);
    assert!(width == 700 && height.abs_diff(700) <= 7, "{width} {height}");
    let (output, out) = figure(&["profile", text(&layers), "--vertex", "12"], "c.svg");
    ok(&output);
    assert!(std::fs::read_to_string(out).unwrap().contains("Ray of vertex 12"));
    fails(&figure(&["slice", text(&layers), "--plane", "z=500"], "d.png").0, 3, &["z=500", "no surface meets it"]);
    fails(&figure(&["slice", text(&layers), "--plane", "w=5"], "d.png").0, 2, &["--plane", "w=5"]);
    fails(&figure(&["profile", text(&layers), "--vertex", "99999999"], "d.png").0, 2, &["--vertex", "99999999"]);
    fails(&figure(&["surface", text(&layers), "--map", "thickness:VII"], "d.png").0, 2, &["--map", "VII"]);
    fails(&figure(&["surface", text(&layers), "--views", "left"], "d.png").0, 2, &["--views", "left"]);
    fails(&figure(&["surface", text(&layers)], "d.gif").0, 2, &["d.gif", ".png or .svg"]);
    assert!(!folder.path().join("d.png").exists());

    // Many results on one page.
    let index = folder.path().join("index.html");
    ok(&brainmesh(&["report", text(&layers), text(&layers), "--skip-existing", "--group", text(&index)]));
    let list = std::fs::read_to_string(index).unwrap();
    assert_eq!(list.matches("<a href=\"layers/report.html\">").count(), 2);

    // What is no result is refused with the field.
    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    for entry in std::fs::read_dir(&layers).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), other.join(entry.file_name())).unwrap();
    }
    let mut broken = report.clone();
    broken["certificate"]["order_violations"] = "none".into();
    std::fs::write(other.join("report.json"), broken.to_string()).unwrap();
    fails(&brainmesh(&["report", text(&other)]), 3, &["report.json", "certificate.order_violations"]);
    std::fs::write(other.join("report.json"), "{\"schema\": \"brainmesh-mesh-1\"}").unwrap();
    fails(&brainmesh(&["report", text(&other)]), 3, &["brainmesh-report-1", "brainmesh-mesh-1"]);
    fails(&brainmesh(&["report", text(&layers), text(&other), "--out", "x.html"]), 2, &["--out", "found 2"]);
    fails(&brainmesh(&["report", text(&folder.path().join("nowhere"))]), 3, &["nowhere"]);
}
