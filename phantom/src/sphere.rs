use crate::options::in_range;
use crate::sheet::Sheet;
use crate::{Error, Result};
use brainmesh_core::BOUNDARY_COUNT;
use glam::DVec3;
use std::collections::HashMap;

/// Concentric spheres around the origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sphere {
    /// Radii of the boundaries from the pia to the white surface, mm, never growing.
    pub radii_mm: [f64; BOUNDARY_COUNT],
    /// Times the icosahedron's triangles are cut in four, 0 to 8: 10 x 4^n + 2 vertices.
    pub subdivisions: u32,
}

impl Default for Sphere {
    /// A cortex 2.6 mm thick on a ball of 7.4 mm, 10,242 vertices.
    fn default() -> Self {
        Self { radii_mm: [10.0, 9.75, 9.5, 8.8, 8.5, 8.0, 7.4], subdivisions: 5 }
    }
}

impl Sphere {
    pub(crate) fn check(&self) -> Result<()> {
        for radius in self.radii_mm {
            in_range("sphere.radii_mm", radius, 0.1, 200.0)?;
        }
        in_range("sphere.subdivisions", f64::from(self.subdivisions), 0.0, 8.0)?;
        let ordered = self.radii_mm.windows(2).all(|r| r[0] >= r[1]);
        if !ordered || self.radii_mm[0] - self.radii_mm[BOUNDARY_COUNT - 1] < 0.05 {
            return Err(Error::Option {
                field: "sphere.radii_mm",
                expected: "seven radii that never grow, at least 0.05 mm apart in all".into(),
                found: format!("{:?}", self.radii_mm),
            });
        }
        Ok(())
    }

    /// Shares of the distance from pia to white surface at which the boundaries lie.
    pub(crate) fn fractions(&self) -> [f64; BOUNDARY_COUNT] {
        let total = self.radii_mm[0] - self.radii_mm[BOUNDARY_COUNT - 1];
        self.radii_mm.map(|r| (self.radii_mm[0] - r) / total)
    }

    pub(crate) fn sheet(&self) -> Sheet {
        let (directions, triangles) = icosphere(self.subdivisions);
        let at = |radius: f64| directions.iter().map(|d| *d * radius).collect::<Vec<_>>();
        Sheet {
            pial: at(self.radii_mm[0]),
            white: at(self.radii_mm[BOUNDARY_COUNT - 1]),
            unfolded: at(self.radii_mm[0]),
            wanted: vec![true; directions.len()],
            layers_mm: None,
            triangles,
        }
    }

    pub(crate) fn extent_mm(&self) -> [f64; 3] {
        [2.0 * self.radii_mm[0] + 2.0; 3]
    }
}

/// Unit directions and outward triangles of a subdivided icosahedron.
fn icosphere(subdivisions: u32) -> (Vec<DVec3>, Vec<[u32; 3]>) {
    let g = (1.0 + 5f64.sqrt()) / 2.0;
    #[rustfmt::skip]
    let corners = [
        [-1.0, g, 0.0], [1.0, g, 0.0], [-1.0, -g, 0.0], [1.0, -g, 0.0],
        [0.0, -1.0, g], [0.0, 1.0, g], [0.0, -1.0, -g], [0.0, 1.0, -g],
        [g, 0.0, -1.0], [g, 0.0, 1.0], [-g, 0.0, -1.0], [-g, 0.0, 1.0],
    ];
    #[rustfmt::skip]
    let mut triangles: Vec<[u32; 3]> = vec![
        [0, 11, 5], [0, 5, 1], [0, 1, 7], [0, 7, 10], [0, 10, 11],
        [1, 5, 9], [5, 11, 4], [11, 10, 2], [10, 7, 6], [7, 1, 8],
        [3, 9, 4], [3, 4, 2], [3, 2, 6], [3, 6, 8], [3, 8, 9],
        [4, 9, 5], [2, 4, 11], [6, 2, 10], [8, 6, 7], [9, 8, 1],
    ];
    let mut points: Vec<DVec3> = corners.iter().map(|&c| DVec3::from_array(c).normalize()).collect();
    for _ in 0..subdivisions {
        triangles = split_in_four(&triangles, |a, b| {
            points.push((points[a as usize] + points[b as usize]).normalize());
            points.len() as u32 - 1
        });
    }
    (points, triangles)
}

/// Cuts every triangle in four; `middle` makes the vertex of an edge, once for each edge, and returns its index.
pub(crate) fn split_in_four(triangles: &[[u32; 3]], mut middle: impl FnMut(u32, u32) -> u32) -> Vec<[u32; 3]> {
    let mut of_edge: HashMap<(u32, u32), u32> = HashMap::new();
    let mut cut = Vec::with_capacity(triangles.len() * 4);
    for &[a, b, c] in triangles {
        let mut between =
            |u: u32, v: u32| *of_edge.entry((u.min(v), u.max(v))).or_insert_with(|| middle(u.min(v), u.max(v)));
        let (ab, bc, ca) = (between(a, b), between(b, c), between(c, a));
        cut.extend([[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]);
    }
    cut
}
