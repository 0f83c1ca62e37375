use crate::Result;
use crate::error::same_length;
use crate::intersect::{Mesh, Sheet};
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
    let edges = ribbon.pial().edges();
    let mut certificate = Certificate {
        rays: used.iter().filter(|&&used| used).count(),
        euler_characteristic: ribbon.len() as i64 - edges.all as i64 + ribbon.triangles().len() as i64,
        border_edges: edges.border,
        non_manifold_edges: edges.non_manifold,
        least_gap_mm: surfaces.windows(2).map(|pair| least_gap_mm(&pair[0], &pair[1], used)).collect(),
        ..Certificate::default()
    };
    let middle = surfaces.get(surfaces.len() / 2).unwrap_or(ribbon.white());
    let mesh = Mesh::new(middle, |v| used[v]);
    let mut faulty = vec![false; ribbon.triangles().len()];
    let mut count = |places: &mut dyn Iterator<Item = u32>| {
        let mut marks = vec![false; ribbon.triangles().len()];
        places.for_each(|place| marks[mesh.triangle(place)] = true);
        faulty.iter_mut().zip(&marks).for_each(|(f, m)| *f |= m);
        marks.iter().filter(|&&m| m).count()
    };
    let mut above: Option<Sheet> = None;
    for surface in surfaces {
        let sheet = Sheet::new(&mesh, surface.vertices());
        let pairs = sheet.cuts_itself(monitor)?;
        certificate.self_intersecting_triangles.push(count(&mut pairs.iter().flat_map(|&(a, b)| [a, b])));
        if let Some(above) = &above {
            let pairs = above.cuts_other(&sheet, monitor)?;
            let crossing = count(&mut pairs.iter().map(|p| p.0)) + count(&mut pairs.iter().map(|p| p.1));
            certificate.crossing_triangles.push(crossing);
        }
        above = Some(sheet);
    }
    drop(above);
    certificate.given_ribbon_intersecting_triangles = intersecting_triangles(ribbon, &mesh, monitor)?;

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

/// Triangles of the given pial and white surfaces that cut another of either.
fn intersecting_triangles(ribbon: &Ribbon, mesh: &Mesh, monitor: &dyn Monitor) -> Result<usize> {
    let [pial, white] = [ribbon.pial(), ribbon.white()].map(|surface| Sheet::new(mesh, surface.vertices()));
    let between = pial.cuts_other(&white, monitor)?;
    let marks = |own: Vec<(u32, u32)>, other: &mut dyn Iterator<Item = u32>| {
        let mut places: Vec<u32> = own.into_iter().flat_map(|(a, b)| [a, b]).chain(other).collect();
        places.sort_unstable();
        places.dedup();
        places.len()
    };
    Ok(marks(pial.cuts_itself(monitor)?, &mut between.iter().map(|p| p.0))
        + marks(white.cuts_itself(monitor)?, &mut between.iter().map(|p| p.1)))
}

/// Least distance between corresponding vertices that are used.
fn least_gap_mm(a: &Surface, b: &Surface, used: &[bool]) -> Option<f64> {
    let gaps = a.vertices().iter().zip(b.vertices()).zip(used).filter(|(_, used)| **used);
    gaps.map(|((a, b), _)| a.distance_mm(*b)).min_by(f64::total_cmp)
}
