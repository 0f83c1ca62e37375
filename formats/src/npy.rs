//! NumPy .npy arrays (NEP 1): bool, integer and float elements, C and Fortran order, both byte orders.
//!
//! Complex, structured and object arrays are refused; an object array would be a Python pickle.

use crate::atomic::write_io;
use crate::bytes::read_bytes;
use crate::npy_header::{NpyHeader, NpyType};
use crate::voxel::Of;
use crate::{Result, fault};
use ndarray::{Array, Array2, ArrayD, ArrayView, ArrayViewD, Dimension, IxDyn, ShapeBuilder};
use std::io::{self, Write};
use std::path::Path;

/// An array to write: float32, float64 or int32, of any shape.
#[derive(Debug, Clone)]
pub enum NpyArray<'a> {
    /// float32.
    F32(ArrayViewD<'a, f32>),
    /// float64.
    F64(ArrayViewD<'a, f64>),
    /// int32.
    I32(ArrayViewD<'a, i32>),
}

macro_rules! from_array {
    ($element:ty, $variant:ident) => {
        impl<'a, D: Dimension> From<&'a Array<$element, D>> for NpyArray<'a> {
            fn from(array: &'a Array<$element, D>) -> Self {
                array.view().into()
            }
        }

        impl<'a, D: Dimension> From<ArrayView<'a, $element, D>> for NpyArray<'a> {
            fn from(array: ArrayView<'a, $element, D>) -> Self {
                Self::$variant(array.into_dyn())
            }
        }
    };
}
from_array!(f32, F32);
from_array!(f64, F64);
from_array!(i32, I32);

/// Elements of a stored array, narrowed or widened to one type.
pub(crate) trait Element: Copy {
    /// What values that have a counterpart are called.
    const NAME: &str;
    /// The value itself for integers, the nearest for floats; `None` where the type reaches less far.
    fn from_f64(value: f64) -> Option<Self>;
}

impl Element for f32 {
    const NAME: &str = "a value of type float32";
    fn from_f64(value: f64) -> Option<Self> {
        let (nearest, holds) = Self::of(value);
        holds.then_some(nearest)
    }
}

impl Element for i32 {
    const NAME: &str = "a 32-bit integer";
    fn from_f64(value: f64) -> Option<Self> {
        (value.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value)).then_some(value as i32)
    }
}

/// Reads a .npy array as float32; other real types are converted.
///
/// # Errors
/// An unreadable or truncated file, or an element type that is not real.
pub fn read_npy(path: &Path) -> Result<ArrayD<f32>> {
    decode(path, &read_bytes(path)?)
}

/// Writes a .npy array, version 1.0, little endian, C order, whole or not at all.
///
/// # Errors
/// A folder that cannot be written.
pub fn write_npy(path: &Path, array: &NpyArray<'_>) -> Result<()> {
    write_io(path, |w| encode(w, array))
}

/// Decodes the content of a .npy file.
pub(crate) fn decode<T: Element>(path: &Path, bytes: &[u8]) -> Result<ArrayD<T>> {
    let header = NpyHeader::parse(path, bytes)?;
    let expected = header.data_bytes();
    let data = bytes.get(header.data_offset..).unwrap_or_default();
    let Some(data) = data.get(..expected) else {
        return Err(fault::truncated(path, header.data_offset.saturating_add(expected), bytes.len()));
    };
    let values = elements(path, &header, data)?;
    let shape = IxDyn(&header.shape).set_f(header.fortran_order);
    ArrayD::from_shape_vec(shape, values).map_err(|e| fault::invalid(path, "npy shape", "a size", e))
}

fn elements<T: Element>(path: &Path, header: &NpyHeader, data: &[u8]) -> Result<Vec<T>> {
    macro_rules! convert {
        ($stored:ty, $wide:expr) => {{
            let (chunks, _) = data.as_chunks::<{ size_of::<$stored>() }>();
            let one = |b: &[u8; size_of::<$stored>()]| {
                let stored =
                    if header.big_endian { <$stored>::from_be_bytes(*b) } else { <$stored>::from_le_bytes(*b) };
                let wide: f64 = $wide(stored);
                T::from_f64(wide).ok_or_else(|| fault::invalid(path, "npy value", T::NAME, wide))
            };
            chunks.iter().map(one).collect()
        }};
    }
    match header.stored {
        NpyType::Bool | NpyType::Unsigned(1) => convert!(u8, f64::from),
        NpyType::Signed(1) => convert!(i8, f64::from),
        NpyType::Signed(2) => convert!(i16, f64::from),
        NpyType::Signed(4) => convert!(i32, f64::from),
        NpyType::Signed(_) => convert!(i64, |v| v as f64),
        NpyType::Unsigned(2) => convert!(u16, f64::from),
        NpyType::Unsigned(4) => convert!(u32, f64::from),
        NpyType::Unsigned(_) => convert!(u64, |v| v as f64),
        NpyType::Float(2) => convert!(u16, half_to_f64),
        NpyType::Float(4) => convert!(f32, f64::from),
        NpyType::Float(_) => convert!(f64, |v| v),
    }
}

/// IEEE 754 binary16: 1 sign, 5 exponent (bias 15) and 10 fraction bits.
fn half_to_f64(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from((bits >> 10) & 0x1f), f64::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

/// Writes header and elements.
pub(crate) fn encode(w: &mut (impl Write + ?Sized), array: &NpyArray<'_>) -> io::Result<()> {
    match array {
        NpyArray::F32(a) => {
            encode_header(w, "<f4", a.shape())?;
            a.iter().try_for_each(|v| w.write_all(&v.to_le_bytes()))
        }
        NpyArray::F64(a) => {
            encode_header(w, "<f8", a.shape())?;
            a.iter().try_for_each(|v| w.write_all(&v.to_le_bytes()))
        }
        NpyArray::I32(a) => {
            encode_header(w, "<i4", a.shape())?;
            a.iter().try_for_each(|v| w.write_all(&v.to_le_bytes()))
        }
    }
}

fn encode_header(w: &mut (impl Write + ?Sized), descr: &str, shape: &[usize]) -> io::Result<()> {
    let sizes: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let sizes = if shape.len() > 1 { sizes.trim_end_matches(", ") } else { sizes.trim_end() };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}), }}");
    // The data begin at a multiple of 64 bytes; the header ends with a newline.
    let unpadded = 10 + header.len() + 1;
    header.extend(std::iter::repeat_n(' ', unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    let length = u16::try_from(header.len()).map_err(|_| io::Error::other("too many dimensions"))?;
    w.write_all(b"\x93NUMPY\x01\x00")?;
    w.write_all(&length.to_le_bytes())?;
    w.write_all(header.as_bytes())
}

/// Two dimensions; a vector becomes one column.
pub(crate) fn as_matrix<T: Clone>(path: &Path, array: ArrayD<T>) -> Result<Array2<T>> {
    let shape = array.shape().to_vec();
    let bad = || fault::invalid(path, "shape", "[rows, columns]", format!("{shape:?}"));
    match shape.len() {
        1 => array.into_shape_with_order((shape[0], 1)).map_err(|_| bad()),
        2 => array.into_dimensionality().map_err(|_| bad()),
        _ => Err(bad()),
    }
}
