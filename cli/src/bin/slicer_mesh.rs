//! `BrainmeshMesh`: the command `brainmesh mesh` as a module of 3D Slicer.

use brainmesh_cli::{SlicerModule, slicer_module};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn main() -> ExitCode {
    let cancel = Arc::new(AtomicBool::new(false));
    let on_interrupt = Arc::clone(&cancel);
    // Slicer kills; Ctrl-C is for people who try the program by hand, and ends it at once where it cannot be caught.
    let _ = ctrlc::set_handler(move || on_interrupt.store(true, Ordering::Relaxed));
    ExitCode::from(slicer_module(SlicerModule::Mesh, std::env::args_os(), cancel))
}
