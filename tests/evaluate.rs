//! `evaluate layers` on small results and truths whose scores are worked out by hand.

use super::*;
use brainmesh_core::{Grid, LabelTable, Structure, Surface, Volume, WorldPoint};
use brainmesh_formats::SurfaceFormat;
use ndarray::{Array1, Array3};
use serde_json::Value;

/// Depth of the seven boundaries below z = 0, mm.
const DEPTHS_MM: [f64; 7] = [0.0, 0.2, 0.5, 1.0, 1.2, 1.6, 2.0];
/// Vertices of the sheet, 1 mm apart in x and y.
const N: usize = 9;
/// No cortex; filled and missing for weak evidence (docs/rays2surface.md).
const DEFECTS: [i32; N] = [0, 0, 0, 0, 0, 0, 1, 16, 6];

fn vertex(v: usize, depth_mm: f64) -> WorldPoint {
    WorldPoint::new((v % 3) as f64, (v / 3) as f64, -depth_mm)
}

/// A result folder with the boundaries at [`DEPTHS_MM`], moved by `shift_mm` (vertex, boundary).
fn result(folder: &Path, defects: &[i32; N], shift_mm: impl Fn(usize, usize) -> f64) -> PathBuf {
    let out = folder.join("result");
    std::fs::create_dir_all(&out).unwrap();
    let depth = |v: usize, k: usize| DEPTHS_MM[k] + shift_mm(v, k);
    let triangles = vec![[0, 1, 4], [0, 4, 3], [1, 2, 5], [1, 5, 4], [3, 4, 7], [3, 7, 6], [4, 5, 8], [4, 8, 7]];
    for k in 0..7 {
        let vertices = (0..N).map(|v| vertex(v, depth(v, k))).collect();
        let surface = Surface::new(vertices, triangles.clone(), Structure::CortexLeft).unwrap();
        let path = out.join(format!("layer{k}.surf.gii"));
        brainmesh_formats::write_surface(&path, &surface, SurfaceFormat::Gifti, None).unwrap();
    }
    let column = |value: &dyn Fn(usize) -> f64| -> Vec<f32> {
        (0..N).map(|v| if (1..7).contains(&defects[v]) { f32::NAN } else { value(v) as f32 }).collect()
    };
    let write = |name: &str, names: [&str; 7], columns: Vec<Vec<f32>>| {
        let maps: Vec<(&str, &[f32])> = names.into_iter().zip(columns.iter().map(Vec::as_slice)).collect();
        brainmesh_formats::write_shape_gifti(&out.join(name), &maps, Structure::CortexLeft).unwrap();
    };
    let thickness = |layer: usize| {
        let (from, to) = if layer == 0 { (0, 6) } else { (layer - 1, layer) };
        column(&|v| depth(v, to) - depth(v, from))
    };
    write("thickness.shape.gii", ["total", "I", "II", "III", "IV", "V", "VI"], (0..7).map(thickness).collect());
    let names = ["layer0", "layer1", "layer2", "layer3", "layer4", "layer5", "layer6"];
    write("uncertainty.shape.gii", names, (0..7).map(|_| column(&|_| 0.015)).collect());
    let mut table = LabelTable::default();
    defects.iter().for_each(|d| table.insert(*d, d.to_string(), [0.0; 4]));
    let path = out.join("defects.label.gii");
    brainmesh_formats::write_label_gifti(&path, "defects", defects, &table, Structure::CortexLeft).unwrap();
    out
}

/// True points at [`DEPTHS_MM`], one of them unknown; tissue missing on three rays; two regions.
fn points(folder: &Path) -> PathBuf {
    let points = Array3::from_shape_fn((N, 7, 3), |(v, k, axis)| {
        if (v, k) == (5, 2) { f64::NAN } else { vertex(v, DEPTHS_MM[k]).to_array()[axis] }
    });
    let missing_mm = Array1::from(vec![0.0, 0.0, 0.0, 0.0, 0.05, 0.5, 0.0, 0.3, 0.2]);
    let region = Array1::from(vec![1, 1, 1, 1, 2, 2, 2, 0, 0]);
    let path = folder.join("points.npz");
    let arrays = [("points", (&points).into()), ("missing_mm", (&missing_mm).into()), ("region", (&region).into())];
    brainmesh_formats::write_npz(&path, &arrays).unwrap();
    path
}

