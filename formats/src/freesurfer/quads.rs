use super::cursor::Cursor;
use super::surface::place;
use crate::decoded_surface::DecodedSurface;
use crate::{Result, fault};
use glam::DVec3;
use std::path::Path;

const QUAD_MAGIC: [u8; 3] = [0xff, 0xff, 0xff];
const NEW_QUAD_MAGIC: [u8; 3] = [0xff, 0xff, 0xfd];

/// Whether the content begins as a quadrangle surface.
pub(super) fn is_quads(bytes: &[u8]) -> bool {
    bytes.starts_with(&QUAD_MAGIC) || bytes.starts_with(&NEW_QUAD_MAGIC)
}

/// Decodes a quadrangle surface (FreeSurfer's `mrisReadOldSurface...`).
pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<DecodedSurface> {
    let hundredths = bytes.starts_with(&QUAD_MAGIC);
    let mut cursor = Cursor { path, bytes, at: 3 };
    let (points, quads) = (cursor.u24()?, cursor.u24()?);
    cursor.require(points * if hundredths { 6 } else { 12 } + quads * 12)?;
    let mut coordinates = Vec::with_capacity(points);
    for _ in 0..points {
        let mut next = || match hundredths {
            true => cursor.i16().map(|v| f64::from(v) / 100.0),
            false => cursor.f32().map(f64::from),
        };
        coordinates.push(DVec3::new(next()?, next()?, next()?));
    }
    let mut triangles = Vec::with_capacity(quads * 2);
    for _ in 0..quads {
        let mut corner = || cursor.u24().map(|v| v as u32);
        let [a, b, c, d] = [corner()?, corner()?, corner()?, corner()?];
        // The diagonal alternates, as in FreeSurfer's `WHICH_FACE_SPLIT` for surfaces made from voxels.
        triangles.extend(if a % 2 == 0 { [[a, b, d], [c, d, b]] } else { [[a, b, c], [a, c, d]] });
    }
    if points == 0 {
        return Err(fault::invalid(path, "number of vertices", "1 or more", 0));
    }
    place(path, coordinates, triangles, &bytes[cursor.at..])
}
