use crate::StoredType;
use crate::stored_type::ByteOrder;
use std::fmt::Display;

mod sealed {
    /// A value of one type made from one of another: the nearest for floats, and whether it is the value itself (integers) or
    /// within range (floats).
    pub trait Of<S>: Sized {
        fn of(value: S) -> (Self, bool);
    }

    /// The loops over stored values. Not generic functions: those would be compiled again in every crate that reads.
    pub trait Decode: Sized {
        fn decode(encoding: super::Encoding, bytes: &[u8], step: usize, out: &mut [Self]) -> Result<(), f64>;
    }
}
pub(crate) use sealed::Of;

/// A value voxels are read as, and can be stored as: integers of 1 to 8 bytes, `f32`, `f64`.
///
/// Reading as an integer takes a volume whose intensities are such integers; reading as `f32` rounds to the nearest.
pub trait Voxel:
    bytemuck::Pod
    + Default
    + Display
    + PartialOrd
    + Send
    + Sync
    + Of<i8>
    + Of<u8>
    + Of<i16>
    + Of<u16>
    + Of<i32>
    + Of<u32>
    + Of<i64>
    + Of<u64>
    + Of<f32>
    + Of<f64>
    + sealed::Decode
{
    /// How it is stored.
    const STORED: StoredType;
    /// The nearest `f64`.
    fn to_f64(self) -> f64;
}

macro_rules! voxel {
    ($($type:ident: $stored:ident),*) => {$(
        impl Voxel for $type {
            const STORED: StoredType = StoredType::$stored;
            fn to_f64(self) -> f64 {
                self as f64
            }
        }

        impl sealed::Decode for $type {
            fn decode(encoding: Encoding, bytes: &[u8], step: usize, out: &mut [Self]) -> Result<(), f64> {
                encoding.decode_any(bytes, step, out)
            }
        }
    )*};
}
voxel!(i8: Int8, u8: Uint8, i16: Int16, u16: Uint16, i32: Int32, u32: Uint32, i64: Int64, u64: Uint64, f32: Float32, f64: Float64);

macro_rules! float_of_integer {
    ($to:ident: $($from:ident)*) => {$(
        impl Of<$from> for $to {
            fn of(value: $from) -> (Self, bool) {
                (value as $to, true)
            }
        }
    )*};
}
float_of_integer!(f32: i8 u8 i16 u16 i32 u32 i64 u64 f32);
float_of_integer!(f64: i8 u8 i16 u16 i32 u32 i64 u64 f32 f64);

impl Of<f64> for f32 {
    fn of(value: f64) -> (Self, bool) {
        let nearest = value as f32;
        (nearest, nearest.is_finite() | !value.is_finite())
    }
}

macro_rules! integer_of {
    ($to:ident of integers $($from:ident)*) => {$(
        impl Of<$from> for $to {
            fn of(value: $from) -> (Self, bool) {
                // Widened, so that every pair of types compares in one.
                let cast = value as $to;
                (cast, cast as i128 == value as i128)
            }
        }
    )*};
    ($to:ident of floats $($from:ident)*) => {$(
        impl Of<$from> for $to {
            fn of(value: $from) -> (Self, bool) {
                let cast = value as $to;
                (cast, cast as $from == value)
            }
        }
    )*};
    ($($to:ident)*) => {$(
        integer_of!($to of integers i8 u8 i16 u16 i32 u32 i64 u64);
        integer_of!($to of floats f32 f64);
    )*};
}
integer_of!(i8 u8 i16 u16 i32 u32 i64 u64);

/// How the values of a file become intensities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Encoding {
    pub stored: StoredType,
    pub order: ByteOrder,
    /// Slope and intercept; none where values stand for themselves.
    pub scale: Option<(f64, f64)>,
}

impl Encoding {
    /// Fills `out` with every `step`th value of `bytes`, from the first. The error is an intensity that `T` cannot hold.
    pub fn decode<T: Voxel>(self, bytes: &[u8], step: usize, out: &mut [T]) -> Result<(), f64> {
        T::decode(self, bytes, step, out)
    }

    fn decode_any<T: Voxel>(self, bytes: &[u8], step: usize, out: &mut [T]) -> Result<(), f64> {
        match self.stored {
            StoredType::Int8 => self.decode_from::<i8, T, 1>(bytes, step, out, i8::from_le_bytes),
            StoredType::Uint8 => self.decode_from::<u8, T, 1>(bytes, step, out, u8::from_le_bytes),
            StoredType::Int16 => self.decode_from::<i16, T, 2>(bytes, step, out, i16::from_le_bytes),
            StoredType::Uint16 => self.decode_from::<u16, T, 2>(bytes, step, out, u16::from_le_bytes),
            StoredType::Int32 => self.decode_from::<i32, T, 4>(bytes, step, out, i32::from_le_bytes),
            StoredType::Uint32 => self.decode_from::<u32, T, 4>(bytes, step, out, u32::from_le_bytes),
            StoredType::Int64 => self.decode_from::<i64, T, 8>(bytes, step, out, i64::from_le_bytes),
            StoredType::Uint64 => self.decode_from::<u64, T, 8>(bytes, step, out, u64::from_le_bytes),
            StoredType::Float32 => self.decode_from::<f32, T, 4>(bytes, step, out, f32::from_le_bytes),
            StoredType::Float64 => self.decode_from::<f64, T, 8>(bytes, step, out, f64::from_le_bytes),
        }
    }

