use super::{BoundaryError, ClassScores, Detection, ThicknessError};
use serde::Serialize;

/// Scores of a set of rays.
#[derive(Debug, Clone, Serialize)]
pub struct Scores {
    /// Scored rays.
    pub rays: usize,
    /// Those of them with at least one boundary compared.
    pub compared: usize,
    /// From the pia inwards; a boundary that was compared nowhere is left out.
    pub boundaries: Vec<BoundaryError>,
    /// `total`, then I to VI.
    pub thickness: Vec<ThicknessError>,
    /// Mean thickness of the given ribbon over that of the true one, where lengths are scaled to the true one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ribbon_ratio: Option<f64>,
    /// Classes of samples between the boundaries found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<ClassScores>,
    /// Classes of samples by the network alone (the most probable one).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<ClassScores>,
    /// Damaged rays, where the truth knows them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damage: Option<Detection>,
}

/// Scores of all rays and of parts of them.
#[derive(Debug, Clone, Serialize)]
pub struct ScoresByPart {
    /// All scored rays.
    pub all: Scores,
    /// Rays found on themselves.
    pub measured: Scores,
    /// Rays that were refused and take their boundaries from their neighbours; absent without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Scores>,
    /// Places where no ray stood (sparse rays); absent without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpolated: Option<Scores>,
    /// Rays of each region.
    pub regions: Vec<RegionScores>,
}

/// Scores of one region.
#[derive(Debug, Clone, Serialize)]
pub struct RegionScores {
    /// Its number or, where it has one, its name.
    pub region: String,
    /// Its scores.
    #[serde(flatten)]
    pub scores: Scores,
}
