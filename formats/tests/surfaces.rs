//! Surfaces: the same one in every format, real ones, and what other programs say of published files.

#[path = "support/shape.rs"]
mod shape;

use brainmesh_core::{Structure, Surface};
use brainmesh_formats::{Error, SurfaceFormat, VertexMaps, read_surface, write_surface};
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

#[test]
fn bigbrain_surfaces_are_whole() {
    for name in ["tpl-bigbrain_hemi-L_desc-pial.surf.gii", "tpl-bigbrain_hemi-L_desc-white.surf.gii"] {
        if let Some(path) = bigbrain(name) {
            is_left_hemisphere(&read_surface(&path).unwrap());
        }
    }
}
