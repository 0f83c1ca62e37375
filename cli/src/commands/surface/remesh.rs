use super::several::Several;
use crate::args::RemeshCommand;
use crate::{Error, ExitCode, Progress, Result};
use brainmesh_meshing::remesh;

pub fn run(arguments: &RemeshCommand, progress: &Progress) -> Result<ExitCode> {
    if !(arguments.edge_mm > 0.0 && arguments.edge_mm.is_finite()) {
        return Err(Error::Usage(format!("--edge-mm: expected more than 0, found {}", arguments.edge_mm)));
    }
    let several = Several::read(&arguments.surfaces, &arguments.out)?;
    let surfaces = remesh(&several.surfaces, arguments.edge_mm, progress)?;
    several.write(&surfaces, &arguments.out, progress)
}
