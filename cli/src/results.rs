use crate::layers::Layers;
use crate::output::{json_text, write_text};
use crate::{Error, Report, Result};
use brainmesh_core::{BOUNDARY_COUNT, LAYER_NAMES, LabelTable, RayDefect, RayOutcome, Structure, Surface, layer_color};
use brainmesh_formats::{SceneSurface, SurfaceFormat, VertexMaps};
use ndarray::Array2;
use std::path::Path;

const THICKNESS: &str = "thickness.shape.gii";
const UNCERTAINTY: &str = "uncertainty.shape.gii";
const DEFECTS: &str = "defects.label.gii";
const REPORT: &str = "report.json";

/// Layers as a folder of `rays2surface` holds them, found or read.
#[derive(Debug, Clone)]
pub struct LayerResults {
    /// Seven surfaces from the pia inwards, which share their triangles.
    pub surfaces: [Surface; BOUNDARY_COUNT],
    /// Thickness in mm at every vertex: total, then layers I to VI. NaN where there are no layers.
    pub thickness_mm: [Vec<f32>; BOUNDARY_COUNT],
    /// Standard deviation in mm of each boundary along its ray at every vertex. NaN where there are no layers.
    pub uncertainty_mm: [Vec<f32>; BOUNDARY_COUNT],
    /// A code at every vertex, named in `defect_names`; 0 none.
    pub defects: Vec<i32>,
    /// Name and colour of each code.
    pub defect_names: LabelTable,
    /// The text of `report.json`.
    pub report: String,
}

/// Names of the maps of thickness.
fn thickness_names() -> impl Iterator<Item = String> {
    std::iter::once("total").chain(LAYER_NAMES).map(Into::into)
}

/// Names of the surfaces, of their files, and of the maps of uncertainty.
fn surface_names() -> impl Iterator<Item = String> {
    (0..BOUNDARY_COUNT).map(|k| format!("layer{k}"))
}

fn named(names: impl Iterator<Item = String>, maps: &[Vec<f32>]) -> Vec<(String, &[f32])> {
    names.zip(maps.iter().map(Vec::as_slice)).collect()
}

impl LayerResults {
    pub(crate) fn new(layers: Layers, report: &Report) -> Result<Self> {
        let (defects, defect_names) = defect_labels(&layers);
        let columns = |columns: &Array2<f64>| {
            // Where there are no layers there is no position to be sure of: NaN, as for thickness.
            let finite = |v: f64| if v.is_finite() { v as f32 } else { f32::NAN };
            std::array::from_fn(|k| columns.column(k).iter().map(|&v| finite(v)).collect())
        };
        Ok(Self {
            thickness_mm: columns(&layers.thickness_mm),
            uncertainty_mm: columns(layers.boundaries.sd_mm()),
            surfaces: layers.surfaces.into_surfaces(),
            defects,
            defect_names,
            report: json_text(Path::new(REPORT), report)?,
        })
    }

    /// Reads a folder that was written before.
    ///
    /// # Errors
    /// Files that are missing, cannot be read, or do not fit each other.
    pub fn read(folder: &Path) -> Result<Self> {
        let surfaces = surface_names()
            .map(|name| Ok(brainmesh_formats::read_surface(&folder.join(format!("{name}.surf.gii")))?))
            .collect::<Result<Vec<_>>>()?;
        let surfaces: [Surface; BOUNDARY_COUNT] =
            surfaces.try_into().map_err(|_| Error::Unusable("expected seven surfaces".into()))?;
        let n = surfaces[0].vertices().len();
        if let Some(k) = surfaces.iter().position(|surface| surface.triangles() != surfaces[0].triangles()) {
            let path = folder.join(format!("layer{k}.surf.gii"));
            return Err(Error::Unusable(format!(
                "{}: expected the triangles of layer0.surf.gii, found others",
                path.display()
            )));
        }
        let maps = |file: &str, names: &mut dyn Iterator<Item = String>| -> Result<[Vec<f32>; BOUNDARY_COUNT]> {
            let path = folder.join(file);
            let mut maps = brainmesh_formats::read_shape_gifti(&path)?;
            let mut found = Vec::new();
            for name in names {
                let map = maps.iter_mut().find(|map| map.name == name);
                let map = map.ok_or_else(|| Error::Unusable(format!("{}: no map named {name}", path.display())))?;
                if map.values.len() != n {
                    let found = map.values.len();
                    return Err(Error::Unusable(format!(
                        "{}: {name}: expected {n} values, found {found}",
                        path.display()
                    )));
                }
                found.push(std::mem::take(&mut map.values));
            }
            found.try_into().map_err(|_| Error::Unusable(format!("{}: expected seven maps", path.display())))
        };
        let labels = brainmesh_formats::read_label_gifti(&folder.join(DEFECTS))?;
        if labels.labels.len() != n {
            let (path, found) = (folder.join(DEFECTS), labels.labels.len());
            return Err(Error::Unusable(format!("{}: expected {n} labels, found {found}", path.display())));
        }
        let path = folder.join(REPORT);
        let report = std::fs::read_to_string(&path).map_err(|source| brainmesh_formats::Error::Io { path, source })?;
        Ok(Self {
            thickness_mm: maps(THICKNESS, &mut thickness_names())?,
            uncertainty_mm: maps(UNCERTAINTY, &mut surface_names())?,
            surfaces,
            defects: labels.labels,
            defect_names: labels.table,
            report,
        })
    }

