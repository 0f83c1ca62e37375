use crate::backend::Backend;
use crate::request::{Purpose, Request};
use crate::{Device, Error, Form, Manifest, Model, Precision, Result, SegmentOptions, Segmented, Task, image};
use brainmesh_core::{ClassProbabilities, Monitor, Volume};
use ndarray::{Array3, ArrayD, ArrayView3, s};
use rayon::prelude::*;
use std::path::PathBuf;

/// How to open a [`Session`].
#[derive(Debug, Clone, Default)]
pub struct SessionOptions {
    device: Device,
    precision: Precision,
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

    /// Arithmetic of an accelerator; [`Precision::F32`] unless set. The built-in engines offer no other.
    #[must_use]
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// How many threads to use; 0, the default, for as many as there are cores.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The ONNX Runtime library to load. Else `ORT_DYLIB_PATH` names it, or it lies beside the
    /// program, or is that of the Python environment.
    /// One process loads one library: the first that is used stays.
    #[must_use]
    pub fn with_library(mut self, path: impl Into<PathBuf>) -> Self {
        self.library = Some(path.into());
        self
    }

    /// Gives engines other than the one for rays the network's tensors in this form, whatever the form of its file: they
    /// are faster with one or the other. The result is the same but for rounding.
    #[must_use]
    pub fn with_form(mut self, form: Form) -> Self {
        self.form = Some(form);
        self
    }

    /// How many rays engines other than the one for rays are given at once; 0, the default, for what suits the device.
    #[must_use]
    pub fn with_batch(mut self, rays: usize) -> Self {
        self.batch = rays;
        self
    }

    /// Opens a session.
    ///
    /// # Errors
    /// A network that the device cannot run, a library that cannot be loaded, a device that does not work. Only
    /// [`Device::Auto`] ever tries another one. [`Error::Verification`] where the device gives other results than the
    /// model's makers got; this is tried once for each model, device and version of this program.
    pub fn open(&self, model: &Model) -> Result<Session> {
        let mut session = self.open_unverified(model)?;
        model.verify_once(&mut session)?;
        Ok(session)
    }

    pub(crate) fn open_unverified(&self, model: &Model) -> Result<Session> {
        let purpose = match &model.manifest().task {
            Task::Rays(task) => {
                Purpose::Rays { channels: task.channels.len(), classes: task.classes(), samples: task.samples }
            }
            Task::Image(_) => Purpose::Images,
        };
        let open = |onnx: &[u8], name: String| {
            Request {
                onnx,
                name: &name,
                purpose,
                device: self.device,
                precision: self.precision,
                threads: self.threads(),
                library: self.library.as_deref(),
                form: self.form,
                batch: self.batch,
            }
            .open()
        };
        let (backend, device_note) = open(model.onnx(), model.path_of(&model.manifest().onnx))?;
        let locator = match &model.manifest().task {
            Task::Image(task) => task.locator.as_ref(),
            Task::Rays(_) => None,
        };
        let locator =
            locator.map(|locator| Ok::<_, Error>(open(&model.file(&locator.onnx)?, model.path_of(&locator.onnx))?.0));
        let locator = locator.transpose()?;
        let tolerance = model.manifest().tolerance.max(self.precision.tolerance());
        Ok(Session { backend, locator, device_note, tolerance, manifest: model.manifest().clone() })
    }

    fn threads(&self) -> usize {
        /// More than any machine; each thread has working memory of its own.
        const MOST: usize = 1024;
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from).min(MOST),
            threads => threads.min(MOST),
        }
    }
}

/// A network on a device.
pub struct Session {
    backend: Backend,
    /// Finds the part of a volume to look at.
    locator: Option<Backend>,
    device_note: String,
    /// Largest difference from the test tensors.
    tolerance: f64,
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

impl Session {
    /// Opens a session on `device` with `threads` threads (0: one a core). See [`SessionOptions`] for more.
    ///
    /// # Errors
    /// As [`SessionOptions::open`].
    pub fn open(model: &Model, device: Device, threads: usize) -> Result<Self> {
        SessionOptions::default().with_device(device).with_threads(threads).open(model)
    }

    /// What was chosen to run on, and why; after rays were classified also where the device had too little memory for
    /// as many at a time as it should have.
    pub fn device_note(&self) -> String {
        let memory = self.backend.memory_note();
        std::iter::once(self.device_note.clone()).chain(memory).collect::<Vec<_>>().join("; ")
    }

