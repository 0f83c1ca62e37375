//! Short ways to say what is wrong in a surface or profile file.

use crate::Error;
use std::fmt::Display;
use std::io;
use std::path::Path;

/// A field that breaks the format's rules.
pub(crate) fn invalid(
    path: &Path,
    field: impl Into<String>,
    expected: impl Into<String>,
    found: impl Display,
) -> Error {
    Error::Invalid { path: path.into(), field: field.into(), expected: expected.into(), found: found.to_string() }
}

/// A valid field that brainmesh does not support.
pub(crate) fn unsupported(path: &Path, field: &str, found: impl Display, supported: &str) -> Error {
    Error::Unsupported { path: path.into(), field: field.into(), found: found.to_string(), supported: supported.into() }
}

/// Less content than declared.
pub(crate) fn truncated(path: &Path, expected_bytes: usize, found_bytes: usize) -> Error {
    Error::Truncated { path: path.into(), expected_bytes: expected_bytes as u64, found_bytes: found_bytes as u64 }
}

/// Adds the path to an error of the operating system.
pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    move |source| Error::Io { path: path.into(), source }
}

/// Adds the path to a broken invariant.
pub(crate) fn core(path: &Path) -> impl FnOnce(brainmesh_core::Error) -> Error + '_ {
    move |source| Error::Core { path: path.into(), source }
}
