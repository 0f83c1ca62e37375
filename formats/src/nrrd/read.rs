use super::axes::Axes;
use super::header::Header;
use super::segments::Segments;
use crate::input::Input;
use crate::raw::{RawLayout, RawVoxels};
use crate::stored_type::ByteOrder;
use crate::volume_reader::{Opened, Voxels};
use crate::voxel::Encoding;
use crate::{Result, Scaling, StoredType, VolumeReader, data_files, fault, gzip, text_values};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Opens a file that [`is_nrrd`](super::is_nrrd).
pub(crate) fn open(input: Input) -> Result<VolumeReader> {
    let is_gzip = input.is_gzip();
    let header = Header::parse(input)?;
    let axes = Axes::of(&header)?;
    let stored = stored_type(&header)?;
    let (shape, volumes, planes) = (axes.grid.shape(), axes.volumes, axes.planes);
    let coding = Coding::of(&header)?;
    let encoding = Encoding { stored, order: byte_order(&header, stored, coding)?, scale: None };
    let layout = RawLayout { offset: 0, shape, volumes, planes, encoding };
    let raw = data(&header, coding, is_gzip, layout)?;
    let surplus = raw.surplus_bytes();
    let segments = Segments::of(&header, planes);
    let count = volumes
        .checked_mul(planes)
        .ok_or_else(|| header.invalid("sizes", "a countable number", format!("{planes} x {volumes}")))?;
    let opened = Opened {
        path: header.path().into(),
        format: "NRRD",
        grid: axes.grid,
        volumes: count,
        stored,
        scaling: Scaling::None,
        voxels: Voxels::Raw(raw),
    };
    let names = if planes == 1 { Vec::new() } else { plane_names(&axes.before, &segments.layers) };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let quantised = ["old min", "old max"].iter().any(|name| header.field(name).is_some());
    let quantised = quantised.then(|| "old min and old max are not applied: values are as stored".to_owned());
    let surplus = (surplus > 0).then(|| format!("{surplus} bytes after the voxels are not read"));
    Ok(VolumeReader::new(opened)
        .with_planes(&names)
        .with_time_step_s(axes.time_step_s)
        .with_labels(segments.labels)
        .with_warnings(axes.warnings.into_iter().chain(segments.warnings).chain(quantised).chain(surplus)))
}

fn plane_names(before: &[(String, usize)], layers: &[String]) -> Vec<String> {
    let of = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    if !layers.is_empty() {
        return layers.to_vec();
    }
    let kind = before.first().map(|(kind, _)| kind.to_ascii_lowercase()).unwrap_or_default();
    match (kind.as_str(), before) {
        ("rgb-color" | "3-color", [(_, 3)]) => of(&["red", "green", "blue"]),
        ("rgba-color" | "4-color", [(_, 4)]) => of(&["red", "green", "blue", "alpha"]),
        ("complex", [(_, 2)]) => of(&["real", "imaginary"]),
        _ => (0..before.iter().map(|(_, n)| n).product()).map(|n| format!("component {n}")).collect(),
    }
}

fn stored_type(header: &Header) -> Result<StoredType> {
    let name = header.required("type")?;
    match name {
        "signed char" | "int8" | "int8_t" => Ok(StoredType::Int8),
        "uchar" | "unsigned char" | "uint8" | "uint8_t" => Ok(StoredType::Uint8),
        "short" | "short int" | "signed short" | "signed short int" | "int16" | "int16_t" => Ok(StoredType::Int16),
        "ushort" | "unsigned short" | "unsigned short int" | "uint16" | "uint16_t" => Ok(StoredType::Uint16),
        "int" | "signed int" | "int32" | "int32_t" => Ok(StoredType::Int32),
        "uint" | "unsigned int" | "uint32" | "uint32_t" => Ok(StoredType::Uint32),
        "longlong"
        | "long long"
        | "long long int"
        | "signed long long"
        | "signed long long int"
        | "int64"
        | "int64_t" => Ok(StoredType::Int64),
        "ulonglong" | "unsigned long long" | "unsigned long long int" | "uint64" | "uint64_t" => Ok(StoredType::Uint64),
        "float" => Ok(StoredType::Float32),
        "double" => Ok(StoredType::Float64),
        _ => Err(fault::unsupported(header.path(), "type", format!("{name:?}"), "int8 to uint64, float, double")),
    }
}

/// How values are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Raw,
    Gzip,
    Decimal,
    Hexadecimal,
}

impl Coding {
    fn of(header: &Header) -> Result<Self> {
        let name = header.required("encoding")?;
        match name.to_ascii_lowercase().as_str() {
            "raw" => Ok(Self::Raw),
            "gz" | "gzip" => Ok(Self::Gzip),
            "txt" | "text" | "ascii" => Ok(Self::Decimal),
            "hex" => Ok(Self::Hexadecimal),
            _ => Err(fault::unsupported(header.path(), "encoding", format!("{name:?}"), "raw, gzip, ascii, hex")),
        }
    }
}

fn byte_order(header: &Header, stored: StoredType, coding: Coding) -> Result<ByteOrder> {
    match header.field("endian").map(str::to_ascii_lowercase).as_deref() {
        // Decimal numbers come in this machine's order.
        _ if coding == Coding::Decimal => Ok(ByteOrder::NATIVE),
        Some("little") => Ok(ByteOrder::Little),
        Some("big") => Ok(ByteOrder::Big),
        None if stored.size_bytes() == 1 => Ok(ByteOrder::NATIVE),
        found => {
            let found = found.unwrap_or("no such line");
            Err(header.invalid("endian", &format!("little or big, for {stored}"), found))
        }
    }
}

