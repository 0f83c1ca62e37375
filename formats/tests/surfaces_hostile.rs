//! Damaged and hostile files: an error or a value, never a panic, a hang, or memory beyond what the file can hold.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "support/fixture.rs"]
mod fixture;
#[path = "support/shape.rs"]
mod shape;

use brainmesh_core::Surface;
use brainmesh_formats::{
    Error, ProfileText, SurfaceFormat, TrainingSet, VertexValues, array_info, npz_names, read_annot,
    read_freesurfer_label, read_label_gifti, read_morphometry, read_npy, read_npz, read_profile_matrix,
    read_profile_text, read_scene, read_shape_gifti, read_surface, read_vertex_maps, read_vertex_mask, surface_info,
    write_surface,
};
use fixture::fixture;
use std::path::{Path, PathBuf};

/// What was read; where it was not, the error names the file, or one beside it that the file names.
fn named<T>(path: &Path, read: Result<T, Error>) -> Option<T> {
    let error = match read {
        Ok(value) => return Some(value),
        Err(error) => error.to_string(),
    };
    let external = b"ExternalFileName";
    let has_other = || std::fs::read(path).unwrap().windows(external.len()).any(|word| word == external);
    let folder = path.parent().unwrap().to_str().unwrap();
    let is_named = error.starts_with(path.to_str().unwrap()) || (error.starts_with(folder) && has_other());
    assert!(is_named, "the error does not name {}: {error}", path.display());
    None
}

fn assert_holds(surface: &Surface) {
    let corners = surface.triangles().iter().flatten();
    assert!(corners.into_iter().all(|&corner| (corner as usize) < surface.vertices().len()));
    assert!(surface.vertices().iter().all(|v| v.to_array().iter().all(|c| c.is_finite())));
}

/// Every reader, whatever the file is: errors name the file, and what is read holds.
fn read_all(path: &Path) {
    let surface = named(path, read_surface(path));
    surface.iter().for_each(assert_holds);
    let counts = surface.map(|s| (s.vertices().len(), s.triangles().len()));
    assert_eq!(named(path, surface_info(path)).map(|info| (info.vertices, info.triangles)), counts);
    named(path, read_scene(path)).iter().flatten().for_each(|(_, surface)| assert_holds(surface));
    read_maps(path);
    if let Some(label) = named(path, read_freesurfer_label(path)) {
        assert_eq!((label.points.len(), label.values.len()), (label.vertices.len(), label.vertices.len()));
        assert!(label.points.iter().all(|p| p.to_array().iter().all(|c| c.is_finite())));
    }
    read_arrays(path);
}

/// Values a vertex: as many in every map.
fn read_maps(path: &Path) {
    let same = |lengths: Vec<usize>| assert!(lengths.windows(2).all(|pair| pair[0] == pair[1]), "{lengths:?}");
    if let Some(maps) = named(path, read_shape_gifti(path)) {
        assert!(!maps.is_empty());
        same(maps.iter().map(|map| map.values.len()).collect());
    }
    if let Some(maps) = named(path, read_vertex_maps(path)) {
        assert!(!maps.is_empty());
        same(maps.iter().map(VertexValues::len).collect());
    }
    let mask = named(path, read_vertex_mask(path, 5));
    assert!(mask.is_none_or(|mask| mask.len() == 5));
    named(path, read_label_gifti(path));
    named(path, read_morphometry(path));
    if let Some(map) = named(path, read_annot(path)) {
        let listed = |label: i32| label == -1 || map.table.get(label).is_some();
        assert!(map.labels.iter().all(|&label| listed(label)), "a label without an entry");
    }
}

