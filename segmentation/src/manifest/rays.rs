use super::Checker;
use super::document::{RayDocument, Tensor};
use crate::{Polarity, Result};
use brainmesh_core::{BOUNDARY_COUNT, Channel, LAYER_COUNT, LAYER_NAMES};
use serde::Deserialize;

/// How a channel is brought to the scale the network was trained on. See [`normalise`](crate::normalise).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalisation {
    /// Minus the ray's mean, by the ray's standard deviation.
    PerRay,
    /// Minus the data set's median, by 1.4826 times its median absolute deviation.
    Dataset,
    /// Minus `mean`, by `sd`, both fixed when the network was trained.
    Fixed {
        /// Subtracted.
        mean: f64,
        /// Divisor, above 0.
        sd: f64,
    },
}

/// One input channel of a network.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct InputChannel {
    /// What it holds.
    #[serde(flatten)]
    pub channel: Channel,
    /// How it is scaled.
    pub normalisation: Normalisation,
}

/// Which part of a ray the samples cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    /// From outside the pia to within the white matter.
    Extended,
    /// From the given pial to the given white surface.
    PialWhite,
}

/// Share of each layer in cortical thickness, over the training data.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct LayerFractions {
    /// Means of layers I..VI; they sum to about 1.
    pub mean: [f64; LAYER_COUNT],
    /// Standard deviations.
    pub sd: [f64; LAYER_COUNT],
    /// Share of rays on which each layer is absent.
    #[serde(default)]
    pub absent: [f64; LAYER_COUNT],
}

/// A network that names the layer of every sample along cortical rays.
#[derive(Debug, Clone, PartialEq)]
pub struct RayTask {
    /// Part of the ray that is sampled.
    pub span: Span,
    /// How far rays reach beyond pia and white surface, in mm; 0 for [`Span::PialWhite`].
    pub extension_mm: f64,
    /// Samples a ray.
    pub samples: usize,
    /// Polarity of the intensities the network was trained on.
    pub polarity: Polarity,
    /// Input channels, in the network's order.
    pub channels: Vec<InputChannel>,
    /// Whether white matter is a class of its own (8 classes, else 7).
    pub has_white_class: bool,
    /// Prior of layer thickness from the training data, where given.
    pub layer_fractions: Option<LayerFractions>,
    /// Exponent on the probabilities for decoding boundaries, from the model's calibration, where given.
    pub evidence: Option<f64>,
    /// Whether boundaries are decoded with the layer thickness of the training data as prior.
    pub durations: bool,
    /// Factors on the standard deviations of the seven boundaries of single rays, from the model's calibration, where
    /// given.
    pub sd_scale: Option<[f64; BOUNDARY_COUNT]>,
    /// The same for those after smoothing over the mesh.
    pub smoothed_sd_scale: Option<[f64; BOUNDARY_COUNT]>,
}

/// Ray lengths beyond this are no cortical rays, and would only ask for memory.
const MAX_SAMPLES: usize = 16_384;
const MAX_CHANNELS: usize = 64;

impl RayTask {
    /// Number of classes: 7, or 8 with white matter.
    pub fn classes(&self) -> usize {
        LAYER_COUNT + 1 + usize::from(self.has_white_class)
    }

