use super::kind::Kind;
use super::progress::SlicerProgress;
use super::values::Values;
use crate::args::{Arguments, Command};
use crate::{ExitCode, Result};

/// A program that 3D Slicer runs. Its arguments are those of a command of `brainmesh`; the tables here say what Slicer must
/// know beyond them.
pub(super) struct Program {
    /// Name of the executable.
    pub name: &'static str,
    /// Name of the module in Slicer.
    pub title: &'static str,
    /// The command of `brainmesh` it is.
    pub command: &'static str,
    /// Arguments that are nodes, files or folders, and those that Slicer passes by their place.
    pub roles: &'static [(&'static str, Role)],
    /// Lowest and highest value of numbers.
    pub ranges: &'static [(&'static str, f64, f64)],
    /// Arguments that mean nothing in Slicer, and why.
    pub left_out: &'static [(&'static str, &'static str)],
    /// What Slicer names files for.
    pub results: &'static [Output],
    /// Numbers given back.
    pub returned: &'static [Returned],
    /// Stages in the order in which they come, with their shares of the time.
    pub stages: &'static [(&'static str, f64)],
    /// Does the work.
    pub run: fn(&Command, usize, &Values, &SlicerProgress) -> Result<ExitCode>,
}

/// What an argument is to Slicer, where that does not follow from its definition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Role {
    /// What the value is.
    pub kind: Kind,
    /// Its place among the arguments without a flag, which Slicer wants a value for.
    pub index: Option<usize>,
}

impl Role {
    pub(super) const fn new(kind: Kind) -> Self {
        Self { kind, index: None }
    }

    pub(super) const fn at(self, index: usize) -> Self {
        Self { index: Some(index), ..self }
    }
}

/// A file that is written where Slicer names one.
pub(super) struct Output {
    /// Name of its flag.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What it holds.
    pub description: &'static str,
}

/// A number that is given back by `--returnparameterfile`.
pub(super) struct Returned {
    /// Its name.
    pub name: &'static str,
    /// Whether it is a count.
    pub kind: Kind,
    /// What it counts or measures.
    pub description: &'static str,
}

impl Program {
    /// What clap knows of the command.
    pub(super) fn definition(&self) -> clap::Command {
        let mut all = <Arguments as clap::CommandFactory>::command();
        all.build();
        all.find_subcommand(self.command).cloned().unwrap_or_default()
    }

    pub(super) fn role(&self, name: &str) -> Option<Role> {
        self.roles.iter().find(|(id, _)| *id == name).map(|(_, role)| *role)
    }

    pub(super) fn range(&self, name: &str) -> Option<(f64, f64)> {
        self.ranges.iter().find(|(id, ..)| *id == name).map(|&(_, lowest, highest)| (lowest, highest))
    }

    pub(super) fn leaves_out(&self, name: &str) -> bool {
        self.left_out.iter().any(|(id, _)| *id == name)
    }
}
