use super::array::{DataArray, Metadata, number_type};
use crate::numbers::{NumberType, Values};
use crate::{Result, fault};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::{GzDecoder, ZlibDecoder};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};

/// Deflate cannot expand more than this (zlib, "Technical Details": 1032:1), so a declared size can be refused before
/// memory is taken.
const DEFLATE_MAX_RATIO: usize = 1032;

/// How `Data` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Ascii,
    Base64,
    GzipBase64,
    External,
}

impl Encoding {
    /// By the name of the specification, or the constant some versions of gifticlib wrote in its place.
    pub fn from_name(path: &Path, name: &str) -> Result<Self> {
        Ok(match name {
            "ASCII" | "GIFTI_ENCODING_ASCII" => Self::Ascii,
            "Base64Binary" | "GIFTI_ENCODING_B64BIN" => Self::Base64,
            "GZipBase64Binary" | "GIFTI_ENCODING_B64GZ" => Self::GzipBase64,
            "ExternalFileBinary" | "GIFTI_ENCODING_EXTBIN" => Self::External,
            _ => {
                let supported = "ASCII, Base64Binary, GZipBase64Binary, ExternalFileBinary";
                return Err(fault::unsupported(path, "Encoding", format!("{name:?}"), supported));
            }
        })
    }
}

/// What a `DataArray` declares, before and after its data are decoded.
#[derive(Debug)]
pub(super) struct Declaration {
    pub intent: String,
    pub stored: String,
    pub rows: usize,
    pub columns: usize,
    pub column_major: bool,
    pub big_endian: bool,
    pub encoding: Encoding,
    pub external_name: String,
    pub external_offset: String,
    pub metadata: Metadata,
    pub data_space: Option<String>,
    pub moves: bool,
    pub values: Option<Values>,
}

impl Declaration {
    /// Decodes the text of `Data`.
    pub fn decode(&self, path: &Path, text: &str) -> Result<Values> {
        let Some(stored) = number_type(&self.stored) else {
            let supported = "NIFTI_TYPE_ INT8..INT64, UINT8..UINT64, FLOAT32, FLOAT64";
            return Err(fault::unsupported(path, "DataType", format!("{:?}", self.stored), supported));
        };
        let count = self.rows.checked_mul(self.columns);
        let Some((count, expected)) = count.and_then(|n| Some((n, n.checked_mul(stored.size_bytes())?))) else {
            return Err(fault::invalid(path, "Dim", "a size", format!("{} x {}", self.rows, self.columns)));
        };
        let values = match self.encoding {
            Encoding::Ascii => ascii(path, text, stored, count)?,
            Encoding::Base64 => {
                let bytes = base64(path, text)?;
                if bytes.len() != expected {
                    return Err(fault::truncated(path, expected, bytes.len()));
                }
                stored.decode(&bytes, self.big_endian)
            }
            Encoding::GzipBase64 => stored.decode(&inflate(path, &base64(path, text)?, expected)?, self.big_endian),
            Encoding::External => stored.decode(&self.external(path, expected)?, self.big_endian),
        };
        Ok(if self.column_major && self.rows > 1 && self.columns > 1 {
            match values {
                Values::Integer(v) => Values::Integer(transpose(&v, self.rows, self.columns)),
                Values::Float(v) => Values::Float(transpose(&v, self.rows, self.columns)),
            }
        } else {
            values
        })
    }

    /// The decoded array.
    pub fn into_array(self) -> DataArray {
        DataArray {
            intent: self.intent,
            rows: self.rows,
            columns: self.columns,
            values: self.values.unwrap_or(Values::Integer(Vec::new())),
            metadata: self.metadata,
            data_space: self.data_space,
            moves: self.moves,
        }
    }

