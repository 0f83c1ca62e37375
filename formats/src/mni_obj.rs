//! MNI polygons (`.obj`, ASCII), as written by CIVET and bicpl (`bicpl/Objects/poly_io.c`).
//!
//! - **Frame**: MINC world, which is RAS+ mm.
//! - **Layout**: `P` ambient diffuse specular exponent opacity, number of points, points, normals, number of polygons,
//!   colour flag (0 one, 1 per polygon, 2 per point) with its RGBA, end index of each polygon, corner indices from 0.
//! - Polygons with more than three corners are cut into fans.
//! - **Not supported**: the binary form (lower-case letter), lines, and files of several objects.

use crate::atomic::write_io;
use crate::decoded_surface::DecodedSurface;
use crate::surface_math::{fan, vertices_f32};
use crate::text_number::{TextNumbers, text};
use crate::{Result, fault};
use brainmesh_core::{Structure, Surface, WorldPoint};
use std::path::Path;

/// Decodes the content of a file.
pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<DecodedSurface> {
    if bytes.trim_ascii_start().first() == Some(&b'p') {
        return Err(fault::unsupported(path, "MNI object", "binary polygons", "ASCII polygons (P)"));
    }
    let mut numbers = TextNumbers::new(path, text(path, bytes)?);
    let letter = numbers.word("object letter")?;
    if letter != "P" {
        return Err(fault::unsupported(path, "MNI object", format!("{letter:?}"), "polygons (P)"));
    }
    for field in ["ambient", "diffuse", "specular", "exponent", "opacity"] {
        numbers.next::<f64>(field, "a number")?;
    }
    let points = numbers.count("number of points", 6)?;
    let mut vertices = Vec::with_capacity(points);
    for _ in 0..points {
        let [x, y, z] = numbers.point("point")?;
        vertices.push(WorldPoint::new(x, y, z));
    }
    for _ in 0..points {
        numbers.point("normal")?;
    }
    let polygons = numbers.count("number of polygons", 1)?;
    let colours = match numbers.next::<u8>("colour flag", "0, 1 or 2")? {
        0 => 1,
        1 => polygons,
        2 => points,
        other => return Err(fault::invalid(path, "colour flag", "0, 1 or 2", other)),
    };
    for _ in 0..colours {
        for channel in ["red", "green", "blue", "alpha"] {
            numbers.next::<f64>(channel, "a number")?;
        }
    }
    let mut ends = Vec::with_capacity(polygons);
    for _ in 0..polygons {
        ends.push(numbers.next::<usize>("end index", "a count of corners")?);
    }
    let mut triangles = Vec::with_capacity(polygons);
    let mut corners = Vec::new();
    let mut start = 0usize;
    for (polygon, &end) in ends.iter().enumerate() {
        if end < start.saturating_add(3) {
            return Err(fault::invalid(
                path,
                format!("polygon {polygon}"),
                "3 corners or more",
                end.saturating_sub(start),
            ));
        }
        corners.clear();
        for _ in start..end {
            // Grows with the words that are there, whatever the end index claims.
            corners.push(numbers.next::<u32>("corner", "a point index")?);
        }
        triangles.extend(fan(&corners));
        start = end;
    }
    if let Ok(word) = numbers.word("end") {
        return Err(fault::unsupported(path, "after the polygons", format!("{word:?}"), "one object a file"));
    }
    let surface = Surface::new(vertices, triangles, Structure::Unknown).map_err(fault::core(path))?;
    Ok(DecodedSurface::new(surface))
}

/// Writes white polygons with unit normals; coordinates in the shortest form that gives the same float32 back.
pub(crate) fn write(path: &Path, surface: &Surface) -> Result<()> {
    let vertices = vertices_f32(path, surface)?;
    let normals = surface.vertex_normals();
    write_io(path, |w| {
        writeln!(w, "P 0.3 0.3 0.4 10 1 {}", vertices.len())?;
        for [x, y, z] in vertices {
            writeln!(w, " {x} {y} {z}")?;
        }
        writeln!(w)?;
        for n in normals {
            writeln!(w, " {} {} {}", n.x as f32, n.y as f32, n.z as f32)?;
        }
        writeln!(w, "\n {}\n 0 1 1 1 1\n", surface.triangles().len())?;
        write_rows(w, (1..=surface.triangles().len()).map(|t| 3 * t))?;
        writeln!(w)?;
        write_rows(w, surface.triangles().iter().flatten())
    })
}

/// Eight numbers a line, as bicpl writes them.
fn write_rows(
    w: &mut dyn crate::WriteSeek,
    numbers: impl IntoIterator<Item = impl std::fmt::Display>,
) -> std::io::Result<()> {
    let mut column = 0;
    for number in numbers {
        write!(w, " {number}")?;
        column += 1;
        if column % 8 == 0 {
            writeln!(w)?;
        }
    }
    if column % 8 != 0 {
        writeln!(w)?;
    }
    Ok(())
}
