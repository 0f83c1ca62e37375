use super::structure_of;
use crate::atomic::write_io;
use crate::bytes::read_content;
use crate::text_number::{TextNumbers, text};
use crate::{Result, fault};
use brainmesh_core::{Structure, WorldPoint};
use std::path::Path;

const FIRST_WORD: &[u8] = b"#!ascii";

/// Some vertices of a surface (`lh.cortex.label`, text): a line of comment, their number, then vertex, place and value each.
#[derive(Debug, Clone, PartialEq)]
pub struct VertexLabel {
    /// Vertex numbers, in the order of the file.
    pub vertices: Vec<u32>,
    /// Where each vertex is, mm, as stored: FreeSurfer writes surface RAS (tkRAS), some programs write zeros.
    pub points: Vec<WorldPoint>,
    /// A value a vertex; FreeSurfer writes zeros where there is none.
    pub values: Vec<f64>,
    /// Part of the brain, from the name of the file.
    pub structure: Structure,
}

/// Whether the content begins as a label file.
pub(crate) fn is_label(bytes: &[u8]) -> bool {
    bytes.starts_with(FIRST_WORD)
}

impl VertexLabel {
    /// Which of the `expected` vertices of a surface are in the label.
    pub(crate) fn mask(&self, path: &Path, expected: usize) -> Result<Vec<bool>> {
        let mut mask = vec![false; expected];
        for &vertex in &self.vertices {
            let inside = mask.get_mut(vertex as usize);
            *inside.ok_or_else(|| fault::invalid(path, "vertex number", format!("below {expected}"), vertex))? = true;
        }
        Ok(mask)
    }
}

/// Reads a label file.
///
/// # Errors
/// An unreadable file, another number of lines than declared, or a vertex number below zero (FreeSurfer's mark of labels
/// that belong to no surface).
pub fn read_freesurfer_label(path: &Path) -> Result<VertexLabel> {
    decode(path, &read_content(path)?)
}

/// Decodes the content of a file.
pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<VertexLabel> {
    let text = text(path, bytes)?;
    if !is_label(bytes) {
        return Err(fault::invalid(path, "first line", "#!ascii label", "another"));
    }
    let body = text.split_once('\n').map_or("", |(_, body)| body);
    let mut numbers = TextNumbers::new(path, body);
    let count = numbers.count("number of vertices", 5)?;
    let mut label = VertexLabel {
        vertices: Vec::with_capacity(count),
        points: Vec::with_capacity(count),
        values: Vec::with_capacity(count),
        structure: structure_of(path),
    };
    for _ in 0..count {
        label.vertices.push(numbers.next("vertex", "a vertex number of 0 or more")?);
        let [x, y, z] = numbers.point("point")?;
        label.points.push(WorldPoint::new(x, y, z));
        label.values.push(numbers.next("value", "a number")?);
    }
    if let Ok(word) = numbers.word("end") {
        return Err(fault::invalid(path, "label", format!("{count} vertices"), format!("{word:?} after them")));
    }
    Ok(label)
}

/// Writes a label file.
///
/// # Errors
/// Lists of different lengths, or a folder that cannot be written.
pub fn write_freesurfer_label(path: &Path, label: &VertexLabel) -> Result<()> {
    let count = label.vertices.len();
    for (field, found) in [("points", label.points.len()), ("values", label.values.len())] {
        if found != count {
            return Err(fault::invalid(path, field, format!("{count}, one a vertex"), found));
        }
    }
    write_io(path, |w| {
        writeln!(w, "#!ascii label, written by brainmesh\n{count}")?;
        for (n, vertex) in label.vertices.iter().enumerate() {
            let [x, y, z] = label.points[n].to_array();
            writeln!(w, "{vertex} {x} {y} {z} {}", label.values[n])?;
        }
        Ok(())
    })
}
