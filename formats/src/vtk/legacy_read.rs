use super::legacy_scan::{Scan, number_type};
use super::poly_data::{PointArray, PolyData};
use crate::numbers::NumberType;
use crate::space_tag::SpaceTag;
use crate::{Error, Result, fault};
use std::path::Path;

/// Reads the whole file: header, points, polygons, then what is said about points and cells.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<PolyData> {
    let mut scan = Scan::new(path, bytes);
    scan.line(); // the magic line
    let title = scan.line().unwrap_or_default();
    let encoding = scan.words().unwrap_or_default().concat().to_ascii_uppercase();
    scan.binary = match encoding.as_str() {
        "BINARY" => true,
        "ASCII" => false,
        _ => return Err(fault::invalid(path, "third line", "ASCII or BINARY", format!("{encoding:?}"))),
    };
    let mut mesh = PolyData { space: SpaceTag::from_comment(&title), ..PolyData::default() };
    let (mut saw_dataset, mut saw_points, mut saw_polygons) = (false, false, false);
    let mut section = Section::Geometry;
    while let Some(words) = scan.words() {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match (words[0].to_ascii_uppercase().as_str(), &words[1..]) {
            ("DATASET", ["POLYDATA"]) => saw_dataset = true,
            ("DATASET", other) => return Err(fault::unsupported(path, "DATASET", other.join(" "), "POLYDATA")),
            _ if !saw_dataset => return Err(fault::invalid(path, "header", "DATASET POLYDATA", words.join(" "))),
            ("POINTS", [count, kind]) => {
                if std::mem::replace(&mut saw_points, true) {
                    return Err(fault::invalid(path, "POINTS", "once", "twice"));
                }
                let count = number(path, "POINTS", count)?;
                mesh.points = scan.numbers(number_type(path, kind)?, count.saturating_mul(3))?;
            }
            ("POLYGONS", [a, b]) => {
                if std::mem::replace(&mut saw_polygons, true) {
                    return Err(fault::invalid(path, "POLYGONS", "once", "twice"));
                }
                let sizes = (number(path, "POLYGONS", a)?, number(path, "POLYGONS", b)?);
                (mesh.corners, mesh.ends) = cells(&mut scan, sizes)?;
            }
            (kind @ ("VERTICES" | "LINES"), [a, b]) => {
                let sizes = (number(path, kind, a)?, number(path, kind, b)?);
                cells(&mut scan, sizes)?;
                mesh.left_out.push(kind.to_ascii_lowercase());
            }
            ("TRIANGLE_STRIPS", _) => return Err(fault::unsupported(path, "cells", "triangle strips", "polygons")),
            ("POINT_DATA", [count]) => {
                let count = number(path, "POINT_DATA", count)?;
                if count != mesh.len() {
                    return Err(fault::invalid(path, "POINT_DATA", format!("{} points", mesh.len()), count));
                }
                section = Section::Points;
            }
            ("CELL_DATA", [count]) => section = Section::Cells(number(path, "CELL_DATA", count)?),
            ("FIELD", [_, count]) => field(&mut scan, &mut mesh, &section, number(path, "FIELD", count)?)?,
            (kind, rest) => attribute(&mut scan, &mut mesh, &section, kind, rest)?,
        }
        scan.skip_metadata();
    }
    for (name, saw) in [("POINTS", saw_points), ("POLYGONS", saw_polygons)] {
        if !saw {
            return Err(fault::invalid(path, name, "once", "none"));
        }
    }
    Ok(mesh)
}

/// What the arrays that follow are about.
enum Section {
    Geometry,
    Points,
    Cells(usize),
}

impl Section {
    /// Keeps an array of numbers about points; field data of the whole and data of cells are passed over.
    fn keep(&self, path: &Path, mesh: &mut PolyData, name: &str, components: usize, values: Vec<f64>) -> Result<()> {
        match self {
            Self::Points => mesh.push_array(path, PointArray { name: decoded(name), components, values }),
            Self::Cells(_) | Self::Geometry => Ok(()),
        }
    }
}

