use crate::numbers::{NumberType, Values};
use crate::{Result, fault};
use std::path::Path;

/// Words, lines and arrays of a legacy file, one after another.
pub(super) struct Scan<'b> {
    pub path: &'b Path,
    rest: &'b [u8],
    pub binary: bool,
}

impl<'b> Scan<'b> {
    pub fn new(path: &'b Path, bytes: &'b [u8]) -> Self {
        Self { path, rest: bytes, binary: false }
    }

    /// The rest of the line, without its end; none at the end of the file.
    pub fn line(&mut self) -> Option<String> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|&b| b == b'\n');
        let (line, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.get(1..).unwrap_or_default();
        Some(String::from_utf8_lossy(line).trim_end_matches('\r').to_owned())
    }

    /// The words of the next line that has any; none at the end of the file.
    pub fn words(&mut self) -> Option<Vec<String>> {
        loop {
            let words: Vec<String> = self.line()?.split_ascii_whitespace().map(str::to_owned).collect();
            if !words.is_empty() {
                return Some(words);
            }
        }
    }

    /// The next line's first word, without taking it.
    pub fn peek(&self) -> &'b [u8] {
        let rest = self.rest.trim_ascii_start();
        rest.split(u8::is_ascii_whitespace).next().unwrap_or_default()
    }

    /// Metadata end at an empty line, which arrays of text may also be followed by.
    pub fn skip_metadata(&mut self) {
        if self.peek() == b"METADATA" {
            self.words();
            while self.line().is_some_and(|line| !line.trim().is_empty()) {}
        }
    }

    /// The next numbers: big endian in binary files, else words. Refused before memory is taken where the file is too short.
    pub fn numbers(&mut self, number: NumberType, count: usize) -> Result<Vec<f64>> {
        if self.binary {
            let size = count.saturating_mul(number.size_bytes());
            let Some((data, rest)) = self.rest.split_at_checked(size) else {
                return Err(fault::truncated(self.path, size, self.rest.len()));
            };
            self.rest = rest;
            return Ok(match number.decode(data, true) {
                Values::Float(v) => v,
                integers => integers.to_f64(),
            });
        }
        // A value takes a digit and, but for the last, a separator.
        if count > self.rest.len().div_ceil(2) {
            return Err(fault::truncated(self.path, count.saturating_mul(2), self.rest.len()));
        }
        let mut numbers = Vec::with_capacity(count);
        for _ in 0..count {
            self.rest = self.rest.trim_ascii_start();
            let end = self.rest.iter().position(u8::is_ascii_whitespace).unwrap_or(self.rest.len());
            let (word, rest) = self.rest.split_at(end);
            let value = std::str::from_utf8(word).ok().and_then(|w| w.parse().ok());
            let found = || format!("{:?}", String::from_utf8_lossy(&word[..word.len().min(32)]));
            numbers.push(value.ok_or_else(|| fault::invalid(self.path, "data", "a number", found()))?);
            self.rest = rest;
        }
        Ok(numbers)
    }

    /// Takes one string of a string array: a line of text, or in binary files its length and its bytes.
    pub fn string(&mut self) -> Result<String> {
        if !self.binary {
            return self.line().ok_or_else(|| fault::truncated(self.path, 1, 0));
        }
        // vtkDataWriter: the two highest bits tell how many bytes the length takes; 3 is one byte, 0 is eight.
        let first = *self.rest.first().ok_or_else(|| fault::truncated(self.path, 1, 0))?;
        let bytes = [8, 4, 2, 1][usize::from(first >> 6)];
        let head = self.rest.get(..bytes).ok_or_else(|| fault::truncated(self.path, bytes, self.rest.len()))?;
        let length = head.iter().skip(1).fold(u64::from(first & 0x3f), |n, &b| n << 8 | u64::from(b));
        let end = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(bytes);
        let Some((text, rest)) = self.rest.split_at_checked(end) else {
            return Err(fault::truncated(self.path, end, self.rest.len()));
        };
        self.rest = rest;
        Ok(String::from_utf8_lossy(&text[bytes..]).into_owned())
    }
}

/// Type of the numbers of an array by VTK's name for it.
pub(super) fn number_type(path: &Path, name: &str) -> Result<NumberType> {
    Ok(match name.to_ascii_lowercase().as_str() {
        "char" | "signed_char" | "vtktypeint8" => NumberType::I8,
        "unsigned_char" | "vtktypeuint8" => NumberType::U8,
        "short" | "vtktypeint16" => NumberType::I16,
        "unsigned_short" | "vtktypeuint16" => NumberType::U16,
        // vtkDataWriter stores ids as int.
        "int" | "vtkidtype" | "vtktypeint32" => NumberType::I32,
        "unsigned_int" | "vtktypeuint32" => NumberType::U32,
        "long" | "vtktypeint64" => NumberType::I64,
        "unsigned_long" | "vtktypeuint64" => NumberType::U64,
        "float" => NumberType::F32,
        "double" => NumberType::F64,
        _ => return Err(fault::unsupported(path, "data type", format!("{name:?}"), "char to long, float and double")),
    })
}