fn evaluate(result: &Path, truth: &[&str]) -> Value {
    let output = brainmesh(&[&["evaluate", "layers", "--json", "--result", text(result)], truth].concat());
    ok(&output);
    let scores: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(scores["schema"], "brainmesh-evaluate-layers-1");
    scores["groups"]["result"].clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn near(value: &Value, expected: f64, tolerance: f64) {
    assert!((number(value) - expected).abs() <= tolerance, "{value} for {expected}");
}

#[test]
fn true_points_give_errors_coverage_damage_and_regions() {
    let folder = tempfile::tempdir().unwrap();
    // At four vertices the boundary between III and IV is found 20 um too deep.
    let result = result(folder.path(), &DEFECTS, |v, k| if v < 4 && k == 3 { 0.02 } else { 0.0 });
    let truth = points(folder.path());
    let scores = evaluate(&result, &["--truth-points", text(&truth)]);
    let all = &scores["all"];
    // Without the vertex that has no cortex; one more was refused and has no layers to compare.
    assert_eq!((&all["rays"], &all["compared"]), (&8.into(), &7.into()));
    assert_eq!((&scores["measured"]["rays"], &scores["refused"]["rays"]), (&6.into(), &2.into()));
    let third = &all["boundaries"][3];
    assert_eq!((&third["boundary"], &third["rays"]), (&"III-IV".into(), &7.into()));
    for (name, expected) in [("mean_um", 80.0 / 7.0), ("median_um", 20.0), ("p95_um", 20.0), ("bias_um", 80.0 / 7.0)] {
        near(&third[name], expected, 1e-2);
    }
    // 20 um is beyond one standard deviation of 15 um and within 1.645 of them.
    let calibration = &third["calibration"];
    near(&calibration["sd_mean_um"], 15.0, 1e-4);
    near(&calibration["within_one_sd"], 3.0 / 7.0, 1e-12);
    assert_eq!((&calibration["coverage_90"], &calibration["within_two_sd"]), (&1.0.into(), &1.0.into()));
    // The unknown point is left out of its own boundary alone.
    assert_eq!(all["boundaries"][2]["rays"], 6);
    let layers = all["thickness"].as_array().unwrap();
    let names: Vec<&Value> = layers.iter().map(|l| &l["layer"]).collect();
    assert_eq!(names, ["total", "I", "II", "III", "IV", "V", "VI"]);
    near(&layers[4]["mean_mm"], 0.2 - 0.08 / 7.0, 1e-5);
    near(&layers[4]["truth_mean_mm"], 0.2, 1e-5);
    near(&layers[4]["ratio"], 1.0 - 0.08 / 7.0 / 0.2, 1e-5);
    // 200 samples from .5 mm above the pia to .5 mm below the white surface; one of each moved boundary is wrong, and 53
    // lie beside the unknown one.
    near(&all["classes"]["samples"], 1347.0, 0.0);
    near(&all["classes"]["accuracy"], 1343.0 / 1347.0, 1e-12);
    assert!(all["network"].is_null());
    // Damaged: 5, 7 and 8; refused: 7 and 8.
    let damage = &all["damage"];
    assert_eq!((&damage["damaged"], &damage["refused"], &damage["found"]), (&3.into(), &2.into(), &2.into()));
    near(&damage["precision"], 1.0, 0.0);
    near(&damage["recall"], 2.0 / 3.0, 1e-12);
    near(&damage["f1"], 0.8, 1e-12);
    let regions = scores["regions"].as_array().unwrap();
    let sizes: Vec<(&Value, &Value)> = regions.iter().map(|r| (&r["region"], &r["rays"])).collect();
    assert_eq!(sizes, [(&"1".into(), &4.into()), (&"2".into(), &2.into())]);
    near(&regions[0]["boundaries"][3]["mean_um"], 20.0, 1e-2);
    near(&regions[1]["boundaries"][3]["mean_um"], 0.0, 1e-2);

    let stricter = evaluate(&result, &["--truth-points", text(&truth), "--damaged-mm", "0.4"]);
    assert_eq!((&stricter["all"]["damage"]["damaged"], &stricter["all"]["damage"]["found"]), (&1.into(), &0.into()));
    let mask = folder.path().join("mask.txt");
    std::fs::write(&mask, "1\n1\n1\n1\n0\n0\n0\n0\n0\n").unwrap();
    let masked = evaluate(&result, &["--truth-points", text(&truth), "--mask", text(&mask)]);
    assert_eq!(masked["all"]["rays"], 4);
    assert!(masked["refused"].is_null() && masked["regions"].as_array().unwrap().len() == 1);
}

/// Slabs of labels whose faces lie at [`DEPTHS_MM`], voxels of .1 mm in z.
fn labels(folder: &Path, name: &str, white: u8) -> PathBuf {
    let affine = glam::DAffine3::from_scale_rotation_translation(
        glam::DVec3::new(1.0, 1.0, 0.1),
        glam::DQuat::IDENTITY,
        glam::DVec3::new(0.0, 0.0, -2.95),
    );
    let grid = Grid::new([3, 3, 40], affine, "scanner").unwrap();
    let label = |i: usize| {
        let depth = 2.95 - 0.1 * (i / 9) as f64;
        let class = DEPTHS_MM.iter().filter(|d| depth > **d).count() as u8;
        if class == 7 { white } else { class }
    };
    let path = folder.join(name);
    let data: Vec<u8> = (0..9 * 40).map(label).collect();
    brainmesh_formats::write_volume(&path, &Volume::new(grid, data).unwrap()).unwrap();
    path
}

#[test]
fn true_labels_are_read_along_the_rays() {
    let folder = tempfile::tempdir().unwrap();
    let result = result(folder.path(), &[0; N], |_, k| if k == 5 { -0.3 } else { 0.0 });
    for white in [7, 0] {
        let truth = labels(folder.path(), "labels.nii.gz", white);
        let all = evaluate(&result, &["--truth-labels", text(&truth)])["all"].clone();
        assert_eq!((&all["rays"], &all["compared"]), (&9.into(), &9.into()));
        for (k, boundary) in all["boundaries"].as_array().unwrap().iter().enumerate() {
            // Samples are 15 um apart: the change lies within half of that.
            near(&boundary["bias_um"], if k == 5 { -300.0 } else { 0.0 }, 7.6);
        }
        // A tenth of the ray is V and was found to be VI: 20 of 200 samples, give or take one.
        near(&all["classes"]["accuracy"], 0.9, 0.006);
        assert!(all["damage"].is_null());
    }
    let truth = labels(folder.path(), "nine.nii.gz", 9);
    let output = brainmesh(&["evaluate", "layers", "--result", text(&result), "--truth-labels", text(&truth)]);
    fails(&output, 3, &["nine.nii.gz", "0 to 7", "9"]);
}

#[test]
fn true_thickness_is_compared_as_shares_of_the_ribbon() {
    let folder = tempfile::tempdir().unwrap();
    let result = result(folder.path(), &[0; N], |_, _| 0.0);
    // The true ribbon is 1.25 times as thick, of the same shares but for IV and V, which meet 50 um deeper.
    let row = "0.25 0.375 0.625 0.30 0.45 0.5\n";
    let truth = folder.path().join("thickness.txt");
    std::fs::write(&truth, row.repeat(N)).unwrap();
    let all = evaluate(&result, &["--truth-thickness", text(&truth)])["all"].clone();
    near(&all["ribbon_ratio"], 0.8, 1e-6);
    let names: Vec<&Value> = all["boundaries"].as_array().unwrap().iter().map(|b| &b["boundary"]).collect();
    assert_eq!(names, ["I-II", "II-III", "III-IV", "IV-V", "V-VI"]);
    for (k, bias) in [0.0, 0.0, 0.0, -50.0, 0.0].into_iter().enumerate() {
        near(&all["boundaries"][k]["bias_um"], bias, 1e-2);
    }
    // Standard deviations grow with the ribbon: 15 um of 2 mm are 18.75 um of 2.5 mm.
    near(&all["boundaries"][0]["calibration"]["sd_mean_um"], 18.75, 1e-3);
    near(&all["thickness"][4]["ratio"], 0.25 / 0.30, 1e-5);
    near(&all["thickness"][0]["ratio"], 1.0, 1e-6);
}

#[test]
fn the_whole_way_from_a_phantom_to_its_scores() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    let out = folder.path().join("layers");
    let file = |name: &str| phantom.join(name).to_str().unwrap().to_owned();
    let [pial, white, volume] = ["pial.surf.gii", "white.surf.gii", "volume.nii.gz"].map(file);
    ok(&brainmesh(&["rays2surface", "--pial", &pial, "--white", &white, "--volume", &volume, "--out", text(&out)]));
    let scores = evaluate(&out, &["--truth-points", &file("truth/points.npz")]);
    let by_labels = evaluate(&out, &["--truth-labels", &file("truth/labels.nii.gz")]);
    for k in 0..7 {
        // Concentric spheres without artefacts: well below the thinnest layer (.24 mm).
        assert!(number(&scores["all"]["boundaries"][k]["mean_um"]) < 60.0, "{}", scores["all"]["boundaries"][k]);
        // Labels of 200 um voxels say where a boundary is to half a voxel.
        let bias = |scores: &Value| number(&scores["all"]["boundaries"][k]["bias_um"]);
        assert!((bias(&scores) - bias(&by_labels)).abs() < 50.0);
    }
    assert!(number(&scores["all"]["classes"]["accuracy"]) > 0.9);
    let table = brainmesh(&["evaluate", "layers", "--result", text(&out), "--truth-points", &file("truth/points.npz")]);
    ok(&table);
    let table = String::from_utf8(table.stdout).unwrap();
    for word in ["in 90 %", "III-IV", "found mm", "accuracy", "total"] {
        assert!(table.contains(word), "{word} in {table}");
    }
}

