//! `BrainmeshRays2Surface`: the command `brainmesh rays2surface` as a module of 3D Slicer.

use brainmesh_cli::SlicerModule;

fn main() -> std::process::ExitCode {
    SlicerModule::Rays2surface.main()
}
