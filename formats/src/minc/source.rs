use crate::voxel::with_stored;
use crate::{Result, StoredType, Voxel, fault};
use bytemuck::Pod;
use hdf5_reader::{Datatype, H5Type, SliceInfo, SliceInfoElem};
use netcdf_reader::classic::ClassicFile;
use netcdf_reader::classic::data::NcReadType;
use netcdf_reader::{NcSliceInfo, NcSliceInfoElem};
use std::fmt;
use std::ops::Range;
use std::path::Path;

/// Bytes of a slab where the file is not divided into chunks: few enough to stay in a cache, enough to be worth a task.
const SLAB_BYTES: usize = 1 << 20;

/// Where the stored values come from.
pub(super) enum Source {
    One(Box<ClassicFile>),
    Two(Box<hdf5_reader::Dataset>),
}

/// A type of MINC's stored values.
pub(super) trait Stored: H5Type + Voxel {
    /// The type of netCDF with the same bits: it has signed integers only.
    type Netcdf: NcReadType + Pod;
}

macro_rules! stored {
    ($($type:ty: $netcdf:ty),*) => {$(impl Stored for $type { type Netcdf = $netcdf; })*};
}
stored!(i8: i8, u8: i8, i16: i16, u16: i16, i32: i32, u32: i32, f32: f32, f64: f64);

impl Source {
    /// Positions of axis `axis` that are best read at once: whole chunks, so that none is inflated twice.
    pub fn slab_thickness(&self, axis: usize, plane_bytes: usize) -> usize {
        let chunk = match self {
            Self::One { .. } => None,
            Self::Two(image) => image.chunks().and_then(|c| c.get(axis).copied()),
        };
        let thickness = chunk.map_or(SLAB_BYTES / plane_bytes.max(1), |n| usize::try_from(n).unwrap_or(1));
        thickness.max(1)
    }

    /// Hands over the stored values of a block in this machine's byte order, last axis fastest.
    pub fn block(
        &self,
        path: &Path,
        stored: StoredType,
        ranges: &[Range<usize>],
        take: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        with_stored!(
            stored, S => take(bytemuck::cast_slice(&self.values::<S>(path, ranges)?));
            Int8: i8 Uint8: u8 Int16: i16 Uint16: u16 Int32: i32 Uint32: u32 Float32: f32 Float64: f64;
            _ => Err(fault::unsupported(path, "type of image", stored.name(), "up to 32 bits"))
        )
    }

    fn values<S: Stored>(&self, path: &Path, ranges: &[Range<usize>]) -> Result<Vec<S>> {
        match self {
            Self::One(file) => {
                one::<S>(file, ranges).map_err(|e| fault::invalid(path, "image", "values that can be read", e))
            }
            Self::Two(image) => {
                two::<S>(image, ranges).map_err(|e| fault::invalid(path, "image", "values that can be read", e))
            }
        }
    }
}

fn one<S: Stored>(file: &ClassicFile, ranges: &[Range<usize>]) -> std::result::Result<Vec<S>, netcdf_reader::Error> {
    let elements = ranges.iter().map(|r| NcSliceInfoElem::Slice { start: r.start as u64, end: r.end as u64, step: 1 });
    let block = NcSliceInfo { selections: elements.collect() };
    let (values, _) = file.read_variable_slice::<S::Netcdf>("image", &block)?.into_raw_vec_and_offset();
    Ok(bytemuck::allocation::cast_vec(values))
}

fn two<S: Stored>(
    image: &hdf5_reader::Dataset,
    ranges: &[Range<usize>],
) -> std::result::Result<Vec<S>, hdf5_reader::error::Error> {
    let elements = ranges.iter().map(|r| SliceInfoElem::Slice { start: r.start as u64, end: r.end as u64, step: 1 });
    let block = SliceInfo { selections: elements.collect() };
    let (values, _) = image.read_slice::<Number<S>>(&block)?.into_raw_vec_and_offset();
    // The standard library does this in place.
    Ok(values.into_iter().map(|Number(value)| value).collect())
}

/// A number, or a member of an enumeration of such numbers (the labels of MINC2), which the library takes for opaque.
#[derive(Clone)]
#[repr(transparent)]
struct Number<S>(S);

impl<S: Stored> H5Type for Number<S> {
    fn hdf5_type() -> Datatype {
        S::hdf5_type()
    }

    fn from_bytes(bytes: &[u8], found: &Datatype) -> std::result::Result<Self, hdf5_reader::error::Error> {
        S::from_bytes(bytes, number_type(found)).map(Self)
    }

    fn element_size(found: &Datatype) -> usize {
        S::element_size(number_type(found))
    }

    fn decode_vec(
        bytes: &[u8],
        found: &Datatype,
        count: usize,
    ) -> Option<std::result::Result<Vec<Self>, hdf5_reader::error::Error>> {
        let values = S::decode_vec(bytes, number_type(found), count)?;
        Some(values.map(|values| values.into_iter().map(Self).collect()))
    }

    fn native_copy_compatible(found: &Datatype) -> bool {
        S::native_copy_compatible(number_type(found))
    }
}

/// The type itself, or that of the members of an enumeration.
pub(super) fn number_type(found: &Datatype) -> &Datatype {
    match found {
        Datatype::Enum { base, .. } => base,
        other => other,
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One(_) => "netCDF-3",
            Self::Two(_) => "HDF5",
        })
    }
}
