//! VTK PolyData: legacy files (`.vtk`, text and binary) and XML files (`.vtp`), after "VTK File Formats"
//! (<https://docs.vtk.org/en/latest/design_documents/VTKFileFormats.html>).
//!
//! - **Frame**: legacy files state it in their title (`SPACE=RAS`), XML files by the field-data string array `SPACE`, both
//!   3D Slicer's convention; RAS mm where there is none.
//! - **Legacy**, versions 1 to 5.1: big-endian binary or text; polygons as counted lists, or as offsets and connectivity.
//!   Written as version 3.0, which every VTK reads. `long` is 8 bytes, as on 64-bit Unix.
//! - **XML**, versions 0.1 to 2.x: data in line as text or base64, or appended raw or as base64; plain or by
//!   `vtkZLibDataCompressor`; both byte orders, both header types. Written in line as base64, version 1.0 with 64-bit sizes.
//! - Polygons are cut into fans. Vertices and lines beside them are left out with a warning. Values per point are read as
//!   maps, one a component; those per cell are skipped.
//! - **Not supported**: other data sets than PolyData, triangle strips, `bit` arrays, several pieces, LZ4 and LZMA.

mod legacy_read;
mod legacy_scan;
mod legacy_write;
mod poly_data;
mod xml_array;
mod xml_read;
mod xml_write;

use crate::decoded_surface::DecodedSurface;
use crate::{Result, ShapeMap};
pub(crate) use legacy_write::{Encoding, write as write_legacy};
use std::path::Path;
pub(crate) use xml_write::write as write_xml;

/// Decodes a legacy file.
pub(crate) fn decode_legacy(path: &Path, bytes: &[u8]) -> Result<DecodedSurface> {
    legacy_read::parse(path, bytes)?.surface(path)
}

/// Decodes an XML file.
pub(crate) fn decode_xml(path: &Path, bytes: &[u8]) -> Result<DecodedSurface> {
    xml_read::parse(path, bytes)?.surface(path)
}

/// The values per point of a legacy file.
pub(crate) fn legacy_maps(path: &Path, bytes: &[u8]) -> Result<Vec<ShapeMap>> {
    legacy_read::parse(path, bytes)?.maps(path)
}

/// The values per point of an XML file.
pub(crate) fn xml_maps(path: &Path, bytes: &[u8]) -> Result<Vec<ShapeMap>> {
    xml_read::parse(path, bytes)?.maps(path)
}
