use super::several::Several;
use crate::args::SubdivideCommand;
use crate::{ExitCode, Progress, Result};
use brainmesh_meshing::subdivide;

pub fn run(arguments: &SubdivideCommand, progress: &Progress) -> Result<ExitCode> {
    let several = Several::read(&arguments.surfaces, &arguments.out)?;
    let mut surfaces = several.surfaces.clone();
    for _ in 0..arguments.times {
        surfaces = surfaces.iter().map(subdivide).collect::<brainmesh_meshing::Result<_>>()?;
    }
    several.write(&surfaces, &arguments.out, progress)
}
