use crate::errors::{Cancelled, exception};
use brainmesh_core::Monitor;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often Ctrl-C, `cancel` and `progress` are looked after.
const TURN: Duration = Duration::from_millis(50);

/// How long work that was asked to stop is waited for. What cannot be interrupted (one window of an engine without a
/// way to stop) ends by itself later; it writes nothing any more.
const PATIENCE: Duration = Duration::from_millis(400);

/// How long Python's end is put off for work to take its unfinished files away.
const LAST: Duration = Duration::from_secs(5);

/// Python is about to end.
static ENDING: AtomicBool = AtomicBool::new(false);
/// Threads of Python that wait for work, and those of them that will never come back to Python.
static WAITING: AtomicUsize = AtomicUsize::new(0);
static PARKED: AtomicUsize = AtomicUsize::new(0);
/// Threads that work.
static WORKING: AtomicUsize = AtomicUsize::new(0);

/// Counts for as long as it lives.
struct Counted(&'static AtomicUsize);

impl Counted {
    fn new(count: &'static AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How the caller follows and stops long work.
pub struct Caller {
    /// `progress(stage, done, total)`.
    pub progress: Option<Py<PyAny>>,
    /// A callable that says whether to stop, or an event that is set.
    pub cancel: Option<Py<PyAny>>,
    /// Threads; none for one a core.
    pub threads: Option<i64>,
    /// How long work that was asked to stop is waited for.
    pub patience: Duration,
}

impl Default for Caller {
    fn default() -> Self {
        Self::new(None, None, None)
    }
}

impl Caller {
    pub fn new(progress: Option<Py<PyAny>>, cancel: Option<Py<PyAny>>, threads: Option<i64>) -> Self {
        Self { progress, cancel, threads, patience: PATIENCE }
    }
}

/// The monitor of work on another thread.
#[derive(Default)]
pub struct Watch {
    cancelled: Arc<AtomicBool>,
    stage: Mutex<(&'static str, u64)>,
    done: AtomicU64,
    threads: usize,
}

impl Watch {
    /// Becomes true when the work is to stop.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    /// Threads that were asked for; 0 for one a core.
    pub fn threads(&self) -> usize {
        self.threads
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
    let threads = match caller.threads {
        None => 0,
        Some(threads) => usize::from(
            u16::try_from(threads)
                .ok()
                .filter(|&n| n > 0)
                .ok_or_else(|| PyValueError::new_err(format!("threads: expected 1 to 65535, found {threads}")))?,
        ),
    };
    let watch = Arc::new(Watch { threads, ..Watch::default() });
    let mut shown = ("", 0, 0);
    look_after(py, &caller, &watch, &mut shown)?;
    // A pool of its own that ends with the work: no thread stays behind, and processes may fork between calls.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|n| format!("brainmesh-{n}"))
        .build()
        .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    let (sender, answer) = channel();
    let answer = Mutex::new(answer);
    let watched = Arc::clone(&watch);
    let counted = Counted::new(&WORKING);
    let thread = std::thread::Builder::new().name("brainmesh".into()).spawn(move || {
        // A panic is a fault of ours; it must not take the interpreter with it.
        let result = catch_unwind(AssertUnwindSafe(|| pool.install(|| work(&watched)))).ok();
        drop(pool);
        drop(counted);
        // Whoever no longer waits does not want it.
        let _ = sender.send(result);
    })?;
    let result = wait(py, &caller, &watch, &answer, &mut shown);
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
    shown: &mut (&'static str, u64, u64),
) -> PyResult<Option<brainmesh_cli::Result<T>>> {
    let _waiting = Counted::new(&WAITING);
    let receive = |time: Duration| {
        py.detach(|| {
            let received = answer.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(time);
            if ENDING.load(Ordering::Acquire) {
                rest(watch);
            }
            received
        })
    };
    loop {
        match receive(TURN) {
            Ok(result) => {
                // The work is done and its files stand: a fault of `progress` is told, and hides nothing.
                if matches!(result, Some(Ok(_)))
                    && let Err(error) = show(py, caller, watch, shown)
                {
                    error.write_unraisable(py, caller.progress.as_ref().map(|progress| progress.bind(py)));
                }
                return Ok(result);
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Err(error) = look_after(py, caller, watch, shown) {
            watch.cancelled.store(true, Ordering::Relaxed);
            let asked = Instant::now();
            while asked.elapsed() < caller.patience {
                if !matches!(receive(Duration::from_millis(10)), Err(RecvTimeoutError::Timeout)) {
                    break;
                }
                // Who asks a second time no longer waits.
                py.check_signals()?;
            }
            return Err(error);
        }
    }
}

/// Stops the work and stays outside Python for ever: Python takes threads that come back to it at its end down through our
/// frames, which they do not survive.
fn rest(watch: &Watch) -> ! {
    watch.cancelled.store(true, Ordering::Relaxed);
    PARKED.fetch_add(1, Ordering::AcqRel);
    loop {
        std::thread::park();
    }
}

/// Stops all work at the end of Python, which waits a little for it to take its unfinished files away.
#[pyfunction]
#[pyo3(signature = () -> "None")]
pub fn at_exit(py: Python<'_>) {
    ENDING.store(true, Ordering::Release);
    py.detach(|| {
        let began = Instant::now();
        let is_over = || {
            PARKED.load(Ordering::Acquire) >= WAITING.load(Ordering::Acquire) && WORKING.load(Ordering::Acquire) == 0
        };
        while !is_over() && began.elapsed() < LAST {
            std::thread::sleep(Duration::from_millis(5));
        }
    });
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
