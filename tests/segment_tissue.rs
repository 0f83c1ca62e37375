//! `segment tissue`: scans in, labels out. The network's answer is worked out here (`segmentation/tests/data/make_tissue.py`
//! says what it is): each voxel gets the class whose intensity is nearest.

use super::*;
use brainmesh_core::{Grid, Orientation, Silent, Volume};
use brainmesh_formats::{VolumeWriter, read_volume, volume_info, write_volume};
use glam::{DAffine3, DMat3, DVec3};
use serde_json::Value;

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../segmentation/tests/data/made-tissue")
}

/// Voxels of 3 mm around the middle, RAS.
const SHAPE: [usize; 3] = [40, 42, 38];

fn made(value: impl Fn(f64, usize) -> f32) -> Volume<f32> {
    let affine =
        DAffine3::from_mat3_translation(DMat3::from_diagonal(DVec3::splat(3.0)), DVec3::new(-58.5, -60.0, -55.0));
    let grid = Grid::new(SHAPE, affine, "scanner").unwrap();
    let middle = DVec3::new(20.0, 21.0, 19.0);
    let values = (0..SHAPE.iter().product::<usize>()).map(|n| {
        let (i, j, k) = (n % SHAPE[0], n / SHAPE[0] % SHAPE[1], n / (SHAPE[0] * SHAPE[1]));
        value((DVec3::new(i as f64, j as f64, k as f64) - middle).length(), n)
    });
    Volume::new(grid, values.collect()).unwrap()
}

/// No more than 4, so that no voxel is nearer to another class.
fn grain(n: usize) -> f32 {
    ((n * 7919) % 1009) as f32 / 1009.0 * 8.0 - 4.0
}

/// A head in layers: ventricle, white, grey, fluid around, air. A spot of grey in the air hangs together with nothing.
fn head() -> Volume<f32> {
    let volume = made(|radius, n| {
        let mean = match radius {
            r if r < 4.0 => 35.0,
            r if r < 11.0 => 100.0,
            r if r < 15.0 => 65.0,
            r if r < 17.0 => 15.0,
            _ => return 0.0,
        };
        mean + grain(n)
    });
    let mut values = volume.data().to_vec();
    values[0] = 65.0;
    Volume::new(volume.grid().clone(), values).unwrap()
}

/// What each voxel of it must become.
fn expected(outer: u8) -> Vec<u8> {
    made(|radius, _| match radius {
        r if r < 4.0 => 1.0,
        r if r < 11.0 => 3.0,
        r if r < 15.0 => 2.0,
        r if r < 17.0 => f32::from(outer),
        _ => 0.0,
    })
    .data()
    .iter()
    .map(|&label| label as u8)
    .collect()
}

fn segment(words: &[&str]) -> Output {
    let model = model();
    let mut all = vec!["segment", "tissue", "--model", text(&model), "--device", "builtin"];
    all.extend(words);
    brainmesh(&all)
}

/// What it printed.
fn done(output: Output) -> String {
    ok(&output);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What it said.
fn failed(output: Output, code: i32) -> String {
    fails(&output, code, &[]);
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn labels(path: &Path) -> Vec<u8> {
    read_volume(path).unwrap().data().iter().map(|&label| label as u8).collect()
}

#[test]
fn voxels_get_the_tissue_they_are_of_whatever_the_axes_and_the_format() {
    let folder = tempfile::tempdir().unwrap();
    let head = head();
    for (orientation, name) in [("RAS", "a.nii.gz"), ("LPI", "b.mnc"), ("SAR", "c.nrrd"), ("IPL", "d.mgz")] {
        let orientation: Orientation = orientation.parse().unwrap();
        let here = head.grid().orientation();
        let turned = head.swapped(here.swap_to(orientation)).unwrap();
        let (input, output) = (folder.path().join(name), folder.path().join(format!("out-{name}")));
        write_volume(&input, &turned).unwrap();
        let printed = done(segment(&[text(&input), "-o", text(&output)]));
        assert!(printed.contains("grey_matter"), "{printed}");
        let found = read_volume(&output).unwrap();
        assert_eq!(found.grid().shape(), turned.grid().shape(), "{name}");
        let back = found.swapped(found.grid().orientation().swap_to(here)).unwrap();
        let found: Vec<u8> = back.data().iter().map(|&label| label as u8).collect();
        assert!(found == expected(0), "{name}");
    }
}

#[test]
fn fluid_around_the_brain_and_probabilities_are_given_where_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (input, output) = (path("T1.nii.gz"), path("seg.nii.gz"));
    write_volume(&input, &head()).unwrap();
    let words = [text(&input), "-o", text(&output), "--outer-csf", "--probabilities", "--json", "--report"];
    let summary: Value = serde_json::from_str(&done(segment(&words))).unwrap();
    let expected = expected(1);
    assert!(labels(&output) == expected);
    for label in 1..=3 {
        let count = expected.iter().filter(|found| usize::from(**found) == label).count();
        let found = &summary["labels"][label - 1];
        assert_eq!(found["value"], label);
        assert!((found["ml"].as_f64().unwrap() - count as f64 * 0.027).abs() < 1e-6, "{found}");
    }
    // Median of intensities that lie evenly within 4 of the mean.
    assert!((summary["labels"][2]["median_intensity"].as_f64().unwrap() - 100.0).abs() < 0.5);

    // The page names what the result was made from by its content, and shows three planes across each axis.
    let page = std::fs::read_to_string(path("seg_report.html")).unwrap();
    assert!(page.contains(&sha256(&input)) && page.contains(&sha256(&output)) && page.contains("--outer-csf"));
    assert_eq!(page.matches("data:image/jpeg;base64,").count(), 9);
    let grey = summary["labels"][1]["ml"].as_f64().unwrap();
    assert!(page.contains(&format!("<dt>grey_matter</dt><dd>{grey:.1} ml</dd>")) && page.len() < 1_000_000);

    let beside = path("seg_probabilities.nii.gz");
    assert_eq!(volume_info(&beside).unwrap().volumes, 5);
    let mut sums = vec![0.0; expected.len()];
    for class in 0..5 {
        let options = brainmesh_formats::VolumeOptions::default().with_volume_index(class);
        let volume = options.read(&beside).unwrap();
        sums.iter_mut().zip(volume.data()).for_each(|(sum, value)| *sum += value);
        // exp(-20 (v - m)^2) of the class over that of all.
        let v = f64::from(head().data()[SHAPE[0] * SHAPE[1] * 19 + SHAPE[0] * 21 + 20]) / 100.0;
        let scores = [0.0, 0.35, 0.65, 1.0, 0.15].map(|m: f64| (-20.0 * (v - m).powi(2)).exp());
        let share = scores[class] / scores.iter().sum::<f64>();
        let found = f64::from(volume.data()[SHAPE[0] * SHAPE[1] * 19 + SHAPE[0] * 21 + 20]);
        assert!((found - share).abs() < 1e-5, "{class}: {found}, {share}");
    }
    assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-4));
}

