use crate::engine::Engine;
#[cfg(feature = "onnxruntime")]
use crate::onnxruntime::Runtime;
use crate::{Device, Error, Form, Manifest, Model, Result, onnx};
use brainmesh_core::{ClassProbabilities, Monitor};
use ndarray::{Array3, s};
use std::borrow::Cow;
use std::path::PathBuf;

/// How to open a [`Session`].
#[derive(Debug, Clone, Default)]
pub struct SessionOptions {
    device: Device,
    threads: usize,
    library: Option<PathBuf>,
    form: Option<Form>,
    batch: usize,
}

impl SessionOptions {
    /// Where to run; [`Device::Auto`] unless set.
    #[must_use]
    pub fn with_device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// How many threads to use; 0, the default, for as many as there are cores.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The ONNX Runtime library to load. Else `ORT_DYLIB_PATH` names it, or it is that of the Python environment.
    /// One process loads one library: the first that is used stays.
    #[must_use]
    pub fn with_library(mut self, path: impl Into<PathBuf>) -> Self {
        self.library = Some(path.into());
        self
    }

    /// Writes the network's tensors in this form, whatever the form of its file. ONNX Runtime is faster with one or the
    /// other; the result is the same but for rounding. Only networks that the built-in engine runs can be rewritten.
    #[must_use]
    pub fn with_form(mut self, form: Form) -> Self {
        self.form = Some(form);
        self
    }

    /// How many rays ONNX Runtime is given at once; 0, the default, for what suits the device. The built-in engine does
    /// not depend on it.
    #[must_use]
    pub fn with_batch(mut self, rays: usize) -> Self {
        self.batch = rays;
        self
    }

    /// Opens a session.
    ///
    /// # Errors
    /// A network that the device cannot run, a library that cannot be loaded, a device that does not work. Only
    /// [`Device::Auto`] ever tries another one.
    pub fn open(&self, model: &Model) -> Result<Session> {
        let (backend, device_note) = match self.device {
            Device::Builtin => {
                let engine = self.engine(model)?;
                let note = format!("built-in engine ({})", engine.describe());
                (Backend::Builtin(engine), note)
            }
            Device::Cpu | Device::Cuda(_) => {
                let (backend, note) = self.runtime(model, self.device)?;
                (backend, note)
            }
            Device::Auto => match self.engine(model) {
                Ok(engine) => {
                    let note = format!("built-in engine ({}), chosen because it runs this network", engine.describe());
                    (Backend::Builtin(engine), note)
                }
                Err(refused @ Error::Unsupported { .. }) => {
                    let (backend, note) = self.runtime(model, Device::Cpu).map_err(|error| Error::Device {
                        device: self.device.to_string(),
                        detail: format!("{refused}; and {error}"),
                    })?;
                    (backend, format!("{note}, chosen because {refused}"))
                }
                Err(error) => return Err(error),
            },
        };
        Ok(Session { backend, device_note, manifest: model.manifest().clone() })
    }

    fn threads(&self) -> usize {
        /// More than any machine; each thread has working memory of its own.
        const MOST: usize = 1024;
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from).min(MOST),
            threads => threads.min(MOST),
        }
    }

    fn engine(&self, model: &Model) -> Result<Engine> {
        let manifest = model.manifest();
        let name = model.onnx_path();
        let network = onnx::read(model.onnx(), &name)?;
        let (inputs, classes) = (network.channels[0], network.channels[network.output]);
        for (what, expected, found) in
            [("input channels", manifest.channels.len(), inputs), ("output channels", manifest.classes(), classes)]
        {
            if expected != found {
                let detail = format!("{found} {what}, its manifest says {expected}");
                return Err(Error::Onnx { model: name, detail });
            }
        }
        Engine::new(&network, &name, manifest.samples, self.threads())
    }

    /// The network in the form asked for.
    #[cfg(feature = "onnxruntime")]
    fn onnx<'a>(&self, model: &'a Model) -> Result<Cow<'a, [u8]>> {
        let Some(form) = self.form else { return Ok(Cow::Borrowed(model.onnx())) };
        let network = onnx::read(model.onnx(), &model.onnx_path())?;
        Ok(if network.form == form {
            Cow::Borrowed(model.onnx())
        } else {
            Cow::Owned(onnx::write(&network, form, model.manifest().samples))
        })
    }

    #[cfg(feature = "onnxruntime")]
    fn runtime(&self, model: &Model, device: Device) -> Result<(Backend, String)> {
        let onnx = self.onnx(model)?;
        let (threads, library) = (self.threads(), self.library.as_deref());
        let runtime = Runtime::open(&onnx, &model.onnx_path(), device, threads, library, self.batch)?;
        let note = runtime.describe();
        Ok((Backend::Runtime(runtime), note))
    }

    #[cfg(not(feature = "onnxruntime"))]
    fn runtime(&self, _model: &Model, _device: Device) -> Result<(Backend, String)> {
        Err(Error::RuntimeLibrary { detail: "this program was built without it".into() })
    }
}

