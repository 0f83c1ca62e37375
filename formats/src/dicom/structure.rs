//! The skeleton of a DICOM data set: where each element lies, checked against the length of the file.
//!
//! `dicom-parser` takes memory for whatever length an element declares (up to 4 GiB), recurses once for each level of
//! nesting and panics on delimiters out of place. So only data sets whose skeleton is sound are handed to it, and of those
//! only the elements that are needed.

use crate::{Result, fault};
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};
use std::ops::Range;
use std::path::Path;

/// Real files nest about six levels deep.
const DEEPEST: usize = 32;
const ITEM: Tag = Tag(0xfffe, 0xe000);
const ITEM_END: Tag = Tag(0xfffe, 0xe00d);
const SEQUENCE_END: Tag = Tag(0xfffe, 0xe0dd);

/// How numbers and element headers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding {
    pub explicit_vr: bool,
    pub big_endian: bool,
}

impl Encoding {
    pub const IMPLICIT_LITTLE: Self = Self { explicit_vr: false, big_endian: false };
    pub const EXPLICIT_LITTLE: Self = Self { explicit_vr: true, big_endian: false };
    pub const EXPLICIT_BIG: Self = Self { explicit_vr: true, big_endian: true };
}

/// An element's place in its data set.
#[derive(Debug, Clone)]
pub(super) struct Element {
    pub tag: Tag,
    pub vr: VR,
    /// From its tag on.
    pub start: usize,
    /// From its value on.
    pub value: usize,
    /// `None` where delimiters end it.
    pub length: Option<u32>,
}

impl Element {
    fn value_range(&self) -> Option<Range<usize>> {
        Some(self.value..self.value.checked_add(self.length? as usize)?)
    }
}

/// Bytes of a data set of `total` bytes, of which only the first may have been read yet.
#[derive(Clone, Copy)]
pub(super) struct DataSet<'a> {
    pub path: &'a Path,
    pub bytes: &'a [u8],
    pub total: usize,
    pub encoding: Encoding,
}

/// What a walk over a data set found.
pub(super) struct Skeleton {
    /// Elements of the outermost level before the pixel data, in the order of the file.
    pub elements: Vec<(Tag, Range<usize>)>,
    /// Pixel data, of whichever type.
    pub pixels: Option<Element>,
}

/// What an element that is not yet over holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Items, each with elements.
    Sequence,
    /// Items, each with bytes: encapsulated pixel data, here those of an icon.
    Fragments,
    /// Elements.
    Item,
}

/// A sequence or an item that is not yet over.
struct Level {
    content: Content,
    /// Where it ends by its length.
    end: Option<usize>,
    /// Nothing inside may reach further.
    limit: usize,
    encoding: Encoding,
}

/// The encoding of a data set that begins without preamble and `DICM`, as far as its first element tells.
pub(super) fn bare_data_set(head: &[u8]) -> Option<Encoding> {
    let &[group, 0, element, element_high, a, b, c, d, ..] = head else { return None };
    if !(group == 8 && (element, element_high) <= (0x18, 0) || group == 2 && (element, element_high) == (0, 0)) {
        return None;
    }
    // The first elements of group 8 (length, character set, image type, dates, UIDs) are short.
    match [a, b] {
        [b'U', b'L' | b'I'] | [b'C', b'S'] | [b'D', b'A'] | [b'T', b'M'] => Some(Encoding::EXPLICIT_LITTLE),
        _ if (c, d) == (0, 0) && b == 0 && (1..=128).contains(&a) => Some(Encoding::IMPLICIT_LITTLE),
        _ => None,
    }
}

impl<'a> DataSet<'a> {
    /// Walks over every element up to the pixel data. `None` where `bytes` end before the walk does.
    pub fn skeleton(self) -> Result<Option<Skeleton>> {
        let mut levels: Vec<Level> = Vec::new();
        let mut elements: Vec<(Tag, Range<usize>)> = Vec::new();
        // The element of the outermost level that the open levels belong to.
        let mut outermost = (Tag(0, 0), 0);
        let mut at = 0;
        loop {
            while levels.last().is_some_and(|level| level.end == Some(at)) {
                levels.pop();
                if levels.is_empty() {
                    elements.push((outermost.0, outermost.1..at));
                }
            }
            if levels.is_empty() && at == self.total {
                return Ok(Some(Skeleton { elements, pixels: None }));
            }
            let level = levels.last();
            let encoding = level.map_or(self.encoding, |l| l.encoding);
            let limit = level.map_or(self.total, |l| l.limit);
            let content = level.map_or(Content::Item, |l| l.content);
            let in_sequence = content != Content::Item;
            let open_ended = level.is_some_and(|l| l.end.is_none());
            let Some(element) = self.element_at(at, encoding, limit)? else { return Ok(None) };

            if element.tag.0 == 0xfffe {
                at = element.value;
                match (element.tag, element.value_range()) {
                    (ITEM, Some(fragment)) if content == Content::Fragments => at = fragment.end,
                    (ITEM, _) if content == Content::Sequence => {
                        self.push(&mut levels, &element, Content::Item, encoding)?;
                    }
                    (ITEM_END | SEQUENCE_END, _)
                        if open_ended && in_sequence == (element.tag == SEQUENCE_END) && element.length == Some(0) =>
                    {
                        levels.pop();
                        if levels.is_empty() {
                            elements.push((outermost.0, outermost.1..at));
                        }
                    }
                    (tag, _) => return Err(self.broken(at, "an element", format!("delimiter {tag}"))),
                }
                continue;
            }
            if in_sequence {
                return Err(self.broken(at, "an item of a sequence", format!("element {}", element.tag)));
            }
            if levels.is_empty() {
                if matches!(element.tag, Tag(0x7fe0, 0x0008..=0x0010)) {
                    return Ok(Some(Skeleton { elements, pixels: Some(element) }));
                }
                outermost = (element.tag, at);
            }
            match element.value_range() {
                Some(value) if element.vr != VR::SQ => {
                    at = value.end;
                    if levels.is_empty() {
                        elements.push((element.tag, element.start..at));
                    }
                }
                _ => {
                    // A sequence of unknown type is written with implicit types (PS3.5 6.2.2, note 1).
                    let inner = if element.vr == VR::UN { Encoding::IMPLICIT_LITTLE } else { encoding };
                    at = element.value;
                    let bytes = matches!(element.vr, VR::OB | VR::OW) && element.tag == tags::PIXEL_DATA;
                    let content = if bytes { Content::Fragments } else { Content::Sequence };
                    self.push(&mut levels, &element, content, inner)?;
                }
            }
        }
    }

