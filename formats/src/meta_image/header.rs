use crate::header_lines::HeaderLines;
use crate::input::Input;
use crate::{Result, fault};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

/// A MetaImage header: `Key = Value` lines, of which the last is `ElementDataFile`.
#[derive(Debug)]
pub(super) struct Header {
    pub path: PathBuf,
    fields: BTreeMap<String, String>,
    /// Names that follow `ElementDataFile = LIST`.
    pub listed: Vec<String>,
    /// Where data begin where they follow the header.
    pub data_start: u64,
}

impl Header {
    pub fn parse(input: Input) -> Result<Self> {
        let mut lines = HeaderLines::new(input);
        let path = lines.path().to_path_buf();
        let mut header = Self { path, fields: BTreeMap::new(), listed: Vec::new(), data_start: 0 };
        while let Some(line) = lines.next()? {
            if line.trim().is_empty() {
                continue;
            }
            // MetaIO takes a colon as well.
            let Some((key, value)) = line.split_once(['=', ':']) else {
                return Err(header.invalid("header", "lines of KEY = VALUE", format!("{line:?}")));
            };
            let (key, value) = (key.trim(), value.trim());
            if header.fields.insert(key.into(), value.into()).is_some() && key != "Comment" {
                return Err(header.invalid(key, "one line", "a second one"));
            }
            if key == "ElementDataFile" {
                header.data_start = lines.at();
                if value.split_ascii_whitespace().next() == Some("LIST") {
                    while let Some(name) = lines.next()? {
                        header.listed.extend(Some(name.trim().to_owned()).filter(|name| !name.is_empty()));
                    }
                }
                return Ok(header);
            }
        }
        Err(header.invalid("ElementDataFile", "the last line of the header", "none"))
    }

    /// The value of the first of `names` that is there.
    pub fn field(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|&name| self.fields.get(name)).map(String::as_str)
    }

    pub fn invalid(&self, field: &str, expected: &str, found: impl std::fmt::Display) -> crate::Error {
        fault::invalid(&self.path, field, expected, found)
    }

    /// One number.
    pub fn number<T: FromStr>(&self, name: &str, expected: &str) -> Result<Option<T>> {
        let Some(text) = self.field(&[name]) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.invalid(name, expected, format!("{text:?}")))
    }

    /// `count` numbers under the first of `names` that is there.
    pub fn numbers<T: FromStr>(&self, names: &[&str], count: usize) -> Result<Option<Vec<T>>> {
        let Some(text) = self.field(names) else { return Ok(None) };
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let numbers: Vec<T> = words.iter().filter_map(|word| word.parse().ok()).collect();
        if numbers.len() == count && words.len() == count {
            return Ok(Some(numbers));
        }
        Err(self.invalid(names[0], &format!("{count} numbers"), format!("{text:?}")))
    }

    /// `True` or `False`, also as MetaIO takes them: by the first letter, or 1 and 0.
    pub fn flag(&self, names: &[&str]) -> Result<Option<bool>> {
        let Some(text) = self.field(names) else { return Ok(None) };
        match text.as_bytes().first() {
            Some(b'T' | b't' | b'1') => Ok(Some(true)),
            Some(b'F' | b'f' | b'0') => Ok(Some(false)),
            _ => Err(self.invalid(names[0], "True or False", format!("{text:?}"))),
        }
    }
}
