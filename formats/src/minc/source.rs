use crate::{Result, fault};
use hdf5_reader::{Datatype, SliceInfo, SliceInfoElem};
use ndarray::ArrayD;
use netcdf_reader::classic::ClassicFile;
use netcdf_reader::{NcSliceInfo, NcSliceInfoElem, NcType};
use std::fmt;
use std::ops::Range;
use std::path::Path;

/// Where the stored values come from.
pub(super) enum Source {
    /// netCDF has signed integers only; `unsigned` says how to take them.
    One {
        file: Box<ClassicFile>,
        kind: NcType,
        unsigned: bool,
    },
    Two(Box<hdf5_reader::Dataset>),
}

impl Source {
    /// Positions of axis `axis` that are best read at once: whole chunks, so that none is inflated twice.
    pub fn block_thickness(&self, axis: usize) -> usize {
        let chunk = match self {
            Self::One { .. } => None,
            Self::Two(image) => image.chunks().and_then(|c| c.get(axis).copied()),
        };
        chunk.map_or(1, |n| usize::try_from(n).unwrap_or(1).max(1))
    }

    /// The stored values of a block, last axis fastest.
    pub fn block(&self, path: &Path, ranges: &[Range<usize>]) -> Result<Vec<f64>> {
        match self {
            Self::One { file, kind, unsigned } => one(file, kind, *unsigned, ranges)
                .map_err(|e| fault::invalid(path, "image", "values that can be read", e)),
            Self::Two(image) => {
                two(image, ranges).map_err(|e| fault::invalid(path, "image", "values that can be read", e))
            }
        }
    }
}

fn one(
    file: &ClassicFile,
    kind: &NcType,
    unsigned: bool,
    ranges: &[Range<usize>],
) -> std::result::Result<Vec<f64>, netcdf_reader::Error> {
    let elements = ranges.iter().map(|r| NcSliceInfoElem::Slice { start: r.start as u64, end: r.end as u64, step: 1 });
    let block = NcSliceInfo { selections: elements.collect() };
    const NAME: &str = "image";
    Ok(match (kind, unsigned) {
        (NcType::Byte, false) => widened(file.read_variable_slice::<i8>(NAME, &block)?, f64::from),
        (NcType::Byte, true) => widened(file.read_variable_slice::<i8>(NAME, &block)?, |v| v.cast_unsigned().into()),
        (NcType::Short, false) => widened(file.read_variable_slice::<i16>(NAME, &block)?, f64::from),
        (NcType::Short, true) => widened(file.read_variable_slice::<i16>(NAME, &block)?, |v| v.cast_unsigned().into()),
        (NcType::Int, false) => widened(file.read_variable_slice::<i32>(NAME, &block)?, f64::from),
        (NcType::Int, true) => widened(file.read_variable_slice::<i32>(NAME, &block)?, |v| v.cast_unsigned().into()),
        (NcType::Float, _) => widened(file.read_variable_slice::<f32>(NAME, &block)?, f64::from),
        _ => widened(file.read_variable_slice::<f64>(NAME, &block)?, |v| v),
    })
}

fn two(
    image: &hdf5_reader::Dataset,
    ranges: &[Range<usize>],
) -> std::result::Result<Vec<f64>, hdf5_reader::error::Error> {
    let elements = ranges.iter().map(|r| SliceInfoElem::Slice { start: r.start as u64, end: r.end as u64, step: 1 });
    let block = SliceInfo { selections: elements.collect() };
    Ok(match image.dtype() {
        Datatype::FixedPoint { size: 1, signed: true, .. } => widened(image.read_slice::<i8>(&block)?, f64::from),
        Datatype::FixedPoint { size: 1, .. } => widened(image.read_slice::<u8>(&block)?, f64::from),
        Datatype::FixedPoint { size: 2, signed: true, .. } => widened(image.read_slice::<i16>(&block)?, f64::from),
        Datatype::FixedPoint { size: 2, .. } => widened(image.read_slice::<u16>(&block)?, f64::from),
        Datatype::FixedPoint { size: 4, signed: true, .. } => widened(image.read_slice::<i32>(&block)?, f64::from),
        Datatype::FixedPoint { size: 4, .. } => widened(image.read_slice::<u32>(&block)?, f64::from),
        Datatype::FloatingPoint { size: 4, .. } => widened(image.read_slice::<f32>(&block)?, f64::from),
        _ => widened(image.read_slice::<f64>(&block)?, |v| v),
    })
}

fn widened<T: Copy>(block: ArrayD<T>, map: impl Fn(T) -> f64) -> Vec<f64> {
    block.iter().map(|&v| map(v)).collect()
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One { .. } => "netCDF-3",
            Self::Two(_) => "HDF5",
        })
    }
}
