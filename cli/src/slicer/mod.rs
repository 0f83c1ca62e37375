//! Commands as command-line modules of 3D Slicer: programs that describe their arguments by `--xml`, take nodes as files,
//! tell how far they are on standard output, and write every result or none.
//!
//! The description is made of clap's own definition of the command, so that the two cannot drift apart; `program.rs` says
//! what Slicer must know beyond it.

mod kind;
mod mesh;
mod outputs;
mod parameter;
mod program;
mod progress;
mod rays2surface;
mod segment;
mod values;
mod xml;

use crate::args::Arguments;
use crate::commands::thread_pool;
use crate::{Error, ExitCode, Result};
use clap::Parser;
use parameter::Parameter;
use program::Program;
use progress::SlicerProgress;
use std::io::Write;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::Level;
use tracing_subscriber::fmt::writer::MakeWriterExt;
use values::Values;

/// A program that 3D Slicer runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlicerModule {
    /// `rays2surface`.
    Rays2surface,
    /// `segment`.
    Segment,
    /// `mesh`.
    Mesh,
}

impl SlicerModule {
    fn program(self) -> &'static Program {
        match self {
            Self::Rays2surface => &rays2surface::PROGRAM,
            Self::Segment => &segment::PROGRAM,
            Self::Mesh => &mesh::PROGRAM,
        }
    }

    /// The whole program: reads the arguments of the process and gives its exit code, which is that of `brainmesh`.
    /// Standard error stays empty unless something fails.
    pub fn main(self) -> process::ExitCode {
        let program = self.program();
        let parameters = Parameter::all(program);
        // The description is asked for without the arguments that are otherwise needed.
        if std::env::args_os().any(|word| word == "--xml") {
            return match xml::describe(program, &parameters).and_then(|xml| std::io::stdout().write_all(&xml)) {
                Ok(()) => process::ExitCode::SUCCESS,
                Err(_) => process::ExitCode::from(ExitCode::Runtime as u8),
            };
        }
        let values = match Values::command(program, &parameters).try_get_matches() {
            Ok(matches) => Values::new(matches),
            Err(error) => return refused(&error),
        };
        let arguments = match Arguments::try_parse_from(values.words(program, &parameters)) {
            Ok(arguments) => arguments,
            Err(error) => return refused(&error),
        };
        // What is no error goes where Slicer keeps the output of a module.
        let writer = std::io::stderr.with_max_level(Level::ERROR).or_else(std::io::stdout);
        tracing_subscriber::fmt().without_time().with_target(false).with_ansi(false).with_writer(writer).init();
        match run(program, &arguments, &values) {
            Ok(code) => process::ExitCode::from(code as u8),
            Err(error) => {
                eprintln!("error: {error}");
                process::ExitCode::from(error.exit_code() as u8)
            }
        }
    }
}

fn refused(error: &clap::Error) -> process::ExitCode {
    let _ = error.print();
    process::ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(ExitCode::Usage as u8))
}

fn run(program: &Program, arguments: &Arguments, values: &Values) -> Result<ExitCode> {
    let cancel = Arc::new(AtomicBool::new(false));
    let on_interrupt = Arc::clone(&cancel);
    if let Err(error) = ctrlc::set_handler(move || on_interrupt.store(true, Ordering::Relaxed)) {
        tracing::warn!("Ctrl-C will end the program at once: {error}");
    }
    let progress = SlicerProgress::start(program.name, program.stages, cancel);
    let threads = arguments.threads.map_or(0, usize::from);
    let code = thread_pool(threads)?.install(|| (program.run)(&arguments.command, threads, values, &progress))?;
    progress.finish();
    Ok(code)
}

/// The tables belong to another command.
fn another_command(program: &Program) -> Error {
    Error::Usage(format!("{}: expected the command {}", program.name, program.command))
}
