use crate::header_lines::HeaderLines;
use crate::input::Input;
use crate::{Result, fault};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A NRRD header, its field names in one spelling.
#[derive(Debug)]
pub(super) struct Header {
    pub path: PathBuf,
    fields: BTreeMap<String, String>,
    /// `key:=value` pairs, escapes taken off.
    pub keys: BTreeMap<String, String>,
    /// Names that follow `data file: LIST`.
    pub listed: Vec<String>,
    /// Where data begin in the same file; none where the header is all there is.
    pub data_start: Option<u64>,
}

impl Header {
    pub fn parse(input: Input) -> Result<Self> {
        let mut lines = HeaderLines::new(input);
        let path = lines.path().to_path_buf();
        let magic = lines.next()?.unwrap_or_default();
        let version = magic.strip_prefix("NRRD").and_then(|v| v.replace("00.0", "000").parse::<u32>().ok());
        if !version.is_some_and(|v| (1..=5).contains(&v)) {
            return Err(fault::unsupported(&path, "magic", format!("{magic:?}"), "NRRD0001 to NRRD0005"));
        }
        let mut header =
            Self { path, fields: BTreeMap::new(), keys: BTreeMap::new(), listed: Vec::new(), data_start: None };
        while let Some(line) = lines.next()? {
            if line.is_empty() {
                header.data_start = Some(lines.at());
                break;
            }
            if line.starts_with('#') {
                continue;
            }
            header.add(&line)?;
            if header.has_list() {
                while let Some(name) = lines.next()? {
                    header.listed.push(name);
                }
                break;
            }
        }
        Ok(header)
    }

    /// A line is a key where `:=` comes before `: `, as in teem.
    fn add(&mut self, line: &str) -> Result<()> {
        let (key, field) = (line.find(":="), line.find(": "));
        if let Some(at) = key.filter(|at| field.is_none_or(|f| *at < f)) {
            self.keys.insert(unescaped(&line[..at]), unescaped(&line[at + 2..]));
            return Ok(());
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(fault::invalid(&self.path, "header", "lines of FIELD: VALUE", format!("{line:?}")));
        };
        let name = canonical(name);
        if self.fields.insert(name.clone(), value.trim().into()).is_some() {
            return Err(fault::invalid(&self.path, name, "one line", "a second one"));
        }
        Ok(())
    }

    fn has_list(&self) -> bool {
        self.field("data file").is_some_and(|value| value.split_ascii_whitespace().next() == Some("LIST"))
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    pub fn required(&self, name: &str) -> Result<&str> {
        self.field(name).ok_or_else(|| self.invalid(name, "a line of its own", "none"))
    }

    pub fn invalid(&self, field: &str, expected: &str, found: impl std::fmt::Display) -> crate::Error {
        fault::invalid(&self.path, field, expected, found)
    }

    /// One number.
    pub fn number<T: FromStr>(&self, name: &str, expected: &str) -> Result<Option<T>> {
        let Some(text) = self.field(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.invalid(name, expected, format!("{text:?}")))
    }

    /// A number an axis.
    pub fn numbers<T: FromStr>(&self, name: &str, axes: usize, expected: &str) -> Result<Option<Vec<T>>> {
        let Some(text) = self.field(name) else { return Ok(None) };
        let numbers: std::result::Result<Vec<T>, _> = text.split_ascii_whitespace().map(str::parse).collect();
        let numbers = numbers.map_err(|_| self.invalid(name, expected, format!("{text:?}")))?;
        self.of_axes(name, numbers, axes).map(Some)
    }

    /// A word an axis.
    pub fn words(&self, name: &str, axes: usize) -> Result<Option<Vec<&str>>> {
        let words = self.field(name).map(|text| text.split_ascii_whitespace().collect());
        words.map(|words| self.of_axes(name, words, axes)).transpose()
    }

    /// A quoted text each.
    pub fn quoted(&self, name: &str) -> Vec<&str> {
        self.field(name).unwrap_or_default().split('"').skip(1).step_by(2).collect()
    }

    fn of_axes<T>(&self, name: &str, values: Vec<T>, axes: usize) -> Result<Vec<T>> {
        let found = values.len();
        if found == axes {
            return Ok(values);
        }
        Err(self.invalid(name, &format!("{axes} values, one an axis"), found))
    }

    /// Vectors of `length` numbers in parentheses, `none` for an axis without.
    pub fn vectors(&self, name: &str, length: usize) -> Result<Option<Vec<Option<Vec<f64>>>>> {
        let Some(text) = self.field(name) else { return Ok(None) };
        let mut rest = text.trim_start();
        let mut vectors = Vec::new();
        while !rest.is_empty() {
            let refuse = || self.invalid(name, &format!("vectors of {length} numbers, or none"), format!("{text:?}"));
            if let Some(after) = rest.strip_prefix("none") {
                vectors.push(None);
                rest = after.trim_start();
                continue;
            }
            let (inside, after) = rest.strip_prefix('(').and_then(|r| r.split_once(')')).ok_or_else(refuse)?;
            let numbers: Vec<f64> = inside.split(',').filter_map(|n| n.trim().parse().ok()).collect();
            if numbers.len() != length || inside.split(',').count() != length {
                return Err(refuse());
            }
            // Three not-a-numbers are an older way to say none.
            vectors.push(Some(numbers).filter(|n| !n.iter().all(|n| n.is_nan())));
            rest = after.trim_start();
        }
        Ok(Some(vectors))
    }

    /// Path for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Field names count without their case; some have two spellings.
fn canonical(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    match name.as_str() {
        "centers" => "centerings".into(),
        "datafile" => "data file".into(),
        "lineskip" => "line skip".into(),
        "byteskip" => "byte skip".into(),
        "axismins" => "axis mins".into(),
        "axismaxs" => "axis maxs".into(),
        "oldmin" => "old min".into(),
        "oldmax" => "old max".into(),
        "sampleunits" => "sample units".into(),
        "blocksize" => "block size".into(),
        _ => name,
    }
}

/// `\n` and `\\` in keys and values.
fn unescaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (letter, letter == '\\') {
            (_, true) => match letters.next() {
                Some('n') => result.push('\n'),
                Some(other) => result.push(other),
                None => result.push('\\'),
            },
            (letter, false) => result.push(letter),
        }
    }
    result
}
