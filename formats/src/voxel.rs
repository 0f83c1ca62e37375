use crate::stored_type::ByteOrder;
use crate::{Region, StoredType, VolumeFormat, VolumeReader, VolumeWriter};
use brainmesh_core::{Monitor, Volume};
use std::fmt::Display;
use std::path::Path;

mod sealed {
    use crate::{Region, VolumeFormat, VolumeReader, VolumeWriter};
    use brainmesh_core::{Monitor, Volume};
    use std::path::Path;

    /// A value of one type made from one of another: the nearest for floats, and whether it is the value itself (integers) or
    /// within range (floats).
    pub trait Of<S>: Sized {
        fn of(value: S) -> (Self, bool);
    }

    /// The loops over stored values: compiled once for a type, here, and not in every crate that reads.
    pub trait Decode: Sized {
        fn decode(encoding: super::Encoding, bytes: &[u8], step: usize, out: &mut [Self]) -> Result<(), f64>;
    }

    /// Reading and writing of every format: compiled once for a type, like [`Decode`].
    pub trait Files: Sized {
        fn read(
            reader: &VolumeReader,
            index: usize,
            region: &Region,
            out: &mut [Self],
            monitor: &dyn Monitor,
        ) -> crate::Result<()>;
        fn write(
            writer: &VolumeWriter,
            path: &Path,
            format: VolumeFormat,
            volumes: &[Volume<Self>],
            monitor: &dyn Monitor,
        ) -> crate::Result<()>;
    }
}
pub(crate) use sealed::Of;
use sealed::{Decode, Files};

/// A value voxels are read as, and can be stored as: integers of 1 to 8 bytes, `f32`, `f64`.
///
/// Reading as an integer takes a volume whose intensities are such integers; reading as `f32` rounds to the nearest.
pub trait Voxel: bytemuck::Pod + Default + Display + PartialOrd + Send + Sync + Of<f64> + Decode + Files {
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

        impl Files for $type {
            fn read(
                reader: &VolumeReader,
                index: usize,
                region: &Region,
                out: &mut [Self],
                monitor: &dyn Monitor,
            ) -> crate::Result<()> {
                reader.fill(index, region, out, monitor)
            }

            fn write(
                writer: &VolumeWriter,
                path: &Path,
                format: VolumeFormat,
                volumes: &[Volume<Self>],
                monitor: &dyn Monitor,
            ) -> crate::Result<()> {
                writer.write_as(path, format, volumes, monitor)
            }
        }
    )*};
}
voxel!(i8: Int8, u8: Uint8, i16: Int16, u16: Uint16, i32: Int32, u32: Uint32, i64: Int64, u64: Uint64, f32: Float32, f64: Float64);

macro_rules! float_of {
    ($to:ident: $($from:ident)*) => {$(
        impl Of<$from> for $to {
            fn of(value: $from) -> (Self, bool) {
                (value as $to, true)
            }
        }
    )*};
}
float_of!(f32: i8 u8 i16 u16 i32 u32 i64 u64 f32);
float_of!(f64: i8 u8 i16 u16 i32 u32 i64 u64 f32 f64);

impl Of<f64> for f32 {
    fn of(value: f64) -> (Self, bool) {
        let nearest = value as f32;
        (nearest, nearest.is_finite() | !value.is_finite())
    }
}

macro_rules! integer_of_f64 {
    ($($to:ident)*) => {$(
        impl Of<f64> for $to {
            fn of(value: f64) -> (Self, bool) {
                let cast = value as $to;
                (cast, cast as f64 == value)
            }
        }

        impl Of<i128> for $to {
            fn of(value: i128) -> (Self, bool) {
                let cast = value as $to;
                (cast, i128::from(cast) == value)
            }
        }
    )*};
}
integer_of_f64!(i8 u8 i16 u16 i32 u32 i64 u64);

/// What is done with bytes of values and the part of the result that they belong to.
type EachRun<'a, T> = dyn FnMut(&[u8], &mut [T]) -> Result<(), f64> + 'a;

/// How the values of a file become intensities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Encoding {
    pub stored: StoredType,
    pub order: ByteOrder,
    /// Slope and intercept; none where values stand for themselves.
    pub scale: Option<(f64, f64)>,
}

