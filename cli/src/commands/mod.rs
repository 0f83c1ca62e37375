//! One file a command.

mod demo;
mod evaluate;
mod info;
mod labelled_rays;
mod phantom;
mod profiles;
mod rays2surface;

use crate::args::{Arguments, Command, EvaluateCommand};
use crate::{Error, ExitCode, Progress, Result};
use clap::CommandFactory;
use std::io::Write;

/// Runs the command with the number of threads asked for.
///
/// # Errors
/// What the command reports; see [`Error::exit_code`].
pub fn dispatch(arguments: &Arguments, progress: &Progress) -> Result<ExitCode> {
    let threads = arguments.threads.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Error::Usage(format!("--threads {threads}: {error}")))?;
    pool.install(|| match &arguments.command {
        Command::Rays2surface(command) => rays2surface::run(command, threads, progress),
        Command::Profiles(command) => profiles::run(command, progress),
        Command::Info(command) => info::run(command),
        Command::Evaluate(EvaluateCommand::Layers(command)) => evaluate::run(command, threads, progress),
        Command::Phantom(command) => phantom::run(command, progress),
        Command::Demo(command) => demo::run(command, threads, progress),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "brainmesh", &mut script);
            print_bytes(&script);
            Ok(ExitCode::Done)
        }
    })
}

/// Writes to standard output; a reader that has gone away is no error.
fn print_bytes(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// One line on standard output.
fn print_line(line: impl AsRef<str>) {
    print_bytes(format!("{}\n", line.as_ref()).as_bytes());
}
