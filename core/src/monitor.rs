/// The work was asked to stop, and stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

/// Whom long work tells how far it is, and asks whether to go on. Called from several threads at once.
pub trait Monitor: Sync {
    /// A stage of `total` steps begins.
    fn stage(&self, name: &'static str, total: u64);
    /// `steps` more of the current stage are done.
    fn advance(&self, steps: u64);
    /// Whether to stop at the next opportunity.
    fn is_cancelled(&self) -> bool;

    /// `Err` once cancelled: `monitor.check()?` in every long loop.
    fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

/// A monitor that shows nothing and never cancels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn stage(&self, _name: &'static str, _total: u64) {}
    fn advance(&self, _steps: u64) {}
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// A monitor for work that is part of a stage: it advances the stage and begins none.
#[derive(Clone, Copy)]
pub struct Stage<'a>(pub &'a dyn Monitor);

impl Monitor for Stage<'_> {
    fn stage(&self, _name: &'static str, _total: u64) {}
    fn advance(&self, steps: u64) {
        self.0.advance(steps);
    }
    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// A monitor for work that nobody counts: it only passes on the wish to stop.
#[derive(Clone, Copy)]
pub struct Uncounted<'a>(pub &'a dyn Monitor);

impl Monitor for Uncounted<'_> {
    fn stage(&self, _name: &'static str, _total: u64) {}
    fn advance(&self, _steps: u64) {}
    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}
