//! STL (3D Systems 1989): read as text and binary (little endian), written binary.
//!
//! - **Frame**: as `SPACE=RAS` or `SPACE=LPS` in the header says (3D Slicer's convention), RAS mm without one.
//! - **Vertices**: the format stores three corners a triangle. Corners at exactly the same place become one vertex, numbered
//!   in order of appearance, so that Euler characteristic and winding survive but not the numbers of the vertices. Two
//!   vertices that truly share a place become one, and a triangle that loses a corner by it is left out, with a warning.
//! - **Not supported**: several solids in one text file; colours in the attribute bytes are skipped.

use crate::atomic::write_io;
use crate::decoded_surface::DecodedSurface;
use crate::merge::merge_corners;
use crate::space_tag::SpaceTag;
use crate::surface_math::vertices_f32;
use crate::{Result, fault};
use brainmesh_core::Surface;
use glam::DVec3;
use std::path::Path;

const HEADER_BYTES: usize = 84;
const FACET_BYTES: usize = 50;

/// A normal and three corners, as stored.
type Facet = [[f64; 3]; 4];

/// Whether the content is STL: binary has the length that its count says, text begins with `solid`. What is named `.stl`
/// is taken for it too, so that a cut file is called truncated.
pub(crate) fn is_stl(path: &Path, bytes: &[u8]) -> bool {
    let named = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("stl"));
    is_binary(bytes) || is_text(bytes) || (named && bytes.len() >= HEADER_BYTES)
}

fn declared_facets(bytes: &[u8]) -> Option<usize> {
    Some(u32::from_le_bytes(*bytes.get(80..)?.first_chunk()?) as usize)
}

fn is_binary(bytes: &[u8]) -> bool {
    // Checked before the text: exporters write binary headers that begin with "solid" too.
    declared_facets(bytes).is_some_and(|n| bytes.len() == n.saturating_mul(FACET_BYTES).saturating_add(HEADER_BYTES))
}

fn is_text(bytes: &[u8]) -> bool {
    let first = bytes.trim_ascii_start().split(u8::is_ascii_whitespace).next().unwrap_or_default();
    first.eq_ignore_ascii_case(b"solid")
}

/// Decodes the content of a file.
pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<DecodedSurface> {
    let (tag, facets) = match is_text(bytes) && !is_binary(bytes) {
        true => text_facets(path, bytes)?,
        false => binary_facets(path, bytes)?,
    };
    let corners: Vec<[f64; 3]> = facets.iter().flat_map(|f| [f[1], f[2], f[3]]).collect();
    let merged = merge_corners(path, &corners)?;
    let mut decoded = DecodedSurface::tagged(path, &merged.points, merged.triangles, tag)?;
    if merged.dropped > 0 {
        decoded.warn(format!("{} triangles with two corners at the same place are left out", merged.dropped));
    }
    let against = facets.iter().filter(|f| normal_opposes_winding(f)).count();
    if against * 2 > facets.len() {
        decoded.warn(format!("{against} of {} normals point against the winding, which is kept", facets.len()));
    }
    Ok(decoded)
}

fn normal_opposes_winding(facet: &Facet) -> bool {
    let [normal, a, b, c] = facet.map(DVec3::from);
    (b - a).cross(c - a).dot(normal) < 0.0
}

fn binary_facets(path: &Path, bytes: &[u8]) -> Result<(Option<SpaceTag>, Vec<Facet>)> {
    let count = declared_facets(bytes).ok_or_else(|| fault::truncated(path, HEADER_BYTES, bytes.len()))?;
    let expected = count.saturating_mul(FACET_BYTES).saturating_add(HEADER_BYTES);
    if bytes.len() < expected {
        return Err(fault::truncated(path, expected, bytes.len()));
    }
    if bytes.len() > expected {
        return Err(fault::invalid(path, "file length", format!("{expected} bytes for {count} facets"), bytes.len()));
    }
    let (chunks, _) = bytes[HEADER_BYTES..].as_chunks::<FACET_BYTES>();
    let facet = |chunk: &[u8; FACET_BYTES]| {
        let mut facet = [[0.0; 3]; 4];
        for (value, bytes) in facet.as_flattened_mut().iter_mut().zip(chunk.as_chunks().0) {
            *value = f64::from(f32::from_le_bytes(*bytes));
        }
        facet
    };
    let tag = SpaceTag::from_comment(&String::from_utf8_lossy(&bytes[..80]));
    Ok((tag, chunks.iter().map(facet).collect()))
}

fn text_facets(path: &Path, bytes: &[u8]) -> Result<(Option<SpaceTag>, Vec<Facet>)> {
    let text = String::from_utf8_lossy(bytes);
    let (mut tag, mut facets) = (None, Vec::new());
    let (mut normal, mut corners) = ([0.0; 3], Vec::new());
    let (mut solids, mut ended) = (0, false);
    for (number, line) in text.lines().enumerate() {
        let bad = |expected: &str| fault::invalid(path, format!("line {}", number + 1), expected, format!("{line:?}"));
        let words: Vec<String> = line.split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
        let vector = |words: &[String]| -> Result<[f64; 3]> {
            let numbers: Vec<f64> = words.iter().filter_map(|w| w.parse().ok()).collect();
            <[f64; 3]>::try_from(numbers).ok().filter(|_| words.len() == 3).ok_or_else(|| bad("three numbers"))
        };
        match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [] | ["outer", "loop"] | ["endloop"] => {}
            ["solid", ..] => {
                solids += 1;
                if solids > 1 {
                    return Err(fault::unsupported(path, "STL", "several solids", "one solid a file"));
                }
                tag = SpaceTag::from_comment(line);
            }
            ["facet", "normal", ..] => {
                normal = vector(&words[2..])?;
                corners.clear();
            }
            ["vertex", ..] => corners.push(vector(&words[1..])?),
            ["endfacet"] => match corners.as_slice() {
                &[a, b, c] => facets.push([normal, a, b, c]),
                _ => return Err(bad("three vertices a facet")),
            },
            ["endsolid", ..] => ended = true,
            _ => return Err(bad("a line of an STL solid")),
        }
    }
    if !ended {
        return Err(fault::invalid(path, "STL", "endsolid", "the end of the file"));
    }
    Ok((tag, facets))
}

/// Writes RAS mm.
pub(crate) fn write(path: &Path, surface: &Surface) -> Result<()> {
    let vertices = vertices_f32(path, surface)?;
    let count = surface.triangles().len();
    let count = u32::try_from(count).map_err(|_| fault::unsupported(path, "triangles", count, "below 2^32 in STL"))?;
    // The header must not begin with "solid", which marks text files.
    let mut header = [b' '; 80];
    let text = b"brainmesh, mm, SPACE=RAS";
    header[..text.len()].copy_from_slice(text);
    write_io(path, |w| {
        w.write_all(&header)?;
        w.write_all(&count.to_le_bytes())?;
        for (t, triangle) in surface.triangles().iter().enumerate() {
            let [a, b, c] = surface.corners(t);
            let normal = (b - a).cross(c - a).normalize_or_zero().as_vec3().to_array();
            let corners = triangle.map(|v| vertices[v as usize]);
            for value in normal.iter().chain(corners.as_flattened()) {
                w.write_all(&value.to_le_bytes())?;
            }
            w.write_all(&[0, 0])?; // attribute byte count
        }
        Ok(())
    })
}
