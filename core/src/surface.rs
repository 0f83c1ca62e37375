use crate::{Error, Result, WorldPoint};
use glam::DVec3;

/// Which part of the brain a surface belongs to (GIFTI `AnatomicalStructurePrimary`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Structure {
    /// Left cerebral cortex.
    CortexLeft,
    /// Right cerebral cortex.
    CortexRight,
    /// Not stated by the file.
    #[default]
    Unknown,
}

/// A triangle mesh in the world, wound so that normals point outward on closed surfaces.
///
/// Indices are in range, coordinates finite, and no triangle uses a vertex twice: checked by [`Surface::new`].
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    vertices: Vec<WorldPoint>,
    triangles: Vec<[u32; 3]>,
    structure: Structure,
}

impl Surface {
    /// Vertices in RAS+ mm; triangles counter-clockwise seen from outside.
    ///
    /// ```
    /// use brainmesh_core::{Surface, Structure, WorldPoint};
    /// let p = WorldPoint::new;
    /// let tetrahedron = Surface::new(
    ///     vec![p(0., 0., 0.), p(1., 0., 0.), p(0., 1., 0.), p(0., 0., 1.)],
    ///     vec![[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]],
    ///     Structure::Unknown)?;
    /// assert!(tetrahedron.signed_volume_mm3() > 0.0); // outward winding
    /// assert_eq!(tetrahedron.euler_characteristic(), 2);
    /// # Ok::<(), brainmesh_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// An index out of range, a vertex used twice by one triangle, a coordinate that is not finite, no vertices,
    /// or more vertices than `u32` can number.
    pub fn new(vertices: Vec<WorldPoint>, triangles: Vec<[u32; 3]>, structure: Structure) -> Result<Self> {
        if vertices.is_empty() || u32::try_from(vertices.len()).is_err() {
            return Err(Error::Invalid {
                field: "surface vertices",
                expected: "between 1 and 2^32 - 1 vertices".into(),
                found: vertices.len().to_string(),
            });
        }
        if let Some(index) = vertices.iter().position(|v| !v.0.is_finite()) {
            return Err(Error::NotFinite {
                field: "vertex",
                index,
                found: format!("{:?}", vertices[index].to_array()),
            });
        }
        for (triangle, &[a, b, c]) in triangles.iter().enumerate() {
            if let Some(index) = [a, b, c].into_iter().find(|&v| v as usize >= vertices.len()) {
                return Err(Error::IndexOutOfRange { triangle, index, vertices: vertices.len() });
            }
            if a == b || b == c || a == c {
                return Err(Error::DegenerateTriangle { triangle, vertex: if a == b { a } else { c } });
            }
        }
        Ok(Self { vertices, triangles, structure })
    }

    /// The same triangles with other vertices, one for one.
    ///
    /// # Errors
    /// Another number of vertices, or a coordinate that is not finite.
    pub fn with_vertices(&self, vertices: Vec<WorldPoint>) -> Result<Self> {
        if vertices.len() != self.vertices.len() {
            return Err(Error::Length { field: "vertices", expected: self.vertices.len(), found: vertices.len() });
        }
        if let Some(index) = vertices.iter().position(|v| !v.0.is_finite()) {
            return Err(Error::NotFinite {
                field: "vertex",
                index,
                found: format!("{:?}", vertices[index].to_array()),
            });
        }
        Ok(Self { vertices, triangles: self.triangles.clone(), structure: self.structure })
    }

    /// Vertices, RAS+ mm.
    pub fn vertices(&self) -> &[WorldPoint] {
        &self.vertices
    }

    /// Triangles as vertex indices.
    pub fn triangles(&self) -> &[[u32; 3]] {
        &self.triangles
    }

    /// Part of the brain.
    pub fn structure(&self) -> Structure {
        self.structure
    }

    /// The same surface of another part of the brain.
    pub fn with_structure(mut self, structure: Structure) -> Self {
        self.structure = structure;
        self
    }

    /// Corner points of a triangle.
    pub fn corners(&self, triangle: usize) -> [DVec3; 3] {
        self.triangles[triangle].map(|v| self.vertices[v as usize].0)
    }

