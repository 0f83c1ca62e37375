//! FreeSurfer annotation files (`lh.aparc.annot`), as `read_annotation` of FreeSurfer and nibabel's `read_annot`.
//!
//! Big-endian: number of vertices, a pair (vertex, packed colour) each, then a colour table of version 1 or 2. A label is
//! the index of its entry in the table; a vertex whose colour the table lacks gets [`UNLISTED`], as in nibabel.

use crate::bytes::read_bytes;
use crate::freesurfer::{Cursor, structure_of};
use crate::{LabelMap, Result, fault};
use brainmesh_core::LabelTable;
use std::collections::HashMap;
use std::path::Path;

/// Label of a vertex whose colour is not in the table.
const UNLISTED: i32 = -1;

/// Reads labels per vertex from a FreeSurfer annotation.
///
/// # Errors
/// An unreadable or truncated file, a vertex number out of range, or no colour table.
pub fn read_annot(path: &Path) -> Result<LabelMap> {
    let bytes = read_bytes(path)?;
    let mut cursor = Cursor { path, bytes: &bytes, at: 0 };
    let vertices = cursor.count("number of vertices")?;
    cursor.require(vertices.saturating_mul(8))?;
    let mut colours = vec![0; vertices];
    for _ in 0..vertices {
        let vertex = cursor.count("vertex number")?;
        let colour = cursor.i32()?;
        let place = colours.get_mut(vertex);
        *place.ok_or_else(|| fault::invalid(path, "vertex number", format!("below {vertices}"), vertex))? = colour;
    }
    let tag = cursor.i32()?;
    if tag != 1 {
        return Err(fault::unsupported(path, "annotation", format!("tag {tag}"), "a colour table (tag 1)"));
    }
    // A positive number is the count of entries of version 1; -2 announces version 2, whose entries carry their index.
    let first = cursor.i32()?;
    let indexed = match first {
        -2 => {
            cursor.i32()?; // highest index
            true
        }
        n if n > 0 => false,
        other => return Err(fault::unsupported(path, "colour table version", other, "1 and -2")),
    };
    name(&mut cursor)?; // the file the table came from
    let entries = if indexed { cursor.count("colour table entries")? } else { first as usize };
    let (mut table, mut index_of) = (LabelTable::default(), HashMap::new());
    for entry in 0..entries {
        let index = if indexed { cursor.i32()? } else { entry as i32 };
        let label = name(&mut cursor)?;
        let [red, green, blue, transparency] = [cursor.i32()?, cursor.i32()?, cursor.i32()?, cursor.i32()?];
        let packed = red.wrapping_add(green.wrapping_shl(8)).wrapping_add(blue.wrapping_shl(16));
        index_of.entry(packed).or_insert(index);
        let rgba = [red, green, blue, 255i32.saturating_sub(transparency)].map(|c| c as f32 / 255.0);
        table.insert(index, label, rgba);
    }
    let labels = colours.iter().map(|c| index_of.get(c).copied().unwrap_or(UNLISTED)).collect();
    Ok(LabelMap { name: String::new(), labels, table, structure: structure_of(path) })
}

/// A string with its length before it, ended by a zero.
fn name(cursor: &mut Cursor<'_>) -> Result<String> {
    let length = cursor.count("length of a name")?;
    cursor.require(length)?;
    let bytes = &cursor.bytes[cursor.at..cursor.at + length];
    cursor.at += length;
    Ok(String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned())
}
