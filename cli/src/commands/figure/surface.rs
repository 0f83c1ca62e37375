use super::read;
use crate::args::{ColorsArg, FigureSurface};
use crate::page::{color_of, surface_names};
use crate::{Error, Result};
use brainmesh_core::{LAYER_NAMES, Surface};
use brainmesh_formats::{VertexValues, read_surface, read_vertex_maps};
use brainmesh_report::{ColorScale, Shaded, SurfaceFigure, SurfacePanel, ValueRange, View, render};
use std::path::Path;

/// Colour of a surface without a map.
const PLAIN: [u8; 3] = [205, 200, 192];
/// Pixels drawn for each unit of a figure.
const FINE: f64 = 2.0;

/// A map and what it is called.
struct Map {
    name: String,
    values: Vec<f32>,
}

pub(super) fn svg(arguments: &FigureSurface) -> Result<String> {
    let views = arguments.views.iter().map(|name| view(name)).collect::<Result<Vec<_>>>()?;
    let range = match arguments.range.as_slice() {
        [] => None,
        &[low, high] if low < high => Some(ValueRange { low, high }),
        other => {
            return Err(Error::Usage(format!("--range: expected two numbers, the smaller first, found {other:?}")));
        }
    };
    let (surface, name, map) = if arguments.input.is_dir() { of_result(arguments)? } else { of_file(arguments)? };
    let scale = match arguments.colors {
        ColorsArg::Viridis => ColorScale::Viridis,
        ColorsArg::Magma => ColorScale::Magma,
    };
    let range = match &map {
        Some(map) => {
            if map.values.len() != surface.vertices().len() {
                let (expected, found) = (surface.vertices().len(), map.values.len());
                return Err(Error::Unusable(format!("{}: expected {expected} values, found {found}", map.name)));
            }
            range.unwrap_or_else(|| ValueRange::between_shares(map.values.iter().copied(), 0.01, 0.99))
        }
        None => ValueRange { low: 0.0, high: 1.0 },
    };
    let colors = match &map {
        Some(map) => map.values.iter().map(|&v| color_of(scale, range, v)).collect(),
        None => vec![PLAIN; surface.vertices().len()],
    };
    let columns = arguments.columns.map_or(views.len().min(3), usize::from);
    let shaded = Shaded { surface: &surface, colors: &colors };
    let pixels = (f64::from(arguments.width) * FINE / columns as f64) as usize;
    let panels = views
        .into_iter()
        .map(|view| {
            let (picture, pixel_mm) = render(shaded, view, pixels)?;
            Ok(SurfacePanel { title: view.name().into(), picture, pixel_mm })
        })
        .collect::<Result<_>>()?;
    let title = arguments.output.title.clone().unwrap_or(name);
    let bar = map.map(|map| (scale, range, arguments.bar.clone().unwrap_or(map.name)));
    Ok(SurfaceFigure { title, panels, columns, lossy: false, bar }.svg(f64::from(arguments.width))?)
}

fn view(name: &str) -> Result<View> {
    View::of_name(name.trim()).ok_or_else(|| {
        let known: Vec<&str> = View::ALL.iter().map(|view| view.name()).collect();
        Error::Usage(format!("--views: expected {}, found {name}", known.join(", ")))
    })
}

fn of_result(arguments: &FigureSurface) -> Result<(Surface, String, Option<Map>)> {
    let (mut results, _) = read(&arguments.input)?;
    let k = usize::from(arguments.layer);
    let word = arguments.map.as_deref().unwrap_or("thickness");
    let map = match word.split_once(':') {
        None if word == "none" => None,
        None if word == "thickness" => Some(Map {
            name: "thickness of the cortex (mm)".into(),
            values: std::mem::take(&mut results.thickness_mm[0]),
        }),
        None if word == "uncertainty" => {
            let name = "standard deviation of the boundary (mm)".into();
            Some(Map { name, values: std::mem::take(&mut results.uncertainty_mm[k]) })
        }
        Some(("thickness", layer)) if LAYER_NAMES.contains(&layer) => {
            let n = LAYER_NAMES.iter().position(|name| *name == layer).unwrap_or(0);
            let name = format!("thickness of layer {layer} (mm)");
            Some(Map { name, values: std::mem::take(&mut results.thickness_mm[n + 1]) })
        }
        _ => {
            return Err(Error::Usage(format!(
                "--map: expected thickness, thickness:I to thickness:VI, uncertainty or none for a result, found {word}"
            )));
        }
    };
    let name = surface_names()[k].clone();
    let surface = results.surfaces.into_iter().nth(k);
    let surface = surface.ok_or_else(|| Error::Unusable("expected seven surfaces".into()))?;
    Ok((surface, name, map))
}

fn of_file(arguments: &FigureSurface) -> Result<(Surface, String, Option<Map>)> {
    let path = &arguments.input;
    if !path.exists() {
        return Err(Error::Missing { role: "surface", path: path.clone() });
    }
    let surface = read_surface(path)?;
    let map = arguments.map.as_deref().filter(|word| *word != "none").map(map_of_file).transpose()?;
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok((surface, name, map))
}

/// `FILE`, or `FILE:NAME`; a file whose own name has a colon is taken whole.
fn map_of_file(word: &str) -> Result<Map> {
    let (path, wanted) = match word.rsplit_once(':') {
        Some((path, name)) if !Path::new(word).exists() => (Path::new(path), Some(name)),
        _ => (Path::new(word), None),
    };
    if !path.exists() {
        return Err(Error::Missing { role: "map", path: path.into() });
    }
    let maps: Vec<Map> = read_vertex_maps(path)?
        .into_iter()
        .filter_map(|map| match map {
            VertexValues::Shape(map) => Some(Map { name: map.name, values: map.values }),
            VertexValues::Labels(_) => None,
        })
        .collect();
    let names: Vec<String> = maps.iter().map(|map| map.name.clone()).collect();
    let found = match wanted {
        Some(wanted) => maps.into_iter().find(|map| map.name == wanted),
        None => maps.into_iter().next(),
    };
    found.ok_or_else(|| {
        let wanted = wanted.unwrap_or("a map of numbers");
        Error::Unusable(format!("{}: expected {wanted}, found maps {names:?}", path.display()))
    })
}