    pub(super) fn check(settings: RayDocument, input: &Tensor, output: &Tensor, checker: &Checker) -> Result<Self> {
        checker.require(
            (2..=MAX_SAMPLES).contains(&settings.samples),
            "config.brainmesh.samples",
            format!("2 to {MAX_SAMPLES}"),
            settings.samples.to_string(),
        )?;
        let count = settings.channels.len();
        checker.require(
            (1..=MAX_CHANNELS).contains(&count),
            "config.brainmesh.channels",
            format!("1 to {MAX_CHANNELS} channels"),
            count.to_string(),
        )?;
        for input in &settings.channels {
            let usable = match input.normalisation {
                Normalisation::Fixed { mean, sd } => mean.is_finite() && sd.is_finite() && sd > 0.0,
                Normalisation::PerRay | Normalisation::Dataset => true,
            };
            let found = format!("{:?}", input.normalisation);
            checker.require(
                usable,
                "config.brainmesh.channels.normalisation",
                "a finite mean and an sd above 0",
                found,
            )?;
        }
        let extension_mm = settings.extension_mm;
        checker.require(
            extension_mm.is_finite() && extension_mm >= 0.0,
            "config.brainmesh.extension_mm",
            "0 or more",
            extension_mm.to_string(),
        )?;
        if let Some(LayerFractions { mean, sd, absent }) = settings.layer_fractions {
            let usable = mean.iter().chain(&sd).all(|value| value.is_finite() && *value >= 0.0);
            let found = format!("mean {mean:?}, sd {sd:?}");
            checker.require(usable, "config.brainmesh.layer_fractions", "finite numbers, 0 or more", found)?;
            let usable = absent.iter().all(|share| (0.0..1.0).contains(share));
            let found = format!("{absent:?}");
            checker.require(usable, "config.brainmesh.layer_fractions.absent", "0 to below 1", found)?;
        }
        let decoder = settings.decoder.unwrap_or_default();
        let evidence = decoder.evidence;
        checker.require(
            evidence.is_none_or(|evidence| evidence > 0.0 && evidence <= 1.0),
            "config.brainmesh.decoder.evidence",
            "above 0 and at most 1",
            format!("{evidence:?}"),
        )?;
        checker.require(
            !decoder.durations || settings.layer_fractions.is_some(),
            "config.brainmesh.layer_fractions",
            "given, as decoder.durations is true",
            "none",
        )?;
        for (field, scale) in [
            ("config.brainmesh.decoder.sd_scale", decoder.sd_scale),
            ("config.brainmesh.decoder.smoothed_sd_scale", decoder.smoothed_sd_scale),
        ] {
            checker.require(
                scale.is_none_or(|scale| scale.iter().all(|&s| s > 0.0 && s <= 100.0)),
                field,
                "seven numbers above 0 and at most 100",
                format!("{scale:?}"),
            )?;
        }

        let named = input.channel_names().count();
        let expected = format!("{count} names, as config.brainmesh.channels");
        checker.require(named == count, "inputs.axes.channel_names", expected, named.to_string())?;
        for (tensor, field) in [(input, "inputs.axes.size"), (output, "outputs.axes.size")] {
            let ray_axis = tensor.axes.iter().rfind(|axis| axis.kind == "space" && axis.id.as_deref() != Some("y"));
            if let Some(size) = ray_axis.and_then(|axis| axis.size.as_ref()).and_then(serde_json::Value::as_u64) {
                let expected = format!("{}, as config.brainmesh.samples", settings.samples);
                checker.require(size == settings.samples as u64, field, expected, size.to_string())?;
            }
        }
        let classes: Vec<&str> = output.channel_names().collect();
        let layers_match =
            classes.len() > LAYER_COUNT && classes[0] == "outside" && classes[1..=LAYER_COUNT] == LAYER_NAMES;
        let has_white_class = classes.get(LAYER_COUNT + 1..) == Some(&["white"]);
        checker.require(
            layers_match && (has_white_class || classes.len() == LAYER_COUNT + 1),
            "outputs.axes.channel_names",
            "outside, I, II, III, IV, V, VI and perhaps white",
            classes.join(", "),
        )?;

        Ok(Self {
            span: settings.span,
            extension_mm,
            samples: settings.samples,
            polarity: settings.polarity,
            channels: settings.channels,
            has_white_class,
            layer_fractions: settings.layer_fractions,
            evidence,
            sd_scale: decoder.sd_scale,
            durations: decoder.durations,
            smoothed_sd_scale: decoder.smoothed_sd_scale,
        })
    }
}