#[test]
fn what_is_no_scan_of_a_head_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let output = path("seg.nii.gz");
    let head = head();
    let few = made(|radius, n| if radius < 5.0 { 65.0 + grain(n) } else { 0.0 });
    let ct = made(|radius, n| if radius < 15.0 { 40.0 + grain(n) } else { -1000.0 + grain(n) });
    let constant = made(|_, _| 7.0);
    for (name, volume, words) in [
        ("labels.nii", &expected_volume(), "map of labels"),
        ("few.nii", &few, "expected a brain"),
        ("ct.nii", &ct, "as air in CT"),
        ("constant.nii", &constant, "every voxel"),
    ] {
        write_volume(&path(name), volume).unwrap();
        let error = failed(segment(&[text(&path(name)), "-o", text(&output)]), 3);
        assert!(error.contains(name) && error.contains(words), "{error}");
        assert!(!output.exists(), "{name}");
    }
    VolumeWriter::default().write(&path("series.nii"), &[head.clone(), head.clone()], &Silent).unwrap();
    let error = failed(segment(&[text(&path("series.nii")), "-o", text(&output)]), 3);
    assert!(error.contains("found 2") && error.contains("--volume N"), "{error}");
    done(segment(&[text(&path("series.nii")), "-o", text(&output), "--volume", "1"]));
    assert!(labels(&output) == expected(0));

    // Too little of a brain, taken all the same.
    let told = segment(&[text(&path("few.nii")), "-o", text(&path("few-seg.nii")), "--any-image"]);
    assert!(String::from_utf8_lossy(&told.stderr).contains("expected a brain"));
    assert!(labels(&path("few-seg.nii")).contains(&2));
}

fn expected_volume() -> Volume<f32> {
    Volume::new(head().grid().clone(), expected(0).into_iter().map(f32::from).collect()).unwrap()
}

#[test]
fn many_scans_go_into_a_folder_and_a_bad_one_stops_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("out")).unwrap();
    for name in ["a.nii", "c.nii"] {
        write_volume(&path(name), &head()).unwrap();
    }
    std::fs::write(path("b.nii"), b"no scan").unwrap();
    let inputs = [path("a.nii"), path("b.nii"), path("c.nii")];
    let [a, b, c] = [0, 1, 2].map(|n: usize| text(&inputs[n]));
    let out = path("out");
    let told = segment(&[a, b, c, "-o", text(&out), "--format", "mnc", "--keep-going"]);
    assert_eq!(told.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&told.stderr).contains("b.nii"));
    for name in ["a", "c"] {
        assert!(labels(&out.join(format!("{name}_tissue.mnc"))) == expected(0));
    }
    assert!(failed(segment(&[a, "-o", text(&out), "--format", "mnc"]), 2).contains("--force"));
}

/// Scaled and computed files seldom have exactly 0 around a stripped head.
#[test]
fn a_background_with_rounding_errors_is_outside_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("T1.nii"), folder.path().join("seg.nii"));
    let head = head();
    let values = head.data().iter().map(|&value| if value == 0.0 { -1.5e-6 } else { value }).collect();
    write_volume(&input, &Volume::new(head.grid().clone(), values).unwrap()).unwrap();
    done(segment(&[text(&input), "-o", text(&output)]));
    assert!(labels(&output) == expected(0));
}
