//! PLY 1.0 (Turk 1994): read ASCII and binary of both byte orders; written binary little endian.
//!
//! - **Frame**: as `comment SPACE=RAS` or `SPACE=LPS` says (3D Slicer's convention), RAS mm without one.
//! - Read are `x y z` of `vertex` and the list `vertex_indices` (or `vertex_index`) of `face`; polygons are cut into fans,
//!   everything else is skipped. Maps are the other numbers of `vertex`, written as floats.

use crate::atomic::write_io;
use crate::decoded_surface::DecodedSurface;
use crate::numbers::narrow;
use crate::ply_header::{Body, Element, PlyHeader, Property, Scalar};
use crate::surface_math::{fan, vertices_f32};
use crate::{Result, ShapeMap, VertexMaps, fault};
use brainmesh_core::{Structure, Surface};
use std::path::Path;

/// Decodes the content of a file.
pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<DecodedSurface> {
    let header = PlyHeader::parse(path, bytes)?;
    let mut numbers = Numbers { path, body: header.body, rest: &bytes[header.body_offset..] };
    let (mut points, mut triangles) = (Vec::new(), Vec::new());
    for element in &header.elements {
        numbers.require(element)?;
        let column = |name: &str| element.properties.iter().position(|p| p.name == name && p.count.is_none());
        match element.name.as_str() {
            "vertex" => {
                let (Some(x), Some(y), Some(z)) = (column("x"), column("y"), column("z")) else {
                    return Err(fault::invalid(path, "PLY vertex", "properties x, y and z", "others"));
                };
                let mut row = Vec::new();
                for _ in 0..element.count {
                    numbers.row(element, &mut row, None)?;
                    points.push([row[x], row[y], row[z]]);
                }
            }
            "face" => {
                let is_corners = |p: &Property| p.count.is_some() && p.name.starts_with("vertex_ind");
                let Some(list) = element.properties.iter().position(is_corners) else {
                    return Err(fault::invalid(path, "PLY face", "a list vertex_indices", "none"));
                };
                let (mut row, mut corners) = (Vec::new(), Vec::new());
                for face in 0..element.count {
                    corners.clear();
                    numbers.row(element, &mut row, Some((list, &mut corners)))?;
                    if corners.len() < 3 {
                        return Err(fault::invalid(path, format!("face {face}"), "3 corners or more", corners.len()));
                    }
                    triangles.extend(fan(&corners));
                }
            }
            _ => {
                let mut row = Vec::new();
                for _ in 0..element.count {
                    numbers.row(element, &mut row, None)?;
                }
            }
        }
    }
    DecodedSurface::tagged(path, &points, triangles, header.space)
}

/// Decodes the maps of a file's content: the properties of `vertex` other than its place and its normal.
pub(crate) fn decode_maps(path: &Path, bytes: &[u8]) -> Result<Vec<ShapeMap>> {
    let header = PlyHeader::parse(path, bytes)?;
    let mut numbers = Numbers { path, body: header.body, rest: &bytes[header.body_offset..] };
    for element in &header.elements {
        numbers.require(element)?;
        let is_map = |p: &Property| p.count.is_none() && !["x", "y", "z", "nx", "ny", "nz"].contains(&p.name.as_str());
        let columns = element.properties.iter().enumerate().filter(|(_, p)| element.name == "vertex" && is_map(p));
        let mut maps: Vec<(usize, ShapeMap)> = columns
            .map(|(column, p)| {
                (column, ShapeMap { name: p.name.clone(), values: Vec::new(), structure: Structure::Unknown })
            })
            .collect();
        let mut row = Vec::new();
        for _ in 0..element.count {
            numbers.row(element, &mut row, None)?;
            for (column, map) in &mut maps {
                map.values.push(narrow(path, &map.name, row[*column])?);
            }
        }
        if element.name == "vertex" {
            return Ok(maps.into_iter().map(|(_, map)| map).collect());
        }
    }
    Ok(Vec::new())
}

/// Numbers of the body, one after another.
struct Numbers<'b> {
    path: &'b Path,
    body: Body,
    rest: &'b [u8],
}

