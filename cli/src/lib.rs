//! The pipeline of brainmesh as a library: arguments become a [`Plan`], the plan runs, the run gives a [`Report`].
//!
//! The command line, the Python package and the plugins all call [`Plan::run`], so that they give the same bytes.

pub mod args;
mod batch;
mod commands;
mod error;
mod given_rays;
mod input;
mod layers;
mod output;
mod plan;
mod preview;
mod progress;
mod report;
mod run;
mod sampling;
pub mod score;
mod section_input;

pub use commands::dispatch;
pub use error::{Error, ExitCode};
pub use input::{Source, Span};
pub use plan::{Plan, decode_options};
pub use progress::Progress;
pub use report::Report;
pub use run::Outcome;

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