/// A network on a device.
pub struct Session {
    backend: Backend,
    device_note: String,
    manifest: Manifest,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("model", &self.manifest.name)
            .field("device", &self.device_note)
            .finish_non_exhaustive()
    }
}

enum Backend {
    Builtin(Engine),
    #[cfg(feature = "onnxruntime")]
    Runtime(Runtime),
}

impl Session {
    /// Opens a session on `device` with `threads` threads (0: one a core). See [`SessionOptions`] for more.
    ///
    /// # Errors
    /// As [`SessionOptions::open`].
    pub fn open(model: &Model, device: Device, threads: usize) -> Result<Self> {
        SessionOptions::default().with_device(device).with_threads(threads).open(model)
    }

    /// What was chosen to run on, and why.
    pub fn device_note(&self) -> &str {
        &self.device_note
    }

    /// Class probabilities of rays `[rays, channels, samples]`, as [`normalise`](crate::normalise) gives them. With the
    /// built-in engine the result depends neither on the number of threads nor on what other rays there are.
    ///
    /// # Errors
    /// [`Error::Input`] for another number of channels or samples than the model's, or values that are not finite;
    /// [`Error::Output`] where the network gives no probabilities; [`Error::Cancelled`] between batches.
    pub fn classify(&mut self, rays: &Array3<f32>, monitor: &dyn Monitor) -> Result<ClassProbabilities> {
        let (count, channels, samples) = rays.dim();
        let manifest = &self.manifest;
        for (field, expected, found) in
            [("channels", manifest.channels.len(), channels), ("samples a ray", manifest.samples, samples)]
        {
            if expected != found {
                return Err(Error::Input { field, expected: expected.to_string(), found: found.to_string() });
            }
        }
        if let Some(value) = rays.iter().find(|value| !value.is_finite()) {
            return Err(Error::Input { field: "rays", expected: "finite values".into(), found: value.to_string() });
        }
        let rays = rays.as_standard_layout();
        let mut probabilities = Array3::zeros((count, manifest.classes(), samples));
        monitor.stage("classify rays", count as u64);
        /// Rays between two looks at the output; a multiple of every bundle.
        const BATCH: usize = 4096;
        for start in (0..count).step_by(BATCH) {
            monitor.check()?;
            let batch = s![start..count.min(start + BATCH), .., ..];
            let output = probabilities.slice_mut(batch);
            match &mut self.backend {
                Backend::Builtin(engine) => engine.run(rays.slice(batch), output, monitor)?,
                #[cfg(feature = "onnxruntime")]
                Backend::Runtime(runtime) => runtime.run(rays.slice(batch), output, monitor)?,
            }
            check_probabilities(&probabilities, start..count.min(start + BATCH))?;
        }
        Ok(ClassProbabilities::new(probabilities)?)
    }
}

/// Whether every sample's classes lie in [0, 1] and sum to 1.
fn check_probabilities(values: &Array3<f32>, rays: std::ops::Range<usize>) -> Result<()> {
    const TOLERANCE: f32 = 1e-3;
    for ray in rays {
        let mut sums = vec![0.0_f32; values.dim().2];
        for class in values.index_axis(ndarray::Axis(0), ray).rows() {
            for (sum, &value) in sums.iter_mut().zip(class) {
                if !(-TOLERANCE..=1.0 + TOLERANCE).contains(&value) {
                    return Err(Error::Output {
                        expected: "values in 0..=1".into(),
                        found: format!("{value} at ray {ray}"),
                    });
                }
                *sum += value;
            }
        }
        if let Some(sum) = sums.iter().find(|sum| (*sum - 1.0).abs() > TOLERANCE) {
            return Err(Error::Output {
                expected: "a sum of 1 over classes".into(),
                found: format!("{sum} at ray {ray}"),
            });
        }
    }
    Ok(())
}
