//! `segment`: files in, labels of their own grids out, one by one or many at a time.

use super::*;
use brainmesh_core::{Grid, Silent, Volume};
use brainmesh_formats::{VolumeOptions, VolumeWriter, read_volume, volume_info, write_volume};
use glam::{DAffine3, DMat3, DVec3};

/// Label 1 where the intensity is above one half.
fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../segmentation/tests/data/above-half")
}

fn volume(shape: [usize; 3], seed: usize) -> Volume<f32> {
    let m = DMat3::from_diagonal(DVec3::new(-0.5, 2.0, 3.0));
    let grid = Grid::new(shape, DAffine3::from_mat3_translation(m, DVec3::new(9.0, -4.0, 2.5)), "scanner").unwrap();
    let values = (0..grid.voxel_count()).map(|n| (((n * 7919 + seed * 31) % 1009) as f32 + 0.25) / 1009.5).collect();
    Volume::new(grid, values).unwrap()
}

fn expected(volume: &Volume<f32>) -> Vec<f32> {
    volume.data().iter().map(|&value| f32::from(u8::from(value > 0.5))).collect()
}

#[test]
fn labels_lie_where_the_intensities_do_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let source = volume([21, 18, 5], 1);
    for ending in ["nii.gz", "nii", "mnc", "mgz", "nrrd", "mha"] {
        let (input, output) = (folder.path().join(format!("in.{ending}")), folder.path().join(format!("out.{ending}")));
        write_volume(&input, &source).unwrap();
        ok(&brainmesh(&["segment", text(&model()), text(&input), "-o", text(&output), "--device", "builtin"]));
        let found = read_volume(&output).unwrap();
        // MINC holds its axes in an order of its own.
        assert!(found.data() == expected(&read_volume(&input).unwrap()), "{ending}");
        let worst = (found.grid().affine().matrix3 - read_volume(&input).unwrap().grid().affine().matrix3).abs();
        assert!(worst.to_cols_array().iter().all(|d| *d < 1e-5), "{ending}");
    }
    let labels = VolumeOptions::default().open(&folder.path().join("out.nrrd")).unwrap();
    assert_eq!(labels.info().stored.to_string(), "uint8");
}

#[test]
fn many_inputs_go_into_a_folder_and_a_failure_stops_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let sources = [volume([9, 8, 3], 1), volume([5, 4, 2], 2)];
    write_volume(&path("a.nii"), &sources[0]).unwrap();
    std::fs::write(path("broken.nii"), vec![0; 400]).unwrap();
    write_volume(&path("c.mnc"), &sources[1]).unwrap();
    std::fs::create_dir(path("out")).unwrap();
    let inputs = ["a.nii", "broken.nii", "c.mnc"].map(|name| path(name).to_str().unwrap().to_owned());
    let run = |more: &[&str]| {
        let (model, out) = (model(), path("out"));
        let mut words = vec!["segment", text(&model)];
        words.extend(inputs.iter().map(String::as_str));
        words.extend(["-o", text(&out), "--device", "builtin"]);
        words.extend(more);
        brainmesh(&words)
    };

    fails(&run(&[]), 3, &["broken.nii"]);
    assert_eq!(entries(&path("out")), [path("out/a_above-half.nii.gz")], "what was finished before stays");
    fails(&run(&[]), 2, &["a_above-half.nii.gz", "--skip-existing"]);
    let done = run(&["--keep-going", "--skip-existing"]);
    assert_eq!(done.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&done.stderr).contains("broken.nii"));
    assert_eq!(entries(&path("out")), [path("out/a_above-half.nii.gz"), path("out/c_above-half.nii.gz")]);
    for (name, source) in [("a", &sources[0]), ("c", &sources[1])] {
        let found = read_volume(&path(&format!("out/{name}_above-half.nii.gz"))).unwrap();
        assert_eq!(found.data().iter().sum::<f32>(), expected(source).iter().sum::<f32>());
    }
}

#[test]
fn a_dry_run_says_what_memory_it_takes_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.nii"), folder.path().join("out.nii"));
    write_volume(&input, &volume([64, 32, 16], 1)).unwrap();
    let done = brainmesh(&["segment", text(&model()), text(&input), "-o", text(&output), "--dry-run", "--json"]);
    ok(&done);
    let forecast: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(forecast["input_bytes"], 64 * 32 * 16 * 4);
    assert_eq!(forecast["slab_bytes"], 64 * 32 * 4);
    assert!(!output.exists());
}

#[test]
fn the_summary_counts_voxels_and_millilitres() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.nii"), folder.path().join("out.nii.gz"));
    let source = volume([20, 10, 10], 3);
    write_volume(&input, &source).unwrap();
    let done = brainmesh(&["segment", text(&model()), text(&input), "-o", text(&output), "--json"]);
    ok(&done);
    let summary: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let voxels = expected(&source).iter().sum::<f32>();
    let label = &summary["labels"][0];
    assert_eq!((&label["name"], &label["value"]), (&"tissue".into(), &1.into()));
    assert_eq!(label["voxels"], voxels as u64);
    // Voxels of 0.5 x 2 x 3 mm.
    assert!((label["ml"].as_f64().unwrap() - f64::from(voxels) * 0.003).abs() < 1e-6);
}

#[test]
fn probabilities_and_channels_and_what_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let source = volume([8, 8, 2], 1);
    write_volume(&path("one.nii"), &source).unwrap();
    VolumeWriter::default().write(&path("two.nii"), &[source.clone(), volume([8, 8, 2], 2)], &Silent).unwrap();
    let (out, model) = (path("out.nii"), model());
    let run = |input: &str, more: &[&str]| {
        let input = path(input);
        let mut words = vec!["segment", text(&model), text(&input), "-o", text(&out), "--force"];
        words.extend(more);
        brainmesh(&words)
    };
    ok(&run("one.nii", &["--output", "probability:tissue"]));
    assert_eq!(volume_info(&out).unwrap().stored.to_string(), "float32");
    // A sigmoid that is all but a step.
    for (&p, &value) in read_volume(&out).unwrap().data().iter().zip(source.data()) {
        assert!((p - 1.0 / (1.0 + (-1000.0 * (value - 0.5)).exp())).abs() < 1e-3, "{p} for {value}");
    }
    fails(&run("two.nii", &[]), 3, &["expected 1 volumes (t1), found 2", "--volume"]);
    ok(&run("two.nii", &["--volume", "1"]));
    fails(&run("one.nii", &["--output", "probability:bone"]), 2, &["--output", "tissue"]);
    fails(&run("one.nii", &["--window", "8"]), 2, &["--window"]);
    fails(&run("one.nii", &["--overlap", "1"]), 2, &["--overlap", "0.9"]);
    fails(&run("none.nii", &[]), 3, &["none.nii"]);
    let done = brainmesh(&["segment", "cortical-layers", text(&path("one.nii")), "-o", text(&path("x.nii"))]);
    fails(&done, 4, &["cortical-layers", "segments images"]);
    fails(&brainmesh(&["segment", "no-such", text(&path("one.nii")), "-o", text(&out)]), 4, &["no-such"]);
}
