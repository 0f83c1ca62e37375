//! DICOM: series and images whose geometry is worked out by the generator of the fixtures, and every fault of a series.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, reason = "shared by several tests")]
#[path = "support/expectation.rs"]
mod expectation;
#[allow(dead_code, reason = "shared by several tests")]
#[path = "support/dicom.rs"]
mod support;

use brainmesh_core::{VoxelPoint, WorldPoint};
use brainmesh_formats::{Error, Scaling, StoredType, VolumeOptions, read_volume, volume_info};
use dicom_core::{PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, open_file};
use expectation::{check, expectations_of};
use std::path::Path;
use support::{changed, fixture, number, put};

/// What reading it fails with; the header alone fails in the same way.
fn refusal(path: &Path) -> String {
    let error = read_volume(path).unwrap_err().to_string();
    assert_eq!(volume_info(path).unwrap_err().to_string(), error);
    error
}

#[test]
fn every_image_and_series_lies_where_its_generator_put_it() {
    let expected = expectations_of(&fixture("expected.json"));
    assert_eq!(expected.len(), 11);
    for (name, expected) in expected {
        check(&fixture(&name), &expected);
    }
}

#[test]
fn a_tilted_gantry_stays_sheared() {
    let grid = read_volume(&fixture("series")).unwrap().grid().clone();
    let m = grid.affine().matrix3;
    // The generator moves each slice 2.5 mm along the normal and 0.4 mm along its columns.
    assert!(m.x_axis.dot(m.z_axis).abs() < 1e-9);
    assert!((m.y_axis.normalize().dot(m.z_axis) - 0.4).abs() < 1e-9);
    assert!((grid.spacing_mm()[2] - 2.5f64.hypot(0.4)).abs() < 1e-9);
}

#[test]
fn headers_tell_type_and_scaling() {
    let series = volume_info(&fixture("series")).unwrap();
    assert_eq!((series.format, series.stored, series.scaling), ("DICOM", StoredType::Int16, Scaling::PerSlice));
    assert_eq!(volume_info(&fixture("echoes")).unwrap().scaling, Scaling::None);
    let same = changed("series", |_, slice| {
        put(slice, tags::RESCALE_SLOPE, VR::DS, "0.5");
        put(slice, tags::RESCALE_INTERCEPT, VR::DS, "-1");
    });
    assert_eq!(volume_info(same.path()).unwrap().scaling, Scaling::Linear { slope: 0.5, intercept: -1.0 });
}

#[test]
fn an_image_is_also_read_gzipped_without_preamble_and_with_unknown_types() {
    let expected = expectations_of(&fixture("expected.json"));
    let of = |name: &str| &expected.iter().find(|(n, _)| n == name).unwrap().1;
    let folder = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(fixture("implicit.dcm")).unwrap();

    let gzipped = folder.path().join("a.dcm.gz");
    let mut gzip = flate2::write::GzEncoder::new(std::fs::File::create(&gzipped).unwrap(), Default::default());
    std::io::Write::write_all(&mut gzip, &bytes).unwrap();
    gzip.finish().unwrap();
    check(&gzipped, of("implicit.dcm"));

    let bare = folder.path().join("bare");
    let data_set = bytes.windows(4).position(|w| w == [8, 0, 5, 0]).unwrap();
    std::fs::write(&bare, &bytes[data_set..]).unwrap();
    check(&bare, of("implicit.dcm"));

    let unknown = changed("echoes", |_, slice| {
        for tag in [tags::ROWS, tags::IMAGE_POSITION_PATIENT, tags::ECHO_TIME] {
            let bytes = slice.element(tag).unwrap().to_bytes().unwrap().into_owned();
            slice.put(dicom_core::DataElement::new(tag, VR::UN, PrimitiveValue::from(bytes)));
        }
    });
    check(unknown.path(), of("echoes"));
}

