//! Steps of MONAI (<https://docs.monai.io/en/stable/transforms.html>) in the words of a manifest.

use super::config::Config;
use crate::Result;
use serde_json::{Map, Value, json};

/// What a bundle does before and after its network.
#[derive(Default)]
pub(super) struct Steps {
    pub orientation: Option<String>,
    pub spacing_mm: Option<Vec<f64>>,
    pub nearest: bool,
    pub preprocessing: Vec<Value>,
    pub nonzero: bool,
    pub activation: Option<&'static str>,
    pub argmax: bool,
    pub threshold: Option<f64>,
    pub largest_component: bool,
    pub fill_holes: bool,
    pub notes: Vec<String>,
}

/// Reads the two lists of steps.
pub(super) struct Translator<'a> {
    pub config: &'a Config,
    /// Names of the space axes.
    pub axes: &'a [&'static str],
    /// Classes beside the background.
    pub foreground: usize,
    pub ignore_unknown: bool,
    pub steps: Steps,
}

/// Reading, types and the way back, which this program does in its own way; what they do to no value.
const PLAIN: [&str; 12] = [
    "LoadImaged",
    "EnsureChannelFirstd",
    "AddChanneld",
    "AsChannelFirstd",
    "EnsureTyped",
    "CastToTyped",
    "ToTensord",
    "ToDeviced",
    "ToNumpyd",
    "Invertd",
    "SaveImaged",
    "DeleteItemsd",
];

/// Statistics of MONAI have nothing added to the divisor; the format wants something.
const EPS: f64 = 1e-12;

type Object = Map<String, Value>;

