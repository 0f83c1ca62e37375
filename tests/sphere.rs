//! `rays2surface` on concentric spheres: files, geometry, reproducibility, cancellation.

use super::*;
use brainmesh_formats::{read_label_gifti, read_shape_gifti, read_surface};

fn rays2surface(phantom: &Path, out: &Path, more: &[&str]) -> Output {
    rays2surface_of(phantom, &phantom.join("volume.nii.gz"), out, more)
}

fn rays2surface_of(phantom: &Path, volume: &Path, out: &Path, more: &[&str]) -> Output {
    let (pial, white) = (phantom.join("pial.surf.gii"), phantom.join("white.surf.gii"));
    let mut arguments = vec!["rays2surface", "--pial", text(&pial), "--white", text(&white)];
    arguments.extend(["--volume", text(volume), "--out", text(out)]);
    arguments.extend(more);
    brainmesh(&arguments)
}

#[test]
fn seven_nested_surfaces_with_their_maps() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    ok(&rays2surface(&sphere(folder.path()), &out, &["--format", "ply,vtp,glb,obj,mni-obj,freesurfer,stl"]));

    let radius = |p: &brainmesh_core::WorldPoint| p.0.length();
    let mut above: Option<Vec<f64>> = None;
    for k in 0..7 {
        let surface = read_surface(&out.join(format!("layer{k}.surf.gii"))).unwrap();
        assert_eq!(surface.euler_characteristic(), 2);
        let radii: Vec<f64> = surface.vertices().iter().map(radius).collect();
        if let Some(above) = &above {
            assert!(radii.iter().zip(above).all(|(r, a)| *r <= a + 1e-5), "layer {k} rises above layer {}", k - 1);
        }
        for extension in ["ply", "obj", "mni.obj", "fs"] {
            let same = read_surface(&out.join(format!("layer{k}.{extension}"))).unwrap();
            assert_eq!(same.triangles(), surface.triangles(), "{extension}");
        }
        above = Some(radii);
    }
    let thickness = read_shape_gifti(&out.join("thickness.shape.gii")).unwrap();
    let names: Vec<&str> = thickness.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["total", "I", "II", "III", "IV", "V", "VI"]);
    let uncertainty = read_shape_gifti(&out.join("uncertainty.shape.gii")).unwrap();
    let names: Vec<&str> = uncertainty.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["layer0", "layer1", "layer2", "layer3", "layer4", "layer5", "layer6"]);
    let defects = read_label_gifti(&out.join("defects.label.gii")).unwrap();
    for (v, label) in defects.labels.iter().enumerate() {
        let parts: f32 = thickness[1..].iter().map(|m| m.values[v]).sum();
        // Missing rays (codes 1 to 8) have no thickness; all others have six layers that add up.
        assert_eq!((1..=8).contains(label), thickness[0].values[v].is_nan(), "vertex {v}");
        assert!(thickness[0].values[v].is_nan() || (parts - thickness[0].values[v]).abs() < 1e-4);
    }
    let report = json(&out.join("report.json"));
    assert_eq!(report["certificate"]["order_violations"], 0);
    assert_eq!(report["certificate"]["euler_characteristic"], 2);
    assert_eq!(report["inputs"].as_array().unwrap().len(), 3);
}

#[test]
fn the_same_bytes_with_one_and_two_threads() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    ok(&rays2surface(&phantom, &one, &["--threads", "1", "--format", "ply,glb"]));
    ok(&rays2surface(&phantom, &two, &["--threads", "2", "--format", "ply,glb"]));
    for (a, b) in entries(&one).iter().zip(entries(&two)) {
        assert_eq!(a.file_name(), b.file_name());
        assert!(std::fs::read(a).unwrap() == std::fs::read(&b).unwrap(), "{} differs", b.display());
    }
}

#[test]
fn a_dry_run_writes_nothing_and_says_what_it_would_do() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    let before = entries(folder.path());
    let output = rays2surface(&phantom, &folder.path().join("out"), &["--dry-run"]);
    ok(&output);
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(plan["model"], "cortical-layers");
    assert_eq!(plan["parameters"]["seed"], 1609);
    assert_eq!(entries(folder.path()), before);
}

#[test]
fn more_defects_than_allowed_is_exit_code_one_with_all_files() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    // Rays that leave the upper half of the volume are defects.
    let mask = folder.path().join("mask.txt");
    std::fs::write(&mask, "1\n".repeat(10_242)).unwrap();
    let out = folder.path().join("out");
    let upper = crop(&phantom, folder.path());
    let output = rays2surface_of(&phantom, &upper, &out, &["--mask", text(&mask), "--max-defects", "1%"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report = json(&out.join("report.json"));
    assert!(report["defects"]["outside volume"]["missing"].as_u64().unwrap() > 102);
}

/// The upper half of a phantom's volume.
fn crop(phantom: &Path, folder: &Path) -> PathBuf {
    let volume = brainmesh_formats::read_volume(&phantom.join("volume.nii.gz")).unwrap();
    let [ni, nj, nk] = volume.grid().shape();
    let shift = glam::DVec3::new(0.0, 0.0, (nk / 2) as f64);
    let affine = volume.grid().affine() * glam::DAffine3::from_translation(shift);
    let grid = brainmesh_core::Grid::new([ni, nj, nk - nk / 2], affine, "scanner").unwrap();
    let upper = volume.data()[ni * nj * (nk / 2)..].to_vec();
    let path = folder.join("upper.nii.gz");
    brainmesh_formats::write_volume(&path, &brainmesh_core::Volume::new(grid, upper).unwrap()).unwrap();
    path
}

#[cfg(unix)]
#[test]
fn interrupted_work_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = sphere(folder.path());
    let before = entries(folder.path());
    let out = folder.path().join("out");
    let mut child = Command::new(env!("CARGO_BIN_EXE_brainmesh"))
        .args(["rays2surface", "--pial", text(&phantom.join("pial.surf.gii")), "--white"])
        .args([text(&phantom.join("white.surf.gii")), "--volume", text(&phantom.join("volume.nii.gz"))])
        .args(["--out", text(&out), "--progress", "json", "--threads", "1"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Wait for the network to begin, then press Ctrl-C.
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
    assert!(lines.by_ref().any(|line| line.unwrap().contains("classify")));
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    assert_eq!(entries(folder.path()), before);
}

/// The default channels of labelled rays once lacked one that the shipped model wants, so that they could not be scored.
#[test]
fn labelled_rays_made_with_defaults_are_scored_by_the_shipped_model() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("rays");
    ok(&brainmesh(&[
        "phantom",
        "--spacing-mm",
        "0.2",
        "--extent-mm",
        "14",
        "--rays",
        "--rays-only",
        "--out",
        text(&out),
    ]));
    let output = brainmesh(&["evaluate", "layers", "--rays", text(&out.join("rays.npz")), "--json"]);
    ok(&output);
    let scores: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let scores = &scores["groups"]["200 um"]["all"];
    // A guess of the commonest class is right for less than half of the samples.
    assert!(scores["network"]["accuracy"].as_f64().unwrap() > 0.7, "{scores}");
    assert!(scores["classes"]["accuracy"].as_f64().unwrap() > 0.7, "{scores}");
    assert_eq!(scores["boundaries"].as_array().unwrap().len(), 7);
}
