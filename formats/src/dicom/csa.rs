//! The private image header of Siemens, of which mosaics need a few entries
//! (<https://nipy.org/nibabel/dicom/siemens_csa.html>). Both of its versions.

use super::file::DicomFile;
use crate::{Result, fault};
use dicom_core::Tag;
use std::collections::BTreeMap;

/// The element that names who owns block 0x10 of group 0x29, and the header in it.
pub(super) const CREATOR: Tag = Tag(0x0029, 0x0010);
pub(super) const IMAGE_HEADER: Tag = Tag(0x0029, 0x1010);
/// More entries than this no header has.
const MOST_ENTRIES: u32 = 1000;

/// The entries of a header that have values.
pub(super) struct Csa {
    entries: BTreeMap<String, Vec<String>>,
}

impl Csa {
    /// That of a file; `None` where it has none.
    pub fn of(file: &DicomFile) -> Result<Option<Self>> {
        let element = |tag| file.attributes.get(tag);
        let creator = element(CREATOR).and_then(|e| e.to_str().ok());
        let header = element(IMAGE_HEADER).and_then(|e| e.to_bytes().ok());
        let Some(header) = header.filter(|_| creator.is_some_and(|name| name.trim() == "SIEMENS CSA HEADER")) else {
            return Ok(None);
        };
        let entries = parse(&header)
            .ok_or_else(|| fault::invalid(&file.path, "CSA header", "entries within its length", "others"))?;
        Ok(Some(Self { entries }))
    }

    /// Finite numbers of an entry, none where it has none.
    pub fn numbers(&self, name: &str) -> Option<Vec<f64>> {
        let numbers = self.entries.get(name)?.iter().map(|text| text.parse().ok().filter(|n: &f64| n.is_finite()));
        numbers.collect()
    }

    /// The first number of an entry.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.numbers(name)?.first().copied()
    }
}

fn parse(header: &[u8]) -> Option<BTreeMap<String, Vec<String>>> {
    let mut rest = header;
    let second = rest.starts_with(b"SV10");
    if second {
        rest = rest.get(8..)?;
    }
    let count = word(&mut rest)?;
    word(&mut rest)?;
    let mut entries = BTreeMap::new();
    // In the first version, lengths are counted from the number of items of the first entry.
    let mut origin = None;
    for _ in 0..count.min(MOST_ENTRIES) {
        let name = text(take(&mut rest, 64)?);
        let _multiplicity = word(&mut rest)?;
        let _type = take(&mut rest, 8)?;
        let items = word(&mut rest)?;
        word(&mut rest)?;
        let origin = *origin.get_or_insert(items);
        let mut values = Vec::new();
        for _ in 0..items {
            let [first, second_word, ..] = [word(&mut rest)?, word(&mut rest)?, word(&mut rest)?, word(&mut rest)?];
            let length = if second { second_word } else { first.wrapping_sub(origin) } as usize;
            if length > rest.len() {
                // What the first version fills its last items with.
                if second {
                    return None;
                }
                break;
            }
            let value = text(take(&mut rest, length)?);
            let padding = (length.next_multiple_of(4) - length).min(rest.len());
            take(&mut rest, padding)?;
            if !value.is_empty() {
                values.push(value);
            }
        }
        if !values.is_empty() {
            entries.insert(name, values);
        }
    }
    Some(entries)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(count)?;
    *rest = behind;
    Some(taken)
}

fn word(rest: &mut &[u8]) -> Option<u32> {
    take(rest, 4)?.first_chunk().map(|&bytes| u32::from_le_bytes(bytes))
}

/// Up to the first zero.
fn text(bytes: &[u8]) -> String {
    let bytes = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(bytes).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(second: bool) -> Vec<u8> {
        let mut bytes = if second { b"SV10\x04\x03\x02\x01".to_vec() } else { Vec::new() };
        let word = |bytes: &mut Vec<u8>, n: u32| bytes.extend(n.to_le_bytes());
        word(&mut bytes, 2);
        word(&mut bytes, 77);
        for (name, values) in [("Empty", vec![]), ("Normal", vec!["0.5", "-1"])] {
            let mut field = [0; 64];
            field[..name.len()].copy_from_slice(name.as_bytes());
            bytes.extend(field);
            word(&mut bytes, values.len() as u32);
            bytes.extend(*b"FD\0\0\x04\0\0\0");
            word(&mut bytes, values.len() as u32);
            word(&mut bytes, 77);
            for value in values {
                for n in 0..4 {
                    word(&mut bytes, if n < 2 { value.len() as u32 + 1 } else { 0 });
                }
                bytes.extend(value.as_bytes());
                bytes.resize(bytes.len() + 1 + 3 - value.len() % 4, 0);
            }
        }
        bytes
    }

    #[test]
    fn both_versions_give_their_numbers() {
        for second in [false, true] {
            let bytes = header(second);
            let csa = Csa { entries: parse(&bytes).unwrap() };
            assert_eq!((csa.numbers("Normal"), csa.numbers("Empty")), (Some(vec![0.5, -1.0]), None));
            for end in 0..bytes.len() {
                let _ = parse(&bytes[..end]);
            }
        }
    }
}
