use crate::{Result, fault};
use std::path::Path;

/// Big-endian numbers of a file in memory.
pub(super) struct Cursor<'b> {
    pub path: &'b Path,
    pub bytes: &'b [u8],
    /// Where the next number is.
    pub at: usize,
}

impl Cursor<'_> {
    /// Refuses a file that ends before so many more bytes.
    pub fn require(&self, more: usize) -> Result<()> {
        let end = self.at.saturating_add(more);
        if end > self.bytes.len() { Err(fault::truncated(self.path, end, self.bytes.len())) } else { Ok(()) }
    }

    /// The next three bytes as a number.
    pub fn u24(&mut self) -> Result<usize> {
        let bytes: Option<[u8; 3]> = self.bytes.get(self.at..).and_then(|b| b.first_chunk()).copied();
        let [a, b, c] = bytes.ok_or_else(|| fault::truncated(self.path, self.at + 3, self.bytes.len()))?;
        self.at += 3;
        Ok(usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c))
    }

    pub fn i16(&mut self) -> Result<i16> {
        let bytes: Option<[u8; 2]> = self.bytes.get(self.at..).and_then(|b| b.first_chunk()).copied();
        let bytes = bytes.ok_or_else(|| fault::truncated(self.path, self.at + 2, self.bytes.len()))?;
        self.at += 2;
        Ok(i16::from_be_bytes(bytes))
    }

    fn word(&mut self) -> Result<[u8; 4]> {
        let word = self.bytes.get(self.at..).and_then(|b| b.first_chunk()).copied();
        let word = word.ok_or_else(|| fault::truncated(self.path, self.at + 4, self.bytes.len()))?;
        self.at += 4;
        Ok(word)
    }

    pub fn i32(&mut self) -> Result<i32> {
        self.word().map(i32::from_be_bytes)
    }

    pub fn f32(&mut self) -> Result<f32> {
        self.word().map(f32::from_be_bytes)
    }

    /// A number that must not be negative.
    pub fn count(&mut self, field: &str) -> Result<usize> {
        let count = self.i32()?;
        usize::try_from(count).map_err(|_| fault::invalid(self.path, field, "0 or more", count))
    }
}