    /// Vertices - edges + triangles; 2 for a sphere.
    pub fn euler_characteristic(&self) -> i64 {
        let sides = |&[a, b, c]: &[u32; 3]| [(a, b), (b, c), (c, a)].map(|(u, v)| (u.min(v), u.max(v)));
        let mut edges: Vec<(u32, u32)> = self.triangles.iter().flat_map(sides).collect();
        edges.sort_unstable();
        edges.dedup();
        self.vertices.len() as i64 - edges.len() as i64 + self.triangles.len() as i64
    }

    /// Enclosed volume by the divergence theorem; positive when normals point outward (closed surfaces).
    pub fn signed_volume_mm3(&self) -> f64 {
        (0..self.triangles.len())
            .map(|t| {
                let [a, b, c] = self.corners(t);
                a.dot(b.cross(c)) / 6.0
            })
            .sum()
    }

    /// Sum of the triangle areas.
    pub fn area_mm2(&self) -> f64 {
        (0..self.triangles.len()).map(|t| self.triangle_area_mm2(t)).sum()
    }

    /// Area of one triangle.
    pub fn triangle_area_mm2(&self, triangle: usize) -> f64 {
        let [a, b, c] = self.corners(triangle);
        (b - a).cross(c - a).length() / 2.0
    }

    /// Unit normals, area-weighted over the triangles around each vertex; zero at a vertex without area.
    pub fn vertex_normals(&self) -> Vec<DVec3> {
        let mut normals = vec![DVec3::ZERO; self.vertices.len()];
        for t in 0..self.triangles.len() {
            let [a, b, c] = self.corners(t);
            let normal = (b - a).cross(c - a);
            for v in self.triangles[t] {
                normals[v as usize] += normal;
            }
        }
        normals.into_iter().map(DVec3::normalize_or_zero).collect()
    }

    /// Which vertices share an edge.
    pub fn neighbours(&self) -> Neighbours {
        Neighbours::new(self.vertices.len(), &self.triangles)
    }
}

/// Edge neighbours of every vertex, sorted, in one allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbours {
    offsets: Vec<u32>,
    indices: Vec<u32>,
}

impl Neighbours {
    fn new(vertices: usize, triangles: &[[u32; 3]]) -> Self {
        let mut pairs: Vec<(u32, u32)> =
            triangles.iter().flat_map(|&[a, b, c]| [(a, b), (b, a), (b, c), (c, b), (c, a), (a, c)]).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let mut offsets = vec![0u32; vertices + 1];
        for &(v, _) in &pairs {
            offsets[v as usize + 1] += 1;
        }
        for v in 0..vertices {
            offsets[v + 1] += offsets[v];
        }
        Self { offsets, indices: pairs.into_iter().map(|(_, n)| n).collect() }
    }

    /// Neighbours of one vertex, ascending.
    pub fn of(&self, vertex: usize) -> &[u32] {
        &self.indices[self.offsets[vertex] as usize..self.offsets[vertex + 1] as usize]
    }

    /// Number of vertices.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are no vertices.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(n: usize) -> Vec<WorldPoint> {
        (0..n).map(|i| WorldPoint::new(i as f64, (i * i) as f64, 0.0)).collect()
    }

    #[test]
    fn bad_surfaces_are_refused_with_evidence() {
        let out_of_range = Surface::new(points(3), vec![[0, 1, 3]], Structure::Unknown);
        assert_eq!(out_of_range, Err(Error::IndexOutOfRange { triangle: 0, index: 3, vertices: 3 }));
        let degenerate = Surface::new(points(3), vec![[0, 1, 2], [1, 2, 1]], Structure::Unknown);
        assert_eq!(degenerate, Err(Error::DegenerateTriangle { triangle: 1, vertex: 1 }));
        let mut vertices = points(3);
        vertices[1].0.y = f64::NAN;
        assert!(matches!(Surface::new(vertices, vec![], Structure::Unknown), Err(Error::NotFinite { index: 1, .. })));
    }

    #[test]
    fn neighbours_are_edges() {
        let surface = Surface::new(points(4), vec![[0, 1, 2], [2, 1, 3]], Structure::Unknown).unwrap();
        let neighbours = surface.neighbours();
        assert_eq!(neighbours.of(0), [1, 2]);
        assert_eq!(neighbours.of(1), [0, 2, 3]);
        assert_eq!(neighbours.of(3), [1, 2]);
    }
}
