use super::Source;
use super::attributes::{Attributes, numbers, unpadded};
use super::axis::{Axis, Dimension};
use super::image::Image;
use super::inflate::filters;
use super::scale::Limit;
use super::source::number_type;
use crate::input::Input;
use crate::stored_type::StoredType;
use crate::{Error, Result, fault};
use brainmesh_core::LabelTable;
use hdf5_reader::group::Group;
use hdf5_reader::{Attribute, ByteOrder, DEFAULT_CHUNK_CACHE_BYTES, Dataset, Datatype, H5Type, Hdf5File, OpenOptions};
use std::fmt::Display;
use std::path::Path;
use std::sync::{Arc, OnceLock};

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

impl Dimension for Dataset {
    fn values(&self, path: &Path) -> Result<Vec<f64>> {
        let unreadable = |e| fault::invalid(path, self.name(), "numbers that can be read", e);
        Ok(match self.dtype() {
            Datatype::FloatingPoint { size: 4, .. } => {
                self.read_array::<f32>().map_err(unreadable)?.iter().map(|&v| f64::from(v)).collect()
            }
            _ => self.read_array::<f64>().map_err(unreadable)?.iter().copied().collect(),
        })
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
        // Not of libminc, but of programs that let their language choose a type; nothing here is beyond 2^53.
        Datatype::FixedPoint { size: 8, signed: true, .. } => {
            Ok(attribute.read_1d::<i64>()?.into_iter().map(|n| n as f64).collect())
        }
        Datatype::FixedPoint { size: 8, .. } => Ok(attribute.read_1d::<u64>()?.into_iter().map(|n| n as f64).collect()),
        Datatype::FloatingPoint { size: 4, .. } => widened::<f32>(attribute),
        _ => widened::<f64>(attribute),
    }
}

/// Opens an HDF5 file that should be MINC2.
pub(super) fn open(input: Input) -> Result<Image> {
    let path = input.path().to_path_buf();
    let most_bytes = input.most_bytes().saturating_mul(DEFLATE_RATIO);
    let bytes: Option<Arc<[u8]>> = if input.is_gzip() {
        let most = input.most_bytes();
        Some(input.into_bytes(most)?.into())
    } else {
        None
    };
    // Slabs are read chunk by chunk, so that a cache would only cost memory ...
    let (minc, image) = find_image(&path, bytes.clone(), most_bytes, 0)?;
    let names = dimension_names(&path, &image, "image")?;
    let chunks = image.chunks().unwrap_or_default();
    // ... unless a chunk holds parts of several volumes.
    let is_shared = names.iter().zip(chunks).any(|(name, length)| !name.ends_with("space") && length > 1);
    let (minc, image) =
        if is_shared { find_image(&path, bytes, most_bytes, DEFAULT_CHUNK_CACHE_BYTES)? } else { (minc, image) };

    let damaged = |e: &dyn Display| fault::invalid(&path, "HDF5 structure", "an intact file", e);
    let missing = |what: &str| fault::invalid(&path, what, "an intact group or variable", "none");
    let whole = child(&minc, &["image", "0"]).ok_or_else(|| missing("minc-2.0/image/0"))?;
    let dimensions = child(&minc, &["dimensions"]).ok_or_else(|| missing("minc-2.0/dimensions"))?;
    let mut warnings = Vec::new();
    let axes = names.iter().zip(image.shape());
    let axes = axes.map(|(name, &length)| {
        let dimension = found(dimensions.dataset(name)).map_err(|e| damaged(&e))?;
        Axis::new(&path, name, length, dimension.as_ref(), &mut warnings)
    });
    let axes = axes.collect::<Result<Vec<_>>>()?;
    let limit = |name| limit(&path, &whole, name);
    let (minimum, maximum) = (limit("image-min")?, limit("image-max")?);
    let class = found(minc.attribute("class")).and_then(|a| a.map(|a| a.read_string()).transpose());
    let class = class.map_err(|e| fault::invalid(&path, "minc-2.0:class", "text", e))?;
    let labels = labels(image.dtype(), &mut warnings);
    let is_unscaled = match class.as_deref().map(unpadded).as_deref() {
        Some("label__") => true,
        Some("integer") => minimum.is_none() && maximum.is_none(),
        _ => matches!(image.dtype(), Datatype::Enum { .. }),
    };
    Ok(Image {
        format: "MINC2",
        axes,
        stored: stored_type(&path, image.dtype())?,
        valid_range: numbers(&path, &image, "image", "valid_range")?,
        minimum,
        maximum,
        is_unscaled,
        labels,
        warnings,
        source: Source::Two(Box::new(image)),
        most_bytes,
        path,
    })
}

