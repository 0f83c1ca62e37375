//! Binary STL, little endian: 80-byte header with `SPACE=RAS` (3D Slicer's convention), then a normal and three corners a
//! triangle. Written only: vertices are not shared, so correspondence between surfaces would be lost.

use crate::atomic::write_io;
use crate::surface_math::vertices_f32;
use crate::{Result, fault};
use brainmesh_core::Surface;
use std::path::Path;

/// Writes RAS mm.
pub(crate) fn write(path: &Path, surface: &Surface) -> Result<()> {
    let vertices = vertices_f32(path, surface)?;
    let count = surface.triangles().len();
    let count = u32::try_from(count).map_err(|_| fault::unsupported(path, "triangles", count, "below 2^32 in STL"))?;
    // The header must not begin with "solid", which marks text files.
    let mut header = [b' '; 80];
    let text = b"brainmesh, mm, SPACE=RAS";
    header[..text.len()].copy_from_slice(text);
    write_io(path, |w| {
        w.write_all(&header)?;
        w.write_all(&count.to_le_bytes())?;
        for (t, triangle) in surface.triangles().iter().enumerate() {
            let [a, b, c] = surface.corners(t);
            let normal = (b - a).cross(c - a).normalize_or_zero().as_vec3().to_array();
            let corners = triangle.map(|v| vertices[v as usize]);
            for value in normal.iter().chain(corners.as_flattened()) {
                w.write_all(&value.to_le_bytes())?;
            }
            w.write_all(&[0, 0])?; // attribute byte count
        }
        Ok(())
    })
}
