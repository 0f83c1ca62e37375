//! `brainmesh`: from brain volumes to cortical-layer surfaces.

use brainmesh_cli::args::{Arguments, LogFormat};
use brainmesh_cli::{Progress, dispatch};
use clap::Parser;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn main() -> ExitCode {
    // Usage errors end here with exit code 2, help and version with 0.
    let arguments = Arguments::parse();
    match arguments.log_format {
        LogFormat::Text => {
            // Files and pipes get no colours (https://no-color.org for those who want none on a terminal).
            let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
            let plain = tracing_subscriber::fmt().without_time().with_target(false).with_ansi(colours);
            plain.with_writer(std::io::stderr).init();
        }
        LogFormat::Json => tracing_subscriber::fmt().json().with_writer(std::io::stderr).init(),
    }
    let cancel = Arc::new(AtomicBool::new(false));
    let on_interrupt = Arc::clone(&cancel);
    if let Err(error) = ctrlc::set_handler(move || on_interrupt.store(true, Ordering::Relaxed)) {
        tracing::warn!("Ctrl-C will end the program at once: {error}");
    }
    let progress = Progress::new(arguments.progress, cancel);
    match dispatch(&arguments, &progress) {
        Ok(code) => ExitCode::from(code as u8),
        Err(error) => {
            // Take a half-drawn bar off the terminal first.
            progress.finish();
            match arguments.log_format {
                LogFormat::Text => eprintln!("error: {error}"),
                LogFormat::Json => tracing::error!("{error}"),
            }
            ExitCode::from(error.exit_code() as u8)
        }
    }
}
