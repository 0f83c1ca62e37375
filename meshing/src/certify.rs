use crate::Result;
use crate::error::same_length;
use crate::intersect::Triangles;
use brainmesh_core::{BOUNDARY_COUNT, Certificate, LayerBoundaries, LayerSurfaces, Monitor, Ribbon, Surface};

/// Checks layer surfaces: order along every ray, and all that [`certify_surfaces`] checks.
///
/// Triangles at rays without layers are left out. Two surfaces that touch at corresponding vertices (an absent layer)
/// do not cross.
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
    let used: Vec<bool> = boundaries.outcomes().iter().map(|o| o.has_layers()).collect();
    let mut certificate = certify_surfaces(layers.surfaces(), ribbon, &used, monitor)?;
    let disordered = |t: &ndarray::ArrayView1<f64>| (1..BOUNDARY_COUNT).any(|k| t[k] < t[k - 1]);
    certificate.order_violations = boundaries.t().outer_iter().filter(disordered).count();
    Ok(certificate)
}

/// Checks surfaces from the pia inwards that share the triangles of a ribbon: self-intersections, crossings of
/// neighbours; and the given pial and white surfaces for comparison.
///
/// Intersections are decided exactly on the coordinates as files hold them (`f32`), touching and lying on one another
/// included. Triangles with a vertex that is not `used` are left out. The order along rays is not looked at.
///
/// # Errors
/// Numbers of vertices that differ; cancellation.
pub fn certify_surfaces(
    surfaces: &[Surface],
    ribbon: &Ribbon,
    used: &[bool],
    monitor: &dyn Monitor,
) -> Result<Certificate> {
    same_length("vertices that are used", ribbon.len(), used.len())?;
    for surface in surfaces {
        same_length("vertices of a surface", ribbon.len(), surface.vertices().len())?;
    }
    monitor.stage("checking surfaces", (2 * surfaces.len()).saturating_sub(1) as u64 + 3);
    let is_used = |v: usize| used[v];
    let mut certificate = Certificate {
        rays: used.iter().filter(|&&used| used).count(),
        euler_characteristic: ribbon.pial().euler_characteristic(),
        ..Certificate::default()
    };
    let mut faulty = vec![false; ribbon.triangles().len()];
    let mut count = |marks: &[bool]| {
        faulty.iter_mut().zip(marks).for_each(|(f, m)| *f |= m);
        marks.iter().filter(|&&m| m).count()
    };
    let mut above: Option<Triangles> = None;
    for surface in surfaces {
        let triangles = Triangles::new(surface, is_used);
        certificate.self_intersecting_triangles.push(count(&triangles.cut_themselves(monitor)?));
        if let Some(above) = &above {
            let [upper, lower] = above.cut(&triangles, monitor)?;
            certificate.crossing_triangles.push(count(&upper) + count(&lower));
        }
        above = Some(triangles);
    }
    let (pial, white) = (Triangles::new(ribbon.pial(), is_used), Triangles::new(ribbon.white(), is_used));
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
