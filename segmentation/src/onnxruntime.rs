use crate::batches::{Batches, unpadded};
use crate::library;
use crate::onnx::{Interface, Port};
use crate::request::Request;
use crate::{Device, Error, Result};
use brainmesh_core::Monitor;
use ndarray::{ArrayViewD, Axis};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A network in ONNX Runtime.
pub(crate) struct Runtime {
    session: Session,
    input: Port,
    device: Device,
    batches: Batches,
    note: String,
}

/// What ONNX Runtime allows once a process: its library and its environment.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

impl Runtime {
    /// Loads the library (once a process) and the network.
    ///
    /// # Errors
    /// [`Error::RuntimeLibrary`], [`Error::Device`] where the accelerator cannot be used, [`Error::Runtime`].
    pub fn open(request: &Request, interface: &Interface, device: Device, batches: Batches) -> Result<Self> {
        let (path, environment) = load(request.library)?;
        let failed = |step: &'static str| move |error: ort::Error| Error::Runtime { step, detail: error.to_string() };
        let mut builder = Session::builder(&environment).map_err(failed("make a session"))?;
        builder = builder.with_intra_threads(request.threads).map_err(|error| failed("set threads")(error.into()))?;
        if let Device::Cuda(number) = device {
            let refused = |detail: String| Error::Device { device: device.to_string(), detail };
            let number = i32::try_from(number).map_err(|error| refused(error.to_string()))?;
            preload_cuda(&path);
            // Without `error_on_failure` ONNX Runtime would go on with the processor and not say so.
            let provider = ort::ep::CUDA::default().with_device_id(number).build().error_on_failure();
            builder = builder.with_execution_providers([provider]).map_err(|error| refused(error.to_string()))?;
        }
        let session = builder.commit_from_memory(request.onnx).map_err(failed("load the network"))?;
        let note = format!("ONNX Runtime on {device} ({})", path.display());
        Ok(Self { session, input: interface.input.clone(), device, batches, note })
    }

    /// The device and the library.
    pub fn describe(&self) -> String {
        self.note.clone()
    }

    /// What the network takes.
    pub fn input(&self) -> &Port {
        &self.input
    }

    /// Runs `input` in batches along its first axis; `sink` takes each result, and how many items came before it.
    ///
    /// # Errors
    /// [`Error::Runtime`], [`Error::DeviceMemory`] where not one item fits, what `sink` reports, [`Error::Cancelled`]
    /// between batches.
    pub fn run(
        &mut self,
        input: ArrayViewD<f32>,
        monitor: &dyn Monitor,
        sink: &mut dyn FnMut(usize, ArrayViewD<f32>) -> Result<()>,
    ) -> Result<()> {
        let Self { session, input: port, device, batches, .. } = self;
        batches.run(input, monitor, &mut |start, count, part| {
            let failed = |error: ort::Error| failed_run(*device, &error);
            let part = part.as_standard_layout();
            let tensor = TensorRef::from_array_view(part.view()).map_err(failed)?;
            let outputs = session.run(ort::inputs![port.name.as_str() => tensor]).map_err(failed)?;
            let output = outputs[0].try_extract_array::<f32>().map_err(failed)?;
            sink(start, unpadded(output, part.len_of(Axis(0)), count)?)
        })
    }
}

/// An error while the network ran. There is no code for memory: the allocators and CUDA say it in words.
fn failed_run(device: Device, error: &ort::Error) -> Error {
    let detail = error.to_string();
    let words = detail.to_ascii_lowercase();
    let memory = ["out of memory", "failed to allocate memory", "available memory of"];
    if memory.iter().any(|phrase| words.contains(phrase)) {
        return Error::DeviceMemory { device: device.to_string(), detail };
    }
    Error::Runtime { step: "run the network", detail }
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
