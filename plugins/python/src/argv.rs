use crate::work::{self, Caller};
use brainmesh_cli::ExitCode;
use brainmesh_cli::args::{Arguments, Command};
use clap::Parser;
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A command as a user would type it: what Python gives goes through the command line's own checks.
pub struct Argv(Vec<OsString>);

impl Argv {
    pub fn new(command: &[&str]) -> Self {
        Self(std::iter::once("brainmesh").chain(command.iter().copied()).map(Into::into).collect())
    }

    /// `--name=value`.
    pub fn option(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let mut word = OsString::from(format!("--{name}="));
        word.push(value);
        self.0.push(word);
        self
    }

    /// `--name=value` where there is one.
    pub fn maybe(self, name: &str, value: Option<impl AsRef<OsStr>>) -> Self {
        match value {
            Some(value) => self.option(name, value),
            None => self,
        }
    }

    /// `--name=value` where there is a number.
    pub fn number(self, name: &str, value: Option<impl ToString>) -> Self {
        self.maybe(name, value.map(|value| value.to_string()))
    }

    pub fn flag(mut self, name: &str, is_set: bool) -> Self {
        if is_set {
            self.0.push(format!("--{name}").into());
        }
        self
    }

    /// What stands without a name, after all options.
    pub fn positional<P: AsRef<Path>>(mut self, values: impl IntoIterator<Item = P>) -> Self {
        self.0.push("--".into());
        self.0.extend(values.into_iter().map(|value| value.as_ref().into()));
        self
    }

    /// The command with its defaults.
    ///
    /// # Errors
    /// `ValueError` with what the command line says.
    pub fn parse(self) -> PyResult<Command> {
        let parsed = Arguments::try_parse_from(self.0).map_err(|error| {
            let text = error.to_string();
            // Without the usage of a program nobody called.
            let text = ["\n\nUsage:", "\n\nFor more information"]
                .iter()
                .fold(text.as_str(), |text, end| text.split(end).next().unwrap_or(text));
            PyValueError::new_err(text.trim_start_matches("error: ").trim().to_owned())
        })?;
        Ok(parsed.command)
    }
}

/// Engine options that several commands share. ONNX Runtime is looked for where this Python finds its packages.
pub fn engine(
    py: Python<'_>,
    argv: Argv,
    device: &str,
    precision: &str,
    onnxruntime: Option<impl AsRef<OsStr>>,
) -> PyResult<Argv> {
    let paths: Vec<PathBuf> = py.import("sys")?.getattr("path")?.extract()?;
    brainmesh_segmentation::search_packages(paths);
    Ok(argv.option("device", device).option("precision", precision).maybe("onnxruntime", onnxruntime))
}

/// Runs the command line with these words, the program's name first. Returns its exit code.
#[pyfunction]
#[pyo3(signature = (argv: "list[str]") -> "int")]
pub fn command_line(py: Python<'_>, argv: Vec<OsString>) -> PyResult<u8> {
    match work::run(py, Caller { patience: Duration::MAX, ..Caller::default() }, |watch| {
        Ok(brainmesh_cli::command_line(argv, watch.flag()))
    }) {
        Err(error) if error.is_instance_of::<PyKeyboardInterrupt>(py) => Ok(ExitCode::Cancelled as u8),
        result => result,
    }
}