impl Translator<'_> {
    pub fn translate(mut self) -> Result<Steps> {
        let config = self.config;
        let mut nonzero = None;
        for (name, step) in config.transforms("preprocessing")? {
            if self.is_for_labels(step)? || PLAIN.contains(&name.as_str()) {
                continue;
            }
            let field = format!("preprocessing.{name}");
            match name.as_str() {
                "Orientationd" => self.orientation(step, &field)?,
                "Spacingd" => self.spacing(step, &field)?,
                "ScaleIntensityRanged" => self.range(step, &field)?,
                "ScaleIntensityRangePercentilesd" => self.percentiles(step, &field)?,
                "ScaleIntensityd" => self.scale(step, &field)?,
                "NormalizeIntensityd" => {
                    if config.flag(step, "nonzero", &field)? {
                        nonzero = Some(self.steps.preprocessing.len());
                    }
                    self.normalise(step, &field)?;
                }
                _ => self.unknown(&field)?,
            }
        }
        if let Some(place) = nonzero {
            // A manifest speaks of zeros of the volume that stay zeros in the end.
            if place == 0 && self.steps.preprocessing.len() == 1 {
                self.steps.nonzero = true;
            } else {
                self.unknown("preprocessing.NormalizeIntensityd.nonzero beside other steps that change intensities")?;
            }
        }
        for (name, step) in config.transforms("postprocessing")? {
            if PLAIN.contains(&name.as_str()) {
                continue;
            }
            let field = format!("postprocessing.{name}");
            match name.as_str() {
                "Activationsd" => self.activation(step, &field)?,
                "AsDiscreted" => self.discrete(step, &field)?,
                "KeepLargestConnectedComponentd" if self.foreground == 1 => self.steps.largest_component = true,
                "FillHolesd" if self.foreground == 1 => self.steps.fill_holes = true,
                _ => self.unknown(&field)?,
            }
        }
        Ok(self.steps)
    }

    fn unknown(&mut self, what: &str) -> Result<()> {
        if self.ignore_unknown {
            self.steps.notes.push(format!("left out, so that results differ from the bundle's: {what}"));
            return Ok(());
        }
        let expected = "steps that brainmesh knows (see docs/models.md), or leave to ignore others";
        Err(self.config.wrong("a step that changes the result", expected, what))
    }

    /// Whether only the truth of training data is meant.
    fn is_for_labels(&self, step: &Object) -> Result<bool> {
        let keys = self.config.get(step, "keys", "keys")?;
        Ok(keys.is_some_and(|keys| match keys {
            Value::Array(keys) => !keys.is_empty() && keys.iter().all(|key| key == "label"),
            key => key == "label",
        }))
    }

    /// Arguments that would change what a step does.
    fn refuse(&mut self, step: &Object, names: &[&str], field: &str) -> Result<()> {
        for name in names {
            match self.config.get(step, name, field)? {
                None | Some(Value::Bool(false)) => {}
                Some(value) if value == "False" => {}
                Some(_) => self.unknown(&format!("{field}.{name}"))?,
            }
        }
        Ok(())
    }

    fn orientation(&mut self, step: &Object, field: &str) -> Result<()> {
        self.refuse(step, &["as_closest_canonical"], field)?;
        let code = self.config.get(step, "axcodes", field)?.and_then(Value::as_str);
        let code = code.ok_or_else(|| self.config.wrong(format!("{field}.axcodes"), "letters such as RAS", "none"))?;
        self.steps.orientation = Some(code.into());
        Ok(())
    }

    fn spacing(&mut self, step: &Object, field: &str) -> Result<()> {
        let spacing = self.config.numbers(step, "pixdim", field, self.axes.len())?;
        let is_usable = spacing.as_ref().is_some_and(|spacing| spacing.iter().all(|&mm| mm > 0.0));
        if !is_usable {
            return Err(self.config.wrong(format!("{field}.pixdim"), "millimetres above 0", format!("{spacing:?}")));
        }
        self.steps.spacing_mm = spacing;
        let mode = self.config.get(step, "mode", field)?;
        let mode = mode.and_then(|mode| mode.as_array().map_or(Some(mode), |modes| modes.first()));
        match mode.map(|mode| mode.as_str().unwrap_or_default()) {
            None | Some("bilinear" | "trilinear" | "linear") => {}
            Some("nearest") => self.steps.nearest = true,
            Some(other) => self.unknown(&format!("{field}.mode {other}"))?,
        }
        Ok(())
    }

    fn push(&mut self, id: &str, kwargs: Value) {
        self.steps.preprocessing.push(json!({ "id": id, "kwargs": kwargs }));
    }

    fn linear(&mut self, gain: f64, offset: f64) {
        if gain != 1.0 || offset != 0.0 {
            self.push("scale_linear", json!({ "gain": gain, "offset": offset }));
        }
    }

    /// Axes over which statistics are taken together.
    fn joined(&self, step: &Object, field: &str) -> Result<Vec<&'static str>> {
        let mut axes = self.axes.to_vec();
        if !self.config.flag(step, "channel_wise", field)? {
            axes.insert(0, "channel");
        }
        Ok(axes)
    }

    /// `b_min` and `b_max`, and whether they are bounds: none of them, or both.
    fn target(&mut self, step: &Object, field: &str) -> Result<Option<(f64, f64)>> {
        let [low, high] = ["b_min", "b_max"].map(|key| self.config.number(step, key, field));
        Ok(low?.zip(high?))
    }

    fn range(&mut self, step: &Object, field: &str) -> Result<()> {
        let [low, high] = ["a_min", "a_max"].map(|key| self.config.number(step, key, field));
        let source = low?.zip(high?).filter(|(low, high)| low < high);
        let (low, high) =
            source.ok_or_else(|| self.config.wrong(field, "numbers a_min < a_max", format!("{source:?}")))?;
        let target = self.target(step, field)?;
        let (to_low, to_high) = target.unwrap_or((0.0, 1.0));
        let gain = (to_high - to_low) / (high - low);
        self.linear(gain, to_low - low * gain);
        self.clip(step, target, field)
    }

    fn clip(&mut self, step: &Object, target: Option<(f64, f64)>, field: &str) -> Result<()> {
        if self.config.flag(step, "clip", field)? {
            match target {
                Some((low, high)) => self.push("clip", json!({ "min": low, "max": high })),
                None => self.unknown(&format!("{field}.clip without b_min and b_max"))?,
            }
        }
        Ok(())
    }

    fn percentiles(&mut self, step: &Object, field: &str) -> Result<()> {
        self.refuse(step, &["relative"], field)?;
        let [low, high] = ["lower", "upper"].map(|key| self.config.number(step, key, field));
        let source = low?.zip(high?).filter(|(low, high)| low < high);
        let (low, high) =
            source.ok_or_else(|| self.config.wrong(field, "numbers lower < upper", format!("{source:?}")))?;
        let axes = self.joined(step, field)?;
        self.push("scale_range", json!({ "axes": axes, "min_percentile": low, "max_percentile": high, "eps": EPS }));
        let target = self.target(step, field)?;
        let (to_low, to_high) = target.unwrap_or((0.0, 1.0));
        self.linear(to_high - to_low, to_low);
        self.clip(step, target, field)
    }

    fn scale(&mut self, step: &Object, field: &str) -> Result<()> {
        if let Some(factor) = self.config.number(step, "factor", field)? {
            let is_alone = ["minv", "maxv"].iter().all(|key| step.get(*key).is_some_and(Value::is_null));
            if !is_alone {
                return self.unknown(&format!("{field}.factor beside minv and maxv"));
            }
            self.linear(1.0 + factor, 0.0);
            return Ok(());
        }
        let low = self.config.number(step, "minv", field)?.unwrap_or(0.0);
        let high = self.config.number(step, "maxv", field)?.unwrap_or(1.0);
        let axes = self.joined(step, field)?;
        self.push("scale_range", json!({ "axes": axes, "min_percentile": 0, "max_percentile": 100, "eps": EPS }));
        self.linear(high - low, low);
        Ok(())
    }

    fn normalise(&mut self, step: &Object, field: &str) -> Result<()> {
        let [mean, sd] = ["subtrahend", "divisor"].map(|key| self.config.numbers(step, key, field, 1));
        match (mean?.as_deref(), sd?.as_deref()) {
            (None, None) => {
                let axes = self.joined(step, field)?;
                self.push("zero_mean_unit_variance", json!({ "axes": axes, "eps": EPS }));
                Ok(())
            }
            (Some([mean]), Some([sd])) if *sd > 0.0 => {
                self.linear(1.0 / sd, -mean / sd);
                Ok(())
            }
            _ => self.unknown(&format!("{field} with only one of subtrahend and divisor")),
        }
    }

    fn activation(&mut self, step: &Object, field: &str) -> Result<()> {
        self.refuse(step, &["other"], field)?;
        for name in ["softmax", "sigmoid"] {
            if self.config.flag(step, name, field)? {
                self.steps.activation = Some(name);
            }
        }
        Ok(())
    }

    fn discrete(&mut self, step: &Object, field: &str) -> Result<()> {
        self.refuse(step, &["to_onehot", "rounding", "logit_thresh", "threshold_values"], field)?;
        self.steps.argmax |= self.config.flag(step, "argmax", field)?;
        self.steps.threshold = self.config.numbers(step, "threshold", field, 1)?.map(|threshold| threshold[0]);
        Ok(())
    }
}
