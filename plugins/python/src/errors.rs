use brainmesh_cli::{Error, ExitCode};
use pyo3::exceptions::{
    PyException, PyFileNotFoundError, PyIsADirectoryError, PyNotADirectoryError, PyOSError, PyPermissionError,
    PyRuntimeError, PyValueError,
};
use pyo3::{PyErr, create_exception};
use std::io::ErrorKind;

create_exception!(brainmesh, ModelError, PyRuntimeError, "A model, its manifest or the engine that runs it failed.");
create_exception!(brainmesh, Cancelled, PyException, "The work was stopped by `cancel`; nothing was written.");

/// The exception of an error, with the command line's text: `OSError` from the system, `ModelError`, `Cancelled`, else
/// `ValueError`.
pub fn exception(error: impl Into<Error>) -> PyErr {
    let error = error.into();
    let text = error.to_string();
    match &error {
        Error::Missing { .. } => PyFileNotFoundError::new_err(text),
        Error::Write { source, .. } | Error::Formats(brainmesh_formats::Error::Io { source, .. }) => {
            match source.kind() {
                ErrorKind::NotFound => PyFileNotFoundError::new_err(text),
                ErrorKind::PermissionDenied => PyPermissionError::new_err(text),
                ErrorKind::IsADirectory => PyIsADirectoryError::new_err(text),
                ErrorKind::NotADirectory => PyNotADirectoryError::new_err(text),
                _ => PyOSError::new_err(text),
            }
        }
        _ if error.exit_code() == ExitCode::Cancelled => Cancelled::new_err(text),
        Error::Segmentation(_) | Error::Unverified(_) => ModelError::new_err(text),
        _ => PyValueError::new_err(text),
    }
}
