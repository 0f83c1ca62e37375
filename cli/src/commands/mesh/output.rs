use crate::args::MeshCommand;
use crate::commands::{print_bytes, print_line};
use crate::output::{Staging, write_json};
use crate::plan::surface_format;
use crate::report::InputFile;
use crate::results::file_extension;
use crate::{Error, Progress, Result};
use brainmesh_core::{Label, Surface};
use brainmesh_formats::{SceneSurface, SurfaceFormat, write_scene, write_surface};
use brainmesh_meshing::unpaired_sides;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A surface that `brainmesh mesh` made.
pub struct Made {
    /// Its label; none for an isosurface.
    pub value: Option<u32>,
    /// Name and colour of the label, where the file has them.
    pub label: Option<Label>,
    /// Voxels of the label.
    pub voxels: Option<u64>,
    /// In the world.
    pub surface: Surface,
}

/// Where surfaces go.
pub(super) enum Output {
    Folder(Staging, Vec<SurfaceFormat>),
    File(PathBuf, SurfaceFormat),
}

/// What was made: `report.json`.
#[derive(Serialize)]
struct Report {
    schema: &'static str,
    brainmesh: &'static str,
    input: InputFile,
    parameters: serde_json::Value,
    surfaces: Vec<Summary>,
}

#[derive(Serialize)]
struct Summary {
    name: String,
    label: Option<u32>,
    label_name: Option<String>,
    voxels: Option<u64>,
    vertices: usize,
    triangles: usize,
    area_mm2: f64,
    volume_mm3: f64,
    euler_characteristic: i64,
    /// Whether every edge has two triangles.
    closed: bool,
}

impl Output {
    /// Fails at once when the place cannot be written.
    pub(super) fn new(arguments: &MeshCommand) -> Result<Self> {
        let out = &arguments.out;
        if let Some(format) = SurfaceFormat::from_path(out).filter(|_| !out.is_dir()) {
            let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
            if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
                let (out, folder) = (out.display(), folder.display());
                return Err(Error::Usage(format!("--out {out}: the folder {folder} does not exist")));
            }
            if format != SurfaceFormat::Glb && arguments.isovalue.is_none() && arguments.labels.len() != 1 {
                let out = out.display();
                return Err(Error::Usage(format!(
                    "--out {out}: {} holds one surface; expected a folder, a .glb file, --isovalue, or one label in --labels",
                    format.name()
                )));
            }
            return Ok(Self::File(out.clone(), format));
        }
        let mut formats = Vec::new();
        for name in &arguments.format {
            let format = surface_format(name)?;
            if !formats.contains(&format) {
                formats.push(format);
            }
        }
        Ok(Self::Folder(Staging::new(out)?, formats))
    }

    /// Writes all surfaces and says what they are.
    pub(super) fn write(self, arguments: &MeshCommand, made: &[Made], progress: &Progress) -> Result<()> {
        let path = &arguments.input;
        let report = Report {
            schema: "brainmesh-mesh-1",
            brainmesh: env!("CARGO_PKG_VERSION"),
            input: InputFile::hash("volume", path)
                .map_err(|error| Error::Unusable(format!("{}: {error}", path.display())))?,
            parameters: serde_json::json!({
                "labels": arguments.labels, "isovalue": arguments.isovalue, "relax": arguments.relax,
                "smooth": arguments.smooth, "decimate": arguments.decimate,
                "max_error_mm": arguments.max_error_mm, "volume": arguments.volume,
            }),
            surfaces: made.iter().map(Made::summary).collect(),
        };
        let written = match self {
            Self::File(path, format) => {
                write_file(&path, format, made)?;
                format!("{}", path.display())
            }
            Self::Folder(staging, formats) => {
                for made in made {
                    for format in &formats {
                        let path = staging.path().join(format!("{}.{}", made.name(), file_extension(*format)));
                        write_file(&path, *format, std::slice::from_ref(made))?;
                    }
                }
                write_json(&staging.path().join("report.json"), &report)?;
                format!("{} files in {}", staging.publish()?.len(), arguments.out.display())
            }
        };
        progress.finish();
        if arguments.json {
            let mut text = serde_json::to_vec_pretty(&report).map_err(|error| Error::Unusable(error.to_string()))?;
            text.push(b'\n');
            print_bytes(&text);
            return Ok(());
        }
        for s in &report.surfaces {
            let (triangles, open) = (s.triangles, if s.closed { "" } else { ", not closed" });
            print_line(format!("{:<24} {triangles:>9} triangles, {:.1} mm3{open}", s.name, s.volume_mm3));
        }
        print_line(format!("written   {written}"));
        Ok(())
    }
}

fn write_file(path: &Path, format: SurfaceFormat, made: &[Made]) -> Result<()> {
    match (format, made) {
        (SurfaceFormat::Glb, _) => {
            let scene: Vec<SceneSurface<'_>> = made.iter().map(Made::scene).collect();
            Ok(write_scene(path, &scene)?)
        }
        (_, [one]) => Ok(write_surface(path, &one.surface, format, None)?),
        _ => Err(Error::Usage(format!("{}: expected one surface, found {}", path.display(), made.len()))),
    }
}

impl Made {
    /// `label-17-left-hippocampus`: number, and name as far as every file system takes it.
    fn name(&self) -> String {
        let Some(value) = self.value else { return "isosurface".into() };
        let plain = |c: char| if c.is_ascii_alphanumeric() || "_.".contains(c) { c } else { '-' };
        let name: String = self.label.iter().flat_map(|label| label.name.trim().chars().map(plain)).take(64).collect();
        let name = name.trim_matches(['-', '.']);
        if name.is_empty() { format!("label-{value}") } else { format!("label-{value}-{name}") }
    }

    fn scene(&self) -> SceneSurface<'_> {
        let plain = SceneSurface::plain(self.name(), &self.surface);
        match &self.label {
            Some(label) => SceneSurface { color: [label.rgba[0], label.rgba[1], label.rgba[2]], ..plain },
            None => plain,
        }
    }

    fn summary(&self) -> Summary {
        let surface = &self.surface;
        Summary {
            name: self.name(),
            label: self.value,
            label_name: self.label.as_ref().map(|label| label.name.clone()),
            voxels: self.voxels,
            vertices: surface.vertices().len(),
            triangles: surface.triangles().len(),
            area_mm2: surface.area_mm2(),
            volume_mm3: surface.signed_volume_mm3(),
            euler_characteristic: surface.euler_characteristic(),
            closed: unpaired_sides(surface.triangles()) == 0,
        }
    }
}
