//! `evaluate membrane`, `ventricle` and `tissue` on inputs that do not fit: one clear error each, never a score.

use super::ventricle::Dicom;
use super::*;
use brainmesh_core::{Grid, Volume};
use glam::{DAffine3, DVec3};

/// A mask of a box, 255 in `rows` x `columns` of 12 x 10 pixels.
fn mask(path: &Path, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let inside = |at: usize| rows.contains(&(at / 12)) && columns.contains(&(at % 12));
    let rgb: Vec<u8> = (0..120).flat_map(|at| [if inside(at) { 255 } else { 0 }; 3]).collect();
    brainmesh_formats::write_png(path, [12, 10], &rgb).unwrap();
}

/// A mask of a square picture, 255 in columns 0 and 1 of a row.
fn dash(path: &Path, side: usize, row: usize) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let inside = |at: usize| at / side == row && at % side < 2;
    let rgb: Vec<u8> = (0..side * side).flat_map(|at| [if inside(at) { 255 } else { 0 }; 3]).collect();
    brainmesh_formats::write_png(path, [side, side], &rgb).unwrap();
}

fn contour(path: &Path, points: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, points).unwrap();
}

/// A frame of so many rows and columns, 1.5 mm apart.
fn dicom(path: &Path, side: usize) {
    Dicom::new(side, |x, _| x as i16).place(0.0).text((0x0018, 0x0050), "DS", "8").write(path);
}

fn volume(path: &Path, shape: [usize; 3], origin_mm: DVec3, value: impl Fn(usize) -> f32) {
    let affine = DAffine3::from_translation(origin_mm);
    let grid = Grid::new(shape, affine, "scanner").unwrap();
    let data = (0..grid.voxel_count()).map(value).collect();
    let volume = Volume::new(grid, data).unwrap();
    brainmesh_formats::write_volume(path, &volume).unwrap();
}

fn evaluate(system: &str, found: &Path, truth: &Path, more: &[&str]) -> Output {
    brainmesh(&[&["evaluate", system, "--found", text(found), "--truth", text(truth)], more].concat())
}

fn scores(output: &Output) -> serde_json::Value {
    ok(output);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn frames_of_another_folder_and_frames_without_a_result_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (found, truth) = (folder.path().join("found"), folder.path().join("truth"));
    for (patient, frame) in [("A", "IM-0001-0020"), ("A", "IM-0001-0040"), ("B", "IM-0001-0020")] {
        mask(&truth.join(patient).join(format!("{frame}.png")), 2..8, 2..8);
    }
    // Off by one folder: other patients.
    mask(&found.join("C-IM-0001-0020.png"), 2..8, 2..8);
    mask(&found.join("D-IM-0001-0020.png"), 2..8, 2..8);
    fails(
        &evaluate("ventricle", &found, &truth, &[]),
        3,
        &["none in common", "C-IM-0001-0020.png", "IM-0001-0020.png", "--patients"],
    );

    let found = folder.path().join("some");
    mask(&found.join("A-IM-0001-0040.png"), 3..8, 2..8);
    mask(&found.join("A-IM-0001-0041.png"), 3..8, 2..8);
    fails(
        &evaluate("ventricle", &found, &truth, &[]),
        3,
        &["each of 3 frames", "none for 2", "IM-0001-0020.png", "--missing"],
    );

    let skipped = scores(&evaluate("ventricle", &found, &truth, &["--missing", "skip", "--json"]));
    assert_eq!((&skipped["missing"], &skipped["found_without_truth"]), (&2.into(), &1.into()));
    // 30 pixels of 36.
    assert!((skipped["pooled"]["dice_all"].as_f64().unwrap() - 60.0 / 66.0).abs() < 1e-12);
    let empty = scores(&evaluate("ventricle", &found, &truth, &["--missing", "empty", "--json"]));
    assert!((empty["pooled"]["dice_all"].as_f64().unwrap() - 20.0 / 66.0).abs() < 1e-12);
    assert_eq!((&empty["pooled"]["good"], &empty["pooled"]["worst_patient"]), (&0.25.into(), &"B".into()));
    let shown = evaluate("ventricle", &found, &truth, &["--missing", "empty"]);
    ok(&shown);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("nominal (1.37 mm)") && shown.contains("worst patient: B"), "{shown}");
}

