use crate::args::MeshCommand;
use crate::commands::{print_bytes, print_line};
use crate::{Error, ExitCode, LayerResults, Progress, Result};
use brainmesh_core::{BOUNDARY_COUNT, Grid, LAYER_NAMES, LabelTable, Monitor, Surface, Uncounted, Volume, layer_color};
use brainmesh_formats::{
    Error as FormatsError, VolumeFormat, VolumeOptions, VolumeWriter, read_surface, read_vertex_mask,
};
use brainmesh_meshing::{label_layers, layer_fractions};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Endings of layer surfaces that are looked for.
const ENDINGS: [&str; 8] = ["surf.gii", "vtp", "vtk", "ply", "mz3", "fs", "stl", "obj"];

pub(super) fn run(arguments: &MeshCommand, progress: &Progress) -> Result<ExitCode> {
    let Some(like) = &arguments.like else { return Err(Error::Usage("--label-volume: expected --like FILE".into())) };
    let out = &arguments.out;
    VolumeFormat::of_output(out).map_err(|error| Error::Usage(format!("--out: {error}")))?;
    let grid = VolumeOptions::default().open(like)?.grid().clone();
    let surfaces = read_layers(&arguments.input)?;
    let unfit = |error| match error {
        brainmesh_meshing::Error::Cancelled(_) => Error::Cancelled,
        error => Error::Unusable(format!("{}: {error}", arguments.input.display())),
    };
    let at_output = |error| match error {
        FormatsError::Io { path, source } if path == *out => Error::Write { path, source },
        error => error.into(),
    };
    let voxel_mm3 = grid.affine().matrix3.determinant().abs();
    let mut ambiguous = None;
    let volumes_mm3: Vec<f64> = if arguments.partial_volume {
        let shares = layer_fractions(&surfaces, &grid, arguments.lines.into(), progress).map_err(unfit)?;
        VolumeWriter::default().write(out, &shares, &Uncounted(progress)).map_err(at_output)?;
        shares.iter().map(|v| v.data().iter().map(|&s| f64::from(s)).sum::<f64>() * voxel_mm3).collect()
    } else {
        let found = label_layers(&surfaces, &grid, progress).map_err(unfit)?;
        let writer = VolumeWriter::default().with_labels(layer_table());
        writer.write(out, std::slice::from_ref(&found.volume), &Uncounted(progress)).map_err(at_output)?;
        ambiguous = Some(found.ambiguous);
        let mut counts = [0u64; BOUNDARY_COUNT];
        found.volume.data().iter().for_each(|&label| counts[usize::from(label)] += 1);
        counts[1..].iter().map(|&count| count as f64 * voxel_mm3).collect()
    };
    progress.finish();
    summarise(arguments, &grid, &volumes_mm3, ambiguous);
    Ok(ExitCode::Done)
}

/// The seven surfaces of a result, without the triangles at vertices where its thickness says that there are no layers:
/// there surfaces have places, but mean nothing.
fn read_layers(folder: &Path) -> Result<Vec<Surface>> {
    let ending = ENDINGS.iter().find(|ending| folder.join(format!("layer0.{ending}")).is_file());
    let Some(ending) = ending else {
        let folder = folder.display();
        return Err(Error::Unusable(format!(
            "{folder}: expected a folder with layer0.surf.gii to layer6.surf.gii (or another surface format), found no layer0"
        )));
    };
    let paths: Vec<PathBuf> = (0..BOUNDARY_COUNT).map(|k| folder.join(format!("layer{k}.{ending}"))).collect();
    let surfaces = paths.par_iter().map(|path| Ok(read_surface(path)?)).collect::<Result<Vec<_>>>()?;
    let thickness = folder.join("thickness.shape.gii");
    if !thickness.is_file() {
        return Ok(surfaces);
    }
    let has_layers = read_vertex_mask(&thickness, surfaces[0].vertices().len())?;
    let fit = |error: brainmesh_core::Error| Error::Unusable(format!("{}: {error}", folder.display()));
    surfaces.iter().map(|surface| where_layers_are(surface, &has_layers).map_err(fit)).collect()
}

/// A surface without the triangles at vertices that have no layers.
fn where_layers_are(surface: &Surface, has_layers: &[bool]) -> brainmesh_core::Result<Surface> {
    let has_layers = |v: u32| has_layers.get(v as usize) == Some(&true);
    let triangles = surface.triangles().iter().filter(|triangle| triangle.iter().all(|&v| has_layers(v)));
    Surface::new(surface.vertices().to_vec(), triangles.copied().collect(), surface.structure())
}

impl LayerResults {
    /// The layer, 1 to 6, of every voxel of a grid; 0 outside.
    ///
    /// # Errors
    /// Surfaces that bound no layers; cancelled.
    pub fn label_volume(&self, grid: &Grid, monitor: &dyn Monitor) -> Result<Volume<u8>> {
        let has_layers: Vec<bool> = self.thickness_mm[0].iter().map(|mm| *mm > 0.0).collect();
        let surfaces = self.surfaces.iter().map(|surface| where_layers_are(surface, &has_layers));
        let surfaces = surfaces.collect::<brainmesh_core::Result<Vec<_>>>()?;
        Ok(label_layers(&surfaces, grid, monitor)?.volume)
    }
}

/// Names and colours of the labels of layers.
pub fn layer_table() -> LabelTable {
    let mut table = LabelTable::default();
    for (k, name) in (1..).zip(LAYER_NAMES) {
        let [r, g, b] = layer_color(k as usize);
        table.insert(k, format!("layer {name}"), [r, g, b, 1.0]);
    }
    table
}

fn summarise(arguments: &MeshCommand, grid: &Grid, volumes_mm3: &[f64], ambiguous: Option<u64>) {
    if arguments.json {
        let layer = |(name, mm3): (&&str, &f64)| json!({ "layer": name, "volume_mm3": mm3 });
        let layers: Vec<Value> = LAYER_NAMES.iter().zip(volumes_mm3).map(layer).collect();
        let report = json!({
            "schema": "brainmesh-label-volume-1", "output": arguments.out, "shape": grid.shape(),
            "layers": layers, "ambiguous_voxels": ambiguous,
        });
        print_bytes(format!("{report:#}\n").as_bytes());
        return;
    }
    for (name, mm3) in LAYER_NAMES.iter().zip(volumes_mm3) {
        print_line(format!("layer {name:<3} {mm3:>12.1} mm3"));
    }
    if let Some(count) = ambiguous.filter(|&count| count > 0) {
        print_line(format!("{count} voxels lie in several layers, since surfaces cross: they have the outermost"));
    }
    print_line(format!("written   {}", arguments.out.display()));
}
