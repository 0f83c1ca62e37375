//! Which phantoms are scored.

use brainmesh_phantom::{Artefacts, Folding, LayerModel, PhantomOptions, Shape};

/// First seed of the phantoms kept for this comparison: the training package makes its own from seeds above 160,900,000.
pub const FIRST_SEED: u64 = 900_000;

/// Phantoms that are alike but for their seed.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    /// Voxel size, edge of the volume and of the triangles.
    pub size_mm: (f64, f64, f64),
    pub artefacts: Artefacts,
    pub surface_error_mm: f64,
    pub detail_mm: f64,
    pub contrast: Option<f64>,
}

const FINE: Scenario = Scenario {
    name: "20 um",
    size_mm: (0.02, 8.0, 0.25),
    artefacts: Artefacts::MILD,
    surface_error_mm: 0.05,
    detail_mm: 2.5,
    contrast: None,
};

/// All of them; the first four differ in voxel size alone.
pub const SCENARIOS: [Scenario; 10] = [
    FINE,
    Scenario { name: "40 um", size_mm: (0.04, 12.0, 0.3), ..FINE },
    Scenario { name: "100 um", size_mm: (0.1, 16.0, 0.4), ..FINE },
    Scenario { name: "200 um", size_mm: (0.2, 20.0, 0.5), ..FINE },
    Scenario { name: "20 um, smooth truth", detail_mm: 5.0, ..FINE },
    Scenario { name: "20 um, rough truth", detail_mm: 0.5, ..FINE },
    Scenario { name: "20 um, exact surfaces", surface_error_mm: 0.0, ..FINE },
    Scenario { name: "20 um, surfaces off by 100 um", surface_error_mm: 0.1, ..FINE },
    Scenario { name: "20 um, contrast of the labelled patch", contrast: Some(1.0), ..FINE },
    Scenario { name: "20 um, full artefacts", artefacts: Artefacts::FULL, ..FINE },
];

impl Scenario {
    /// The phantom of the seed number `n`. Every other one divides its layers by distance, which the smoother's depth
    /// does not assume.
    pub fn options(&self, n: u64) -> PhantomOptions {
        let (spacing_mm, extent_mm, edge_mm) = self.size_mm;
        let seed = FIRST_SEED + n;
        PhantomOptions {
            seed,
            shape: Shape::Folded(Folding { edge_mm, area_mm: 5.0, ..Folding::default() }),
            spacing_mm,
            extent_mm: Some([extent_mm, extent_mm, extent_mm.min(12.0)]),
            artefacts: self.artefacts,
            surface_error_mm: self.surface_error_mm,
            detail_mm: self.detail_mm,
            contrast: self.contrast,
            layer_model: if seed.is_multiple_of(2) { LayerModel::Equivolumetric } else { LayerModel::Equidistant },
            ..PhantomOptions::default()
        }
    }
}
