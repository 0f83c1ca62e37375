//! One section in each kind of file: the same outlines, beginning with the same corner.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use brainmesh_formats::{WaferMark, WaferMarks, WaferOutlines, read_wafer_outlines, write_magc};
use std::collections::BTreeMap;
use std::path::Path;

/// Tissue above its magnet part: from the seam (0), up to the far side (1, 2), back down (3).
const TISSUE: [[f64; 2]; 4] = [[10.0, 50.0], [12.0, 20.0], [90.0, 21.0], [91.0, 50.0]];
const MAGNET: [[f64; 2]; 4] = [[11.0, 70.0], [10.0, 52.0], [91.0, 52.0], [90.0, 70.0]];
const FROM_FAR_SIDE: [[f64; 2]; 4] = [[12.0, 20.0], [90.0, 21.0], [91.0, 50.0], [10.0, 50.0]];

fn written(folder: &Path, name: &str, content: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn feature(kind: &str, number: u32, corners: &[[f64; 2]], more: &str) -> String {
    let ring = [corners, &corners[..1]].concat();
    let geometry = format!(r#"{{"type":"Polygon","coordinates":[{ring:?}]}}"#);
    format!(
        r#"{{"type":"Feature","geometry":{geometry},"properties":{{"kind":"{kind}","number":{number},"angle":1.5{more}}}}}"#
    )
}

fn collection(features: &[String]) -> String {
    format!(r#"{{"type":"FeatureCollection","size":[200,100],"features":[{}]}}"#, features.join(","))
}

#[test]
fn every_kind_of_file_gives_the_same_outlines() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let line = |quad: [[f64; 2]; 4]| quad.map(|[x, y]| format!("{x},{y}\t")).concat();
    written(folder, "source_sections_tissue.txt", &line(TISSUE));
    written(folder, "source_sections_mag.txt", &line(MAGNET));
    let truth = format!(r#"{{"seed":1,"size":[200,100],"sections":[{{"tissue":{TISSUE:?},"magnet":{MAGNET:?}}}]}}"#);
    let truth = written(folder, "truth.json", &truth);
    let features = [feature("magnet", 7, &MAGNET, ""), feature("tissue", 7, &TISSUE, "")];
    let geojson = written(folder, "found.geojson", &collection(&features));
    // Written as MagFinder's: the long far side first, and the middle of the magnet part.
    let magc = folder.join("found.magc");
    let mark = |points_px| WaferMark { points_px, other: vec![] };
    let marks = WaferMarks {
        sections: BTreeMap::from([(7, mark(FROM_FAR_SIDE.to_vec()))]),
        magnets: BTreeMap::from([(7, mark(vec![[50.5, 61.0]]))]),
        ..WaferMarks::default()
    };
    write_magc(&magc, &marks).unwrap();

    for path in [folder, &folder.join("source_sections_tissue.txt"), &truth, &geojson, &magc] {
        let read = read_wafer_outlines(path).unwrap();
        let [section] = read.sections.as_slice() else { unreachable!("{}: {read:?}", path.display()) };
        let tissue = section.tissue.as_ref().unwrap();
        for (found, expected) in tissue.corners_px.iter().flatten().zip(FROM_FAR_SIDE.as_flattened()) {
            assert!((found - expected).abs() < 1e-6, "{}: {tissue:?}", path.display());
        }
        assert_eq!(tissue.confidence, None);
        let is_json = path == truth || path == geojson;
        assert_eq!(read.size_px, is_json.then_some([200.0, 100.0]));
        assert_eq!(read.has_magnet_outlines, is_json || path == folder);
        match &section.magnet {
            Some(magnet) => assert_eq!(magnet.corners_px[..2], MAGNET[1..3]),
            None => assert!(!read.has_magnet_outlines),
        }
        // The mean of the corners: (11 + 10 + 91 + 90) / 4, (70 + 52 + 52 + 70) / 4.
        if !path.ends_with("source_sections_tissue.txt") {
            assert_eq!(section.magnet_px, Some([50.5, 61.0]));
        }
    }
}

#[test]
fn confidences_are_read_of_either_kind_of_result() {
    let folder = tempfile::tempdir().unwrap();
    let more = |confidence: f64| format!(r#","confidence":{confidence}"#);
    let features = [feature("tissue", 2, &TISSUE, &more(0.25)), feature("magnet", 1, &MAGNET, &more(0.5))];
    let read = read_wafer_outlines(&written(folder.path(), "a.geojson", &collection(&features))).unwrap();
    // In order of the numbers: a magnet part alone, and tissue alone.
    let of = |read: &WaferOutlines, n: usize| read.sections[n].tissue.as_ref().map(|t| t.confidence);
    assert_eq!((of(&read, 0), of(&read, 1)), (None, Some(Some(0.25))));
    assert_eq!(read.sections[0].magnet.as_ref().unwrap().confidence, Some(0.5));
    let magc = folder.path().join("a.magc");
    let mark = WaferMark { points_px: TISSUE.to_vec(), other: vec![("confidence".into(), "0.75".into())] };
    write_magc(&magc, &WaferMarks { sections: BTreeMap::from([(1, mark)]), ..WaferMarks::default() }).unwrap();
    assert_eq!(of(&read_wafer_outlines(&magc).unwrap(), 0), Some(Some(0.75)));
}

#[test]
fn a_magc_may_have_outlines_of_magnet_parts() {
    let folder = tempfile::tempdir().unwrap();
    // As `segment sections` writes them: a section with both parts, and a magnet part alone.
    let corners: Vec<String> = MAGNET.as_flattened().iter().map(|v| (v + 0.5).to_string()).collect();
    let outline = ("outline".to_owned(), corners.join(","));
    let keys = vec![outline, ("confidence".to_owned(), "0.5".to_owned())];
    let mark = |points_px: &[[f64; 2]], other: &[(String, String)]| WaferMark {
        points_px: points_px.to_vec(),
        other: other.to_vec(),
    };
    let mut marks = WaferMarks {
        sections: BTreeMap::from([(1, mark(&FROM_FAR_SIDE, &[("confidence".into(), "0.75".into())]))]),
        magnets: BTreeMap::from([(1, mark(&[[50.5, 61.0]], &keys))]),
        other: vec![("magnet_alone.0002".into(), keys)],
        ..WaferMarks::default()
    };
    let path = folder.path().join("a.magc");
    write_magc(&path, &marks).unwrap();
    let read = read_wafer_outlines(&path).unwrap();
    assert!(read.has_magnet_outlines);
    let [both, alone] = read.sections.as_slice() else { unreachable!("{read:?}") };
    assert!(both.tissue.is_some() && alone.tissue.is_none());
    for magnet in [&both.magnet, &alone.magnet] {
        let magnet = magnet.as_ref().unwrap();
        assert_eq!((magnet.corners_px[0], magnet.confidence), (MAGNET[1], Some(0.5)));
    }
    // Where one has no outline they are places alone.
    marks.sections.insert(3, mark(&TISSUE.map(|[x, y]| [x, y + 200.0]), &[("confidence".into(), "0.5".into())]));
    marks.magnets.insert(3, mark(&[[50.0, 260.0]], &[]));
    write_magc(&path, &marks).unwrap();
    let read = read_wafer_outlines(&path).unwrap();
    assert!(!read.has_magnet_outlines && read.sections.iter().all(|section| section.magnet.is_none()));
    assert_eq!(read.sections[0].magnet_px, Some([50.5, 61.0]));
    let wrong = ("outline".to_owned(), "1,2,3".to_owned());
    marks.magnets.insert(3, mark(&[[50.0, 260.0]], &[wrong]));
    write_magc(&path, &marks).unwrap();
    let error = read_wafer_outlines(&path).unwrap_err().to_string();
    assert!(error.contains("[magnet.0003] outline") && error.contains("1,2,3"), "{error}");
}

#[test]
fn what_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let tissue = |corners: &[[f64; 2]]| format!(r#"{{"size":[9,9],"sections":[{{"tissue":{corners:?}}}]}}"#);
    let [a, b, c, d] = TISSUE;
    let one = feature("tissue", 1, &TISSUE, r#","confidence":1.5"#);
    let some = [feature("tissue", 1, &TISSUE, r#","confidence":0.5"#), feature("tissue", 2, &TISSUE, "")];
    for (content, words) in [
        ("", ["content", "something else"]),
        ("hello", ["content", "something else"]),
        ("{}", ["expected features", "sections"]),
        (r#"{"type":"FeatureCollection","features":[],"sections":[]}"#, ["expected features", "sections"]),
        (r#"{"size":[0,9],"sections":[]}"#, ["size", "above 0"]),
        (&tissue(&[a, b]), ["sections[0].tissue", "2 corners"]),
        (&tissue(&[a, c, b, d]), ["sections[0].tissue", "sides that cross"]),
        (&tissue(&[a, a, a, a]), ["sections[0].tissue", "no area"]),
        (&tissue(&vec![a; 1001]), ["sections[0].tissue", "1001 corners"]),
        (&collection(std::slice::from_ref(&one)), ["features[0]", "1.5"]),
        (
            &collection(&[feature("tissue", 1, &TISSUE, ""), feature("tissue", 1, &TISSUE, "")]),
            ["features[1]", "again"],
        ),
        (&collection(&some), ["confidence", "of all 2"]),
        (&collection(&[feature("brain", 1, &TISSUE, "")]), ["JSON", "brain"]),
        (&one.replace("Polygon", "MultiPolygon"), ["JSON", "expected features"]),
        ("1,2 3,4\n", ["line 1", "2 corners"]),
        ("1,2 3,4 5,7\n1,2 3 4,5", ["line 2", "x,y"]),
        ("1,2 3,4 5,inf", ["line 1", "finite"]),
    ] {
        let path = written(folder.path(), "wrong", content);
        let error = read_wafer_outlines(&path).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)) && error.contains("wrong"), "{content}: {error}");
    }
    let missing = read_wafer_outlines(folder.path()).unwrap_err().to_string();
    assert!(missing.contains("source_sections_tissue.txt"), "{missing}");
}
