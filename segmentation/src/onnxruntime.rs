use crate::batches::{Batches, Sink, unpadded};
use crate::bound::Bound;
use crate::onnx::{self, Interface, Port};
use crate::provider::{advice, preload_nvidia, provider};
use crate::request::{Purpose, Request};
use crate::{Device, Error, Precision, Result, library};
use brainmesh_core::Monitor;
use ndarray::{ArrayViewD, Axis};
use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::memory::AllocationDevice;
use ort::session::builder::SessionBuilder;
use ort::session::{RunOptions, Session};
use ort::value::TensorRef;
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A network in ONNX Runtime.
pub(crate) struct Runtime {
    session: Session,
    input: Port,
    device: Device,
    batches: Batches,
    /// Memory for inputs and outputs, where not that of this program.
    staging: Option<(AllocationDevice<'static>, i32)>,
    /// In a lock for its type's sake alone: it may move between threads, not be shared by them.
    bound: Mutex<Option<Bound>>,
    note: String,
}

/// How often it is asked, while a network runs, whether to stop.
const WATCH: Duration = Duration::from_millis(50);

/// What ONNX Runtime allows once a process: its library and its environment.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// What ONNX Runtime wrote to its log: why a provider could not be loaded is said there alone.
static COMPLAINTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl Runtime {
    /// Loads the library (once a process) and the network.
    ///
    /// # Errors
    /// [`Error::RuntimeLibrary`], [`Error::RuntimeVersion`], [`Error::Device`] where the accelerator cannot be used,
    /// [`Error::Runtime`].
    pub fn open(request: &Request, interface: &Interface, device: Device, batches: Batches) -> Result<Self> {
        let provider = provider(device, request.precision)?;
        let network = match request.precision {
            Precision::F32 | Precision::Tf32 => Cow::Borrowed(request.onnx),
            Precision::F16 => Cow::Owned(onnx::in_float16(request.onnx, request.name)?),
        };
        let (path, environment) = load(request.library)?;
        let failed = |step: &'static str| {
            move |error: ort::Error| Error::Runtime { step, detail: format!("{}: {error}", request.name) }
        };
        let mut builder = Session::builder(&environment).map_err(failed("make a session"))?;
        let threads = |error: ort::Error<_>| failed("set threads")(error.into());
        builder = builder.with_intra_threads(request.threads).map_err(threads)?;
        if !matches!(request.purpose, Purpose::Rays { .. }) {
            // Between windows its threads would spin on the cores that cut and blend them.
            builder = builder.with_intra_op_spinning(false).map_err(threads)?;
        }
        complaints();
        let session = match &provider {
            None => commit(builder, &network).map_err(|detail| Error::Runtime {
                step: "load the network",
                detail: format!("{}: {detail}", request.name),
            })?,
            Some(provider) => {
                let refused = |detail: String| {
                    let said = std::iter::once(detail.trim().to_owned()).chain(complaints());
                    let detail =
                        format!("{}: {}; {}", provider.name(), said.collect::<Vec<_>>().join("; "), advice(device));
                    Error::Device { device: device.to_string(), detail }
                };
                if device.is_nvidia() {
                    preload_nvidia(&path);
                }
                let builder = builder.with_execution_providers([provider.clone()]);
                commit(builder.map_err(|error| refused(error.to_string()))?, &network).map_err(refused)?
            }
        };
        let arithmetic = match (device, request.precision) {
            // It has no switch for it in ONNX Runtime.
            (Device::TensorRt(_), Precision::F32) => ", f32 or tf32 as TensorRT chooses".into(),
            (_, Precision::F32) => String::new(),
            (_, precision) => format!(", {precision}"),
        };
        let note = format!("ONNX Runtime on {device}{arithmetic} ({})", path.display());
        let staging = match device {
            Device::Cuda(number) => i32::try_from(number).ok().map(|number| (AllocationDevice::CUDA_PINNED, number)),
            _ => None,
        };
        Ok(Self { session, input: interface.input.clone(), device, batches, staging, bound: Mutex::default(), note })
    }

    /// The device and the library.
    pub fn describe(&self) -> String {
        self.note.clone()
    }

    /// What became of its batches, where that is worth a word.
    pub fn memory_note(&self) -> Option<String> {
        self.batches.note()
    }

    /// What the network takes.
    pub fn input(&self) -> &Port {
        &self.input
    }

