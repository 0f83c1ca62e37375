//! MZ3 (Rorden, Surfice; also NiiVue), <https://github.com/neurolabusc/surf-ice/tree/master/mz3>: little endian, usually
//! gzipped. Header of 16 bytes: magic `MZ`, attributes, numbers of triangles and vertices, bytes to skip; then triangles
//! (int32), vertices (float32), colours (4 bytes), scalars (float32, or float64), each where an attribute says so.
//!
//! - **Frame**: RAS mm, as stored; the format has no place to say so.
//! - Scalars are one or more maps of a value a vertex; how many, the length of the file tells.
//! - **Not supported**: maps beside ambient occlusion (attribute 32); attributes above 64, which are of later versions.

use crate::atomic::write_io;
use crate::decoded_surface::DecodedSurface;
use crate::numbers::narrow;
use crate::surface_math::vertices_f32;
use crate::{Result, ShapeMap, fault};
use brainmesh_core::{Structure, Surface, WorldPoint};
use flate2::{Compression, GzBuilder};
use std::io::Write;
use std::path::Path;

/// First bytes of the content.
pub(crate) const MAGIC: [u8; 2] = *b"MZ";
const HEADER_BYTES: usize = 16;
const FACES: u16 = 1;
const VERTICES: u16 = 2;
const COLOURS: u16 = 4;
const SCALARS: u16 = 8;
const DOUBLES: u16 = 16;
const OCCLUSION: u16 = 32;
const KNOWN: u16 = 127;

/// Header, and where the sections lie.
struct Layout {
    attributes: u16,
    faces: usize,
    vertices: usize,
    faces_at: usize,
    vertices_at: usize,
    scalars_at: usize,
}

impl Layout {
    fn of(path: &Path, bytes: &[u8]) -> Result<Self> {
        let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(fault::truncated(path, HEADER_BYTES, bytes.len()));
        };
        let attributes = u16::from_le_bytes([header[2], header[3]]);
        if header[..2] != MAGIC || attributes & !KNOWN != 0 {
            return Err(fault::unsupported(path, "MZ3 attributes", format!("{attributes:#x}"), "up to 0x7f"));
        }
        let (words, _) = header[4..].as_chunks();
        let words: Vec<usize> = words.iter().map(|w| u32::from_le_bytes(*w) as usize).collect();
        let &[faces, vertices, skip] = words.as_slice() else {
            return Err(fault::truncated(path, HEADER_BYTES, bytes.len()));
        };
        let size =
            |flag, count: usize, each: usize| if attributes & flag != 0 { count.saturating_mul(each) } else { 0 };
        let faces_at = HEADER_BYTES.saturating_add(skip);
        let vertices_at = faces_at.saturating_add(size(FACES, faces, 12));
        let colours_at = vertices_at.saturating_add(size(VERTICES, vertices, 12));
        let scalars_at = colours_at.saturating_add(size(COLOURS, vertices, 4));
        if scalars_at > bytes.len() {
            return Err(fault::truncated(path, scalars_at, bytes.len()));
        }
        Ok(Self { attributes, faces, vertices, faces_at, vertices_at, scalars_at })
    }
}

/// Decodes the surface of a file's content.
pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<DecodedSurface> {
    let layout = Layout::of(path, bytes)?;
    if layout.attributes & (FACES | VERTICES) != FACES | VERTICES {
        return Err(fault::unsupported(
            path,
            "MZ3",
            "a file without triangles",
            "surfaces; it may hold values per vertex",
        ));
    }
    let (words, _) = bytes[layout.vertices_at..].as_chunks::<4>();
    let coordinates: Vec<f64> =
        words[..layout.vertices * 3].iter().map(|w| f64::from(f32::from_le_bytes(*w))).collect();
    let vertices = coordinates.as_chunks().0.iter().map(|&[x, y, z]| WorldPoint::new(x, y, z)).collect();
    let (words, _) = bytes[layout.faces_at..].as_chunks::<4>();
    // A negative number reads as one beyond every vertex, which `Surface` refuses.
    let corners: Vec<u32> = words[..layout.faces * 3].iter().map(|w| u32::from_le_bytes(*w)).collect();
    let triangles = corners.as_chunks().0.to_vec();
    let surface = Surface::new(vertices, triangles, Structure::Unknown).map_err(fault::core(path))?;
    Ok(DecodedSurface::new(surface))
}

