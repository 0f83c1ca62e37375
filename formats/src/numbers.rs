//! Arrays of numbers as surface files store them.

use crate::voxel::Of;
use crate::{Result, fault};
use std::path::Path;

/// The nearest float32; a finite value that is beyond its range is refused, since it would become infinity.
pub(crate) fn narrow(path: &Path, field: &str, value: f64) -> Result<f32> {
    match f32::of(value) {
        (nearest, true) => Ok(nearest),
        (_, false) => Err(fault::invalid(path, field, "a value of type float32", value)),
    }
}

/// Values of one array, widened without loss.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    /// Integer types.
    Integer(Vec<i64>),
    /// Float types.
    Float(Vec<f64>),
}

impl Values {
    /// As floats.
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Values::Integer(v) => v.iter().map(|&v| v as f64).collect(),
            Values::Float(v) => v.clone(),
        }
    }
}

/// Type of the numbers of an array, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberType {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
}

impl NumberType {
    /// Bytes of one value.
    pub fn size_bytes(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// Whether the values are floats.
    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }

    /// Values of a buffer whose length is a multiple of [`Self::size_bytes`]. A `u64` above `i64::MAX` saturates: it
    /// cannot be an index or a label.
    pub fn decode(self, bytes: &[u8], big_endian: bool) -> Values {
        macro_rules! decode {
            ($stored:ty, $kind:ident, $wide:ty) => {{
                let (chunks, _) = bytes.as_chunks::<{ size_of::<$stored>() }>();
                let convert = |b: &[u8; size_of::<$stored>()]| {
                    let value = if big_endian { <$stored>::from_be_bytes(*b) } else { <$stored>::from_le_bytes(*b) };
                    <$wide>::try_from(value).unwrap_or(<$wide>::MAX)
                };
                Values::$kind(chunks.iter().map(convert).collect())
            }};
        }
        match self {
            Self::I8 => decode!(i8, Integer, i64),
            Self::U8 => decode!(u8, Integer, i64),
            Self::I16 => decode!(i16, Integer, i64),
            Self::U16 => decode!(u16, Integer, i64),
            Self::I32 => decode!(i32, Integer, i64),
            Self::U32 => decode!(u32, Integer, i64),
            Self::I64 => decode!(i64, Integer, i64),
            Self::U64 => decode!(u64, Integer, i64),
            Self::F32 => decode!(f32, Float, f64),
            Self::F64 => decode!(f64, Float, f64),
        }
    }
}
