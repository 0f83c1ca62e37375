use super::array::{DataArray, Metadata};
use super::payload::{Declaration, Encoding};
use crate::bytes::read_content;
use crate::{Result, fault};
use brainmesh_core::LabelTable;
use glam::DMat4;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::borrow::Cow;
use std::path::Path;

/// A whole GIFTI file, decoded.
#[derive(Debug, Clone, Default)]
pub(crate) struct GiftiFile {
    /// Metadata of the file.
    pub metadata: Metadata,
    /// Label table; empty where there is none.
    pub labels: LabelTable,
    /// Data arrays in the order of the file.
    pub arrays: Vec<DataArray>,
}

/// Reads and decodes a file.
pub(crate) fn read_file(path: &Path) -> Result<GiftiFile> {
    parse(path, &read_content(path)?)
}

/// Decodes the content of a file; `path` names it in errors and places external data.
pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<GiftiFile> {
    // Metadata in another encoding must not make the numbers unreadable.
    let text = String::from_utf8_lossy(bytes);
    let mut parser = Parser::new(path);
    let mut reader = Reader::from_str(&text);
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
            Event::Text(part) => parser.text(part.into_inner()),
            Event::CData(part) => parser.text(part.into_inner()),
            Event::GeneralRef(entity) => {
                let character = entity
                    .resolve_char_ref()
                    .map_err(|e| fault::invalid(path, "XML character reference", "a character of Unicode", e))?;
                let name = entity.into_inner();
                match character {
                    Some(c) => parser.text(Cow::Owned(c.to_string())),
                    None => match resolve_predefined_entity(&name) {
                        Some(value) => parser.text(Cow::Borrowed(value)),
                        None => return Err(fault::invalid(path, "XML entity", "one of lt gt amp apos quot", name)),
                    },
                }
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            Event::Eof => break,
        }
    }
    parser.finish()
}

/// State while walking the document.
struct Parser<'p, 't> {
    path: &'p Path,
    file: GiftiFile,
    saw_root: bool,
    /// `NumberOfDataArrays`, where it is stated.
    expected_arrays: Option<usize>,
    closed_root: bool,
    array: Option<Declaration>,
    label: Option<(i32, [f32; 4])>,
    name: String,
    /// Text of the innermost open element; borrowed while it is one piece, since data can be hundreds of megabytes.
    text: Cow<'t, str>,
}

impl<'p, 't> Parser<'p, 't> {
    fn new(path: &'p Path) -> Self {
        Self {
            path,
            file: GiftiFile::default(),
            saw_root: false,
            expected_arrays: None,
            closed_root: false,
            array: None,
            label: None,
            name: String::new(),
            text: Cow::Borrowed(""),
        }
    }

