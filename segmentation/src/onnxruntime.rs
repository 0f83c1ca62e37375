use crate::library;
use crate::{Device, Error, Result};
use brainmesh_core::Monitor;
use ndarray::{ArrayView3, ArrayViewMut3, Axis};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A network in ONNX Runtime.
pub(crate) struct Runtime {
    session: Session,
    input: String,
    /// Whether its tensors are `[batch, channels, 1, samples]`.
    two_dimensional: bool,
    batch: usize,
    note: String,
}

/// What ONNX Runtime allows once a process: its library and its environment.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

impl Runtime {
    /// Loads the library (once a process) and the network.
    ///
    /// # Errors
    /// [`Error::RuntimeLibrary`], [`Error::Device`] where the accelerator cannot be used, [`Error::Runtime`].
    pub fn open(
        onnx: &[u8],
        name: &str,
        device: Device,
        threads: usize,
        library: Option<&Path>,
        batch: usize,
    ) -> Result<Self> {
        let (path, environment) = load(library)?;
        let failed = |step: &'static str| move |error: ort::Error| Error::Runtime { step, detail: error.to_string() };
        let mut builder = Session::builder(&environment).map_err(failed("make a session"))?;
        builder = builder.with_intra_threads(threads).map_err(|error| failed("set threads")(error.into()))?;
        if let Device::Cuda(number) = device {
            let refused = |detail: String| Error::Device { device: device.to_string(), detail };
            let number = i32::try_from(number).map_err(|error| refused(error.to_string()))?;
            preload_cuda(&path);
            // Without `error_on_failure` ONNX Runtime would go on with the processor and not say so.
            let provider = ort::ep::CUDA::default().with_device_id(number).build().error_on_failure();
            builder = builder.with_execution_providers([provider]).map_err(|error| refused(error.to_string()))?;
        }
        let session = builder.commit_from_memory(onnx).map_err(failed("load the network"))?;
        let [input] = session.inputs() else {
            let detail = format!("{name}: expected one input, found {}", session.inputs().len());
            return Err(Error::Runtime { step: "load the network", detail });
        };
        let rank = input.dtype().tensor_shape().map_or(0, |shape| shape.len());
        let input = input.name().to_owned();
        // Convolutions written in two dimensions run in parallel over the batch only; a GPU wants more at a time.
        let batch = match batch {
            0 if matches!(device, Device::Cuda(_)) => 4096,
            0 => 256,
            batch => batch,
        };
        let note = format!("ONNX Runtime on {device} ({})", path.display());
        Ok(Self { session, input, two_dimensional: rank == 4, batch, note })
    }

    /// The device and the library.
    pub fn describe(&self) -> String {
        self.note.clone()
    }

    /// `[rays, channels, samples]` in, `[rays, classes, samples]` out; both in standard layout.
    pub fn run(&mut self, input: ArrayView3<f32>, mut output: ArrayViewMut3<f32>, monitor: &dyn Monitor) -> Result<()> {
        let failed = |error: ort::Error| Error::Runtime { step: "run the network", detail: error.to_string() };
        let batches = input.axis_chunks_iter(Axis(0), self.batch).zip(output.axis_chunks_iter_mut(Axis(0), self.batch));
        for (input, mut output) in batches {
            monitor.check()?;
            let rays = input.len_of(Axis(0));
            let tensor = if self.two_dimensional {
                TensorRef::from_array_view(input.insert_axis(Axis(2)).into_dyn())
            } else {
                TensorRef::from_array_view(input.into_dyn())
            };
            let outputs =
                self.session.run(ort::inputs![self.input.as_str() => tensor.map_err(failed)?]).map_err(failed)?;
            let (shape, values) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
            let expected = output.shape().iter().product::<usize>();
            let target = output.as_slice_mut().filter(|target| target.len() == values.len());
            let Some(target) = target else {
                return Err(Error::Output {
                    expected: format!("{expected} values"),
                    found: format!("shape {shape:?}"),
                });
            };
            target.copy_from_slice(values);
            monitor.advance(rays as u64);
        }
        Ok(())
    }
}

/// The library's path and the process's environment.
fn load(library: Option<&Path>) -> Result<(PathBuf, Environment)> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((path, environment)) = loaded.as_ref() {
        let asked = library.map(|library| library.canonicalize().unwrap_or_else(|_| library.into()));
        return match asked.filter(|asked| asked != path) {
            Some(asked) => {
                let detail = format!("{} cannot be loaded beside {}", asked.display(), path.display());
                Err(Error::RuntimeLibrary { detail })
            }
            None => Ok((path.clone(), environment.clone())),
        };
    }
    let path = library::find(library)?;
    let environment = ort::init_from(&path)
        .map_err(|error| Error::RuntimeLibrary { detail: error.to_string() })?
        .with_name("brainmesh")
        .with_telemetry(false)
        .build()
        .map_err(|error| Error::RuntimeLibrary { detail: error.to_string() })?;
    *loaded = Some((path.clone(), environment.clone()));
    Ok((path, environment))
}

/// Loads the CUDA libraries of NVIDIA's pip packages where they lie beside that of ONNX Runtime. Those that are missing
/// may be on the system's search path: if not, the execution provider's own error says so.
fn preload_cuda(library: &Path) {
    if let Some(packages) = library.ancestors().nth(3) {
        let nvidia = packages.join("nvidia");
        let folders = ["cu13/lib", "cudnn/lib"].map(|folder| Some(nvidia.join(folder)).filter(|path| path.is_dir()));
        let _ = ort::ep::cuda::preload_dylibs(folders[0].as_deref(), None);
        let _ = ort::ep::cuda::preload_dylibs(None, folders[1].as_deref());
    }
}
