use crate::bytes::read_head;
use crate::gifti::{read_any_maps, read_file};
use crate::npy_header::{NPY_MAGIC, NpyHeader};
use crate::npz::{HEADER_LIMIT_BYTES, ZIP_MAGIC, entry_header, npz_names};
use crate::{Error, Result};
use serde::Serialize;
use std::path::Path;

/// What one array of a file holds, for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ArrayInfo {
    /// Name within the file; empty for .npy and unnamed maps.
    pub name: String,
    /// Sizes, slowest first as numpy gives them.
    pub shape: Vec<usize>,
    /// Element type (`float32`) for numpy files, intent (`NIFTI_INTENT_SHAPE`) for GIFTI.
    pub kind: String,
}

/// Describes the arrays of a .npy, .npz, or GIFTI shape or label file; of numpy files only the headers are read.
///
/// # Errors
/// An unreadable file, another format, or content that breaks its format.
pub fn array_info(path: &Path) -> Result<Vec<ArrayInfo>> {
    let (head, length) = read_head(path, HEADER_LIMIT_BYTES)?;
    let of_header =
        |name: String, header: NpyHeader| ArrayInfo { name, kind: header.stored.name(), shape: header.shape };
    if head.starts_with(NPY_MAGIC) {
        let header = NpyHeader::parse(path, &head)?;
        let expected_bytes = header.data_offset.saturating_add(header.data_bytes()) as u64;
        if expected_bytes > length {
            return Err(Error::Truncated { path: path.into(), expected_bytes, found_bytes: length });
        }
        return Ok(vec![of_header(String::new(), header)]);
    }
    if head.starts_with(ZIP_MAGIC) {
        let names = npz_names(path)?;
        return names.into_iter().map(|n| entry_header(path, &n).map(|h| of_header(n, h))).collect();
    }
    if head.trim_ascii_start().starts_with(b"<") {
        let file = read_file(path)?;
        let shape = |rows, columns| if columns == 1 { vec![rows] } else { vec![rows, columns] };
        let maps = read_any_maps(&file);
        return Ok(maps
            .map(|(a, name)| ArrayInfo { name, shape: shape(a.rows, a.columns), kind: a.intent.clone() })
            .collect());
    }
    let found = format!("a file that begins with {:02x?}", &head[..head.len().min(8)]);
    Err(Error::NotRecognised { path: path.into(), found })
}
