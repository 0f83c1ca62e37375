use super::kind::{Kind, Voxels};
use super::outputs::Outputs;
use super::program::{Output, Program, Returned, Role};
use super::progress::SlicerProgress;
use super::rays2surface::model_format;
use super::values::Values;
use crate::args::Command;
use crate::{Error, ExitCode, Made, Result, mesh_file};
use brainmesh_core::{Monitor, Structure, Surface};
use brainmesh_formats::{VertexMaps, write_surface};
use std::fmt::Write;

const SURFACE: &str = "surface";
const TABLE: &str = "table";

pub(super) static PROGRAM: Program = Program {
    name: "BrainmeshMesh",
    title: "Brainmesh Mesh",
    command: "mesh",
    roles: &[("input", Role::new(Kind::Image(Voxels::Any)).at(0))],
    ranges: &[("smooth", 0.0, 1000.0)],
    left_out: &[
        ("out", "Slicer names a model, which holds all surfaces"),
        ("format", "Slicer names the file"),
        ("json", "Slicer shows messages as they are"),
        ("volume", "a volume node holds one volume"),
        ("label_volume", "BrainmeshRays2Surface gives the layers of voxels itself"),
        ("like", "goes with --label-volume"),
        ("partial_volume", "goes with --label-volume"),
        ("lines", "goes with --label-volume"),
        ("progress", "Slicer reads progress in a form of its own"),
        ("log_format", "Slicer shows messages as they are"),
    ],
    results: &[
        Output {
            name: SURFACE,
            kind: Kind::Geometry,
            description: "All surfaces in one model, with the label at every point",
        },
        Output { name: TABLE, kind: Kind::Table, description: "Triangles, area and volume of every surface" },
    ],
    returned: &[Returned { name: "surfaces", kind: Kind::Integer, description: "Surfaces made" }],
    stages: &[("surfaces between labels", 5.0), ("smoothing", 4.0), ("surfaces of labels", 1.0)],
    run,
};

fn run(command: &Command, _threads: usize, values: &Values, progress: &SlicerProgress) -> Result<ExitCode> {
    let Command::Mesh(arguments) = command else { return Err(super::another_command(&PROGRAM)) };
    let surface = values.path(SURFACE).map(|path| Ok::<_, Error>((path, model_format(SURFACE, path)?))).transpose()?;
    if surface.is_none() && values.path(TABLE).is_none() {
        return Err(Error::Usage("expected a result to write: --surface or --table".into()));
    }
    let made = mesh_file(arguments, progress)?;
    let mut outputs = Outputs::default();
    if let Some((path, format)) = surface {
        let (surface, maps) = together(&made)?;
        write_surface(&outputs.stage(path)?, &surface, format, Some(&maps))?;
    }
    let numbers = format!("surfaces = {}\n", made.len());
    for (path, text) in [(values.path(TABLE), table(&made)), (values.return_file(), numbers)] {
        if let Some(path) = path {
            crate::output::write_text(&outputs.stage(path)?, &text)?;
        }
    }
    progress.check()?;
    outputs.publish()?;
    Ok(ExitCode::Done)
}

/// All surfaces as one, with the label at every vertex.
fn together(made: &[Made]) -> Result<(Surface, VertexMaps)> {
    let (mut vertices, mut triangles, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    for Made { value, surface, .. } in made {
        let first = u32::try_from(vertices.len()).map_err(|_| {
            Error::Unusable("expected at most 2^32 vertices in all surfaces; choose some --labels".into())
        })?;
        triangles.extend(surface.triangles().iter().map(|triangle| triangle.map(|v| v.saturating_add(first))));
        vertices.extend_from_slice(surface.vertices());
        labels.resize(vertices.len(), value.unwrap_or(1) as f32);
    }
    let mut maps = VertexMaps::default();
    maps.push("label", labels)?;
    Ok((Surface::new(vertices, triangles, Structure::Unknown)?, maps))
}

/// One row a surface, with tabs between columns.
fn table(made: &[Made]) -> String {
    let mut text = String::from("label\tname\ttriangles\tarea_mm2\tvolume_mm3\n");
    for Made { value, label, surface, .. } in made {
        let name = label.as_ref().map(|label| label.name.replace(['\t', '\n', '"'], " ")).unwrap_or_default();
        let label = value.map(|value| value.to_string()).unwrap_or_default();
        let (area, volume) = (surface.area_mm2(), surface.signed_volume_mm3());
        let _ = writeln!(text, "{label}\t{name}\t{}\t{area:.4}\t{volume:.4}", surface.triangles().len());
    }
    text
}
