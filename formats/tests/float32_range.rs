//! Numbers beyond the range of float32 in files of maps, arrays and profiles.
//!
//! Cause: they were cast, which made infinity of 1e300 in silence. Volumes: `volumes_nifti.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use brainmesh_formats::{VertexValues, read_npy, read_profile_matrix, read_shape_gifti, read_vertex_maps};
use std::path::Path;

/// The last value of a file with `number` in it, or the error.
type Last = Result<f32, String>;

fn last_of_maps(path: &Path) -> Last {
    let maps = read_vertex_maps(path).map_err(|e| e.to_string())?;
    match maps.last() {
        Some(VertexValues::Shape(map)) => map.values.last().copied().ok_or_else(|| "no value".into()),
        other => Err(format!("{other:?}")),
    }
}

fn gifti(number: f64) -> Vec<u8> {
    format!(
        r#"<?xml version="1.0"?><GIFTI Version="1.0" NumberOfDataArrays="1"><DataArray Intent="NIFTI_INTENT_SHAPE"
        DataType="NIFTI_TYPE_FLOAT64" ArrayIndexingOrder="RowMajorOrder" Dimensionality="1" Dim0="3" Encoding="ASCII"
        Endian="LittleEndian"><Data>1 2 {number:e}</Data></DataArray></GIFTI>"#
    )
    .into_bytes()
}

fn ply(number: f64) -> Vec<u8> {
    let properties = "property float x\nproperty float y\nproperty float z\nproperty double myelin\n";
    let faces = "element face 1\nproperty list uchar int vertex_indices\n";
    let body = format!("0 0 0 1\n1 0 0 2\n0 1 0 {number:e}\n3 0 1 2\n");
    format!("ply\nformat ascii 1.0\nelement vertex 3\n{properties}{faces}end_header\n{body}").into_bytes()
}

fn vtk(number: f64) -> Vec<u8> {
    format!(
        "# vtk DataFile Version 3.0\nSPACE=RAS\nASCII\nDATASET POLYDATA\nPOINTS 3 float\n0 0 0 1 0 0 0 1 0\n\
         POLYGONS 1 4\n3 0 1 2\nPOINT_DATA 3\nSCALARS myelin double\nLOOKUP_TABLE default\n1 2 {number:e}\n"
    )
    .into_bytes()
}

/// One triangle with scalars in double precision (attributes 1, 2 and 16).
fn mz3(number: f64) -> Vec<u8> {
    let mut bytes = b"MZ\x13\0".to_vec();
    [1u32, 3, 0].iter().for_each(|n| bytes.extend(n.to_le_bytes()));
    [0u32, 1, 2].iter().for_each(|n| bytes.extend(n.to_le_bytes()));
    [0f32, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0].iter().for_each(|n| bytes.extend(n.to_le_bytes()));
    [1.0, 2.0, number].iter().for_each(|n| bytes.extend(n.to_le_bytes()));
    bytes
}

fn npy(number: f64) -> Vec<u8> {
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n";
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    [1.0, 2.0, number].iter().for_each(|n| bytes.extend(n.to_le_bytes()));
    bytes
}

fn text(number: f64) -> Vec<u8> {
    format!("1 2\n3 {number:e}\n").into_bytes()
}

fn last_of_shape(path: &Path) -> Last {
    Ok(read_shape_gifti(path).map_err(|e| e.to_string())?[0].values[2])
}

fn last_of_npy(path: &Path) -> Last {
    Ok(read_npy(path).map_err(|e| e.to_string())?[[2]])
}

fn last_of_profiles(path: &Path) -> Last {
    read_profile_matrix(path).map_err(|e| e.to_string()).map(|matrix| matrix[[matrix.nrows() - 1, matrix.ncols() - 1]])
}

#[test]
fn what_float32_cannot_hold_is_refused() {
    type Case = (&'static str, fn(f64) -> Vec<u8>, fn(&Path) -> Last);
    let cases: [Case; 8] = [
        ("a.shape.gii", gifti, last_of_shape),
        ("b.shape.gii", gifti, last_of_maps),
        ("a.ply", ply, last_of_maps),
        ("a.vtk", vtk, last_of_maps),
        ("a.mz3", mz3, last_of_maps),
        ("a.npy", npy, last_of_npy),
        ("b.npy", npy, last_of_profiles),
        ("a.txt", text, last_of_profiles),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, content, last) in cases {
        let path = folder.path().join(name);
        for number in [1e300, -1e39] {
            std::fs::write(&path, content(number)).unwrap();
            let error = last(&path).expect_err(name);
            assert!(error.starts_with(path.to_str().unwrap()) && error.contains("float32"), "{name}: {error}");
        }
        for number in [1e38, -3e-40] {
            std::fs::write(&path, content(number)).unwrap();
            assert_eq!(last(&path), Ok(number as f32), "{name}");
        }
    }
    for number in [f64::INFINITY, f64::NEG_INFINITY] {
        let path = folder.path().join("stored.npy");
        std::fs::write(&path, npy(number)).unwrap();
        assert_eq!(last_of_npy(&path), Ok(number as f32));
    }
    let path = folder.path().join("stored.txt");
    std::fs::write(&path, "1 -inf\n3 inf\n").unwrap();
    assert_eq!(last_of_profiles(&path), Ok(f32::INFINITY));
}
