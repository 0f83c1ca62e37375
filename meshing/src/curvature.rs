use crate::edges::Edges;
use brainmesh_core::Surface;
use glam::DVec3;
use std::f64::consts::TAU;

/// Mean curvature at every vertex in 1/mm, positive where the surface bulges outward (gyral crowns): half the
/// Laplace-Beltrami operator of the positions (Meyer et al. 2003, eqs. 8 to 10). Of a sphere 1 / radius, of a cylinder
/// half of that. NaN at borders and at vertices without area.
pub fn mean_curvature(surface: &Surface) -> Vec<f64> {
    let around = Around::of(surface);
    let normals = surface.vertex_normals();
    around.each(surface, |v| 0.5 * around.gradients[v].dot(normals[v]) / around.areas[v])
}

/// Gaussian curvature at every vertex in 1/mm^2: what the angles around it lack to a full turn, over its area (Meyer et
/// al. 2003, eqs. 9 and 10). Of a sphere 1 / radius^2, of a cylinder 0. NaN at borders and at vertices without area.
pub fn gaussian_curvature(surface: &Surface) -> Vec<f64> {
    let around = Around::of(surface);
    around.each(surface, |v| (TAU - around.angles[v]) / around.areas[v])
}

/// Sums over the triangles around every vertex.
struct Around {
    angles: Vec<f64>,
    /// Mixed Voronoi areas.
    areas: Vec<f64>,
    /// Of the surface's area by the vertex's place, inward on a sphere times -1.
    gradients: Vec<DVec3>,
}

impl Around {
    fn of(surface: &Surface) -> Self {
        let n = surface.vertices().len();
        let mut around = Self { angles: vec![0.0; n], areas: vec![0.0; n], gradients: vec![DVec3::ZERO; n] };
        for (t, triangle) in surface.triangles().iter().enumerate() {
            let corners = surface.corners(t);
            let area = surface.triangle_area_mm2(t);
            if area <= 0.0 {
                continue;
            }
            let side = |k: usize| corners[(k + 2) % 3] - corners[(k + 1) % 3];
            let cotangent = [0, 1, 2].map(|k| -side((k + 1) % 3).dot(side((k + 2) % 3)) / (2.0 * area));
            let obtuse = cotangent.iter().position(|c| *c < 0.0);
            for k in 0..3 {
                let (v, next, last) = (triangle[k] as usize, (k + 1) % 3, (k + 2) % 3);
                around.angles[v] += 1f64.atan2(cotangent[k]);
                // The edges from this corner, each with the angle opposite to it.
                let (to_next, to_last) = (corners[next] - corners[k], corners[last] - corners[k]);
                around.areas[v] += match obtuse {
                    Some(wide) if wide == k => area / 2.0,
                    Some(_) => area / 4.0,
                    None => {
                        (to_next.length_squared() * cotangent[last] + to_last.length_squared() * cotangent[next]) / 8.0
                    }
                };
                around.gradients[v] -= (to_next * cotangent[last] + to_last * cotangent[next]) / 2.0;
            }
        }
        around
    }

    /// A value for every vertex that has an area and is not on a border.
    fn each(&self, surface: &Surface, value: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut values: Vec<f64> =
            (0..self.areas.len()).map(|v| if self.areas[v] > 0.0 { value(v) } else { f64::NAN }).collect();
        for sides in Edges::new(surface.triangles()).iter().filter(|sides| sides.len() == 1) {
            let (a, b) = sides[0].ends;
            (values[a as usize], values[b as usize]) = (f64::NAN, f64::NAN);
        }
        values
    }
}
