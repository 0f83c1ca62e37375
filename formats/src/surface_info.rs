use crate::Result;
use crate::decoded_surface::DecodedSurface;
use crate::surface_file::read_decoded;
use brainmesh_core::Structure;
use serde::Serialize;
use std::path::Path;

/// What a surface file holds, for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SurfaceInfo {
    /// Name of the format.
    pub format: &'static str,
    /// Number of vertices.
    pub vertices: usize,
    /// Number of triangles.
    pub triangles: usize,
    /// Vertices - edges + triangles; 2 for a sphere.
    pub euler_characteristic: i64,
    /// Lowest x (right), y (anterior), z (superior) in mm.
    pub low_mm: [f64; 3],
    /// Highest x, y, z in mm.
    pub high_mm: [f64; 3],
    /// Sum of the triangle areas in mm^2.
    pub area_mm2: f64,
    /// `CortexLeft` or `CortexRight`; none where the file does not say.
    pub structure: Option<&'static str>,
    /// What the file says about its frame: `RAS` or `LPS` (a SPACE tag), the `DataSpace` of GIFTI (FreeSurfer writes
    /// `NIFTI_XFORM_UNKNOWN` for surface RAS, which is off the volume), FreeSurfer's footer. None where it says nothing.
    /// The numbers here are RAS+ mm in any case.
    pub space: Option<String>,
    /// What was assumed or left out, and what looks wrong.
    pub warnings: Vec<String>,
}

/// Describes a surface; the whole file is read and checked.
///
/// # Errors
/// As [`read_surface`](crate::read_surface).
pub fn surface_info(path: &Path) -> Result<SurfaceInfo> {
    let (format, DecodedSurface { surface, space, mut warnings }) = read_decoded(path)?;
    let euler_characteristic = surface.euler_characteristic();
    if euler_characteristic == 2 && surface.signed_volume_mm3() < 0.0 {
        warnings.push("the surface is closed and its normals point inward".into());
    }
    let (mut low_mm, mut high_mm) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
    for point in surface.vertices() {
        for (axis, c) in point.to_array().into_iter().enumerate() {
            low_mm[axis] = low_mm[axis].min(c);
            high_mm[axis] = high_mm[axis].max(c);
        }
    }
    Ok(SurfaceInfo {
        format: format.name(),
        vertices: surface.vertices().len(),
        triangles: surface.triangles().len(),
        euler_characteristic,
        low_mm,
        high_mm,
        area_mm2: surface.area_mm2(),
        structure: match surface.structure() {
            Structure::CortexLeft => Some("CortexLeft"),
            Structure::CortexRight => Some("CortexRight"),
            Structure::Unknown => None,
        },
        space,
        warnings,
    })
}
