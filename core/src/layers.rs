use crate::{Error, Result, Ribbon, Surface, WorldPoint};

/// Layers of the isocortex.
pub const LAYER_COUNT: usize = 6;
/// Boundaries around and between them.
pub const BOUNDARY_COUNT: usize = 7;
/// Names of the layers, outermost first.
pub const LAYER_NAMES: [&str; LAYER_COUNT] = ["I", "II", "III", "IV", "V", "VI"];

/// Colour of boundary surface 0..=6 (sRGB, 0..=1), from a palette that colour-blind readers can tell apart
/// (Okabe and Ito 2008, with white matter in light grey).
pub fn layer_color(boundary: usize) -> [f32; 3] {
    const PALETTE: [[u8; 3]; BOUNDARY_COUNT] = [
        [204, 121, 167], // 0 pia
        [230, 159, 0],
        [240, 228, 66],
        [0, 158, 115],
        [86, 180, 233],
        [0, 114, 178],
        [213, 94, 0], // 6 grey/white
    ];
    PALETTE[boundary.min(BOUNDARY_COUNT - 1)].map(|c| f32::from(c) / 255.0)
}

/// Seven surfaces that share the ribbon's triangles: vertex n corresponds in all. 0 = pial boundary, k = below layer k.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerSurfaces([Surface; BOUNDARY_COUNT]);

impl LayerSurfaces {
    /// One list of positions per boundary, each as long as the ribbon.
    ///
    /// # Errors
    /// When a list is not as long as the ribbon, or holds a coordinate that is not finite.
    pub fn new(ribbon: &Ribbon, boundaries: [Vec<WorldPoint>; BOUNDARY_COUNT]) -> Result<Self> {
        let mut surfaces = Vec::with_capacity(BOUNDARY_COUNT);
        for vertices in boundaries {
            surfaces.push(ribbon.pial().with_vertices(vertices)?);
        }
        surfaces.try_into().map(Self).map_err(|s: Vec<_>| Error::Length {
            field: "layer surfaces",
            expected: BOUNDARY_COUNT,
            found: s.len(),
        })
    }

    /// Surfaces from the pia inwards.
    pub fn surfaces(&self) -> &[Surface; BOUNDARY_COUNT] {
        &self.0
    }

    /// The surfaces themselves.
    pub fn into_surfaces(self) -> [Surface; BOUNDARY_COUNT] {
        self.0
    }
}
