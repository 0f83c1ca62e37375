//! FreeSurfer binary triangle surfaces (`lh.white`, `lh.pial`), as nibabel's `freesurfer.io` and FreeSurfer's
//! `mrisReadTriangleFile`, and morphometry files (`lh.thickness`, `lh.curv`).
//!
//! - **Frame**: stored coordinates are surface RAS (tkRAS), centred on the conformed volume. The footer holds the volume's
//!   geometry; with direction cosines `R = [x_ras y_ras z_ras]` and centre `c_ras`,
//!   `scanner = R * T^-1 * surface + c_ras`, where `T` holds the cosines of surface RAS, `x -> -R`, `y -> -S`, `z -> +A`
//!   (<https://surfer.nmr.mgh.harvard.edu/fswiki/CoordinateSystems>; voxel sizes cancel). For the usual cosines this is a
//!   shift by `c_ras`. Files without a valid footer, and files that say `useRealRAS`, are taken as scanner RAS.
//! - **Writing**: scanner RAS with a footer of a made-up volume (256 mm cube, usual cosines, `c_ras` = 0), in which
//!   surface RAS and scanner RAS agree, so that readers with and without footer see the same place.
//! - All numbers are big endian. **Not supported**: quadrangle files.

use crate::atomic::write_io;
use crate::bytes::read_bytes;
use crate::surface_math::vertices_f32;
use crate::{Result, fault};
use brainmesh_core::{Structure, Surface, WorldPoint};
use glam::{DMat3, DVec3};
use std::path::Path;

const TRIANGLE_MAGIC: [u8; 3] = [0xff, 0xff, 0xfe];
const QUAD_MAGIC: [u8; 3] = [0xff, 0xff, 0xff];
const NEW_QUAD_MAGIC: [u8; 3] = [0xff, 0xff, 0xfd];
/// `TAG_OLD_USEREALRAS` and `TAG_OLD_SURF_GEOM` of FreeSurfer's `tags.h`.
const TAG_USE_REAL_RAS: i32 = 2;
const TAG_SURFACE_GEOMETRY: i32 = 20;

/// Whether the content is a triangle surface; other FreeSurfer files that share the first bytes are an error.
pub(crate) fn is_surface(path: &Path, bytes: &[u8]) -> Result<bool> {
    match bytes.first_chunk::<3>() {
        Some(&TRIANGLE_MAGIC) => Ok(true),
        Some(&QUAD_MAGIC | &NEW_QUAD_MAGIC) => {
            Err(fault::unsupported(path, "FreeSurfer file", "quadrangles or values per vertex", "triangle surfaces"))
        }
        _ => Ok(false),
    }
}

/// Decodes the content of a surface file.
pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<Surface> {
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
    let (rotation, centre) = scanner_from_surface(path, &bytes[cursor.at..])?;
    if rotation.determinant() < 0.0 {
        // Surface RAS mirrors volumes stored right-handed; undoing that would turn normals inward.
        triangles.iter_mut().for_each(|t| t.swap(1, 2));
    }
    let vertices = coordinates.into_iter().map(|p| WorldPoint(rotation * p + centre)).collect();
    Surface::new(vertices, triangles, structure_of(path)).map_err(fault::core(path))
}

