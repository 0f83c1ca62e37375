//! Metrics of layer boundaries. Every figure says what it averages over; nothing is pooled in silence.

mod boundary;
mod classes;
mod comparison;
mod correlation;
mod detection;
mod errors;
mod instances;
mod outline;
mod scores;
mod thickness;

pub use boundary::{BOUNDARY_NAMES, BoundaryError, Calibration, SD_OF_90_PERCENT};
pub use classes::{ClassScores, Confusion, RayClasses, boundaries_of, class_at, class_between, with_white};
pub use comparison::Comparison;
pub use correlation::parcel_correlation;
pub use detection::Detection;
pub use errors::Errors;
pub use instances::{AveragePrecision, InstancePicture, InstanceScores};
pub use outline::Outline;
pub use scores::{RegionScores, Scores, ScoresByPart};
pub use thickness::{ThicknessError, fractions};