    /// Writes every file into `folder`, surfaces as GIFTI and in further `formats`.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(crate) fn write(&self, folder: &Path, formats: &[SurfaceFormat]) -> Result<()> {
        let structure = self.surfaces[0].structure();
        let thickness = named(thickness_names(), &self.thickness_mm);
        write_maps(&folder.join(THICKNESS), &thickness, structure)?;
        write_maps(&folder.join(UNCERTAINTY), &named(surface_names(), &self.uncertainty_mm), structure)?;
        let (labels, table) = (&self.defects, &self.defect_names);
        brainmesh_formats::write_label_gifti(&folder.join(DEFECTS), "defects", labels, table, structure)?;
        let file = |name: String, format| folder.join(format!("{name}.{}", file_extension(format)));
        let files: Vec<_> = surface_names().map(|name| file(name, SurfaceFormat::Gifti)).zip(&self.surfaces).collect();
        brainmesh_formats::write_surfaces_gifti(&files)?;
        for format in formats.iter().filter(|f| **f != SurfaceFormat::Gifti) {
            for (k, (name, surface)) in surface_names().zip(&self.surfaces).enumerate() {
                let path = file(name.clone(), *format);
                if *format == SurfaceFormat::Glb {
                    let color = layer_color(k);
                    let scene = SceneSurface { color, ..SceneSurface::plain(name, surface) };
                    brainmesh_formats::write_scene(&path, &[scene])?;
                } else {
                    let maps = if format.carries_maps() { self.maps(k)? } else { VertexMaps::default() };
                    brainmesh_formats::write_surface(&path, surface, *format, (!maps.is_empty()).then_some(&maps))?;
                }
            }
            if *format == SurfaceFormat::Glb {
                brainmesh_formats::write_scene(&folder.join("layers.glb"), &SceneSurface::layers(&self.surfaces))?;
            }
        }
        write_text(&folder.join(REPORT), &self.report)
    }

    /// What a file of surface `k` carries: thickness of the layer above it, and how sure its place is.
    pub(crate) fn maps(&self, k: usize) -> Result<VertexMaps> {
        let mut maps = VertexMaps::default();
        if k > 0 {
            maps.push("thickness_mm", self.thickness_mm[k].clone())?;
        }
        maps.push("uncertainty_mm", self.uncertainty_mm[k].clone())?;
        Ok(maps)
    }

    /// Writes the folder `out` as `rays2surface` does: all files appear, or none.
    ///
    /// # Errors
    /// A folder or file that cannot be written.
    pub fn save(&self, out: &Path, formats: &[SurfaceFormat]) -> Result<Vec<std::path::PathBuf>> {
        let staging = crate::output::Staging::new(out)?;
        self.write(staging.path(), formats)?;
        staging.publish()
    }
}

fn write_maps(path: &Path, maps: &[(String, &[f32])], structure: Structure) -> Result<()> {
    let maps: Vec<(&str, &[f32])> = maps.iter().map(|(name, values)| (name.as_str(), *values)).collect();
    Ok(brainmesh_formats::write_shape_gifti(path, &maps, structure)?)
}

/// MNI and Wavefront share `.obj`: the MNI file says so, so that both can stand side by side.
pub(crate) fn file_extension(format: SurfaceFormat) -> String {
    match format {
        SurfaceFormat::MniObj => "mni.obj".into(),
        other => other.extension().into(),
    }
}

/// Label of vertices on triangles that cross, beyond every [`RayDefect`] code.
const CROSSING: i32 = 20;
/// Label of vertices that left their rays so that surfaces do not cross.
const MOVED: i32 = 21;
/// Added to the code of a defect where the ray was filled from its neighbours.
const FILLED: i32 = 10;

/// 0 none; the code of the defect where there are no layers; plus 10 where filled; 20 where surfaces cross; 21 where
/// they would have.
fn defect_labels(layers: &Layers) -> (Vec<i32>, LabelTable) {
    let mut table = LabelTable::default();
    table.insert(0, "none", [0.0, 0.0, 0.0, 0.0]);
    for (i, defect) in RayDefect::ALL.into_iter().enumerate() {
        let shade = 0.3 + 0.08 * i as f32;
        table.insert(defect.code(), format!("{} (missing)", defect.name()), [shade, 0.1, 0.1, 1.0]);
        table.insert(defect.code() + FILLED, format!("{} (filled)", defect.name()), [shade, shade, 0.1, 1.0]);
    }
    table.insert(CROSSING, "surfaces cross", [0.6, 0.0, 0.8, 1.0]);
    table.insert(MOVED, "moved off its ray", [0.2, 0.4, 0.8, 1.0]);
    let mut labels: Vec<i32> = layers
        .boundaries
        .outcomes()
        .iter()
        .map(|outcome| match outcome {
            RayOutcome::Measured => 0,
            RayOutcome::Filled(defect) => defect.code() + FILLED,
            RayOutcome::Missing(defect) => defect.code(),
        })
        .collect();
    let crossing = layers.certificate.vertices.iter().map(|&v| (v as usize, CROSSING));
    let moved = (0..labels.len()).filter(|&v| layers.moved[v]).map(|v| (v, MOVED));
    for (v, label) in crossing.chain(moved) {
        if labels[v] == 0 {
            labels[v] = label;
        }
    }
    (labels, table)
}

/// The defect that a label of `defects.label.gii` stands for, filled or missing.
pub(crate) fn defect_of(label: i32) -> Option<RayDefect> {
    RayDefect::ALL.into_iter().find(|defect| [defect.code(), defect.code() + FILLED].contains(&label))
}