/// Decodes the maps of a file's content; none where it has no scalars.
pub(crate) fn decode_maps(path: &Path, bytes: &[u8]) -> Result<Vec<ShapeMap>> {
    let layout = Layout::of(path, bytes)?;
    let size_bytes = match layout.attributes & (SCALARS | DOUBLES | OCCLUSION) {
        0 => return Ok(Vec::new()),
        SCALARS => 4,
        other if other & OCCLUSION == 0 => 8,
        other => return Err(fault::unsupported(path, "MZ3 attributes", format!("{other:#x}"), "scalars alone")),
    };
    let data = &bytes[layout.scalars_at..];
    let each = layout.vertices.saturating_mul(size_bytes);
    if each == 0 || data.is_empty() || !data.len().is_multiple_of(each) {
        let expected = format!("maps of {each} bytes");
        return Err(fault::invalid(path, "MZ3 scalars", expected, format!("{} bytes", data.len())));
    }
    let values = |part: &[u8]| match size_bytes {
        4 => Ok(part.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()),
        _ => part.as_chunks().0.iter().map(|b| narrow(path, "MZ3 scalars", f64::from_le_bytes(*b))).collect(),
    };
    let map = |part| Ok(ShapeMap { name: String::new(), values: values(part)?, structure: Structure::Unknown });
    data.chunks_exact(each).map(map).collect()
}

/// Writes a surface.
pub(crate) fn write(path: &Path, surface: &Surface) -> Result<()> {
    let vertices = vertices_f32(path, surface)?;
    let corners = surface.triangles().as_flattened();
    if let Some(big) = corners.iter().find(|&&v| i32::try_from(v).is_err()) {
        return Err(fault::unsupported(path, "vertex index", big, "below 2^31 in MZ3"));
    }
    let body = corners.iter().flat_map(|v| v.to_le_bytes());
    let body = body.chain(vertices.as_flattened().iter().flat_map(|c| c.to_le_bytes()));
    write_packed(path, FACES | VERTICES, surface.triangles().len(), vertices.len(), body.collect())
}

/// Writes values per vertex as an MZ3 overlay, which Surfice and NiiVue lay on a surface of as many vertices: one or more
/// maps of equal length, whose names the format cannot hold.
///
/// # Errors
/// No map, an empty one, maps of different lengths, or a folder that cannot be written.
pub fn write_mz3_maps(path: &Path, maps: &[&[f32]]) -> Result<()> {
    let vertices = maps.first().map_or(0, |m| m.len());
    if vertices == 0 {
        return Err(fault::invalid(path, "maps", "one value or more", "none"));
    }
    if let Some(map) = maps.iter().find(|m| m.len() != vertices) {
        return Err(fault::invalid(path, "map length", vertices.to_string(), map.len()));
    }
    let body = maps.iter().flat_map(|m| m.iter()).flat_map(|v| v.to_le_bytes()).collect();
    write_packed(path, SCALARS, 0, vertices, body)
}

fn write_packed(path: &Path, attributes: u16, faces: usize, vertices: usize, body: Vec<u8>) -> Result<()> {
    let count = |n: usize| u32::try_from(n).map_err(|_| fault::unsupported(path, "size", n, "below 2^32"));
    let (faces, vertices) = (count(faces)?, count(vertices)?);
    write_io(path, |w| {
        let mut packed = GzBuilder::new().mtime(0).write(w, Compression::default());
        packed.write_all(&MAGIC)?;
        packed.write_all(&attributes.to_le_bytes())?;
        for word in [faces, vertices, 0] {
            packed.write_all(&word.to_le_bytes())?;
        }
        packed.write_all(&body)?;
        packed.finish().map(drop)
    })
}
