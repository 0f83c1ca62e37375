use crate::backend::Backend;
use crate::mask_rcnn::{self, Heads};
use crate::request::{Purpose, Request};
use crate::{
    Device, Error, FileReference, Form, Manifest, Model, Part, PartKind, Precision, Result, SegmentOptions, Segmented,
    Task, Tile, image, sections,
};
use brainmesh_core::{ClassProbabilities, Monitor, Silent, Volume};
use ndarray::{Array3, ArrayD, ArrayView3, Axis, Ix4, s};
use rayon::prelude::*;
use std::path::PathBuf;

/// Regions that go through the head of a Mask R-CNN at a time.
const REGIONS: usize = 64;

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
            Task::Image(_) | Task::Sections(_) => Purpose::Images,
            Task::MaskRcnn(task) => Purpose::Part { outputs: task.detector_outputs() },
        };
        let open = |onnx: &[u8], name: String, purpose: Purpose, batch: usize| {
            Request {
                onnx,
                name: &name,
                purpose,
                device: self.device,
                precision: self.precision,
                threads: self.threads(),
                library: self.library.as_deref(),
                form: self.form,
                batch,
            }
            .open()
        };
        let (backend, device_note) = open(model.onnx(), model.path_of(&model.manifest().onnx), purpose, self.batch)?;
        let other = |file: &FileReference, purpose: Purpose, batch: usize| {
            Ok::<_, Error>(open(&model.file(file)?, model.path_of(file), purpose, batch)?.0)
        };
        let (mut locator, mut heads) = (None, None);
        match &model.manifest().task {
            Task::Image(task) => {
                let file = task.locator.as_ref().map(|locator| &locator.onnx);
                locator = file.map(|file| other(file, purpose, self.batch)).transpose()?;
            }
            Task::MaskRcnn(task) => {
                let batch = if self.batch > 0 { self.batch } else { REGIONS };
                let boxes = other(&task.boxes, Purpose::Part { outputs: 2 }, batch)?;
                heads = Some(Heads { boxes, masks: other(&task.masks, Purpose::Part { outputs: 1 }, batch)? });
            }
            Task::Rays(_) | Task::Sections(_) => {}
        }
        let tolerance = model.manifest().tolerance.max(self.precision.tolerance());
        Ok(Session { backend, locator, heads, device_note, tolerance, manifest: model.manifest().clone() })
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
    pub(crate) backend: Backend,
    /// Finds the part of a volume to look at.
    locator: Option<Backend>,
    /// Of a Mask R-CNN.
    pub(crate) heads: Option<Heads>,
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

    /// What an image model makes of a test tensor, or a network that finds sections itself.
    pub(crate) fn run_tensor(&mut self, tensor: ArrayD<f32>) -> Result<ArrayD<f32>> {
        match &self.manifest.task {
            Task::Sections(_) => self.backend.run(tensor.view(), &Silent),
            Task::MaskRcnn(task) => {
                // The logits of the finest level: they depend on every part of the graph that goes down and up again.
                let outputs = self.backend.run_all(tensor.view(), &Silent)?;
                let tested = outputs.into_iter().nth(task.settings.anchors_px.len() - 1);
                tested.ok_or_else(|| Error::Shape { expected: "logits".into(), found: "fewer outputs".into() })
            }
            _ => image::run_tensor(&mut self.backend, self.manifest.image()?, tensor),
        }
    }

    /// Parts of sections in the core of a tile: tissue, and magnet parts; `inside` holds intensity and fluorescence `[2, y, x]` of
    /// [`Tile::inside`], as [`Levels::apply`](crate::Levels::apply) gives them. All parts of a picture together make its sections:
    /// [`Section::from_parts`](crate::Section::from_parts).
    ///
    /// Peaks of the heat (channels 0 and 1) within 5 x 5 blocks are parts; their corners (2 to 9) and the way to the partner (10, 11) are
    /// the mean of what 7 x 7 blocks say, as `decode.py` of the training package has it. A Mask R-CNN gives what lies whole in a tile, with
    /// corners that begin anywhere and no way to a partner.
    ///
    /// # Errors
    /// [`Error::Task`] for a model of something else; [`Error::Input`] for another size than the tile's; [`Error::Shape`] for an
    /// answer that is none; what the engine reports; cancelled.
    pub fn section_parts(
        &mut self,
        tile: &Tile,
        inside: ArrayView3<f32>,
        monitor: &dyn Monitor,
    ) -> Result<[Vec<Part>; 2]> {
        let (channels, rows, columns) = inside.dim();
        let fits = |n: usize, length: usize| (1..=tile.input[n].len()).contains(&length);
        if channels != 2 || !fits(0, columns) || !fits(1, rows) {
            let expected = format!("[2, up to {}, up to {}]", tile.input[1].len(), tile.input[0].len());
            return Err(Error::Input { field: "tile", expected, found: format!("{:?}", inside.dim()) });
        }
        if let (Task::MaskRcnn(task), Some(heads)) = (&self.manifest.task, &mut self.heads) {
            let picture = tile.three_channels(inside);
            let found = mask_rcnn::detect(&mut self.backend, heads, &task.settings, picture.view(), monitor)?;
            return Ok(mask_rcnn::of_tile(&found, tile, [columns, rows]));
        }
        let task = self.manifest.sections()?;
        let answer = self.backend.run(tile.padded(inside).view().into_dyn(), monitor)?;
        let found = format!("{:?}", answer.shape());
        let wrong = || Error::Shape { expected: "[1, 12, y, x]".into(), found };
        let answer = answer.into_dimensionality::<Ix4>().ok().filter(|answer| answer.dim().0 == 1).ok_or_else(wrong)?;
        let answer = answer.index_axis(Axis(0), 0);
        let parts = |kind| sections::parts(answer, kind, task, tile);
        Ok([parts(PartKind::Tissue)?, parts(PartKind::Magnet)?])
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