/// Values that go through a buffer at a time: they stay in the first-level cache.
const CHUNK: usize = 1024;

/// `$run` with `$type` as the Rust type of `$stored`, one of those listed, or `$other`.
macro_rules! with_stored {
    ($stored:expr, $type:ident => $run:expr; $($name:ident: $rust:ident)*; $(_ => $other:expr)?) => {
        match $stored {
            $($crate::StoredType::$name => {
                type $type = $rust;
                $run
            })*
            $(_ => $other,)?
        }
    };
}

/// `$run` with `$type` as the Rust type of any `$stored`.
macro_rules! with_voxel {
    ($stored:expr, $type:ident => $run:expr) => {
        $crate::voxel::with_stored!(
            $stored, $type => $run;
            Int8: i8 Uint8: u8 Int16: i16 Uint16: u16 Int32: i32 Uint32: u32 Int64: i64 Uint64: u64
            Float32: f32 Float64: f64;
        )
    };
}
pub(crate) use {with_stored, with_voxel};

macro_rules! decode_floats {
    ($($type:ident)*) => {$(
        impl Decode for $type {
            fn decode(encoding: Encoding, bytes: &[u8], step: usize, out: &mut [Self]) -> Result<(), f64> {
                encoding.in_order(bytes, step, out, &mut |bytes, out| with_voxel!(
                    encoding.stored, S => convert(bytes.as_chunks().0, S::from_ne_bytes, encoding.scale, out)
                ))
            }
        }
    )*};
}
decode_floats!(f32 f64);

macro_rules! decode_integers {
    ($($type:ident)*) => {$(
        impl Decode for $type {
            fn decode(encoding: Encoding, bytes: &[u8], step: usize, out: &mut [Self]) -> Result<(), f64> {
                encoding.in_order(bytes, step, out, &mut |bytes, out: &mut [Self]| {
                    let exact = encoding.scale.is_none() && encoding.stored.integer_range().is_some();
                    if exact && encoding.stored == Self::STORED {
                        bytemuck::cast_slice_mut::<_, u8>(out).copy_from_slice(bytes);
                        return Ok(());
                    }
                    // Every other type comes by way of a wide one: a tenth of the code, in rare cases.
                    let size = encoding.stored.size_bytes();
                    for (bytes, out) in bytes.chunks(CHUNK * size).zip(out.chunks_mut(CHUNK)) {
                        if exact {
                            let mut wide = [0i128; CHUNK];
                            let wide = &mut wide[..out.len()];
                            widen(encoding.stored, bytes, wide);
                            narrow(wide, |&value| value as f64, out)?;
                        } else {
                            let mut wide = [0f64; CHUNK];
                            let wide = &mut wide[..out.len()];
                            encoding.in_native_order().decode(bytes, 1, wide)?;
                            narrow(wide, |&value| value, out)?;
                        }
                    }
                    Ok(())
                })
            }
        }
    )*};
}
decode_integers!(i8 u8 i16 u16 i32 u32 i64 u64);

impl Encoding {
    /// Fills `out` with every `step`th value of `bytes`, from the first. The error is an intensity that `T` cannot hold.
    pub fn decode<T: Voxel>(self, bytes: &[u8], step: usize, out: &mut [T]) -> Result<(), f64> {
        T::decode(self, bytes, step, out)
    }

    fn in_native_order(self) -> Self {
        Self { order: ByteOrder::NATIVE, ..self }
    }

    /// Runs `each` over values that follow one another in this machine's order, with the part of `out` they belong to.
    fn in_order<T>(self, bytes: &[u8], step: usize, out: &mut [T], each: &mut EachRun<T>) -> Result<(), f64> {
        let (size, step) = (self.stored.size_bytes(), step.max(1));
        if step == 1 && (self.order == ByteOrder::NATIVE || size == 1) {
            let count = out.len().min(bytes.len() / size);
            return each(&bytes[..count * size], &mut out[..count]);
        }
        let mut buffer = [0; 8 * CHUNK];
        for (bytes, out) in bytes.chunks(CHUNK * step * size).zip(out.chunks_mut(CHUNK)) {
            let swap = self.order != ByteOrder::NATIVE;
            let count = match size {
                1 => gather::<1>(bytes, step, swap, &mut buffer),
                2 => gather::<2>(bytes, step, swap, &mut buffer),
                4 => gather::<4>(bytes, step, swap, &mut buffer),
                _ => gather::<8>(bytes, step, swap, &mut buffer),
            };
            let count = count.min(out.len());
            each(&buffer[..count * size], &mut out[..count])?;
        }
        Ok(())
    }
}

