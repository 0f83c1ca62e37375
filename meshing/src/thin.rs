use crate::Result;
use brainmesh_core::Surface;
use glam::DVec3;
use meshopt::{SimplifyOptions, simplify_decoder};

/// Some of the vertices of a surface, and triangles between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thinned {
    /// Which vertices stay, ascending: numbers of the surface.
    pub vertices: Vec<u32>,
    /// Triangles as numbers of `vertices`.
    pub triangles: Vec<[u32; 3]>,
}

impl Thinned {
    /// What the vertices that stay have of a list with a value for every vertex of the surface.
    pub fn pick<T: Copy>(&self, values: &[T]) -> Vec<T> {
        self.vertices.iter().filter_map(|&v| values.get(v as usize).copied()).collect()
    }
}

/// Leaves vertices out until about `target_triangles` are left, so that what is known of those that stay (places on other
/// surfaces, maps) can be taken over as it is. Quadric edge collapses of meshoptimizer, without moving a vertex; for looking at, since
/// [`decimate`](crate::decimate) keeps nearer to the surface.
///
/// # Errors
/// Coordinates beyond what `f32` can hold.
pub fn thin_out(surface: &Surface, target_triangles: usize) -> Result<Thinned> {
    let count = surface.vertices().len();
    let center = surface.vertices().iter().fold(DVec3::ZERO, |sum, v| sum + v.0 / count as f64);
    let points: Vec<[f32; 3]> = surface.vertices().iter().map(|v| (v.0 - center).as_vec3().to_array()).collect();
    if points.iter().flatten().any(|c| !c.is_finite()) {
        return Err(brainmesh_core::Error::Invalid {
            field: "surface vertices",
            expected: "coordinates within the range of float32".into(),
            found: "larger ones".into(),
        }
        .into());
    }
    let indices = surface.triangles().as_flattened();
    let left = if surface.triangles().len() > target_triangles {
        simplify_decoder(indices, &points, target_triangles.saturating_mul(3), f32::MAX, SimplifyOptions::None, None)
    } else {
        indices.to_vec()
    };
    let mut vertices = left.clone();
    vertices.sort_unstable();
    vertices.dedup();
    let mut numbers = vec![0u32; count];
    vertices.iter().zip(0u32..).for_each(|(&v, n)| numbers[v as usize] = n);
    let triangles = left.as_chunks().0.iter().map(|t: &[u32; 3]| t.map(|v| numbers[v as usize])).collect();
    Ok(Thinned { vertices, triangles })
}

#[cfg(test)]
mod tests {
    use super::*;
    use brainmesh_core::{Structure, WorldPoint};

    /// A flat square of 20 x 20 cells keeps its area, and every triangle that is left looks the same way.
    #[test]
    fn a_square_stays_a_square() {
        let at = |x: u32, y: u32| x + 21 * y;
        let vertices = (0..21 * 21).map(|n| WorldPoint::new(f64::from(n % 21), f64::from(n / 21), 0.0)).collect();
        let cells = (0..400).map(|n| (n % 20, n / 20));
        let triangles = cells
            .flat_map(|(x, y)| [[at(x, y), at(x + 1, y), at(x + 1, y + 1)], [at(x, y), at(x + 1, y + 1), at(x, y + 1)]])
            .collect();
        let surface = Surface::new(vertices, triangles, Structure::Unknown).unwrap();
        let thinned = thin_out(&surface, 100).unwrap();
        assert!(thinned.triangles.len() <= 100 && thinned.triangles.len() > 1, "{}", thinned.triangles.len());
        assert!(thinned.vertices.is_sorted() && thinned.vertices.len() < 441);
        let left = Surface::new(thinned.pick(surface.vertices()), thinned.triangles, Structure::Unknown).unwrap();
        assert!((left.area_mm2() - 400.0).abs() < 1e-9, "{}", left.area_mm2());
        let up = |t| {
            let [a, b, c] = left.corners(t);
            (b - a).cross(c - a).z > 0.0
        };
        assert!((0..left.triangles().len()).all(up));
        let whole = thin_out(&surface, 800).unwrap();
        assert_eq!((whole.vertices.len(), whole.triangles.as_slice()), (441, surface.triangles()));
    }
}
