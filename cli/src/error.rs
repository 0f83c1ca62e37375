use brainmesh_core::Cancelled;
use std::path::PathBuf;

/// Exit codes of every brainmesh program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Done.
    Done = 0,
    /// Done, but with more defects than `--max-defects` allows.
    TooManyDefects = 1,
    /// The arguments cannot work: found before any computing.
    Usage = 2,
    /// An input cannot be read or is not what it must be.
    Input = 3,
    /// The model or its runtime failed, or a result could not be written.
    Runtime = 4,
    /// Stopped by the user.
    Cancelled = 130,
}

/// Why a command stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Arguments that cannot work.
    #[error("{0}")]
    Usage(String),
    /// A file brainmesh cannot read.
    #[error(transparent)]
    Formats(#[from] brainmesh_formats::Error),
    /// Inputs that were read but do not fit each other.
    #[error("{what}: {source}")]
    Inputs {
        /// Which files, in words.
        what: String,
        /// What does not fit.
        source: brainmesh_core::Error,
    },
    /// An input that is not there.
    #[error("{}: no such file or folder ({role})", path.display())]
    Missing {
        /// What it would be used as.
        role: &'static str,
        /// File or folder.
        path: PathBuf,
    },
    /// Inputs that were read but cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// Model, manifest or engine.
    #[error(transparent)]
    Segmentation(#[from] brainmesh_segmentation::Error),
    /// Models that do not give on a device what they should.
    #[error("not verified: {0}")]
    Unverified(String),
    /// Geometry.
    #[error(transparent)]
    Meshing(#[from] brainmesh_meshing::Error),
    /// Generator.
    #[error(transparent)]
    Phantom(#[from] brainmesh_phantom::Error),
    /// Pages and figures.
    #[error(transparent)]
    Page(#[from] brainmesh_report::Error),
    /// An intermediate value broke its own rule.
    #[error(transparent)]
    Core(#[from] brainmesh_core::Error),
    /// A result could not be written.
    #[error("{path}: cannot write: {source}")]
    Write {
        /// File or folder.
        path: PathBuf,
        /// Reason given by the system.
        source: std::io::Error,
    },
    /// Stopped by the user.
    #[error("cancelled; nothing was written")]
    Cancelled,
}

impl From<Cancelled> for Error {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl Error {
    /// The exit code a program ends with after this error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::Usage,
            Self::Formats(brainmesh_formats::Error::Cancelled(_))
            | Self::Segmentation(brainmesh_segmentation::Error::Cancelled(_))
            | Self::Meshing(brainmesh_meshing::Error::Cancelled(_))
            | Self::Phantom(brainmesh_phantom::Error::Cancelled(_))
            | Self::Cancelled => ExitCode::Cancelled,
            Self::Formats(_) | Self::Missing { .. } | Self::Inputs { .. } | Self::Unusable(_) | Self::Meshing(_) => {
                ExitCode::Input
            }
            Self::Segmentation(_)
            | Self::Unverified(_)
            | Self::Phantom(_)
            | Self::Page(_)
            | Self::Core(_)
            | Self::Write { .. } => ExitCode::Runtime,
        }
    }
}
