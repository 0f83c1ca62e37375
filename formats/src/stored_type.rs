/// How a volume file stores one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoredType {
    Int8,
    Uint8,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Int64,
    Uint64,
    Float32,
    Float64,
}

/// Order of the bytes of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    Little,
    Big,
}

/// `$value` of every `$type` in `$bytes`, through `$map`.
macro_rules! decode {
    ($bytes:expr, $order:expr, $out:expr, $map:expr, $type:ty) => {{
        let values = $bytes.chunks_exact(size_of::<$type>()).map(|c| {
            let mut bytes = [0; size_of::<$type>()];
            bytes.copy_from_slice(c);
            bytes
        });
        match $order {
            ByteOrder::Little => $out.extend(values.map(|b| $map(<$type>::from_le_bytes(b) as f64))),
            ByteOrder::Big => $out.extend(values.map(|b| $map(<$type>::from_be_bytes(b) as f64))),
        }
    }};
}

impl StoredType {
    /// Bytes of one value.
    pub fn size_bytes(self) -> usize {
        match self {
            Self::Int8 | Self::Uint8 => 1,
            Self::Int16 | Self::Uint16 => 2,
            Self::Int32 | Self::Uint32 | Self::Float32 => 4,
            Self::Int64 | Self::Uint64 | Self::Float64 => 8,
        }
    }

    /// Name shown to people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Uint8 => "uint8",
            Self::Int16 => "int16",
            Self::Uint16 => "uint16",
            Self::Int32 => "int32",
            Self::Uint32 => "uint32",
            Self::Int64 => "int64",
            Self::Uint64 => "uint64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
        }
    }

    /// Smallest and largest integer it can hold; none for floats.
    pub fn integer_range(self) -> Option<(f64, f64)> {
        match self {
            Self::Int8 => Some((i8::MIN.into(), i8::MAX.into())),
            Self::Uint8 => Some((0.0, u8::MAX.into())),
            Self::Int16 => Some((i16::MIN.into(), i16::MAX.into())),
            Self::Uint16 => Some((0.0, u16::MAX.into())),
            Self::Int32 => Some((i32::MIN.into(), i32::MAX.into())),
            Self::Uint32 => Some((0.0, u32::MAX.into())),
            Self::Int64 => Some((i64::MIN as f64, i64::MAX as f64)),
            Self::Uint64 => Some((0.0, u64::MAX as f64)),
            Self::Float32 | Self::Float64 => None,
        }
    }

    /// Appends the values in `bytes`, each as an exact or nearest `f64` through `map`; a last incomplete value is left out.
    pub fn decode<T>(self, bytes: &[u8], order: ByteOrder, out: &mut Vec<T>, map: impl Fn(f64) -> T) {
        match self {
            Self::Int8 => decode!(bytes, order, out, map, i8),
            Self::Uint8 => decode!(bytes, order, out, map, u8),
            Self::Int16 => decode!(bytes, order, out, map, i16),
            Self::Uint16 => decode!(bytes, order, out, map, u16),
            Self::Int32 => decode!(bytes, order, out, map, i32),
            Self::Uint32 => decode!(bytes, order, out, map, u32),
            Self::Int64 => decode!(bytes, order, out, map, i64),
            Self::Uint64 => decode!(bytes, order, out, map, u64),
            Self::Float32 => decode!(bytes, order, out, map, f32),
            Self::Float64 => decode!(bytes, order, out, map, f64),
        }
    }
}
