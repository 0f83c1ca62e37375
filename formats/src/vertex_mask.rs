use crate::bytes::read_bytes;
use crate::gifti::{parse, read_any_maps};
use crate::npy::decode;
use crate::npy_header::NPY_MAGIC;
use crate::text_table::TextTable;
use crate::{Result, fault};
use std::path::Path;

/// Reads a mask of vertices: inside where the value is neither 0 nor NaN. The file is a GIFTI label or shape file (its
/// first map), a .npy vector, or text with one value a vertex; `expected` is the number of vertices.
///
/// # Errors
/// An unreadable file, or another number of values than `expected`.
pub fn read_vertex_mask(path: &Path, expected: usize) -> Result<Vec<bool>> {
    let bytes = read_bytes(path)?;
    let inside = |v: f64| v != 0.0 && !v.is_nan();
    let mask: Vec<bool> = if bytes.starts_with(NPY_MAGIC) {
        decode::<f32>(path, &bytes)?.iter().map(|&v| inside(f64::from(v))).collect()
    } else if bytes.trim_ascii_start().starts_with(b"<") {
        let file = parse(path, &bytes)?;
        let Some((array, _)) = read_any_maps(&file).next() else {
            return Err(fault::invalid(path, "DataArray", "a map of values a vertex", "none"));
        };
        let first_column = array.values.to_f64().into_iter().step_by(array.columns.max(1));
        first_column.map(inside).collect()
    } else {
        TextTable::parse(path, &bytes)?.values.iter().map(|&v| inside(f64::from(v))).collect()
    };
    if mask.len() != expected {
        return Err(fault::invalid(path, "mask", format!("{expected} values, one a vertex"), mask.len()));
    }
    Ok(mask)
}
