//! `segment ventricle`: made cines of discs, whose areas and volumes follow from their radii.
//!
//! The network's probability is 1 where an intensity is above one half, and 0 elsewhere.

use super::*;
use std::collections::BTreeMap;

const SIDE: usize = 72;
const PIXEL_MM: f64 = 1.5;

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../segmentation/tests/data/above-half")
}

/// A DICOM file of explicit little-endian elements, in the order of their tags.
pub(super) struct Dicom {
    elements: BTreeMap<(u16, u16), (&'static str, Vec<u8>)>,
}

impl Dicom {
    /// A frame whose stored values become thousandths.
    pub(super) fn new(side: usize, value: impl Fn(usize, usize) -> i16) -> Self {
        let mut made = Self { elements: BTreeMap::new() };
        made.text((0x0008, 0x0060), "CS", "MR").text((0x0010, 0x0020), "LO", "one").text((0x0020, 0x000d), "UI", "1.1");
        made.text((0x0020, 0x000e), "UI", "1.1.1").text((0x0020, 0x0052), "UI", "1.1.2");
        made.text((0x0028, 0x0004), "CS", "MONOCHROME2").text((0x0028, 0x1052), "DS", "0").text(
            (0x0028, 0x1053),
            "DS",
            "0.001",
        );
        made.text((0x0028, 0x0030), "DS", &format!("{PIXEL_MM}\\{PIXEL_MM}"));
        for (element, number) in [(2, 1), (0x10, side), (0x11, side), (0x100, 16), (0x101, 16), (0x102, 15), (0x103, 1)]
        {
            made.elements.insert((0x0028, element), ("US", (number as u16).to_le_bytes().to_vec()));
        }
        let pixels = (0..side * side).flat_map(|n| value(n % side, n / side).to_le_bytes()).collect();
        made.elements.insert((0x7fe0, 0x0010), ("OW", pixels));
        made
    }

    pub(super) fn text(&mut self, tag: (u16, u16), vr: &'static str, value: &str) -> &mut Self {
        let mut bytes = value.as_bytes().to_vec();
        if bytes.len() % 2 == 1 {
            bytes.push(if vr == "UI" { 0 } else { b' ' });
        }
        self.elements.insert(tag, (vr, bytes));
        self
    }

    /// Facing an oblique way, `along_mm` along the normal.
    pub(super) fn place(&mut self, along_mm: f64) -> &mut Self {
        // Rows along (3/5, 4/5, 0), columns along (0, 0, -1): the normal is (-4/5, 3/5, 0).
        self.text((0x0020, 0x0037), "DS", "0.6\\0.8\\0\\0\\0\\-1");
        self.text((0x0020, 0x0032), "DS", &format!("{:.4}\\{:.4}\\40", 7.0 - 0.8 * along_mm, 5.0 + 0.6 * along_mm))
    }

