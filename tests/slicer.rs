//! The modules of 3D Slicer as it runs them: flags, then files by their place; progress in lines; files under the names given.

use super::*;
use brainmesh_core::{Grid, Volume};
use brainmesh_formats::{VertexValues, VolumeOptions, read_surface, read_volume, write_volume};
use glam::{DAffine3, DMat3, DVec3};

fn module(name: &str, arguments: &[&str]) -> Output {
    let program = match name {
        "Rays2Surface" => env!("CARGO_BIN_EXE_BrainmeshRays2Surface"),
        "Segment" => env!("CARGO_BIN_EXE_BrainmeshSegment"),
        _ => env!("CARGO_BIN_EXE_BrainmeshMesh"),
    };
    Command::new(program).args(arguments).output().unwrap()
}

/// The values of a tag in the output, in order.
fn told(output: &Output, tag: &str) -> Vec<f64> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (begin, end) = (format!("<{tag}>"), format!("</{tag}>"));
    text.lines().filter_map(|line| line.strip_prefix(&begin)?.strip_suffix(&end)?.parse().ok()).collect()
}

fn is_quiet_and_done(output: &Output) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

/// A volume whose axes are neither aligned nor alike, with `value` at each voxel.
fn oblique(value: impl Fn(DVec3) -> f32) -> Volume<f32> {
    let m = DMat3::from_rotation_z(0.3) * DMat3::from_diagonal(DVec3::new(-0.5, 0.6, 0.7));
    let affine = DAffine3::from_mat3_translation(m, DVec3::new(9.0, -4.0, 2.5));
    let grid = Grid::new([20, 18, 16], affine, "scanner").unwrap();
    let at = |n: usize| DVec3::new((n % 20) as f64, (n / 20 % 18) as f64, (n / 360) as f64);
    let values = (0..grid.voxel_count()).map(|n| value(at(n))).collect();
    Volume::new(grid, values).unwrap()
}

