//! `BrainmeshSegment`: the command `brainmesh segment` as a module of 3D Slicer.

use brainmesh_cli::SlicerModule;

fn main() -> std::process::ExitCode {
    SlicerModule::Segment.main()
}