    fn text(&mut self, part: Cow<'t, str>) {
        if self.text.is_empty() {
            self.text = part;
        } else {
            self.text.to_mut().push_str(&part);
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<()> {
        self.text = Cow::Borrowed("");
        match tag.name().into_inner() {
            "GIFTI" => {
                self.saw_root = true;
                if let Some(number) = self.attribute(tag, "NumberOfDataArrays")? {
                    let bad = || fault::invalid(self.path, "NumberOfDataArrays", "a number", format!("{number:?}"));
                    self.expected_arrays = Some(number.trim().parse().map_err(|_| bad())?);
                }
            }
            "DataArray" => {
                if self.array.is_some() {
                    return Err(fault::invalid(self.path, "DataArray", "no nesting", "a DataArray inside another"));
                }
                self.array = Some(self.declaration(tag)?);
            }
            "Label" => {
                let key = self.attribute(tag, "Key")?.or(self.attribute(tag, "Index")?).unwrap_or_default();
                let key = key.trim().parse().map_err(|_| fault::invalid(self.path, "Label Key", "an integer", &key))?;
                let mut rgba = [0.0, 0.0, 0.0, 1.0];
                for (channel, name) in rgba.iter_mut().zip(["Red", "Green", "Blue", "Alpha"]) {
                    if let Some(value) = self.attribute(tag, name)? {
                        *channel = value.trim().parse::<f32>().unwrap_or(*channel);
                    }
                }
                self.label = Some((key, rgba));
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, tag: &str) -> Result<()> {
        let text = std::mem::replace(&mut self.text, Cow::Borrowed(""));
        match tag {
            "GIFTI" => self.closed_root = true,
            "Name" => self.name = text.trim().to_owned(),
            "Value" => {
                let name = std::mem::take(&mut self.name);
                let metadata = match &mut self.array {
                    Some(array) => &mut array.metadata,
                    None => &mut self.file.metadata,
                };
                metadata.insert(name, text.trim().to_owned());
            }
            "Label" => {
                if let Some((key, rgba)) = self.label.take() {
                    self.file.labels.insert(key, text.trim(), rgba);
                }
            }
            "DataSpace" => {
                if let Some(array) = &mut self.array {
                    array.data_space.get_or_insert_with(|| text.trim().to_owned());
                }
            }
            "MatrixData" => {
                if let Some(array) = &mut self.array {
                    let matrix: Vec<f64> = text.split_ascii_whitespace().filter_map(|w| w.parse().ok()).collect();
                    array.moves |= matrix != DMat4::IDENTITY.to_cols_array();
                }
            }
            "Data" => {
                if let Some(array) = &mut self.array {
                    if array.values.is_some() {
                        return Err(fault::invalid(self.path, "Data", "one a DataArray", "a second one"));
                    }
                    array.values = Some(array.decode(self.path, &text)?);
                }
            }
            "DataArray" => {
                if let Some(mut array) = self.array.take() {
                    if array.values.is_none() {
                        array.values = Some(array.decode(self.path, "")?);
                    }
                    self.file.arrays.push(array.into_array());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<GiftiFile> {
        if !self.saw_root {
            return Err(fault::invalid(self.path, "root element", "GIFTI", "another, or none"));
        }
        if !self.closed_root {
            return Err(fault::invalid(self.path, "root element", "</GIFTI> at the end", "the end of the file"));
        }
        if let Some(expected) = self.expected_arrays.filter(|&n| n != self.file.arrays.len()) {
            return Err(fault::invalid(self.path, "NumberOfDataArrays", expected.to_string(), self.file.arrays.len()));
        }
        Ok(self.file)
    }

    fn attribute(&self, tag: &BytesStart<'_>, name: &str) -> Result<Option<String>> {
        let bad = |e: &dyn std::fmt::Display| fault::invalid(self.path, format!("attribute {name}"), "valid XML", e);
        let Some(attribute) = tag.try_get_attribute(name).map_err(|e| bad(&e))? else { return Ok(None) };
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|e| bad(&e))?;
        Ok(Some(value.into_owned()))
    }

    fn declaration(&self, tag: &BytesStart<'_>) -> Result<Declaration> {
        let get = |name: &str| Ok::<_, crate::Error>(self.attribute(tag, name)?.unwrap_or_default());
        let count = |name: &str| {
            let text = get(name)?;
            let number = text.trim().parse::<usize>();
            number.map_err(|_| fault::invalid(self.path, name, "a number of values", format!("{text:?}")))
        };
        let dimensions = count("Dimensionality")?;
        if !(1..=6).contains(&dimensions) {
            return Err(fault::invalid(self.path, "Dimensionality", "1 to 6", dimensions));
        }
        let rows = count("Dim0")?;
        let mut columns = 1usize;
        let mut wide = 0;
        for d in 1..dimensions {
            let size = count(&format!("Dim{d}"))?;
            wide += usize::from(size != 1);
            columns = columns.checked_mul(size).ok_or_else(|| fault::invalid(self.path, "Dim", "a size", size))?;
        }
        let order = get("ArrayIndexingOrder")?;
        let column_major = match order.as_str() {
            "RowMajorOrder" | "GIFTI_IND_ORD_ROW_MAJOR" | "" => false,
            "ColumnMajorOrder" | "GIFTI_IND_ORD_COL_MAJOR" => true,
            _ => {
                let expected = "RowMajorOrder or ColumnMajorOrder";
                return Err(fault::invalid(self.path, "ArrayIndexingOrder", expected, order));
            }
        };
        if wide > 1 && column_major {
            let supported = "one or two dimensions";
            return Err(fault::unsupported(self.path, "Dimensionality", dimensions, supported));
        }
        let endian = get("Endian")?;
        let big_endian = match endian.as_str() {
            "LittleEndian" | "GIFTI_ENDIAN_LITTLE" | "" => false,
            "BigEndian" | "GIFTI_ENDIAN_BIG" => true,
            _ => return Err(fault::invalid(self.path, "Endian", "LittleEndian or BigEndian", endian)),
        };
        Ok(Declaration {
            intent: get("Intent")?,
            stored: get("DataType")?,
            rows,
            columns,
            column_major,
            big_endian,
            encoding: Encoding::from_name(self.path, &get("Encoding")?)?,
            external_name: get("ExternalFileName")?,
            external_offset: get("ExternalFileOffset")?,
            metadata: Metadata::new(),
            data_space: None,
            moves: false,
            values: None,
        })
    }
}
