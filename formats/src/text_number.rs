use crate::{Result, fault};
use std::path::Path;
use std::str::FromStr;

/// Numbers of a text file separated by white space, with their position for messages.
pub(crate) struct TextNumbers<'t> {
    path: &'t Path,
    words: std::str::SplitAsciiWhitespace<'t>,
    /// Bytes of the whole text, an upper bound for what can follow.
    len_bytes: usize,
    position: usize,
}

impl<'t> TextNumbers<'t> {
    pub fn new(path: &'t Path, text: &'t str) -> Self {
        Self { path, words: text.split_ascii_whitespace(), len_bytes: text.len(), position: 0 }
    }

    /// The next word.
    pub fn word(&mut self, field: &str) -> Result<&'t str> {
        self.position += 1;
        self.words.next().ok_or_else(|| fault::invalid(self.path, field, "a value", "the end of the file"))
    }

    /// The next number.
    pub fn next<T: FromStr>(&mut self, field: &str, expected: &str) -> Result<T> {
        let word = self.word(field)?;
        word.parse().map_err(|_| {
            fault::invalid(self.path, format!("{field} (word {})", self.position), expected, format!("{word:?}"))
        })
    }

    /// The next number of things to come, each of `words` words: refused where the file is too short for them.
    pub fn count(&mut self, field: &str, words: usize) -> Result<usize> {
        let count: usize = self.next(field, "a count")?;
        let least = count.saturating_mul(words).saturating_mul(2);
        if least > self.len_bytes.saturating_add(2) {
            return Err(fault::truncated(self.path, least, self.len_bytes));
        }
        Ok(count)
    }

    /// The next three coordinates.
    pub fn point(&mut self, field: &str) -> Result<[f64; 3]> {
        let mut point = [0.0; 3];
        for c in &mut point {
            *c = self.next(field, "a coordinate")?;
        }
        Ok(point)
    }
}

/// The content as text.
pub(crate) fn text<'t>(path: &Path, bytes: &'t [u8]) -> Result<&'t str> {
    std::str::from_utf8(bytes).map_err(|e| fault::invalid(path, "encoding", "UTF-8 or ASCII text", e))
}
