use std::path::PathBuf;

/// What is wrong with a file: which one, where in it, what was expected, what was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused to open, read or write.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// No known format begins like this.
    #[error("{}: not a format brainmesh reads: {found}", path.display())]
    NotRecognised {
        /// The file.
        path: PathBuf,
        /// How it begins.
        found: String,
    },
    /// The file holds less than it declares.
    #[error("{}: truncated: expected {expected_bytes} bytes, found {found_bytes}", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes declared.
        expected_bytes: u64,
        /// Bytes present.
        found_bytes: u64,
    },
    /// A field breaks the format's rules.
    #[error("{}: {field}: expected {expected}, found {found}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The field.
        field: String,
        /// What would be right.
        expected: String,
        /// What was found.
        found: String,
    },
    /// Valid, but outside what brainmesh supports.
    #[error("{}: {field}: {found} is not supported (supported: {supported})", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The field.
        field: String,
        /// What was found.
        found: String,
        /// What is supported.
        supported: String,
    },
    /// The images of a DICOM series are no volume.
    #[error("{}: {fault}", path.display())]
    Dicom {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong with them.
        fault: crate::DicomFault,
    },
    /// The content breaks an invariant of the vocabulary types.
    #[error("{}: {source}", path.display())]
    Core {
        /// The file.
        path: PathBuf,
        /// The broken invariant.
        source: brainmesh_core::Error,
    },
    /// The work was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] brainmesh_core::Cancelled),
}
