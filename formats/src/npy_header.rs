use crate::{Result, fault};
use std::path::Path;

/// `\x93NUMPY`, the first bytes of a .npy file.
pub(crate) const NPY_MAGIC: &[u8] = b"\x93NUMPY";

/// Element type of a stored array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NpyType {
    Bool,
    Signed(usize),
    Unsigned(usize),
    Float(usize),
}

impl NpyType {
    /// Bytes of one element.
    pub fn size_bytes(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Signed(n) | Self::Unsigned(n) | Self::Float(n) => n,
        }
    }

    /// As numpy names it: `int16`.
    pub fn name(self) -> String {
        match self {
            Self::Bool => "bool".into(),
            Self::Signed(n) => format!("int{}", n * 8),
            Self::Unsigned(n) => format!("uint{}", n * 8),
            Self::Float(n) => format!("float{}", n * 8),
        }
    }
}

/// Header of a .npy file (NEP 1, "A Simple File Format for NumPy Arrays", versions 1.0 to 3.0).
///
/// The header is a Python dictionary; only the three keys the format allows are understood, by a flat scan that has no
/// recursion to exhaust (the general literal parser behind other readers overflows its stack on nested brackets).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NpyHeader {
    pub stored: NpyType,
    pub big_endian: bool,
    pub fortran_order: bool,
    pub shape: Vec<usize>,
    /// Product of the shape.
    pub len: usize,
    /// Bytes before the data.
    pub data_offset: usize,
}

impl NpyHeader {
    /// Reads the header at the beginning of `bytes`.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let short = || fault::truncated(path, bytes.len() + 1, bytes.len());
        let &[_, _, _, _, _, _, major, _, a, b, ..] = bytes else { return Err(short()) };
        if !bytes.starts_with(NPY_MAGIC) {
            return Err(fault::invalid(path, "npy magic", "\\x93NUMPY", "other bytes"));
        }
        let (start, length) = match (major, bytes.get(8..12)) {
            (1, _) => (10, usize::from(u16::from_le_bytes([a, b]))),
            (2 | 3, Some(&[a, b, c, d])) => (12, u32::from_le_bytes([a, b, c, d]) as usize),
            _ => return Err(fault::unsupported(path, "npy version", major, "1, 2, 3")),
        };
        let data_offset = start + length;
        let text = bytes.get(start..data_offset).ok_or_else(|| fault::truncated(path, data_offset, bytes.len()))?;
        let text = std::str::from_utf8(text).map_err(|e| fault::invalid(path, "npy header", "text", e))?;
        let bad = |field: &str| fault::invalid(path, format!("npy header {field}"), "a value", format!("{text:?}"));
        let value = |key: &str| {
            let quoted = [format!("'{key}'"), format!("\"{key}\"")];
            let after = quoted.iter().find_map(|q| Some(&text[text.find(q.as_str())? + q.len()..]));
            Some(after?.trim_start().strip_prefix(':')?.trim_start())
        };
        let descr = value("descr").ok_or_else(|| bad("descr"))?;
        let quote = descr.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let descr = quote.and_then(|q| descr[1..].split(q).next());
        let descr = descr.ok_or_else(|| {
            fault::unsupported(path, "npy type", "a structured type", "bool, int, uint and float arrays")
        })?;
        let fortran_order = match value("fortran_order") {
            Some(v) if v.starts_with("True") => true,
            Some(v) if v.starts_with("False") => false,
            _ => return Err(bad("fortran_order")),
        };
        let shape = value("shape").and_then(|v| v.strip_prefix('(')?.split(')').next()).ok_or_else(|| bad("shape"))?;
        let shape: Vec<usize> = shape
            .split(',')
            .map(str::trim)
            .filter(|s| !s.is_empty())
            .map(|s| s.trim_end_matches('L').parse().map_err(|_| bad("shape")))
            .collect::<Result<_>>()?;
        let (stored, big_endian) = Self::element(descr)
            .ok_or_else(|| fault::unsupported(path, "npy type", descr, "bool, int, uint and float arrays"))?;
        // The product over the non-zero sizes must fit too: an empty array may not hide an impossible shape.
        let size = shape.iter().filter(|&&n| n > 0).try_fold(stored.size_bytes(), |a, &n| a.checked_mul(n));
        if size.is_none() || shape.len() > 16 {
            return Err(fault::invalid(path, "npy shape", "a size", format!("{shape:?}")));
        }
        let len = shape.iter().product();
        Ok(Self { stored, big_endian, fortran_order, shape, len, data_offset })
    }

    fn element(descr: &str) -> Option<(NpyType, bool)> {
        let (order, rest) = descr.split_at_checked(1)?;
        let (kind, size) = rest.split_at_checked(1)?;
        let stored = match (kind, size.parse().ok()?) {
            ("b", 1) => NpyType::Bool,
            ("i", n @ (1 | 2 | 4 | 8)) => NpyType::Signed(n),
            ("u", n @ (1 | 2 | 4 | 8)) => NpyType::Unsigned(n),
            ("f", n @ (2 | 4 | 8)) => NpyType::Float(n),
            _ => return None,
        };
        match order {
            ">" => Some((stored, true)),
            "<" | "|" | "=" => Some((stored, false)),
            _ => None,
        }
    }

    /// Bytes the elements take.
    pub fn data_bytes(&self) -> usize {
        self.len * self.stored.size_bytes()
    }
}
