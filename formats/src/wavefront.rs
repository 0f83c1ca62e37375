//! Wavefront OBJ: `v` and `f` lines; texture coordinates, normals, groups and materials are skipped.
//!
//! - **Frame**: as the comment `SPACE=RAS` or `SPACE=LPS` says (3D Slicer's convention), RAS mm without one.
//! - Corners count from 1, or backwards from the last vertex when negative; polygons are cut into fans.
//! - **Not supported**: lines continued with a backslash, free-form curves.

use crate::atomic::write_io;
use crate::decoded_surface::DecodedSurface;
use crate::space_tag::SpaceTag;
use crate::surface_math::{fan, vertices_f32};
use crate::text_number::text;
use crate::{Result, fault};
use brainmesh_core::Surface;
use std::path::Path;

/// Decodes the content of a file.
pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<DecodedSurface> {
    let mut space = None;
    let mut points = Vec::new();
    let mut triangles = Vec::new();
    let mut corners = Vec::new();
    for (number, line) in text(path, bytes)?.lines().enumerate() {
        let (line, comment) = line.split_once('#').map_or((line, None), |(l, c)| (l, Some(c)));
        if let Some(tag) = comment.and_then(SpaceTag::from_comment) {
            space = Some(tag);
        }
        let bad = |expected: &str| fault::invalid(path, format!("line {}", number + 1), expected, format!("{line:?}"));
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("v") => {
                let mut point = [0.0f64; 3];
                for c in &mut point {
                    *c = words.next().and_then(|w| w.parse().ok()).ok_or_else(|| bad("three coordinates"))?;
                }
                points.push(point);
            }
            Some("f") => {
                corners.clear();
                for word in words {
                    let index = word.split('/').next().and_then(|w| w.parse::<i64>().ok());
                    let corner = match index {
                        Some(i) if i > 0 => Some(i - 1),
                        Some(i) if i < 0 => Some(points.len() as i64 + i),
                        _ => None,
                    };
                    let corner = corner.and_then(|c| u32::try_from(c).ok());
                    corners.push(corner.ok_or_else(|| bad("vertex numbers"))?);
                }
                if corners.len() < 3 {
                    return Err(bad("three corners or more"));
                }
                triangles.extend(fan(&corners));
            }
            _ => {}
        }
    }
    DecodedSurface::tagged(path, &points, triangles, space)
}

/// Writes RAS mm; coordinates in the shortest form that gives the same float32 back.
pub(crate) fn write(path: &Path, surface: &Surface) -> Result<()> {
    let vertices = vertices_f32(path, surface)?;
    write_io(path, |w| {
        writeln!(w, "# brainmesh, mm, SPACE=RAS")?;
        for [x, y, z] in vertices {
            writeln!(w, "v {x} {y} {z}")?;
        }
        for &[a, b, c] in surface.triangles() {
            writeln!(w, "f {} {} {}", u64::from(a) + 1, u64::from(b) + 1, u64::from(c) + 1)?;
        }
        Ok(())
    })
}
