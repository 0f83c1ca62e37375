//! Surfaces of labels and isosurfaces; layers of voxels from surfaces.

mod label_volume;
mod output;
mod slabs;

use crate::args::MeshCommand;
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::{Label, LabelTable, Monitor, Surface, Uncounted, Volume};
use brainmesh_formats::{StoredType, VolumeOptions, VolumeReader, Voxel};
use brainmesh_meshing::{DecimateOptions, Interfaces, Isosurface, LabelValue, SurfaceNets, SurfaceSmoother, decimate};
pub use label_volume::layer_table;
pub use output::Made;
use output::Output;
use rayon::prelude::*;
use slabs::{Voxels, each_slab, keep_labels};
use std::collections::BTreeMap;

/// Times all surfaces of labels are smoothed together where nothing else is asked for.
const RELAX: u16 = 20;

pub fn run(arguments: &MeshCommand, progress: &Progress) -> Result<ExitCode> {
    if arguments.label_volume {
        return label_volume::run(arguments, progress);
    }
    check(arguments)?;
    let output = Output::new(arguments)?;
    let (reader, index) = open(arguments)?;
    let made = from_file(arguments, &reader, index, progress)?;
    output.write(arguments, &made, progress)?;
    Ok(ExitCode::Done)
}

/// Surfaces of a file, as `brainmesh mesh` makes them.
///
/// # Errors
/// As the command; nothing is written.
pub fn mesh_file(arguments: &MeshCommand, monitor: &dyn Monitor) -> Result<Vec<Made>> {
    check(arguments)?;
    let (reader, index) = open(arguments)?;
    from_file(arguments, &reader, index, monitor)
}

/// Surfaces of labels in memory. Messages name it as the arguments name the input.
///
/// # Errors
/// As the command.
pub fn mesh_labels(arguments: &MeshCommand, volume: &Volume<u32>, monitor: &dyn Monitor) -> Result<Vec<Made>> {
    check(arguments)?;
    labels(arguments, &Voxels::Memory(volume), &LabelTable::default(), monitor)
}

/// The surface around what is above `--isovalue` in memory.
///
/// # Errors
/// As the command.
pub fn mesh_values(arguments: &MeshCommand, volume: &Volume<f32>, monitor: &dyn Monitor) -> Result<Vec<Made>> {
    check(arguments)?;
    isosurface(arguments, &Voxels::Memory(volume), arguments.isovalue.unwrap_or_default(), monitor)
}

fn check(arguments: &MeshCommand) -> Result<()> {
    if let Some(share) = arguments.decimate.filter(|share| !(*share > 0.0 && *share <= 1.0)) {
        return Err(Error::Usage(format!("--decimate: expected above 0 and at most 1, found {share}")));
    }
    if let Some(mm) = arguments.max_error_mm.filter(|mm| mm.is_nan() || *mm <= 0.0) {
        return Err(Error::Usage(format!("--max-error-mm: expected above 0, found {mm}")));
    }
    if let Some(value) = arguments.isovalue.filter(|value| !value.is_finite()) {
        return Err(Error::Usage(format!("--isovalue: expected a number, found {value}")));
    }
    if arguments.labels.contains(&0) {
        return Err(Error::Usage("--labels: 0 is background and has no surface".into()));
    }
    Ok(())
}

fn from_file(arguments: &MeshCommand, reader: &VolumeReader, index: usize, monitor: &dyn Monitor) -> Result<Vec<Made>> {
    let table = reader.labels();
    match (arguments.isovalue, reader.stored()) {
        (Some(isovalue), _) => isosurface(arguments, &Voxels::File(reader, index), isovalue, monitor),
        (None, StoredType::Uint8) => labels::<u8>(arguments, &Voxels::File(reader, index), table, monitor),
        (None, StoredType::Int8 | StoredType::Int16 | StoredType::Uint16) => {
            labels::<u16>(arguments, &Voxels::File(reader, index), table, monitor)
        }
        (None, _) => labels::<u32>(arguments, &Voxels::File(reader, index), table, monitor),
    }
}