    pub(super) fn write(&self, path: &Path) {
        let mut bytes = [vec![0; 128], b"DICM".to_vec()].concat();
        let syntax = ((0x0002, 0x0010), ("UI", b"1.2.840.10008.1.2.1\0".to_vec()));
        for ((group, element), (vr, value)) in std::iter::once((&syntax.0, &syntax.1)).chain(&self.elements) {
            bytes.extend([group.to_le_bytes(), element.to_le_bytes()].concat());
            bytes.extend(vr.as_bytes());
            if *vr == "OW" {
                bytes.extend([0, 0]);
                bytes.extend((value.len() as u32).to_le_bytes());
            } else {
                bytes.extend((value.len() as u16).to_le_bytes());
            }
            bytes.extend(value);
        }
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// Centre of the discs: a little off the middle, and a brighter disc in the corner.
const CENTRE: [f64; 2] = [38.0, 35.0];

fn disc(radius: f64) -> impl Fn(usize, usize) -> i16 {
    move |x, y| {
        let away = |[cx, cy]: [f64; 2]| (x as f64 - cx).hypot(y as f64 - cy);
        if away(CENTRE) <= radius {
            900
        } else if away([12.0, 12.0]) <= 11.0 {
            990
        } else {
            ((x * 7 + y * 3) % 40) as i16
        }
    }
}

const SLICES: usize = 4;
const PHASES: usize = 8;
const STEP_MM: f64 = 8.0;

/// Radius in pixels: smallest at the fourth phase.
fn radius(slice: usize, phase: usize) -> f64 {
    10.0 + slice as f64 + 0.8 * (phase as f64 - 3.0).abs()
}

/// Names run against the order of slices and phases; `change` gets the frame, its slice and its phase.
fn cine(folder: &Path, phases: &[usize], change: impl Fn(&mut Dicom, usize, usize)) {
    for slice in 0..SLICES {
        for &phase in phases {
            let mut frame = Dicom::new(SIDE, disc(radius(slice, phase)));
            frame.place(STEP_MM * slice as f64);
            // Each slice has its own heart rate.
            let beat = 800 + 20 * slice;
            frame.text((0x0018, 0x1062), "IS", &beat.to_string());
            frame.text((0x0018, 0x1060), "DS", &format!("{:.3}", beat as f64 * (phase as f64 + 0.5) / PHASES as f64));
            change(&mut frame, slice, phase);
            frame.write(&folder.join(format!("{}.dcm", 1 + (SLICES - 1 - slice) * PHASES + (PHASES - 1 - phase))));
        }
    }
}

fn all() -> Vec<usize> {
    (0..PHASES).collect()
}

fn ventricle(inputs: &[&Path], out: &Path, more: &[&str]) -> Output {
    let model = model();
    let mut words = vec!["segment", "ventricle"];
    words.extend(inputs.iter().map(|path| text(path)));
    words.extend(["-o", text(out), "--model", text(&model), "--device", "builtin"]);
    words.extend(more);
    brainmesh(&words)
}

/// Pixels of a grey PNG.
fn png(path: &Path) -> Vec<u8> {
    let reader = brainmesh_formats::VolumeOptions::default().open(path).unwrap();
    assert_eq!(reader.info().volumes, 1, "{}", path.display());
    reader.read::<u8>(0, &brainmesh_core::Silent).unwrap().data().to_vec()
}

fn inside(radius: f64) -> Vec<u8> {
    let value = disc(radius);
    (0..SIDE * SIDE).map(|n| if value(n % SIDE, n / SIDE) == 900 { 255 } else { 0 }).collect()
}

#[test]
fn a_cine_gives_masks_contours_and_the_volumes_of_its_discs() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("patient"), folder.path().join("out"));
    cine(&input, &all(), |_, _, _| {});
    ok(&ventricle(&[&input], &out, &["--overlays", "--report"]));
    for slice in 0..SLICES {
        for phase in 0..PHASES {
            let number = 1 + (SLICES - 1 - slice) * PHASES + (PHASES - 1 - phase);
            let radius = radius(slice, phase);
            assert!(png(&out.join(format!("{number}.png"))) == inside(radius), "{number}");
            let contour = out.join(format!("IM-0001-{number:04}-icontour-auto.txt"));
            let points = brainmesh_formats::read_contour(&contour).unwrap();
            // Half a pixel inside the mask's edge, and a quarter further on, as drawn contours lie.
            for [x, y] in points {
                let away = (x - 0.25 - CENTRE[0]).hypot(y - 0.25 - CENTRE[1]);
                assert!((away - (radius - 0.5)).abs() < 0.7, "{number}: {away} of {radius}");
            }
        }
    }
    let report = json(&out.join("volumes.json"));
    let volume = |phase: usize| {
        let area = |slice: usize| std::f64::consts::PI * (radius(slice, phase) - 0.5).powi(2) * PIXEL_MM * PIXEL_MM;
        (0..SLICES).map(area).sum::<f64>() * STEP_MM / 1000.0
    };
    for phase in 0..PHASES {
        let found = report["volumes"]["phases_ml"][phase].as_f64().unwrap();
        assert!((found / volume(phase) - 1.0).abs() < 0.04, "{phase}: {found} ml of {}", volume(phase));
    }
    let function = &report["volumes"]["function"];
    assert_eq!((function["end_diastole_phase"].as_u64(), function["end_systole_phase"].as_u64()), (Some(8), Some(4)));
    let fraction = function["ejection_fraction"].as_f64().unwrap();
    assert!((fraction - (1.0 - volume(3) / volume(7))).abs() < 0.02, "{fraction}");
    assert!((report["stack"]["slice_distance_mm"].as_f64().unwrap() - STEP_MM).abs() < 1e-3);
    assert_eq!(report["pictures"].as_array().unwrap().len(), SLICES * PHASES);
    let sheet = brainmesh_formats::VolumeOptions::default().open(&out.join("overlays/sheet.png")).unwrap();
    assert_eq!(sheet.info().volumes, 3);
    assert!(out.join("overlays/1-overlay.png").exists());
    assert_eq!(std::fs::read_to_string(out.join("areas.csv")).unwrap().lines().count(), 1 + SLICES * PHASES);

    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains(&format!("<dd>{:.1} %</dd>", 100.0 * fraction)));
    assert!(page.contains(&sha256(&input.join("1.dcm"))) && page.matches("data:image/jpeg").count() == 1);

