use super::SceneSurface;
use super::write::write_with;
use crate::Result;
use std::path::Path;

/// How a scene is written; both ways of making it smaller are off.
///
/// ```
/// use brainmesh_core::{Structure, Surface, WorldPoint};
/// use brainmesh_formats::{SceneOptions, SceneSurface, read_surface};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("small.glb");
/// let p = WorldPoint::new;
/// let vertices = vec![p(0., 0., 0.), p(100., 0., 0.), p(0., 100., 0.), p(0., 0., 100.)];
/// let surface = Surface::new(vertices, vec![[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], Structure::Unknown)?;
/// SceneOptions::default().with_quantization().with_compression().write(&path, &[SceneSurface::plain("pial", &surface)])?;
/// let read = read_surface(&path)?;
/// assert!(read.vertices()[1].distance_mm(surface.vertices()[1]) < 0.001); // at most 100 mm / 65535 / 2 an axis
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SceneOptions {
    pub(super) quantize: bool,
    pub(super) compress: bool,
}

impl SceneOptions {
    /// Positions as 16-bit integers and normals as 8-bit ones (`KHR_mesh_quantization`): half the size. A coordinate moves
    /// by up to half a step, of which the longest side of the surface's box has 65535 (0.0015 mm for 200 mm).
    pub fn with_quantization(self) -> Self {
        Self { quantize: true, ..self }
    }

    /// Data packed by meshoptimizer (`EXT_meshopt_compression`), which viewers must know. Coordinates, the order of vertices
    /// and of triangles, and winding are kept; the first corner of a triangle may be another one.
    pub fn with_compression(self) -> Self {
        Self { compress: true, ..self }
    }

    /// Writes several surfaces as one scene, as [`write_scene`](crate::write_scene).
    ///
    /// # Errors
    /// A scene above 4 GB, which the format cannot hold, or a folder that cannot be written.
    pub fn write(self, path: &Path, surfaces: &[SceneSurface<'_>]) -> Result<()> {
        write_with(path, surfaces, self)
    }
}
