//! Intensity profiles along rays, as files of numbers: `[rays, samples]`.
//!
//! Values are given as stored: a missing value such as 65535, or an inverted polarity, is for the caller to interpret.

use crate::bytes::{read_bytes, read_head};
use crate::npy::{as_matrix, decode};
use crate::npy_header::NPY_MAGIC;
use crate::npz::{ZIP_MAGIC, npz_names, read_entry};
use crate::text_table::TextTable;
use crate::{Result, fault};
use ndarray::{Array2, Array3, Axis, s};
use std::path::Path;

/// Names looked for in a .npz, in this order, when the caller names none.
const ARRAY_NAMES: [&str; 2] = ["raw", "profiles"];

/// Profiles with the points they were sampled at.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileText {
    /// `[rays, samples, 3]`: x, y, z of each sample as stored, in the frame of the program that wrote it.
    pub points: Array3<f32>,
    /// `[rays, samples]`: the last column.
    pub values: Array2<f32>,
}

/// Reads profiles `[rays, samples]`, told apart by content:
/// - .npy of any real type, C or Fortran order, two dimensions (one dimension becomes one sample a ray);
/// - .npz, the array `raw`, `profiles`, or the only one;
/// - text with one ray a line (`training_raw.txt`, intensity matrices of a row a vertex), or
/// - text with one sample a line and an empty line after each ray (the last column; see [`read_profile_text`]).
///
/// # Errors
/// An unreadable file, values that are not numbers, rows of different lengths, or a .npz with several arrays of
/// which none has a known name (see [`read_profile_array`]).
pub fn read_profile_matrix(path: &Path) -> Result<Array2<f32>> {
    let (head, _) = read_head(path, NPY_MAGIC.len())?;
    if head.starts_with(ZIP_MAGIC) {
        let names = npz_names(path)?;
        let known = ARRAY_NAMES.iter().copied().find(|known| names.iter().any(|n| n == known));
        let name = match (known, names.as_slice()) {
            (Some(name), _) => name,
            (None, [only]) => only.as_str(),
            _ => return Err(fault::invalid(path, "array", "raw or profiles, or a single array", format!("{names:?}"))),
        };
        return read_profile_array(path, name);
    }
    let bytes = read_bytes(path)?;
    if bytes.starts_with(NPY_MAGIC) {
        return as_matrix(path, decode(path, &bytes)?);
    }
    let table = TextTable::parse(path, &bytes)?;
    if table.blocks.len() > 1 {
        return Ok(profile_text(path, &table)?.values);
    }
    non_empty(path, table.values)
}

/// Reads the named array of a .npz as profiles `[rays, samples]`.
///
/// # Errors
/// As [`read_profile_matrix`], or no array of that name.
pub fn read_profile_array(path: &Path, name: &str) -> Result<Array2<f32>> {
    as_matrix(path, read_entry(path, name)?)
}

/// Reads profile text: a line a sample with `x y z`, any other columns, and the intensity last; an empty line after each
/// ray. Every ray has the same number of samples (200 in Wagstyl 2020).
///
/// # Errors
/// An unreadable file, fewer than four columns, or rays of different lengths.
pub fn read_profile_text(path: &Path) -> Result<ProfileText> {
    profile_text(path, &TextTable::parse(path, &read_bytes(path)?)?)
}

fn profile_text(path: &Path, table: &TextTable) -> Result<ProfileText> {
    let columns = table.values.ncols();
    if columns < 4 {
        return Err(fault::invalid(path, "profile columns", "x y z ... intensity", columns));
    }
    let rays = table.blocks.len();
    let samples = table.blocks.first().copied().unwrap_or_default();
    if let Some((ray, found)) = table.blocks.iter().enumerate().find(|&(_, &n)| n != samples) {
        return Err(fault::invalid(path, format!("profile of ray {ray}"), format!("{samples} samples"), found));
    }
    let bad = |e| fault::invalid(path, "profile", "a rectangle", e);
    let points = table.values.slice(s![.., ..3]).to_owned().into_shape_with_order((rays, samples, 3)).map_err(bad)?;
    let values = table.values.index_axis(Axis(1), columns - 1).to_owned();
    Ok(ProfileText { points, values: values.into_shape_with_order((rays, samples)).map_err(bad)? })
}

/// Refuses a text without numbers.
pub(crate) fn non_empty(path: &Path, values: Array2<f32>) -> Result<Array2<f32>> {
    if values.is_empty() { Err(fault::invalid(path, "table", "numbers", "none")) } else { Ok(values) }
}
