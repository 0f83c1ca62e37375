use super::Source;
use super::attributes::{Attributes, numbers, unpadded};
use super::axis::Axis;
use super::image::{Image, Limit};
use crate::input::Input;
use crate::stored_type::StoredType;
use crate::{Error, Result, fault};
use hdf5_reader::group::Group;
use hdf5_reader::{Attribute, Dataset, Datatype, H5Type, Hdf5File, OpenOptions};
use std::fmt::Display;
use std::path::Path;

/// What one byte of the file can become at most: the library's own bound for a chunk is kept, this one is deflate's.
const DEFLATE_RATIO: u64 = 1032;
/// No MINC file has a chunk or a table that is larger.
const MOST_CHUNK_BYTES: usize = 1 << 30;

impl Attributes for Dataset {
    fn numbers(&self, path: &Path, name: &str) -> Result<Option<Vec<f64>>> {
        let numbers = found(self.attribute(name)).and_then(|a| a.map(|a| all_numbers(&a)).transpose());
        numbers.map_err(|e| fault::invalid(path, format!("{}:{name}", self.name()), "numbers", e))
    }

    fn text(&self, path: &Path, name: &str) -> Result<Option<String>> {
        let text = found(self.attribute(name)).and_then(|a| a.map(|a| a.read_string()).transpose());
        let text = text.map_err(|e| fault::invalid(path, format!("{}:{name}", self.name()), "text", e))?;
        Ok(text.as_deref().map(unpadded))
    }
}

type Hdf5Result<T> = std::result::Result<T, hdf5_reader::error::Error>;

