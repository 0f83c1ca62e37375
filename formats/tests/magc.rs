//! `.magc` files: what Python's configparser wrote with MagFinder's numbers, and what is refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use brainmesh_formats::{WaferMark, WaferMarks, read_magc, write_magc};
use std::path::{Path, PathBuf};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/magc/wafer.magc")
}

fn mark(points_px: &[[f64; 2]]) -> WaferMark {
    WaferMark { points_px: points_px.to_vec(), other: Vec::new() }
}

fn read_text(text: &str) -> Result<WaferMarks, brainmesh_formats::Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.magc");
    std::fs::write(&path, text).unwrap();
    read_magc(&path)
}

#[test]
fn every_mark_is_where_the_generator_put_it() {
    let marks = read_magc(&fixture()).unwrap();
    assert_eq!(marks.sections.keys().copied().collect::<Vec<_>>(), [1, 12]);
    // The file's .5,.5 is the middle of the first pixel.
    let first = &marks.sections[&1];
    assert_eq!(first.points_px, [[10.0, 20.0], [10.0, 7.75], [39.5, 7.5], [41.625, 21.25]]);
    assert_eq!(marks.sections[&12].other, [("compression".to_owned(), "0.97".to_owned())]);
    assert_eq!(marks.focus[&1], mark(&[[11.5, 8.5], [38.5, 8.5]]));
    assert_eq!(marks.magnets[&1], mark(&[[24.5, 30.0]]));
    assert_eq!(marks.landmarks[&0], mark(&[[1.0, 2.0]]));
    assert_eq!(marks.rois[&(12, 0)].points_px[2], [70.5, 74.5]);
    assert_eq!((marks.serial_order, marks.stage_order), (vec![12, 1], vec![1, 12]));
    let note = ("note".to_owned(), "two\nlines".to_owned());
    assert_eq!(marks.other, [("microscope".to_owned(), vec![("beam".to_owned(), "3.0".to_owned()), note])]);
    // Straight up is 90 degrees, down to the left -135; the mean of the corners is the centre.
    assert_eq!(first.angle_degrees(), Some(90.0));
    assert_eq!(marks.sections[&12].angle_degrees(), Some(-135.0));
    assert_eq!(marks.sections[&12].centre_px(), [74.5, 64.5]);
    assert_eq!(marks.magnets[&1].angle_degrees(), None);
}

#[test]
fn what_is_written_is_what_python_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.magc");
    write_magc(&path, &read_magc(&fixture()).unwrap()).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), std::fs::read_to_string(fixture()).unwrap());
}

#[test]
fn stored_angles_turn_back_as_magfinder_turns_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.magc");
    for degrees in [-179.0_f64, -90.0, -45.0, 0.0, 30.0, 90.0, 135.0, 180.0] {
        let [x, y] = [degrees.to_radians().cos() * 50.0, -degrees.to_radians().sin() * 50.0];
        let section = mark(&[[100.0, 100.0], [100.0 + x, 100.0 + y], [300.0, 301.0]]);
        let marks = WaferMarks { sections: [(3, section)].into(), ..WaferMarks::default() };
        write_magc(&path, &marks).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let stored: f64 = text.lines().find_map(|l| l.strip_prefix("angle = ")).unwrap().parse().unwrap();
        let back = (stored + 90.0).rem_euclid(360.0) - 180.0;
        let apart = (back - degrees + 180.0).rem_euclid(360.0) - 180.0;
        assert!(apart.abs() < 1e-5, "{degrees}: {stored} turns back to {back}");
        // Nothing said: by number.
        assert!(text.contains("serial_order = []"));
        assert_eq!(read_magc(&path).unwrap().serial_order, [3]);
    }
}

#[test]
fn faults_are_named() {
    let section = "[section.0001]\npolygon = 1,1,9,1,9,9\n";
    for (text, expected) in [
        ("polygon = 1,1\n".to_owned(), "line 1: expected [name] before anything else"),
        ("[sections\n".to_owned(), "line 1: expected [name]"),
        (format!("{section}{section}"), "line 3: expected each section once"),
        (format!("{section}[section.1]\npolygon = 1,1,9,1,9,9\n"), "[section.1]: expected each number once"),
        ("[section.1]\npolygon = 1,1,9,1,9,9\npolygon = 2\n".to_owned(), "polygon again"),
        ("[section.1]\nsome words\n".to_owned(), "line 2: expected key = value"),
        ("[section.x]\npolygon = 1,1,9,1,9,9\n".to_owned(), "[section.x]: expected a number after each dot"),
        ("[roi.1]\npolygon = 1,1,9,1,9,9\n".to_owned(), "[roi.1]: expected one number, or two of a roi"),
        ("[section.1]\npolygon = 1,1,9,1,9\n".to_owned(), "pairs of finite numbers x,y, found 5 numbers"),
        ("[section.1]\npolygon = 1,1,9,1,9,nan\n".to_owned(), "pairs of finite numbers x,y, found \"nan\""),
        ("[section.1]\npolygon = 1,1,9,1\n".to_owned(), "expected three corners or more"),
        ("[section.1]\narea = 3\n".to_owned(), "expected three corners or more"),
        ("[magnet.1]\nlocation = 1,1,2,2\n".to_owned(), "expected one point"),
        (format!("[sections]\nnumber = 2\n{section}"), "[sections] number: expected 2, found 1 of them"),
        (
            format!("{section}[serial_order]\nserial_order = 1,2\n"),
            "expected numbers of sections, each once, found \"2\"",
        ),
        (
            format!("{section}[serial_order]\nserial_order = 1,1\n"),
            "expected numbers of sections, each once, found \"1\"",
        ),
        (format!("{section}[stage_order]\norder = 1\n"), "expected the key stage_order"),
    ] {
        let error = read_text(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?} gave {error}, expected {expected}");
    }
    assert!(read_text("[section.1]\npolygon = 1,1,9,1,9,9,\u{fffd}\n").is_err());
    let open = WaferMarks { sections: [(1, mark(&[[1.0, 1.0]]))].into(), ..WaferMarks::default() };
    let folder = tempfile::tempdir().unwrap();
    assert!(write_magc(&folder.path().join("d.magc"), &open).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn other_programs_ways_are_read() {
    let text = "; a comment\r\n[sections]\r\n[section.7]\r\nPolygon: 1.0, 1.0, 9.5,1,9,9\r\n\r\n# end\r\n";
    let marks = read_text(text).unwrap();
    assert_eq!(marks.sections[&7].points_px[1], [9.0, 0.5]);
    assert_eq!(marks.stage_order, [7]);
    assert_eq!(read_text("").unwrap(), WaferMarks::default());
}
