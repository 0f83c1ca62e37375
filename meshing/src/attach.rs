use crate::channels::mid_surface;
use crate::error::same_length;
use crate::{Error, Result};
use brainmesh_core::{BOUNDARY_COUNT, LayerBoundaries, Monitor, RaySet, Ribbon, WorldPoint};
use glam::DVec3;
use ndarray::{Array2, Axis};
use std::collections::HashMap;

/// Rays and ribbon must run the same way within this cosine.
const SAME_WAY: f64 = 0.5;
/// Rings around a vertex whose triangles are tried for the crossing of a ray.
const RINGS: usize = 2;
/// Share of the extension that a given ray may lack at either end: its last value is held there.
const LACKING: f64 = 0.5;
/// What any ray may lack, in mm.
const LEAST_LACKING_MM: f64 = 0.1;
/// Longest ray that is looked at, in mm.
const LONGEST_MM: f64 = 100.0;

/// Rays with places of their own, each at the vertex of the ribbon that lies nearest to it.
#[derive(Debug, Clone, PartialEq)]
pub struct AttachedRays {
    /// One ray a vertex: the attached one, from `extension_mm` outside the pia to as far below the white surface along
    /// its own line; where there is none, the vertex's own ray.
    pub rays: RaySet,
    /// The vertices' own rays.
    pub own: RaySet,
    /// Number of the ray attached to each vertex.
    pub ray_of_vertex: Vec<Option<usize>>,
    /// What became of the others.
    pub refused: RefusedRays,
    /// Where each attached ray begins and ends, as a share of the given one.
    ends: Vec<(f64, f64)>,
}

/// Rays that could not be attached, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RefusedRays {
    /// No place of the ribbon that runs the same way within the distance.
    pub far: usize,
    /// Ends before the surfaces and half of the extension are reached.
    pub short: usize,
    /// Another ray lies nearer to the same vertex.
    pub second: usize,
}

/// Attaches rays from `outer` to `inner` points (world RAS mm) to the vertices of a ribbon.
///
/// A ray belongs to the vertex whose point half way between the surfaces lies nearest to it, if that is within
/// `farthest_mm` and pial to white runs the ray's way (within 60 degrees). It meets the given surfaces where it crosses
/// their triangles around that vertex. `whole` says that intensities come with the rays: then a ray that lacks more
/// than half of `extension_mm` (or 0.1 mm) beyond a surface is refused.
///
/// # Errors
/// Numbers of points that differ, points that are not finite, a distance that is not positive; cancellation.
pub fn attach_rays(
    ribbon: &Ribbon,
    own: RaySet,
    (outer, inner): (&[WorldPoint], &[WorldPoint]),
    extension_mm: f64,
    farthest_mm: f64,
    whole: bool,
    monitor: &dyn Monitor,
) -> Result<AttachedRays> {
    same_length("inner points of the rays", outer.len(), inner.len())?;
    same_length("rays of the ribbon", ribbon.len(), own.len())?;
    if let Some(index) = outer.iter().zip(inner).position(|(o, i)| !(o.0.is_finite() && i.0.is_finite())) {
        let found = format!("{:?} to {:?}", outer[index].to_array(), inner[index].to_array());
        return Err(brainmesh_core::Error::NotFinite { field: "ends of ray", index, found }.into());
    }
    if !(farthest_mm > 0.0 && farthest_mm <= LONGEST_MM) {
        let (expected, found) = (format!("above 0 and at most {LONGEST_MM} mm"), farthest_mm.to_string());
        return Err(brainmesh_core::Error::Invalid { field: "distance of rays", expected, found }.into());
    }
    monitor.stage("attaching rays", outer.len() as u64);
    let places = Places::new(ribbon, farthest_mm)?;
    let mut refused = RefusedRays::default();
    let mut nearest: Vec<Option<Hit>> = vec![None; ribbon.len()];
    for ray in 0..outer.len() {
        if ray % 1024 == 0 {
            monitor.check()?;
        }
        let Some((vertex, distance_mm)) = places.nearest(outer[ray].0, inner[ray].0) else {
            refused.far += 1;
            continue;
        };
        let hit = Hit::new(ribbon, &places, vertex, ray, distance_mm, outer[ray].0, inner[ray].0);
        let lacking_mm = hit.lacking_mm(extension_mm);
        if hit.white_mm <= hit.pial_mm {
            refused.far += 1;
        } else if whole && lacking_mm > (LACKING * extension_mm).max(LEAST_LACKING_MM) {
            refused.short += 1;
        } else {
            let before = nearest[vertex].replace(hit);
            if let Some(before) = before {
                refused.second += 1;
                if before.distance_mm <= distance_mm {
                    nearest[vertex] = Some(before);
                }
            }
        }
    }
    monitor.advance(outer.len() as u64);
    AttachedRays::new(own, &nearest, (outer, inner), extension_mm, refused)
}