#[test]
fn other_files_of_a_folder_do_not_disturb() {
    let folder = changed("series", |_, _| {});
    let expected = read_volume(folder.path()).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "no image").unwrap();
    std::fs::write(folder.path().join(".hidden.dcm"), "no image").unwrap();
    // A report of the same series has no pixel data.
    let mut report = open_file(fixture("series/a.dcm")).unwrap();
    report.remove_element(tags::PIXEL_DATA);
    report.write_to_file(folder.path().join("report.dcm")).unwrap();
    std::fs::create_dir(folder.path().join("deeper")).unwrap();
    std::fs::rename(folder.path().join("a.dcm"), folder.path().join("deeper/a.dcm")).unwrap();
    assert_eq!(read_volume(folder.path()).unwrap(), expected);
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(read_volume(empty.path()), Err(Error::NotRecognised { .. })));
    assert!(refusal(&folder.path().join("report.dcm")).contains("pixel data"));
}

#[test]
fn of_several_series_one_must_be_chosen() {
    let folder = changed("series", |k, slice| {
        if k == 1 {
            put(slice, tags::SERIES_INSTANCE_UID, VR::UI, "1.2.3");
            put(slice, tags::SERIES_DESCRIPTION, VR::LO, "scout");
            // Not even a place: it must not matter to the other series.
            slice.remove_element(tags::IMAGE_POSITION_PATIENT);
        }
    });
    let error = refusal(folder.path());
    assert!(error.contains("1.2.3 (scout, 1 image)") && error.contains("(phantom, 2 images)"), "{error}");
    let phantom = VolumeOptions::default().with_series("1.2.826.0.1.3680043.8.498.1.1").read(folder.path()).unwrap();
    assert_eq!(phantom.grid().shape(), [5, 4, 2]);
    let error = VolumeOptions::default().with_series("4.5").read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("series 4.5") && error.contains("1.2.3"), "{error}");
}

