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
use std::ffi::OsString;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
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
}

/// A whole program of 3D Slicer: words as Slicer passes them (the program's name first), until `cancel` becomes true. Returns
/// the exit code, which means what those of `brainmesh` do. Standard error stays empty unless something fails.
pub fn slicer_module(module: SlicerModule, words: impl IntoIterator<Item = OsString>, cancel: Arc<AtomicBool>) -> u8 {
    let program = module.program();
    let parameters = Parameter::all(program);
    let words: Vec<OsString> = words.into_iter().collect();
    // The description is asked for without the arguments that are otherwise needed.
    if words.iter().any(|word| word == "--xml") {
        return match xml::describe(program, &parameters).and_then(|xml| std::io::stdout().write_all(&xml)) {
            Ok(()) => ExitCode::Done as u8,
            Err(_) => ExitCode::Runtime as u8,
        };
    }
    let values = match Values::command(program, &parameters).try_get_matches_from(words) {
        Ok(matches) => Values::new(matches),
        Err(error) => return refused(&error),
    };
    let arguments = match Arguments::try_parse_from(values.words(program, &parameters)) {
        Ok(arguments) => arguments,
        Err(error) => return refused(&error),
    };
    // What is no error goes where Slicer keeps the output of a module.
    let writer = std::io::stderr.with_max_level(Level::ERROR).or_else(std::io::stdout);
    let _ = tracing_subscriber::fmt().without_time().with_target(false).with_ansi(false).with_writer(writer).try_init();
    match run(program, &parameters, &arguments, &values, cancel) {
        Ok(code) => code as u8,
        Err(error) => {
            eprintln!("error: {error}");
            error.exit_code() as u8
        }
    }
}

fn refused(error: &clap::Error) -> u8 {
    let _ = error.print();
    u8::try_from(error.exit_code()).unwrap_or(ExitCode::Usage as u8)
}

fn run(
    program: &Program,
    parameters: &[Parameter],
    arguments: &Arguments,
    values: &Values,
    cancel: Arc<AtomicBool>,
) -> Result<ExitCode> {
    values.check_paths(parameters)?;
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
