//! Tools for surfaces.

mod contours;
mod decimate;
mod info;
mod maps;
mod picture;
mod plane;
mod remesh;
mod several;
mod subdivide;
mod write_map;

use crate::args::SurfaceCommand;
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_core::Surface;
use std::path::Path;

pub fn run(command: &SurfaceCommand, progress: &Progress) -> Result<ExitCode> {
    match command {
        SurfaceCommand::Info(command) => info::run(command, progress),
        SurfaceCommand::SmoothMap(command) => maps::smooth_map(command, progress),
        SurfaceCommand::Thickness(command) => maps::thickness(command, progress),
        SurfaceCommand::Area(command) => maps::area(command, progress),
        SurfaceCommand::Curvature(command) => maps::curvature(command, progress),
        SurfaceCommand::Subdivide(command) => subdivide::run(command, progress),
        SurfaceCommand::Remesh(command) => remesh::run(command, progress),
        SurfaceCommand::Decimate(command) => decimate::run(command, progress),
        SurfaceCommand::Contours(command) => contours::run(command, progress),
    }
}

fn read_surface(path: &Path) -> Result<Surface> {
    Ok(brainmesh_formats::read_surface(path)?)
}

/// The name of a file without its folder.
fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn check_fwhm(fwhm_mm: f64) -> Result<()> {
    if (0.0..=1000.0).contains(&fwhm_mm) {
        return Ok(());
    }
    Err(Error::Usage(format!("--fwhm-mm: expected 0 to 1000, found {fwhm_mm}")))
}