/// Rays whose truth is a label for each sample score as those whose truth is the boundaries, but for half a sample.
#[test]
fn labels_along_rays_stand_in_for_boundaries() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("rays");
    let size = ["--spacing-mm", "0.2", "--extent-mm", "12", "--edge-mm", "0.5"];
    ok(&brainmesh(&[&["phantom", "--rays", "--rays-only", "--out", text(&out)], &size[..]].concat()));
    let rays = out.join("rays.npz");
    let array = |name: &str| brainmesh_formats::read_npz(&rays, name).unwrap();
    let (boundaries, values) = (array("boundaries_t"), array("values"));
    let (n, samples) = (values.shape()[0], values.shape()[2]);
    let labels = ndarray::Array2::from_shape_fn((n, samples), |(ray, i)| {
        let t = i as f32 / (samples - 1) as f32;
        (0..7).filter(|&k| t >= boundaries[[ray, k]]).count() as i32
    });
    let names = ["values", "pial_t", "white_t", "length_mm", "spacing_mm", "channels_json", "region"];
    let arrays = names.map(array);
    let mut entries: Vec<(&str, brainmesh_formats::NpyArray<'_>)> = vec![("labels", (&labels).into())];
    entries.extend(names.into_iter().zip(arrays.iter().map(Into::into)));
    let labelled = folder.path().join("labelled.npz");
    brainmesh_formats::write_npz(&labelled, &entries).unwrap();

    let score = |path: &Path| -> Value {
        let output = brainmesh(&["evaluate", "layers", "--json", "--rays", text(path)]);
        ok(&output);
        let scores: Value = serde_json::from_slice(&output.stdout).unwrap();
        scores["groups"]["200 um"].clone()
    };
    let (by_boundaries, by_labels) = (score(&rays), score(&labelled));
    assert_eq!(by_boundaries["all"]["rays"], n);
    for k in 0..7 {
        let bias = |scores: &Value| number(&scores["all"]["boundaries"][k]["bias_um"]);
        // Samples are at most 25 um apart.
        assert!((bias(&by_boundaries) - bias(&by_labels)).abs() < 12.5);
    }
    // A class of a sample on a boundary may round to either side; all others are the same.
    let accuracy = |scores: &Value| number(&scores["all"]["network"]["accuracy"]);
    assert!((accuracy(&by_boundaries) - accuracy(&by_labels)).abs() < 1e-3);
    // Phantoms know what is missing; the file without it says nothing. Regions begin at 1.
    assert!(by_boundaries["all"]["damage"].is_object() && by_labels["all"]["damage"].is_null());
    assert_eq!(by_labels["regions"][0]["region"], "1");
}