/// None where there is no such thing, which is something else than a damaged one.
fn found<T>(result: Hdf5Result<T>) -> Hdf5Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(hdf5_reader::error::Error::DatasetNotFound(_) | hdf5_reader::error::Error::AttributeNotFound(_)) => {
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

fn all_numbers(attribute: &Attribute) -> Hdf5Result<Vec<f64>> {
    fn widened<T: H5Type + Into<f64>>(attribute: &Attribute) -> Hdf5Result<Vec<f64>> {
        Ok(attribute.read_1d::<T>()?.into_iter().map(Into::into).collect())
    }
    match &attribute.datatype {
        Datatype::FixedPoint { size: 1, signed: true, .. } => widened::<i8>(attribute),
        Datatype::FixedPoint { size: 1, .. } => widened::<u8>(attribute),
        Datatype::FixedPoint { size: 2, signed: true, .. } => widened::<i16>(attribute),
        Datatype::FixedPoint { size: 2, .. } => widened::<u16>(attribute),
        Datatype::FixedPoint { size: 4, signed: true, .. } => widened::<i32>(attribute),
        Datatype::FixedPoint { size: 4, .. } => widened::<u32>(attribute),
        Datatype::FloatingPoint { size: 4, .. } => widened::<f32>(attribute),
        _ => widened::<f64>(attribute),
    }
}

/// Opens an HDF5 file that should be MINC2.
pub(super) fn open(input: Input) -> Result<Image> {
    let path = input.path().to_path_buf();
    let most_bytes = input.most_bytes().saturating_mul(DEFLATE_RATIO);
    let options = OpenOptions::default()
        .with_max_chunk_bytes(MOST_CHUNK_BYTES.min(usize::try_from(most_bytes).unwrap_or(usize::MAX)))
        .with_max_read_bytes(usize::try_from(most_bytes).unwrap_or(usize::MAX));
    let file = if input.is_gzip() {
        let most = input.most_bytes();
        Hdf5File::from_vec_with_options(input.into_bytes(most)?, options)
    } else {
        Hdf5File::open_with_options(&path, options)
    };
    let damaged = |e: &dyn Display| fault::invalid(&path, "HDF5 structure", "an intact file", e);
    let file = file.map_err(|e| damaged(&e))?;
    let root = file.root_group().map_err(|e| damaged(&e))?;
    let minc = child(&root, &["minc-2.0"]).ok_or_else(|| Error::NotRecognised {
        path: path.clone(),
        found: "HDF5 without the group `minc-2.0` of MINC2".into(),
    })?;
    let missing = |what: &str| fault::invalid(&path, what, "an intact group or variable", "none");
    let whole = child(&minc, &["image", "0"]).ok_or_else(|| missing("minc-2.0/image/0"))?;
    let dimensions = child(&minc, &["dimensions"]).ok_or_else(|| missing("minc-2.0/dimensions"))?;
    let image = whole.dataset("image").map_err(|e| fault::invalid(&path, "image", "an intact variable", e))?;

    let names = dimension_names(&path, &image, "image")?;
    let axes = names.iter().zip(image.shape());
    let axes = axes.map(|(name, &length)| {
        let dimension = found(dimensions.dataset(name)).map_err(|e| damaged(&e))?;
        Axis::new(&path, name, length, dimension.as_ref())
    });
    let axes = axes.collect::<Result<Vec<_>>>()?;
    let limit = |name| limit(&path, &whole, name);
    Ok(Image {
        format: "MINC2",
        axes,
        stored: stored_type(&path, image.dtype())?,
        valid_range: numbers(&path, &image, "image", "valid_range")?,
        minimum: limit("image-min")?,
        maximum: limit("image-max")?,
        source: Source::Two(Box::new(image)),
        most_bytes,
        path,
    })
}

fn child(group: &Group, names: &[&str]) -> Option<Group> {
    let mut found = group.clone();
    for name in names {
        found = found.group(name).ok()?;
    }
    Some(found)
}

/// `dimorder`: one name for every axis, slowest first.
fn dimension_names(path: &Path, variable: &Dataset, name: &str) -> Result<Vec<String>> {
    let listed = variable.text(path, "dimorder")?.unwrap_or_default();
    let names: Vec<_> = listed.split(',').map(|n| unpadded(n.trim())).filter(|n| !n.is_empty()).collect();
    // Scalars may keep a `dimorder` they have no use for.
    let wanted = variable.ndim();
    if names.len() < wanted {
        return Err(fault::invalid(path, format!("{name}:dimorder"), format!("{wanted} names"), format!("{listed:?}")));
    }
    Ok(names.into_iter().take(wanted).collect())
}

fn stored_type(path: &Path, found: &Datatype) -> Result<StoredType> {
    Ok(match found {
        Datatype::FixedPoint { size: 1, signed: true, .. } => StoredType::Int8,
        Datatype::FixedPoint { size: 1, signed: false, .. } => StoredType::Uint8,
        Datatype::FixedPoint { size: 2, signed: true, .. } => StoredType::Int16,
        Datatype::FixedPoint { size: 2, signed: false, .. } => StoredType::Uint16,
        Datatype::FixedPoint { size: 4, signed: true, .. } => StoredType::Int32,
        Datatype::FixedPoint { size: 4, signed: false, .. } => StoredType::Uint32,
        Datatype::FloatingPoint { size: 4, .. } => StoredType::Float32,
        Datatype::FloatingPoint { size: 8, .. } => StoredType::Float64,
        other => {
            let supported = "integers of 1, 2 or 4 bytes, floats of 4 or 8";
            return Err(fault::unsupported(path, "type of image", format!("{other:?}"), supported));
        }
    })
}

fn limit(path: &Path, whole: &Group, name: &str) -> Result<Option<Limit>> {
    let unreadable = |e: hdf5_reader::error::Error| fault::invalid(path, name, "numbers that can be read", e);
    let Some(table) = found(whole.dataset(name)).map_err(unreadable)? else { return Ok(None) };
    let values = match table.dtype() {
        Datatype::FloatingPoint { size: 4, .. } => {
            table.read_array::<f32>().map_err(unreadable)?.iter().map(|&v| f64::from(v)).collect()
        }
        _ => table.read_array::<f64>().map_err(unreadable)?.iter().copied().collect(),
    };
    Ok(Some(Limit { axes: dimension_names(path, &table, name)?, values }))
}