fn open(arguments: &MeshCommand) -> Result<(VolumeReader, usize)> {
    let mut options = VolumeOptions::default();
    if let Some(index) = arguments.volume {
        options = options.with_volume_index(index);
    }
    let path = &arguments.input;
    let reader = options.open(path)?;
    for warning in &reader.info().warnings {
        tracing::warn!("{}: {warning}", path.display());
    }
    let volumes = reader.info().volumes;
    if volumes > 1 && arguments.volume.is_none() {
        let path = path.display();
        return Err(Error::Unusable(format!("{path}: expected 1 volume, found {volumes}; --volume N chooses one")));
    }
    reader.load()?;
    Ok((reader, arguments.volume.unwrap_or(0)))
}

fn isosurface(
    arguments: &MeshCommand,
    voxels: &Voxels<f32>,
    isovalue: f32,
    progress: &dyn Monitor,
) -> Result<Vec<Made>> {
    let mut isosurface = Isosurface::new(voxels.grid().clone(), isovalue);
    each_slab(voxels, progress, |slab| Ok(isosurface.push(slab, &Uncounted(progress))?))?;
    let named = |error| unusable(arguments, error);
    let mut interfaces = isosurface.interfaces(progress).map_err(named)?;
    interfaces.relax(arguments.relax.unwrap_or(0).into(), progress)?;
    let surface = finished(arguments, interfaces.surface(1)?, progress)?;
    Ok(vec![Made { value: None, label: None, voxels: None, surface }])
}

fn labels<L: LabelValue + Voxel + From<u8>>(
    arguments: &MeshCommand,
    voxels: &Voxels<L>,
    table: &LabelTable,
    progress: &dyn Monitor,
) -> Result<Vec<Made>> {
    let mut nets = SurfaceNets::<L>::new(voxels.grid().clone());
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    each_slab(voxels, progress, |slab| {
        keep_labels(slab, &arguments.labels, &arguments.input, &mut counts)?;
        Ok(nets.push(slab, &Uncounted(progress))?)
    })?;
    if let Some(missing) = arguments.labels.iter().find(|label| !counts.contains_key(label)) {
        let path = arguments.input.display();
        return Err(Error::Unusable(format!("{path}: expected voxels of label {missing} (--labels), found none")));
    }
    let mut interfaces: Interfaces<L> = nets.finish(progress).map_err(|error| unusable(arguments, error))?;
    interfaces.relax(arguments.relax.unwrap_or(RELAX).into(), progress)?;
    let labels = interfaces.labels();
    let surfaces = interfaces.surfaces(&labels, progress)?;
    drop(interfaces);
    labels
        .into_par_iter()
        .zip(surfaces)
        .map(|(label, surface)| {
            let value: u32 = label.into();
            Ok(Made {
                value: Some(value),
                label: name(table, value),
                voxels: counts.get(&value).copied(),
                surface: finished(arguments, surface, progress)?,
            })
        })
        .collect()
}

fn name(table: &LabelTable, value: u32) -> Option<Label> {
    table.get(i32::try_from(value).ok()?).cloned()
}

/// What cannot be meshed is the fault of the file.
fn unusable(arguments: &MeshCommand, error: brainmesh_meshing::Error) -> Error {
    match error {
        brainmesh_meshing::Error::Cancelled(_) => Error::Cancelled,
        error => Error::Unusable(format!("{}: {error}", arguments.input.display())),
    }
}

/// A surface smoothed and thinned out as asked.
fn finished(arguments: &MeshCommand, surface: Surface, progress: &dyn Monitor) -> Result<Surface> {
    let surface = if arguments.smooth > 0 {
        let mut smoother = SurfaceSmoother::new(&surface);
        smoother.run(arguments.smooth.into(), &Uncounted(progress))?;
        smoother.surface()?
    } else {
        surface
    };
    let Some(share) = arguments.decimate else { return Ok(surface) };
    let options = DecimateOptions {
        target_triangles: (surface.triangles().len() as f64 * share).round() as usize,
        max_error_mm: arguments.max_error_mm.unwrap_or(f64::INFINITY),
        lock_borders: false,
    };
    Ok(decimate(&surface, &options)?.surface)
}
