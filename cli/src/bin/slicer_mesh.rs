//! `BrainmeshMesh`: the command `brainmesh mesh` as a module of 3D Slicer.

use brainmesh_cli::SlicerModule;

fn main() -> std::process::ExitCode {
    SlicerModule::Mesh.main()
}