/// Files with the values, and where they begin in each: none of them where they follow the header.
fn files(header: &Header, layout: RawLayout) -> Result<Option<Vec<PathBuf>>> {
    let Some(text) = header.field("data file") else { return Ok(None) };
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let path = header.path();
    let files = match words.as_slice() {
        ["LIST", ..] => data_files::listed(path, "data file", &header.listed)?,
        // A pattern, its numbers, and how many axes each file has, which follows from their number.
        [pattern, _, _, _] | [pattern, _, _, _, _] if pattern.contains('%') => {
            data_files::numbered(path, "data file", &words[..4])?
        }
        _ => vec![data_files::beside(path, "data file", text)?],
    };
    let shares = files.len() as u128;
    if shares == 0 || layout.bytes() % shares != 0 {
        let expected = format!("a number of files that divides {} bytes", layout.bytes());
        return Err(header.invalid("data file", &expected, shares));
    }
    Ok(Some(files))
}

/// Where the values lie. Lines are skipped in the file as it is, bytes in what comes out of gzip (teem's order).
fn data(header: &Header, coding: Coding, is_gzip: bool, layout: RawLayout) -> Result<RawVoxels> {
    let path = header.path();
    let lines: u64 = header.number("line skip", "0 or more")?.unwrap_or(0);
    let bytes: i64 = header.number("byte skip", "-1 or more")?.unwrap_or(0);
    let from_end = bytes == -1 && coding == Coding::Raw;
    let skipped = u64::try_from(bytes).ok().or(from_end.then_some(0));
    let skipped = skipped.ok_or_else(|| header.invalid("byte skip", "0 or more (or -1 for raw data)", bytes))?;
    let Some(files) = files(header, layout)? else {
        let start = header
            .data_start
            .ok_or_else(|| header.invalid("data file", "a line of its own, or data after an empty line", "neither"))?;
        if is_gzip && (coding != Coding::Raw || lines > 0 || from_end) {
            let found = "data that are packed, written out or skipped";
            return Err(fault::unsupported(path, "gzip around the whole file", found, "raw data after the header"));
        }
        if is_gzip {
            return RawVoxels::of_file(path, RawLayout { offset: start.saturating_add(skipped), ..layout });
        }
        let start = data_files::skip_lines(path, start, lines)?;
        return one_file(header, path, coding, start, skipped, from_end, layout);
    };
    if let [file] = files.as_slice() {
        let start = data_files::skip_lines(file, 0, lines)?;
        return one_file(header, file, coding, start, skipped, from_end, layout);
    }
    let share = u64::try_from(layout.bytes() / files.len() as u128).unwrap_or(u64::MAX);
    let mut starts = Vec::new();
    for file in files {
        let start = data_files::skip_lines(&file, 0, lines)?;
        let start = if from_end { from_end_of(&file, share)? } else { start };
        starts.push((file, start.saturating_add(if coding == Coding::Raw { skipped } else { 0 })));
    }
    match coding {
        Coding::Raw => RawVoxels::of_parts(path, starts, layout),
        Coding::Gzip => {
            let mut content = Vec::new();
            for (file, start) in starts {
                let part = skipped..skipped.saturating_add(share);
                content.extend_from_slice(gzip::read_range(&file, start, part.clone(), share)?.of(&part));
            }
            RawVoxels::of_bytes(path, content, layout)
        }
        Coding::Decimal | Coding::Hexadecimal => {
            Err(fault::unsupported(path, "encoding", "text in several files", "raw or gzip"))
        }
    }
}

fn one_file(
    header: &Header,
    file: &Path,
    coding: Coding,
    start: u64,
    skipped: u64,
    from_end: bool,
    layout: RawLayout,
) -> Result<RawVoxels> {
    let rest = || {
        let mut text = Vec::new();
        let mut file_at = std::fs::File::open(file).map_err(fault::io(file))?;
        file_at.seek(SeekFrom::Start(start.saturating_add(skipped))).map_err(fault::io(file))?;
        file_at.read_to_end(&mut text).map_err(fault::io(file))?;
        Ok::<_, crate::Error>(text)
    };
    match coding {
        Coding::Raw if from_end => {
            let length = u64::try_from(layout.bytes()).unwrap_or(u64::MAX);
            RawVoxels::of_plain(file, RawLayout { offset: from_end_of(file, length)?, ..layout })
        }
        Coding::Raw => RawVoxels::of_plain(file, RawLayout { offset: start.saturating_add(skipped), ..layout }),
        Coding::Gzip => RawVoxels::of_stream(file, start, RawLayout { offset: skipped, ..layout }),
        Coding::Hexadecimal => RawVoxels::of_bytes(file, text_values::hexadecimal(file, &rest()?)?, layout),
        Coding::Decimal => {
            let count = layout.bytes() / layout.encoding.stored.size_bytes() as u128;
            let values = text_values::decimal(header.path(), &rest()?, layout.encoding.stored, count)?;
            RawVoxels::of_bytes(file, values, layout)
        }
    }
}

/// Where the last `length` bytes of a file begin.
fn from_end_of(file: &Path, length: u64) -> Result<u64> {
    let file_bytes = std::fs::metadata(file).map_err(fault::io(file))?.len();
    let truncated = || crate::Error::Truncated { path: file.into(), expected_bytes: length, found_bytes: file_bytes };
    file_bytes.checked_sub(length).ok_or_else(truncated)
}
