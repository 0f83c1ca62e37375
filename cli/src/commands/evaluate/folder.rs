use crate::results::defect_of;
use crate::score::Comparison;
use crate::{Error, Result};
use brainmesh_core::{BOUNDARY_COUNT, LAYER_NAMES, RayDefect};
use glam::DVec3;
use ndarray::Array2;
use std::path::{Path, PathBuf};

/// A folder written by `rays2surface`, as far as scores need it.
pub(super) struct ResultFolder {
    path: PathBuf,
    /// Thickness of the six layers `[vertices, 6]` in mm, NaN where there are no layers.
    pub thickness_mm: Array2<f64>,
    /// Standard deviations `[vertices, 7]` in mm, NaN where there are none.
    pub sd_mm: Array2<f64>,
    /// The defect of every vertex, filled or missing, where the folder has `defects.label.gii`.
    defects: Option<Vec<Option<RayDefect>>>,
}

impl ResultFolder {
    pub fn read(folder: &Path) -> Result<Self> {
        let names = LAYER_NAMES.map(String::from);
        let thickness_mm = read_maps(&folder.join("thickness.shape.gii"), &names, None)?;
        let n = thickness_mm.nrows();
        let path = folder.join("uncertainty.shape.gii");
        let names: [String; BOUNDARY_COUNT] = std::array::from_fn(|k| format!("layer{k}"));
        let sd_mm = if path.exists() {
            read_maps(&path, &names, Some(n))?
        } else {
            Array2::from_elem((n, BOUNDARY_COUNT), f64::NAN)
        };
        let path = folder.join("defects.label.gii");
        let mut defects = None;
        if path.exists() {
            let labels = brainmesh_formats::read_label_gifti(&path)?.labels;
            same_length(&path, "labels", n, labels.len())?;
            defects = Some(labels.into_iter().map(defect_of).collect());
        }
        Ok(Self { path: folder.into(), thickness_mm, sd_mm, defects })
    }

    pub fn len(&self) -> usize {
        self.thickness_mm.nrows()
    }

    pub fn has_layers(&self, vertex: usize) -> bool {
        self.thickness_mm.row(vertex).iter().all(|t| t.is_finite())
    }

    /// The seven surfaces' points of every vertex.
    pub fn points(&self) -> Result<Vec<[DVec3; BOUNDARY_COUNT]>> {
        let mut points = vec![[DVec3::ZERO; BOUNDARY_COUNT]; self.len()];
        for k in 0..BOUNDARY_COUNT {
            let path = self.path.join(format!("layer{k}.surf.gii"));
            let surface = brainmesh_formats::read_surface(&path)?;
            same_length(&path, "vertices", self.len(), surface.vertices().len())?;
            points.iter_mut().zip(surface.vertices()).for_each(|(point, v)| point[k] = v.0);
        }
        Ok(points)
    }

    /// A comparison of which only the result's side is known: what to score and what was refused.
    pub fn comparison(&self) -> Comparison {
        let mut comparison = Comparison::with_rays(self.len());
        for vertex in 0..self.len() {
            let defect = self.defects.as_ref().map(|defects| defects[vertex]);
            // Without labels nobody knows why a vertex has no layers: it is left out.
            let elsewhere = match defect {
                Some(defect) => matches!(defect, Some(RayDefect::NoCortex | RayDefect::Masked)),
                None => !self.has_layers(vertex),
            };
            comparison.scored[vertex] = !elsewhere;
            comparison.interpolated[vertex] = defect == Some(Some(RayDefect::NotSampled));
            comparison.refused[vertex] = !elsewhere && !comparison.interpolated[vertex] && defect.flatten().is_some();
        }
        comparison
    }
}

/// Named maps of a shape file as columns.
fn read_maps(path: &Path, names: &[String], expected: Option<usize>) -> Result<Array2<f64>> {
    let maps = brainmesh_formats::read_shape_gifti(path)?;
    let column = |name: &String| {
        let map = maps.iter().find(|m| m.name == *name);
        map.ok_or_else(|| Error::Unusable(format!("{}: no map named {name}", path.display())))
    };
    let columns = names.iter().map(column).collect::<Result<Vec<_>>>()?;
    let n = expected.unwrap_or(columns[0].values.len());
    for map in &columns {
        same_length(path, &format!("values of {}", map.name), n, map.values.len())?;
    }
    Ok(Array2::from_shape_fn((n, names.len()), |(v, k)| f64::from(columns[k].values[v])))
}

pub(super) fn same_length(path: &Path, what: &str, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::Unusable(format!("{}: expected {expected} {what}, found {found}", path.display())))
}