impl Numbers<'_> {
    /// Refuses an element that declares more rows than the rest of the file can hold.
    fn require(&self, element: &Element) -> Result<()> {
        let row: usize = match self.body {
            Body::Ascii => 2 * element.properties.len(),
            _ => element.properties.iter().map(|p| p.count.unwrap_or(p.scalar).size_bytes()).sum(),
        };
        if element.properties.is_empty() && element.count > 0 {
            return Err(fault::invalid(self.path, format!("element {}", element.name), "properties", "none"));
        }
        let needed = row.saturating_mul(element.count);
        // The last number of a text may lack its separator.
        if needed > self.rest.len() + 1 {
            return Err(fault::truncated(self.path, needed, self.rest.len()));
        }
        Ok(())
    }

    /// One row: scalars go to `row` (a list leaves NaN there), the list at `corners.0` goes to `corners.1`.
    fn row(
        &mut self,
        element: &Element,
        row: &mut Vec<f64>,
        mut corners: Option<(usize, &mut Vec<u32>)>,
    ) -> Result<()> {
        row.clear();
        for (column, property) in element.properties.iter().enumerate() {
            let Some(count) = property.count else {
                row.push(self.next(property.scalar)?);
                continue;
            };
            row.push(f64::NAN);
            let length = self.whole(count)?;
            for _ in 0..length {
                match &mut corners {
                    Some((list, out)) if *list == column => out.push(self.whole(property.scalar)?),
                    _ => drop(self.next(property.scalar)?),
                }
            }
        }
        Ok(())
    }

    fn whole(&mut self, scalar: Scalar) -> Result<u32> {
        let value = self.next(scalar)?;
        if value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value) {
            return Ok(value as u32);
        }
        Err(fault::invalid(self.path, "PLY list", "a whole number of 0 or more", value))
    }

    fn next(&mut self, scalar: Scalar) -> Result<f64> {
        if self.body == Body::Ascii {
            self.rest = self.rest.trim_ascii_start();
            let end = self.rest.iter().position(u8::is_ascii_whitespace).unwrap_or(self.rest.len());
            let (word, rest) = self.rest.split_at(end);
            self.rest = rest;
            let value = std::str::from_utf8(word).ok().and_then(|w| w.parse().ok());
            let found = || format!("{:?}", String::from_utf8_lossy(&word[..word.len().min(32)]));
            return value.ok_or_else(|| fault::invalid(self.path, "PLY body", "a number", found()));
        }
        let big_endian = self.body == Body::BigEndian;
        macro_rules! take {
            ($stored:ty) => {{
                let Some((bytes, rest)) = self.rest.split_first_chunk() else {
                    return Err(fault::truncated(self.path, size_of::<$stored>(), self.rest.len()));
                };
                self.rest = rest;
                f64::from(if big_endian { <$stored>::from_be_bytes(*bytes) } else { <$stored>::from_le_bytes(*bytes) })
            }};
        }
        Ok(match scalar {
            Scalar::I8 => take!(i8),
            Scalar::U8 => take!(u8),
            Scalar::I16 => take!(i16),
            Scalar::U16 => take!(u16),
            Scalar::I32 => take!(i32),
            Scalar::U32 => take!(u32),
            Scalar::F32 => take!(f32),
            Scalar::F64 => take!(f64),
        })
    }
}

/// Writes RAS mm with its maps as float properties.
pub(crate) fn write(path: &Path, surface: &Surface, maps: &VertexMaps) -> Result<()> {
    let vertices = vertices_f32(path, surface)?;
    if maps.iter().any(|(name, _)| matches!(name, "x" | "y" | "z")) {
        return Err(fault::invalid(path, "map name", "other than x, y and z", "one of them"));
    }
    let maps: Vec<(&str, &[f32])> = maps.iter().collect();
    write_io(path, |w| {
        writeln!(w, "ply\nformat binary_little_endian 1.0\ncomment brainmesh, mm\ncomment SPACE=RAS")?;
        writeln!(w, "element vertex {}", vertices.len())?;
        for name in ["x", "y", "z"].into_iter().chain(maps.iter().map(|m| m.0)) {
            writeln!(w, "property float {name}")?;
        }
        writeln!(w, "element face {}", surface.triangles().len())?;
        writeln!(w, "property list uchar int vertex_indices\nend_header")?;
        for (n, point) in vertices.iter().enumerate() {
            for value in point.iter().copied().chain(maps.iter().map(|m| m.1[n])) {
                w.write_all(&value.to_le_bytes())?;
            }
        }
        for triangle in surface.triangles() {
            w.write_all(&[3])?;
            triangle.iter().try_for_each(|v| w.write_all(&v.to_le_bytes()))?;
        }
        Ok(())
    })
}