    /// Runs `input` in batches along its first axis; `sink` takes each result.
    ///
    /// # Errors
    /// [`Error::Runtime`], [`Error::DeviceMemory`] where not one item fits, what `sink` reports, [`Error::Cancelled`]
    /// between batches.
    pub fn run(&mut self, input: ArrayViewD<f32>, monitor: &dyn Monitor, sink: &mut Sink) -> Result<()> {
        let Self { session, input: port, device, batches, staging, bound, .. } = self;
        let bound = bound.get_mut().unwrap_or_else(PoisonError::into_inner);
        batches.run(input, monitor, &mut |start, count, part| {
            let failed = |error: ort::Error| match monitor.check() {
                Ok(()) => failed_run(*device, error.to_string()),
                Err(cancelled) => cancelled.into(),
            };
            let options = RunOptions::new().map_err(failed)?;
            let items = part.len_of(Axis(0));
            let outputs = if let Some(memory) = staging {
                // One of another shape goes first: memory may be what there is too little of.
                let kept = bound.take().filter(|bound| bound.fits(part.shape()));
                let kept = kept.map_or_else(|| Bound::new(session, memory, part.shape()), Ok).map_err(failed)?;
                let kept = bound.insert(kept);
                interruptible(monitor, &options, || kept.run(session, &part, &options)).map_err(failed)?
            } else {
                let part = part.as_standard_layout();
                let tensor = TensorRef::from_array_view(part.view()).map_err(failed)?;
                let inputs = ort::inputs![port.name.as_str() => tensor];
                interruptible(monitor, &options, || session.run_with_options(inputs, &options)).map_err(failed)?
            };
            for number in 0..outputs.len() {
                let output = outputs[number].try_extract_array::<f32>().map_err(failed)?;
                sink(number, start, unpadded(output, items, count)?)?;
            }
            Ok(())
        })
    }
}

/// Loads a network.
fn commit(mut builder: SessionBuilder, network: &[u8]) -> std::result::Result<Session, String> {
    // `ort` panics where ONNX Runtime works out an output of less than no size.
    let committed = catch_unwind(AssertUnwindSafe(|| builder.commit_from_memory(network)));
    committed.map_err(|_| "the sizes of its outputs cannot be".to_owned())?.map_err(|error| error.to_string())
}

/// Runs a network so that it ends soon after `monitor` is cancelled: one run may take longer than anybody waits.
fn interruptible<T>(monitor: &dyn Monitor, options: &RunOptions, run: impl FnOnce() -> T) -> T {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while !is_over.load(Ordering::Acquire) {
                if monitor.is_cancelled() {
                    // Where it cannot be stopped it ends by itself.
                    let _ = options.terminate();
                }
                std::thread::park_timeout(WATCH);
            }
        });
        let result = run();
        is_over.store(true, Ordering::Release);
        watcher.thread().unpark();
        result
    })
}

/// An error while the network ran. There is no code for too little memory: the allocators and CUDA say it in words.
fn failed_run(device: Device, detail: String) -> Error {
    let words = detail.to_ascii_lowercase();
    let memory = ["out of memory", "failed to allocate memory", "available memory of", "alloc_failed", "bad_alloc"];
    if memory.iter().any(|phrase| words.contains(phrase)) {
        return Error::DeviceMemory { device: device.to_string(), detail };
    }
    Error::Runtime { step: "run the network", detail }
}

/// The library's path and the process's environment.
fn load(named: Option<&Path>) -> Result<(PathBuf, Environment)> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((path, environment)) = loaded.as_ref() {
        let asked = named.map(|library| library.canonicalize().unwrap_or_else(|_| library.into()));
        return match asked.filter(|asked| asked != path) {
            Some(asked) => {
                let detail = format!("{} cannot be loaded beside {}", asked.display(), path.display());
                Err(Error::RuntimeLibrary { detail })
            }
            None => Ok((path.clone(), environment.clone())),
        };
    }
    let path = library::find(named)?;
    // The version is compared before anything of the library is used but its name for itself.
    let builder = ort::init_from(&path).map_err(|error| match error {
        ort::LoadDynamicError::BadVersion { version_str, path } => {
            Error::RuntimeVersion { path, expected: format!("1.{}", ort::MINOR_VERSION), found: version_str }
        }
        error => Error::RuntimeLibrary { detail: error.to_string() },
    })?;
    let environment = builder
        .with_name("brainmesh")
        .with_telemetry(false)
        .with_logger(Arc::new(|_level, _category, _id, _place, message| keep(message)))
        .build()
        .map_err(|error| Error::RuntimeLibrary { detail: error.to_string() })?;
    environment.set_log_level(LogLevel::Error);
    *loaded = Some((path.clone(), environment.clone()));
    Ok((path, environment))
}