    /// Segments a volume with a model of images, one [`Volume`] a channel, all on one grid and of any orientation and
    /// spacing. The result is on that grid.
    ///
    /// # Errors
    /// [`Error::Task`] for a model of rays; [`Error::Option`]; [`Error::Input`] for channels that do not fit;
    /// [`Error::Shape`] and [`Error::Output`] for a network that does not give one number a voxel and class;
    /// [`Error::Cancelled`] between windows.
    pub fn segment(
        &mut self,
        channels: &[Volume<f32>],
        options: &SegmentOptions,
        monitor: &dyn Monitor,
    ) -> Result<Segmented> {
        let task = options.apply(self.manifest.image()?)?;
        let locator = self.locator.as_mut();
        image::segment(&mut self.backend, locator, &task, channels, options.probabilities(), monitor)
    }

    /// Largest difference from the test tensors that the manifest or the arithmetic allows.
    pub(crate) fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// What an image model makes of a test tensor.
    pub(crate) fn run_tensor(&mut self, tensor: ArrayD<f32>) -> Result<ArrayD<f32>> {
        image::run_tensor(&mut self.backend, self.manifest.image()?, tensor)
    }

    /// Class probabilities of rays `[rays, channels, samples]`, as [`normalise`](crate::normalise) gives them. With the
    /// built-in engine the result depends neither on the number of threads nor on what other rays there are.
    ///
    /// # Errors
    /// [`Error::Input`] for another number of channels or samples than the model's, or values that are not finite;
    /// [`Error::Output`] where the network gives no probabilities; [`Error::Cancelled`] between batches.
    pub fn classify(&mut self, rays: &Array3<f32>, monitor: &dyn Monitor) -> Result<ClassProbabilities> {
        let (count, channels, samples) = rays.dim();
        let manifest = self.manifest.rays()?;
        for (field, expected, found) in
            [("channels", manifest.channels.len(), channels), ("samples a ray", manifest.samples, samples)]
        {
            if expected != found {
                return Err(Error::Input { field, expected: expected.to_string(), found: found.to_string() });
            }
        }
        let rays = rays.as_standard_layout();
        let values = rays.as_slice().unwrap_or_default();
        if let Some(value) = values.par_iter().find_first(|value| !value.is_finite()) {
            return Err(Error::Input { field: "rays", expected: "finite values".into(), found: value.to_string() });
        }
        let mut probabilities = Array3::zeros((count, manifest.classes(), samples));
        monitor.stage("classify rays", count as u64);
        /// Rays between two looks at the output; a multiple of every bundle.
        const BATCH: usize = 4096;
        for start in (0..count).step_by(BATCH) {
            monitor.check()?;
            let batch = s![start..count.min(start + BATCH), .., ..];
            let mut output = probabilities.slice_mut(batch);
            self.backend.run_rays(rays.slice(batch), output.view_mut(), monitor)?;
            check_probabilities(output.view(), start)?;
        }
        Ok(ClassProbabilities::new(probabilities)?)
    }
}

/// Whether every sample's classes lie in [0, 1] and sum to 1; `start` is the number of the first ray.
fn check_probabilities(values: ArrayView3<f32>, start: usize) -> Result<()> {
    const TOLERANCE: f32 = 1e-3;
    let (_, classes, samples) = values.dim();
    let values = values.as_standard_layout();
    let rays = values.as_slice().unwrap_or_default().par_chunks(classes * samples);
    let wrong = rays.enumerate().find_map_first(|(ray, values)| {
        let found = |value: f32| format!("{value} at ray {}", start + ray);
        let mut sums = vec![0.0_f32; samples];
        for class in values.chunks_exact(samples) {
            if let Some(&value) = class.iter().find(|value| !(-TOLERANCE..=1.0 + TOLERANCE).contains(*value)) {
                return Some(("values in 0..=1", found(value)));
            }
            sums.iter_mut().zip(class).for_each(|(sum, value)| *sum += value);
        }
        let sum = sums.into_iter().find(|sum| (sum - 1.0).abs() > TOLERANCE);
        sum.map(|sum| ("a sum of 1 over classes", found(sum)))
    });
    wrong.map_or(Ok(()), |(expected, found)| Err(Error::Output { expected: expected.into(), found }))
}
