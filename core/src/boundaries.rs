use crate::{BOUNDARY_COUNT, Error, Result};
use ndarray::Array2;

/// Why a ray gives no layers of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RayDefect {
    /// Pial and white surfaces touch here: no cortex (the medial wall).
    NoCortex,
    /// Excluded by the mask the user gave.
    Masked,
    /// The ray leaves the volume.
    OutsideVolume,
    /// The intensities are background or constant.
    NoTissue,
    /// The file holds NaN, infinity or its missing value here.
    NotFinite,
    /// The class probabilities do not show a pia-to-white sequence.
    WeakEvidence,
    /// No ray was given here: rays stand at other vertices.
    NotSampled,
    /// Part of the cortex on this ray is torn off or cracked: bare glass between pia and white matter.
    Damaged,
}

impl RayDefect {
    /// Every defect, in the order of its code.
    pub const ALL: [Self; 8] = [
        Self::NoCortex,
        Self::Masked,
        Self::OutsideVolume,
        Self::NoTissue,
        Self::NotFinite,
        Self::WeakEvidence,
        Self::NotSampled,
        Self::Damaged,
    ];

    /// Stable number used in `defects.label.gii`; 0 there means no defect.
    pub fn code(self) -> i32 {
        match self {
            Self::NoCortex => 1,
            Self::Masked => 2,
            Self::OutsideVolume => 3,
            Self::NoTissue => 4,
            Self::NotFinite => 5,
            Self::WeakEvidence => 6,
            Self::NotSampled => 7,
            Self::Damaged => 8,
        }
    }

    /// Stable name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoCortex => "no cortex",
            Self::Masked => "masked",
            Self::OutsideVolume => "outside volume",
            Self::NoTissue => "no tissue",
            Self::NotFinite => "not finite",
            Self::WeakEvidence => "weak evidence",
            Self::NotSampled => "not sampled",
            Self::Damaged => "damaged tissue",
        }
    }
}

/// How the boundaries of one ray came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RayOutcome {
    /// Found on the ray itself.
    Measured,
    /// The ray is defective; its boundaries come from measured rays around it.
    Filled(RayDefect),
    /// The ray is defective and has no cortex or no measured neighbours. Its positions only keep the mesh in shape.
    Missing(RayDefect),
}

impl RayOutcome {
    /// Whether the positions mean anything (measured or filled).
    pub fn has_layers(self) -> bool {
        !matches!(self, Self::Missing(_))
    }

    /// The defect, where there is one.
    pub fn defect(self) -> Option<RayDefect> {
        match self {
            Self::Measured => None,
            Self::Filled(d) | Self::Missing(d) => Some(d),
        }
    }
}

/// Seven boundaries on every ray, as positions `t` (see [`crate::RaySet`]): boundary 0 is the pia, `k` lies below
/// layer `k`, 6 is grey/white. Finite, inside [0, 1] and non-decreasing on every ray.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerBoundaries {
    t: Array2<f64>,
    sd_mm: Array2<f64>,
    outcomes: Vec<RayOutcome>,
}

impl LayerBoundaries {
    /// `t` and `sd_mm` are `[rays, 7]`; a standard deviation is infinite where the ray is [`RayOutcome::Missing`].
    ///
    /// # Errors
    /// Shapes that differ, positions that are not ordered inside [0, 1], a standard deviation that is negative or NaN.
    pub fn new(t: Array2<f64>, sd_mm: Array2<f64>, outcomes: Vec<RayOutcome>) -> Result<Self> {
        for (field, (rays, found)) in [("boundary positions", t.dim()), ("boundary standard deviations", sd_mm.dim())] {
            if found != BOUNDARY_COUNT {
                return Err(Error::Length { field, expected: BOUNDARY_COUNT, found });
            }
            if rays != outcomes.len() {
                return Err(Error::Length { field, expected: outcomes.len(), found: rays });
            }
        }
        for (ray, positions) in t.outer_iter().enumerate() {
            let ordered = positions.iter().zip(positions.iter().skip(1)).all(|(a, b)| a <= b);
            if !ordered || !positions.iter().all(|p| (0.0..=1.0).contains(p)) {
                return Err(Error::Invalid {
                    field: "boundary positions",
                    expected: "seven non-decreasing values in [0, 1]".into(),
                    found: format!("{positions} at ray {ray}"),
                });
            }
        }
        if let Some(bad) = sd_mm.iter().find(|s| s.is_nan() || **s < 0.0) {
            return Err(Error::Invalid {
                field: "boundary standard deviations",
                expected: "zero or more".into(),
                found: bad.to_string(),
            });
        }
        Ok(Self { t, sd_mm, outcomes })
    }

    /// Positions `[rays, 7]`.
    pub fn t(&self) -> &Array2<f64> {
        &self.t
    }

    /// Standard deviations in mm `[rays, 7]`.
    pub fn sd_mm(&self) -> &Array2<f64> {
        &self.sd_mm
    }

    /// How each ray came about.
    pub fn outcomes(&self) -> &[RayOutcome] {
        &self.outcomes
    }

    /// Number of rays.
    pub fn len(&self) -> usize {
        self.outcomes.len()
    }

    /// Whether there are no rays.
    pub fn is_empty(&self) -> bool {
        self.outcomes.is_empty()
    }
}
