//! `figure`: pictures of results for print.

mod profile;
mod slice;
mod surface;

use super::print_line;
use crate::args::{FigureCommand, FigureOutput};
use crate::output::write_text;
use crate::page::{find_input, is_input};
use crate::{Error, ExitCode, LayerResults, Progress, Report, Result};
use brainmesh_formats::write_atomically;
use brainmesh_report::png_of_svg;
use std::path::{Path, PathBuf};

pub fn run(command: &FigureCommand, progress: &Progress) -> Result<ExitCode> {
    let output = match command {
        FigureCommand::Surface(arguments) => &arguments.output,
        FigureCommand::Slice(arguments) => &arguments.output,
        FigureCommand::Profile(arguments) => &arguments.output,
    };
    let format = Format::of(output)?;
    let svg = match command {
        FigureCommand::Surface(arguments) => surface::svg(arguments)?,
        FigureCommand::Slice(arguments) => slice::svg(arguments, progress)?,
        FigureCommand::Profile(arguments) => profile::svg(arguments, progress)?,
    };
    progress.finish();
    match format {
        Format::Svg => write_text(&output.out, &svg)?,
        Format::Png => {
            let png = png_of_svg(&svg, output.scale)?;
            let io = |source| brainmesh_formats::Error::Io { path: output.out.clone(), source };
            write_atomically(&output.out, |file| file.write_all(&png).map_err(io))
                .map_err(|error| Error::Write { path: output.out.clone(), source: std::io::Error::other(error) })?;
        }
    }
    print_line(format!("written   {}", output.out.display()));
    Ok(ExitCode::Done)
}

enum Format {
    Png,
    Svg,
}

impl Format {
    /// Checked before anything is computed.
    fn of(output: &FigureOutput) -> Result<Self> {
        if !(output.scale > 0.0 && output.scale <= 20.0) {
            return Err(Error::Usage(format!("--scale: expected above 0 and at most 20, found {}", output.scale)));
        }
        match output.out.extension().and_then(|e| e.to_str()) {
            Some("png") => Ok(Self::Png),
            Some("svg") => Ok(Self::Svg),
            _ => {
                Err(Error::Usage(format!("--out {}: expected a name that ends in .png or .svg", output.out.display())))
            }
        }
    }
}

/// A result and what made it.
fn read(folder: &Path) -> Result<(LayerResults, Report)> {
    let results = LayerResults::read(folder)?;
    let report = Report::parse(&folder.join("report.json"), &results.report)?;
    Ok((results, report))
}

/// The volume that was asked for, else the one of the run, and which of its volumes; `None` where the run had none or it is not as it was.
fn volume_of(report: &Report, folder: &Path, given: Option<&PathBuf>) -> Result<Option<(PathBuf, usize)>> {
    let index = || {
        let index = &report.parameters["inputs"]["source"]["volume"]["index"];
        index.as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
    };
    if let Some(path) = given {
        return Ok(Some((path.clone(), if is_input(report, "volume", path)? { index() } else { 0 })));
    }
    match find_input(report, "volume", folder) {
        Some(path) if is_input(report, "volume", &path)? => Ok(Some((path, index()))),
        Some(path) => Err(Error::Unusable(format!(
            "{}: expected the volume of the run, found another (its SHA-256 differs); give one with --volume",
            path.display()
        ))),
        None => Ok(None),
    }
}
