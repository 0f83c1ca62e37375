//! `surface info`: size and soundness of a surface.

use super::super::{print_line, short};
use super::read_surface;
use crate::args::SurfaceInfoCommand;
use crate::{ExitCode, Progress, Result};
use brainmesh_meshing::{Spread, SurfaceMeasures, measure};
use serde_json::{Value, json};

pub fn run(arguments: &SurfaceInfoCommand, progress: &Progress) -> Result<ExitCode> {
    let surface = read_surface(&arguments.surface)?;
    let measures = measure(&surface, progress)?;
    progress.finish();
    if arguments.json {
        print_line(format!("{:#}", to_json(&measures)));
    } else {
        print_text(&measures);
    }
    Ok(ExitCode::Done)
}

fn to_json(m: &SurfaceMeasures) -> Value {
    json!({
        "schema": "brainmesh-surface-info-1",
        "vertices": m.vertices,
        "unused_vertices": m.unused_vertices,
        "triangles": m.triangles,
        "edges": m.edges,
        "area_mm2": m.area_mm2,
        "volume_mm3": m.volume_mm3,
        "euler_characteristic": m.euler_characteristic,
        "components": m.components,
        "borders": m.borders,
        "border_edges": m.border_edges,
        "closed": m.is_closed(),
        "manifold": m.is_manifold(),
        "nonmanifold_edges": m.nonmanifold_edges,
        "nonmanifold_vertices": m.nonmanifold_vertices,
        "winding_conflicts": m.winding_conflicts,
        "flat_triangles": m.flat_triangles,
        "self_intersecting_triangles": m.self_intersecting_triangles,
        "edge_mm": m.edge_mm.as_ref().map(spread_json),
        "low_mm": m.bounds.0.to_array(),
        "high_mm": m.bounds.1.to_array(),
    })
}

pub(super) fn spread_json(spread: &Spread) -> Value {
    json!({ "min": spread.min, "mean": spread.mean, "sd": spread.sd, "max": spread.max })
}

fn print_text(m: &SurfaceMeasures) {
    let line = |name: &str, text: String| print_line(format!("{name:<12} {text}"));
    let more = |count: usize, what: &str| if count > 0 { format!("; {count} {what}") } else { String::new() };
    let size = format!("{} vertices, {} edges, {} triangles", m.vertices, m.edges, m.triangles);
    line("size", size + &more(m.unused_vertices, "vertices of no triangle"));
    line("area", format!("{} mm2", short(m.area_mm2)));
    line(
        "volume",
        match m.volume_mm3 {
            Some(mm3) if mm3 < 0.0 => format!("{} mm3; triangles are wound inward", short(-mm3)),
            Some(mm3) => format!("{} mm3", short(mm3)),
            None => "none: not closed".into(),
        },
    );
    let parts = if m.components == 1 { "one part".into() } else { format!("{} parts", m.components) };
    line("topology", format!("Euler characteristic {}, {parts}", m.euler_characteristic));
    line("borders", if m.borders == 0 { "none".into() } else { format!("{} ({} edges)", m.borders, m.border_edges) });
    let faults = more(m.nonmanifold_edges, "edges of more than two triangles")
        + &more(m.nonmanifold_vertices, "vertices of more than one fan")
        + &more(m.winding_conflicts, "edges between triangles that are not wound alike")
        + &more(m.flat_triangles, "triangles without area");
    line("manifold", format!("{}{faults}", if m.is_manifold() { "yes" } else { "no" }));
    line("self-cutting", format!("{} triangles", m.self_intersecting_triangles));
    if let Some(edge) = &m.edge_mm {
        let [min, mean, sd, max] = [edge.min, edge.mean, edge.sd, edge.max].map(short);
        line("edges", format!("{mean} mm (SD {sd}), {min} to {max}"));
    }
    let corner = |p: brainmesh_core::WorldPoint| p.to_array().map(short).join(", ");
    line("from, to", format!("({}), ({}) mm", corner(m.bounds.0), corner(m.bounds.1)));
}
