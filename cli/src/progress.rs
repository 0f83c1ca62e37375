use brainmesh_core::Monitor;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ProgressMode {
    /// A bar when standard error is a terminal, nothing otherwise.
    #[default]
    Auto,
    /// One JSON object a line on standard error.
    Json,
    /// Nothing.
    None,
}

/// The [`Monitor`] of the command line: shows stages, keeps their timings, and stops on Ctrl-C.
pub struct Progress {
    cancel: Arc<AtomicBool>,
    mode: ProgressMode,
    done: AtomicU64,
    shown: AtomicU64,
    current: Mutex<Current>,
}

struct Current {
    bar: ProgressBar,
    name: &'static str,
    total: u64,
    began: Instant,
    timings: Vec<(&'static str, Duration)>,
}

impl Progress {
    /// `cancel` becomes true when the work is to stop.
    pub fn new(mode: ProgressMode, cancel: Arc<AtomicBool>) -> Self {
        let current =
            Current { bar: ProgressBar::hidden(), name: "", total: 0, began: Instant::now(), timings: Vec::new() };
        Self { cancel, mode, done: AtomicU64::new(0), shown: AtomicU64::new(0), current: Mutex::new(current) }
    }

    /// Ends the last stage and gives the wall time of every stage, in order.
    pub fn finish(&self) -> Vec<(&'static str, Duration)> {
        let mut current = self.lock();
        current.close();
        current.timings.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn emit_json(name: &str, done: u64, total: u64) {
        let line = serde_json::json!({ "stage": name, "done": done, "total": total });
        // A reader that has gone away must not stop the work.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

impl Current {
    fn close(&mut self) {
        if !self.name.is_empty() {
            self.timings.push((self.name, self.began.elapsed()));
            self.name = "";
        }
        self.bar.finish_and_clear();
        self.bar = ProgressBar::hidden();
    }
}

impl Monitor for Progress {
    fn stage(&self, name: &'static str, total: u64) {
        let mut current = self.lock();
        current.close();
        current.name = name;
        current.total = total;
        current.began = Instant::now();
        self.done.store(0, Ordering::Relaxed);
        self.shown.store(0, Ordering::Relaxed);
        match self.mode {
            ProgressMode::Auto if std::io::stderr().is_terminal() => {
                current.bar = ProgressBar::new(total).with_message(name);
                if let Ok(style) = ProgressStyle::with_template("{msg:>24} {wide_bar} {percent:>3}% {eta}") {
                    current.bar.set_style(style);
                }
            }
            ProgressMode::Json => Self::emit_json(name, 0, total),
            ProgressMode::Auto | ProgressMode::None => {}
        }
    }

    fn advance(&self, steps: u64) {
        let done = self.done.fetch_add(steps, Ordering::Relaxed) + steps;
        if self.mode == ProgressMode::None {
            return;
        }
        // Whoever crosses the next hundredth shows it: cheap, and quiet for long stages.
        let current = self.lock();
        let hundredth = done * 100 / current.total.max(1);
        if self.shown.fetch_max(hundredth, Ordering::Relaxed) < hundredth {
            current.bar.set_position(done);
            if self.mode == ProgressMode::Json {
                Self::emit_json(current.name, done, current.total);
            }
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}
