use super::Checker;
use super::document::Step;
use crate::Result;
use serde_json::Value;

/// What statistics are taken over. Channels and, for networks of two axes, slices are joined or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// A statistic of its own for each channel.
    pub per_channel: bool,
    /// A statistic of its own for each slice of a network of two axes.
    pub per_slice: bool,
    /// Over the whole input rather than the part that a [`Locator`](super::Locator) found.
    pub whole: bool,
}

/// A step that brings intensities to the scale of the training data, by the names and formulas of bioimage.io.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Preprocessing {
    /// `clip`.
    Clip {
        /// Smallest value.
        min: f32,
        /// Largest value.
        max: f32,
    },
    /// `scale_linear` (and `fixed_zero_mean_unit_variance`): `gain * x + offset`.
    Linear {
        /// Factor.
        gain: f32,
        /// Added.
        offset: f32,
    },
    /// `binarize`: 1 above the threshold, else 0.
    Binarize {
        /// Threshold.
        threshold: f32,
    },
    /// `zero_mean_unit_variance`: `(x - mean) / (sd + eps)`, population standard deviation.
    ZeroMeanUnitVariance {
        /// Added to the standard deviation.
        eps: f64,
        /// What mean and sd are taken over.
        scope: Scope,
    },
    /// `scale_range`: `(x - low) / (high - low + eps)`, between two percentiles.
    ScaleRange {
        /// Percentile of `low`, 0 to 100.
        min_percentile: f64,
        /// Percentile of `high`.
        max_percentile: f64,
        /// Added to the range.
        eps: f64,
        /// What percentiles are taken over.
        scope: Scope,
    },
}

/// What turns the network's output into probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// The output is taken as it is.
    #[default]
    None,
    /// Over the classes.
    Softmax,
    /// Of each class alone.
    Sigmoid,
}

struct Arguments<'a, 'c> {
    step: &'a Step,
    field: &'static str,
    checker: &'a Checker<'c>,
}

impl Arguments<'_, '_> {
    fn number(&self, name: &str, default: Option<f64>) -> Result<f64> {
        let found = self.step.kwargs.get(name).filter(|value| !value.is_null());
        let number = match found {
            None => default,
            Some(value) => value.as_f64(),
        };
        number.filter(|number| number.is_finite()).ok_or_else(|| {
            let found = found.map_or("nothing".into(), Value::to_string);
            self.checker.wrong(self.field, format!("a number as `{name}` of {}", self.step.id), found)
        })
    }

    /// Only what is joined over named axes is known; all axes by default.
    fn scope(&self) -> Result<Scope> {
        let axes = self.step.kwargs.get("axes").filter(|axes| !axes.is_null());
        let names = |name: &str| match axes.and_then(Value::as_array) {
            None => true,
            Some(axes) => axes.iter().any(|axis| axis.as_str() == Some(name)),
        };
        let reference = self.step.kwargs.get("reference_tensor").filter(|name| !name.is_null());
        let found = reference.map_or(String::new(), Value::to_string);
        self.checker.require(reference.is_none(), self.field, "no reference_tensor", found)?;
        Ok(Scope { per_channel: !names("channel"), per_slice: !names("batch"), whole: false })
    }
}

impl Preprocessing {
    /// What its statistics are taken over; `None` for a step without any.
    pub(crate) fn scope(&self) -> Option<Scope> {
        match self {
            Self::ZeroMeanUnitVariance { scope, .. } | Self::ScaleRange { scope, .. } => Some(*scope),
            _ => None,
        }
    }

    /// `None` for a step that changes nothing here.
    pub(super) fn check(step: &Step, checker: &Checker) -> Result<Option<Self>> {
        let arguments = Arguments { step, field: "inputs.preprocessing", checker };
        let number = |name: &str, default: Option<f64>| arguments.number(name, default);
        Ok(Some(match step.id.as_str() {
            // All arithmetic is in float32.
            "ensure_dtype" => return Ok(None),
            "clip" => {
                let (min, max) = (number("min", None)?, number("max", None)?);
                checker.require(min < max, arguments.field, "min below max in clip", format!("{min} and {max}"))?;
                Self::Clip { min: min as f32, max: max as f32 }
            }
            "scale_linear" => {
                Self::Linear { gain: number("gain", Some(1.0))? as f32, offset: number("offset", Some(0.0))? as f32 }
            }
            "fixed_zero_mean_unit_variance" => {
                let (mean, sd) = (number("mean", None)?, number("std", None)?);
                checker.require(sd > 0.0, arguments.field, "std above 0", sd.to_string())?;
                Self::Linear { gain: (1.0 / sd) as f32, offset: (-mean / sd) as f32 }
            }
            "binarize" => Self::Binarize { threshold: number("threshold", None)? as f32 },
            "zero_mean_unit_variance" => {
                Self::ZeroMeanUnitVariance { eps: number("eps", Some(1e-6))?, scope: arguments.scope()? }
            }
            "scale_range" => {
                let low = number("min_percentile", Some(0.0))?;
                let high = number("max_percentile", Some(100.0))?;
                checker.require(
                    0.0 <= low && low < high && high <= 100.0,
                    arguments.field,
                    "0 <= min_percentile < max_percentile <= 100",
                    format!("{low} and {high}"),
                )?;
                Self::ScaleRange {
                    min_percentile: low,
                    max_percentile: high,
                    eps: number("eps", Some(1e-6))?,
                    scope: arguments.scope()?,
                }
            }
            other => {
                let expected = "clip, scale_linear, fixed_zero_mean_unit_variance, binarize, zero_mean_unit_variance, \
                                scale_range or ensure_dtype";
                return Err(checker.wrong(arguments.field, expected, other));
            }
        }))
    }
}

impl Activation {
    pub(super) fn check(steps: &[Step], checker: &Checker) -> Result<Self> {
        let mut activation = Self::None;
        for step in steps {
            match step.id.as_str() {
                "ensure_dtype" => {}
                "sigmoid" if activation == Self::None => activation = Self::Sigmoid,
                "softmax" if activation == Self::None => activation = Self::Softmax,
                other => {
                    return Err(checker.wrong("outputs.postprocessing", "one of sigmoid and softmax", other));
                }
            }
        }
        Ok(activation)
    }
}
