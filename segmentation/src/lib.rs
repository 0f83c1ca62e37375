//! Runs the ONNX networks of brainmesh: manifests, normalisation, the built-in engines, ONNX Runtime.
//!
//! The only crate that names `ort`. A [`Model`] is a manifest and a network; a [`Session`] runs it on a [`Device`];
//! [`normalise`] brings [`Profiles`](brainmesh_core::Profiles) to the scale the network was trained on.
//!
//! ```no_run
//! use brainmesh_core::Silent;
//! use brainmesh_segmentation::{Device, Model, Polarity, Session, normalise};
//! # fn classify(profiles: &brainmesh_core::Profiles, rays: &brainmesh_core::RaySet)
//! # -> Result<(), brainmesh_segmentation::Error> {
//! let model = Model::open("models/cortical-layers")?;
//! let mut session = Session::open(&model, Device::Auto, 2)?;
//! let input = normalise(profiles, rays, model.manifest().rays()?, Polarity::DarkIsDense)?;
//! let probabilities = session.classify(&input, &Silent)?;
//! # Ok(())
//! # }
//! ```

mod backend;
mod batches;
mod bound;
mod cost;
mod device;
mod embedded;
mod engine;
mod error;
mod image;
mod library;
mod manifest;
mod mask_rcnn;
mod model;
mod nearest;
mod normalise;
mod onnx;
mod onnxruntime;
mod package;
mod polarity;
mod precision;
mod provider;
mod request;
mod rten;
mod sections;
mod session;
mod source;
mod store;
mod verification;

pub use device::Device;
pub use error::Error;
pub use image::{Forecast, NearCentre, SegmentOptions, Segmentation, Segmented};
pub use library::search_packages;
pub use manifest::{
    Activation, AxisSize, DetectionSettings, FileReference, ImageAxis, ImageOutput, ImageTask, InputChannel,
    Interpolation, LayerFractions, Locator, Manifest, MaskRcnnSettings, MaskRcnnTask, Normalisation, Preprocessing,
    ProposalSettings, RayTask, Refinement, RegionSettings, Scope, SectionsTask, Span, Task,
};
pub use model::Model;
pub use normalise::normalise;
pub use onnx::Form;
pub use package::Package;
pub use polarity::Polarity;
pub use precision::Precision;
pub use sections::{Levels, Part, PartKind, Section, SectionFinder, Tile};
pub use session::{Session, SessionOptions};
pub use store::Store;
pub use verification::Verification;

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
