use super::header::Header;
use crate::input::Input;
use crate::raw::{RawLayout, RawVoxels};
use crate::stored_type::ByteOrder;
use crate::volume_reader::{Opened, Voxels};
use crate::voxel::Encoding;
use crate::{Result, Scaling, StoredType, VolumeReader, data_files, fault, text_values};
use brainmesh_core::Grid;
use glam::{DAffine3, DMat3, DVec3};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// More values a voxel than this are no image.
const MOST_CHANNELS: usize = 1 << 16;

/// Opens a file that [`is_meta_image`](super::is_meta_image).
pub(crate) fn open(input: Input) -> Result<VolumeReader> {
    let is_gzip = input.is_gzip();
    let header = Header::parse(input)?;
    let path = header.path.clone();
    if let Some(kind) = header.field(&["ObjectType"]).filter(|kind| *kind != "Image") {
        return Err(fault::unsupported(&path, "ObjectType", kind, "Image"));
    }
    let axes: usize = header.number("NDims", "1 to 4")?.unwrap_or(0);
    if !(1..=4).contains(&axes) {
        return Err(fault::unsupported(&path, "NDims", header.field(&["NDims"]).unwrap_or("none"), "1 to 4"));
    }
    let sizes: Vec<usize> = header.numbers(&["DimSize"], axes)?.unwrap_or_default();
    if sizes.is_empty() || sizes.contains(&0) {
        let found = header.field(&["DimSize"]).unwrap_or("none");
        return Err(header.invalid("DimSize", &format!("{axes} whole numbers above 0"), found));
    }
    let lengths: [usize; 4] = std::array::from_fn(|n| sizes.get(n).copied().unwrap_or(1));
    let [shape @ .., volumes] = lengths;
    let planes: usize = header.number("ElementNumberOfChannels", "at least 1")?.unwrap_or(1);
    if !(1..=MOST_CHANNELS).contains(&planes) {
        return Err(fault::unsupported(&path, "ElementNumberOfChannels", planes, "1 to 65,536"));
    }
    let (grid, mut warnings) = grid(&header, axes, shape)?;
    let stored = stored_type(&header)?;
    let order = match header.flag(&["ElementByteOrderMSB", "BinaryDataByteOrderMSB"])? {
        Some(true) => ByteOrder::Big,
        _ => ByteOrder::Little,
    };
    let encoding = Encoding { stored, order, scale: None };
    let raw = data(&header, axes, is_gzip, RawLayout { offset: 0, shape, volumes, planes, encoding })?;
    let surplus = raw.surplus_bytes();
    warnings.extend((surplus > 0).then(|| format!("{surplus} bytes after the voxels are not read")));
    let counted = volumes.checked_mul(planes);
    let volumes = counted.ok_or_else(|| header.invalid("DimSize", "a countable number", format!("{sizes:?}")))?;
    let names: Vec<String> = (0..planes).filter(|_| planes > 1).map(|n| format!("channel {n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (scaling, voxels) = (Scaling::None, Voxels::Raw(raw));
    let opened = Opened { path, format: "MetaImage", grid, volumes, stored, scaling, voxels };
    Ok(VolumeReader::new(opened).with_planes(&names).with_warnings(warnings))
}

/// The grid, and what is odd about it.
fn grid(header: &Header, axes: usize, shape: [usize; 3]) -> Result<(Grid, Vec<String>)> {
    let spacing: Option<Vec<f64>> = header.numbers(&["ElementSpacing", "ElementSize"], axes)?;
    let directions: Option<Vec<f64>> = header.numbers(&["TransformMatrix", "Rotation", "Orientation"], axes * axes)?;
    let offset: Option<Vec<f64>> = header.numbers(&["Offset", "Position", "Origin"], axes)?;
    let is_placed = directions.is_some() || offset.is_some();
    let mut warnings = Vec::new();
    if !is_placed {
        warnings.push("no TransformMatrix and no Offset: axes are taken to lead left, posterior, superior".to_owned());
    }
    let identity = |n: usize| if n / axes == n % axes { 1.0 } else { 0.0 };
    let at = |row: usize, column: usize| match &directions {
        _ if row >= axes || column >= axes => f64::from(u8::from(row == column)),
        Some(numbers) => numbers[row * axes + column],
        None => identity(row * axes + column),
    };
    if (0..3).any(|n| at(3, n) != 0.0 || at(n, 3) != 0.0) {
        return Err(header.invalid("TransformMatrix", "a fourth axis apart from those of space", "one that leans"));
    }
    let numbers = |list: &Option<Vec<f64>>, missing: f64| {
        DVec3::from_array(std::array::from_fn(|n| list.as_ref().and_then(|l| l.get(n)).copied().unwrap_or(missing)))
    };
    let mm = mm_per_unit(header)?;
    // Each row of the file's matrix is the direction of an axis (`itk::MetaImageIO`).
    let axis = |row: usize| DVec3::new(at(row, 0), at(row, 1), at(row, 2));
    let matrix = DMat3::from_cols(axis(0), axis(1), axis(2)) * DMat3::from_diagonal(numbers(&spacing, 1.0) * mm);
    let ras_from_lps = DMat3::from_diagonal(DVec3::new(-1.0, -1.0, 1.0));
    let affine = DAffine3::from_mat3_translation(ras_from_lps * matrix, ras_from_lps * numbers(&offset, 0.0) * mm);
    let world = if is_placed { "scanner" } else { "unregistered" };
    Ok((Grid::new(shape, affine, world).map_err(fault::core(&header.path))?, warnings))
}

fn mm_per_unit(header: &Header) -> Result<f64> {
    match header.field(&["DistanceUnits"]) {
        None | Some("mm" | "?" | "") => Ok(1.0),
        Some("um") => Ok(1e-3),
        Some("cm") => Ok(10.0),
        Some(other) => Err(fault::unsupported(&header.path, "DistanceUnits", other, "um, mm, cm")),
    }
}

/// `MET_LONG` has four bytes in MetaIO, whatever C makes of it.
fn stored_type(header: &Header) -> Result<StoredType> {
    let name = header.field(&["ElementType"]).unwrap_or("none");
    match name.strip_suffix("_ARRAY").unwrap_or(name) {
        "MET_CHAR" => Ok(StoredType::Int8),
        "MET_UCHAR" => Ok(StoredType::Uint8),
        "MET_SHORT" => Ok(StoredType::Int16),
        "MET_USHORT" => Ok(StoredType::Uint16),
        "MET_INT" | "MET_LONG" => Ok(StoredType::Int32),
        "MET_UINT" | "MET_ULONG" => Ok(StoredType::Uint32),
        "MET_LONG_LONG" => Ok(StoredType::Int64),
        "MET_ULONG_LONG" => Ok(StoredType::Uint64),
        "MET_FLOAT" => Ok(StoredType::Float32),
        "MET_DOUBLE" => Ok(StoredType::Float64),
        _ => Err(fault::unsupported(
            &header.path,
            "ElementType",
            name,
            "MET_CHAR to MET_ULONG_LONG, MET_FLOAT, MET_DOUBLE",
        )),
    }
}

/// Where the values lie.
fn data(header: &Header, axes: usize, is_gzip: bool, layout: RawLayout) -> Result<RawVoxels> {
    let path = &header.path;
    let is_text = header.flag(&["BinaryData"])? == Some(false);
    let is_packed = header.flag(&["CompressedData"])? == Some(true);
    let skipped: i64 = header.number("HeaderSize", "-1 or more")?.unwrap_or(0);
    if skipped < -1 {
        return Err(header.invalid("HeaderSize", "-1 or more", skipped));
    }
    if is_packed && (skipped != 0 || is_text) {
        return Err(fault::unsupported(path, "CompressedData", "with HeaderSize or text", "binary data at the start"));
    }
    let name = header.field(&["ElementDataFile"]).unwrap_or_default();
    if name.eq_ignore_ascii_case("local") {
        if is_gzip && (is_text || is_packed || skipped < 0) {
            let found = "data that are packed, written out or skipped";
            return Err(fault::unsupported(path, "gzip around the whole file", found, "plain data after the header"));
        }
        let start = header.data_start;
        if is_gzip {
            return RawVoxels::of_file(path, RawLayout { offset: start.saturating_add_signed(skipped), ..layout });
        }
        return one_file(path, start, skipped, is_text, is_packed, layout);
    }
    let words: Vec<&str> = name.split_ascii_whitespace().collect();
    let files = match words.as_slice() {
        ["LIST"] => data_files::listed(path, "ElementDataFile", &header.listed)?,
        // How many axes each file has; one fewer than the image unless said.
        ["LIST", dimension] if dimension.trim_end_matches(['D', 'd']).parse::<usize>().is_ok_and(|n| n <= axes) => {
            data_files::listed(path, "ElementDataFile", &header.listed)?
        }
        [pattern, _, _, _] if pattern.contains('%') => data_files::numbered(path, "ElementDataFile", &words)?,
        _ => vec![data_files::beside(path, "ElementDataFile", name)?],
    };
    if let [file] = files.as_slice() {
        return one_file(file, 0, skipped, is_text, is_packed, layout);
    }
    let shares = files.len() as u128;
    if shares == 0 || layout.bytes() % shares != 0 {
        let expected = format!("a number of files that divides {} bytes", layout.bytes());
        return Err(header.invalid("ElementDataFile", &expected, shares));
    }
    if is_text || is_packed {
        return Err(fault::unsupported(
            path,
            "ElementDataFile",
            "packed or written-out data in several files",
            "plain data",
        ));
    }
    let share = u64::try_from(layout.bytes() / shares).unwrap_or(u64::MAX);
    let starts: Result<Vec<(PathBuf, u64)>> =
        files.into_iter().map(|file| offset(&file, 0, skipped, share).map(|start| (file, start))).collect();
    RawVoxels::of_parts(path, starts?, layout)
}

fn one_file(
    file: &Path,
    start: u64,
    skipped: i64,
    is_text: bool,
    is_packed: bool,
    layout: RawLayout,
) -> Result<RawVoxels> {
    if is_packed {
        return RawVoxels::of_stream(file, start, layout);
    }
    let length = u64::try_from(layout.bytes()).unwrap_or(u64::MAX);
    if !is_text {
        return RawVoxels::of_plain(file, RawLayout { offset: offset(file, start, skipped, length)?, ..layout });
    }
    let mut content = std::fs::File::open(file).map_err(fault::io(file))?;
    content.seek(SeekFrom::Start(start.saturating_add_signed(skipped.max(0)))).map_err(fault::io(file))?;
    let mut text = Vec::new();
    content.read_to_end(&mut text).map_err(fault::io(file))?;
    let count = layout.bytes() / layout.encoding.stored.size_bytes() as u128;
    let values = text_values::decimal(file, &text, layout.encoding.stored, count)?;
    let encoding = Encoding { order: ByteOrder::NATIVE, ..layout.encoding };
    RawVoxels::of_bytes(file, values, RawLayout { encoding, ..layout })
}

/// Where `length` bytes of plain data begin: `HeaderSize` after `start`, or for -1 at the end of the file.
fn offset(file: &Path, start: u64, skipped: i64, length: u64) -> Result<u64> {
    if let Ok(skipped) = u64::try_from(skipped) {
        return Ok(start.saturating_add(skipped));
    }
    let file_bytes = std::fs::metadata(file).map_err(fault::io(file))?.len();
    let truncated = || crate::Error::Truncated { path: file.into(), expected_bytes: length, found_bytes: file_bytes };
    file_bytes.checked_sub(length).ok_or_else(truncated)
}
