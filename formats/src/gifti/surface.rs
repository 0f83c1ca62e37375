use super::array::{Metadata, STRUCTURE_KEY, structure_from, structure_name};
use super::write::{Block, BlockValues, Encoded, write_gifti};
use super::{GiftiFile, array::DataArray};
use crate::decoded_surface::DecodedSurface;
use crate::numbers::Values;
use crate::surface_math::vertices_f32;
use crate::{Result, fault};
use brainmesh_core::{LabelTable, Surface, WorldPoint};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// The surface of a GIFTI file: exactly one POINTSET and one TRIANGLE array, in either order; other arrays are ignored.
pub(crate) fn surface_from(path: &Path, file: &GiftiFile) -> Result<DecodedSurface> {
    let points = only(path, file, "NIFTI_INTENT_POINTSET")?;
    let faces = only(path, file, "NIFTI_INTENT_TRIANGLE")?;
    let coordinates = points.values.to_f64();
    let vertices = coordinates.as_chunks::<3>().0.iter().map(|&[x, y, z]| WorldPoint::new(x, y, z)).collect();
    let Values::Integer(indices) = &faces.values else {
        return Err(fault::invalid(path, "TRIANGLE DataType", "an integer type", "a float type"));
    };
    let index =
        |&v: &i64| u32::try_from(v).map_err(|_| fault::invalid(path, "TRIANGLE index", "at least 0 and below 2^32", v));
    let triangles = indices
        .as_chunks::<3>()
        .0
        .iter()
        .map(|[a, b, c]| Ok([index(a)?, index(b)?, index(c)?]))
        .collect::<Result<_>>()?;
    let structure = structure_from(&points.metadata)
        .or_else(|| structure_from(&faces.metadata))
        .or_else(|| structure_from(&file.metadata))
        .unwrap_or_default();
    let surface = Surface::new(vertices, triangles, structure).map_err(fault::core(path))?;
    let mut decoded = DecodedSurface { space: points.data_space.clone(), ..DecodedSurface::new(surface) };
    if points.data_space.as_deref() == Some("NIFTI_XFORM_UNKNOWN") {
        decoded.warn("DataSpace is NIFTI_XFORM_UNKNOWN: coordinates may be FreeSurfer's surface RAS, off the volume");
    }
    if points.moves {
        decoded.warn("the matrix to another space (CoordinateSystemTransformMatrix) is not applied");
    }
    for other in file.arrays.iter().filter(|a| a.intent != points.intent && a.intent != faces.intent) {
        decoded.warn(format!("the array {} is not part of the surface", other.intent));
    }
    Ok(decoded)
}

fn only<'f>(path: &Path, file: &'f GiftiFile, intent: &str) -> Result<&'f DataArray> {
    let mut found = file.arrays.iter().filter(|a| a.intent == intent);
    match (found.next(), found.count()) {
        (Some(array), 0) if array.columns == 3 => Ok(array),
        (Some(array), 0) => Err(fault::invalid(path, format!("{intent} Dim1"), "3", array.columns)),
        (first, more) => {
            let count = more + usize::from(first.is_some());
            Err(fault::invalid(path, format!("{intent} arrays"), "exactly 1", count))
        }
    }
}

/// POINTSET float32 and TRIANGLE int32, with the metadata Connectome Workbench wants and an identity coordinate system.
pub(crate) fn write_surface_gifti(path: &Path, surface: &Surface) -> Result<()> {
    Topology::new(path, surface)?.write(path, surface)
}

/// Writes surfaces as GIFTI, several at a time; those that share their triangles with the first have them encoded once.
///
/// # Errors
/// A coordinate beyond float32, an index beyond 2^31, or a folder that cannot be written.
pub fn write_surfaces_gifti(files: &[(PathBuf, &Surface)]) -> Result<()> {
    let Some((path, first)) = files.first() else { return Ok(()) };
    let topology = Topology::new(path, first)?;
    files.par_iter().try_for_each(|(path, surface)| match surface.triangles() == first.triangles() {
        true => topology.write(path, surface),
        false => write_surface_gifti(path, surface),
    })
}

/// Triangles as they are written.
struct Topology {
    triangles: Encoded,
    kind: &'static str,
}

impl Topology {
    fn new(path: &Path, surface: &Surface) -> Result<Self> {
        let mut indices = Vec::with_capacity(surface.triangles().len() * 3);
        for v in surface.triangles().iter().flatten() {
            let index =
                i32::try_from(*v).map_err(|_| fault::unsupported(path, "vertex index", v, "below 2^31 in GIFTI"))?;
            indices.push(index);
        }
        let kind = if surface.euler_characteristic() == 2 { "Closed" } else { "Open" };
        Ok(Self { triangles: Encoded::i32(&indices).map_err(fault::io(path))?, kind })
    }

    fn write(&self, path: &Path, surface: &Surface) -> Result<()> {
        let coordinates = vertices_f32(path, surface)?;
        let mut metadata = Metadata::from([("GeometricType".to_owned(), "Anatomical".to_owned())]);
        if let Some(name) = structure_name(surface.structure()) {
            metadata.insert(STRUCTURE_KEY.to_owned(), name.to_owned());
        }
        let points = Block {
            intent: "NIFTI_INTENT_POINTSET",
            columns: Some(3),
            values: BlockValues::F32(coordinates.as_flattened()),
            metadata,
            coordinate_system: true,
        };
        let triangles = Block {
            intent: "NIFTI_INTENT_TRIANGLE",
            columns: Some(3),
            values: BlockValues::Encoded(&self.triangles),
            metadata: Metadata::from([("TopologicalType".to_owned(), self.kind.to_owned())]),
            coordinate_system: false,
        };
        write_gifti(path, &Metadata::new(), &LabelTable::default(), &[points, triangles])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brainmesh_core::Structure;

    #[test]
    fn surfaces_written_together_are_those_written_alone() {
        let at =
            |z: f64| [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)].map(|(x, y)| WorldPoint::new(x, y, z)).to_vec();
        let first = Surface::new(at(0.0), vec![[0, 1, 2], [1, 3, 2]], Structure::CortexLeft).unwrap();
        let same = first.with_vertices(at(2.5)).unwrap();
        let other = Surface::new(at(5.0), vec![[0, 1, 3]], Structure::CortexLeft).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let files = [(path("0.gii"), &first), (path("1.gii"), &same), (path("2.gii"), &other)];
        write_surfaces_gifti(&files).unwrap();
        for (together, surface) in &files {
            let alone = path("alone.gii");
            write_surface_gifti(&alone, surface).unwrap();
            assert_eq!(std::fs::read(together).unwrap(), std::fs::read(&alone).unwrap());
            let back = surface_from(together, &super::super::read_file(together).unwrap()).unwrap().surface;
            assert_eq!((back.vertices(), back.triangles()), (surface.vertices(), surface.triangles()));
        }
    }
}
