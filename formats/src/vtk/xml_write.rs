use crate::atomic::write_io;
use crate::surface_math::vertices_f32;
use crate::{Result, VertexMaps, WriteSeek};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use brainmesh_core::Surface;
use quick_xml::escape::escape;
use std::io;
use std::path::Path;

/// Writes RAS mm, which the field-data array `SPACE` states (character codes, a zero at the end), with its maps as float32
/// point data.
pub(crate) fn write(path: &Path, surface: &Surface, maps: &VertexMaps) -> Result<()> {
    let vertices = vertices_f32(path, surface)?;
    let (points, polygons) = (vertices.len(), surface.triangles().len());
    write_io(path, |w| {
        writeln!(w, r#"<?xml version="1.0"?>"#)?;
        writeln!(w, r#"<VTKFile type="PolyData" version="1.0" byte_order="LittleEndian" header_type="UInt64">"#)?;
        writeln!(w, "<PolyData>\n<FieldData>")?;
        writeln!(w, r#"<Array type="String" Name="SPACE" NumberOfTuples="1" format="ascii">"#)?;
        writeln!(w, "82 65 83 0\n</Array>\n</FieldData>")?; // R A S
        writeln!(w, r#"<Piece NumberOfPoints="{points}" NumberOfPolys="{polygons}">"#)?;
        writeln!(w, "<PointData>")?;
        for (name, values) in maps.iter() {
            array(w, "Float32", name, 1, values.iter().flat_map(|v| v.to_le_bytes()))?;
        }
        writeln!(w, "</PointData>\n<Points>")?;
        array(w, "Float32", "Points", 3, vertices.as_flattened().iter().flat_map(|c| c.to_le_bytes()))?;
        writeln!(w, "</Points>\n<Polys>")?;
        let corners = surface.triangles().as_flattened().iter();
        array(w, "Int64", "connectivity", 1, corners.flat_map(|&v| i64::from(v).to_le_bytes()))?;
        array(w, "Int64", "offsets", 1, (1..=polygons as i64).flat_map(|t| (3 * t).to_le_bytes()))?;
        writeln!(w, "</Polys>\n</Piece>\n</PolyData>\n</VTKFile>")
    })
}

fn array(
    w: &mut dyn WriteSeek,
    kind: &str,
    name: &str,
    components: usize,
    bytes: impl Iterator<Item = u8>,
) -> io::Result<()> {
    let mut block = vec![0; 8];
    block.extend(bytes);
    let length = block.len() as u64 - 8;
    block[..8].copy_from_slice(&length.to_le_bytes());
    let name = escape(name);
    writeln!(w, r#"<DataArray type="{kind}" Name="{name}" NumberOfComponents="{components}" format="binary">"#)?;
    writeln!(w, "{}\n</DataArray>", STANDARD.encode(block))
}
