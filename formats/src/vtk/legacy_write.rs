use crate::atomic::write_io;
use crate::surface_math::vertices_f32;
use crate::{Result, VertexMaps, WriteSeek, fault};
use brainmesh_core::Surface;
use std::io;
use std::path::Path;

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Ascii,
    Binary,
}

/// Writes RAS mm with its maps; as text, where maps must be finite, numbers in the shortest form that gives the same float32 back.
pub(crate) fn write(path: &Path, surface: &Surface, maps: &VertexMaps, encoding: Encoding) -> Result<()> {
    let vertices = vertices_f32(path, surface)?;
    let mut cells = Vec::with_capacity(surface.triangles().len() * 4);
    for triangle in surface.triangles() {
        cells.push(3);
        for &v in triangle {
            cells.push(i32::try_from(v).map_err(|_| fault::unsupported(path, "vertex index", v, "below 2^31"))?);
        }
    }
    // VTK reads a text file no further than the first nan or inf.
    let bad = |m: &(&str, &[f32])| encoding == Encoding::Ascii && m.1.iter().any(|v| !v.is_finite());
    if let Some((name, _)) = maps.iter().find(bad) {
        return Err(fault::unsupported(
            path,
            &format!("map {name}"),
            "a value that is not finite",
            "finite ones as text",
        ));
    }
    write_io(path, |w| {
        let kind = if encoding == Encoding::Ascii { "ASCII" } else { "BINARY" };
        writeln!(w, "# vtk DataFile Version 3.0\nbrainmesh, mm, SPACE=RAS\n{kind}\nDATASET POLYDATA")?;
        writeln!(w, "POINTS {} float", vertices.len())?;
        floats(w, encoding, vertices.as_flattened(), 3)?;
        writeln!(w, "POLYGONS {} {}", surface.triangles().len(), cells.len())?;
        match encoding {
            Encoding::Ascii => cells.chunks(4).try_for_each(|c| writeln!(w, "{} {} {} {}", c[0], c[1], c[2], c[3]))?,
            Encoding::Binary => {
                cells.iter().try_for_each(|c| w.write_all(&c.to_be_bytes()))?;
                writeln!(w)?;
            }
        }
        if maps.is_empty() {
            return Ok(());
        }
        writeln!(w, "POINT_DATA {}\nFIELD FieldData {}", vertices.len(), maps.len())?;
        for (name, values) in maps.iter() {
            writeln!(w, "{name} 1 {} float", values.len())?;
            floats(w, encoding, values, 1)?;
        }
        Ok(())
    })
}

fn floats(w: &mut dyn WriteSeek, encoding: Encoding, values: &[f32], columns: usize) -> io::Result<()> {
    match encoding {
        Encoding::Ascii => {
            for row in values.chunks(columns) {
                let row: Vec<String> = row.iter().map(f32::to_string).collect();
                writeln!(w, "{}", row.join(" "))?;
            }
            Ok(())
        }
        Encoding::Binary => {
            values.iter().try_for_each(|v| w.write_all(&v.to_be_bytes()))?;
            writeln!(w)
        }
    }
}
