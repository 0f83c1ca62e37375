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
