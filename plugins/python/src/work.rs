use crate::errors::{Cancelled, exception};
use brainmesh_core::Monitor;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often Ctrl-C, `cancel` and `progress` are looked after.
const TURN: Duration = Duration::from_millis(50);

/// How long work that was asked to stop is waited for. What cannot be interrupted (one window of an engine without a
/// way to stop) ends by itself later; it writes nothing any more.
const PATIENCE: Duration = Duration::from_millis(400);

/// How the caller follows and stops long work.
#[derive(Default)]
pub struct Caller {
    /// `progress(stage, done, total)`.
    pub progress: Option<Py<PyAny>>,
    /// A callable that says whether to stop, or an event that is set.
    pub cancel: Option<Py<PyAny>>,
    /// Threads; none for one a core.
    pub threads: Option<u16>,
}

/// The monitor of work on another thread.
#[derive(Default)]
pub struct Watch {
    cancelled: Arc<AtomicBool>,
    stage: Mutex<(&'static str, u64)>,
    done: AtomicU64,
}

impl Watch {
    /// Becomes true when the work is to stop.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    fn now(&self) -> (&'static str, u64, u64) {
        let (name, total) = *self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        (name, self.done.load(Ordering::Relaxed).min(total), total)
    }
}

impl Monitor for Watch {
    fn stage(&self, name: &'static str, total: u64) {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        self.done.store(0, Ordering::Relaxed);
        *stage = (name, total);
    }
    fn advance(&self, steps: u64) {
        self.done.fetch_add(steps, Ordering::Relaxed);
    }
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// In a lock for its type's sake alone: only one thread receives.
type Answer<T> = Mutex<Receiver<Option<brainmesh_cli::Result<T>>>>;

/// Does `work` on a thread of its own, without the GIL; meanwhile this thread looks after Ctrl-C, `cancel` and `progress`.
pub fn run<T: Send + 'static>(
    py: Python<'_>,
    caller: Caller,
    work: impl FnOnce(&Watch) -> brainmesh_cli::Result<T> + Send + 'static,
) -> PyResult<T> {
    let watch = Arc::new(Watch::default());
    if caller.threads == Some(0) {
        return Err(PyValueError::new_err("threads: expected 1 or more, found 0"));
    }
    // A pool of its own that ends with the work: no thread stays behind, and processes may fork between calls.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(caller.threads.map_or(0, usize::from))
        .thread_name(|n| format!("brainmesh-{n}"))
        .build()
        .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    let (sender, answer) = channel();
    let answer = Mutex::new(answer);
    let watched = Arc::clone(&watch);
    let thread = std::thread::Builder::new().name("brainmesh".into()).spawn(move || {
        // A panic is a fault of ours; it must not take the interpreter with it.
        let result = catch_unwind(AssertUnwindSafe(|| pool.install(|| work(&watched)))).ok();
        drop(pool);
        // Whoever no longer waits does not want it.
        let _ = sender.send(result);
    })?;
    let result = wait(py, &caller, &watch, &answer);
    if result.is_ok() {
        // It has nothing left to do but to end.
        py.detach(|| drop(thread.join()));
    }
    match result? {
        Some(result) => result.map_err(exception),
        None => {
            Err(PyRuntimeError::new_err("brainmesh failed by a fault of its own; please report what was asked of it"))
        }
    }
}

fn wait<T: Send>(
    py: Python<'_>,
    caller: &Caller,
    watch: &Watch,
    answer: &Answer<T>,
) -> PyResult<Option<brainmesh_cli::Result<T>>> {
    let receive =
        |time: Duration| py.detach(|| answer.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(time));
    let mut shown = ("", 0, 0);
    loop {
        match receive(TURN) {
            Ok(result) => {
                if matches!(result, Some(Ok(_))) {
                    show(py, caller, watch, &mut shown)?;
                }
                return Ok(result);
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let stop = look_after(py, caller, watch, &mut shown);
        if let Err(error) = stop {
            watch.cancelled.store(true, Ordering::Relaxed);
            let asked = Instant::now();
            while asked.elapsed() < PATIENCE {
                if !matches!(receive(Duration::from_millis(10)), Err(RecvTimeoutError::Timeout)) {
                    break;
                }
            }
            return Err(error);
        }
    }
}

fn look_after(py: Python<'_>, caller: &Caller, watch: &Watch, shown: &mut (&'static str, u64, u64)) -> PyResult<()> {
    py.check_signals()?;
    show(py, caller, watch, shown)?;
    let Some(cancel) = &caller.cancel else { return Ok(()) };
    let cancel = cancel.bind(py);
    let asked = match cancel.getattr("is_set") {
        Ok(is_set) => is_set.call0()?,
        Err(_) => cancel.call0()?,
    };
    if asked.is_truthy()? { Err(Cancelled::new_err("cancelled; nothing was written")) } else { Ok(()) }
}

/// Tells `progress` what is new.
fn show(py: Python<'_>, caller: &Caller, watch: &Watch, shown: &mut (&'static str, u64, u64)) -> PyResult<()> {
    let now = watch.now();
    if let Some(progress) = caller.progress.as_ref().filter(|_| now != *shown && !now.0.is_empty()) {
        progress.call1(py, now)?;
        *shown = now;
    }
    Ok(())
}
