use super::cursor::Cursor;
use crate::atomic::write_io;
use crate::bytes::read_content;
use crate::{Result, fault};
use std::path::Path;

/// First bytes of the "new curvature" format, which quadrangle surfaces have too.
pub(super) const MAGIC: [u8; 3] = [0xff, 0xff, 0xff];
/// Magic, numbers of vertices, faces and values a vertex.
const HEADER_BYTES: usize = 15;

/// Whether the content is a morphometry file: what tells it from quadrangle surfaces, and the old format (int16 hundredths,
/// no magic) from anything, is its length.
pub(crate) fn is_morphometry(bytes: &[u8]) -> bool {
    let words = |at: usize| bytes.get(at..).and_then(|b| b.first_chunk()).map(|b| u32::from_be_bytes(*b) as usize);
    let is_new = bytes.starts_with(&MAGIC)
        && words(3).zip(words(11)).is_some_and(|(n, each)| {
            bytes.len() == n.saturating_mul(4).saturating_mul(each).saturating_add(HEADER_BYTES)
        });
    let old_vertices = words(0).map(|n| n >> 8); // three bytes
    is_new || old_vertices.is_some_and(|n| n > 0 && bytes.len() == n * 2 + 6)
}

/// Reads values per vertex from a morphometry file (`lh.thickness`, `lh.curv`), of the new format or the old one.
///
/// # Errors
/// An unreadable or truncated file, another magic number, or more than one value a vertex.
pub fn read_morphometry(path: &Path) -> Result<Vec<f32>> {
    decode(path, &read_content(path)?)
}

/// Decodes the content of a file.
pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<Vec<f32>> {
    let mut cursor = Cursor { path, bytes, at: 3 };
    if !bytes.starts_with(&MAGIC) {
        if !is_morphometry(bytes) {
            let found = format!("{:02x?}", &bytes[..bytes.len().min(3)]);
            return Err(fault::invalid(path, "magic number", "ff ff ff", found));
        }
        cursor.at = 0;
        let (points, _faces) = (cursor.u24()?, cursor.u24()?);
        return (0..points).map(|_| cursor.i16().map(|v| f32::from(v) / 100.0)).collect();
    }
    let points = cursor.count("number of vertices")?;
    cursor.count("number of faces")?;
    let each = cursor.i32()?;
    if each != 1 {
        return Err(fault::unsupported(path, "values a vertex", each, "1"));
    }
    cursor.require(points.saturating_mul(4))?;
    (0..points).map(|_| cursor.f32()).collect()
}

/// Writes values per vertex as a morphometry file, "new curvature" format; NaN is kept. `triangles` is the number of
/// triangles of the surface, which the format repeats.
///
/// # Errors
/// 2^31 values or triangles, or a folder that cannot be written.
pub fn write_morphometry(path: &Path, values: &[f32], triangles: usize) -> Result<()> {
    let count = |n: usize| i32::try_from(n).map_err(|_| fault::unsupported(path, "size", n, "below 2^31"));
    let head = [count(values.len())?, count(triangles)?, 1];
    write_io(path, |w| {
        w.write_all(&MAGIC)?;
        head.iter().try_for_each(|n| w.write_all(&n.to_be_bytes()))?;
        values.iter().try_for_each(|v| w.write_all(&v.to_be_bytes()))
    })
}