    fails(&ventricle(&[&input], &out, &[]), 2, &["--force", "exists already"]);
    ok(&ventricle(&[&input], &out, &["--skip-existing"]));
}

#[test]
fn one_series_for_each_slice_is_one_cine_and_other_heaps_of_series_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let series = (0x0020, 0x000e);
    cine(&path("slices"), &[0, 3], |frame, slice, _| {
        frame.text(series, "UI", &format!("1.1.1.{slice}"));
    });
    let done = ventricle(&[&path("slices")], &path("out"), &["--two-phases", "--json"]);
    ok(&done);
    let told: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(told["volumes"]["function"]["end_diastole_phase"], 1);
    assert_eq!(json(&path("out/volumes.json")), told);

    cine(&path("halves"), &[0, 3], |frame, slice, _| {
        frame.text(series, "UI", if slice < 2 { "1.1.1.1" } else { "1.1.1.2" });
    });
    fails(
        &ventricle(&[&path("halves")], &path("none"), &[]),
        3,
        &["SeriesInstanceUID", "1.1.1.1", "1.1.1.2", "--series"],
    );
    ok(&ventricle(&[&path("halves")], &path("half"), &["--series", "1.1.1.2"]));
    assert_eq!(json(&path("half/volumes.json"))["pictures"].as_array().unwrap().len(), 4);
    fails(&ventricle(&[&path("halves")], &path("none"), &["--series", "9.9"]), 3, &["series 9.9", "1.1.1.2"]);

    cine(&path("people"), &[0], |frame, slice, _| {
        frame.text((0x0010, 0x0020), "LO", if slice < 2 { "one" } else { "two" });
    });
    fails(&ventricle(&[&path("people")], &path("none"), &[]), 3, &["PatientID", "folder of its own"]);
    assert!(!path("none").exists());
}

