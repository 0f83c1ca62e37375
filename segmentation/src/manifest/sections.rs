use super::Checker;
use super::document::Tensor;
use crate::Result;
use serde::Deserialize;

/// A network that finds brain sections on wafers: `[batch, 2, y, x]` (intensity and fluorescence) in, `[batch, 12, y / stride,
/// x / stride]` out. What the answers mean stands at [`Session::section_parts`](crate::Session::section_parts).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SectionsTask {
    /// Pixels along an axis for each answer.
    pub stride: usize,
    /// Ways to corners and partners are in this many pixels.
    pub unit_px: f64,
    /// Sizes are multiples of this many pixels.
    pub step: usize,
    /// How far an answer looks, in pixels; a multiple of `step`.
    #[serde(default = "reach_of_five_scales")]
    pub halo: usize,
    /// Least heat of a part's centre.
    pub threshold: f64,
    /// Grey values at these percentiles of intensity and fluorescence become -.5 and .5.
    pub percentiles: [[f64; 2]; 2],
    /// Least spread of grey values that is stretched, of 255: an empty channel stays empty.
    pub least_spread: f64,
    /// Lengths of tissue that it was trained on.
    #[serde(default = "trained_lengths")]
    pub tissue_length_px: [f64; 2],
}

/// Of a U-Net over blocks of 4 pixels with five scales and two convolutions of 3 x 3 at each: 376 pixels, in whole steps.
fn reach_of_five_scales() -> usize {
    384
}

/// .6 to 1.5 of the two wafers of the training.
pub(super) fn trained_lengths() -> [f64; 2] {
    [60.0, 195.0]
}

/// Channels of the network's answer.
pub(crate) const ANSWERS: usize = 12;
/// Beyond these no network for pictures has been made.
const MOST_STEP: usize = 1024;
const MOST_HALO: usize = 4096;

impl SectionsTask {
    pub(super) fn check(self, input: &Tensor, output: &Tensor, checker: &Checker) -> Result<Self> {
        let Self { stride, step, halo, .. } = self;
        let is_step = step > 0 && step <= MOST_STEP && stride > 0 && step.is_multiple_of(stride);
        let expected = format!("a multiple of the stride, at most {MOST_STEP}");
        checker.require(is_step, "config.brainmesh.step", expected, format!("{step}, stride {stride}"))?;
        let is_halo = halo <= MOST_HALO && halo.is_multiple_of(step);
        let expected = format!("a multiple of the step ({step}), at most {MOST_HALO}");
        checker.require(is_halo, "config.brainmesh.halo", expected, halo.to_string())?;
        let is_share = self.threshold > 0.0 && self.threshold < 1.0;
        checker.require(
            is_share,
            "config.brainmesh.threshold",
            "a number between 0 and 1",
            self.threshold.to_string(),
        )?;
        let is_positive = |value: f64| value > 0.0 && value.is_finite();
        checker.require(is_positive(self.unit_px), "config.brainmesh.unit_px", "above 0", self.unit_px.to_string())?;
        check_levels(self.percentiles, self.least_spread, checker)?;
        check_lengths(self.tissue_length_px, checker)?;
        for (tensor, field, expected) in [(input, "inputs.axes", 2), (output, "outputs.axes", ANSWERS)] {
            let kinds: Vec<&str> = tensor.axes.iter().map(|axis| axis.kind.as_str()).collect();
            let is_image = kinds == ["batch", "channel", "space", "space"];
            checker.require(is_image, field, "batch, channel, space (y), space (x)", kinds.join(", "))?;
            let ids: Vec<&str> = tensor.axes[2..].iter().filter_map(|axis| axis.id.as_deref()).collect();
            checker.require(ids == ["y", "x"], field, "y before x", ids.join(", "))?;
            let named = tensor.channel_names().count();
            let found = format!("{named} channels");
            checker.require(named == 0 || named == expected, field, format!("{expected} channels"), found)?;
        }
        Ok(self)
    }
}

/// How grey values are stretched.
pub(super) fn check_levels(percentiles: [[f64; 2]; 2], least_spread: f64, checker: &Checker) -> Result<()> {
    let is_positive = least_spread > 0.0 && least_spread.is_finite();
    checker.require(is_positive, "config.brainmesh.least_spread", "above 0", least_spread.to_string())?;
    let are_ordered = percentiles.iter().all(|[low, high]| 0.0 <= *low && low < high && *high <= 100.0);
    let found = format!("{percentiles:?}");
    checker.require(are_ordered, "config.brainmesh.percentiles", "two a channel, rising, 0 to 100", found)
}

/// Of tissue.
pub(super) fn check_lengths([short, long]: [f64; 2], checker: &Checker) -> Result<()> {
    let is_range = short > 0.0 && short < long && long.is_finite();
    let found = format!("[{short}, {long}]");
    checker.require(is_range, "config.brainmesh.tissue_length_px", "two lengths, rising", found)
}
