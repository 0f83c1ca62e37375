//! Where rays meet the true layer surfaces.

use crate::{Error, Phantom, Result};
use brainmesh_core::{BOUNDARY_COUNT, Neighbours, RaySet, Surface, WorldPoint};
use glam::DVec3;
use ndarray::Array2;
use rayon::prelude::*;

/// Rings around the vertex that are searched; the given surfaces are off by less.
const RINGS: usize = 6;
/// A ray through an edge or a vertex belongs to all triangles there, in spite of rounding.
const TOLERANCE: f64 = 1e-9;

impl Phantom {
    /// Positions `t` at which each ray meets the true boundaries, `[rays, 7]`: boundary 0 is the pia, `k` lies below
    /// layer `k`. Non-decreasing and in [0, 1] on every ray.
    ///
    /// Ray n must belong to vertex n of [`Phantom::given_ribbon`]; it may be shifted and oblique. A ray that meets
    /// some boundary nowhere near its vertex (at the rim of an open sheet) is NaN in all seven: drop it.
    ///
    /// # Errors
    /// Another number of rays than vertices.
    pub fn truth_on_rays(&self, rays: &RaySet) -> Result<Array2<f64>> {
        let expected = self.given_ribbon().len();
        if rays.len() != expected {
            return Err(Error::Rays { expected, found: rays.len() });
        }
        let neighbours = self.true_ribbon().neighbours();
        let fans = Fans::new(expected, self.true_ribbon().triangles());
        let rows: Vec<[f64; BOUNDARY_COUNT]> = (0..expected)
            .into_par_iter()
            .map(|n| {
                let (origin, end) = (rays.point(n, 0.0).0, rays.point(n, 1.0).0);
                crossings(self.layers().surfaces(), &fans, &neighbours, n, origin, end - origin)
                    .unwrap_or([f64::NAN; BOUNDARY_COUNT])
            })
            .collect();
        Ok(Array2::from_shape_fn((expected, BOUNDARY_COUNT), |(n, k)| rows[n][k]))
    }
}

impl Phantom {
    /// How much tissue is missing on each ray between the true pia and the true white surface, mm: layer I torn off, and
    /// cracks and bright vessels that fill a voxel for the most part.
    ///
    /// Ray n must belong to vertex n of [`Phantom::given_ribbon`].
    ///
    /// # Errors
    /// Another number of rays than vertices.
    pub fn missing_mm(&self, rays: &RaySet) -> Result<Vec<f64>> {
        let expected = self.given_ribbon().len();
        if rays.len() != expected {
            return Err(Error::Rays { expected, found: rays.len() });
        }
        let grid = self.volume().grid();
        let [ni, nj, nk] = grid.shape();
        let step_mm = grid.spacing_mm()[0] / 2.0;
        let (pial, white) = (self.true_ribbon().pial().vertices(), self.true_ribbon().white().vertices());
        let open = |p: WorldPoint| {
            let voxel = grid.voxel_from_world(p).0.round();
            let inside =
                voxel.cmpge(DVec3::ZERO).all() && voxel.cmplt(DVec3::new(ni as f64, nj as f64, nk as f64)).all();
            let index = || voxel.x as usize + ni * (voxel.y as usize + nj * voxel.z as usize);
            inside && self.holes.binary_search(&(index() as u32)).is_ok()
        };
        Ok((0..expected)
            .into_par_iter()
            .map(|n| {
                let (origin, direction) = (rays.point(n, 0.0).0, rays.point(n, 1.0).0 - rays.point(n, 0.0).0);
                let along = |p: WorldPoint| (p.0 - origin).dot(direction) / direction.length();
                let (from, to) = (along(pial[n]) + self.torn_mm[n], along(white[n]));
                let steps = ((to - from) / step_mm).max(0.0) as usize;
                let at = |s: usize| rays.point(n, (from + (s as f64 + 0.5) * step_mm) / direction.length());
                self.torn_mm[n] + (0..steps).filter(|&s| open(at(s))).count() as f64 * step_mm
            })
            .collect())
    }
}

/// The triangles around each vertex.
struct Fans {
    offsets: Vec<usize>,
    triangles: Vec<u32>,
}

impl Fans {
    fn new(vertices: usize, triangles: &[[u32; 3]]) -> Self {
        let mut pairs: Vec<(u32, u32)> =
            triangles.iter().enumerate().flat_map(|(t, corners)| corners.map(|v| (v, t as u32))).collect();
        pairs.sort_unstable();
        let mut offsets = vec![0; vertices + 1];
        pairs.iter().for_each(|&(v, _)| offsets[v as usize + 1] += 1);
        for v in 0..vertices {
            offsets[v + 1] += offsets[v];
        }
        Self { offsets, triangles: pairs.into_iter().map(|(_, t)| t).collect() }
    }

    fn of(&self, vertex: u32) -> &[u32] {
        &self.triangles[self.offsets[vertex as usize]..self.offsets[vertex as usize + 1]]
    }
}

fn crossings(
    surfaces: &[Surface; BOUNDARY_COUNT],
    fans: &Fans,
    neighbours: &Neighbours,
    vertex: usize,
    origin: DVec3,
    direction: DVec3,
) -> Option<[f64; BOUNDARY_COUNT]> {
    let mut t = [0.0; BOUNDARY_COUNT];
    let mut open: Vec<usize> = (0..BOUNDARY_COUNT).collect();
    let mut ring = vec![vertex as u32];
    let mut seen: Vec<u32> = ring.clone();
    for _ in 0..RINGS {
        let mut candidates: Vec<u32> = ring.iter().flat_map(|&v| fans.of(v)).copied().collect();
        candidates.sort_unstable();
        candidates.dedup();
        open.retain(|&k| {
            let surface = &surfaces[k];
            // Where a ray meets the surface twice, the crossing nearest to its own vertex counts.
            let own = (surface.vertices()[vertex].0 - origin).dot(direction) / direction.length_squared();
            let hit = candidates
                .iter()
                .filter_map(|&triangle| crossing(surface.corners(triangle as usize), origin, direction))
                .min_by(|a, b| (a - own).abs().total_cmp(&(b - own).abs()));
            if let Some(hit) = hit {
                t[k] = hit;
            }
            hit.is_none()
        });
        if open.is_empty() {
            break;
        }
        let mut next: Vec<u32> = ring.iter().flat_map(|&v| neighbours.of(v as usize)).copied().collect();
        next.sort_unstable();
        next.dedup();
        next.retain(|v| !seen.contains(v));
        seen.extend(&next);
        ring = next;
    }
    if !open.is_empty() {
        return None;
    }
    let mut last = 0.0;
    Some(t.map(|position| {
        last = position.clamp(last, 1.0);
        last
    }))
}

/// Position on the line at which it meets a triangle (Moeller and Trumbore 1997), from either side.
fn crossing([a, b, c]: [DVec3; 3], origin: DVec3, direction: DVec3) -> Option<f64> {
    let (ab, ac) = (b - a, c - a);
    let p = direction.cross(ac);
    let determinant = ab.dot(p);
    if determinant.abs() <= f64::EPSILON * direction.length() * ab.length() * ac.length() {
        return None;
    }
    let from_a = origin - a;
    let u = from_a.dot(p) / determinant;
    let q = from_a.cross(ab);
    let v = direction.dot(q) / determinant;
    (u >= -TOLERANCE && v >= -TOLERANCE && u + v <= 1.0 + TOLERANCE).then(|| ac.dot(q) / determinant)
}