/// Keeps a line of the log, of which errors repeat the last few.
fn keep(message: &str) {
    let mut complaints = COMPLAINTS.lock().unwrap_or_else(PoisonError::into_inner);
    if complaints.len() < 4 {
        complaints.push(message.trim().to_owned());
    }
}

/// Takes what was logged.
fn complaints() -> Vec<String> {
    std::mem::take(&mut COMPLAINTS.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Purpose;
    use brainmesh_core::Silent;
    use ndarray::ArrayD;
    use ndarray_npy::read_npy;

    const FLAT: &[u8] = include_bytes!("../tests/data/images/flat.onnx");

    /// None, with a word, where there is no library.
    fn flat() -> Option<Runtime> {
        let request = Request {
            onnx: FLAT,
            name: "flat.onnx",
            purpose: Purpose::Images,
            device: Device::Cpu,
            precision: Precision::F32,
            threads: 1,
            library: None,
            form: None,
            batch: 0,
        };
        let interface = Interface::read(FLAT, "flat.onnx").unwrap();
        let opened = Runtime::open(&request, &interface, Device::Cpu, Batches::new(2));
        opened.map_err(|error| eprintln!("skipped: {error}")).ok()
    }

    /// Is cancelled when first asked by another thread than the one that made it: while the network runs.
    struct WhileItRuns(std::thread::ThreadId);

    impl Monitor for WhileItRuns {
        fn stage(&self, _name: &'static str, _total: u64) {}
        fn advance(&self, _steps: u64) {}
        fn is_cancelled(&self) -> bool {
            std::thread::current().id() != self.0
        }
    }

    /// Cause: whoever cancelled waited for the window that was running, of seconds with large networks.
    #[test]
    fn a_network_that_runs_is_stopped() {
        let Some(mut runtime) = flat() else { return };
        let input: ArrayD<f32> = read_npy("tests/data/images/flat_input.npy").unwrap();
        let monitor = WhileItRuns(std::thread::current().id());
        let options = RunOptions::new().unwrap();
        let Runtime { session, input: port, .. } = &mut runtime;
        let stopped = interruptible(&monitor, &options, || {
            // The watcher asks at once; the network is not long enough to be sure to meet it.
            std::thread::sleep(4 * WATCH);
            let tensor = TensorRef::from_array_view(input.view()).unwrap();
            session.run_with_options(ort::inputs![port.name.as_str() => tensor], &options).map(|_| ())
        });
        assert!(stopped.unwrap_err().to_string().contains("terminate"));
        assert!(interruptible(&Silent, &RunOptions::new().unwrap(), || true));
    }

    #[test]
    fn bound_memory_gives_what_plain_memory_gives_for_batches_of_any_size() {
        let input: ArrayD<f32> = read_npy("tests/data/images/flat_input.npy").unwrap();
        let expected: ArrayD<f32> = read_npy("tests/data/images/flat_output.npy").unwrap();
        let Some(mut runtime) = flat() else { return };
        runtime.staging = Some((AllocationDevice::CPU, 0));
        for _ in 0..2 {
            let mut items = 0;
            let mut sink = |_: usize, start: usize, part: ArrayViewD<f32>| {
                let expected = expected.slice_axis(Axis(0), (start..start + part.len_of(Axis(0))).into());
                assert!(part.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5));
                items += part.len_of(Axis(0));
                Ok(())
            };
            runtime.run(input.view(), &Silent, &mut sink).unwrap();
            assert_eq!(items, 3);
        }
    }

    /// Messages as the BFC arena, CUDA, cuDNN and cuBLAS word them.
    #[test]
    fn too_little_memory_is_told_from_other_errors() {
        for message in [
            "Non-zero status code returned while running Conv node. Failed to allocate memory for requested buffer of size 838860800",
            "CUDA failure 2: out of memory ; GPU=0",
            "CUDNN failure 4: CUDNN_STATUS_ALLOC_FAILED ; GPU=0",
            "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0",
            "std::bad_alloc",
        ] {
            assert!(matches!(failed_run(Device::Cuda(0), message.into()), Error::DeviceMemory { .. }), "{message}");
        }
        let error = failed_run(Device::Cpu, "Invalid rank for input: x".into());
        assert!(matches!(error, Error::Runtime { .. }), "{error}");
    }
}
