use super::poly_data::{PointArray, PolyData};
use super::xml_array::{Appended, ArrayTag, Storage};
use crate::space_tag::SpaceTag;
use crate::{Result, fault};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::path::Path;

/// Reads the whole file.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<PolyData> {
    let (document, appended) = split_appended(path, bytes)?;
    // Metadata in another encoding must not make the numbers unreadable.
    let text = String::from_utf8_lossy(document);
    let mut reader = Reader::from_str(&text);
    let mut parser = Parser { path, appended, ..Parser::new(path) };
    loop {
        let event = reader.read_event().map_err(|e| {
            fault::invalid(path, format!("XML near byte {}", reader.error_position()), "well-formed XML", e)
        })?;
        match event {
            Event::Start(tag) => parser.start(&tag)?,
            Event::Empty(tag) => {
                parser.start(&tag)?;
                parser.end(tag.name().into_inner())?;
            }
            Event::End(tag) => parser.end(tag.name().into_inner())?,
            Event::Text(part) => parser.text(&part.into_inner()),
            Event::CData(part) => parser.text(&part.into_inner()),
            Event::GeneralRef(name) => {
                return Err(fault::invalid(path, "XML entity", "none in data", name.into_inner()));
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            Event::Eof => break,
        }
    }
    parser.finish()
}

/// Splits off appended data, which need not be XML.
fn split_appended<'b>(path: &Path, bytes: &'b [u8]) -> Result<(&'b [u8], Option<Appended<'b>>)> {
    const TAG: &[u8] = b"<AppendedData";
    let Some(start) = bytes.windows(TAG.len()).position(|w| w == TAG) else { return Ok((bytes, None)) };
    let (document, rest) = bytes.split_at(start);
    let bad = |found: &str| fault::invalid(path, "AppendedData", "<AppendedData encoding=...>_", found.to_owned());
    let close = rest.iter().position(|&b| b == b'>').ok_or_else(|| bad("no end of the tag"))?;
    let tag = String::from_utf8_lossy(&rest[..close]);
    let base64 = match tag.split(['"', '\'']).nth(1) {
        Some("base64") => true,
        Some("raw") => false,
        _ => return Err(bad(&tag)),
    };
    let data = rest[close + 1..].trim_ascii_start().strip_prefix(b"_").ok_or_else(|| bad("no underscore"))?;
    Ok((document, Some(Appended { bytes: data, base64 })))
}

/// State while walking the document.
struct Parser<'b> {
    path: &'b Path,
    appended: Option<Appended<'b>>,
    storage: Storage,
    mesh: PolyData,
    declared_points: usize,
    declared_polygons: usize,
    pieces: usize,
    saw_root: bool,
    closed_root: bool,
    /// Names of the open elements around arrays: `Points`, `Polys`, `PointData`, `FieldData`.
    section: String,
    array: Option<ArrayTag>,
    /// Text of the open array.
    text: String,
    /// Open elements inside the array: information about it, not data.
    inside: usize,
}

impl<'b> Parser<'b> {
    fn new(path: &'b Path) -> Self {
        Self {
            path,
            appended: None,
            storage: Storage::default(),
            mesh: PolyData::default(),
            declared_points: 0,
            declared_polygons: 0,
            pieces: 0,
            saw_root: false,
            closed_root: false,
            section: String::new(),
            array: None,
            text: String::new(),
            inside: 0,
        }
    }

