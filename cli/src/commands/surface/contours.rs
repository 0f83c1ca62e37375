//! `surface contours`: where surfaces meet a plane.

use super::super::{print_line, short};
use super::picture::{self, Picture};
use super::{file_name, plane, read_surface};
use crate::args::ContoursCommand;
use crate::output::{write_json, write_text};
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::{BOUNDARY_COUNT, WorldPoint, layer_color};
use brainmesh_meshing::{Contour, Plane, contours};
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;

/// The lines of one surface.
pub(super) struct Drawn {
    pub(super) name: String,
    pub(super) color: [u8; 3],
    pub(super) contours: Vec<Contour>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Svg,
    Json,
    Csv,
}

pub fn run(arguments: &ContoursCommand, progress: &Progress) -> Result<ExitCode> {
    let (plane, title) = plane::parse(arguments)?;
    let formats = arguments.out.iter().map(|path| format(path)).collect::<Result<Vec<_>>>()?;
    let options = picture::Options::parse(arguments)?;
    let mut drawn = Vec::new();
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for (k, path) in arguments.surfaces.iter().enumerate() {
        let surface = read_surface(path)?;
        for &p in surface.vertices() {
            let height = plane.height_mm(p);
            (low, high) = (low.min(height), high.max(height));
        }
        let color = layer_color(if arguments.surfaces.len() == 1 { 5 } else { k % BOUNDARY_COUNT });
        let color = color.map(|c| (c * 255.0).round() as u8);
        drawn.push(Drawn { name: file_name(path), color, contours: contours(&surface, &plane) });
    }
    if drawn.iter().all(|surface| surface.contours.is_empty()) {
        return Err(Error::Unusable(format!(
            "no surface meets the plane {title}: they lie {} to {} mm from it along its normal",
            short(low),
            short(high)
        )));
    }
    // Everything is made before anything is written.
    let mut made = Vec::new();
    for format in &formats {
        made.push(match format {
            Format::Svg => Picture { plane: &plane, title: &title, drawn: &drawn, options: &options }.svg(progress)?,
            Format::Json => String::new(),
            Format::Csv => csv(&plane, &drawn)?,
        });
    }
    progress.finish();
    for ((path, format), text) in arguments.out.iter().zip(&formats).zip(&made) {
        match format {
            Format::Json => write_json(path, &to_json(&plane, &drawn))?,
            _ => write_text(path, text)?,
        }
    }
    for surface in &drawn {
        let length: f64 = surface.contours.iter().map(Contour::length_mm).sum();
        let open = surface.contours.iter().filter(|c| !c.closed).count();
        let open = if open > 0 { format!(" ({open} open)") } else { String::new() };
        let count = surface.contours.len();
        print_line(format!("{:<24} {count} lines{open}, {} mm", surface.name, short(length)));
    }
    Ok(ExitCode::Done)
}

fn format(path: &Path) -> Result<Format> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("svg") => Ok(Format::Svg),
        Some("json") => Ok(Format::Json),
        Some("csv") => Ok(Format::Csv),
        _ => Err(Error::Usage(format!("--out {}: expected a name that ends in .svg, .json or .csv", path.display()))),
    }
}

/// Place of a point in a picture of the plane: to the right and up, in mm from where the world's origin lies.
pub(super) fn in_plane(plane: &Plane, p: WorldPoint) -> [f64; 2] {
    plane.axes().map(|axis| p.0.dot(axis))
}

fn to_json(plane: &Plane, drawn: &[Drawn]) -> serde_json::Value {
    let [right, up] = plane.axes().map(|axis| axis.to_array());
    let line = |contour: &Contour| {
        json!({
            "closed": contour.closed,
            "length_mm": contour.length_mm(),
            "points_mm": contour.points.iter().map(|p| p.to_array()).collect::<Vec<_>>(),
            "in_plane_mm": contour.points.iter().map(|p| in_plane(plane, *p)).collect::<Vec<_>>(),
        })
    };
    let surface = |surface: &Drawn| {
        let contours: Vec<_> = surface.contours.iter().map(line).collect();
        json!({ "surface": surface.name, "contours": contours })
    };
    json!({
        "schema": "brainmesh-contours-1",
        "plane": { "point_mm": plane.point().to_array(), "normal": plane.normal().to_array(), "right": right, "up": up },
        "surfaces": drawn.iter().map(surface).collect::<Vec<_>>(),
    })
}

fn csv(plane: &Plane, drawn: &[Drawn]) -> Result<String> {
    let mut text = String::from("surface,line,closed,point,x_mm,y_mm,z_mm,right_mm,up_mm\n");
    for surface in drawn {
        // Quoted as RFC 4180 has it.
        let name = format!("\"{}\"", surface.name.replace('"', "\"\""));
        for (line, contour) in surface.contours.iter().enumerate() {
            for (n, p) in contour.points.iter().enumerate() {
                let ([x, y, z], [right, up]) = (p.to_array(), in_plane(plane, *p));
                let closed = contour.closed;
                writeln!(text, "{name},{line},{closed},{n},{x:.6},{y:.6},{z:.6},{right:.6},{up:.6}")
                    .map_err(|error| Error::Unusable(error.to_string()))?;
            }
        }
    }
    Ok(text)
}
