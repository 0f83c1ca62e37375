use super::super::print_line;
use super::{file_name, read_surface};
use crate::output::Staging;
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::Surface;
use brainmesh_formats::SurfaceFormat;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Surfaces that share their triangles, such as a ribbon and its layers, and a folder for what becomes of them.
pub(super) struct Several {
    pub(super) surfaces: Vec<Surface>,
    names: Vec<(String, SurfaceFormat)>,
    staging: Staging,
}

impl Several {
    /// Results will have the names and formats of the inputs.
    pub(super) fn read(paths: &[PathBuf], out: &Path) -> Result<Self> {
        let mut taken = HashSet::new();
        let mut names = Vec::new();
        for path in paths {
            let name = file_name(path);
            let format = SurfaceFormat::from_path(path).ok_or_else(|| {
                Error::Usage(format!("{}: expected a file name that ends as one of a surface format", path.display()))
            })?;
            if !taken.insert(name.clone()) {
                return Err(Error::Usage(format!("expected surfaces of different names, found {name} twice")));
            }
            names.push((name, format));
        }
        let staging = Staging::new(out)?;
        let surfaces = paths.iter().map(|path| read_surface(path)).collect::<Result<Vec<_>>>()?;
        for (path, surface) in paths.iter().zip(&surfaces) {
            if surface.triangles() != surfaces[0].triangles() {
                return Err(Error::Unusable(format!(
                    "{}: expected the triangles of {}, found others; surfaces that do not correspond are to be given one by one",
                    path.display(),
                    paths[0].display()
                )));
            }
        }
        Ok(Self { surfaces, names, staging })
    }

    /// Writes what became of them.
    pub(super) fn write(self, results: &[Surface], out: &Path, progress: &Progress) -> Result<ExitCode> {
        for ((name, format), surface) in self.names.iter().zip(results) {
            brainmesh_formats::write_surface(&self.staging.path().join(name), surface, *format, None)?;
        }
        progress.finish();
        for ((name, _), surface) in self.names.iter().zip(results) {
            let (vertices, triangles) = (surface.vertices().len(), surface.triangles().len());
            print_line(format!("{name}: {vertices} vertices, {triangles} triangles"));
        }
        let files = self.staging.publish()?;
        print_line(format!("written   {} files in {}", files.len(), out.display()));
        Ok(ExitCode::Done)
    }
}