#[test]
fn what_is_no_short_axis_cine_of_mr_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let refused = |name: &str, words: &[&str], change: &dyn Fn(&mut Dicom, usize, usize)| {
        cine(&path(name), &[0, 3], change);
        fails(&ventricle(&[&path(name)], &path("out"), &[]), 3, words);
    };
    refused("ct", &["Modality", "MR", "CT"], &|frame, _, _| {
        frame.text((0x0008, 0x0060), "CS", "CT");
    });
    refused("hounsfield", &["Hounsfield"], &|frame, _, _| {
        frame.text((0x0028, 0x1052), "DS", "-1024").text((0x0028, 0x1053), "DS", "1");
    });
    refused("long-axis", &["ImageOrientationPatient", "2 of 8", "long axes"], &|frame, slice, _| {
        if slice == 0 {
            frame.text((0x0020, 0x0037), "DS", "0\\1\\0\\0\\0\\-1");
        }
    });
    refused("brain", &["BodyPartExamined", "BRAIN"], &|frame, _, _| {
        frame.text((0x0018, 0x0015), "CS", "BRAIN");
    });
    refused("localiser", &["ImageType", "localiser"], &|frame, _, _| {
        frame.text((0x0008, 0x0008), "CS", "ORIGINAL\\PRIMARY\\LOCALIZER");
    });
    refused("thin", &["ImagePositionPatient", "1.00 mm apart"], &|frame, slice, _| {
        frame.place(slice as f64);
    });
    refused("blank", &["the same value everywhere", ".dcm"], &|frame, _, phase| {
        if phase == 3 {
            frame.elements.insert((0x7fe0, 0x0010), ("OW", vec![0; SIDE * SIDE * 2]));
        }
    });
    // Cause: a slip of units asked for a picture of 656 x 656 pixels, a worse one for all memory.
    refused("units", &["PixelSpacing", "0.3 to 4 mm", "15 x 15"], &|frame, _, _| {
        frame.text((0x0028, 0x0030), "DS", "15\\15");
    });
    // Cause: files that are not what they are called were passed over, and volumes lacked their slices.
    for (name, content) in [("lost", &b""[..]), ("noise", &b"neither DICOM nor a picture"[..])] {
        cine(&path(name), &[0], |_, _, _| {});
        std::fs::write(path(name).join("32.dcm"), content).unwrap();
        fails(&ventricle(&[&path(name)], &path("out"), &[]), 3, &["32.dcm", "expected a DICOM image"]);
    }
    std::fs::create_dir(path("empty")).unwrap();
    fails(&ventricle(&[&path("empty")], &path("out"), &[]), 3, &["DICOM", "PNG", "neither"]);
    std::fs::write(path("notes.txt"), "x y\n".repeat(99)).unwrap();
    fails(&ventricle(&[&path("notes.txt")], &path("out"), &[]), 3, &["notes.txt", "DICOM image or a PNG"]);
    fails(&ventricle(&[&path("missing")], &path("out"), &[]), 3, &["no such file"]);
    assert!(!path("out").exists());
}

#[test]
fn volumes_are_given_only_where_pictures_allow_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let reason = |name: &str, phases: &[usize], change: &dyn Fn(&mut Dicom, usize, usize)| {
        cine(&path(name), phases, change);
        let out = path(&format!("{name}-out"));
        ok(&ventricle(&[&path(name)], &out, &[]));
        let report = json(&out.join("volumes.json"));
        assert!(report["volumes"]["function"].is_null());
        let masks = entries(&out).iter().filter(|path| path.extension().is_some_and(|e| e == "png")).count();
        assert_eq!(masks, report["pictures"].as_array().unwrap().len());
        (report["volumes"]["not_given"].as_str().unwrap().to_owned(), report)
    };
    let (why, report) = reason("two", &[0, 3], &|_, _, _| {});
    assert!(why.contains("--two-phases") && report["volumes"]["phases_ml"].as_array().unwrap().len() == 2, "{why}");
    let (why, _) = reason("gap", &all(), &|frame, slice, _| {
        frame.place(if slice == 3 { 4.0 * STEP_MM } else { STEP_MM * slice as f64 });
    });
    assert!(why.contains("8.00 mm apart") && why.contains("16.00 mm"), "{why}");
    let (why, report) = reason("unscaled", &all(), &|frame, _, _| {
        frame.elements.remove(&(0x0028, 0x0030));
    });
    assert!(why.contains("distance of their pixels"), "{why}");
    assert!(report["warnings"][0].as_str().unwrap().contains("PixelSpacing"));
    let (why, _) = reason("untimed", &all(), &|frame, _, _| {
        frame.elements.remove(&(0x0018, 0x1060));
    });
    assert!(why.contains("have one time"), "{why}");
}

