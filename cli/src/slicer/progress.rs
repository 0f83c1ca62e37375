use brainmesh_core::Monitor;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Steps that a share of the work is shown in.
const SHOWN_STEPS: f64 = 100.0;

/// The [`Monitor`] that 3D Slicer reads from standard output, a line at a time.
///
/// The share of all work never falls: stages take their places in the order of the program's table, and one that is not in
/// it shows its own share alone.
pub(super) struct SlicerProgress {
    name: &'static str,
    stages: &'static [(&'static str, f64)],
    began: Instant,
    cancel: Arc<AtomicBool>,
    done: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    total: u64,
    /// Stages of the table that have begun.
    begun: usize,
    /// Where the current stage begins and what it takes of all work.
    base: f64,
    share: f64,
    /// What was shown of all work, and of the stage.
    shown: f64,
    shown_of_stage: f64,
}

impl SlicerProgress {
    /// Tells Slicer that the work begins. `cancel` becomes true when it is to stop.
    pub(super) fn start(name: &'static str, stages: &'static [(&'static str, f64)], cancel: Arc<AtomicBool>) -> Self {
        tell(&format!("<filter-start>\n<filter-name>{name}</filter-name>\n</filter-start>"));
        let state = Mutex::new(State::default());
        Self { name, stages, began: Instant::now(), cancel, done: AtomicU64::new(0), state }
    }

    /// Tells Slicer that all is done.
    pub(super) fn finish(&self) {
        let seconds = self.began.elapsed().as_secs_f64();
        let name = self.name;
        tell("<filter-progress>1</filter-progress>\n<filter-stage-progress>1</filter-stage-progress>");
        tell(&format!(
            "<filter-end>\n<filter-name>{name}</filter-name>\n<filter-time>{seconds:.3}</filter-time>\n</filter-end>"
        ));
    }

    /// Shows where the stage stands, if that is news.
    fn show(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let of_stage = (self.done.load(Ordering::Relaxed) as f64 / state.total.max(1) as f64).min(1.0);
        if of_stage < state.shown_of_stage + 1.0 / SHOWN_STEPS && of_stage < 1.0 || of_stage <= state.shown_of_stage {
            return;
        }
        state.shown_of_stage = of_stage;
        state.shown = state.shown.max(state.base + state.share * of_stage);
        state.tell();
    }
}

impl State {
    fn tell(&self) {
        tell(&format!("<filter-progress>{:.4}</filter-progress>", self.shown));
        tell(&format!("<filter-stage-progress>{:.4}</filter-stage-progress>", self.shown_of_stage));
    }
}

impl Monitor for SlicerProgress {
    fn stage(&self, name: &'static str, total: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.done.store(0, Ordering::Relaxed);
        state.total = total;
        state.shown_of_stage = 0.0;
        let whole: f64 = self.stages.iter().map(|(_, share)| share).sum();
        let place = self.stages[state.begun..].iter().position(|(stage, _)| *stage == name);
        if let Some(place) = place.map(|place| place + state.begun) {
            let before: f64 = self.stages[..place].iter().map(|(_, share)| share).sum();
            (state.base, state.share) = (before / whole, self.stages[place].1 / whole);
            state.begun = place + 1;
            state.shown = state.shown.max(state.base);
        } else {
            (state.base, state.share) = (state.shown, 0.0);
        }
        tell(&format!("<filter-comment>{name}</filter-comment>"));
        state.tell();
    }

    fn advance(&self, steps: u64) {
        self.done.fetch_add(steps, Ordering::Relaxed);
        self.show();
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}

/// Lines on standard output, at once; a reader that has gone away is no error.
fn tell(lines: &str) {
    let mut out = std::io::stdout().lock();
    for line in lines.lines() {
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}
