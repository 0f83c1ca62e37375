use crate::decoded_surface::{DecodedSurface, triangles_of};
use crate::numbers::narrow;
use crate::space_tag::SpaceTag;
use crate::{Result, ShapeMap, fault};
use brainmesh_core::Structure;
use std::path::Path;

/// What both kinds of file hold.
#[derive(Debug, Default)]
pub(super) struct PolyData {
    /// x, y, z of one point after the other.
    pub points: Vec<f64>,
    /// Corners of one polygon after the other.
    pub corners: Vec<f64>,
    /// Where each polygon ends in `corners`.
    pub ends: Vec<f64>,
    pub space: Option<SpaceTag>,
    pub arrays: Vec<PointArray>,
    /// What was there and is not part of a surface.
    pub left_out: Vec<String>,
}

/// Values per point, `components` each.
#[derive(Debug)]
pub(super) struct PointArray {
    pub name: String,
    pub components: usize,
    pub values: Vec<f64>,
}

impl PolyData {
    /// Number of points.
    pub fn len(&self) -> usize {
        self.points.len() / 3
    }

    /// Refuses an array that does not have its components for every point.
    pub fn push_array(&mut self, path: &Path, array: PointArray) -> Result<()> {
        let expected = self.len().saturating_mul(array.components);
        if array.values.len() != expected {
            let field = format!("array {:?}", array.name);
            return Err(fault::invalid(path, field, format!("{expected} values"), array.values.len()));
        }
        self.arrays.push(array);
        Ok(())
    }

    /// The polygons as triangles.
    pub fn surface(&self, path: &Path) -> Result<DecodedSurface> {
        let triangles = triangles_of(path, &self.corners, &self.ends)?;
        let mut decoded = DecodedSurface::tagged(path, self.points.as_chunks().0, triangles, self.space)?;
        for what in &self.left_out {
            decoded.warn(format!("{what} are not part of the surface and are left out"));
        }
        Ok(decoded)
    }

    /// One map a component, named after its array.
    pub fn maps(self, path: &Path) -> Result<Vec<ShapeMap>> {
        let mut maps = Vec::new();
        for PointArray { name, components, values } in self.arrays {
            for component in 0..components {
                let values = values.iter().skip(component).step_by(components).map(|&v| narrow(path, &name, v));
                let values = values.collect::<Result<_>>()?;
                let name = if components == 1 { name.clone() } else { format!("{name}-{component}") };
                maps.push(ShapeMap { name, values, structure: Structure::Unknown });
            }
        }
        Ok(maps)
    }
}