#[test]
fn pictures_that_are_no_masks_or_of_another_size_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (found, truth) = (folder.path().join("found"), folder.path().join("truth"));
    mask(&truth.join("A-IM-0001-0020.png"), 2..8, 2..8);
    std::fs::create_dir_all(&found).unwrap();
    let path = found.join("A-IM-0001-0020.png");
    brainmesh_formats::write_png(&path, [12, 9], &[255; 12 * 9 * 3]).unwrap();
    fails(&evaluate("ventricle", &found, &truth, &[]), 3, &["12 x 10 pixels", "12 x 9"]);
    let colours: Vec<u8> = (0..120).flat_map(|at| [at as u8, 0, 255]).collect();
    brainmesh_formats::write_png(&path, [12, 10], &colours).unwrap();
    fails(&evaluate("ventricle", &found, &truth, &[]), 3, &["grey", "colours"]);
    let greys: Vec<u8> = (0..120).flat_map(|at| [at as u8; 3]).collect();
    brainmesh_formats::write_png(&path, [12, 10], &greys).unwrap();
    fails(&evaluate("ventricle", &found, &truth, &[]), 3, &["mask of 0 and one other value", "A-IM-0001-0020.png"]);
    fails(&evaluate("ventricle", &found, &truth, &["--spacing-mm", "0"]), 2, &["--spacing-mm"]);
    std::fs::remove_file(&path).unwrap();
    fails(&evaluate("ventricle", &found, &truth, &[]), 3, &["expected masks (PNG) or contours", "found"]);
    // A contour beyond the picture of its mask, and one that is no contour.
    let path = found.join("A-IM-0001-0020-icontour-auto.txt");
    std::fs::write(&path, "1 1\n30 1\n30 5\n").unwrap();
    fails(&evaluate("ventricle", &found, &truth, &[]), 3, &["within 12 x 10 pixels", "30, 1"]);
    std::fs::write(&path, "1 1\n2 2\n").unwrap();
    fails(&evaluate("ventricle", &found, &truth, &[]), 3, &["icontour-auto.txt", "at least 3"]);
    std::fs::write(&path, "1 1\n1e9 1\n5 5\n").unwrap();
    fails(&evaluate("ventricle", &found, &truth, &[]), 3, &["icontour-auto.txt", "16384"]);
}

