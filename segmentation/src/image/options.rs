use crate::manifest::{AxisSize, ImageOutput, ImageTask};
use crate::{Error, Result};

/// How to segment images, where it is not to be as the model says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SegmentOptions {
    flips: Option<bool>,
    overlap: Option<f64>,
    window: Option<Vec<usize>>,
    output: Option<String>,
    spacing_mm: Option<f64>,
    probabilities: bool,
    labels: Vec<(String, i32)>,
}

impl SegmentOptions {
    /// Whether mirrored inputs are segmented too and all averaged: along the axes the model names, or along all its axes
    /// where it names none.
    #[must_use]
    pub fn with_flips(mut self, flips: bool) -> Self {
        self.flips = Some(flips);
        self
    }

    /// Share of a window that the next one covers again, 0 to 0.9.
    #[must_use]
    pub fn with_overlap(mut self, overlap: f64) -> Self {
        self.overlap = Some(overlap);
        self
    }

    /// Voxels the network is given at a time, in the order of its axes.
    #[must_use]
    pub fn with_window(mut self, window: impl Into<Vec<usize>>) -> Self {
        self.window = Some(window.into());
        self
    }

    /// `labels`, or `probability:` and the name of a class.
    #[must_use]
    pub fn with_output(mut self, output: impl Into<String>) -> Self {
        self.output = Some(output.into());
        self
    }

    /// Distance of the voxels that the network is given, along all its axes, whatever the model says: volumes of another
    /// spacing are resampled and the result brought back.
    #[must_use]
    pub fn with_spacing_mm(mut self, spacing_mm: f64) -> Self {
        self.spacing_mm = Some(spacing_mm);
        self
    }

    /// Another label for a class than the model's; 0 for none. The names of labels stay.
    #[must_use]
    pub fn with_label(mut self, class: impl Into<String>, value: u8) -> Self {
        self.labels.push((class.into(), value.into()));
        self
    }

    /// Whether the probabilities of all classes are given beside the result. They are kept in memory, of the whole volume;
    /// of models with a locator there are none.
    #[must_use]
    pub fn with_probabilities(mut self, probabilities: bool) -> Self {
        self.probabilities = probabilities;
        self
    }

    pub(crate) fn probabilities(&self) -> bool {
        self.probabilities
    }

    /// A model's task with these options.
    ///
    /// # Errors
    /// [`Error::Option`] for a window that the network does not take, an overlap out of range, an unknown class.
    pub fn apply(&self, task: &ImageTask) -> Result<ImageTask> {
        let mut task = task.clone();
        let wrong = |option, expected: String, found: String| Error::Option { option, expected, found };
        match self.flips {
            Some(false) => task.flips.clear(),
            Some(true) if task.flips.is_empty() => task.flips = (0..task.axes.len()).collect(),
            _ => {}
        }
        if let Some(overlap) = self.overlap {
            if !(0.0..=0.9).contains(&overlap) {
                return Err(wrong("overlap", "0 to 0.9".into(), overlap.to_string()));
            }
            task.overlap = overlap;
        }
        if let Some(spacing_mm) = self.spacing_mm {
            if !(spacing_mm.is_finite() && spacing_mm > 0.0) {
                return Err(wrong("spacing", "a length above 0".into(), spacing_mm.to_string()));
            }
            task.axes.iter_mut().for_each(|axis| axis.spacing_mm = Some(spacing_mm));
        }
        if let Some(window) = &self.window {
            let fits = window.len() == task.axes.len()
                && task.axes.iter().zip(window).all(|(axis, &size)| match axis.size {
                    AxisSize::Fixed(fixed) => size == fixed,
                    AxisSize::Steps { min, step } => {
                        size >= min && (size - min).is_multiple_of(step) && size >= 2 * axis.halo + step
                    }
                });
            if !fits {
                let expected = task.axes.iter().map(|axis| match axis.size {
                    AxisSize::Fixed(size) => size.to_string(),
                    AxisSize::Steps { min, step } => format!("{min} + n x {step}"),
                });
                let expected = format!("{} voxels, more than two halos", expected.collect::<Vec<_>>().join(" by "));
                return Err(wrong("window", expected, format!("{window:?}")));
            }
            task.window.clone_from(window);
        }
        for (name, value) in &self.labels {
            let Some(class) = task.classes.iter().position(|class| class == name) else {
                return Err(wrong("label", format!("one of {}", task.classes.join(", ")), name.clone()));
            };
            task.values[class] = *value;
        }
        if let Some(output) = &self.output {
            let class = output.strip_prefix("probability:");
            task.output = match class.map(|name| task.classes.iter().position(|class| class == name)) {
                Some(Some(class)) => ImageOutput::Probability { class },
                None if output == "labels" => match task.output {
                    ImageOutput::Labels { .. } => task.output,
                    ImageOutput::Probability { .. } => ImageOutput::Labels { threshold: None },
                },
                _ => {
                    let expected = format!("labels, or probability: and one of {}", task.classes.join(", "));
                    return Err(wrong("output", expected, output.clone()));
                }
            };
        }
        Ok(task)
    }
}
