use crate::space_tag::SpaceTag;
use crate::surface_math::fan;
use crate::{Result, fault};
use brainmesh_core::{Structure, Surface};
use std::path::Path;

/// What the decoder of a format finds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DecodedSurface {
    pub surface: Surface,
    /// What the file says about its frame, where it says anything.
    pub space: Option<String>,
    /// What the user should know: assumptions made, content left out.
    pub warnings: Vec<String>,
}

impl DecodedSurface {
    /// A surface of a format whose frame is fixed.
    pub fn new(surface: Surface) -> Self {
        Self { surface, space: None, warnings: Vec::new() }
    }

    /// A surface of a format that states its frame in a [`SpaceTag`]; one without is taken as RAS, with a warning.
    pub fn tagged(path: &Path, points: &[[f64; 3]], triangles: Vec<[u32; 3]>, tag: Option<SpaceTag>) -> Result<Self> {
        let space = tag.unwrap_or_default();
        let vertices = points.iter().map(|&p| space.world(p)).collect();
        let surface = Surface::new(vertices, triangles, Structure::Unknown).map_err(fault::core(path))?;
        let mut decoded = Self { space: tag.map(|tag| tag.name().to_owned()), ..Self::new(surface) };
        if tag.is_none() {
            decoded.warn("the file does not state its space: coordinates are taken as RAS mm");
        }
        Ok(decoded)
    }

    /// Adds a warning.
    pub fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }
}

/// Polygons whose corners follow one another in `corners`, each ending before its `ends`, as triangles.
pub(crate) fn triangles_of(path: &Path, corners: &[f64], ends: &[f64]) -> Result<Vec<[u32; 3]>> {
    let whole = |v: f64, field: &str| match v.fract() == 0.0 && (0.0..f64::from(u32::MAX)).contains(&v) {
        true => Ok(v as u32),
        false => Err(fault::invalid(path, field, "a whole number of 0 or more", v)),
    };
    let corners: Vec<u32> = corners.iter().map(|&v| whole(v, "polygon corner")).collect::<Result<_>>()?;
    let mut triangles = Vec::with_capacity(ends.len());
    let mut start = 0;
    for (polygon, &end) in ends.iter().enumerate() {
        let end = whole(end, "polygon offset")? as usize;
        let Some(corners) = corners.get(start..end).filter(|c| c.len() >= 3) else {
            let expected = format!("3 corners or more among {}", corners.len());
            return Err(fault::invalid(path, format!("polygon {polygon}"), expected, format!("{start}..{end}")));
        };
        triangles.extend(fan(corners));
        start = end;
    }
    if start != corners.len() {
        return Err(fault::invalid(path, "polygon corners", start.to_string(), corners.len()));
    }
    Ok(triangles)
}
