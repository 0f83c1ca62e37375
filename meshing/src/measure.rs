use crate::Result;
use crate::edges::Edges;
use crate::groups::Groups;
use crate::intersect::{Mesh, Sheet};
use brainmesh_core::{Monitor, Surface, WorldPoint};

/// Size and soundness of a surface.
#[derive(Debug, Clone, PartialEq)]
pub struct SurfaceMeasures {
    /// All vertices, and those of them that no triangle uses.
    pub vertices: usize,
    /// Vertices of no triangle.
    pub unused_vertices: usize,
    /// Number of triangles.
    pub triangles: usize,
    /// Number of edges.
    pub edges: usize,
    /// Sum of the triangle areas.
    pub area_mm2: f64,
    /// Enclosed volume, negative where triangles are wound inward; `None` unless every edge has two triangles that are
    /// wound alike.
    pub volume_mm3: Option<f64>,
    /// Used vertices - edges + triangles; 2 for each sphere.
    pub euler_characteristic: i64,
    /// Parts that are not joined by triangles.
    pub components: usize,
    /// Connected borders; 0 of a closed surface.
    pub borders: usize,
    /// Edges of one triangle.
    pub border_edges: usize,
    /// Edges of more than two triangles.
    pub nonmanifold_edges: usize,
    /// Vertices whose triangles are not one fan.
    pub nonmanifold_vertices: usize,
    /// Edges whose two triangles are not wound alike.
    pub winding_conflicts: usize,
    /// Triangles whose corners lie on a line, to the precision of files (float32).
    pub flat_triangles: usize,
    /// Triangles that cut another one; coordinates as files hold them (float32).
    pub self_intersecting_triangles: usize,
    /// Lengths of the edges; `None` without any.
    pub edge_mm: Option<Spread>,
    /// Smallest and largest coordinates.
    pub bounds: (WorldPoint, WorldPoint),
}

/// Summary of some numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Smallest.
    pub min: f64,
    /// Mean.
    pub mean: f64,
    /// Standard deviation (of all of them: divided by their number).
    pub sd: f64,
    /// Largest.
    pub max: f64,
}

impl Spread {
    /// Of numbers that are finite; `None` without any.
    pub fn of(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let count = values.clone().count() as f64;
        let mean = values.clone().sum::<f64>() / count;
        let sd = (values.clone().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
        let (min, max) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        (count > 0.0).then_some(Self { min, mean, sd, max })
    }
}

impl SurfaceMeasures {
    /// Whether every edge has two triangles that are wound alike.
    pub fn is_closed(&self) -> bool {
        self.triangles > 0 && self.border_edges + self.nonmanifold_edges + self.winding_conflicts == 0
    }

    /// Whether the triangles around every edge and vertex are one sheet, perhaps with borders.
    pub fn is_manifold(&self) -> bool {
        self.nonmanifold_edges + self.nonmanifold_vertices == 0
    }
}

/// Measures a surface.
///
/// # Errors
/// Cancellation.
pub fn measure(surface: &Surface, monitor: &dyn Monitor) -> Result<SurfaceMeasures> {
    let (points, triangles) = (surface.vertices(), surface.triangles());
    monitor.stage("measuring the surface", 1);
    let mesh = Mesh::new(surface, |_| true);
    let crossings = Sheet::new(&mesh, surface.vertices()).cuts_itself(monitor)?;
    let mut cut: Vec<u32> = crossings.into_iter().flat_map(|(a, b)| [a, b]).collect();
    cut.sort_unstable();
    cut.dedup();
    let edges = Edges::new(triangles);
    let mut parts = Groups::new(points.len());
    let mut border = Groups::new(points.len());
    // Corners of triangles, joined around their vertex.
    let mut fans = Groups::new(3 * triangles.len());
    let corner = |triangle: u32, vertex: u32| {
        let at = triangles[triangle as usize].iter().position(|&v| v == vertex).unwrap_or_default();
        3 * triangle as usize + at
    };
    let mut is_border = vec![false; points.len()];
    let (mut count, mut border_edges, mut nonmanifold_edges, mut winding_conflicts) = (0, 0, 0, 0);
    let mut lengths = Vec::with_capacity(triangles.len() * 3 / 2);
    for sides in edges.iter() {
        let (a, b) = sides[0].ends;
        count += 1;
        lengths.push(points[a as usize].distance_mm(points[b as usize]));
        parts.join(a as usize, b as usize);
        match sides {
            [_] => {
                border_edges += 1;
                border.join(a as usize, b as usize);
                is_border[a as usize] = true;
                is_border[b as usize] = true;
            }
            [one, other] => winding_conflicts += usize::from(one.backwards == other.backwards),
            _ => nonmanifold_edges += 1,
        }
        for pair in sides.windows(2) {
            for vertex in [a, b] {
                fans.join(corner(pair[0].triangle, vertex), corner(pair[1].triangle, vertex));
            }
        }
    }
    let mut fan = vec![None; points.len()];
    let mut is_split = vec![false; points.len()];
    for (t, triangle) in triangles.iter().enumerate() {
        for (k, &v) in triangle.iter().enumerate() {
            let root = fans.root(3 * t + k);
            is_split[v as usize] |= *fan[v as usize].get_or_insert(root) != root;
        }
    }
    let used = |v: &usize| fan[*v].is_some();
    let used_vertices = (0..points.len()).filter(used).count();
    let is_flat = |t: &usize| {
        let [a, b, c] = surface.corners(*t).map(|p| p.as_vec3().as_dvec3());
        (b - a).cross(c - a) == glam::DVec3::ZERO
    };
    let low = points.iter().fold(glam::DVec3::INFINITY, |low, p| low.min(p.0));
    let high = points.iter().fold(glam::DVec3::NEG_INFINITY, |high, p| high.max(p.0));
    let mut measures = SurfaceMeasures {
        vertices: points.len(),
        unused_vertices: points.len() - used_vertices,
        triangles: triangles.len(),
        edges: count,
        area_mm2: surface.area_mm2(),
        volume_mm3: None,
        euler_characteristic: used_vertices as i64 - count as i64 + triangles.len() as i64,
        components: (0..points.len()).filter(used).filter(|&v| parts.root(v) == v).count(),
        borders: (0..points.len()).filter(|&v| is_border[v] && border.root(v) == v).count(),
        border_edges,
        nonmanifold_edges,
        nonmanifold_vertices: is_split.iter().filter(|&&split| split).count(),
        winding_conflicts,
        flat_triangles: (0..triangles.len()).filter(is_flat).count(),
        self_intersecting_triangles: cut.len(),
        edge_mm: Spread::of(lengths.iter().copied()),
        bounds: (WorldPoint(low), WorldPoint(high)),
    };
    if measures.is_closed() {
        measures.volume_mm3 = Some(volume_mm3(surface));
    }
    Ok(measures)
}

/// As [`Surface::signed_volume_mm3`], from the middle of the surface instead of the world's origin: a small surface far
/// away loses no digits.
fn volume_mm3(surface: &Surface) -> f64 {
    let points = surface.vertices();
    let middle = points.iter().map(|p| p.0).sum::<glam::DVec3>() / points.len() as f64;
    let of = |t: usize| {
        let [a, b, c] = surface.corners(t).map(|p| p - middle);
        a.dot(b.cross(c)) / 6.0
    };
    (0..surface.triangles().len()).map(of).sum()
}
