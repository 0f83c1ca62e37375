use crate::Result;
use crate::edges::Edges;
use brainmesh_core::{Ribbon, Surface, WorldPoint};
use std::collections::HashMap;

/// Every triangle in four at the middles of its edges: the same shape, four times the triangles. The vertices of before
/// come first; those of the edges follow in the order of the edges' vertices, so that surfaces with the same triangles
/// still correspond afterwards.
///
/// # Errors
/// More vertices than `u32` can number.
pub fn subdivide(surface: &Surface) -> Result<Surface> {
    let mut vertices = surface.vertices().to_vec();
    let mut middles = HashMap::with_capacity(surface.triangles().len() * 3 / 2);
    for sides in Edges::new(surface.triangles()).iter() {
        let (a, b) = sides[0].ends;
        middles.insert((a, b), vertices.len() as u32);
        vertices.push(middle(surface.vertices(), a, b));
    }
    let middle = |a: u32, b: u32| middles[&(a.min(b), a.max(b))];
    let split = |&[a, b, c]: &[u32; 3]| {
        let (ab, bc, ca) = (middle(a, b), middle(b, c), middle(c, a));
        [[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]
    };
    let triangles = surface.triangles().iter().flat_map(split).collect();
    Ok(Surface::new(vertices, triangles, surface.structure())?)
}

/// [`subdivide`] of both surfaces: vertex n of one still belongs to vertex n of the other.
///
/// # Errors
/// As [`subdivide`].
pub fn subdivide_ribbon(ribbon: &Ribbon) -> Result<Ribbon> {
    Ok(Ribbon::new(subdivide(ribbon.pial())?, subdivide(ribbon.white())?)?)
}

fn middle(vertices: &[WorldPoint], a: u32, b: u32) -> WorldPoint {
    vertices[a as usize].lerp(vertices[b as usize], 0.5)
}
