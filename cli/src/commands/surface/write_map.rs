use super::super::{print_line, short};
use super::info::spread_json;
use crate::args::MapOutput;
use crate::{Error, Result};
use brainmesh_core::Surface;
use brainmesh_formats::{SurfaceFormat, VertexMaps};
use brainmesh_meshing::Spread;
use ndarray::Array2;
use serde_json::json;
use std::path::Path;

/// Named values a vertex.
pub(super) type Map = (String, Vec<f32>);

/// Kinds of files that hold maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MapFormat {
    Shape,
    Func,
    Mz3,
    Npy,
    Text,
    Morphometry,
    /// The surface with its maps.
    Surface(SurfaceFormat),
}

impl MapFormat {
    /// The one a file name asks for, which must be able to hold so many maps.
    pub(super) fn of(path: &Path, maps: usize) -> Result<Self> {
        let name = super::file_name(path).to_ascii_lowercase();
        let format = match name.rsplit('.').next().unwrap_or_default() {
            "gii" if name.ends_with(".func.gii") => Self::Func,
            "gii" if !name.ends_with(".surf.gii") && !name.ends_with(".label.gii") => Self::Shape,
            "mz3" => Self::Mz3,
            "npy" => Self::Npy,
            "txt" => Self::Text,
            "curv" | "thickness" | "area" | "sulc" => Self::Morphometry,
            "ply" => Self::Surface(SurfaceFormat::Ply),
            "vtk" => Self::Surface(SurfaceFormat::Vtk),
            "vtp" => Self::Surface(SurfaceFormat::Vtp),
            _ => {
                return Err(Error::Usage(format!(
                    "--out {}: expected a name that ends in .shape.gii, .func.gii, .mz3, .npy, .txt, .curv, .thickness, \
                     .area, .sulc, .ply, .vtk or .vtp",
                    path.display()
                )));
            }
        };
        if maps > 1 && format == Self::Morphometry {
            return Err(Error::Usage(format!(
                "--out {}: expected one map, found {maps}: FreeSurfer's morphometry files hold no more",
                path.display()
            )));
        }
        Ok(format)
    }
}

/// Writes maps of a surface and prints what is in them; values that are not finite are left out of the summary.
pub(super) fn write(output: &MapOutput, format: MapFormat, surface: &Surface, maps: &[Map]) -> Result<()> {
    let path = output.out.as_path();
    let named: Vec<(&str, &[f32])> = maps.iter().map(|(name, values)| (name.as_str(), values.as_slice())).collect();
    let values: Vec<&[f32]> = named.iter().map(|map| map.1).collect();
    let rows = surface.vertices().len();
    match format {
        MapFormat::Shape => brainmesh_formats::write_shape_gifti(path, &named, surface.structure())?,
        MapFormat::Func => brainmesh_formats::write_func_gifti(path, &values, surface.structure())?,
        MapFormat::Mz3 => brainmesh_formats::write_mz3_maps(path, &values)?,
        MapFormat::Morphometry => {
            for map in values {
                brainmesh_formats::write_morphometry(path, map, surface.triangles().len())?;
            }
        }
        MapFormat::Npy => {
            let array = Array2::from_shape_fn((rows, maps.len()), |(v, m)| values[m][v]);
            brainmesh_formats::write_npy(path, &(&array).into())?;
        }
        MapFormat::Text => {
            let row = |v: usize| values.iter().map(|map| map[v].to_string()).collect::<Vec<_>>().join(" ") + "\n";
            let text: String = (0..rows).map(row).collect();
            brainmesh_formats::write_atomically(path, |file| {
                file.write_all(text.as_bytes())
                    .map_err(|source| brainmesh_formats::Error::Io { path: path.into(), source })
            })?;
        }
        MapFormat::Surface(format) => {
            let mut carried = VertexMaps::default();
            for (name, values) in maps {
                carried.push(plain(name), values.clone())?;
            }
            brainmesh_formats::write_surface(path, surface, format, Some(&carried))?;
        }
    }
    summarise(output, maps);
    Ok(())
}

/// A name as surfaces with maps can hold it.
fn plain(name: &str) -> String {
    let kept: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '_' }).collect();
    if kept.is_empty() { "map".into() } else { kept }
}

fn summarise(output: &MapOutput, maps: &[Map]) {
    let spread = |values: &[f32]| Spread::of(values.iter().map(|v| f64::from(*v)).filter(|v| v.is_finite()));
    if output.json {
        let maps: Vec<_> = maps
            .iter()
            .map(|(name, values)| {
                json!({
                    "name": name,
                    "vertices": values.len(),
                    "not_finite": values.iter().filter(|v| !v.is_finite()).count(),
                    "values": spread(values).as_ref().map(spread_json),
                })
            })
            .collect();
        print_line(format!("{:#}", json!({ "schema": "brainmesh-map-1", "file": output.out, "maps": maps })));
        return;
    }
    for (name, values) in maps {
        let not_finite = values.iter().filter(|v| !v.is_finite()).count();
        let text = match spread(values) {
            Some(s) => {
                let [mean, sd, min, max] = [s.mean, s.sd, s.min, s.max].map(short);
                format!("{mean} (SD {sd}), {min} to {max}")
            }
            None => "no finite value".into(),
        };
        let missing = if not_finite > 0 { format!("; {not_finite} vertices without a value") } else { String::new() };
        print_line(format!("{name:<18} {text}{missing}"));
    }
    print_line(format!("written            {}", output.out.display()));
}