    fn decode_from<S: Voxel, T: Voxel + Of<S>, const N: usize>(
        self,
        bytes: &[u8],
        step: usize,
        out: &mut [T],
        from_le: fn([u8; N]) -> S,
    ) -> Result<(), f64> {
        let values = bytes.as_chunks::<N>().0;
        let stepped = step > 1;
        match (self.order, stepped) {
            (ByteOrder::Little, false) => fill(out, values.iter().map(|&b| from_le(b)), self.scale),
            (ByteOrder::Little, true) => fill(out, values.iter().step_by(step).map(|&b| from_le(b)), self.scale),
            (ByteOrder::Big, _) => {
                let swapped = |mut b: [u8; N]| {
                    b.reverse();
                    from_le(b)
                };
                fill(out, values.iter().step_by(step.max(1)).map(|&b| swapped(b)), self.scale)
            }
        }
    }
}

/// Fills `out` with `slope * value + intercept`, in double precision and rounded once.
pub(crate) fn fill<S: Voxel, T: Voxel + Of<S>>(
    out: &mut [T],
    values: impl Iterator<Item = S> + Clone,
    scale: Option<(f64, f64)>,
) -> Result<(), f64> {
    // No early exit, so that the loops become vector instructions; what did not fit is looked for afterwards.
    let mut fits = true;
    match scale {
        None => out.iter_mut().zip(values.clone()).for_each(|(out, value)| {
            let (voxel, ok) = T::of(value);
            *out = voxel;
            fits &= ok;
        }),
        Some((slope, intercept)) => out.iter_mut().zip(values.clone()).for_each(|(out, value)| {
            let (voxel, ok) = T::of(value.to_f64() * slope + intercept);
            *out = voxel;
            fits &= ok;
        }),
    }
    if fits {
        return Ok(());
    }
    let intensity = |value: S| scale.map_or(value.to_f64(), |(slope, intercept)| value.to_f64() * slope + intercept);
    let found = values.take(out.len()).find(|&value| match scale {
        None => !<T as Of<S>>::of(value).1,
        Some(_) => !<T as Of<f64>>::of(intensity(value)).1,
    });
    Err(found.map_or(f64::NAN, intensity))
}

/// The bytes of values in this machine's order.
pub(crate) fn native_bytes<T: Voxel>(values: &[T]) -> &[u8] {
    bytemuck::cast_slice(values)
}

/// Values as bytes, most significant first.
pub(crate) fn big_endian_bytes<T: Voxel>(values: &[T]) -> Vec<u8> {
    let mut bytes = native_bytes(values).to_vec();
    if ByteOrder::NATIVE == ByteOrder::Little {
        bytes.chunks_exact_mut(size_of::<T>()).for_each(<[u8]>::reverse);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_a_type_cannot_hold_are_found() {
        let encoding = |stored, scale| Encoding { stored, order: ByteOrder::Big, scale };
        let mut bytes = [0u8; 3];
        assert_eq!(encoding(StoredType::Int16, None).decode(&[0, 1, 0, 255, 1, 0], 1, &mut bytes), Err(256.0));
        assert_eq!(encoding(StoredType::Int16, None).decode(&[0, 1, 0, 255, 0, 0], 1, &mut bytes), Ok(()));
        assert_eq!(bytes, [1, 255, 0]);
        let half = Some((0.5, 0.0));
        assert_eq!(encoding(StoredType::Uint8, half).decode(&[2, 4, 5], 1, &mut bytes), Err(2.5));
        let mut floats = [0f32; 1];
        let huge = 1e300f64.to_be_bytes();
        assert_eq!(encoding(StoredType::Float64, None).decode(&huge, 1, &mut floats), Err(1e300));
        assert_eq!(encoding(StoredType::Float64, None).decode(&f64::INFINITY.to_be_bytes(), 1, &mut floats), Ok(()));
        assert_eq!(<u64 as Of<i64>>::of(-1), (u64::MAX, false));
    }

    #[test]
    fn interleaved_values_are_picked() {
        let rgb = Encoding { stored: StoredType::Uint8, order: ByteOrder::Little, scale: Some((2.0, 1.0)) };
        let mut red = [0f32; 2];
        rgb.decode(&[1, 2, 3, 4, 5, 6], 3, &mut red).unwrap();
        assert_eq!(red, [3.0, 9.0]);
    }
}
