//! Metrics of layer boundaries, of cells and of outlines. Every figure says what it averages over; nothing is pooled in silence.

mod boundary;
mod cells;
mod classes;
mod comparison;
mod correlation;
mod detection;
mod errors;
mod instances;
mod outline;
mod outlines;
mod pairs;
mod partition;
mod scores;
mod thickness;
mod tissue;
mod ventricle;
mod warping;

pub use boundary::{BOUNDARY_NAMES, BoundaryError, Calibration, SD_OF_90_PERCENT};
pub use cells::{
    CELL_SCORES, CellScores, best_thresholds, cell_scores_json, mean_over_slices, score_cells, thresholds,
};
pub use classes::{ClassScores, Confusion, RayClasses, boundaries_of, class_at, class_between, with_white};
pub use comparison::Comparison;
pub use correlation::parcel_correlation;
pub use detection::Detection;
pub use errors::Errors;
pub use instances::{AveragePrecision, InstancePicture, InstanceScores};
pub use outline::Outline;
pub use outlines::{Drawn, GOOD_MM, OutlineScores, conformity, mask_dice, score_outlines};
pub use pairs::{PairPicture, PairScores};
pub use partition::Partition;
pub use scores::{RegionScores, Scores, ScoresByPart};
pub use thickness::{ThicknessError, fractions};
pub use tissue::{TISSUE_CLASSES, TissueConfusion, TissueScore, tissue_of_freesurfer};
pub use ventricle::{FrameScores, PatientScores, VentricleScores};
pub use warping::Warped;