impl AttachedRays {
    fn new(
        own: RaySet,
        hits: &[Option<Hit>],
        (outer, inner): (&[WorldPoint], &[WorldPoint]),
        extension_mm: f64,
        refused: RefusedRays,
    ) -> Result<Self> {
        let n = own.len();
        let mut ends = vec![(0.0, 1.0); n];
        let mut points = [Vec::with_capacity(n), Vec::with_capacity(n)];
        let mut places = [Vec::with_capacity(n), Vec::with_capacity(n)];
        for (vertex, hit) in hits.iter().enumerate() {
            let (first, last, pial, white) = match hit {
                None => (own.point(vertex, 0.0), own.point(vertex, 1.0), own.pial_t(vertex), own.white_t(vertex)),
                Some(hit) => {
                    let (from_mm, to_mm) = (hit.pial_mm - extension_mm, hit.white_mm + extension_mm);
                    ends[vertex] = (from_mm / hit.length_mm, to_mm / hit.length_mm);
                    let at = |share: f64| outer[hit.ray].lerp(inner[hit.ray], share);
                    let pial = extension_mm / (to_mm - from_mm);
                    (at(ends[vertex].0), at(ends[vertex].1), pial, 1.0 - pial)
                }
            };
            [first, last].into_iter().zip(&mut points).for_each(|(p, points)| points.push(p));
            [pial, white.max(pial)].into_iter().zip(&mut places).for_each(|(t, places)| places.push(t));
        }
        let ([outer, inner], [pial_t, white_t]) = (points, places);
        let ray_of_vertex = hits.iter().map(|hit| hit.as_ref().map(|hit| hit.ray)).collect();
        Ok(Self { rays: RaySet::new(outer, inner, pial_t, white_t)?, own, ray_of_vertex, refused, ends })
    }

    /// Intensities given along whole rays, `[given rays, samples]`, evenly spaced with both ends: read at `samples` places
    /// of the attached rays, `[vertices, samples]`; zeros where there is none.
    ///
    /// # Errors
    /// Fewer than two samples, or fewer rows than rays.
    pub fn resample(&self, given: &Array2<f32>, samples: usize) -> Result<Array2<f32>> {
        let last = given.ncols().max(2) - 1;
        let rays = self.ray_of_vertex.iter().flatten().max().map_or(0, |ray| ray + 1);
        if given.ncols() < 2 || samples < 2 || given.nrows() < rays {
            return Err(Error::Core(brainmesh_core::Error::Invalid {
                field: "intensities of the rays",
                expected: format!("{rays} or more rows of at least 2 samples"),
                found: format!("{:?}", given.dim()),
            }));
        }
        let mut values = Array2::zeros((self.ray_of_vertex.len(), samples));
        for (vertex, mut row) in values.outer_iter_mut().enumerate() {
            let Some(ray) = self.ray_of_vertex[vertex] else { continue };
            let (from, to) = self.ends[vertex];
            let given = given.index_axis(Axis(0), ray);
            for (i, value) in row.iter_mut().enumerate() {
                let share = from + (to - from) * RaySet::t_of_sample(i as f64, samples);
                let position = (share * last as f64).clamp(0.0, last as f64);
                let low = (position.floor() as usize).min(last - 1);
                *value = given[low] + (position - low as f64) as f32 * (given[low + 1] - given[low]);
            }
        }
        Ok(values)
    }

    /// Boundaries found on the attached rays, at the same relative depths of the vertices' own rays.
    ///
    /// # Errors
    /// Numbers of rays that differ.
    pub fn onto_own(&self, boundaries: &LayerBoundaries) -> Result<LayerBoundaries> {
        let own = &self.own;
        same_length("boundaries", self.rays.len(), boundaries.len())?;
        let (mut t, mut sd_mm) = (boundaries.t().clone(), boundaries.sd_mm().clone());
        for vertex in (0..own.len()).filter(|&v| self.ray_of_vertex[v].is_some()) {
            let depths = crate::fill::relative_depths(boundaries, &self.rays, vertex);
            let ribbon_mm = |rays: &RaySet| (rays.white_t(vertex) - rays.pial_t(vertex)) * rays.length_mm(vertex);
            let scale = ribbon_mm(own) / ribbon_mm(&self.rays).max(1e-6);
            for k in 0..BOUNDARY_COUNT {
                t[[vertex, k]] = crate::fill::t_of_relative(own, vertex, depths[k]);
                sd_mm[[vertex, k]] *= scale;
            }
        }
        Ok(LayerBoundaries::new(t, sd_mm, boundaries.outcomes().to_vec())?)
    }
}

/// A ray at a vertex, with the distances along it at which it meets the given surfaces.
#[derive(Debug, Clone)]
struct Hit {
    ray: usize,
    distance_mm: f64,
    length_mm: f64,
    pial_mm: f64,
    white_mm: f64,
}

impl Hit {
    fn new(
        ribbon: &Ribbon,
        places: &Places,
        vertex: usize,
        ray: usize,
        distance_mm: f64,
        from: DVec3,
        to: DVec3,
    ) -> Self {
        let length_mm = from.distance(to);
        let direction = (to - from) / length_mm.max(f64::MIN_POSITIVE);
        let triangles = places.around(ribbon, vertex);
        let meets = |surface: &brainmesh_core::Surface| {
            // At the rim of a sheet there may be no triangle: the vertex's own height on the ray then.
            let own_mm = (surface.vertices()[vertex].0 - from).dot(direction);
            let hits = triangles.iter().filter_map(|&t| crossing_mm(surface.corners(t), from, direction));
            hits.min_by(|a, b| (a - own_mm).abs().total_cmp(&(b - own_mm).abs())).unwrap_or(own_mm)
        };
        let (pial_mm, white_mm) = (meets(ribbon.pial()), meets(ribbon.white()));
        Self { ray, distance_mm, length_mm, pial_mm, white_mm }
    }

