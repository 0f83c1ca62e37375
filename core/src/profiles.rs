use crate::{Error, RayDefect, Result};
use ndarray::Array3;
use serde::{Deserialize, Serialize};

/// What one channel of a ray holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Channel {
    /// Intensity as sampled.
    Raw,
    /// Intensity smoothed along the cortex, at equal depth, with this effective full width at half maximum.
    Smoothed {
        /// Full width at half maximum of the equivalent Gaussian, in mm.
        fwhm_mm: f64,
    },
    /// Signed position in the given ribbon: 0 at the given pia, 1 at the given white surface, beyond both outside.
    Depth,
    /// Straight pial to white distance in mm, smoothed along the cortex; the same at every sample.
    Thickness {
        /// Full width at half maximum in mm; 0 is unsmoothed.
        #[serde(default)]
        fwhm_mm: f64,
    },
    /// Mean curvature of the mid-surface in 1/mm, positive on gyral crowns, smoothed along the cortex; the same at
    /// every sample.
    Curvature {
        /// Full width at half maximum in mm; 0 is unsmoothed.
        #[serde(default)]
        fwhm_mm: f64,
    },
    /// Natural logarithm of pial over white vertex area, positive on gyral crowns, smoothed along the cortex; the
    /// same at every sample.
    AreaRatio {
        /// Full width at half maximum in mm; 0 is unsmoothed.
        #[serde(default)]
        fwhm_mm: f64,
    },
}

/// Values along rays: `[rays, channels, samples]`, and which rays cannot be used.
///
/// Every value is finite; a ray that cannot be used holds zeros and its defect.
#[derive(Debug, Clone, PartialEq)]
pub struct Profiles {
    channels: Vec<Channel>,
    values: Array3<f32>,
    defects: Vec<Option<RayDefect>>,
}

impl Profiles {
    /// # Errors
    /// Lengths that differ, or a value of a usable ray that is not finite.
    pub fn new(channels: Vec<Channel>, values: Array3<f32>, defects: Vec<Option<RayDefect>>) -> Result<Self> {
        let (rays, found, _) = values.dim();
        if found != channels.len() {
            return Err(Error::Length { field: "profile channels", expected: channels.len(), found });
        }
        if defects.len() != rays {
            return Err(Error::Length { field: "profile defects", expected: rays, found: defects.len() });
        }
        for (index, (ray, defect)) in values.outer_iter().zip(&defects).enumerate() {
            if defect.is_none()
                && let Some(bad) = ray.iter().find(|v| !v.is_finite())
            {
                return Err(Error::NotFinite { field: "profile of ray", index, found: bad.to_string() });
            }
        }
        Ok(Self { channels, values, defects })
    }

    /// What each channel holds.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// `[rays, channels, samples]`.
    pub fn values(&self) -> &Array3<f32> {
        &self.values
    }

    /// Why a ray cannot be used; `None` where it can.
    pub fn defects(&self) -> &[Option<RayDefect>] {
        &self.defects
    }

    /// Number of rays.
    pub fn len(&self) -> usize {
        self.values.dim().0
    }

    /// Whether there are no rays.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Samples a ray.
    pub fn samples(&self) -> usize {
        self.values.dim().2
    }
}

/// Class probabilities along rays: `[rays, classes, samples]`, summing to 1 over classes.
///
/// Classes are 0 outside, 1..=6 layers I..VI and, where there are eight, 7 white matter; with seven classes
/// white matter is class 0 too (the tutorial's convention; Wagstyl 2020 uses eight).
#[derive(Debug, Clone, PartialEq)]
pub struct ClassProbabilities(Array3<f32>);

impl ClassProbabilities {
    /// # Errors
    /// When there are neither 7 nor 8 classes.
    pub fn new(values: Array3<f32>) -> Result<Self> {
        let classes = values.dim().1;
        if !(7..=8).contains(&classes) {
            return Err(Error::Invalid {
                field: "class probabilities",
                expected: "7 classes (outside, I..VI) or 8 (and white matter)".into(),
                found: format!("{classes} classes"),
            });
        }
        Ok(Self(values))
    }

    /// `[rays, classes, samples]`.
    pub fn values(&self) -> &Array3<f32> {
        &self.0
    }

    /// Whether white matter has a class of its own (8 classes).
    pub fn has_white_class(&self) -> bool {
        self.0.dim().1 == 8
    }
}
