use super::cursor::Cursor;
use super::structure_of;
use crate::atomic::write_io;
use crate::bytes::read_content;
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
    decode(path, &read_content(path)?)
}

/// Whether the content looks like an annotation: its first vertices are numbered from 0, and a colour table follows the last.
pub(crate) fn is_annot(bytes: &[u8]) -> bool {
    let word = |at: usize| bytes.get(at..).and_then(|b| b.first_chunk()).map(|b| u32::from_be_bytes(*b) as usize);
    let Some(vertices) = word(0).filter(|&n| n > 0) else { return false };
    word(4) == Some(0) && vertices.checked_mul(8).and_then(|n| word(n + 4)) == Some(1)
}

/// Decodes the content of a file.
///
/// Big-endian: number of vertices, a pair (vertex, packed colour) each, then a colour table of version 1 or 2. A label is
/// the index of its entry in the table; a vertex whose colour the table lacks gets [`UNLISTED`], as in nibabel.
pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<LabelMap> {
    let mut cursor = Cursor { path, bytes, at: 0 };
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

/// Writes labels as an annotation with a colour table of version 2, in the order of the vertices.
///
/// The format tells labels by their colours, stored as bytes; labels below zero are written without a colour and read as
/// -1. Alpha is stored as transparency.
///
/// # Errors
/// A label of 0 or more that the table does not name, table keys below zero, two labels of one colour (or a black one,
/// which FreeSurfer takes for "no label"), which would be read as another label, or a folder that cannot be written.
pub fn write_annot(path: &Path, labels: &[i32], table: &LabelTable) -> Result<()> {
    let mut colour_of = HashMap::new();
    let mut names = HashMap::new();
    let mut entries = Vec::with_capacity(table.0.len());
    for (&key, label) in &table.0 {
        let [red, green, blue, alpha] = label.rgba.map(|c| (c.clamp(0.0, 1.0) * 255.0).round() as i32);
        let packed = red | green << 8 | blue << 16;
        if key < 0 {
            return Err(fault::unsupported(path, "label table", key, "keys of 0 or more"));
        }
        if let Some(other) = names.insert(packed, &label.name) {
            let expected = "a colour of its own for every label";
            return Err(fault::invalid(path, "label table", expected, format!("{other:?} and {:?} alike", label.name)));
        }
        if packed == 0 && labels.iter().any(|&l| l < 0 || l == key) {
            let expected = "a colour other than black, which means no label";
            return Err(fault::invalid(path, "label table", expected, format!("{:?}", label.name)));
        }
        colour_of.insert(key, packed);
        entries.push((key, label.name.as_str(), [red, green, blue, 255 - alpha]));
    }
    let colour = |label: &i32| match label {
        i32::MIN..0 => Ok(0),
        _ => colour_of
            .get(label)
            .copied()
            .ok_or_else(|| fault::invalid(path, "label table", "an entry for every label used", label)),
    };
    let colours: Vec<i32> = labels.iter().map(colour).collect::<Result<_>>()?;
    let count = |n: usize| i32::try_from(n).map_err(|_| fault::unsupported(path, "size", n, "below 2^31"));
    let vertices = count(labels.len())?;
    // Version 2 states how many indices there may be, then how many entries follow.
    let highest = table.0.keys().next_back().map_or(0, |k| k.saturating_add(1));
    const TABLE_FROM: &str = "brainmesh";
    write_io(path, |w| {
        let mut word = |n: i32| w.write_all(&n.to_be_bytes());
        word(vertices)?;
        for (vertex, colour) in (0..vertices).zip(colours) {
            word(vertex)?;
            word(colour)?;
        }
        for n in [1, -2, highest, TABLE_FROM.len() as i32 + 1] {
            word(n)?;
        }
        write!(w, "{TABLE_FROM}\0")?;
        w.write_all(&(entries.len() as i32).to_be_bytes())?;
        for (key, name, rgbt) in entries {
            w.write_all(&key.to_be_bytes())?;
            w.write_all(&(name.len() as i32 + 1).to_be_bytes())?;
            write!(w, "{name}\0")?;
            rgbt.iter().try_for_each(|c| w.write_all(&c.to_be_bytes()))?;
        }
        Ok(())
    })
}
