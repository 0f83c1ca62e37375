//! Damaged and hostile files: an error or a value, never a panic, a hang, or memory beyond what the file can hold.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "support/fixture.rs"]
mod fixture;
#[path = "support/shape.rs"]
mod shape;

use brainmesh_formats::{
    Error, SurfaceFormat, TrainingSet, array_info, npz_names, read_annot, read_label_gifti, read_morphometry, read_npy,
    read_npz, read_profile_matrix, read_profile_text, read_shape_gifti, read_surface, read_vertex_mask, surface_info,
    write_surface,
};
use fixture::fixture;
use std::path::{Path, PathBuf};

/// Every reader, whatever the file is.
fn read_all(path: &Path) {
    let _ = read_surface(path);
    let _ = surface_info(path);
    let _ = array_info(path);
    let _ = read_shape_gifti(path);
    let _ = read_label_gifti(path);
    let _ = read_vertex_mask(path, 5);
    let _ = read_morphometry(path);
    let _ = read_annot(path);
    let _ = read_npy(path);
    let _ = npz_names(path);
    let _ = read_npz(path, "raw");
    let _ = read_profile_matrix(path);
    let _ = read_profile_text(path);
}

fn small_fixtures() -> Vec<PathBuf> {
    let folder = fixture("");
    let files = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut files: Vec<_> = files.filter(|p| p.metadata().unwrap().len() < 8192).collect();
    files.sort();
    files
}

#[test]
fn truncated_files_are_errors_or_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut");
    for file in small_fixtures() {
        let whole = std::fs::read(&file).unwrap();
        for part in 0..=20 {
            std::fs::write(&path, &whole[..whole.len() * part / 20]).unwrap();
            read_all(&path);
        }
    }
}

#[test]
fn a_truncated_surface_is_an_error_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let (path, cut) = (folder.path().join("lh.whole"), folder.path().join("lh.cut"));
    let surface = shape::lopsided();
    // FreeSurfer without its footer is a whole surface; an OBJ of fewer lines is a smaller one.
    for format in [SurfaceFormat::Gifti, SurfaceFormat::Ply, SurfaceFormat::MniObj] {
        write_surface(&path, &surface, format, None).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for part in 0..40 {
            std::fs::write(&cut, &whole[..whole.len() * part / 40]).unwrap();
            assert!(read_surface(&cut).is_err(), "{format:?} {part}/40");
        }
    }
}

#[test]
fn mutated_files_are_errors_or_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mutant");
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    // More of them, for a longer hunt: BRAINMESH_MUTANTS=5000.
    let mutants = std::env::var("BRAINMESH_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    for file in small_fixtures() {
        let whole = std::fs::read(&file).unwrap();
        for _ in 0..mutants {
            let mut bytes = whole.clone();
            for _ in 0..=random(3) {
                let at = random(bytes.len());
                bytes[at] = match random(4) {
                    0 => 0xff,
                    1 => 0,
                    2 => b'9',
                    _ => random(256) as u8,
                };
            }
            std::fs::write(&path, bytes).unwrap();
            read_all(&path);
        }
    }
}

fn refused(name: &str, content: impl AsRef<[u8]>) -> Error {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    let error = read_surface(&path).expect_err(name);
    read_all(&path);
    error
}

fn gifti(attributes: &str, data: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><GIFTI Version="1.0" NumberOfDataArrays="1"><DataArray Intent="NIFTI_INTENT_POINTSET"
        DataType="NIFTI_TYPE_FLOAT32" ArrayIndexingOrder="RowMajorOrder" Endian="LittleEndian" {attributes}>
        <Data>{data}</Data></DataArray></GIFTI>"#
    )
}