/// Corners and ends of cells: offsets and connectivity since version 5.1, before it each cell's count and its corners.
fn cells(scan: &mut Scan<'_>, (first, second): (usize, usize)) -> Result<(Vec<f64>, Vec<f64>)> {
    let path = scan.path;
    if scan.peek() != b"OFFSETS" {
        let numbers = scan.numbers(NumberType::I32, second)?;
        let (mut corners, mut ends, mut at) = (Vec::new(), Vec::new(), 0);
        while let Some(&count) = numbers.get(at) {
            let cell = numbers.get(at + 1..(at + 1).saturating_add(count.max(0.0) as usize));
            let cell = cell.ok_or_else(|| fault::invalid(path, "cell", "corners to its count", count))?;
            at += 1 + cell.len();
            corners.extend(cell);
            ends.push(corners.len() as f64);
        }
        if ends.len() != first {
            return Err(fault::invalid(path, "cells", first.to_string(), ends.len()));
        }
        return Ok((corners, ends));
    }
    let mut part = |name: &str, count| {
        let words = scan.words().unwrap_or_default();
        match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [word, kind] if *word == name => {
                let kind = number_type(path, kind)?;
                scan.numbers(kind, count)
            }
            _ => Err(fault::invalid(path, "cells", format!("{name} and a type"), words.join(" "))),
        }
    };
    let mut offsets = part("OFFSETS", first)?;
    let corners = part("CONNECTIVITY", second)?;
    if offsets.first().is_some_and(|&o| o != 0.0) {
        return Err(fault::invalid(path, "OFFSETS", "0 first", offsets[0]));
    }
    offsets.drain(..offsets.len().min(1));
    Ok((corners, offsets))
}

/// Arrays of a field, one after another; the string array `SPACE` states the frame.
fn field(scan: &mut Scan<'_>, mesh: &mut PolyData, section: &Section, arrays: usize) -> Result<()> {
    let path = scan.path;
    for _ in 0..arrays {
        let words = scan.words().ok_or_else(|| fault::invalid(path, "FIELD", format!("{arrays} arrays"), "fewer"))?;
        let [name, components, tuples, kind] = words.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
            return Err(fault::invalid(path, "FIELD", "name, components, tuples, type", words.join(" ")));
        };
        let (components, tuples) = (number(path, name, components)?, number(path, name, tuples)?);
        let count = components.saturating_mul(tuples);
        if kind == "string" {
            for _ in 0..count {
                let text = scan.string()?;
                if name == "SPACE" {
                    mesh.space = SpaceTag::from_name(&text).or(mesh.space);
                }
            }
        } else {
            let values = scan.numbers(number_type(path, kind)?, count)?;
            section.keep(path, mesh, name, components, values)?;
        }
        scan.skip_metadata();
    }
    Ok(())
}

/// The named kinds of arrays about points or cells.
fn attribute(scan: &mut Scan<'_>, mesh: &mut PolyData, section: &Section, kind: &str, words: &[&str]) -> Result<()> {
    let path = scan.path;
    let tuples = match section {
        Section::Geometry => return Err(unknown(path, kind)),
        Section::Points => mesh.len(),
        Section::Cells(count) => *count,
    };
    let (name, number_kind, components) = match (kind, words) {
        ("SCALARS", [name, kind]) => (name, number_type(path, kind)?, 1),
        ("SCALARS", [name, kind, components]) => (name, number_type(path, kind)?, number(path, name, components)?),
        ("VECTORS" | "NORMALS", [name, kind]) => (name, number_type(path, kind)?, 3),
        ("TENSORS", [name, kind]) => (name, number_type(path, kind)?, 9),
        ("TEXTURE_COORDINATES", [name, components, kind]) => {
            (name, number_type(path, kind)?, number(path, name, components)?)
        }
        ("GLOBAL_IDS" | "PEDIGREE_IDS", [name, kind]) => (name, number_type(path, kind)?, 1),
        ("COLOR_SCALARS", [name, components]) => (name, NumberType::U8, number(path, name, components)?),
        ("LOOKUP_TABLE", [name, entries]) => {
            // Colours of a table: bytes in binary files, fractions in text.
            scan.numbers(NumberType::U8, number(path, name, entries)?.saturating_mul(4))?;
            return Ok(());
        }
        _ => return Err(unknown(path, kind)),
    };
    if kind == "SCALARS" && scan.peek() == b"LOOKUP_TABLE" {
        scan.words();
    }
    let values = scan.numbers(number_kind, tuples.saturating_mul(components))?;
    // Normals follow from the surface and are not maps.
    if kind != "NORMALS" {
        section.keep(path, mesh, name, components, values)?;
    }
    Ok(())
}

fn unknown(path: &Path, found: &str) -> Error {
    fault::invalid(path, "keyword", "a section of VTK PolyData", format!("{:?}", found.get(..32).unwrap_or(found)))
}

fn number(path: &Path, field: &str, word: &str) -> Result<usize> {
    word.parse().map_err(|_| fault::invalid(path, field, "a count", format!("{word:?}")))
}

/// Names have characters such as spaces written as %20.
fn decoded(name: &str) -> String {
    let mut out = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| first == b'%') {
            Some(byte) => {
                out.push(byte);
                rest = &tail[2..];
            }
            None => {
                out.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