    /// Bytes of the external file, which must lie in the folder of the GIFTI file or below it: a surface sent by
    /// somebody else must not be able to name any file of this machine.
    fn external(&self, path: &Path, expected: usize) -> Result<Vec<u8>> {
        let name = Path::new(self.external_name.trim());
        if self.external_name.trim().is_empty() || !name.components().all(|c| matches!(c, Component::Normal(_))) {
            let expected = "a file in the same folder or below";
            return Err(fault::invalid(path, "ExternalFileName", expected, format!("{name:?}")));
        }
        let offset = self.external_offset.trim();
        let offset: u64 = match offset {
            "" => 0,
            _ => offset
                .parse()
                .map_err(|_| fault::invalid(path, "ExternalFileOffset", "a number of bytes", format!("{offset:?}")))?,
        };
        let place = path.parent().unwrap_or(Path::new("")).join(name);
        let mut file = File::open(&place).map_err(fault::io(&place))?;
        let found = file.metadata().map_err(fault::io(&place))?.len();
        let end = offset.checked_add(expected as u64);
        if end.is_none_or(|end| end > found) {
            return Err(fault::truncated(&place, end.map_or(usize::MAX, |e| e as usize), found as usize));
        }
        let mut bytes = vec![0; expected];
        file.seek(SeekFrom::Start(offset)).map_err(fault::io(&place))?;
        file.read_exact(&mut bytes).map_err(fault::io(&place))?;
        Ok(bytes)
    }
}

fn ascii(path: &Path, text: &str, stored: NumberType, count: usize) -> Result<Values> {
    // A value takes a digit and, but for the last, a separator.
    if count > text.len().div_ceil(2) {
        return Err(fault::truncated(path, count.saturating_mul(2), text.len()));
    }
    let mut words = text.split_ascii_whitespace();
    let bad = |word: &str| fault::invalid(path, "ASCII data", "numbers of the declared type", format!("{word:?}"));
    let values = if stored.is_float() {
        Values::Float(words.by_ref().take(count).map(|w| w.parse().map_err(|_| bad(w))).collect::<Result<_>>()?)
    } else {
        Values::Integer(words.by_ref().take(count).map(|w| w.parse().map_err(|_| bad(w))).collect::<Result<_>>()?)
    };
    let found = match &values {
        Values::Integer(v) => v.len(),
        Values::Float(v) => v.len(),
    };
    let rest = words.count();
    if found != count || rest > 0 {
        return Err(fault::invalid(path, "ASCII data", format!("{count} values"), format!("{} values", found + rest)));
    }
    Ok(values)
}

fn base64(path: &Path, text: &str) -> Result<Vec<u8>> {
    let text = text.trim_ascii();
    let bad = |e| fault::invalid(path, "Data", "base64", e);
    if text.bytes().any(|b| b.is_ascii_whitespace()) {
        let dense: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        STANDARD.decode(dense).map_err(bad)
    } else {
        STANDARD.decode(text).map_err(bad)
    }
}

fn inflate(path: &Path, packed: &[u8], expected: usize) -> Result<Vec<u8>> {
    if expected > packed.len().saturating_mul(DEFLATE_MAX_RATIO) {
        return Err(fault::truncated(path, expected, packed.len()));
    }
    let mut bytes = Vec::new();
    // One byte more than declared shows that there is more.
    let limit = expected as u64 + 1;
    let result = if packed.starts_with(&[0x1f, 0x8b]) {
        GzDecoder::new(packed).take(limit).read_to_end(&mut bytes)
    } else {
        ZlibDecoder::new(packed).take(limit).read_to_end(&mut bytes)
    };
    result.map_err(|e| fault::invalid(path, "Data", "a zlib stream", e))?;
    if bytes.len() < expected {
        return Err(fault::truncated(path, expected, bytes.len()));
    }
    if bytes.len() > expected {
        return Err(fault::invalid(path, "Data", format!("{expected} bytes"), "more"));
    }
    Ok(bytes)
}

fn transpose<T: Copy>(values: &[T], rows: usize, columns: usize) -> Vec<T> {
    let mut out = Vec::with_capacity(values.len());
    for r in 0..rows {
        out.extend((0..columns).map(|c| values[c * rows + r]));
    }
    out
}