#[test]
fn a_picture_without_a_ventricle_has_an_empty_mask_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in"), folder.path().join("out"));
    cine(&input, &[0, 3], |frame, slice, phase| {
        if (slice, phase) == (3, 3) {
            let dark = Dicom::new(SIDE, |x, y| ((x + y) % 30) as i16);
            frame.elements.insert((0x7fe0, 0x0010), dark.elements[&(0x7fe0, 0x0010)].clone());
        }
    });
    let done = ventricle(&[&input], &out, &[]);
    ok(&done);
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(told.contains("5.dcm") && told.contains("no ventricle found"), "{told}");
    assert!(png(&out.join("5.png")).iter().all(|&value| value == 0));
    assert!(
        !out.join("IM-0001-0005-icontour-auto.txt").exists() && out.join("IM-0001-0008-icontour-auto.txt").exists()
    );
}

#[test]
fn png_pictures_get_masks_of_their_names_in_folders_where_names_repeat() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // Grey as colours that agree; values above one half of a grey level are inside.
    let write = |name: &str, radius: f64, colour: u8| {
        let value = disc(radius);
        let rgb: Vec<u8> = (0..SIDE * SIDE)
            .flat_map(|n| match value(n % SIDE, n / SIDE) {
                900 => [100, 100, 100_u8.wrapping_add(colour)],
                990 => [90; 3],
                _ => [0; 3],
            })
            .collect();
        std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
        brainmesh_formats::write_png(&path(name), [SIDE, SIDE], &rgb).unwrap();
    };
    for (name, radius) in [("a/SC-1-IM-0001-0007.dcm.png", 12.0), ("b/SC-2-IM-0001-0009.dcm.png", 15.0)] {
        write(&format!("set/Images/{name}"), radius, 0);
        write(&format!("set/Labels/{name}"), 3.0, 0);
    }
    ok(&ventricle(&[&path("set")], &path("out"), &["--contours"]));
    assert!(png(&path("out/SC-1-IM-0001-0007.dcm.png")) == inside(12.0));
    assert!(png(&path("out/SC-2-IM-0001-0009.dcm.png")) == inside(15.0));
    assert!(path("out/SC-1-IM-0001-0007-icontour-auto.txt").exists());
    assert_eq!(entries(&path("out")).len(), 2 + 2 + 2, "masks, contours, volumes.json and areas.csv");

    write("set/Images/c/SC-2-IM-0001-0009.dcm.png", 9.0, 0);
    ok(&ventricle(&[&path("set")], &path("deep"), &[]));
    assert!(png(&path("deep/c/SC-2-IM-0001-0009.dcm.png")) == inside(9.0));
    assert!(png(&path("deep/b/SC-2-IM-0001-0009.dcm.png")) == inside(15.0));

    write("set/Images/a/colours.png", 12.0, 40);
    fails(&ventricle(&[&path("set")], &path("none"), &[]), 3, &["colours.png", "grey", "differ"]);
    assert!(!path("none").exists());
    let kept = ventricle(&[&path("set")], &path("kept"), &["--keep-going"]);
    assert_eq!(kept.status.code(), Some(3));
    assert!(path("kept/a/SC-1-IM-0001-0007.dcm.png").exists() && !path("kept/a/colours.png").exists());
    brainmesh_formats::write_png(&path("mask.png"), [SIDE, SIDE], &inside(9.0)).unwrap();
    fails(&ventricle(&[&path("mask.png")], &path("none"), &[]), 3, &["mask.png", "two values"]);
    fails(&ventricle(&[&path("set/Images")], &path("set/Images"), &["--force"]), 2, &["another file than an input"]);
}