#[test]
fn missing_and_uneven_slices_are_refused() {
    let moved = |from: usize, by: f64| {
        changed("echoes", move |n, slice| {
            if n >= from {
                put(slice, tags::ECHO_TIME, VR::DS, "9");
            }
            let k = n as f64 + if n >= from { by } else { 0.0 };
            put(slice, tags::IMAGE_POSITION_PATIENT, VR::DS, &format!("0\\0\\{}", 2.0 * k));
            put(slice, tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\1\\0");
        })
    };
    assert_eq!(read_volume(moved(0, 0.0).path()).unwrap().grid().shape(), [5, 4, 6]);
    let error = refusal(moved(4, 2.0).path());
    assert!(error.contains("slices 2.0000 mm apart") && error.contains("6.0000 mm between"), "{error}");
    assert!(error.contains("as if 2 were missing"), "{error}");
    let error = refusal(moved(4, 0.3).path());
    assert!(error.contains("2.6000 mm between") && !error.contains("missing"), "{error}");
    // Positions rounded by the scanner are no fault.
    assert!(read_volume(moved(4, 0.004).path()).is_ok());
}

#[test]
fn a_slice_beside_the_stack_is_refused() {
    let folder = changed("series", |k, slice| {
        put(slice, tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\1\\0");
        let x = if k == 1 { 3.0 } else { 0.0 };
        put(slice, tags::IMAGE_POSITION_PATIENT, VR::DS, &format!("{x}\\0\\{k}"));
    });
    assert!(refusal(folder.path()).contains("slices on a line"));
}

#[test]
fn repeated_positions_are_refused_unless_something_tells_them_apart() {
    let folder = changed("series", |_, _| {});
    std::fs::copy(folder.path().join("a.dcm"), folder.path().join("copy.dcm")).unwrap();
    let error = refusal(folder.path());
    assert!(error.contains("a.dcm and copy.dcm at the same position"), "{error}");
    // One echo with a slice too few is no volume.
    let folder = changed("echoes", |_, _| {});
    std::fs::remove_file(folder.path().join("3.dcm")).unwrap();
    assert!(refusal(folder.path()).contains("same position"));
}

#[test]
fn phases_follow_trigger_times_that_differ_from_slice_to_slice() {
    let folder = changed("echoes", |n, slice| {
        slice.remove_element(tags::ECHO_TIME);
        // Instances 0 and 1 are the first slice's two volumes, and so on.
        let time = 280.5 + 10.0 * (n / 2) as f64 + 400.0 * (n % 2) as f64;
        put(slice, tags::TRIGGER_TIME, VR::DS, &time.to_string());
    });
    let expected = expectations_of(&fixture("expected.json"));
    check(folder.path(), &expected.iter().find(|(name, _)| name == "echoes").unwrap().1);
}

#[test]
fn invented_frames_of_reference_say_nothing() {
    let folder = changed("series", |k, slice| put(slice, tags::FRAME_OF_REFERENCE_UID, VR::UI, &format!("1.2.{k}")));
    assert_eq!(read_volume(folder.path()).unwrap(), read_volume(&fixture("series")).unwrap());
}

#[test]
fn slices_that_do_not_belong_together_are_refused() {
    type Change = fn(&mut DefaultDicomObject);
    let changes: [(&str, Change); 4] = [
        ("ImageOrientationPatient", |s| put(s, tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\1\\0")),
        ("PixelSpacing", |s| put(s, tags::PIXEL_SPACING, VR::DS, "1.25\\0.95")),
        ("FrameOfReferenceUID", |s| put(s, tags::FRAME_OF_REFERENCE_UID, VR::UI, "1.2.3")),
        ("Columns and Rows", |s| {
            s.put(dicom_core::DataElement::new(tags::COLUMNS, VR::US, PrimitiveValue::from(4u16)));
        }),
    ];
    for (field, change) in changes {
        let folder = changed("series", |k, slice| {
            if k == 1 {
                change(slice);
            }
        });
        let error = refusal(folder.path());
        assert!(error.contains(field), "{field}: {error}");
    }
}

#[test]
fn what_does_not_say_where_it_lies_is_refused() {
    let removed = |tag| {
        let folder = changed("series", |_, slice| {
            slice.remove_element(tag);
        });
        refusal(folder.path())
    };
    assert!(removed(tags::PIXEL_SPACING).contains("PixelSpacing: expected a value, found none"));
    assert!(removed(tags::IMAGE_POSITION_PATIENT).contains("ImagePositionPatient: expected a value"));
    assert!(removed(tags::IMAGE_ORIENTATION_PATIENT).contains("ImageOrientationPatient: expected a value"));
    let value = |tag, value: &'static str| {
        let folder = changed("series", |_, slice| put(slice, tag, VR::DS, value));
        refusal(folder.path())
    };
    assert!(value(tags::PIXEL_SPACING, "0\\1").contains("two lengths above 0"));
    assert!(value(tags::PIXEL_SPACING, "1").contains("2 finite numbers"));
    assert!(value(tags::PIXEL_SPACING, "1\\x").contains("PixelSpacing"));
    assert!(value(tags::IMAGE_ORIENTATION_PATIENT, "1\\0\\0\\1\\0\\0").contains("right angle"));
    assert!(value(tags::RESCALE_SLOPE, "0").contains("RescaleSlope"));
    // A lone slice needs a thickness.
    let folder = changed("series", |_, slice| {
        slice.remove_element(tags::SLICE_THICKNESS);
    });
    assert!(refusal(&folder.path().join("a.dcm")).contains("SliceThickness"));
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let with = |tag, vr, value: PrimitiveValue| {
        let folder = changed("series", |_, slice| {
            slice.put(dicom_core::DataElement::new(tag, vr, value.clone()));
        });
        refusal(folder.path())
    };
    assert!(with(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "RGB".into()).contains("RGB"));
    assert!(with(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "PALETTE COLOR".into()).contains("PALETTE"));
    let halves = changed("series", |_, slice| {
        put(slice, tags::NUMBER_OF_FRAMES, VR::IS, "2");
        slice.put(dicom_core::DataElement::new(tags::ROWS, VR::US, PrimitiveValue::from(2u16)));
    });
    assert!(refusal(halves.path()).contains("functional groups"));
    assert!(with(tags::BITS_ALLOCATED, VR::US, 12u16.into()).contains("BitsAllocated"));
    assert!(with(tags::BITS_STORED, VR::US, 17u16.into()).contains("BitsStored"));
    assert!(with(tags::HIGH_BIT, VR::US, 3u16.into()).contains("BitsStored"));
    assert!(with(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\M\\MOSAIC".into()).contains("MOSAIC"));
    assert!(with(tags::ROWS, VR::US, 400u16.into()).contains("truncated"));
    // A retired syntax, progressive JPEG.
    let path = fixture("MR_small_jpeg_lossless.dcm");
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(22).position(|w| w == b"1.2.840.10008.1.2.4.70").unwrap();
    bytes[at + 20] = b'5';
    bytes[at + 21] = b'5';
    let changed = folder.path().join("progressive.dcm");
    std::fs::write(&changed, bytes).unwrap();
    let error = refusal(&changed);
    assert!(error.contains("TransferSyntaxUID: 1.2.840.10008.1.2.4.55 is not supported"), "{error}");
}

#[test]
fn compressed_pixels_that_disagree_with_their_header_are_refused() {
    for name in ["MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_lossless.dcm"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let mut image = open_file(fixture(name)).unwrap();
        image.put(dicom_core::DataElement::new(tags::ROWS, VR::US, PrimitiveValue::from(65_535u16)));
        image.put(dicom_core::DataElement::new(tags::COLUMNS, VR::US, PrimitiveValue::from(65_535u16)));
        image.write_to_file(&path).unwrap();
        let error = read_volume(&path).unwrap_err().to_string();
        assert!(error.contains("pixel data"), "{error}");
    }
}

#[test]
fn real_heart_series_are_two_phases_of_slices() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/lv_sunnybrook/dicom/dicoms");
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    for patient in std::fs::read_dir(folder).unwrap() {
        let patient = patient.unwrap().path();
        let info = volume_info(&patient).unwrap();
        let slices = std::fs::read_dir(&patient).unwrap().count() / 2;
        assert_eq!((info.shape, info.volumes), ([256, 256, slices], 2), "{}", patient.display());
        let volumes: Vec<_> =
            (0..2).map(|n| VolumeOptions::default().with_volume_index(n).read(&patient).unwrap()).collect();
        for file in std::fs::read_dir(&patient).unwrap() {
            let image = open_file(file.unwrap().path()).unwrap();
            // Triggered within the first half second or after it: the two phases of the heart's cycle.
            let volume = &volumes[usize::from(number(&image, tags::TRIGGER_TIME) > 500.0)];
            let lps = image.element(tags::IMAGE_POSITION_PATIENT).unwrap().to_multi_float64().unwrap();
            let VoxelPoint(voxel) = volume.grid().voxel_from_world(WorldPoint::new(-lps[0], -lps[1], lps[2]));
            assert!((voxel - voxel.round()).length() < 0.01, "{voxel}");
            let spacing = number(&image, tags::SPACING_BETWEEN_SLICES);
            assert!((info.spacing_mm[2] - spacing).abs() < 1e-3, "{spacing}");
            let slice = &volume.data()[voxel.z.round() as usize * 256 * 256..][..256 * 256];
            let pixels: Vec<f32> = image
                .element(tags::PIXEL_DATA)
                .unwrap()
                .to_multi_int::<u16>()
                .unwrap()
                .into_iter()
                .map(f32::from)
                .collect();
            assert!(slice == pixels, "{}", patient.display());
        }
    }
}

#[test]
fn nesting_and_lengths_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep.dcm");
    let mut bytes = std::fs::read(fixture("series/a.dcm")).unwrap();
    let whole = bytes.clone();
    let data_set = bytes.windows(6).position(|w| w == *b"\x08\0\x05\0CS").unwrap();
    // A sequence in an item in a sequence ..., a million levels of undefined length.
    bytes.truncate(data_set);
    for _ in 0..1_000_000 {
        bytes.extend(*b"\x40\0\x75\xa3SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff");
    }
    std::fs::write(&path, &bytes).unwrap();
    assert!(refusal(&path).contains("levels of nesting"));
    // A description of 4 GiB.
    bytes = whole;
    let at = bytes.windows(6).position(|w| w == *b"\x08\0\x3e\x10LO").unwrap();
    bytes[at + 4..at + 12].copy_from_slice(b"UT\0\0\xfe\xff\xff\xff");
    std::fs::write(&path, &bytes).unwrap();
    assert!(refusal(&path).contains("truncated"));
}