    /// The encapsulated pixel data that begin at `at`: an offset table, then fragments up to a delimiter (PS3.5 A.4).
    pub fn fragments(self, mut at: usize) -> Result<Vec<Range<usize>>> {
        let mut parts = Vec::new();
        loop {
            let Some(element) = self.element_at(at, self.encoding, self.total)? else {
                return Err(fault::truncated(self.path, at.saturating_add(8), self.total));
            };
            match element.value_range() {
                Some(value) if element.tag == ITEM => {
                    at = value.end;
                    parts.push(value);
                }
                Some(_) if element.tag == SEQUENCE_END => return Ok(parts),
                _ => return Err(self.broken(at, "a fragment of pixel data", format!("element {}", element.tag))),
            }
        }
    }

    /// The element header at `at`; its value lies below `limit`. `None` where `bytes` hold too little of it.
    pub fn element_at(self, at: usize, encoding: Encoding, limit: usize) -> Result<Option<Element>> {
        let Some(&[a, b, c, d, e, f, g, h]) = self.bytes.get(at..).and_then(|rest| rest.first_chunk()) else {
            return self.unread(at, 8);
        };
        let big = encoding.big_endian;
        let u16_of = |bytes| if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) };
        let u32_of = |bytes| if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        let tag = Tag(u16_of([a, b]), u16_of([c, d]));
        let (vr, value, length) = if tag.0 == 0xfffe {
            (VR::UN, at + 8, u32_of([e, f, g, h]))
        } else if !encoding.explicit_vr {
            (implicit_vr(tag), at + 8, u32_of([e, f, g, h]))
        } else {
            let vr = VR::from_binary([e, f]).unwrap_or(VR::UN);
            if has_short_length(vr) {
                (vr, at + 8, u32::from(u16_of([g, h])))
            } else {
                let Some(&length) = self.bytes.get(at + 8..).and_then(|rest| rest.first_chunk()) else {
                    return self.unread(at, 12);
                };
                (vr, at + 12, u32_of(length))
            }
        };
        let element = Element { tag, vr, start: at, value, length: (length != u32::MAX).then_some(length) };
        let end = element.value_range().map_or(value, |range| range.end);
        if end > self.total {
            return Err(fault::truncated(self.path, end, self.total));
        }
        if end > limit {
            return Err(self.broken(at, "an element within its sequence", format!("{tag} of {length} bytes")));
        }
        Ok(Some(element))
    }

    /// `None` where more of the file can be read, otherwise the error that it ends early.
    fn unread<T>(self, at: usize, needed: usize) -> Result<Option<T>> {
        let end = at.saturating_add(needed);
        if end > self.total { Err(fault::truncated(self.path, end, self.total)) } else { Ok(None) }
    }

    fn push(self, levels: &mut Vec<Level>, element: &Element, content: Content, encoding: Encoding) -> Result<()> {
        if levels.len() == DEEPEST {
            let found = "more";
            return Err(self.broken(element.start, &format!("at most {DEEPEST} levels of nesting"), found));
        }
        let end = element.value_range().map(|range| range.end);
        let limit = end.unwrap_or_else(|| levels.last().map_or(self.total, |level| level.limit));
        levels.push(Level { content, end, limit, encoding });
        Ok(())
    }

    fn broken(self, at: usize, expected: &str, found: impl std::fmt::Display) -> crate::Error {
        fault::invalid(self.path, format!("data set at byte {at}"), expected, found)
    }
}

/// Types whose length takes two bytes (PS3.5 table 7.1-2).
fn has_short_length(vr: VR) -> bool {
    use VR::*;
    matches!(vr, AE | AS | AT | CS | DA | DS | DT | FL | FD | IS | LO | LT | PN | SH | SL | SS | ST | TM | UI | UL | US)
}

/// An element whose type was given as unknown (a program that rewrote an implicit file without a dictionary), with the type
/// the dictionary gives, so that its value can be parsed; other elements as they are.
pub(super) fn with_known_type(element: &[u8], tag: Tag, encoding: Encoding) -> Vec<u8> {
    let known = implicit_vr(tag);
    let unknown = element.get(4..6) == Some(b"UN") && encoding == Encoding::EXPLICIT_LITTLE;
    match element.get(12..) {
        Some(value) if unknown && has_short_length(known) && value.len() <= usize::from(u16::MAX) => {
            let mut rewritten = element[..4].to_vec();
            rewritten.extend(known.to_bytes());
            rewritten.extend((value.len() as u16).to_le_bytes());
            rewritten.extend(value);
            rewritten
        }
        _ => element.to_vec(),
    }
}

/// The type the dictionary gives; a private element's is unknown.
fn implicit_vr(tag: Tag) -> VR {
    if tag == tags::PIXEL_DATA {
        return VR::OW;
    }
    StandardDataDictionary.by_tag(tag).map_or(VR::UN, |entry| entry.vr().relaxed())
}