    fn text(&mut self, part: &str) {
        if self.array.is_some() && self.inside == 0 {
            self.text.push_str(part);
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<()> {
        if self.array.is_some() {
            self.inside += 1;
            return Ok(());
        }
        self.text.clear();
        let path = self.path;
        let attribute = |name: &str| attribute(path, tag, name);
        let count = |name: &str| -> Result<usize> {
            let text = attribute(name)?;
            let bad = || fault::invalid(path, name, "a count", format!("{text:?}"));
            if text.is_empty() { Ok(0) } else { text.trim().parse().map_err(|_| bad()) }
        };
        match tag.name().into_inner() {
            "VTKFile" => {
                let (kind, compressor) = (attribute("type")?, attribute("compressor")?);
                if kind != "PolyData" {
                    return Err(fault::unsupported(self.path, "VTKFile type", format!("{kind:?}"), "PolyData"));
                }
                if !["", "vtkZLibDataCompressor"].contains(&compressor.as_str()) {
                    let supported = "none and vtkZLibDataCompressor";
                    return Err(fault::unsupported(self.path, "compressor", compressor, supported));
                }
                let big_endian = attribute("byte_order")? == "BigEndian";
                let wide_sizes = attribute("header_type")? == "UInt64";
                self.storage = Storage { big_endian, wide_sizes, zlib: !compressor.is_empty() };
                self.saw_root = true;
            }
            "Piece" => {
                (self.declared_points, self.declared_polygons) = (count("NumberOfPoints")?, count("NumberOfPolys")?);
                let (strips, lines, vertices) =
                    (count("NumberOfStrips")?, count("NumberOfLines")?, count("NumberOfVerts")?);
                if strips > 0 {
                    return Err(fault::unsupported(self.path, "cells", "triangle strips", "polygons"));
                }
                for (number, name) in [(vertices, "vertices"), (lines, "lines")] {
                    if number > 0 {
                        self.mesh.left_out.push(name.into());
                    }
                }
                self.pieces += 1;
            }
            name @ ("Points" | "Polys" | "PointData" | "CellData" | "FieldData" | "Verts" | "Lines" | "Strips") => {
                self.section = name.to_owned();
            }
            "DataArray" | "Array" => {
                let offset = attribute("offset")?;
                self.array = Some(ArrayTag {
                    name: attribute("Name")?,
                    kind: attribute("type")?,
                    components: count("NumberOfComponents")?.max(1),
                    format: attribute("format")?,
                    offset: offset.trim().parse().ok(),
                });
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, tag: &str) -> Result<()> {
        if self.inside > 0 {
            self.inside -= 1;
            return Ok(());
        }
        match tag {
            "VTKFile" => self.closed_root = true,
            "DataArray" | "Array" => {
                if let Some(array) = self.array.take() {
                    self.keep(array)?;
                }
            }
            name if name == self.section => self.section.clear(),
            _ => {}
        }
        self.text.clear();
        Ok(())
    }

    /// Takes the numbers of arrays that matter; others stay undecoded.
    fn keep(&mut self, array: ArrayTag) -> Result<()> {
        let numbers = || array.numbers(self.path, &self.text, self.storage, self.appended);
        match (self.section.as_str(), array.name.as_str()) {
            ("Points", _) => self.mesh.points = numbers()?,
            ("Polys", "connectivity") => self.mesh.corners = numbers()?,
            ("Polys", "offsets") => self.mesh.ends = numbers()?,
            ("FieldData", "SPACE") => {
                let codes = numbers()?;
                let text: String = codes.iter().take_while(|&&c| c != 0.0).map(|&c| char::from(c as u8)).collect();
                self.mesh.space = SpaceTag::from_name(&text);
            }
            // Normals follow from the surface and are not maps; names of values a point are not numbers.
            ("PointData", name) if name != "Normals" && array.kind != "String" => {
                let values = numbers()?;
                let array = PointArray { name: name.to_owned(), components: array.components, values };
                self.mesh.arrays.push(array);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<PolyData> {
        let path = self.path;
        if !self.saw_root {
            return Err(fault::invalid(path, "root element", "VTKFile", "another, or none"));
        }
        if !self.closed_root && self.appended.is_none() {
            return Err(fault::invalid(path, "root element", "</VTKFile> at the end", "the end of the file"));
        }
        if self.pieces != 1 {
            return Err(fault::unsupported(path, "pieces", self.pieces, "1"));
        }
        let mut mesh = self.mesh;
        let expected = self.declared_points.saturating_mul(3);
        if mesh.points.len() != expected {
            return Err(fault::invalid(path, "Points", format!("{expected} coordinates"), mesh.points.len()));
        }
        if mesh.ends.len() != self.declared_polygons {
            return Err(fault::invalid(path, "Polys", self.declared_polygons.to_string(), mesh.ends.len()));
        }
        // Point data stand before the points.
        for array in std::mem::take(&mut mesh.arrays) {
            mesh.push_array(path, array)?;
        }
        Ok(mesh)
    }
}

/// The value of an attribute; empty where it is not there.
fn attribute(path: &Path, tag: &BytesStart<'_>, name: &str) -> Result<String> {
    let bad = |e: &dyn std::fmt::Display| fault::invalid(path, format!("attribute {name}"), "valid XML", e);
    let Some(attribute) = tag.try_get_attribute(name).map_err(|e| bad(&e))? else { return Ok(String::new()) };
    Ok(attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|e| bad(&e))?.into_owned())
}