#[test]
fn frames_of_another_size_than_their_dicom_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let evaluate_with = |found: &str, truth: &str| {
        evaluate("ventricle", &path(found), &path(truth), &["--dicom", text(&path("dicom")), "--json"])
    };
    dash(&path("truth/A/IM-0001-0020.png"), 12, 0);
    dash(&path("found/A-IM-0001-0020.png"), 12, 3);
    dicom(&path("dicom/A/20.dcm"), 12);
    // Three rows of 1.5 mm apart.
    let good = scores(&evaluate_with("found", "truth"));
    assert!((good["cases"][0]["apd_mm"].as_f64().unwrap() - 4.5).abs() < 1e-6, "{good}");

    // Pictures of half as many pixels: theirs are twice as long as the file says. Distances were once halved without a word.
    dicom(&path("dicom/A/20.dcm"), 24);
    let words = ["IM-0001-0020.png", "24 x 24 pixels", "20.dcm", "12 x 12"];
    fails(&evaluate_with("found", "truth"), 3, &words);
    // So for a frame whose number no file has.
    std::fs::rename(path("dicom/A/20.dcm"), path("dicom/A/7.dcm")).unwrap();
    fails(&evaluate_with("found", "truth"), 3, &["12 x 12", "7.dcm"]);
    dicom(&path("dicom/A/20.dcm"), 24);

    // A mask found against a contour of the large picture was once no overlap: Dice 0.
    contour(&path("lines/A/IM-0001-0020-icontour-manual.txt"), "2 2\n9 2\n9 9\n");
    fails(&evaluate_with("found", "lines"), 3, &words);
    fails(&evaluate_with("lines", "truth"), 3, &words);
    // Two contours do not tell their picture's size; a mask beside one does, with DICOM or without.
    contour(&path("both/A/IM-0001-0020-icontour-auto.txt"), "2 2\n9 2\n9 9\n");
    assert_eq!(scores(&evaluate_with("both", "lines"))["pooled"]["dice_all"], 1.0);
    dash(&path("both/A/IM-0001-0020.png"), 12, 3);
    fails(&evaluate_with("both", "lines"), 3, &words);
    dash(&path("lines/A/IM-0001-0020.png"), 24, 3);
    fails(&evaluate("ventricle", &path("both"), &path("lines"), &[]), 3, &["24 x 24", "12 x 12"]);

    // A contour that leaves the picture of the file.
    contour(&path("beyond/A/IM-0001-0020-icontour-auto.txt"), "2 2\n30 2\n9 9\n");
    std::fs::remove_file(path("lines/A/IM-0001-0020.png")).unwrap();
    fails(&evaluate_with("beyond", "lines"), 3, &["icontour-auto.txt", "within 24 x 24 pixels", "30, 2"]);
}

#[test]
fn dicom_without_the_frames_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for side in ["found", "truth"] {
        for number in [20, 21] {
            dash(&path(side).join(format!("A/IM-0001-00{number}.png")), 12, 3);
        }
    }
    let files = path("dicom");
    let words = ["--one-patient", "--dicom", text(&files), "--json"];
    // Another patient's files, or those of other frames: their pixel size is a guess.
    dicom(&path("dicom/B/20.dcm"), 12);
    let done = evaluate("ventricle", &path("found"), &path("truth"), &words);
    let told = scores(&done)["warnings"].clone();
    let warning = told[0].as_str().unwrap();
    assert!(warning.contains("number of 1 of the frames") && warning.contains("IM-0001-0021"), "{warning}");
    assert!(String::from_utf8_lossy(&done.stderr).contains("IM-0001-0021"));
    dicom(&path("dicom/B/21.dcm"), 12);
    let done = evaluate("ventricle", &path("found"), &path("truth"), &words);
    assert_eq!(scores(&done)["warnings"], serde_json::json!([]));
}

#[test]
fn masks_are_not_taken_for_a_contour_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let triangle = "2 2\n9 2\n9 9\n";
    contour(&path("truth/A/IM-0001-0020-ocontour-manual.txt"), triangle);
    // What `segment ventricle` writes: inner contours and masks. The masks were once scored as outer contours.
    contour(&path("found/A/IM-0001-0020-icontour-auto.txt"), triangle);
    dash(&path("found/A/IM-0001-0020.png"), 12, 3);
    let outer = |found: &str| evaluate("ventricle", &path(found), &path("truth"), &["--contour", "outer", "--json"]);
    fails(&outer("found"), 3, &["found: expected", "*ocontour*.txt", "*icontour*.txt (1)", "masks (1)"]);
    // The other way round too.
    let words = ["expected *icontour*.txt", "found *ocontour*.txt (1)"];
    fails(&evaluate("ventricle", &path("found"), &path("truth"), &[]), 3, &words);

    // Beside outer contours masks do not count, here for a frame that has no other.
    contour(&path("found/A/IM-0001-0020-ocontour-auto.txt"), triangle);
    dash(&path("found/A/IM-0001-0021.png"), 12, 3);
    let some = scores(&outer("found"));
    assert_eq!((&some["pooled"]["dice_all"], &some["found_without_truth"]), (&1.0.into(), &0.into()));
    assert!(some["warnings"][0].as_str().unwrap().contains("masks (2)"), "{some}");

    // Masks alone may be of the outer contour.
    dash(&path("masks/A/IM-0001-0020.png"), 12, 3);
    let masks = scores(&outer("masks"));
    assert!(masks["warnings"][0].as_str().unwrap().contains("taken for the outer contour"), "{masks}");
}

