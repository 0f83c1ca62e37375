use crate::edges::unpaired_sides;
use crate::groups::Groups;
use crate::{Error, Result};
use brainmesh_core::{Surface, WorldPoint};
use glam::DVec3;
use meshopt::SimplifyOptions;

/// How far a surface is thinned out by [`decimate`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecimateOptions {
    /// Triangles to come to; a few more may be left.
    pub target_triangles: usize,
    /// Stop where vertices would lie further from the surface than this, judged by quadrics; infinite: never.
    pub max_error_mm: f64,
    /// Vertices of open borders stay.
    pub lock_borders: bool,
}

/// A surface with fewer triangles, and how far it went from the one it was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Decimated {
    /// The surface.
    pub surface: Surface,
    /// The largest error of a collapse, judged by quadrics, in mm.
    pub error_mm: f64,
}

/// Puts parts back, as they were, of which nothing is left: meshoptimizer lets small ones vanish.
fn keep_parts(surface: &Surface, indices: &mut Vec<u32>, mut restore: impl FnMut(usize)) {
    let mut parts = Groups::new(surface.vertices().len());
    for &[a, b, c] in surface.triangles() {
        parts.join(a as usize, b as usize);
        parts.join(b as usize, c as usize);
    }
    let mut is_left = vec![false; surface.vertices().len()];
    indices.iter().for_each(|&v| is_left[parts.root(v as usize)] = true);
    for triangle in surface.triangles().iter().filter(|triangle| !is_left[parts.root(triangle[0] as usize)]) {
        indices.extend(triangle);
        triangle.iter().for_each(|&v| restore(v as usize));
    }
}

/// Thins a surface out by quadric edge collapses (Garland and Heckbert 1997) of meshoptimizer, which keep its topology; vertices
/// that stay move to where the error is least. A closed surface stays closed with two triangles at every edge, which is checked.
/// No part vanishes: what would is left as it was.
///
/// # Errors
/// An error bound that is not above 0, coordinates beyond what `f32` can hold, a result that is not closed where the surface was.
pub fn decimate(surface: &Surface, options: &DecimateOptions) -> Result<Decimated> {
    let invalid = |field, expected: &str, found: String| -> Error {
        brainmesh_core::Error::Invalid { field, expected: expected.into(), found }.into()
    };
    if options.max_error_mm.is_nan() || options.max_error_mm <= 0.0 {
        return Err(invalid("largest error of decimation", "above 0 mm", options.max_error_mm.to_string()));
    }
    let count = surface.vertices().len() as f64;
    let center = surface.vertices().iter().fold(DVec3::ZERO, |sum, v| sum + v.0 / count);
    let mut points: Vec<[f32; 3]> = surface.vertices().iter().map(|v| (v.0 - center).as_vec3().to_array()).collect();
    if points.iter().flatten().any(|c| !c.is_finite()) {
        return Err(invalid("surface vertices", "coordinates within the range of float32", "larger ones".into()));
    }
    let mut indices = surface.triangles().as_flattened().to_vec();
    let borders = if options.lock_borders { SimplifyOptions::LockBorder } else { SimplifyOptions::None };
    let mut error_mm = 0.0;
    let left = meshopt::simplify_with_update(
        &mut indices,
        &mut points,
        &mut [],
        &[],
        0,
        None,
        options.target_triangles.saturating_mul(3),
        options.max_error_mm.min(f64::from(f32::MAX)) as f32,
        SimplifyOptions::ErrorAbsolute | borders,
        Some(&mut error_mm),
    );
    indices.truncate(left);
    keep_parts(surface, &mut indices, |v| points[v] = (surface.vertices()[v].0 - center).as_vec3().to_array());

    // Vertices in the order of their first use; those that no triangle has are left out.
    let mut numbers = vec![u32::MAX; points.len()];
    let mut vertices = Vec::new();
    for v in &mut indices {
        let number = &mut numbers[*v as usize];
        if *number == u32::MAX {
            *number = vertices.len() as u32;
            let [x, y, z] = points[*v as usize].map(f64::from);
            vertices.push(WorldPoint(DVec3::new(x, y, z) + center));
        }
        *v = *number;
    }
    let triangles: Vec<[u32; 3]> = indices.as_chunks().0.to_vec();
    let unpaired = unpaired_sides(&triangles);
    if unpaired > 0 && unpaired_sides(surface.triangles()) == 0 {
        let found = format!("{unpaired} sides of triangles that are not shared by two");
        return Err(invalid("decimated surface", "closed, as the surface it was made of", found));
    }
    let surface = Surface::new(vertices, triangles, surface.structure())?;
    Ok(Decimated { surface, error_mm: f64::from(error_mm) })
}