#[test]
fn layers_are_those_of_the_command_line_and_progress_never_falls() {
    let folder = tempfile::tempdir().unwrap();
    let sphere = sphere(folder.path());
    let [pial, white, volume] = ["pial.surf.gii", "white.surf.gii", "volume.nii.gz"].map(|name| sphere.join(name));
    let reference = folder.path().join("reference");
    ok(&brainmesh(&[
        "rays2surface",
        "--pial",
        text(&pial),
        "--white",
        text(&white),
        "--volume",
        text(&volume),
        "-o",
        text(&reference),
        "--format",
        "vtp",
    ]));
    let out = tempfile::tempdir().unwrap();
    let path = |name: &str| out.path().join(name).to_str().unwrap().to_owned();
    let layers: Vec<String> = (0..7).map(|k| path(&format!("node{k}.vtp"))).collect();
    let mut words: Vec<String> = ["--returnparameterfile", &path("back.params")].map(str::to_owned).to_vec();
    // As Slicer does: every number and choice, asked for or not.
    let given = [
        ("volume", text(&volume)),
        ("ray_distance_mm", "1"),
        ("profiles_span", "extended"),
        ("min_gap_mm", "0.01"),
        ("seed", "1609"),
        ("smoothing", "auto"),
        ("device", "auto"),
        ("precision", "f32"),
        ("polarity", "dark-is-dense"),
        ("table", &path("table.tsv")),
        ("layer_volume", &path("labels.nrrd")),
        ("threads", "1"),
    ];
    for (flag, value) in given {
        words.extend([format!("--{flag}"), value.to_owned()]);
    }
    for (k, layer) in layers.iter().enumerate() {
        words.extend([format!("--layer{k}"), layer.clone()]);
    }
    words.extend([text(&pial).to_owned(), text(&white).to_owned()]);
    let output = module("Rays2Surface", &words.iter().map(String::as_str).collect::<Vec<_>>());
    is_quiet_and_done(&output);

    for (k, layer) in layers.iter().enumerate() {
        let expected = std::fs::read(reference.join(format!("layer{k}.vtp"))).unwrap();
        assert!(std::fs::read(layer).unwrap() == expected, "layer{k}");
    }
    assert_eq!(entries(out.path()).len(), 7 + 3, "nothing else");
    let labels = folder.path().join("labels.nii");
    ok(&brainmesh(&["mesh", text(&reference), "--label-volume", "--like", text(&volume), "-o", text(&labels)]));
    assert!(read_volume(Path::new(&path("labels.nrrd"))).unwrap().data() == read_volume(&labels).unwrap().data());

    let report = json(&reference.join("report.json"));
    let back = std::fs::read_to_string(path("back.params")).unwrap();
    let number = |name: &str| -> f64 {
        let line = back.lines().find_map(|line| line.strip_prefix(&format!("{name} = ")));
        line.unwrap_or_else(|| panic!("{name} in {back}")).parse().unwrap()
    };
    assert_eq!(number("ray_count"), report["rays"].as_f64().unwrap());
    assert_eq!(number("measured"), report["measured"].as_f64().unwrap());
    assert_eq!([number("crossing"), number("missing")], [0.0, 0.0]);
    for k in 1..7 {
        let expected = report["layers"][k - 1]["thickness_mean_mm"].as_f64().unwrap();
        assert!((number(&format!("thickness_{k}_mm")) - expected).abs() < 1e-6);
    }
    let table = std::fs::read_to_string(path("table.tsv")).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), 7);
    assert_eq!(rows[0], ["layer", "thickness_mean_mm", "thickness_sd_mm", "uncertainty_mean_mm"]);
    let sum: f64 = rows[1..].iter().map(|row| row[1].parse::<f64>().unwrap()).sum();
    assert!((sum - number("thickness_mm")).abs() < 1e-4, "layers make the cortex");

    let all = told(&output, "filter-progress");
    assert!(all.windows(2).all(|pair| pair[0] <= pair[1]), "{all:?}");
    assert_eq!([all[0], all[all.len() - 1]], [0.0, 1.0]);
    assert!(all.iter().filter(|share| **share > 0.2 && **share < 0.8).count() > 10, "the longest stage is shown");
    assert!(told(&output, "filter-stage-progress").iter().all(|share| (0.0..=1.0).contains(share)));
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(lines.starts_with("<filter-start>\n<filter-name>BrainmeshRays2Surface</filter-name>\n"));
    assert!(lines.trim_end().ends_with("</filter-end>"));
}

#[test]
fn what_cannot_work_is_one_error_and_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let sphere = sphere(folder.path());
    let [pial, white, volume] = ["pial.surf.gii", "white.surf.gii", "volume.nii.gz"].map(|name| sphere.join(name));
    let (pial, white, volume) = (text(&pial), text(&white), text(&volume));
    let out = tempfile::tempdir().unwrap();
    let path = |name: &str| out.path().join(name).to_str().unwrap().to_owned();
    let layer = path("a.vtp");
    let refused = |words: &[&str], code, expected: &[&str]| {
        fails(&module("Rays2Surface", words), code, expected);
        assert_eq!(entries(out.path()), Vec::<PathBuf>::new());
    };
    refused(&["--volume", volume, pial, white], 2, &["a result to write"]);
    refused(&["--layer0", &layer, pial, white], 2, &["--volume"]);
    refused(&["--layer0", &layer, "--volume", volume, pial], 2, &["white"]);
    refused(&["--layer0", &layer, "--layer1", &layer, "--volume", volume, pial, white], 2, &["layer1", "layer0"]);
    refused(&["--layer0", &path("a.txt"), "--volume", volume, pial, white], 2, &["layer0", ".vtp"]);
    refused(&["--layer0", &path("no/a.vtp"), "--volume", volume, pial, white], 4, &["no/a.vtp"]);
    refused(&["--layer0", &layer, "--volume", &path("none.nrrd"), pial, white], 3, &["none.nrrd"]);
    refused(&["--layer0", &layer, "--volume", pial, pial, white], 3, &["pial.surf.gii"]);
    refused(&["--layer0", &layer, "--polarity", "odd", "--volume", volume, pial, white], 2, &["polarity", "odd"]);
}

