use crate::bytes::read_content;
use crate::decoded_surface::DecodedSurface;
use crate::gifti::{parse, surface_from, write_surface_gifti};
use crate::surface_detect::detect;
use crate::vtk::Encoding;
use crate::{Result, SurfaceFormat, VertexMaps, fault};
use crate::{freesurfer, glb, mni_obj, mz3, ply, stl, vtk, wavefront};
use brainmesh_core::Surface;
use std::path::Path;

/// Reads a surface of any [`SurfaceFormat`], told by its content; gzip around it (`.surf.gii.gz`) is taken off.
///
/// Vertices are RAS+ mm. GIFTI, MNI and MZ3 are taken as stored, FreeSurfer through its volume-geometry footer, glTF from
/// metres with +Y up; OBJ, PLY, STL and VTK as their `SPACE` tag says, RAS where there is none. Winding is kept as stored,
/// polygons are cut into triangles, and STL corners at exactly the same place become one vertex. What had to be assumed or
/// left out is listed by [`surface_info`](crate::surface_info).
///
/// # Errors
/// An unreadable file, another format, content that breaks its format, a glTF scene of several surfaces (see
/// [`read_scene`](crate::read_scene)), or a surface that [`Surface::new`] refuses.
pub fn read_surface(path: &Path) -> Result<Surface> {
    read_decoded(path).map(|(_, decoded)| decoded.surface)
}

/// The format of a file and what it holds.
pub(crate) fn read_decoded(path: &Path) -> Result<(SurfaceFormat, DecodedSurface)> {
    let bytes = read_content(path)?;
    let format = detect(path, &bytes)?;
    let decoded = match format {
        SurfaceFormat::Gifti => surface_from(path, &parse(path, &bytes)?),
        SurfaceFormat::Ply => ply::decode(path, &bytes),
        SurfaceFormat::Glb => glb::decode(path, &bytes),
        SurfaceFormat::Obj => wavefront::decode(path, &bytes),
        SurfaceFormat::Stl => stl::decode(path, &bytes),
        SurfaceFormat::Vtk | SurfaceFormat::VtkAscii => vtk::decode_legacy(path, &bytes),
        SurfaceFormat::Vtp => vtk::decode_xml(path, &bytes),
        SurfaceFormat::Mz3 => mz3::decode(path, &bytes),
        SurfaceFormat::FreeSurfer => freesurfer::decode(path, &bytes),
        SurfaceFormat::MniObj => mni_obj::decode(path, &bytes),
    }?;
    Ok((format, decoded))
}

/// Writes a surface whole or not at all; the same input gives the same bytes. Coordinates are stored as float32.
///
/// ```
/// use brainmesh_core::{Structure, Surface, WorldPoint};
/// use brainmesh_formats::{SurfaceFormat, read_surface, write_surface};
/// # let folder = tempfile::tempdir()?;
/// let p = WorldPoint::new;
/// let vertices = vec![p(0., 0., 0.), p(10., 0., 0.), p(0., 10., 0.), p(0., 0., 10.)]; // right, anterior, superior
/// let triangles = vec![[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]];
/// let surface = Surface::new(vertices, triangles, Structure::CortexLeft)?;
/// let path = folder.path().join("lh.pial.surf.gii");
/// write_surface(&path, &surface, SurfaceFormat::Gifti, None)?;
/// assert_eq!(read_surface(&path)?, surface);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Maps for a format that cannot carry them (see [`SurfaceFormat::carries_maps`]; write them with
/// [`write_shape_gifti`](crate::write_shape_gifti) instead) or of another length than the surface, coordinates beyond
/// float32, or a folder that cannot be written.
pub fn write_surface(path: &Path, surface: &Surface, format: SurfaceFormat, maps: Option<&VertexMaps>) -> Result<()> {
    let empty = VertexMaps::default();
    let maps = maps.unwrap_or(&empty);
    if !maps.is_empty() && !format.carries_maps() {
        return Err(fault::unsupported(path, "values per vertex", format.name(), "PLY, VTK and VTP"));
    }
    let expected = surface.vertices().len();
    if let Some((name, values)) = maps.iter().find(|m| m.1.len() != expected) {
        return Err(fault::invalid(path, format!("map {name}"), format!("{expected} values"), values.len()));
    }
    match format {
        SurfaceFormat::Gifti => write_surface_gifti(path, surface),
        SurfaceFormat::Ply => ply::write(path, surface, maps),
        SurfaceFormat::Glb => glb::write_scene(path, &[glb::SceneSurface::plain("surface", surface)]),
        SurfaceFormat::Obj => wavefront::write(path, surface),
        SurfaceFormat::Stl => stl::write(path, surface),
        SurfaceFormat::Vtk => vtk::write_legacy(path, surface, maps, Encoding::Binary),
        SurfaceFormat::VtkAscii => vtk::write_legacy(path, surface, maps, Encoding::Ascii),
        SurfaceFormat::Vtp => vtk::write_xml(path, surface, maps),
        SurfaceFormat::Mz3 => mz3::write(path, surface),
        SurfaceFormat::FreeSurfer => freesurfer::write(path, surface),
        SurfaceFormat::MniObj => mni_obj::write(path, surface),
    }
}
