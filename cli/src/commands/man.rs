use super::print_line;
use crate::output::Staging;
use crate::{Error, ExitCode, Result};
use std::path::Path;

/// Pages of the program and of every command, `brainmesh-COMMAND.1`, all or none.
pub fn run(out: &Path) -> Result<ExitCode> {
    let staging = Staging::new(out)?;
    clap_mangen::generate_to(crate::help::command(), staging.path())
        .map_err(|source| Error::Write { path: out.into(), source })?;
    let pages = staging.publish()?;
    print_line(format!("{} pages in {}", pages.len(), out.display()));
    Ok(ExitCode::Done)
}