#[test]
fn truths_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let result = result(folder.path(), &DEFECTS, |_, _| 0.0);
    let (result, points) = (text(&result), points(folder.path()));
    let run = |more: &[&str]| brainmesh(&[&["evaluate", "layers", "--result", result], more].concat());
    fails(&run(&[]), 2, &["--truth-points", "--truth-labels", "--truth-thickness"]);
    fails(&run(&["--truth-points", "a", "--truth-labels", "b"]), 2, &["--truth-labels"]);
    fails(&run(&["--truth-points", text(&points), "--damaged-mm", "0"]), 2, &["--damaged-mm", "0"]);
    let halves = folder.path().join("halves.npz");
    let (places, region) = (Array3::<f64>::zeros((N, 7, 3)), Array1::from_elem(N, 1.5));
    brainmesh_formats::write_npz(&halves, &[("points", (&places).into()), ("region", (&region).into())]).unwrap();
    fails(&run(&["--truth-points", text(&halves)]), 3, &["halves.npz", "region", "1.5"]);
    let short = folder.path().join("short.txt");
    std::fs::write(&short, "0.2 0.3 0.5 0.2 0.4 0.4\n".repeat(3)).unwrap();
    fails(&run(&["--truth-thickness", text(&short)]), 3, &["short.txt", "[9, 6]", "(3, 6)"]);
    let wrong = folder.path().join("wrong.npz");
    brainmesh_formats::write_npz(&wrong, &[("points", (&Array3::<f64>::zeros((4, 7, 3))).into())]).unwrap();
    fails(&run(&["--truth-points", text(&wrong)]), 3, &["wrong.npz", "[9, 7, 3]", "(4, 7, 3)"]);
}
