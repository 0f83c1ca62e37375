//! Surfaces of labels and isosurfaces; layers of voxels from surfaces.

mod label_volume;
mod output;
mod slabs;

use crate::args::MeshCommand;
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::{Label, LabelTable, Surface, Uncounted};
use brainmesh_formats::{StoredType, VolumeOptions, VolumeReader, Voxel};
use brainmesh_meshing::{DecimateOptions, Interfaces, Isosurface, LabelValue, SurfaceNets, SurfaceSmoother, decimate};
use output::{Made, Output};
use rayon::prelude::*;
use slabs::{each_slab, keep_labels};
use std::collections::BTreeMap;

/// Times all surfaces of labels are smoothed together where nothing else is asked for.
const RELAX: u16 = 20;

pub fn run(arguments: &MeshCommand, progress: &Progress) -> Result<ExitCode> {
    if arguments.label_volume {
        return label_volume::run(arguments, progress);
    }
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
    let output = Output::new(arguments)?;
    let (reader, index) = open(arguments)?;
    let made = match arguments.isovalue {
        Some(isovalue) => isosurface(arguments, &reader, index, isovalue, progress)?,
        None => match reader.stored() {
            StoredType::Uint8 => labels::<u8>(arguments, &reader, index, progress)?,
            StoredType::Int8 | StoredType::Int16 | StoredType::Uint16 => {
                labels::<u16>(arguments, &reader, index, progress)?
            }
            _ => labels::<u32>(arguments, &reader, index, progress)?,
        },
    };
    output.write(arguments, &made, progress)?;
    Ok(ExitCode::Done)
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
    reader: &VolumeReader,
    index: usize,
    isovalue: f32,
    progress: &Progress,
) -> Result<Vec<Made>> {
    let mut isosurface = Isosurface::new(reader.grid().clone(), isovalue);
    each_slab::<f32>(reader, index, progress, |slab| Ok(isosurface.push(slab, &Uncounted(progress))?))?;
    let named = |error| unusable(arguments, error);
    let mut interfaces = isosurface.interfaces(progress).map_err(named)?;
    interfaces.relax(arguments.relax.unwrap_or(0).into(), progress)?;
    let surface = finished(arguments, interfaces.surface(1)?, progress)?;
    Ok(vec![Made { value: None, label: None, voxels: None, surface }])
}

fn labels<L: LabelValue + Voxel + From<u8>>(
    arguments: &MeshCommand,
    reader: &VolumeReader,
    index: usize,
    progress: &Progress,
) -> Result<Vec<Made>> {
    let mut nets = SurfaceNets::<L>::new(reader.grid().clone());
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    each_slab::<L>(reader, index, progress, |slab| {
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
                label: name(reader.labels(), value),
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
fn finished(arguments: &MeshCommand, surface: Surface, progress: &Progress) -> Result<Surface> {
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
