use crate::bytes::read_content;
use crate::freesurfer::{decode_label, is_label};
use crate::npy::decode;
use crate::npy_header::NPY_MAGIC;
use crate::text_table::TextTable;
use crate::{Error, Result, VertexValues, fault, read_vertex_maps};
use std::path::Path;

/// Reads a mask of vertices: inside where the value is neither 0 nor NaN. The file holds maps ([`read_vertex_maps`]; the
/// first is taken), or is a FreeSurfer label, whose vertices are inside, a .npy vector, or text with one value a vertex;
/// `expected` is the number of vertices.
///
/// # Errors
/// An unreadable file, or another number of values than `expected`.
pub fn read_vertex_mask(path: &Path, expected: usize) -> Result<Vec<bool>> {
    let bytes = read_content(path)?;
    if is_label(&bytes) {
        return decode_label(path, &bytes)?.mask(path, expected);
    }
    let inside = |v: f64| v != 0.0 && !v.is_nan();
    let mask: Vec<bool> = if bytes.starts_with(NPY_MAGIC) {
        decode::<f32>(path, &bytes)?.iter().map(|&v| inside(f64::from(v))).collect()
    } else {
        match read_vertex_maps(path).map(|maps| maps.into_iter().next()) {
            Ok(Some(VertexValues::Shape(map))) => map.values.iter().map(|&v| inside(f64::from(v))).collect(),
            Ok(Some(VertexValues::Labels(map))) => map.labels.iter().map(|&l| l != 0).collect(),
            Ok(None) | Err(Error::NotRecognised { .. }) => {
                TextTable::parse(path, &bytes)?.values.iter().map(|&v| inside(f64::from(v))).collect()
            }
            Err(error) => return Err(error),
        }
    };
    if mask.len() != expected {
        return Err(fault::invalid(path, "mask", format!("{expected} values, one a vertex"), mask.len()));
    }
    Ok(mask)
}
