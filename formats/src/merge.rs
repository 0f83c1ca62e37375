use crate::{Result, fault};
use std::collections::HashMap;
use std::path::Path;

/// Triangles that share vertices again.
pub(crate) struct Merged {
    /// One point a place, in order of appearance.
    pub points: Vec<[f64; 3]>,
    pub triangles: Vec<[u32; 3]>,
    /// Triangles left out because two of their corners are at the same place.
    pub dropped: usize,
}

/// Makes one vertex of the corners at exactly the same place; three corners a triangle.
pub(crate) fn merge_corners(path: &Path, corners: &[[f64; 3]]) -> Result<Merged> {
    let mut merged = Merged { points: Vec::new(), triangles: Vec::with_capacity(corners.len() / 3), dropped: 0 };
    let mut vertex_at: HashMap<[u64; 3], u32> = HashMap::new();
    for corners in corners.as_chunks::<3>().0 {
        let mut triangle = [0; 3];
        for (vertex, point) in triangle.iter_mut().zip(corners) {
            if point.iter().any(|c| !c.is_finite()) {
                return Err(fault::invalid(path, "corner", "finite coordinates", format!("{point:?}")));
            }
            // Adding zero makes -0 and 0 one place.
            *vertex = *vertex_at.entry(point.map(|c| (c + 0.0).to_bits())).or_insert_with(|| {
                merged.points.push(*point);
                (merged.points.len() - 1) as u32
            });
        }
        let [a, b, c] = triangle;
        match a != b && b != c && c != a {
            true => merged.triangles.push(triangle),
            false => merged.dropped += 1,
        }
    }
    Ok(merged)
}
