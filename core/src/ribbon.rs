use crate::{Error, Neighbours, Result, Surface};

/// The cortical ribbon: a pial and a white surface in vertex correspondence (same triangles, vertex n to vertex n).
#[derive(Debug, Clone, PartialEq)]
pub struct Ribbon {
    pial: Surface,
    white: Surface,
}

impl Ribbon {
    /// # Errors
    /// When vertex counts, triangle counts or any triangle differ.
    pub fn new(pial: Surface, white: Surface) -> Result<Self> {
        let (np, nw) = (pial.vertices().len(), white.vertices().len());
        if np != nw {
            return Err(Error::Length {
                field: "vertices of the white surface (to match the pial one)",
                expected: np,
                found: nw,
            });
        }
        let (tp, tw) = (pial.triangles().len(), white.triangles().len());
        if tp != tw {
            return Err(Error::Length {
                field: "triangles of the white surface (to match the pial one)",
                expected: tp,
                found: tw,
            });
        }
        if let Some(triangle) = (0..tp).find(|&t| pial.triangles()[t] != white.triangles()[t]) {
            return Err(Error::NoCorrespondence {
                triangle,
                pial: pial.triangles()[triangle],
                white: white.triangles()[triangle],
            });
        }
        Ok(Self { pial, white })
    }

    /// Outer surface (grey matter to cerebrospinal fluid).
    pub fn pial(&self) -> &Surface {
        &self.pial
    }

    /// Inner surface (grey to white matter).
    pub fn white(&self) -> &Surface {
        &self.white
    }

    /// Number of vertices, which is the number of rays.
    pub fn len(&self) -> usize {
        self.pial.vertices().len()
    }

    /// Never true: a surface has at least one vertex.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shared triangles.
    pub fn triangles(&self) -> &[[u32; 3]] {
        self.pial.triangles()
    }

    /// Straight distance between corresponding vertices, in mm.
    pub fn thickness_mm(&self) -> Vec<f64> {
        self.pial.vertices().iter().zip(self.white.vertices()).map(|(p, w)| p.distance_mm(*w)).collect()
    }

    /// Which vertices share an edge.
    pub fn neighbours(&self) -> Neighbours {
        self.pial.neighbours()
    }
}
