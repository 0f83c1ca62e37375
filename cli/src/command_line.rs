use crate::args::{Arguments, LogFormat};
use crate::commands::output_fault;
use crate::{Error, Progress, dispatch};
use clap::FromArgMatches;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The whole program: words as typed (the program's name first), until `cancel` becomes true. Returns the exit code.
pub fn command_line(words: impl IntoIterator<Item = OsString>, cancel: Arc<AtomicBool>) -> u8 {
    let parsed = crate::help::command().try_get_matches_from(words);
    let arguments = match parsed.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Usage errors end here with exit code 2, help and version with 0. A reader that has gone away is no error.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    // In a process that goes on, the first call's choice stays.
    let _ = match arguments.log_format {
        LogFormat::Text => {
            // Files and pipes get no colours (https://no-color.org for those who want none on a terminal).
            let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
            let plain = tracing_subscriber::fmt().without_time().with_target(false).with_ansi(colours);
            plain.with_writer(std::io::stderr).try_init()
        }
        LogFormat::Json => tracing_subscriber::fmt().json().with_writer(std::io::stderr).try_init(),
    };
    let progress = Progress::new(arguments.progress, cancel);
    let result = dispatch(&arguments, &progress).and_then(|code| match output_fault() {
        Some(source) => Err(Error::Write { path: "standard output".into(), source }),
        None => Ok(code),
    });
    match result {
        Ok(code) => code as u8,
        Err(error) => {
            // Take a half-drawn bar off the terminal first.
            progress.finish();
            match arguments.log_format {
                LogFormat::Text => eprintln!("error: {error}"),
                LogFormat::Json => tracing::error!("{error}"),
            }
            error.exit_code() as u8
        }
    }
}
