//! Layer surfaces that cross are moved apart.

mod prisms;
mod region;
#[cfg(test)]
mod tests;

use crate::Result;
use crate::error::same_length;
use crate::fans::Fans;
use crate::intersect::{Mesh, Sheet};
use brainmesh_core::{Cancelled, Monitor, Ribbon, Surface, Uncounted, WorldPoint};
use prisms::Prisms;
use region::Region;

/// Times that surfaces are moved and looked at again, at most, and how many of them in a row may bring nothing.
const ROUNDS: (usize, usize) = (12, 3);

/// How surfaces are moved apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeparateOptions {
    /// Whether the first and the last surface stay where they are.
    pub keep_ends: bool,
    /// Passes over what is folded, at most, each time that surfaces are moved.
    pub sweeps: usize,
}

impl Default for SeparateOptions {
    fn default() -> Self {
        Self { keep_ends: false, sweeps: 2000 }
    }
}

/// Surfaces after they were moved apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Separated {
    /// In the order given.
    pub surfaces: Vec<Surface>,
    /// For every vertex how far it was moved on the surface where it moved most, in mm.
    pub moved_mm: Vec<f64>,
    /// Triangles at which the rays folded over one another between some two surfaces.
    pub folded: usize,
}

/// One triangle of one surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    surface: usize,
    triangle: u32,
}

/// Moves surfaces apart where they cross themselves or their neighbour, by as little as will do. The surfaces share the
/// ribbon's triangles and come from the pia inwards; triangles with a vertex that is not `used` are left alone.
///
/// Where rays fold over one another the prisms between the surfaces are turned inside out. Their vertices are moved, off
/// their rays, until every prism has positive volume again; then no two surfaces cross as long as the outermost and the
/// innermost do not cross themselves. Where those come to do so (banks of a sulcus, of a blade of white matter) they are
/// put back to the given pial and white surface and kept there.
///
/// What still crosses after that is for [`crate::certify_surfaces`] to count.
///
/// # Errors
/// Numbers of vertices that differ; cancellation.
pub fn separate_surfaces(
    surfaces: &[Surface],
    ribbon: &Ribbon,
    used: &[bool],
    options: &SeparateOptions,
    monitor: &dyn Monitor,
) -> Result<Separated> {
    same_length("vertices that are used", ribbon.len(), used.len())?;
    for surface in surfaces {
        same_length("vertices of a surface", ribbon.len(), surface.vertices().len())?;
    }
    if surfaces.len() < 2 {
        return Ok(Separated { surfaces: surfaces.to_vec(), moved_mm: vec![0.0; ribbon.len()], folded: 0 });
    }
    monitor.stage("moving surfaces apart", ROUNDS.0 as u64 + 1);
    let silent = Uncounted(monitor);
    let with_rim = if options.keep_ends { used.to_vec() } else { with_rim(ribbon, used) };
    let fans = Fans::new(ribbon.len(), ribbon.triangles());
    let mut prisms = Prisms::new(surfaces, ribbon, &fans, &with_rim, options);
    let mut columns = prisms.folded();
    let folded = columns.len();
    let mut crossings = crossings_of_ends(surfaces, used, &silent)?;
    monitor.advance(1);

    let mut places: Vec<Vec<WorldPoint>> = surfaces.iter().map(|surface| surface.vertices().to_vec()).collect();
    let mut region = Region::new(&places, ribbon, &fans, used);
    let mut best = (usize::MAX, Vec::new());
    let mut without_gain = 0;
    for _ in 0..ROUNDS.0 {
        let held = prisms.hold_ends(&crossings);
        columns.extend(crossings.iter().flatten().map(|piece| piece.triangle));
        let moved = prisms.unfold(&columns, options.sweeps, monitor)?;
        let crossed = crossings.iter().flatten().flat_map(|piece| ribbon.triangles()[piece.triangle as usize]);
        let changed: Vec<u32> = crossed.chain(moved.iter().copied()).chain(held.iter().copied()).collect();
        places = (0..surfaces.len()).map(|k| prisms.places(k)).collect();
        crossings = self::crossings(&region.around(&changed, &places), &places, &silent)?;
        without_gain = if crossings.len() < best.0 { 0 } else { without_gain + 1 };
        if without_gain == 0 {
            best = (crossings.len(), places.clone());
        }
        monitor.advance(1);
        if crossings.is_empty() || without_gain == ROUNDS.1 || (moved.is_empty() && held.is_empty()) {
            break;
        }
        columns.clear();
    }
    let (_, places) = best;
    let distance_mm = |v: usize| {
        let moves = places.iter().zip(surfaces).map(|(places, given)| places[v].distance_mm(given.vertices()[v]));
        moves.fold(0.0, f64::max)
    };
    let moved_mm = (0..ribbon.len()).map(distance_mm).collect();
    let moved = places.into_iter().zip(surfaces).map(|(places, given)| given.with_vertices(places));
    Ok(Separated { surfaces: moved.collect::<std::result::Result<_, _>>()?, moved_mm, folded })
}

/// Vertices that are used and their neighbours: the space next to what is used must not be turned inside out either.
fn with_rim(ribbon: &Ribbon, used: &[bool]) -> Vec<bool> {
    let mut with_rim = used.to_vec();
    for triangle in ribbon.triangles().iter().filter(|triangle| triangle.iter().any(|&v| used[v as usize])) {
        triangle.iter().for_each(|&v| with_rim[v as usize] = true);
    }
    with_rim
}

/// Pairs of pieces that cross on the outermost or on the innermost surface: banks that run into one another.
fn crossings_of_ends(surfaces: &[Surface], used: &[bool], monitor: &dyn Monitor) -> Result<Vec<[Piece; 2]>> {
    let mesh = Mesh::new(&surfaces[0], |v| used[v]);
    let mut crossings = Vec::new();
    for k in [0, surfaces.len() - 1] {
        crossings.extend(crossings_of(&mesh, k, &Sheet::new(&mesh, surfaces[k].vertices()), None, monitor)?);
    }
    Ok(crossings)
}

/// Pairs of pieces that cross: on one surface, or on neighbouring ones, the outer one first.
fn crossings(
    mesh: &Mesh,
    places: &[Vec<WorldPoint>],
    monitor: &dyn Monitor,
) -> std::result::Result<Vec<[Piece; 2]>, Cancelled> {
    let mut crossings = Vec::new();
    let mut above: Option<Sheet> = None;
    for (surface, places) in places.iter().enumerate() {
        let sheet = Sheet::new(mesh, places);
        crossings.extend(crossings_of(mesh, surface, &sheet, above.as_ref(), monitor)?);
        above = Some(sheet);
    }
    Ok(crossings)
}

/// Pairs that cross on one surface, and with the one above it.
fn crossings_of(
    mesh: &Mesh,
    surface: usize,
    sheet: &Sheet,
    above: Option<&Sheet>,
    monitor: &dyn Monitor,
) -> std::result::Result<Vec<[Piece; 2]>, Cancelled> {
    let piece = |surface: usize, place: u32| Piece { surface, triangle: mesh.triangle(place) as u32 };
    let own = sheet.cuts_itself(monitor)?;
    let mut crossings: Vec<_> = own.into_iter().map(|(a, b)| [piece(surface, a), piece(surface, b)]).collect();
    if let Some(above) = above {
        let mutual = above.cuts_other(sheet, monitor)?;
        crossings.extend(mutual.into_iter().map(|(a, b)| [piece(surface - 1, a), piece(surface, b)]));
    }
    Ok(crossings)
}
