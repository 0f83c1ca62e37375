use super::Links;
use super::kernel::relax;
use crate::Result;
use brainmesh_core::{Monitor, Surface, WorldPoint};
use glam::{DVec3, Vec3A};
use rayon::prelude::*;

/// Triangles whose sums are added one after another, so that a sum does not depend on the number of threads.
const CHUNK: usize = 1 << 13;

/// Smooths one surface: neighbours have equal weights; an open border stays where it is, and a closed surface keeps its volume.
///
/// ```
/// # use brainmesh_core::{Silent, Structure, Surface, WorldPoint};
/// use brainmesh_meshing::SurfaceSmoother;
/// # let p = WorldPoint::new;
/// # let surface = Surface::new(vec![p(0., 0., 0.), p(1., 0., 0.), p(0., 1., 0.), p(0., 0., 1.)],
/// #     vec![[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], Structure::Unknown)?;
/// let mut smoother = SurfaceSmoother::new(&surface);
/// smoother.run(20, &Silent)?;
/// let smooth = smoother.surface()?;
/// assert_eq!(smooth.triangles(), surface.triangles());
/// # Ok::<(), brainmesh_meshing::Error>(())
/// ```
#[derive(Debug)]
pub struct SurfaceSmoother<'a> {
    surface: &'a Surface,
    /// Vertices in the order of a curve through space: neighbours lie near one another in memory.
    order: Vec<u32>,
    /// Positions in that order, from `center`.
    points: Vec<Vec3A>,
    links: Links,
    center: DVec3,
}

impl<'a> SurfaceSmoother<'a> {
    /// Finds the neighbours.
    pub fn new(surface: &'a Surface) -> Self {
        let vertices = surface.vertices();
        let (low, high) = vertices
            .iter()
            .fold((DVec3::INFINITY, DVec3::NEG_INFINITY), |(low, high), v| (low.min(v.0), high.max(v.0)));
        let center = (low + high) / 2.0;
        let step = (high - low).max_element().max(f64::MIN_POSITIVE) / 1023.0;
        let mut keyed: Vec<(u32, u32)> =
            vertices.par_iter().enumerate().map(|(n, v)| (morton((v.0 - low) / step), n as u32)).collect();
        keyed.par_sort_unstable();
        let order: Vec<u32> = keyed.into_iter().map(|(_, n)| n).collect();
        let mut place = vec![0; order.len()];
        order.iter().zip(0..).for_each(|(&v, n)| place[v as usize] = n);
        let moved: Vec<[u32; 3]> = surface.triangles().par_iter().map(|t| t.map(|v| place[v as usize])).collect();
        let links = Links::of_polygons(vertices.len(), &moved);
        let points = order.par_iter().map(|&v| (vertices[v as usize].0 - center).as_vec3a()).collect();
        Self { surface, order, points, links, center }
    }

    /// Moves every vertex so many times towards its neighbours and back in turn.
    ///
    /// # Errors
    /// Cancellation.
    pub fn run(&mut self, iterations: usize, monitor: &dyn Monitor) -> Result<()> {
        let links = &self.links;
        if links.is_open() {
            let start = self.points.clone();
            relax(&mut self.points, links, iterations, |v, p| if links.is_border(v) { start[v] } else { p }, monitor)
        } else {
            relax(&mut self.points, links, iterations, |_, p| p, monitor)
        }
    }

    /// The surface as it is now. Where it is closed all vertices go along their normals until it holds the volume it began with.
    ///
    /// # Errors
    /// Coordinates beyond what `f32` can hold.
    pub fn surface(&self) -> Result<Surface> {
        let mut vertices = vec![WorldPoint::default(); self.order.len()];
        for (&v, p) in self.order.iter().zip(&self.points) {
            vertices[v as usize] = WorldPoint(p.as_dvec3() + self.center);
        }
        let mut surface = self.surface.with_vertices(vertices)?;
        if self.links.is_open() || self.links.len() == 0 {
            return Ok(surface);
        }
        let (wanted, _) = measure(self.surface);
        for _ in 0..2 {
            let (volume, area) = measure(&surface);
            let distance = (wanted - volume) / area;
            if !distance.is_finite() {
                break;
            }
            let normals = surface.vertex_normals();
            let moved = surface.vertices().iter().zip(normals).map(|(v, n)| WorldPoint(v.0 + n * distance)).collect();
            surface = surface.with_vertices(moved)?;
        }
        Ok(surface)
    }
}

/// Volume and area.
fn measure(surface: &Surface) -> (f64, f64) {
    let origin = surface.vertices()[0].0;
    let sums: Vec<(f64, f64)> = (0..surface.triangles().len().div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| {
            (chunk * CHUNK..((chunk + 1) * CHUNK).min(surface.triangles().len())).fold((0.0, 0.0), |sum, t| {
                let [a, b, c] = surface.corners(t);
                let normal = (b - a).cross(c - a);
                (sum.0 + (a - origin).dot(normal) / 6.0, sum.1 + normal.length() / 2.0)
            })
        })
        .collect();
    sums.iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1))
}

/// Place along a Z-shaped curve of 1024 steps an axis.
fn morton(p: DVec3) -> u32 {
    let spread = |c: f64| (0..10).fold(0u32, |code, bit| code | ((c as u32 >> bit & 1) << (3 * bit)));
    spread(p.x) | spread(p.y) << 1 | spread(p.z) << 2
}
