use brainmesh_core::{BOUNDARY_COUNT, Surface, layer_color};

/// A named, coloured surface of a scene.
#[derive(Debug, Clone)]
pub struct SceneSurface<'a> {
    /// Name of its node, mesh and material.
    pub name: String,
    /// The surface.
    pub surface: &'a Surface,
    /// sRGB colour, 0..=1.
    pub color: [f32; 3],
}

impl<'a> SceneSurface<'a> {
    /// A surface in the light grey of a plain model.
    pub fn plain(name: impl Into<String>, surface: &'a Surface) -> Self {
        Self { name: name.into(), surface, color: [0.8; 3] }
    }

    /// The seven layer boundaries in their colours ([`layer_color`]), named `boundary-0` (pia) to `boundary-6` (white).
    pub fn layers(layers: &'a [Surface; BOUNDARY_COUNT]) -> Vec<Self> {
        let named = |(k, surface)| Self { name: format!("boundary-{k}"), surface, color: layer_color(k) };
        layers.iter().enumerate().map(named).collect()
    }
}
