//! Whether a device gives what a model's makers got: the test tensors of its manifest.

use crate::source::sha256;
use crate::{Error, FileReference, Model, Result, Session, SessionOptions, Task};
use brainmesh_core::Silent;
use etcetera::BaseStrategy;
use ndarray::{Array3, ArrayD, ArrayViewD, Axis};
use ndarray_npy::ViewNpyExt;
use std::path::PathBuf;

/// What the test tensors of a model showed on a device.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Verification {
    /// What it ran on, as [`Session::device_note`].
    pub device: String,
    /// Largest difference, as [`Model::verify`]; `None` where the manifest has no test tensors.
    pub difference: Option<f64>,
    /// Largest difference that the manifest allows.
    pub tolerance: f64,
}

impl Verification {
    /// Whether the difference is no larger than the manifest allows, or there was nothing to compare.
    pub fn agrees(&self) -> bool {
        self.difference.is_none_or(|difference| difference <= self.tolerance)
    }

    /// # Errors
    /// [`Error::Verification`] unless it [agrees](Self::agrees).
    pub fn check(self, model: &Model) -> Result<Self> {
        match self.difference {
            Some(found) if !self.agrees() => Err(Error::Verification {
                model: model.manifest().name.clone(),
                device: self.device,
                tolerance: self.tolerance,
                found,
            }),
            _ => Ok(self),
        }
    }
}

impl SessionOptions {
    /// Runs the test tensors of a model, whether they were run before or not.
    ///
    /// # Errors
    /// As [`SessionOptions::open`] and [`Model::verify`]; a difference is none, see [`Verification::check`].
    pub fn verify(&self, model: &Model) -> Result<Verification> {
        let mut session = self.open_unverified(model)?;
        let verification = model.verification(&mut session)?;
        if verification.agrees() {
            Memory::of(model, &verification.device).keep();
        }
        Ok(verification)
    }
}

impl Model {
    /// Runs the manifest's test input through a session of this model and returns the largest difference `|a - b|` from
    /// its test output, as a share of `|b|` where that is above 1; `None` where the manifest has no test tensors. Those
    /// of images are from before preprocessing and after postprocessing; those of rays are what the network takes.
    ///
    /// # Errors
    /// Test tensors that cannot be read, are not the ones the manifest describes or have other shapes than the model;
    /// what [`Session::classify`] reports.
    pub fn verify(&self, session: &mut Session) -> Result<Option<f64>> {
        let Some((input, output)) = &self.manifest().test_tensors else { return Ok(None) };
        match self.manifest().task {
            Task::Rays(_) => {
                let (input, expected) = (self.rays(input)?, self.rays(output)?);
                let found = session.classify(&input, &Silent)?;
                largest_difference(&found.values().view().into_dyn(), &expected.into_dyn()).map(Some)
            }
            Task::Image(_) | Task::Sections(_) | Task::MaskRcnn(_) => {
                let (input, expected) = (self.tensor(input)?, self.tensor(output)?);
                largest_difference(&session.run_tensor(input)?.view(), &expected).map(Some)
            }
        }
    }

    fn verification(&self, session: &mut Session) -> Result<Verification> {
        let difference = self.verify(session)?;
        Ok(Verification { device: session.device_note(), difference, tolerance: session.tolerance() })
    }

    /// Runs the test tensors where this program has not seen them agree on this device before.
    ///
    /// # Errors
    /// As [`Model::verify`]; [`Error::Verification`].
    pub(crate) fn verify_once(&self, session: &mut Session) -> Result<()> {
        if self.manifest().test_tensors.is_none() {
            return Ok(());
        }
        let memory = Memory::of(self, &session.device_note());
        if !memory.holds() {
            self.verification(session)?.check(self)?;
            memory.keep();
        }
        Ok(())
    }

    /// A test tensor, `[batch, channels, samples]` or `[batch, channels, 1, samples]`.
    fn rays(&self, file: &FileReference) -> Result<Array3<f32>> {
        let mut tensor = self.tensor(file)?;
        if tensor.ndim() == 4 && tensor.len_of(Axis(2)) == 1 {
            tensor = tensor.index_axis_move(Axis(2), 0);
        }
        let shape = format!("shape {:?}", tensor.shape());
        let expected = "[batch, channels, samples] or [batch, channels, 1, samples]";
        tensor.into_dimensionality().map_err(|_| self.unusable(file, expected, shape))
    }

    fn tensor(&self, file: &FileReference) -> Result<ArrayD<f32>> {
        let bytes = self.file(file)?;
        let unreadable = |found: String| self.unusable(file, "an .npy file (version 1.0) of float32 in C order", found);
        // Versions 2 and 3 let the header be as long as 4 GiB.
        if !bytes.starts_with(b"\x93NUMPY\x01") {
            return Err(unreadable("another kind of file".into()));
        }
        // A view (unlike a reader) checks the shape against the data before it takes memory; it wants them aligned.
        let mut aligned = vec![0; bytes.len() + align_of::<f32>()];
        let start = aligned.as_ptr().align_offset(align_of::<f32>()).min(align_of::<f32>());
        aligned[start..start + bytes.len()].copy_from_slice(&bytes);
        let tensor = ArrayViewD::<f32>::view_npy(&aligned[start..start + bytes.len()]);
        Ok(tensor.map_err(|error| unreadable(error.to_string()))?.to_owned())
    }

    fn unusable(&self, file: &FileReference, expected: &str, found: String) -> Error {
        Error::Manifest { path: self.path_of(file).into(), field: "test_tensor", expected: expected.into(), found }
    }
}

fn largest_difference(found: &ArrayViewD<f32>, expected: &ArrayD<f32>) -> Result<f64> {
    if found.shape() != expected.shape() {
        return Err(Error::Input {
            field: "test output",
            expected: format!("{:?}", found.shape()),
            found: format!("{:?}", expected.shape()),
        });
    }
    let differences = found.iter().zip(expected).map(|(&a, &b)| {
        let (a, b) = (f64::from(a), f64::from(b));
        let difference = (a - b).abs() / b.abs().max(1.0);
        // `max` would pass over it.
        if difference.is_nan() { f64::INFINITY } else { difference }
    });
    Ok(differences.fold(0.0, f64::max))
}

/// A file in the user's cache folder that says that a model agreed on a device.
struct Memory {
    path: Option<PathBuf>,
    text: String,
}

impl Memory {
    /// Anything that could change the answer is part of the file's name.
    fn of(model: &Model, device: &str) -> Self {
        let manifest = model.manifest();
        let mut text = format!("brainmesh {}\nmodel.onnx {}\n", env!("CARGO_PKG_VERSION"), manifest.onnx.sha256);
        if let Some((input, output)) = &manifest.test_tensors {
            text += &format!("test input {}\ntest output {}\n", input.sha256, output.sha256);
        }
        text += &format!("task {:?}\ntolerance {}\ndevice {device}\n", manifest.task, manifest.tolerance);
        let folder = etcetera::base_strategy::choose_native_strategy()
            .ok()
            .map(|user| user.cache_dir().join("brainmesh/verified"));
        Self { path: folder.map(|folder| folder.join(sha256(text.as_bytes()))), text }
    }

    fn holds(&self) -> bool {
        self.path.as_ref().is_some_and(|path| path.is_file())
    }

    /// Where that is not possible the model is simply verified again.
    fn keep(&self) {
        if let Some((path, folder)) = self.path.as_ref().and_then(|path| Some((path, path.parent()?))) {
            let _ = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, &self.text));
        }
    }
}