/// Arrays have the shapes that their headers say.
fn read_arrays(path: &Path) {
    let infos = named(path, array_info(path)).unwrap_or_default();
    let shape = |name: &str| infos.iter().find(|info| info.name == name).map(|info| info.shape.clone());
    if let Some(array) = named(path, read_npy(path)) {
        assert_eq!(Some(array.shape().to_vec()), shape(""));
    }
    for name in named(path, npz_names(path)).unwrap_or_default() {
        if let Some(array) = named(path, read_npz(path, &name)) {
            // Without a description where another array's header is damaged.
            assert!(infos.is_empty() || Some(array.shape().to_vec()) == shape(&name), "{name}");
        }
    }
    named(path, read_npz(path, "raw"));
    let matrix = named(path, read_profile_matrix(path));
    assert!(matrix.is_none_or(|matrix| !matrix.is_empty()));
    if let Some(ProfileText { points, values }) = named(path, read_profile_text(path)) {
        assert_eq!(points.shape(), [values.nrows(), values.ncols(), 3]);
    }
}

fn small_fixtures() -> Vec<PathBuf> {
    let folders = [fixture(""), fixture("peers")];
    let files = folders.iter().flat_map(|f| std::fs::read_dir(f).unwrap()).map(|e| e.unwrap().path());
    let mut files: Vec<_> = files.filter(|p| p.is_file() && p.metadata().unwrap().len() < 8192).collect();
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
    // FreeSurfer without its footer is a whole surface; an OBJ of fewer lines is a smaller one. STL needs its name, since
    // its length is its only mark.
    let (path, cut) = (path.with_extension("stl"), cut.with_extension("stl"));
    for format in SurfaceFormat::ALL {
        if [SurfaceFormat::FreeSurfer, SurfaceFormat::Obj].contains(&format) {
            continue;
        }
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

/// Each field, what is wrong with it, and the error.
#[test]
fn counts_that_lie_are_named() {
    let legacy = |body: &str| format!("# vtk DataFile Version 3.0\nSPACE=RAS\nASCII\nDATASET POLYDATA\n{body}");
    let points = "POINTS 3 float\n0 0 0 1 0 0 0 1 0\n";
    for (body, expected) in [
        ("POINTS 4000000000 float\n0 0 0\n".to_owned(), "truncated"),
        (format!("{points}POLYGONS 4000000000 9\n3 0 1 2\n"), "truncated"),
        (format!("{points}POLYGONS 2 4\n3 0 1 2\n"), "cells: expected 2"),
        (format!("{points}POLYGONS 1 4\n9 0 1 2\n"), "cell: expected corners"),
        (format!("{points}POLYGONS 1 4\n3 0 1 3\n"), "vertex index 3 is out of range"),
        (format!("{points}POLYGONS 1 4\n3 0 1 -2\n"), "whole number"),
        (format!("{points}{points}"), "POINTS: expected once"),
        (format!("{points}POINT_DATA 4\nSCALARS a float\nLOOKUP_TABLE default\n1 2 3 4\n"), "POINT_DATA"),
        (format!("{points}TRIANGLE_STRIPS 1 4\n3 0 1 2\n"), "triangle strips"),
        (format!("{points}NONSENSE 1\n"), "keyword"),
        (points.to_owned(), "POLYGONS: expected once, found none"),
        ("POLYGONS 0 0\n".to_owned(), "POINTS: expected once, found none"),
    ] {
        let error = refused("a.vtk", legacy(&body)).to_string();
        assert!(error.contains(expected), "{body:?}: {error}");
    }
    let mut stl = vec![b' '; 80];
    stl.extend(4_000_000_000u32.to_le_bytes());
    assert!(matches!(refused("a.stl", &stl), Error::Truncated { .. }));
    let mz3 = |attributes: u16, faces: u32, vertices: u32, skip: u32| {
        let mut file = b"MZ".to_vec();
        file.extend(attributes.to_le_bytes());
        [faces, vertices, skip].iter().for_each(|n| file.extend(n.to_le_bytes()));
        file
    };
    assert!(matches!(refused("a.mz3", mz3(3, 4_000_000_000, 3, 0)), Error::Truncated { .. }));
    assert!(matches!(refused("a.mz3", mz3(3, 1, 4_000_000_000, u32::MAX)), Error::Truncated { .. }));
    assert!(matches!(refused("a.mz3", mz3(0x100, 0, 0, 0)), Error::Unsupported { .. }));
    assert!(matches!(refused("a.mz3", mz3(8, 0, 5, 0)), Error::Unsupported { .. }));
    let two =
        gifti(r#"Dimensionality="2" Dim0="0" Dim1="3" Encoding="ASCII""#, "").replace("Arrays=\"1\"", "Arrays=\"2\"");
    let error = refused("a.gii", two);
    assert!(matches!(&error, Error::Invalid { field, .. } if field == "NumberOfDataArrays"), "{error}");
}

/// A scene of one triangle with one field replaced.
#[test]
fn scenes_that_lie_are_named() {
    let good = r#"{"asset":{"version":"2.0"},"buffers":[{"byteLength":48}],
        "bufferViews":[{"buffer":0,"byteLength":36},{"buffer":0,"byteOffset":36,"byteLength":12}],
        "accessors":[{"bufferView":0,"componentType":5126,"count":3,"type":"VEC3"},
                     {"bufferView":1,"componentType":5125,"count":3,"type":"SCALAR"}],
        "meshes":[{"primitives":[{"attributes":{"POSITION":0},"indices":1}]}],
        "nodes":[{"mesh":0,"name":"a"},{"children":[0]}],"scenes":[{"nodes":[1]}]}"#;
    let mut binary: Vec<u8> =
        [0.0f32, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    binary.extend([0u32, 1, 2].iter().flat_map(|v| v.to_le_bytes()));
    let glb = |json: &str| {
        let mut json = json.as_bytes().to_vec();
        json.resize(json.len().next_multiple_of(4), b' ');
        let mut file = b"glTF\x02\x00\x00\x00".to_vec();
        file.extend((28 + json.len() as u32 + binary.len() as u32).to_le_bytes());
        file.extend((json.len() as u32).to_le_bytes());
        file.extend(b"JSON");
        file.extend(json);
        file.extend((binary.len() as u32).to_le_bytes());
        file.extend(b"BIN\0");
        file.extend(&binary);
        file
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("good.glb");
    std::fs::write(&path, glb(good)).unwrap();
    assert_eq!(read_surface(&path).unwrap().vertices()[1].to_array(), [-1000.0, 0.0, 0.0]);
    for (from, to, expected) in [
        (r#""count":3,"type":"VEC3""#, r#""count":4000000000,"type":"VEC3""#, "truncated"),
        (r#""byteOffset":36"#, r#""byteOffset":18446744073709551615"#, "truncated"),
        (r#"{"buffer":0,"byteLength":36}"#, r#"{"buffer":0,"byteLength":36,"byteStride":300}"#, "byteStride"),
        (r#"{"children":[0]}"#, r#"{"children":[1]}"#, "a tree"),
        (r#"{"children":[0]}"#, r#"{"children":[7]}"#, "node: expected below 2"),
        (r#"{"children":[0]}"#, r#"{"children":[0,0]}"#, "a tree"),
        (r#""indices":1"#, r#""indices":9"#, "accessor"),
        (r#""indices":1"#, r#""indices":0"#, "accessor type"),
        (r#""indices":1"#, r#""indices":1,"mode":5"#, "mode"),
        (r#""componentType":5126"#, r#""componentType":1"#, "componentType"),
        (r#"{"byteLength":48}"#, r#"{"byteLength":48,"uri":"a.bin"}"#, "buffer"),
        (r#""bufferView":0,"#, "", "accessor"),
        (r#""scenes":[{"nodes":[1]}]"#, r#""scenes":[]"#, "scene"),
        (r#""asset""#, r#""extensionsRequired":["KHR_draco_mesh_compression"],"asset""#, "extensionsRequired"),
        (r#"{"mesh":0,"#, r#"{"mesh":0,"scale":[1,0,1],"#, "node transform"),
        (
            r#"{"buffer":0,"byteLength":36}"#,
            r#"{"buffer":0,"byteLength":36,"extensions":{"EXT_meshopt_compression":{"buffer":0,"byteLength":36,
               "byteStride":12,"count":4000000000,"mode":"ATTRIBUTES"}}}"#,
            "truncated",
        ),
        (
            r#"{"buffer":0,"byteLength":36}"#,
            r#"{"buffer":0,"byteLength":36,"extensions":{"EXT_meshopt_compression":{"buffer":0,"byteLength":36,
               "byteStride":12,"count":3,"mode":"ATTRIBUTES"}}}"#,
            "EXT_meshopt_compression",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        let error = refused("a.glb", glb(&good.replace(from, to))).to_string();
        assert!(error.contains(expected), "{to}: {error}");
    }
    let deep = format!("{}{}", "[".repeat(60_000), "]".repeat(60_000));
    assert!(matches!(refused("a.glb", glb(&deep)), Error::Invalid { .. }));
}

#[test]
fn a_gzipped_surface_that_is_a_trap_takes_no_memory() {
    use std::io::Write;
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..128 {
        bomb.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let error = refused("a.gii.gz", bomb.finish().unwrap());
    assert!(matches!(&error, Error::Unsupported { field, .. } if field == "gzip"), "{error}");
    let mut whole = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    whole.write_all(b"ply\n").unwrap();
    let mut whole = whole.finish().unwrap();
    let crc = whole.len() - 8;
    whole[crc] ^= 1;
    assert!(matches!(refused("a.ply.gz", whole), Error::Invalid { .. }), "the checksum is wrong");
}

#[test]
fn blocks_of_vtk_data_stop_at_their_size() {
    use base64::Engine;
    use std::io::Write;
    let mut bomb = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![0; 8 << 20]).unwrap();
    let packed = bomb.finish().unwrap();
    let base64 = base64::engine::general_purpose::STANDARD;
    let vtp = |header: [u32; 4], data: &[u8]| {
        let header = base64.encode(header.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>());
        format!(
            r#"<VTKFile type="PolyData" byte_order="LittleEndian" compressor="vtkZLibDataCompressor"><PolyData>
            <Piece NumberOfPoints="1"><Points><DataArray type="Float32" NumberOfComponents="3" format="binary">
            {header}{}</DataArray></Points></Piece></PolyData></VTKFile>"#,
            base64.encode(data)
        )
    };
    let size = packed.len() as u32;
    for (header, expected) in [
        ([1, 12, 12, size], "block: expected 12 bytes"),
        ([1, u32::MAX, u32::MAX, 3], "truncated"),
        ([u32::MAX, 12, 12, 3], "truncated"),
        ([1, 12, 12, u32::MAX], "truncated"),
    ] {
        let error = refused("a.vtp", vtp(header, &packed)).to_string();
        assert!(error.contains(expected), "{header:?}: {error}");
    }
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
    assert!(matches!(refused("a.vtp", "<VTKFile type=\"ImageData\">"), Error::Unsupported { .. }));
    assert!(matches!(refused("a.vtp", "<VTKFile type=\"PolyData\">"), Error::Invalid { .. }));
    assert!(matches!(refused("a.gltf", "{\"asset\": {\"version\": \"2.0\"}}"), Error::Unsupported { .. }));
    assert!(matches!(refused("a.obj", "L 0.1 4\n"), Error::Unsupported { .. }));
    assert!(matches!(refused("a.gii", "<GIFTI><DataArray"), Error::Invalid { .. }));
    assert!(matches!(refused("lh.quad", b"\xff\xff\xff\x00\x00\x01"), Error::Truncated { .. }));
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
