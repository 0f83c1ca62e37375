use crate::Result;
use crate::bytes::read_bytes;
use crate::gifti::{parse, surface_from};
use crate::surface_file::ReadFormat;
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
    /// `DataSpace` of a GIFTI file. FreeSurfer writes `NIFTI_XFORM_UNKNOWN` for surface RAS, which is off the volume.
    pub data_space: Option<String>,
}

/// Describes a surface; the whole file is read and checked.
///
/// # Errors
/// As [`read_surface`](crate::read_surface).
pub fn surface_info(path: &Path) -> Result<SurfaceInfo> {
    let bytes = read_bytes(path)?;
    let format = ReadFormat::of(path, &bytes)?;
    let (surface, data_space) = match format {
        ReadFormat::Gifti => {
            let file = parse(path, &bytes)?;
            (surface_from(path, &file)?, file.arrays.into_iter().find_map(|a| a.data_space))
        }
        _ => (format.decode(path, &bytes)?, None),
    };
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
        euler_characteristic: surface.euler_characteristic(),
        low_mm,
        high_mm,
        area_mm2: surface.area_mm2(),
        structure: match surface.structure() {
            Structure::CortexLeft => Some("CortexLeft"),
            Structure::CortexRight => Some("CortexRight"),
            Structure::Unknown => None,
        },
        data_space,
    })
}
