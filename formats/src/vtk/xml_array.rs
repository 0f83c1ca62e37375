use crate::numbers::NumberType;
use crate::{Result, fault};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use std::io::Read;
use std::path::Path;

/// Deflate cannot expand more than this (zlib, "Technical Details": 1032:1).
const DEFLATE_MAX_RATIO: usize = 1032;

/// How the file stores what is not text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Storage {
    pub big_endian: bool,
    /// Sizes before the data take 8 bytes, not 4.
    pub wide_sizes: bool,
    pub zlib: bool,
}

/// Data after the `_` of `AppendedData`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Appended<'b> {
    pub bytes: &'b [u8],
    pub base64: bool,
}

/// One `DataArray` as declared.
#[derive(Debug, Clone, Default)]
pub(super) struct ArrayTag {
    pub name: String,
    /// `Float32`, `Int64`, `String` and so on.
    pub kind: String,
    pub components: usize,
    /// `ascii`, `binary` or `appended`.
    pub format: String,
    pub offset: Option<usize>,
}

impl ArrayTag {
    /// The numbers of the array; a string array gives its character codes.
    pub fn numbers(
        &self,
        path: &Path,
        text: &str,
        storage: Storage,
        appended: Option<Appended<'_>>,
    ) -> Result<Vec<f64>> {
        let number = self.number_type(path)?;
        let bytes = match self.format.as_str() {
            "ascii" | "" => {
                let bad = |w: &str| fault::invalid(path, self.field(), "numbers", format!("{w:?}"));
                return text.split_ascii_whitespace().map(|w| w.parse().map_err(|_| bad(w))).collect();
            }
            "binary" => Source { path, bytes: text.trim_ascii().as_bytes(), base64: true, storage }.read()?,
            "appended" => {
                let Some((appended, offset)) = appended.zip(self.offset) else {
                    return Err(fault::invalid(path, self.field(), "an offset and AppendedData", "none"));
                };
                let bytes = appended.bytes.get(offset..);
                let bytes = bytes.ok_or_else(|| fault::truncated(path, offset, appended.bytes.len()))?;
                Source { path, bytes, base64: appended.base64, storage }.read()?
            }
            other => return Err(fault::unsupported(path, &self.field(), other, "ascii, binary and appended")),
        };
        if !bytes.len().is_multiple_of(number.size_bytes()) {
            let expected = format!("a multiple of {} bytes", number.size_bytes());
            return Err(fault::invalid(path, self.field(), expected, bytes.len()));
        }
        Ok(number.decode(&bytes, storage.big_endian).to_f64())
    }

    fn number_type(&self, path: &Path) -> Result<NumberType> {
        Ok(match self.kind.as_str() {
            "Int8" => NumberType::I8,
            "UInt8" | "String" => NumberType::U8,
            "Int16" => NumberType::I16,
            "UInt16" => NumberType::U16,
            "Int32" => NumberType::I32,
            "UInt32" => NumberType::U32,
            "Int64" => NumberType::I64,
            "UInt64" => NumberType::U64,
            "Float32" => NumberType::F32,
            "Float64" => NumberType::F64,
            other => return Err(fault::unsupported(path, &self.field(), other, "Int8..UInt64, Float32, Float64")),
        })
    }

    pub fn field(&self) -> String {
        format!("array {:?}", self.name)
    }
}

/// Bytes that begin with an array.
struct Source<'b> {
    path: &'b Path,
    bytes: &'b [u8],
    base64: bool,
    storage: Storage,
}

impl Source<'_> {
    fn read(&self) -> Result<Vec<u8>> {
        let word = if self.storage.wide_sizes { 8 } else { 4 };
        if !self.storage.zlib {
            // The size and the data are one base64 stream.
            let size = self.size(&self.take(0, word)?);
            let mut bytes = self.take(0, size.saturating_add(word))?;
            bytes.drain(..word);
            return Ok(bytes);
        }
        // Number of blocks, bytes of a whole block, bytes of the last, then each block's size; a base64 stream of its own.
        let blocks = self.size(&self.take(0, word)?);
        let header_bytes = blocks.saturating_add(3).saturating_mul(word);
        let header = self.take(0, header_bytes)?;
        let sizes: Vec<usize> = header.chunks_exact(word).map(|w| self.size(w)).collect();
        let [_, whole, last, packed @ ..] = sizes.as_slice() else { return Ok(Vec::new()) };
        let data_at = if self.base64 { header_bytes.div_ceil(3) * 4 } else { header_bytes };
        let data = self.take(data_at, packed.iter().fold(0, |sum: usize, n| sum.saturating_add(*n)))?;
        let (mut out, mut at) = (Vec::new(), 0);
        for (block, &size) in packed.iter().enumerate() {
            let expected = if block + 1 == packed.len() && *last > 0 { *last } else { *whole };
            let packed = &data[at..at + size];
            at += size;
            if expected > size.saturating_mul(DEFLATE_MAX_RATIO) {
                return Err(fault::truncated(self.path, expected, size));
            }
            let before = out.len();
            // One byte more than declared shows that there is more.
            let decoded = ZlibDecoder::new(packed).take(expected as u64 + 1).read_to_end(&mut out);
            decoded.map_err(|e| fault::invalid(self.path, "DataArray", "a zlib stream", e))?;
            if out.len() - before != expected {
                let found = format!("{} or more", out.len() - before);
                return Err(fault::invalid(self.path, "DataArray block", format!("{expected} bytes"), found));
            }
        }
        Ok(out)
    }

    fn size(&self, bytes: &[u8]) -> usize {
        let big_endian = self.storage.big_endian;
        let digit = |n: u64, b: &u8| n << 8 | u64::from(*b);
        let size = if big_endian { bytes.iter().fold(0, digit) } else { bytes.iter().rev().fold(0, digit) };
        usize::try_from(size).unwrap_or(usize::MAX)
    }

    /// So many bytes of the stream that begins at `start` (a character where it is base64).
    fn take(&self, start: usize, count: usize) -> Result<Vec<u8>> {
        let characters = if self.base64 { count.div_ceil(3).saturating_mul(4) } else { count };
        let end = start.saturating_add(characters);
        let stored = self.bytes.get(start..end);
        let stored = stored.ok_or_else(|| fault::truncated(self.path, end, self.bytes.len()))?;
        if !self.base64 {
            return Ok(stored.to_vec());
        }
        // Groups of four characters decode alone, so that the start of a longer stream is one too.
        let mut decoded = STANDARD.decode(stored).map_err(|e| fault::invalid(self.path, "DataArray", "base64", e))?;
        if decoded.len() < count {
            return Err(fault::truncated(self.path, count, decoded.len()));
        }
        decoded.truncate(count);
        Ok(decoded)
    }
}
