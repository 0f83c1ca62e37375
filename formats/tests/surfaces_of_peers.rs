//! Files that VTK and nibabel wrote (data/make_surface_peers.py), each the same pyramid.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "support/fixture.rs"]
mod fixture;
#[path = "support/pyramid.rs"]
mod pyramid;

use brainmesh_core::{Surface, WorldPoint};
use brainmesh_formats::{
    Error, VertexValues, read_freesurfer_label, read_morphometry, read_scene, read_surface, read_vertex_maps,
    read_vertex_mask, surface_info,
};
use fixture::fixture;
use pyramid::{FACES, POINTS};
use std::path::PathBuf;

const DEPTH: [f32; 5] = [0.5, -1.0, 2.25, 1e-3, 4.0];

fn peer(name: &str) -> PathBuf {
    fixture("peers").join(name)
}

fn read(name: &str) -> Surface {
    read_surface(&peer(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn points(surface: &Surface) -> Vec<[f64; 3]> {
    surface.vertices().iter().map(|v| v.to_array()).collect()
}

const LEGACY: [&str; 4] = ["legacy42_ascii.vtk", "legacy42_binary.vtk", "legacy51_ascii.vtk", "legacy51_binary.vtk"];
const XML: [&str; 10] = [
    "ascii_none_32.vtp",
    "ascii_zlib_64.vtp",
    "base64_none_32.vtp",
    "base64_zlib_64.vtp",
    "binary_none_32.vtp",
    "binary_zlib_64.vtp",
    "raw_none_32.vtp",
    "raw_none_64.vtp",
    "raw_zlib_32.vtp",
    "raw_zlib_64.vtp",
];

#[test]
fn every_kind_of_vtk_file_is_the_same_surface() {
    for name in LEGACY.into_iter().chain(XML) {
        let surface = read(name);
        assert_eq!(points(&surface), POINTS, "{name}");
        assert_eq!(surface.triangles(), FACES, "{name}");
        let info = surface_info(&peer(name)).unwrap();
        assert_eq!((info.space.as_deref(), info.warnings), (Some("RAS"), vec![]), "{name}");
    }
}

#[test]
fn every_kind_of_vtk_file_has_the_same_maps() {
    for name in LEGACY.into_iter().chain(XML) {
        let maps = read_vertex_maps(&peer(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut found: Vec<(String, Vec<f32>)> = maps
            .into_iter()
            .map(|map| match map {
                VertexValues::Shape(map) => (map.name, map.values),
                VertexValues::Labels(_) => panic!("{name}: labels"),
            })
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let wide = |odd: usize| (0..5).map(|v| (2 * v + odd) as f32).collect::<Vec<_>>();
        let expected =
            [("depth".into(), DEPTH.to_vec()), ("two wide-0".into(), wide(0)), ("two wide-1".into(), wide(1))];
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn vtk_files_in_lps_are_turned() {
    let surface = read("lps.vtp");
    assert_eq!(points(&surface), POINTS.map(|[x, y, z]| [-x, -y, z]));
    assert_eq!(surface_info(&peer("lps.vtp")).unwrap().space.as_deref(), Some("LPS"));
}

#[test]
fn what_is_not_read_is_named() {
    for (name, expected) in [("lz4.vtp", "compressor"), ("strips.vtp", "cells")] {
        let error = read_surface(&peer(name)).unwrap_err();
        assert!(matches!(&error, Error::Unsupported { field, .. } if field == expected), "{name}: {error}");
    }
}

/// STL numbers its vertices in order of appearance; the triangles stay where they are.
#[test]
fn stl_shares_vertices_again() {
    for name in ["ascii.stl", "binary.stl"] {
        let surface = read(name);
        assert_eq!((surface.vertices().len(), surface.euler_characteristic()), (5, 2), "{name}");
        let corners: Vec<[[f64; 3]; 3]> =
            surface.triangles().iter().map(|t| t.map(|v| surface.vertices()[v as usize].to_array())).collect();
        assert_eq!(corners, FACES.map(|t| t.map(|v| POINTS[v as usize])), "{name}");
        let info = surface_info(&peer(name)).unwrap();
        assert_eq!((info.space.as_deref(), info.warnings), (Some("RAS"), vec![]), "{name}");
    }
}

/// VTK writes its coordinates as they are, so that millimetres become metres: (x, y, z) m is (-1000 x, 1000 z, 1000 y) mm.
#[test]
fn gltf_is_metres_with_y_up() {
    let surface = read("vtk.glb");
    let expected = POINTS.map(|[x, y, z]| WorldPoint::new(-1000.0 * x, 1000.0 * z, 1000.0 * y));
    assert_eq!(surface.vertices(), expected);
    assert_eq!(surface.triangles(), FACES);
    assert!(surface.signed_volume_mm3() > 0.0, "a rotation keeps the winding");
    let info = surface_info(&peer("vtk.glb")).unwrap();
    assert!(info.warnings.iter().any(|w| w.contains("millimetres")), "{:?}", info.warnings);
    assert_eq!(read_scene(&peer("vtk.glb")).unwrap(), [("mesh0".to_owned(), surface)]);
}

/// Triangles as nibabel's `read_geometry` cuts [0 1 2 3] and [3 4 1 0].
#[test]
fn quadrangles_are_cut_as_nibabel_cuts_them() {
    for name in ["lh.quad", "lh.quad_float"] {
        let surface = read(name);
        assert_eq!(points(&surface), POINTS, "{name}");
        assert_eq!(surface.triangles(), [[0, 1, 3], [2, 3, 1], [3, 4, 1], [3, 1, 0]], "{name}");
        assert!(surface_info(&peer(name)).unwrap().warnings[0].contains("volume geometry"));
    }
}

#[test]
fn maps_of_freesurfer_and_gifti() {
    let old = [2.5, -0.25, 3.25, 1.0, 4.0];
    assert_eq!(read_morphometry(&peer("lh.old_curv")).unwrap(), old);
    let maps = read_vertex_maps(&peer("lh.old_curv")).unwrap();
    assert!(matches!(&maps[..], [VertexValues::Shape(map)] if map.values == old));
    let maps = read_vertex_maps(&fixture("lh.areas.annot")).unwrap();
    assert!(matches!(&maps[..], [VertexValues::Labels(map)] if map.labels == [1, 0, 2, -1, 1]));
    let maps = read_vertex_maps(&fixture("nibabel.label.gii")).unwrap();
    assert!(matches!(&maps[..], [VertexValues::Labels(map)] if map.labels == [0, -3, 0, -3, -3]));
    // A gzipped time series.
    let maps = read_vertex_maps(&peer("nibabel.func.gii.gz")).unwrap();
    let values = maps.iter().map(|m| if let VertexValues::Shape(m) = m { m.values.clone() } else { vec![] });
    let values: Vec<_> = values.collect();
    assert_eq!(values, [0.0, 1.0, 2.0].map(|t| DEPTH.map(|d| d + t).to_vec()));
    let error = read_vertex_maps(&fixture("big_row.surf.gii")).unwrap_err();
    assert!(matches!(&error, Error::Invalid { field, .. } if field == "maps"), "{error}");
}

#[test]
fn a_label_file_lists_vertices() {
    let label = read_freesurfer_label(&peer("lh.some.label")).unwrap();
    assert_eq!(
        (label.vertices.as_slice(), label.values.as_slice()),
        ([4, 1, 2].as_slice(), [0.5, 1.0, 0.0].as_slice())
    );
    assert_eq!(label.points.iter().map(|p| p.to_array()).collect::<Vec<_>>(), [POINTS[4], POINTS[1], POINTS[2]]);
    let mask = read_vertex_mask(&peer("lh.some.label"), 5).unwrap();
    assert_eq!(mask, [false, true, true, false, true]);
    assert!(matches!(read_vertex_mask(&peer("lh.some.label"), 4), Err(Error::Invalid { .. })));
    assert!(matches!(read_vertex_maps(&peer("lh.some.label")), Err(Error::Unsupported { .. })));
}
