//! Surfaces: the same one in every format, real ones, and what other programs say of published files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests")]

#[path = "support/shape.rs"]
mod shape;

use brainmesh_core::{Structure, Surface};
use brainmesh_formats::{Error, SurfaceFormat, VertexMaps, read_label_gifti, read_surface, write_surface};
use std::path::{Path, PathBuf};

const READABLE: [SurfaceFormat; 5] =
    [SurfaceFormat::Gifti, SurfaceFormat::Ply, SurfaceFormat::Obj, SurfaceFormat::FreeSurfer, SurfaceFormat::MniObj];

#[test]
fn one_surface_is_the_same_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let surface = shape::lopsided();
    for format in READABLE {
        let path = folder.path().join(format!("lh.{format:?}"));
        write_surface(&path, &surface, format, None).unwrap();
        let read = read_surface(&path).unwrap_or_else(|e| panic!("{format:?}: {e}"));
        assert!(f32_vertices(&read) == f32_vertices(&surface), "{format:?}");
        assert_eq!(read.triangles(), surface.triangles(), "{format:?}");
    }
}

/// Every format stores float32; text gives the shortest decimals that stand for it.
fn f32_vertices(surface: &Surface) -> Vec<[f32; 3]> {
    surface.vertices().iter().map(|v| v.to_array().map(|c| c as f32)).collect()
}

#[test]
fn writing_twice_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let surface = shape::lopsided();
    for format in SurfaceFormat::ALL {
        let write = |name: &str| {
            let path = folder.path().join(name);
            write_surface(&path, &surface, format, None).unwrap();
            std::fs::read(path).unwrap()
        };
        assert_eq!(write("a"), write("b"), "{format:?}");
    }
}

#[test]
fn maps_are_refused_where_they_would_be_lost() {
    let folder = tempfile::tempdir().unwrap();
    let surface = shape::lopsided();
    let mut maps = VertexMaps::default();
    maps.push("depth", vec![0.0; surface.vertices().len()]).unwrap();
    for format in SurfaceFormat::ALL {
        let written = write_surface(&folder.path().join("x"), &surface, format, Some(&maps));
        match format.carries_maps() {
            true => written.unwrap(),
            false => assert!(matches!(written, Err(Error::Unsupported { .. })), "{format:?}"),
        }
    }
}

/// The real surfaces, which no checkout holds.
fn bigbrain(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/bigbrain").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not here", path.display());
    None
}

fn is_left_hemisphere(surface: &Surface) {
    assert_eq!(surface.vertices().len(), 163_842);
    assert_eq!(surface.triangles().len(), 327_680);
    assert_eq!(surface.euler_characteristic(), 2);
    assert_eq!(surface.structure(), Structure::CortexLeft);
    let low = surface.vertices().iter().map(|v| v.0.x).fold(f64::INFINITY, f64::min);
    let high = surface.vertices().iter().map(|v| v.0.x).fold(f64::NEG_INFINITY, f64::max);
    assert!((-80.0..-60.0).contains(&low) && high < 10.0, "left is negative x in RAS: {low} {high}");
    assert!(surface.signed_volume_mm3() > 0.0, "outward winding");
}

/// Sums are nibabel's.
#[test]
fn bigbrain_surfaces_are_whole() {
    let files = [
        ("tpl-bigbrain_hemi-L_desc-pial.surf.gii", [-4_726_748.939_127_03, 441_866.935_407_21, 1_598_099.997_284_02]),
        ("tpl-bigbrain_hemi-L_desc-white.surf.gii", [-4_714_011.291_023_95, 442_261.173_913_27, 1_602_374.232_628_92]),
    ];
    for (name, sums) in files {
        let Some(path) = bigbrain(name) else { continue };
        let surface = read_surface(&path).unwrap();
        is_left_hemisphere(&surface);
        let found = surface.vertices().iter().fold(glam::DVec3::ZERO, |sum, v| sum + v.0);
        assert!(found.abs_diff_eq(glam::DVec3::from(sums), 1e-3), "{found}");
        let corners = surface.triangles().iter().flatten();
        assert_eq!(corners.map(|&v| u64::from(v)).sum::<u64>(), 80_532_111_300);
        assert_eq!(surface.triangles()[1000], [10347, 41358, 41361]);
    }
}

#[test]
fn bigbrain_labels_are_whole() {
    let Some(path) = bigbrain("tpl-bigbrain_hemi-L_desc-economo_parcellation.label.gii") else { return };
    let areas = read_label_gifti(&path).unwrap();
    assert_eq!(areas.labels.len(), 163_842);
    assert_eq!(areas.labels.iter().map(|&l| i64::from(l)).sum::<i64>(), 3_537_358);
    assert_eq!(areas.table.0.len(), 8);
    assert_eq!(areas.table.get(1).unwrap().rgba, [0.470588, 0.0705882, 0.52549, 1.0]);
}
