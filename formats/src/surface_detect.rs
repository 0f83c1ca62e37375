use crate::{Error, Result, SurfaceFormat, fault, freesurfer, mz3, stl};
use std::path::Path;

/// The format of a file by its content, since `.obj` names two formats and FreeSurfer files have no extension.
pub(crate) fn detect(path: &Path, bytes: &[u8]) -> Result<SurfaceFormat> {
    if freesurfer::is_surface(path, bytes)? {
        return Ok(SurfaceFormat::FreeSurfer);
    }
    if bytes.starts_with(&mz3::MAGIC) {
        return Ok(SurfaceFormat::Mz3);
    }
    if bytes.starts_with(b"glTF") {
        return Ok(SurfaceFormat::Glb);
    }
    let head = &bytes[..bytes.len().min(4096)];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let names = |tag: &[u8]| head.windows(tag.len()).any(|w| w == tag);
    if head.starts_with(b"<") && names(b"<GIFTI") {
        return Ok(SurfaceFormat::Gifti);
    }
    if head.starts_with(b"<") && names(b"<VTKFile") {
        return Ok(SurfaceFormat::Vtp);
    }
    if head.starts_with(b"# vtk DataFile") {
        return Ok(SurfaceFormat::Vtk);
    }
    if head.starts_with(b"{") && names(b"\"asset\"") {
        return Err(fault::unsupported(path, "glTF", "the text form", "binary glTF (.glb)"));
    }
    match head.split(u8::is_ascii_whitespace).next().unwrap_or_default() {
        b"ply" => return Ok(SurfaceFormat::Ply),
        // Lower case is the binary form of MNI files; letters other than P name lines, markers and so on.
        [b'P' | b'L' | b'p' | b'l' | b'M' | b'F' | b'X' | b'Q' | b'T'] => return Ok(SurfaceFormat::MniObj),
        b"v" | b"vn" | b"vt" | b"o" | b"g" | b"s" | b"mtllib" | b"usemtl" => return Ok(SurfaceFormat::Obj),
        _ => {}
    }
    // A binary header is free text, hence only the length tells; it comes after every format with a magic number.
    if stl::is_stl(path, bytes) {
        return Ok(SurfaceFormat::Stl);
    }
    if head.starts_with(b"#") && !head.starts_with(b"#!ascii label") {
        return Ok(SurfaceFormat::Obj);
    }
    let word = head.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let found = String::from_utf8_lossy(&word[..word.len().min(16)]).into_owned();
    Err(Error::NotRecognised { path: path.into(), found: format!("a file that begins with {found:?}") })
}