/// The group `minc-2.0` and its whole image, of the file or of the bytes it was gzipped from.
fn find_image(path: &Path, bytes: Option<Arc<[u8]>>, most_bytes: u64, cache_bytes: usize) -> Result<(Group, Dataset)> {
    let most_bytes = usize::try_from(most_bytes).unwrap_or(usize::MAX);
    let (chunk_bytes, most_chunk_bytes) = (Arc::new(OnceLock::new()), MOST_CHUNK_BYTES.min(most_bytes));
    let options = OpenOptions::default()
        .with_chunk_cache_bytes(cache_bytes)
        .with_filter_registry(filters(chunk_bytes.clone(), most_chunk_bytes))
        .with_max_chunk_bytes(most_chunk_bytes)
        .with_max_read_bytes(most_bytes);
    let file = match bytes {
        Some(bytes) => Hdf5File::from_shared_bytes_with_options(bytes, options),
        None => Hdf5File::open_with_options(path, options),
    };
    let damaged = |e: &dyn Display| fault::invalid(path, "HDF5 structure", "an intact file", e);
    let file = file.map_err(|e| damaged(&e))?;
    let root = file.root_group().map_err(|e| damaged(&e))?;
    let minc = child(&root, &["minc-2.0"]).ok_or_else(|| Error::NotRecognised {
        path: path.into(),
        found: "HDF5 without the group `minc-2.0` of MINC2".into(),
    })?;
    let missing = || fault::invalid(path, "minc-2.0/image/0", "an intact group or variable", "none");
    let whole = child(&minc, &["image", "0"]).ok_or_else(missing)?;
    let image = whole.dataset("image").map_err(|e| fault::invalid(path, "image", "an intact variable", e))?;
    let lengths = image.chunks().unwrap_or_default();
    let length = lengths.iter().try_fold(image.raw_element_size().unwrap_or(0), |n, &l| n.checked_mul(l as usize));
    // The library refuses larger chunks before it inflates them.
    if let Some(length) = length.filter(|&n| n <= most_chunk_bytes) {
        let _ = chunk_bytes.set(length);
    }
    Ok((minc, image))
}

/// Names of the values of an enumeration. MINC has no colours: they are white, the background transparent.
fn labels(found: &Datatype, warnings: &mut Vec<String>) -> LabelTable {
    let mut table = LabelTable::default();
    let Datatype::Enum { base, members } = found else { return table };
    let Datatype::FixedPoint { signed, byte_order, .. } = **base else { return table };
    for member in members {
        // The most significant byte first, the sign spread over what is not stored.
        let bytes = member.value.iter().copied();
        let bytes: Vec<u8> = match byte_order {
            ByteOrder::BigEndian => bytes.collect(),
            ByteOrder::LittleEndian => bytes.rev().collect(),
        };
        let is_negative = signed && bytes.first().is_some_and(|b| b & 0x80 != 0);
        let start = if is_negative { -1i64 } else { 0 };
        let value = bytes.iter().fold(start, |value, &byte| value << 8 | i64::from(byte));
        match i32::try_from(value) {
            Ok(value) => table.insert(value, &member.name, [1.0, 1.0, 1.0, if value == 0 { 0.0 } else { 1.0 }]),
            Err(_) => warnings.push(format!("label {} has value {value}, which is left out of the table", member.name)),
        }
    }
    table
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
    Ok(match number_type(found) {
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
    Ok(Some(Limit { axes: dimension_names(path, &table, name)?, values: table.values(path)? }))
}
