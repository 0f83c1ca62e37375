//! Made cortices whose layers are known: a volume, the surfaces of its ribbon, and the true layer boundaries.
//!
//! A [`Phantom`] is built in the order in which nature and the laboratory do it: a folded sheet of cortex
//! ([`Shape`]), layers of varying thickness on it ([`LayerModel`], [`Thickness`]), cells in the layers ([`Stain`]), a
//! volume of the stained tissue with its faults ([`Artefacts`]), and surfaces given to the estimator that are a
//! little off. The crate shares no code with the estimator, so that the estimator cannot be right by construction.
//!
//! Worlds are RAS+ millimetres. The same options give the same bytes with any number of threads.
//!
//! ```
//! use brainmesh_core::Silent;
//! use brainmesh_phantom::{Phantom, PhantomOptions, Shape, Sphere};
//! let sphere = Sphere { radii_mm: [4.0, 3.8, 3.6, 3.2, 3.0, 2.6, 2.0], subdivisions: 3 };
//! let options = PhantomOptions { shape: Shape::Sphere(sphere), spacing_mm: 0.4, ..PhantomOptions::default() };
//! let phantom = Phantom::make(&options, &Silent)?;
//! assert_eq!(phantom.true_ribbon().len(), 642);
//! let top_of_layer_two = phantom.layers().surfaces()[1].vertices()[0];
//! assert!((top_of_layer_two.0.length() - 3.8).abs() < 1e-9);
//! # Ok::<(), brainmesh_phantom::Error>(())
//! ```

mod areas;
mod artefacts;
mod error;
mod field;
mod fold;
mod laminae;
mod options;
mod patch;
mod phantom;
mod prism;
mod random;
mod raster;
mod render;
mod sections;
mod sheet;
mod sphere;
mod stain;
mod truth;
mod vessels;

pub use artefacts::Artefacts;
pub use error::Error;
pub use fold::Folding;
pub use laminae::{BIGBRAIN_MM, VON_ECONOMO_TOTAL_MM};
pub use options::{LayerModel, PhantomOptions, Polarity, Shape, Stain, Thickness};
pub use patch::RibbonPatch;
pub use phantom::Phantom;
pub use sphere::Sphere;

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