#[test]
fn slices_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let probability = |at: usize| if at % 12 == 5 { 0.1 } else { 0.9 };
    volume(&path("found.nii"), [12, 10, 2], DVec3::ZERO, probability);
    volume(&path("truth.nii"), [12, 10, 2], DVec3::ZERO, |at| f32::from(u8::from(at % 12 != 5)));
    let good = scores(&evaluate("membrane", &path("found.nii"), &path("truth.nii"), &["--json"]));
    assert_eq!((&good["slices"], &good["pooled"]["at_half"]["v_rand"]), (&2.into(), &1.0.into()));

    volume(&path("one.nii"), [12, 10, 1], DVec3::ZERO, |_| 1.0);
    fails(&evaluate("membrane", &path("found.nii"), &path("one.nii"), &[]), 3, &["2 slices", "found 1"]);
    volume(&path("small.nii"), [12, 5, 2], DVec3::ZERO, |_| 1.0);
    fails(&evaluate("membrane", &path("found.nii"), &path("small.nii"), &[]), 3, &["12 x 10 pixels", "12 x 5"]);
    volume(&path("empty.nii"), [12, 10, 2], DVec3::ZERO, |_| 0.0);
    fails(&evaluate("membrane", &path("found.nii"), &path("empty.nii"), &[]), 3, &["a cell at least", "empty.nii"]);
    volume(&path("numbers.nii"), [12, 10, 2], DVec3::ZERO, |at| (at % 3) as f32);
    fails(&evaluate("membrane", &path("found.nii"), &path("numbers.nii"), &[]), 3, &["--truth-instances", "found 2"]);
    fails(
        &evaluate("membrane", &path("numbers.nii"), &path("truth.nii"), &[]),
        3,
        &["probabilities up to 1", "found 2"],
    );
    volume(&path("negative.nii"), [12, 10, 2], DVec3::ZERO, |_| -0.5);
    fails(&evaluate("membrane", &path("negative.nii"), &path("truth.nii"), &[]), 3, &["probabilities from 0", "-0.5"]);

    // Numbers of cells and a mask of 0 and 7, which were once probabilities next to 0; then cell interior of bytes and words.
    let bytes = |name: &str, value: &dyn Fn(usize) -> u8| {
        let grid = Grid::new([12, 10, 2], DAffine3::IDENTITY, "scanner").unwrap();
        let data: Vec<u8> = (0..grid.voxel_count()).map(value).collect();
        let words: Vec<u16> = data.iter().map(|&value| u16::from(value) * 257).collect();
        brainmesh_formats::write_volume(&path(name), &Volume::new(grid.clone(), data).unwrap()).unwrap();
        let name = format!("words_{name}");
        brainmesh_formats::write_volume(&path(&name), &Volume::new(grid, words).unwrap()).unwrap();
    };
    let is_cell = |at: usize| at % 12 != 5;
    bytes("cells.nii", &|at| if is_cell(at) { 1 + (at / 120 * 2) as u8 + u8::from(at % 12 > 5) } else { 0 });
    bytes("seven.nii", &|at| if is_cell(at) { 7 } else { 0 });
    bytes("mask.nii", &|at| u8::from(is_cell(at)));
    bytes("interior.nii", &|at| if is_cell(at) { 200 } else { 10 });
    for (name, largest) in [("cells.nii", "up to 4 "), ("seven.nii", "up to 7 "), ("words_seven.nii", "up to 1799 ")] {
        let one = if name.starts_with("words") { "0 to 65535 (uint16)" } else { "0 to 255 (uint8)" };
        let words = [name, "expected probabilities from", one, "mask of 0 and 1", largest];
        fails(&evaluate("membrane", &path(name), &path("truth.nii"), &[]), 3, &words);
    }
    for name in ["mask.nii", "interior.nii", "words_interior.nii"] {
        let good = scores(&evaluate("membrane", &path(name), &path("truth.nii"), &["--json"]));
        assert_eq!(good["pooled"]["at_half"]["v_rand"], 1.0, "{name}");
    }

    // Folders of pictures are put together by name.
    for (side, name) in [("a", "1"), ("a", "2"), ("b", "2"), ("b", "3")] {
        mask(&path(side).join(format!("{name}.png")), 2..8, 2..8);
    }
    fails(&evaluate("membrane", &path("a"), &path("b"), &[]), 3, &["same names", "first: 1", "second: 3"]);
}

