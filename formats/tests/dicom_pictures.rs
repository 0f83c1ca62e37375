//! Single DICOM frames as pictures: what their headers say, and their intensities.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, reason = "shared by several tests")]
#[path = "support/dicom.rs"]
mod support;

use brainmesh_formats::{dicom_pictures, read_volume};
use dicom_core::VR;
use dicom_dictionary_std::tags;
use support::{changed, fixture, put};

#[test]
fn each_slice_is_a_picture_with_its_place_its_time_and_its_own_scale() {
    let folder = changed("series", |k, slice| {
        put(slice, tags::PATIENT_ID, VR::LO, "somebody");
        put(slice, tags::STUDY_INSTANCE_UID, VR::UI, "1.2.3");
        put(slice, tags::TRIGGER_TIME, VR::DS, &format!("{}.5", 100 * k));
        put(slice, tags::NOMINAL_INTERVAL, VR::IS, "800");
        put(slice, tags::TEMPORAL_POSITION_IDENTIFIER, VR::IS, &(k + 1).to_string());
    });
    let pictures = dicom_pictures(folder.path()).unwrap();
    let volume = read_volume(folder.path()).unwrap();
    assert_eq!(pictures.len(), 3);
    let plane = 5 * 4;
    for picture in &pictures {
        // The generator numbers slices along the stack, from 1.
        let k = picture.instance.unwrap() as usize - 1;
        assert_eq!((picture.size, picture.frames, picture.frame), ([5, 4], 1, 0));
        assert_eq!(
            (picture.modality.as_str(), picture.patient.as_str(), picture.study.as_str()),
            ("MR", "somebody", "1.2.3")
        );
        assert_eq!((picture.trigger_ms, picture.interval_ms), (Some(100.0 * k as f64 + 0.5), Some(800.0)));
        assert_eq!(picture.temporal_position, Some(k as i64 + 1));
        assert_eq!(picture.spacing_mm, Some([0.9, 1.25]));
        let [row, column] = picture.axes_lps.unwrap();
        assert!((row.cross(column).length() - 1.0).abs() < 1e-9);
        // The volume is in RAS, the picture's place in LPS.
        let first = volume.grid().world_from_voxel(brainmesh_core::VoxelPoint::new(0.0, 0.0, k as f64)).0;
        let place = picture.position_lps.unwrap();
        assert!((place.x + first.x).abs() + (place.y + first.y).abs() + (place.z - first.z).abs() < 1e-9);
        assert_eq!(picture.read().unwrap(), volume.data()[k * plane..(k + 1) * plane]);
    }
}

#[test]
fn frames_of_enhanced_images_are_pictures_and_bare_ones_are_refused() {
    let pictures = dicom_pictures(&fixture("enhanced.dcm")).unwrap();
    let volume = read_volume(&fixture("enhanced.dcm")).unwrap();
    // The generator stores slices 2, 0, 1.
    for (picture, k) in pictures.iter().zip([2, 0, 1]) {
        assert_eq!(picture.read().unwrap(), volume.data()[k * 20..(k + 1) * 20]);
        assert!(picture.name().starts_with("enhanced.dcm frame "));
    }
    assert_eq!(pictures.len(), 3);
    let bare = changed("series", |_, slice| put(slice, tags::NUMBER_OF_FRAMES, VR::IS, "2"));
    let error = dicom_pictures(bare.path()).unwrap_err().to_string();
    // Twice as many pixels are not there either; that is seen first.
    assert!(error.contains("truncated") && error.contains("80"), "{error}");
    let colours = fixture("pixels/SC_rgb_jpeg.dcm");
    let error = dicom_pictures(&colours).unwrap_err().to_string();
    assert!(error.contains("SC_rgb_jpeg.dcm") && error.contains("PhotometricInterpretation"), "{error}");
}

#[test]
fn what_a_header_does_not_say_is_not_made_up_and_low_is_white_is_turned() {
    let plain = dicom_pictures(&fixture("series")).unwrap();
    assert!(plain.iter().all(|picture| picture.trigger_ms.is_none() && picture.patient.is_empty()));
    let folder = changed("series", |_, slice| {
        for tag in [tags::PIXEL_SPACING, tags::IMAGE_POSITION_PATIENT, tags::IMAGE_ORIENTATION_PATIENT, tags::MODALITY]
        {
            slice.remove_element(tag);
        }
        put(slice, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME1");
    });
    let bare = dicom_pictures(folder.path()).unwrap();
    for (bare, plain) in bare.iter().zip(&plain) {
        assert_eq!((bare.spacing_mm, bare.position_lps, bare.axes_lps), (None, None, None));
        assert!(bare.modality.is_empty() && bare.low_is_white && !plain.low_is_white);
        let negated: Vec<f32> = plain.read().unwrap().iter().map(|value| -value).collect();
        assert_eq!(bare.read().unwrap(), negated);
    }
    let error = dicom_pictures(&fixture("expected.json")).unwrap_err().to_string();
    assert!(error.contains("expected.json") && error.contains("no DICOM image"), "{error}");
    let wrong = changed("series", |_, slice| put(slice, tags::PIXEL_SPACING, VR::DS, "1.5\\-1"));
    let error = dicom_pictures(wrong.path()).unwrap_err().to_string();
    assert!(error.contains("PixelSpacing") && error.contains("above 0"), "{error}");
}
