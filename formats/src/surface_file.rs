use crate::bytes::read_bytes;
use crate::fault;
use crate::gifti::{parse, surface_from, write_surface_gifti};
use crate::{Error, Result, SurfaceFormat, VertexMaps};
use crate::{freesurfer, glb, mni_obj, ply, stl, vtp, wavefront};
use brainmesh_core::Surface;
use std::path::Path;

/// Formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadFormat {
    Gifti,
    Ply,
    Obj,
    MniObj,
    FreeSurfer,
}

impl ReadFormat {
    /// By content, since `.obj` names two formats and FreeSurfer files have no extension.
    pub fn of(path: &Path, bytes: &[u8]) -> Result<Self> {
        if freesurfer::is_surface(path, bytes)? {
            return Ok(Self::FreeSurfer);
        }
        let head = &bytes[..bytes.len().min(4096)];
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        if head.starts_with(b"<") && head.windows(6).any(|w| w == b"<GIFTI") {
            return Ok(Self::Gifti);
        }
        if head.starts_with(b"<VTKFile") || head.starts_with(b"glTF") || head.starts_with(b"# vtk") {
            let found = String::from_utf8_lossy(&head[..head.len().min(8)]).into_owned();
            let supported = "GIFTI, FreeSurfer, MNI .obj, Wavefront .obj and PLY for reading";
            return Err(fault::unsupported(path, "format", found, supported));
        }
        match head.split(u8::is_ascii_whitespace).next().unwrap_or_default() {
            b"ply" => Ok(Self::Ply),
            // Lower case is the binary form of MNI files; letters other than P name lines, markers and so on.
            [b'P' | b'L' | b'p' | b'l' | b'M' | b'F' | b'X' | b'Q' | b'T'] => Ok(Self::MniObj),
            b"v" | b"vn" | b"vt" | b"o" | b"g" | b"s" | b"mtllib" | b"usemtl" => Ok(Self::Obj),
            word if word.starts_with(b"#") => Ok(Self::Obj),
            word => {
                let found = String::from_utf8_lossy(&word[..word.len().min(16)]).into_owned();
                Err(Error::NotRecognised { path: path.into(), found: format!("a file that begins with {found:?}") })
            }
        }
    }

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gifti => "GIFTI",
            Self::Ply => "PLY",
            Self::Obj => "Wavefront OBJ",
            Self::MniObj => "MNI polygons",
            Self::FreeSurfer => "FreeSurfer triangles",
        }
    }

    /// Decodes the content of a file.
    pub fn decode(self, path: &Path, bytes: &[u8]) -> Result<Surface> {
        match self {
            Self::Gifti => surface_from(path, &parse(path, bytes)?),
            Self::Ply => ply::decode(path, bytes),
            Self::Obj => wavefront::decode(path, bytes),
            Self::MniObj => mni_obj::decode(path, bytes),
            Self::FreeSurfer => freesurfer::decode(path, bytes),
        }
    }
}

/// Reads a surface: GIFTI, FreeSurfer triangles, MNI polygons, Wavefront OBJ or PLY, told apart by content.
///
/// Vertices are RAS+ mm: GIFTI and MNI as stored, FreeSurfer through its volume-geometry footer, OBJ and PLY as their
/// `SPACE` comment says (RAS where there is none). Winding is kept as stored.
///
/// # Errors
/// An unreadable file, a format not listed above, content that breaks its format, or a surface that
/// [`Surface::new`] refuses.
pub fn read_surface(path: &Path) -> Result<Surface> {
    let bytes = read_bytes(path)?;
    ReadFormat::of(path, &bytes)?.decode(path, &bytes)
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
        return Err(fault::unsupported(path, "values per vertex", format!("{format:?}"), "Ply, Vtp"));
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
        SurfaceFormat::Vtp => vtp::write(path, surface, maps),
        SurfaceFormat::FreeSurfer => freesurfer::write(path, surface),
        SurfaceFormat::MniObj => mni_obj::write(path, surface),
    }
}