/// Rotation and shift from surface RAS to scanner RAS, from the tags after the triangles.
fn scanner_from_surface(path: &Path, tail: &[u8]) -> Result<(DMat3, DVec3)> {
    let unchanged = (DMat3::IDENTITY, DVec3::ZERO);
    let mut cursor = Cursor { path, bytes: tail, at: 0 };
    let mut tag = match cursor.i32() {
        Ok(tag) => tag,
        Err(_) => return Ok(unchanged), // no footer at all
    };
    if tag == TAG_USE_REAL_RAS {
        if cursor.i32()? != 0 {
            return Ok(unchanged);
        }
        match cursor.i32() {
            Ok(next) => tag = next,
            Err(_) => return Ok(unchanged),
        }
    }
    if tag != TAG_SURFACE_GEOMETRY {
        return Ok(unchanged);
    }
    // Tags after the geometry are binary; only the lines of text before them are of interest.
    let footer = String::from_utf8_lossy(&tail[cursor.at..tail.len().min(cursor.at + 4096)]);
    let field = |name: &str| {
        let line = footer.lines().find_map(|l| l.trim_start().strip_prefix(name)?.trim_start().strip_prefix('='));
        line.map(|l| l.split('#').next().unwrap_or_default().trim())
    };
    if field("valid").is_none_or(|v| !v.starts_with('1')) {
        return Ok(unchanged);
    }
    let vector = |name: &str| {
        let numbers: Option<Vec<f64>> =
            field(name).and_then(|v| v.split_ascii_whitespace().map(|w| w.parse().ok()).collect());
        match numbers.as_deref() {
            Some(&[x, y, z]) if x.is_finite() && y.is_finite() && z.is_finite() => Ok(DVec3::new(x, y, z)),
            _ => Err(fault::invalid(path, format!("footer {name}"), "three numbers", format!("{:?}", field(name)))),
        }
    };
    let cosines = DMat3::from_cols(vector("xras")?, vector("yras")?, vector("zras")?);
    if (cosines.determinant().abs() - 1.0).abs() > 1e-2 {
        let found = format!("determinant {}", cosines.determinant());
        return Err(fault::invalid(path, "footer xras, yras, zras", "direction cosines", found));
    }
    Ok((cosines * surface_cosines().transpose(), vector("cras")?))
}

/// Direction cosines of surface RAS: columns are the directions of the first, second and third voxel axis.
fn surface_cosines() -> DMat3 {
    DMat3::from_cols(DVec3::NEG_X, DVec3::NEG_Z, DVec3::Y)
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

/// Reads values per vertex from a morphometry file (`lh.thickness`, `lh.curv`), "new curvature" format.
///
/// # Errors
/// An unreadable or truncated file, another magic number, or more than one value a vertex.
pub fn read_morphometry(path: &Path) -> Result<Vec<f32>> {
    let bytes = read_bytes(path)?;
    if bytes.first_chunk() != Some(&QUAD_MAGIC) {
        return Err(fault::invalid(path, "magic number", "ff ff ff", format!("{:02x?}", &bytes[..bytes.len().min(3)])));
    }
    let mut cursor = Cursor { path, bytes: &bytes, at: 3 };
    let points = cursor.count("number of vertices")?;
    cursor.count("number of faces")?;
    let each = cursor.i32()?;
    if each != 1 {
        return Err(fault::unsupported(path, "values a vertex", each, "1"));
    }
    cursor.require(points.saturating_mul(4))?;
    (0..points).map(|_| cursor.f32()).collect()
}

/// Big-endian numbers of a file in memory.
pub(crate) struct Cursor<'b> {
    pub path: &'b Path,
    pub bytes: &'b [u8],
    /// Where the next number is.
    pub at: usize,
}

impl Cursor<'_> {
    /// Refuses a file that ends before so many more bytes.
    pub fn require(&self, more: usize) -> Result<()> {
        let end = self.at.saturating_add(more);
        if end > self.bytes.len() { Err(fault::truncated(self.path, end, self.bytes.len())) } else { Ok(()) }
    }

    fn word(&mut self) -> Result<[u8; 4]> {
        let word = self.bytes.get(self.at..).and_then(|b| b.first_chunk()).copied();
        let word = word.ok_or_else(|| fault::truncated(self.path, self.at + 4, self.bytes.len()))?;
        self.at += 4;
        Ok(word)
    }

    pub fn i32(&mut self) -> Result<i32> {
        self.word().map(i32::from_be_bytes)
    }

    pub fn f32(&mut self) -> Result<f32> {
        self.word().map(f32::from_be_bytes)
    }

    /// A number that must not be negative.
    pub fn count(&mut self, field: &str) -> Result<usize> {
        let count = self.i32()?;
        usize::try_from(count).map_err(|_| fault::invalid(self.path, field, "0 or more", count))
    }
}