/// Copies every `step`th value, and turns its bytes round where asked to; how many there were.
fn gather<const N: usize>(bytes: &[u8], step: usize, swap: bool, out: &mut [u8]) -> usize {
    let values = bytes.as_chunks::<N>().0.iter().step_by(step);
    let count = values.len();
    for (value, out) in values.zip(out.as_chunks_mut::<N>().0) {
        *out = *value;
        if swap {
            out.reverse();
        }
    }
    count
}

/// Fills `out` with `slope * value + intercept`, in double precision and rounded once.
fn convert<S: Voxel, T: Voxel + Of<S>, const N: usize>(
    values: &[[u8; N]],
    from_bytes: impl Fn([u8; N]) -> S,
    scale: Option<(f64, f64)>,
    out: &mut [T],
) -> Result<(), f64> {
    // No early exit, so that the loops become vector instructions; what did not fit is looked for afterwards.
    let mut fits = true;
    match scale {
        None => out.iter_mut().zip(values).for_each(|(out, &bytes)| {
            let (voxel, ok) = T::of(from_bytes(bytes));
            *out = voxel;
            fits &= ok;
        }),
        Some((slope, intercept)) => out.iter_mut().zip(values).for_each(|(out, &bytes)| {
            let (voxel, ok) = T::of(from_bytes(bytes).to_f64() * slope + intercept);
            *out = voxel;
            fits &= ok;
        }),
    }
    if fits {
        return Ok(());
    }
    let (slope, intercept) = scale.unwrap_or((1.0, 0.0));
    let mut intensities = values.iter().map(|&bytes| from_bytes(bytes).to_f64() * slope + intercept);
    Err(intensities.find(|&value| !<T as Of<f64>>::of(value).1).unwrap_or(f64::NAN))
}

fn widen(stored: StoredType, bytes: &[u8], out: &mut [i128]) {
    with_stored!(
        stored, S => out.iter_mut().zip(bytes.as_chunks().0).for_each(|(out, &bytes)| *out = S::from_ne_bytes(bytes).into());
        Int8: i8 Uint8: u8 Int16: i16 Uint16: u16 Int32: i32 Uint32: u32 Int64: i64 Uint64: u64; _ => ()
    );
}

fn narrow<W: Copy, T: Of<W>>(values: &[W], to_f64: impl Fn(&W) -> f64, out: &mut [T]) -> Result<(), f64> {
    for (out, value) in out.iter_mut().zip(values) {
        let (voxel, ok) = T::of(*value);
        if !ok {
            return Err(to_f64(value));
        }
        *out = voxel;
    }
    Ok(())
}

/// Fills `out` with `slope * value + intercept`. The error is an intensity that `T` cannot hold.
pub(crate) fn fill<T: Voxel>(out: &mut [T], values: &[f64], scale: Option<(f64, f64)>) -> Result<(), f64> {
    let encoding = Encoding { stored: StoredType::Float64, order: ByteOrder::NATIVE, scale };
    encoding.decode(native_bytes(values), 1, out)
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
        let mut wide = [0u64; 1];
        let negative = encoding(StoredType::Int64, None).decode(&(-1i64).to_be_bytes(), 1, &mut wide);
        assert_eq!(negative, Err(-1.0));
        let large = encoding(StoredType::Int64, None).decode(&i64::MAX.to_be_bytes(), 1, &mut wide);
        assert_eq!((large, wide), (Ok(()), [i64::MAX as u64]));
    }

    #[test]
    fn interleaved_values_are_picked() {
        let rgb = Encoding { stored: StoredType::Uint8, order: ByteOrder::Little, scale: Some((2.0, 1.0)) };
        let mut red = [0f32; 2];
        rgb.decode(&[1, 2, 3, 4, 5, 6], 3, &mut red).unwrap();
        assert_eq!(red, [3.0, 9.0]);
    }
}
