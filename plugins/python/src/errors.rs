use brainmesh_cli::{Error, ExitCode};
use pyo3::exceptions::{PyException, PyOSError, PyRuntimeError, PyValueError};
use pyo3::{PyErr, create_exception};

create_exception!(brainmesh, ModelError, PyRuntimeError, "A model, its manifest or the engine that runs it failed.");
create_exception!(brainmesh, Cancelled, PyException, "The work was stopped by `cancel`; nothing was written.");

/// The exception of an error, with the command line's text: `OSError` from the system, `ModelError`, `Cancelled`, else
/// `ValueError`.
pub fn exception(error: impl Into<Error>) -> PyErr {
    let error = error.into();
    let text = error.to_string();
    match &error {
        Error::Write { source, .. } | Error::Formats(brainmesh_formats::Error::Io { source, .. }) => {
            system_error(source, text)
        }
        _ if error.exit_code() == ExitCode::Cancelled => Cancelled::new_err(text),
        Error::Segmentation(_) | Error::Unverified(_) => ModelError::new_err(text),
        _ => PyValueError::new_err(text),
    }
}

/// With the number of the system's error, Python chooses `FileNotFoundError` and the like by itself.
fn system_error(source: &std::io::Error, text: String) -> PyErr {
    match source.raw_os_error() {
        Some(number) => PyOSError::new_err((number, text)),
        None => PyOSError::new_err(text),
    }
}
