use super::cursor::Cursor;
use super::footer::{TAG_SURFACE_GEOMETRY, TAG_USE_REAL_RAS, read_footer};
use super::{morphometry, quads};
use crate::atomic::write_io;
use crate::decoded_surface::DecodedSurface;
use crate::surface_math::vertices_f32;
use crate::{Result, fault};
use brainmesh_core::{Structure, Surface, WorldPoint};
use glam::DVec3;
use std::path::Path;

const TRIANGLE_MAGIC: [u8; 3] = [0xff, 0xff, 0xfe];

/// Whether the content is a surface; morphometry, which shares the first bytes with quadrangles, is an error.
pub(crate) fn is_surface(path: &Path, bytes: &[u8]) -> Result<bool> {
    if bytes.starts_with(&TRIANGLE_MAGIC) {
        return Ok(true);
    }
    if morphometry::is_morphometry(bytes) && bytes.starts_with(&morphometry::MAGIC) {
        return Err(fault::unsupported(path, "FreeSurfer file", "values per vertex", "surfaces"));
    }
    Ok(quads::is_quads(bytes))
}

/// Decodes the content of a surface file.
pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<DecodedSurface> {
    if bytes.first_chunk() != Some(&TRIANGLE_MAGIC) {
        return quads::decode(path, bytes);
    }
    let mut cursor = Cursor { path, bytes, at: 3 };
    // The creator's line and an empty one.
    let text_end = bytes.windows(2).position(|w| w == b"\n\n");
    cursor.at = text_end.ok_or_else(|| fault::invalid(path, "creator line", "two newlines", "none"))? + 2;
    let (points, faces) = (cursor.count("number of vertices")?, cursor.count("number of triangles")?);
    cursor.require(points.saturating_add(faces).saturating_mul(12))?;
    let mut coordinates = Vec::with_capacity(points);
    for _ in 0..points {
        let [x, y, z] = [cursor.f32()?, cursor.f32()?, cursor.f32()?].map(f64::from);
        coordinates.push(DVec3::new(x, y, z));
    }
    let mut triangles = Vec::with_capacity(faces);
    for _ in 0..faces {
        let mut corner = || {
            let index = cursor.i32()?;
            u32::try_from(index).map_err(|_| fault::invalid(path, "vertex index", "0 or more", index))
        };
        triangles.push([corner()?, corner()?, corner()?]);
    }
    place(path, coordinates, triangles, &bytes[cursor.at..])
}

/// Moves a surface to scanner RAS by the tags after it.
pub(super) fn place(
    path: &Path,
    coordinates: Vec<DVec3>,
    mut triangles: Vec<[u32; 3]>,
    tail: &[u8],
) -> Result<DecodedSurface> {
    let footer = read_footer(path, tail)?;
    let (rotation, centre) = footer.scanner_from_surface;
    if rotation.determinant() < 0.0 {
        // Surface RAS mirrors volumes stored right-handed; undoing that would turn normals inward.
        triangles.iter_mut().for_each(|t| t.swap(1, 2));
    }
    let vertices = coordinates.into_iter().map(|p| WorldPoint(rotation * p + centre)).collect();
    let surface = Surface::new(vertices, triangles, structure_of(path)).map_err(fault::core(path))?;
    let mut decoded = DecodedSurface::new(surface);
    decoded.space = footer.space.map(str::to_owned);
    if decoded.space.is_none() {
        decoded.warn("no volume geometry in the file: coordinates are taken as scanner RAS mm");
    }
    Ok(decoded)
}

/// FreeSurfer names the hemisphere in the file name alone.
pub(crate) fn structure_of(path: &Path) -> Structure {
    match path.file_name().and_then(|n| n.to_str()) {
        Some(name) if name.starts_with("lh.") => Structure::CortexLeft,
        Some(name) if name.starts_with("rh.") => Structure::CortexRight,
        _ => Structure::Unknown,
    }
}

/// Writes scanner RAS with a footer in which surface RAS is the same.
pub(crate) fn write(path: &Path, surface: &Surface) -> Result<()> {
    let vertices = vertices_f32(path, surface)?;
    let count = |n: usize| i32::try_from(n).map_err(|_| fault::unsupported(path, "size", n, "below 2^31"));
    let (points, faces) = (count(vertices.len())?, count(surface.triangles().len())?);
    write_io(path, |w| {
        w.write_all(&TRIANGLE_MAGIC)?;
        w.write_all(b"created by brainmesh\n\n")?;
        w.write_all(&points.to_be_bytes())?;
        w.write_all(&faces.to_be_bytes())?;
        vertices.as_flattened().iter().try_for_each(|c| w.write_all(&c.to_be_bytes()))?;
        surface.triangles().as_flattened().iter().try_for_each(|v| w.write_all(&v.to_be_bytes()))?;
        for word in [TAG_USE_REAL_RAS, 0, TAG_SURFACE_GEOMETRY] {
            w.write_all(&word.to_be_bytes())?;
        }
        let zero = 0.0;
        writeln!(w, "valid = 1  # volume info valid")?;
        writeln!(w, "filename = brainmesh")?;
        writeln!(w, "volume = 256 256 256")?;
        writeln!(w, "voxelsize = {:.15e} {:.15e} {:.15e}", 1.0, 1.0, 1.0)?;
        writeln!(w, "xras   = {:.15e} {zero:.15e} {zero:.15e}", -1.0)?;
        writeln!(w, "yras   = {zero:.15e} {zero:.15e} {:.15e}", -1.0)?;
        writeln!(w, "zras   = {zero:.15e} {:.15e} {zero:.15e}", 1.0)?;
        writeln!(w, "cras   = {zero:.15e} {zero:.15e} {zero:.15e}")
    })
}
