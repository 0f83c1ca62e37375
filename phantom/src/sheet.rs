use brainmesh_core::{LAYER_COUNT, Ribbon, Structure, Surface, WorldPoint};
use glam::DVec3;

use crate::Result;

/// A sheet of cortex before it has layers: pial and white positions in correspondence, and where each vertex lies on
/// the unfolded sheet (where areas and random fields live, so that the two banks of a sulcus know nothing of each
/// other).
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    pub pial: Vec<DVec3>,
    pub white: Vec<DVec3>,
    pub unfolded: Vec<DVec3>,
    pub triangles: Vec<[u32; 3]>,
    /// Vertices whose rays are handed out; the others are cortex around them that only fills the volume.
    pub wanted: Vec<bool>,
    /// Thickness of layers I..VI along the straight way from pia to white surface, where it is known beforehand.
    pub layers_mm: Option<Vec<[f64; LAYER_COUNT]>>,
}

impl Sheet {
    pub(crate) fn len(&self) -> usize {
        self.pial.len()
    }

    /// The triangles for which `keep` holds and the vertices they use, with the old index of each new vertex.
    pub(crate) fn select(&self, keep: impl Fn([u32; 3]) -> bool) -> (Self, Vec<u32>) {
        let (triangles, old) = select_triangles(&self.triangles, self.len(), keep);
        let pick = |points: &[DVec3]| old.iter().map(|&v| points[v as usize]).collect();
        let sheet = Self {
            pial: pick(&self.pial),
            white: pick(&self.white),
            unfolded: pick(&self.unfolded),
            wanted: old.iter().map(|&v| self.wanted[v as usize]).collect(),
            layers_mm: self.layers_mm.as_ref().map(|mm| old.iter().map(|&v| mm[v as usize]).collect()),
            triangles,
        };
        (sheet, old)
    }

    pub(crate) fn ribbon(&self) -> Result<Ribbon> {
        ribbon(&self.pial, &self.white, &self.triangles)
    }

    /// Mean of pial and white position.
    pub(crate) fn middle(&self, vertex: usize) -> DVec3 {
        self.pial[vertex].midpoint(self.white[vertex])
    }
}

/// A ribbon from plain positions.
pub(crate) fn ribbon(pial: &[DVec3], white: &[DVec3], triangles: &[[u32; 3]]) -> Result<Ribbon> {
    let surface = |points: &[DVec3]| {
        Surface::new(points.iter().map(|&p| WorldPoint(p)).collect(), triangles.to_vec(), Structure::Unknown)
    };
    Ok(Ribbon::new(surface(pial)?, surface(white)?)?)
}

/// Renumbers the triangles kept; second the old index of each new vertex, ascending.
fn select_triangles(
    triangles: &[[u32; 3]],
    vertices: usize,
    keep: impl Fn([u32; 3]) -> bool,
) -> (Vec<[u32; 3]>, Vec<u32>) {
    let kept: Vec<[u32; 3]> = triangles.iter().copied().filter(|&t| keep(t)).collect();
    let mut new_index = vec![u32::MAX; vertices];
    for v in kept.iter().flatten() {
        new_index[*v as usize] = 0;
    }
    let mut old = Vec::new();
    for (vertex, slot) in new_index.iter_mut().enumerate() {
        if *slot == 0 {
            *slot = old.len() as u32;
            old.push(vertex as u32);
        }
    }
    (kept.into_iter().map(|t| t.map(|v| new_index[v as usize])).collect(), old)
}

/// Unit normals of triangles, area-weighted at the vertices.
pub(crate) fn vertex_normals(points: &[DVec3], triangles: &[[u32; 3]]) -> Vec<DVec3> {
    let mut normals = vec![DVec3::ZERO; points.len()];
    for t in triangles {
        let [a, b, c] = t.map(|v| points[v as usize]);
        let normal = (b - a).cross(c - a);
        for v in t {
            normals[*v as usize] += normal;
        }
    }
    normals.into_iter().map(DVec3::normalize_or_zero).collect()
}

/// A third of the area of the triangles around each vertex, mm2.
pub(crate) fn vertex_areas(points: &[DVec3], triangles: &[[u32; 3]]) -> Vec<f64> {
    let mut areas = vec![0.0; points.len()];
    for t in triangles {
        let [a, b, c] = t.map(|v| points[v as usize]);
        let area = (b - a).cross(c - a).length() / 6.0;
        for v in t {
            areas[*v as usize] += area;
        }
    }
    areas
}