#[test]
fn labels_become_one_model_with_a_label_at_every_point() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    // Two boxes of labels 2 and 7, apart.
    let inside = |v: DVec3, from: f64| {
        (v - DVec3::new(from, 5.0, 5.0)).min_element() >= 0.0
            && (v - DVec3::new(from + 4.0, 9.0, 11.0)).max_element() <= 0.0
    };
    let labels = oblique(|v| {
        if inside(v, 3.0) {
            2.0
        } else if inside(v, 12.0) {
            7.0
        } else {
            0.0
        }
    });
    let bytes = Volume::new(labels.grid().clone(), labels.data().iter().map(|&l| l as u8).collect()).unwrap();
    write_volume(Path::new(&path("labels.nrrd")), &bytes).unwrap();
    let words = [
        "--surface",
        &path("model.vtp"),
        "--table",
        &path("t.tsv"),
        "--relax",
        "0",
        "--returnparameterfile",
        &path("p"),
    ];
    let output = module("Mesh", &[&words[..], &[&path("labels.nrrd")]].concat());
    is_quiet_and_done(&output);
    assert_eq!(told(&output, "filter-progress").last(), Some(&1.0));
    assert_eq!(std::fs::read_to_string(path("p")).unwrap(), "surfaces = 2\n");

    let surface = read_surface(Path::new(&path("model.vtp"))).unwrap();
    let maps = brainmesh_formats::read_vertex_maps(Path::new(&path("model.vtp"))).unwrap();
    let [VertexValues::Shape(map)] = maps.as_slice() else { panic!("{maps:?}") };
    let label_of = |k: usize| f64::from(map.values[k]);
    let to_voxel = labels.grid().affine().inverse();
    for (k, vertex) in surface.vertices().iter().enumerate() {
        let i = to_voxel.transform_point3(vertex.0).x;
        assert_eq!(label_of(k), if i < 10.0 { 2.0 } else { 7.0 }, "at voxel {i}");
    }
    // 5 x 5 x 7 voxels each, less the edges that surface nets round off.
    let voxel_mm3 = 0.5 * 0.6 * 0.7;
    let table = std::fs::read_to_string(path("t.tsv")).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), ["2", "7"]);
    for row in &rows {
        let volume: f64 = row[4].parse().unwrap();
        assert!((0.8..=1.0).contains(&(volume / (175.0 * voxel_mm3))), "{volume}");
    }
    let triangles: usize = rows.iter().map(|row| row[2].parse::<usize>().unwrap()).sum();
    assert_eq!(triangles, surface.triangles().len());

    fails(&module("Mesh", &[&path("labels.nrrd")]), 2, &["--surface"]);
    fails(&module("Mesh", &["--surface", &path("b.vtp"), "--labels", "3", &path("labels.nrrd")]), 3, &["label 3"]);
    assert!(!Path::new(&path("b.vtp")).exists());
}

#[test]
fn labels_and_probabilities_lie_on_the_grid_of_the_volume() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../segmentation/tests/data/above-half");
    let model = text(&model);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let volume = oblique(|v| if v.x > 6.0 && v.y < 11.0 { 0.9 } else { 0.1 });
    write_volume(Path::new(&path("in.nrrd")), &volume).unwrap();
    let words = ["--labels", &path("out.nrrd"), "--device", "builtin", "--flips", "default", model, &path("in.nrrd")];
    is_quiet_and_done(&module("Segment", &words));
    let found = VolumeOptions::default().open(Path::new(&path("out.nrrd"))).unwrap();
    assert_eq!(found.info().stored.to_string(), "uint8");
    let labels = read_volume(Path::new(&path("out.nrrd"))).unwrap();
    let expected: Vec<f32> = volume.data().iter().map(|&v| f32::from(u8::from(v > 0.5))).collect();
    assert!(labels.data() == expected);
    let worst = (labels.grid().affine().matrix3 - volume.grid().affine().matrix3).to_cols_array();
    assert!(worst.iter().all(|difference| difference.abs() < 1e-6));

    // What a model gives goes where Slicer wants that kind.
    let error = module("Segment", &["--probability", &path("p.nrrd"), "--device", "builtin", model, &path("in.nrrd")]);
    fails(&error, 2, &["--labels"]);
    assert_eq!(entries(folder.path()).len(), 2);
}
