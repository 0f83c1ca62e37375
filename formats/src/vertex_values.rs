use crate::bytes::read_content;
use crate::gifti::{parse, values_from};
use crate::surface_detect::detect;
use crate::{LabelMap, Result, ShapeMap, SurfaceFormat, fault, freesurfer, mz3, ply, vtk};
use std::path::Path;

/// A map on a surface, one value a vertex.
#[derive(Debug, Clone, PartialEq)]
pub enum VertexValues {
    /// Numbers.
    Shape(ShapeMap),
    /// Labels with names and colours.
    Labels(LabelMap),
}

impl VertexValues {
    /// Number of vertices.
    pub fn len(&self) -> usize {
        match self {
            Self::Shape(map) => map.values.len(),
            Self::Labels(map) => map.labels.len(),
        }
    }

    /// Whether there are no vertices.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Reads every map of a file, told by its content: GIFTI shape, functional and label files, FreeSurfer morphometry and
/// annotations, scalars of MZ3, and what VTK, VTP and PLY surfaces carry a vertex (one map a component). gzip around the
/// file is taken off. FreeSurfer's maps have no name in the file: theirs is empty.
///
/// A FreeSurfer label file names some vertices of a surface and not how many there are; read it with
/// [`read_freesurfer_label`](crate::read_freesurfer_label) or [`read_vertex_mask`](crate::read_vertex_mask).
///
/// # Errors
/// An unreadable file, another format, content that breaks its format, no map, or maps of different lengths.
pub fn read_vertex_maps(path: &Path) -> Result<Vec<VertexValues>> {
    let bytes = read_content(path)?;
    if freesurfer::is_label(&bytes) {
        let supported = "maps of a value a vertex; a label file is read as a label or as a mask";
        return Err(fault::unsupported(path, "FreeSurfer file", "a list of vertices", supported));
    }
    if freesurfer::is_annot(&bytes) {
        return Ok(vec![VertexValues::Labels(freesurfer::decode_annot(path, &bytes)?)]);
    }
    if freesurfer::is_morphometry(&bytes) {
        let values = freesurfer::decode_morphometry(path, &bytes)?;
        let structure = freesurfer::structure_of(path);
        return Ok(vec![VertexValues::Shape(ShapeMap { name: String::new(), values, structure })]);
    }
    let maps = match detect(path, &bytes)? {
        SurfaceFormat::Gifti => return whole(path, values_from(path, &parse(path, &bytes)?)?),
        SurfaceFormat::Mz3 => mz3::decode_maps(path, &bytes)?,
        SurfaceFormat::Vtk | SurfaceFormat::VtkAscii => vtk::legacy_maps(path, &bytes)?,
        SurfaceFormat::Vtp => vtk::xml_maps(path, &bytes)?,
        SurfaceFormat::Ply => ply::decode_maps(path, &bytes)?,
        SurfaceFormat::FreeSurfer | SurfaceFormat::Glb | SurfaceFormat::Obj => Vec::new(),
        SurfaceFormat::Stl | SurfaceFormat::MniObj => Vec::new(),
    };
    whole(path, maps.into_iter().map(VertexValues::Shape).collect())
}

/// Maps as they are, where there are any and all are of one length.
fn whole(path: &Path, maps: Vec<VertexValues>) -> Result<Vec<VertexValues>> {
    let Some(expected) = maps.first().map(VertexValues::len) else {
        return Err(fault::invalid(path, "maps", "at least one map of values a vertex", "none"));
    };
    if let Some(map) = maps.iter().find(|m| m.len() != expected) {
        return Err(fault::invalid(path, "map length", expected.to_string(), map.len()));
    }
    Ok(maps)
}
