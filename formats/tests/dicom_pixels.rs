//! Stored samples of every kind of DICOM image, as pydicom and its decoders read them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[allow(dead_code, reason = "shared by several tests")]
#[path = "support/dicom.rs"]
mod support;

use brainmesh_formats::{DicomPixels, StoredType, read_dicom_pixels};
use dicom_pixeldata::PixelDecoder;
use serde_json::Value;
use std::path::Path;
use support::fixture;

fn expectations() -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(fixture("pixels.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap().as_object().unwrap().clone().into_iter().collect()
}

fn samples(pixels: &DicomPixels) -> Vec<f64> {
    let bytes = &pixels.bytes;
    match pixels.stored {
        StoredType::Uint8 => bytes.iter().map(|&b| b.into()).collect(),
        StoredType::Uint16 => bytes.as_chunks().0.iter().map(|&b| u16::from_le_bytes(b).into()).collect(),
        StoredType::Int16 => bytes.as_chunks().0.iter().map(|&b| i16::from_le_bytes(b).into()).collect(),
        StoredType::Uint32 => bytes.as_chunks().0.iter().map(|&b| u32::from_le_bytes(b).into()).collect(),
        StoredType::Float32 => bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b).into()).collect(),
        StoredType::Float64 => bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn samples_are_those_pydicom_reads() {
    let expected = expectations();
    assert_eq!(expected.len(), 17);
    for (name, expected) in expected {
        let pixels = read_dicom_pixels(&fixture("pixels").join(&name)).unwrap();
        let shape = [pixels.frames, pixels.rows, pixels.columns, pixels.samples];
        assert_eq!(serde_json::json!(shape), expected["shape"], "{name}");
        assert_eq!(pixels.stored.name(), expected["stored"], "{name}");
        assert_eq!(pixels.photometric, expected["photometric"], "{name}");
        let found = samples(&pixels);
        let levels = expected["levels"].as_f64().unwrap();
        for (at, value) in expected["at"].as_array().unwrap().iter().zip(expected["samples"].as_array().unwrap()) {
            let (at, value) = (at.as_u64().unwrap() as usize, value.as_f64().unwrap());
            assert!((found[at] - value).abs() <= levels, "{name} at {at}: {value} expected, {} found", found[at]);
        }
        let (sum, expected) = (found.iter().sum::<f64>(), expected["sum"].as_f64().unwrap());
        assert!((sum - expected).abs() <= 1e-9 * expected.abs() + 0.05 * levels * found.len() as f64, "{name}: {sum}");
    }
}

/// `dicom-pixeldata` shares the JPEG library with us, and neither RLE nor JPEG 2000.
#[test]
fn samples_are_those_dicom_pixeldata_reads() {
    let names = [
        "MR_small_RLE.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_lossless.dcm",
        "MR_small_padded.dcm",
        "enhanced.dcm",
        "pixels/SC_rgb_jpeg_gdcm.dcm",
    ];
    for name in names {
        let theirs = dicom_object::open_file(fixture(name)).unwrap();
        let theirs = theirs.decode_pixel_data().unwrap();
        let ours = read_dicom_pixels(&fixture(name)).unwrap();
        if name == "enhanced.dcm" {
            // It leaves the overlay bits above the twelve stored ones.
            let number = |&bytes: &[u8; 2]| (i16::from_le_bytes(bytes) << 4 >> 4).to_le_bytes();
            let numbers: Vec<u8> = theirs.data().as_chunks().0.iter().flat_map(number).collect();
            assert_eq!(ours.bytes, numbers, "{name}");
        } else {
            assert!(ours.bytes == theirs.data(), "{name}");
        }
    }
}

#[test]
fn bits_that_store_no_number_are_left_out() {
    // The generator puts overlay bits above the twelve stored ones of signed numbers from -39 on.
    let pixels = read_dicom_pixels(&fixture("implicit.dcm")).unwrap();
    assert_eq!(pixels.stored, StoredType::Int16);
    let expected: Vec<f64> = (0..20).map(|n| f64::from(1 + n % 5 + 7 * (n / 5) - 40)).collect();
    assert_eq!(samples(&pixels), expected);
}

/// Whatever happens to a compressed stream, it is an image or an error.
#[test]
fn damaged_streams_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.dcm");
    let mut state = 1u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let (mut errors, mut images) = (0, 0);
    let files = expectations().into_iter().map(|(name, _)| fixture("pixels").join(name));
    for file in files.chain(["MR_small_RLE.dcm", "MR_small_jp2klossless.dcm"].map(fixture)) {
        let whole = std::fs::read(&file).unwrap();
        for _ in 0..40 {
            let mut bytes = whole.clone();
            for _ in 0..1 + random(8) {
                let at = 132 + random(bytes.len() - 132);
                bytes[at] = random(256) as u8;
            }
            std::fs::write(&path, &bytes).unwrap();
            match read_dicom_pixels(&path) {
                Ok(pixels) => {
                    let count = pixels.frames * pixels.rows * pixels.columns * pixels.samples;
                    assert_eq!(pixels.bytes.len(), count * pixels.stored.size_bytes(), "{}", file.display());
                    images += 1;
                }
                Err(error) => {
                    assert!(error.to_string().contains("damaged.dcm"), "{error}");
                    errors += 1;
                }
            }
        }
    }
    assert!(errors > 50 && images > 50, "{errors} errors, {images} images");
}

#[test]
fn a_blank_image_of_impossible_size_takes_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.dcm");
    let mut bytes = std::fs::read(fixture("pixels/MR_small_jpeg_ls_lossless.dcm")).unwrap();
    // 65,535 pixels a side, in the header and in the stream alike.
    let put = |bytes: &mut Vec<u8>, pattern: &[u8], at: usize| {
        let start = bytes.windows(pattern.len()).position(|w| w == pattern).unwrap();
        bytes[start + at..start + at + 2].copy_from_slice(&[0xff, 0xff]);
    };
    put(&mut bytes, b"\x28\0\x10\0US\x02\0", 8);
    put(&mut bytes, b"\x28\0\x11\0US\x02\0", 8);
    put(&mut bytes, b"\xff\xf7\0\x0b", 5);
    put(&mut bytes, b"\xff\xf7\0\x0b", 7);
    std::fs::write(&path, &bytes).unwrap();
    let error = read_dicom_pixels(Path::new(&path)).unwrap_err().to_string();
    assert!(error.contains("samples in"), "{error}");
}
