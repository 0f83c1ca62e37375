use crate::space_tag::SpaceTag;
use crate::{Result, fault};
use std::path::Path;

/// Type of a stored number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
}

impl Scalar {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "char" | "int8" => Self::I8,
            "uchar" | "uint8" => Self::U8,
            "short" | "int16" => Self::I16,
            "ushort" | "uint16" => Self::U16,
            "int" | "int32" => Self::I32,
            "uint" | "uint32" => Self::U32,
            "float" | "float32" => Self::F32,
            "double" | "float64" => Self::F64,
            _ => return None,
        })
    }

    /// Bytes in a binary file.
    pub fn size_bytes(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// One property of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Property {
    pub name: String,
    pub scalar: Scalar,
    /// Type of the count, for lists.
    pub count: Option<Scalar>,
}

/// A kind of thing the file lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    pub name: String,
    pub count: usize,
    pub properties: Vec<Property>,
}

/// How the body is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    Ascii,
    LittleEndian,
    BigEndian,
}

/// Header of a PLY file (Turk 1994, "The PLY Polygon File Format").
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlyHeader {
    pub body: Body,
    pub elements: Vec<Element>,
    pub space: Option<SpaceTag>,
    /// Bytes before the body.
    pub body_offset: usize,
}

impl PlyHeader {
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let mut at = 0;
        let (mut body, mut space) = (None, None);
        let mut elements: Vec<Element> = Vec::new();
        loop {
            let end = bytes[at..].iter().position(|&b| b == b'\n');
            let Some(end) = end else {
                return Err(fault::invalid(path, "PLY header", "end_header", "the end of the file"));
            };
            let line = String::from_utf8_lossy(&bytes[at..at + end]).into_owned();
            at += end + 1;
            let bad = |expected: &str| fault::invalid(path, "PLY header", expected, format!("{line:?}"));
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            match words.as_slice() {
                ["ply"] | [] | ["obj_info", ..] => {}
                ["comment", ..] => space = SpaceTag::from_comment(&line).or(space),
                ["format", "ascii", "1.0"] => body = Some(Body::Ascii),
                ["format", "binary_little_endian", "1.0"] => body = Some(Body::LittleEndian),
                ["format", "binary_big_endian", "1.0"] => body = Some(Body::BigEndian),
                ["element", name, count] => elements.push(Element {
                    name: (*name).to_owned(),
                    count: count.parse().map_err(|_| bad("a count"))?,
                    properties: Vec::new(),
                }),
                ["property", rest @ ..] => {
                    let kind = |name: &str| Scalar::from_name(name).ok_or_else(|| bad("a known type"));
                    let (name, scalar, count) = match rest {
                        ["list", count, scalar, name] => (name, kind(scalar)?, Some(kind(count)?)),
                        [scalar, name] => (name, kind(scalar)?, None),
                        _ => return Err(bad("property TYPE NAME")),
                    };
                    let element = elements.last_mut().ok_or_else(|| bad("an element before its properties"))?;
                    element.properties.push(Property { name: (*name).to_owned(), scalar, count });
                }
                ["end_header"] => break,
                _ => return Err(bad("a header line of PLY 1.0")),
            }
        }
        let body = body.ok_or_else(|| fault::invalid(path, "PLY header", "a format line of version 1.0", "none"))?;
        Ok(Self { body, elements, space, body_offset: at })
    }
}
