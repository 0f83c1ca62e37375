//! Every fault of a DICOM series: its type where reading is strict, what a repair does about it, and what is beyond repair.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, reason = "shared by several tests")]
#[path = "support/dicom.rs"]
mod support;

use brainmesh_core::{Silent, Volume, VoxelPoint};
use brainmesh_formats::{DicomFault, Error, VolumeOptions, dicom_sidecar, read_volume};
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::DefaultDicomObject;
use std::path::Path;
use support::{changed, fixture, put};
use tempfile::TempDir;

/// The fault strict reading finds.
fn fault(path: &Path) -> DicomFault {
    match read_volume(path) {
        Err(Error::Dicom { fault, .. }) => fault,
        other => panic!("{other:?}"),
    }
}

/// What a repair makes of it, and what it says.
fn repaired(path: &Path) -> (Volume<f32>, String) {
    let file = VolumeOptions::default().with_repair(true).open(path).unwrap();
    (file.read(0, &Silent).unwrap(), file.info().warnings.join("; "))
}

/// Six slices along the third axis at the given places, each with its own intensities.
fn stack(places: [f64; 6], change: impl Fn(usize, &mut DefaultDicomObject)) -> TempDir {
    changed("echoes", |n, slice| {
        slice.remove_element(tags::ECHO_TIME);
        put(slice, tags::IMAGE_POSITION_PATIENT, VR::DS, &format!("1\\2\\{}", places[n]));
        put(slice, tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\1\\0");
        change(n, slice);
    })
}

const EVEN: [f64; 6] = [0.0, 2.0, 4.0, 6.0, 8.0, 10.0];

/// World z of every slice.
fn heights(volume: &Volume<f32>) -> Vec<f64> {
    let z = |k: usize| volume.grid().world_from_voxel(VoxelPoint::new(0.0, 0.0, k as f64)).0.z;
    (0..volume.grid().shape()[2]).map(z).collect()
}

#[test]
fn a_gap_keeps_the_longest_run_where_it_is() {
    let folder = stack([0.0, 2.0, 6.0, 8.0, 10.0, 12.0], |_, _| {});
    let DicomFault::Gap { before, after, missing, step_mm, usual_mm } = fault(folder.path()) else { panic!() };
    assert_eq!((before.as_str(), after.as_str(), missing), ("2.dcm", "3.dcm", 1));
    assert!((step_mm - 4.0).abs() < 1e-9 && (usual_mm - 2.0).abs() < 1e-9);
    let (volume, said) = repaired(folder.path());
    assert_eq!(heights(&volume), [6.0, 8.0, 10.0, 12.0]);
    assert!(said.contains("2 of 6 slices left out") && said.contains("3.dcm to 6.dcm are kept"), "{said}");
    // The intensities are those of the slices that were kept.
    let whole = read_volume(stack(EVEN, |_, _| {}).path()).unwrap();
    assert_eq!(volume.data(), &whole.data()[2 * 20..]);
}

#[test]
fn jitter_goes_to_even_steps() {
    let folder = stack([0.0, 2.0, 4.2, 6.0, 8.0, 10.0], |_, _| {});
    let DicomFault::Jitter { before, after, .. } = fault(folder.path()) else { panic!() };
    assert_eq!((before.as_str(), after.as_str()), ("2.dcm", "3.dcm"));
    let (volume, said) = repaired(folder.path());
    // Least squares through the six places, worked out by hand: a step of 2 - 0.1 / 17.5, the middle raised by 0.2 / 6.
    let step = 2.0 - 0.1 / 17.5;
    let expected = (0..6).map(|k| 5.0 + 0.2 / 6.0 + step * (f64::from(k) - 2.5));
    assert!(heights(&volume).iter().zip(expected).all(|(found, z)| (found - z).abs() < 1e-9), "{:?}", heights(&volume));
    assert!(said.contains("even steps") && said.contains("3.dcm by 0.1"), "{said}");
}

#[test]
fn a_slice_far_beside_the_line_is_beyond_repair() {
    let aside = |x: f64| {
        stack(EVEN, move |n, slice| {
            let x = if n == 2 { 1.0 + x } else { 1.0 };
            put(slice, tags::IMAGE_POSITION_PATIENT, VR::DS, &format!("{x}\\2\\{}", EVEN[n]));
        })
    };
    assert!(matches!(fault(aside(3.0).path()), DicomFault::OffLine { slice, .. } if slice == "3.dcm"));
    assert!(VolumeOptions::default().with_repair(true).read(aside(3.0).path()).is_err());
    assert!(matches!(fault(aside(0.3).path()), DicomFault::OffLine { .. }));
    assert!(repaired(aside(0.3).path()).1.contains("even steps"));
}

#[test]
fn copies_go_and_others_at_the_same_place_stay_an_error() {
    let folder = stack(EVEN, |_, _| {});
    std::fs::copy(folder.path().join("3.dcm"), folder.path().join("copy.dcm")).unwrap();
    let DicomFault::DuplicatePosition { first, second } = fault(folder.path()) else { panic!() };
    assert_eq!((first.as_str(), second.as_str()), ("3.dcm", "copy.dcm"));
    let (volume, said) = repaired(folder.path());
    assert_eq!(heights(&volume), EVEN);
    assert!(said.contains("copy.dcm left out: it repeats 3.dcm"), "{said}");
    let folder = stack([0.0, 2.0, 2.0, 4.0, 6.0, 8.0], |_, _| {});
    assert!(matches!(fault(folder.path()), DicomFault::DuplicatePosition { .. }));
    assert!(VolumeOptions::default().with_repair(true).read(folder.path()).is_err());
}

#[test]
fn kinds_of_slices_are_listed_and_chosen_by_name() {
    const UID: &str = "1.2.826.0.1.3680043.8.498.1.1";
    // Two slices of a localizer across the four others.
    let folder = stack(EVEN, |n, slice| {
        if n < 2 {
            put(slice, tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "0\\1\\0\\0\\0\\-1");
            put(slice, tags::IMAGE_POSITION_PATIENT, VR::DS, &format!("{}\\2\\0", 3 * n));
        }
    });
    let DicomFault::Mixed { field, groups } = fault(folder.path()) else { panic!() };
    assert_eq!(field, "ImageOrientationPatient");
    assert!(groups[0].starts_with(&format!("{UID}/1 (2 images")), "{groups:?}");
    assert!(groups[1].starts_with(&format!("{UID}/2 (4 images")), "{groups:?}");
    let kind = |n: usize| VolumeOptions::default().with_series(format!("{UID}/{n}")).read(folder.path());
    assert_eq!([1, 2].map(|n| kind(n).unwrap().grid().shape()), [[5, 4, 2], [5, 4, 4]]);
    assert!(kind(3).is_err());
    let (volume, said) = repaired(folder.path());
    assert_eq!(heights(&volume), EVEN[2..]);
    assert!(said.contains("ImageOrientationPatient differs"), "{said}");

    type Change = fn(&mut DefaultDicomObject);
    let changes: [(&str, Change); 3] = [
        ("Columns and Rows", |s| {
            s.put(DataElement::new(tags::ROWS, VR::US, PrimitiveValue::from(3u16)));
        }),
        ("PixelSpacing", |s| put(s, tags::PIXEL_SPACING, VR::DS, "2\\2")),
        ("FrameOfReferenceUID", |s| put(s, tags::FRAME_OF_REFERENCE_UID, VR::UI, "1.2.3")),
    ];
    for (expected, change) in changes {
        let folder = stack(EVEN, |n, slice| {
            if n == 5 {
                change(slice)
            }
        });
        assert!(matches!(fault(folder.path()), DicomFault::Mixed { field, .. } if field == expected), "{expected}");
        let (volume, said) = repaired(folder.path());
        assert_eq!(heights(&volume), EVEN[..5]);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn slices_that_lack_something_are_left_out_but_spacing_is_never_guessed() {
    let without = |tag| {
        stack(EVEN, move |n, slice| {
            if n == 5 {
                slice.remove_element(tag);
            }
        })
    };
    let folder = without(tags::IMAGE_POSITION_PATIENT);
    assert_eq!(fault(folder.path()), DicomFault::MissingPosition { file: "6.dcm".into() });
    let (volume, said) = repaired(folder.path());
    assert_eq!(heights(&volume), EVEN[..5]);
    assert!(said.contains("left out: 6.dcm: ImagePositionPatient"), "{said}");

    let folder = stack(EVEN, |_, _| {});
    let path = folder.path().join("6.dcm");
    let bytes = std::fs::read(&path).unwrap();
    // The length of the pixel data is put right, so that only the image is too short.
    let mut cut = bytes[..bytes.len() - 8].to_vec();
    let at = cut.windows(6).rposition(|w| w == b"\xe0\x7f\x10\0OW").unwrap();
    cut[at + 8..at + 12].copy_from_slice(&32u32.to_le_bytes());
    std::fs::write(&path, &cut).unwrap();
    let truncated = DicomFault::TruncatedPixels { file: "6.dcm".into(), expected_bytes: 40, found_bytes: 32 };
    assert_eq!(fault(folder.path()), truncated);
    let (volume, said) = repaired(folder.path());
    assert_eq!(heights(&volume), EVEN[..5]);
    assert!(said.contains("6.dcm: pixel data truncated"), "{said}");

    let beyond = [
        (tags::PIXEL_SPACING, DicomFault::MissingSpacing { file: "6.dcm".into() }),
        (tags::IMAGE_ORIENTATION_PATIENT, DicomFault::MissingOrientation { file: "6.dcm".into() }),
    ];
    for (tag, expected) in beyond {
        let folder = without(tag);
        assert_eq!(fault(folder.path()), expected);
        assert!(VolumeOptions::default().with_repair(true).read(folder.path()).is_err());
    }
    let alone = changed("series", |_, slice| {
        slice.remove_element(tags::SLICE_THICKNESS);
    });
    let alone = alone.path().join("a.dcm");
    assert_eq!(fault(&alone), DicomFault::MissingThickness { file: "a.dcm".into() });
}

#[test]
fn tilt_and_varying_rescale_are_told_but_no_error() {
    let warnings = |path: &Path| VolumeOptions::default().open(path).unwrap().info().warnings.join("; ");
    let said = warnings(&fixture("series"));
    // 0.4 mm along the columns for 2.5 mm along the normal.
    assert!(said.contains(&format!("{:.2} degrees", (0.4f64 / 2.5).atan().to_degrees())), "{said}");
    assert!(said.contains("RescaleSlope and RescaleIntercept differ"), "{said}");
    assert_eq!(warnings(stack(EVEN, |_, _| {}).path()), "");
}

#[test]
fn a_sidecar_tells_of_the_scanner_and_never_of_the_person() {
    let told = dicom_sidecar(&fixture("mosaic.dcm"), &VolumeOptions::default()).unwrap();
    let expected = serde_json::json!({
        "Modality": "MR",
        "Manufacturer": "SIEMENS",
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"],
        "MagneticFieldStrength": 3.0,
        "RepetitionTime": 2.3,
        "EchoTime": 0.00298,
        "FlipAngle": 9.0,
        "SliceThickness": 2.0,
        "SpacingBetweenSlices": 2.5,
        "PhaseEncodingAxis": "j",
        // The mosaic's slices run against the normal, so the volume's first slice is its last.
        "SliceTiming": [0.8, 1.6, 0.4, 1.2, 0.0],
        "ConversionSoftware": "brainmesh",
        "ConversionSoftwareVersion": env!("CARGO_PKG_VERSION"),
    });
    assert_eq!(told, expected);
    // The generator puts these into every field that could name a person or a day.
    let bytes = std::fs::read(fixture("mosaic.dcm")).unwrap();
    assert!(bytes.windows(6).filter(|w| w == b"SECRET").count() >= 10);
    assert!(!told.to_string().contains("SECRET") && !told.to_string().contains("20010203"));
}
