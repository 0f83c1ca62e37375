//! `brainmesh`: from brain volumes to cortical-layer surfaces.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn main() -> ExitCode {
    let cancel = Arc::new(AtomicBool::new(false));
    let on_interrupt = Arc::clone(&cancel);
    let handled = ctrlc::set_handler(move || on_interrupt.store(true, Ordering::Relaxed));
    if let Err(error) = handled {
        eprintln!("warning: Ctrl-C will end the program at once: {error}");
    }
    ExitCode::from(brainmesh_cli::command_line(std::env::args_os(), cancel))
}