#[test]
fn labels_that_are_unknown_or_lie_elsewhere_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let tissue = |at: usize| (at % 4) as f32;
    volume(&path("found.nii"), [4, 4, 4], DVec3::ZERO, tissue);
    volume(&path("aseg.nii"), [4, 4, 4], DVec3::ZERO, |at| [0.0, 4.0, 42.0, 41.0][at % 4]);
    let words = ["--truth-labels", "freesurfer", "--json"];
    assert_eq!(scores(&evaluate("tissue", &path("found.nii"), &path("aseg.nii"), &words))["pooled"]["accuracy"], 1.0);
    fails(&evaluate("tissue", &path("found.nii"), &path("aseg.nii"), &[]), 3, &["aseg.nii", "4, 41, 42", "freesurfer"]);
    volume(&path("odd.nii"), [4, 4, 4], DVec3::ZERO, |at| [0.0, 999.0][at % 2]);
    fails(&evaluate("tissue", &path("found.nii"), &path("odd.nii"), &words[..2]), 3, &["odd.nii", "found 999"]);
    fails(&evaluate("tissue", &path("aseg.nii"), &path("found.nii"), &[]), 3, &["aseg.nii", "0 background"]);

    // Half a voxel aside: no score unless asked for; elsewhere: never.
    volume(&path("aside.nii"), [4, 4, 4], DVec3::new(0.4, 0.0, 0.0), tissue);
    fails(&evaluate("tissue", &path("aside.nii"), &path("found.nii"), &[]), 3, &["--resample", "(0.4, 0.0, 0.0)"]);
    let read = scores(&evaluate("tissue", &path("aside.nii"), &path("found.nii"), &["--resample", "--json"]));
    assert_eq!((&read["cases"][0]["resampled"], &read["pooled"]["accuracy"]), (&true.into(), &1.0.into()));
    volume(&path("away.nii"), [4, 4, 4], DVec3::new(90.0, 0.0, 0.0), tissue);
    fails(&evaluate("tissue", &path("away.nii"), &path("found.nii"), &["--resample"]), 3, &["only 0 %"]);
    let two = [text(&path("found.nii")).to_string(), text(&path("aside.nii")).to_string()];
    fails(
        &evaluate("tissue", &path("found.nii"), &path("found.nii"), &["--found", &two[1]]),
        2,
        &["--truth", "expected 2"],
    );
}

#[test]
fn scores_are_written_as_they_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    volume(&path("found.nii"), [4, 4, 4], DVec3::ZERO, |at| (at % 4) as f32);
    let out = path("scores.json");
    let printed = evaluate("tissue", &path("found.nii"), &path("found.nii"), &["--json", "--out", text(&out)]);
    assert_eq!(scores(&printed), json(&out));
    let table = evaluate("tissue", &path("found.nii"), &path("found.nii"), &[]);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.contains("white_matter  1.0000   1.0000"));
    // 64 voxels, 16 of a class: numbers of the confusion once ran together.
    let words = |line: &str| line.split_whitespace().map(String::from).collect::<Vec<_>>();
    assert!(table.lines().any(|line| words(line) == ["csf", "0", "16", "0", "0"]), "{table}");
}