#[test]
fn declared_sizes_beyond_the_file_take_no_memory() {
    let huge = r#"Dimensionality="2" Dim0="1000000000000" Dim1="3""#;
    for encoding in ["ASCII", "Base64Binary", "GZipBase64Binary"] {
        let error = refused("a.gii", gifti(&format!(r#"{huge} Encoding="{encoding}""#), "eJwDAAAAAAE="));
        assert!(matches!(error, Error::Truncated { .. }), "{encoding}: {error}");
    }
    let overflow = r#"Dimensionality="3" Dim0="4294967296" Dim1="4294967296" Dim2="4294967296" Encoding="ASCII""#;
    assert!(matches!(refused("a.gii", gifti(overflow, "1")), Error::Invalid { .. }));
    let ply = "ply\nformat binary_little_endian 1.0\nelement vertex 4000000000\nproperty float x\nproperty float y\nproperty float z\nend_header\n";
    assert!(matches!(refused("a.ply", ply), Error::Truncated { .. }));
    let none = "ply\nformat ascii 1.0\nelement nothing 18446744073709551615\nend_header\n";
    assert!(matches!(refused("a.ply", none), Error::Invalid { .. }));
    assert!(matches!(refused("a.obj", "P 0.3 0.3 0.4 10 1 4000000000\n0 0 0\n"), Error::Truncated { .. }));
    let mut freesurfer = b"\xff\xff\xfea\n\n".to_vec();
    freesurfer.extend([0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    assert!(matches!(refused("lh.white", freesurfer), Error::Truncated { .. }));
}

#[test]
fn a_zlib_stream_stops_at_the_declared_size() {
    use base64::Engine;
    use std::io::Write;
    let mut bomb = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![0; 64 << 20]).unwrap();
    let text = base64::engine::general_purpose::STANDARD.encode(bomb.finish().unwrap());
    let attributes = r#"Dimensionality="2" Dim0="2" Dim1="3" Encoding="GZipBase64Binary""#;
    let error = refused("a.gii", gifti(attributes, &text));
    assert!(matches!(&error, Error::Invalid { expected, .. } if expected == "24 bytes"), "{error}");
}

#[test]
fn entities_do_not_expand() {
    let laughs = r#"<?xml version="1.0"?><!DOCTYPE GIFTI [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
        <GIFTI><MetaData><MD><Name>&b;</Name><Value>x</Value></MD></MetaData></GIFTI>"#;
    let error = refused("a.gii", laughs);
    assert!(matches!(&error, Error::Invalid { field, .. } if field == "XML entity"), "{error}");
}

#[test]
fn external_data_cannot_name_files_elsewhere() {
    for name in ["/etc/passwd", "../secret.dat", "a/../../b", ""] {
        let attributes = format!(
            r#"Dimensionality="2" Dim0="1" Dim1="3" Encoding="ExternalFileBinary" ExternalFileName="{name}" ExternalFileOffset="0""#
        );
        let error = refused("a.gii", gifti(&attributes, ""));
        assert!(matches!(&error, Error::Invalid { field, .. } if field == "ExternalFileName"), "{name}: {error}");
    }
}

#[test]
fn other_files_are_named_for_what_they_are() {
    assert!(matches!(refused("a", b""), Error::NotRecognised { .. }));
    assert!(matches!(refused("a", b"\x89PNG\r\n"), Error::NotRecognised { .. }));
    assert!(matches!(refused("a.vtp", "<VTKFile type=\"PolyData\">"), Error::Unsupported { .. }));
    assert!(matches!(refused("a.obj", "L 0.1 4\n"), Error::Unsupported { .. }));
    assert!(matches!(refused("a.gii", "<GIFTI><DataArray"), Error::Invalid { .. }));
    assert!(matches!(refused("lh.quad", b"\xff\xff\xff\x00\x00\x01"), Error::Unsupported { .. }));
}

#[test]
fn hostile_numpy_headers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let write = |header: &str| {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend([0; 16]);
        std::fs::write(&path, bytes).unwrap();
        read_npy(&path)
    };
    let header =
        |descr: &str, shape: &str| format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
    assert_eq!(write(&header("'<f4'", "(2, 2)")).unwrap().len(), 4);
    assert!(matches!(write(&header("'<f4'", "(9999999999999,)")), Err(Error::Truncated { .. })));
    let overflow = write(&header("'<f8'", "(0, 9223372036854775807, 4)"));
    assert!(matches!(overflow, Err(Error::Invalid { .. })), "{overflow:?}");
    assert!(matches!(write(&header("'|O'", "(2,)")), Err(Error::Unsupported { .. })), "pickles stay closed");
    assert!(matches!(write(&header("[('a', '<f4')]", "(2,)")), Err(Error::Unsupported { .. })));
    assert!(write(&format!("{}{}", "[".repeat(60_000), "\n")).is_err());
    assert!(TrainingSet::read(folder.path()).is_err());
}
