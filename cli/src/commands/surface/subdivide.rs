use super::super::print_line;
use super::{file_name, read_surface};
use crate::args::SubdivideCommand;
use crate::output::Staging;
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_formats::SurfaceFormat;
use brainmesh_meshing::subdivide;
use std::collections::HashSet;

pub fn run(arguments: &SubdivideCommand, progress: &Progress) -> Result<ExitCode> {
    let mut names = HashSet::new();
    let mut formats = Vec::new();
    for path in &arguments.surfaces {
        let name = file_name(path);
        let format = SurfaceFormat::from_path(path).ok_or_else(|| {
            Error::Usage(format!("{}: expected a file name that ends as one of a surface format", path.display()))
        })?;
        if !names.insert(name.clone()) {
            return Err(Error::Usage(format!("expected surfaces of different names, found {name} twice")));
        }
        formats.push((name, format));
    }
    let staging = Staging::new(&arguments.out)?;
    let mut triangles: Option<Vec<[u32; 3]>> = None;
    for (path, (name, format)) in arguments.surfaces.iter().zip(&formats) {
        let mut surface = read_surface(path)?;
        if triangles.get_or_insert_with(|| surface.triangles().to_vec()) != surface.triangles() {
            return Err(Error::Unusable(format!(
                "{}: expected the triangles of {}, found others; subdivide surfaces that do not correspond one by one",
                path.display(),
                arguments.surfaces[0].display()
            )));
        }
        for _ in 0..arguments.times {
            surface = subdivide(&surface)?;
        }
        brainmesh_formats::write_surface(&staging.path().join(name), &surface, *format, None)?;
        let (vertices, triangles) = (surface.vertices().len(), surface.triangles().len());
        print_line(format!("{name}: {vertices} vertices, {triangles} triangles"));
    }
    progress.finish();
    let files = staging.publish()?;
    print_line(format!("written   {} files in {}", files.len(), arguments.out.display()));
    Ok(ExitCode::Done)
}
