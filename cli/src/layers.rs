use crate::Result;
use brainmesh_core::{Certificate, LayerBoundaries, LayerSurfaces, Monitor, RaySet, Ribbon};
use brainmesh_meshing::{
    SeparateOptions, Separated, WithinBanks, certify, layer_surfaces, limit_to_banks, separate_surfaces, thickness_mm,
};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Moves shorter than this are rounding, in mm.
const MOVED_MM: f64 = 1e-3;

/// Layers as they are written.
pub(crate) struct Layers {
    pub boundaries: LayerBoundaries,
    pub surfaces: LayerSurfaces,
    pub thickness_mm: Array2<f64>,
    pub certificate: Certificate,
    pub ray_field: RayField,
    /// Vertices that left their rays, so that surfaces do not cross.
    pub moved: Vec<bool>,
}

/// Where rays folded over one another, and what was done about it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RayField {
    /// Rays on which a boundary was found beyond the middle of a sulcus, and put there.
    pub beyond_sulcus: usize,
    /// Rays on which a boundary was found beyond the middle of a thin blade of white matter, and put there.
    pub beyond_white: usize,
    /// Triangles at which the space between two surfaces was turned inside out.
    pub folded_triangles: usize,
    /// Vertices that left their rays.
    pub moved_vertices: usize,
    /// How far those were moved, on the surface where they moved most.
    pub moved_mean_mm: f64,
    /// How far the farthest was moved.
    pub moved_max_mm: f64,
}

impl Layers {
    /// Surfaces at the boundaries, moved apart unless `keep_crossings`, and checked.
    pub(crate) fn new(
        ribbon: &Ribbon,
        rays: &RaySet,
        boundaries: LayerBoundaries,
        keep_crossings: bool,
        monitor: &dyn Monitor,
    ) -> Result<Self> {
        let mut layers = Self {
            surfaces: layer_surfaces(ribbon, rays, &boundaries)?,
            thickness_mm: Array2::default((0, 0)),
            certificate: Certificate::default(),
            ray_field: RayField::default(),
            moved: vec![false; ribbon.len()],
            boundaries,
        };
        if !keep_crossings {
            layers.move_apart(ribbon, rays, monitor)?;
        }
        layers.certificate = certify(&layers.surfaces, ribbon, &layers.boundaries, monitor)?;
        layers.thickness_mm = thickness_mm(rays, &layers.boundaries);
        Ok(layers)
    }

    fn move_apart(&mut self, ribbon: &Ribbon, rays: &RaySet, monitor: &dyn Monitor) -> Result<()> {
        let WithinBanks { boundaries, outer, inner } = limit_to_banks(&self.boundaries, ribbon, rays, monitor)?;
        let surfaces = layer_surfaces(ribbon, rays, &boundaries)?;
        let used: Vec<bool> = boundaries.outcomes().iter().map(|outcome| outcome.has_layers()).collect();
        let Separated { surfaces, moved_mm, folded } =
            separate_surfaces(surfaces.surfaces(), ribbon, &used, &SeparateOptions::default(), monitor)?;
        let positions = std::array::from_fn(|k| surfaces[k].vertices().to_vec());
        self.surfaces = LayerSurfaces::new(ribbon, positions)?;
        self.boundaries = boundaries;
        self.moved = moved_mm.iter().zip(&used).map(|(&mm, &used)| used && mm > MOVED_MM).collect();
        let moved = || moved_mm.iter().zip(&self.moved).filter(|(_, moved)| **moved).map(|(mm, _)| *mm);
        let count = moved().count();
        self.ray_field = RayField {
            beyond_sulcus: outer,
            beyond_white: inner,
            folded_triangles: folded,
            moved_vertices: count,
            moved_mean_mm: moved().sum::<f64>() / count.max(1) as f64,
            moved_max_mm: moved().fold(0.0, f64::max),
        };
        Ok(())
    }
}
