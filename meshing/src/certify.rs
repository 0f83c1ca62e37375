use crate::Result;
use crate::error::same_length;
use crate::intersect::Triangles;
use brainmesh_core::{BOUNDARY_COUNT, Certificate, LayerBoundaries, LayerSurfaces, Monitor, Ribbon};

/// Checks layer surfaces: order along every ray, self-intersections, crossings of neighbouring layers; and the given
/// pial and white surfaces for comparison.
///
/// Intersections are decided exactly on the coordinates as files hold them (`f32`), touching and lying on one another
/// included. Triangles at rays without layers are left out. Two surfaces that touch at corresponding vertices (an
/// absent layer) do not cross.
///
/// # Errors
/// Numbers of vertices and rays that differ; cancellation.
pub fn certify(
    layers: &LayerSurfaces,
    ribbon: &Ribbon,
    boundaries: &LayerBoundaries,
    monitor: &dyn Monitor,
) -> Result<Certificate> {
    same_length("layer boundaries", ribbon.len(), boundaries.len())?;
    same_length("layer vertices", ribbon.len(), layers.surfaces()[0].vertices().len())?;
    monitor.stage("checking surfaces", (2 * BOUNDARY_COUNT - 1 + 3) as u64);
    let used = |v: usize| boundaries.outcomes()[v].has_layers();
    let mut certificate = Certificate {
        rays: (0..boundaries.len()).filter(|&v| used(v)).count(),
        order_violations: boundaries.t().outer_iter().filter(|t| (1..BOUNDARY_COUNT).any(|k| t[k] < t[k - 1])).count(),
        euler_characteristic: layers.surfaces()[0].euler_characteristic(),
        ..Certificate::default()
    };
    let mut faulty = vec![false; ribbon.triangles().len()];
    let mut count = |marks: &[bool]| {
        faulty.iter_mut().zip(marks).for_each(|(f, m)| *f |= m);
        marks.iter().filter(|&&m| m).count()
    };
    let mut above: Option<Triangles> = None;
    for (k, surface) in layers.surfaces().iter().enumerate() {
        let triangles = Triangles::new(surface, used);
        certificate.self_intersecting_triangles[k] = count(&triangles.cut_themselves(monitor)?);
        if let Some(above) = &above {
            let [upper, lower] = above.cut(&triangles, monitor)?;
            certificate.crossing_triangles[k - 1] = count(&upper) + count(&lower);
        }
        above = Some(triangles);
    }
    let (pial, white) = (Triangles::new(ribbon.pial(), used), Triangles::new(ribbon.white(), used));
    let mut given = [pial.cut_themselves(monitor)?, white.cut_themselves(monitor)?];
    for (marks, mutual) in given.iter_mut().zip(pial.cut(&white, monitor)?) {
        marks.iter_mut().zip(mutual).for_each(|(m, c)| *m |= c);
    }
    certificate.given_ribbon_intersecting_triangles = given.iter().flatten().filter(|&&m| m).count();

    let mut vertices: Vec<u32> = ribbon
        .triangles()
        .iter()
        .zip(&faulty)
        .filter(|(_, faulty)| **faulty)
        .flat_map(|(triangle, _)| *triangle)
        .collect();
    vertices.sort_unstable();
    vertices.dedup();
    certificate.vertices = vertices;
    Ok(certificate)
}
