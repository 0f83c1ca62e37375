//! Maps of values a vertex: smoothing, thickness, area, curvature.

use super::write_map::{Map, MapFormat, write};
use super::{check_fwhm, read_surface};
use crate::args::{AreaCommand, CurvatureArg, CurvatureCommand, SmoothMapCommand, ThicknessArg, ThicknessCommand};
use crate::input::read_ribbon;
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::{Monitor, Surface};
use brainmesh_formats::VertexValues;
use brainmesh_meshing::{Diffusion, closest_thickness_mm, gaussian_curvature, mean_curvature, vertex_areas_mm2};
use ndarray::Array2;
use std::path::Path;

pub fn smooth_map(arguments: &SmoothMapCommand, progress: &Progress) -> Result<ExitCode> {
    check_fwhm(arguments.fwhm_mm)?;
    MapFormat::of(&arguments.output.out, 1)?;
    let surface = read_surface(&arguments.surface)?;
    let mut maps = read_numbers(&arguments.map, &surface, &arguments.surface)?;
    let format = MapFormat::of(&arguments.output.out, maps.len())?;
    let mask = match &arguments.mask {
        Some(path) => brainmesh_formats::read_vertex_mask(path, surface.vertices().len())?,
        None => vec![true; surface.vertices().len()],
    };
    for (_, values) in &mut maps {
        *values = smooth(&surface, values, &mask, arguments.fwhm_mm, progress)?;
    }
    progress.finish();
    write(&arguments.output, format, &surface, &maps)?;
    Ok(ExitCode::Done)
}

/// Values that are not finite, and those outside the mask, stay as they are and touch no other.
fn smooth(surface: &Surface, values: &[f32], mask: &[bool], fwhm_mm: f64, monitor: &dyn Monitor) -> Result<Vec<f32>> {
    let used = |v: usize| mask[v] && values[v].is_finite();
    let clean = Array2::from_shape_fn((values.len(), 1), |(v, _)| if used(v) { values[v] } else { 0.0 });
    let smooth = Diffusion::new(surface, used).smooth(&clean, fwhm_mm, monitor)?;
    Ok((0..values.len()).map(|v| if used(v) { smooth[[v, 0]] } else { values[v] }).collect())
}

fn read_numbers(path: &Path, surface: &Surface, of: &Path) -> Result<Vec<Map>> {
    let expected = surface.vertices().len();
    brainmesh_formats::read_vertex_maps(path)?
        .into_iter()
        .enumerate()
        .map(|(n, map)| match map {
            VertexValues::Shape(map) if map.values.len() == expected => {
                let name = if map.name.is_empty() { format!("map{n}") } else { map.name };
                Ok((name, map.values))
            }
            VertexValues::Shape(map) => Err(Error::Unusable(format!(
                "{}: expected {expected} values, one for every vertex of {}, found {}",
                path.display(),
                of.display(),
                map.values.len()
            ))),
            VertexValues::Labels(_) => {
                Err(Error::Unusable(format!("{}: expected numbers, found labels", path.display())))
            }
        })
        .collect()
}

pub fn thickness(arguments: &ThicknessCommand, progress: &Progress) -> Result<ExitCode> {
    let (linked, closest) = match arguments.method {
        ThicknessArg::Linked => (true, false),
        ThicknessArg::Closest => (false, true),
        ThicknessArg::Both => (true, true),
    };
    let format = MapFormat::of(&arguments.output.out, usize::from(linked) + usize::from(closest))?;
    let ribbon = read_ribbon(&arguments.pial, &arguments.white)?;
    let mut maps = Vec::new();
    if closest {
        maps.push(map("thickness", closest_thickness_mm(&ribbon, progress)?));
    }
    if linked {
        maps.push(map("linked_thickness", ribbon.thickness_mm()));
    }
    progress.finish();
    write(&arguments.output, format, ribbon.pial(), &maps)?;
    Ok(ExitCode::Done)
}

pub fn area(arguments: &AreaCommand, progress: &Progress) -> Result<ExitCode> {
    let format = MapFormat::of(&arguments.output.out, 1)?;
    let surface = read_surface(&arguments.surface)?;
    progress.finish();
    write(&arguments.output, format, &surface, &[map("area", vertex_areas_mm2(&surface))])?;
    Ok(ExitCode::Done)
}

pub fn curvature(arguments: &CurvatureCommand, progress: &Progress) -> Result<ExitCode> {
    check_fwhm(arguments.fwhm_mm)?;
    let (mean, gaussian) = match arguments.kind {
        CurvatureArg::Mean => (true, false),
        CurvatureArg::Gaussian => (false, true),
        CurvatureArg::Both => (true, true),
    };
    let format = MapFormat::of(&arguments.output.out, usize::from(mean) + usize::from(gaussian))?;
    let surface = read_surface(&arguments.surface)?;
    let mut maps = Vec::new();
    if mean {
        maps.push(map("mean_curvature", mean_curvature(&surface)));
    }
    if gaussian {
        maps.push(map("gaussian_curvature", gaussian_curvature(&surface)));
    }
    let everywhere = vec![true; surface.vertices().len()];
    for (_, values) in &mut maps {
        *values = smooth(&surface, values, &everywhere, arguments.fwhm_mm, progress)?;
    }
    progress.finish();
    write(&arguments.output, format, &surface, &maps)?;
    Ok(ExitCode::Done)
}

fn map(name: &str, values: Vec<f64>) -> Map {
    (name.into(), values.into_iter().map(|v| v as f32).collect())
}
