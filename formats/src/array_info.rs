use crate::gifti::{parse, read_any_maps};
use crate::npy_header::{NPY_MAGIC, NpyHeader};
use crate::npz::{ZIP_MAGIC, entry_header, npz_names};
use crate::{Error, Result, fault};
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

/// Describes the arrays of a .npy, .npz, or GIFTI shape or label file.
///
/// # Errors
/// An unreadable file, another format, or content that breaks its format.
pub fn array_info(path: &Path) -> Result<Vec<ArrayInfo>> {
    let bytes = fault::read_bytes(path)?;
    let of_header =
        |name: String, header: NpyHeader| ArrayInfo { name, kind: header.stored.name(), shape: header.shape };
    if bytes.starts_with(NPY_MAGIC) {
        return Ok(vec![of_header(String::new(), NpyHeader::parse(path, &bytes)?)]);
    }
    if bytes.starts_with(ZIP_MAGIC) {
        let names = npz_names(path)?;
        return names.into_iter().map(|n| entry_header(path, &n).map(|h| of_header(n, h))).collect();
    }
    if bytes.trim_ascii_start().starts_with(b"<") {
        let file = parse(path, &bytes)?;
        let shape = |rows, columns| if columns == 1 { vec![rows] } else { vec![rows, columns] };
        let maps = read_any_maps(&file);
        return Ok(maps
            .map(|(a, name)| ArrayInfo { name, shape: shape(a.rows, a.columns), kind: a.intent.clone() })
            .collect());
    }
    let found = format!("a file that begins with {:02x?}", &bytes[..bytes.len().min(8)]);
    Err(Error::NotRecognised { path: path.into(), found })
}