    /// What the ray lacks of the extension at its worse end.
    fn lacking_mm(&self, extension_mm: f64) -> f64 {
        (extension_mm - self.pial_mm).max(self.white_mm + extension_mm - self.length_mm)
    }
}

/// Finds vertices by place.
struct Places {
    cell_mm: f64,
    cells: HashMap<[i32; 3], Vec<u32>>,
    middle: Vec<DVec3>,
    inward: Vec<DVec3>,
    neighbours: brainmesh_core::Neighbours,
    /// Triangles of each vertex.
    fans: Vec<Vec<u32>>,
}

impl Places {
    fn new(ribbon: &Ribbon, cell_mm: f64) -> Result<Self> {
        let middle: Vec<DVec3> = mid_surface(ribbon)?.vertices().iter().map(|v| v.0).collect();
        let pairs = ribbon.pial().vertices().iter().zip(ribbon.white().vertices());
        let inward = pairs.map(|(p, w)| (w.0 - p.0).normalize_or_zero()).collect();
        let mut places = Self {
            cell_mm,
            cells: HashMap::new(),
            middle,
            inward,
            neighbours: ribbon.neighbours(),
            fans: vec![Vec::new(); ribbon.len()],
        };
        for v in 0..ribbon.len() {
            places.cells.entry(places.cell(places.middle[v])).or_default().push(v as u32);
        }
        for (t, corners) in ribbon.triangles().iter().enumerate() {
            corners.iter().for_each(|&v| places.fans[v as usize].push(t as u32));
        }
        Ok(places)
    }

    fn cell(&self, p: DVec3) -> [i32; 3] {
        (p / self.cell_mm).floor().to_array().map(|x| x as i32)
    }

    /// The vertex nearest to a segment, running its way, and its distance; none beyond the size of a cell.
    fn nearest(&self, from: DVec3, to: DVec3) -> Option<(usize, f64)> {
        let length_mm = from.distance(to);
        if length_mm <= 0.0 || length_mm > LONGEST_MM {
            return None;
        }
        let direction = (to - from) / length_mm;
        let steps = (2.0 * length_mm / self.cell_mm).ceil().clamp(1.0, 10_000.0) as usize;
        let mut best: Option<(usize, f64)> = None;
        for step in 0..=steps {
            let [i, j, k] = self.cell(from.lerp(to, step as f64 / steps as f64));
            for cell in (0..27).map(|c| {
                let beside = |x: i32, step: i32| x.saturating_add(step - 1);
                [beside(i, c / 9), beside(j, c / 3 % 3), beside(k, c % 3)]
            }) {
                for &v in self.cells.get(&cell).into_iter().flatten() {
                    let v = v as usize;
                    let along = (self.middle[v] - from).dot(direction).clamp(0.0, length_mm);
                    let distance_mm = self.middle[v].distance(from + direction * along);
                    // Of two as near, the first vertex.
                    let nearer = best.is_none_or(|(b, d)| distance_mm < d || (distance_mm == d && v < b));
                    if nearer && distance_mm <= self.cell_mm && self.inward[v].dot(direction) >= SAME_WAY {
                        best = Some((v, distance_mm));
                    }
                }
            }
        }
        best
    }

    /// Triangles within two rings of a vertex.
    fn around(&self, ribbon: &Ribbon, vertex: usize) -> Vec<usize> {
        let mut vertices = vec![vertex];
        for _ in 1..RINGS {
            let ring: Vec<usize> = vertices.iter().flat_map(|&v| self.neighbours.of(v)).map(|&v| v as usize).collect();
            vertices.extend(ring);
        }
        let mut triangles: Vec<usize> = vertices.iter().flat_map(|&v| &self.fans[v]).map(|&t| t as usize).collect();
        triangles.sort_unstable();
        triangles.dedup();
        triangles.retain(|&t| t < ribbon.triangles().len());
        triangles
    }
}

/// Distance along a line at which it crosses a triangle, from either side (Moeller and Trumbore 1997).
fn crossing_mm([a, b, c]: [DVec3; 3], from: DVec3, direction: DVec3) -> Option<f64> {
    let (ab, ac) = (b - a, c - a);
    let p = direction.cross(ac);
    let determinant = ab.dot(p);
    if determinant.abs() < 1e-12 * ab.length() * ac.length() {
        return None;
    }
    let offset = from - a;
    let u = offset.dot(p) / determinant;
    let q = offset.cross(ab);
    let v = direction.dot(q) / determinant;
    (u >= -1e-9 && v >= -1e-9 && u + v <= 1.0 + 1e-9).then(|| ac.dot(q) / determinant)
}
