//! Shared by the surface readers and writers: narrowing to float32, polygons to triangles.

use crate::{Result, fault};
use brainmesh_core::Surface;
use std::path::Path;

/// Vertices as float32, which every surface format stores.
pub(crate) fn vertices_f32(path: &Path, surface: &Surface) -> Result<Vec<[f32; 3]>> {
    let narrow = |v: &brainmesh_core::WorldPoint| {
        let narrow = v.to_array().map(|c| c as f32);
        match narrow.iter().all(|c| c.is_finite()) {
            true => Ok(narrow),
            false => Err(fault::invalid(path, "vertex", "coordinates within float32", format!("{:?}", v.to_array()))),
        }
    };
    surface.vertices().iter().map(narrow).collect()
}

/// A polygon as a fan of triangles around its first corner; winding is kept.
pub(crate) fn fan(corners: &[u32]) -> impl Iterator<Item = [u32; 3]> + '_ {
    let first = corners.first().copied().unwrap_or_default();
    corners.windows(2).skip(1).map(move |pair| [first, pair[0], pair[1]])
}
