//! Triangles of even size and shape.

mod collapse;
mod flip;
mod relax;
mod soup;
mod split;

use crate::Result;
use crate::nearest::{NearestPoint, OnSurface};
use brainmesh_core::{Error, Monitor, Surface, WorldPoint};
use soup::Soup;

/// Rounds of splitting, collapsing, flipping and evening out.
const ROUNDS: usize = 6;

/// Surfaces that share their triangles, with new triangles of about one edge length (Botsch and Kobbelt 2004): long edges
/// are split, short ones collapsed, edges flipped towards six at a vertex, vertices evened out along the surface.
///
/// That is done on the mean of the surfaces; every new vertex is a point of one of its triangles and stands at the same
/// shares of that triangle's corners on each surface, so that new vertices lie exactly on all of them and correspond as the old ones did.
/// Borders keep their vertices, topology stays.
///
/// # Errors
/// No surfaces, others' triangles, an edge length that is not positive and finite or asks for more than 2^31 triangles; cancellation.
pub fn remesh(surfaces: &[Surface], edge_mm: f64, monitor: &dyn Monitor) -> Result<Vec<Surface>> {
    let Some(first) = surfaces.first() else { return Ok(Vec::new()) };
    if surfaces.iter().any(|surface| surface.triangles() != first.triangles()) {
        let (field, expected) = ("triangles of the surfaces", "the same of all".into());
        return Err(Error::Invalid { field, expected, found: "others".into() }.into());
    }
    let mean = mean(surfaces)?;
    // Equilateral triangles with edges of 2/3 of the length, the shortest that may be left.
    let most = mean.area_mm2() / (0.19 * edge_mm * edge_mm);
    if !(edge_mm > 0.0 && edge_mm.is_finite() && most < f64::from(i32::MAX)) {
        let expected = "a positive number of mm that asks for less than 2^31 triangles".into();
        return Err(Error::Invalid { field: "edge length", expected, found: edge_mm.to_string() }.into());
    }
    monitor.stage("remeshing", ROUNDS as u64);
    let target = NearestPoint::new(&mean);
    let mut soup = Soup::new(&mean);
    for _ in 0..ROUNDS {
        soup.split_edges(edge_mm * 4.0 / 3.0);
        monitor.check()?;
        soup.collapse_edges(edge_mm * 4.0 / 5.0, edge_mm * 4.0 / 3.0);
        monitor.check()?;
        soup.flip_edges();
        soup.relax(&target, &mean);
        monitor.check()?;
        monitor.advance(1);
    }
    let places = soup.on_surface(&target);
    surfaces
        .iter()
        .map(|surface| {
            let vertices = places.iter().map(|place| WorldPoint(at(surface, place))).collect();
            Ok(Surface::new(vertices, soup.triangles.clone(), surface.structure())?)
        })
        .collect()
}

/// A point of a surface in the world.
fn at(surface: &Surface, place: &OnSurface) -> glam::DVec3 {
    let corners = surface.corners(place.triangle as usize);
    (0..3).map(|k| corners[k] * place.shares[k]).sum()
}

fn mean(surfaces: &[Surface]) -> Result<Surface> {
    let count = surfaces.len() as f64;
    let sum = |v: usize| surfaces.iter().map(|surface| surface.vertices()[v].0).sum::<glam::DVec3>();
    let places = (0..surfaces[0].vertices().len()).map(|v| WorldPoint(sum(v) / count)).collect();
    Ok(surfaces[0].with_vertices(places)?)
}
