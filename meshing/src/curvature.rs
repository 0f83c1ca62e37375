use crate::diffusion::Diffusion;
use crate::edges::Edges;
use brainmesh_core::Surface;
use std::f64::consts::TAU;

/// Mean curvature at every vertex in 1/mm, positive where the surface bulges outward (gyral crowns): half the
/// Laplace-Beltrami operator of the positions (cotangent weights; Meyer et al. 2003, eq. 8). Of a sphere 1 / radius, of a
/// cylinder half of that. At a border it means nothing.
pub fn mean_curvature(surface: &Surface) -> Vec<f64> {
    let flow = Diffusion::new(surface, |_| true);
    let normals = surface.vertex_normals();
    (0..surface.vertices().len()).map(|v| -0.5 * flow.laplacian(surface, v).dot(normals[v])).collect()
}

/// Gaussian curvature at every vertex in 1/mm^2: what the angles around it lack to a full turn, over a third of the area of
/// its triangles (Meyer et al. 2003, eq. 9). Of a sphere 1 / radius^2, of a cylinder 0; over a closed surface the
/// area-weighted sum is 2 pi times the Euler characteristic. NaN at borders and at vertices without area.
pub fn gaussian_curvature(surface: &Surface) -> Vec<f64> {
    let n = surface.vertices().len();
    let mut angles = vec![0.0; n];
    let mut areas = vec![0.0; n];
    for (t, triangle) in surface.triangles().iter().enumerate() {
        let corners = surface.corners(t);
        let area = surface.triangle_area_mm2(t);
        for k in 0..3 {
            let (u, v) = (corners[(k + 1) % 3] - corners[k], corners[(k + 2) % 3] - corners[k]);
            angles[triangle[k] as usize] += (2.0 * area).atan2(u.dot(v));
            areas[triangle[k] as usize] += area / 3.0;
        }
    }
    let mut curvature: Vec<f64> = angles.iter().zip(&areas).map(|(angle, area)| (TAU - angle) / area).collect();
    for v in (0..n).filter(|&v| areas[v] <= 0.0) {
        curvature[v] = f64::NAN;
    }
    for sides in Edges::new(surface.triangles()).iter().filter(|sides| sides.len() == 1) {
        let (a, b) = sides[0].ends;
        (curvature[a as usize], curvature[b as usize]) = (f64::NAN, f64::NAN);
    }
    curvature
}
