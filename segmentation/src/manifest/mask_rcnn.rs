use super::document::Tensor;
use super::{Checker, FileReference};
use crate::Result;
use serde::Deserialize;

/// A Mask R-CNN for sections on wafers, in three graphs: backbone, pyramid and proposals (the model's own network), the head of
/// boxes, the head of masks. What lies between them is done here, as torchvision 0.29 does it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskRcnnTask {
    /// `[n, c, box_size, box_size]` in, `[n, k]` (logits) and `[n, 4 k]` out.
    pub boxes: FileReference,
    /// `[n, c, mask_size, mask_size]` in, `[n, k, m, m]` (logits) out.
    pub masks: FileReference,
    /// Of the heads: `background`, then `tissue` and `magnet`.
    pub classes: Vec<String>,
    /// Grey values at these percentiles of intensity and fluorescence become -.5 and .5.
    pub percentiles: [[f64; 2]; 2],
    /// Least spread of grey values that is stretched, of 255: an empty channel stays empty.
    pub least_spread: f64,
    /// Lengths of tissue that it was trained on.
    #[serde(default = "super::sections::trained_lengths")]
    pub tissue_length_px: [f64; 2],
    /// Everything between the graphs.
    pub settings: MaskRcnnSettings,
}

/// What lies between the graphs of a Mask R-CNN; `docs/wafer.md` has the steps.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskRcnnSettings {
    /// The smaller side becomes as long, unless the larger would be more than `max_size_px`.
    pub min_size_px: usize,
    /// See `min_size_px`. Large pictures are seen in tiles of this size.
    pub max_size_px: usize,
    /// Subtracted from each channel.
    pub mean: [f32; 3],
    /// Divisors of each channel.
    pub std: [f32; 3],
    /// Sizes are filled up to multiples of this.
    pub size_divisible_px: usize,
    /// For each level, around the origin: left, top, right, bottom.
    pub anchors_px: Vec<Vec<[f32; 4]>>,
    /// How regions are proposed.
    pub proposals: ProposalSettings,
    /// How regions are cut out.
    pub regions: RegionSettings,
    /// How detections are chosen.
    pub detections: DetectionSettings,
    /// Largest logarithm by which a side may grow.
    pub largest_log_scale: f32,
}

/// How regions are proposed.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposalSettings {
    /// So many of each level, the best.
    pub before_suppression: usize,
    /// So many of all.
    pub after_suppression: usize,
    /// Of two of a level that overlap more the better stays.
    pub overlap: f32,
    /// Least probability.
    pub least_score: f32,
    /// Least length of a side.
    pub least_size_px: f32,
    /// Divisors of dx, dy, dw, dh.
    pub weights: [f32; 4],
}

/// How regions are cut out of the features.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionSettings {
    /// Bins along a side for the head of boxes.
    pub box_size: usize,
    /// And of masks.
    pub mask_size: usize,
    /// Points along each side of a bin.
    pub sampling_ratio: usize,
    /// A region with sides of this length belongs to `canonical_level`.
    pub canonical_scale_px: f32,
    /// Level n has a position every 2^n pixels; the first is 2.
    pub canonical_level: f32,
}

/// How detections are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionSettings {
    /// Detections have a higher probability.
    pub least_score: f32,
    /// Of two of a class that overlap more the better stays.
    pub overlap: f32,
    /// So many at most, the best.
    pub most: usize,
    /// Least length of a side.
    pub least_size_px: f32,
    /// Divisors of dx, dy, dw, dh.
    pub weights: [f32; 4],
}

/// Larger sides of tiles, and more regions, than any such network is made for.
const MOST_SIZE_PX: usize = 4096;
const MOST_REGIONS: usize = 10_000;
const MOST_ANCHORS: usize = 64;
const MOST_BINS: usize = 64;
/// Classes in the only order there is.
const CLASSES: [&str; 3] = ["background", "tissue", "magnet"];

impl MaskRcnnTask {
    pub(super) fn check(self, input: &Tensor, checker: &Checker) -> Result<Self> {
        checker.file(&self.boxes, "config.brainmesh.boxes")?;
        checker.file(&self.masks, "config.brainmesh.masks")?;
        let found = self.classes.join(", ");
        checker.require(self.classes == CLASSES, "config.brainmesh.classes", CLASSES.join(", "), found)?;
        super::sections::check_levels(self.percentiles, self.least_spread, checker)?;
        super::sections::check_lengths(self.tissue_length_px, checker)?;
        let channels = input.channel_names().count();
        checker.require(channels == 3, "inputs.axes", "3 channels", channels.to_string())?;
        self.settings.check(checker)?;
        Ok(self)
    }

    /// How many outputs the model's own network has: features of all levels but the last, logits and boxes of all.
    pub(crate) fn detector_outputs(&self) -> usize {
        3 * self.settings.anchors_px.len() - 1
    }
}

impl MaskRcnnSettings {
    fn check(&self, checker: &Checker) -> Result<()> {
        let Self { min_size_px, max_size_px, size_divisible_px, .. } = *self;
        let within = |field: &'static str, value: usize, most: usize| {
            checker.require((1..=most).contains(&value), field, format!("1 to {most}"), value.to_string())
        };
        within("config.brainmesh.settings.max_size_px", max_size_px, MOST_SIZE_PX)?;
        within("config.brainmesh.settings.min_size_px", min_size_px, max_size_px)?;
        within("config.brainmesh.settings.size_divisible_px", size_divisible_px, 256)?;
        let positive = |field: &'static str, values: &[f32]| {
            let are = values.iter().all(|&value| value > 0.0 && value.is_finite());
            checker.require(are, field, "numbers above 0", format!("{values:?}"))
        };
        positive("config.brainmesh.settings.std", &self.std)?;
        let is_finite = self.mean.iter().all(|value| value.is_finite());
        checker.require(is_finite, "config.brainmesh.settings.mean", "numbers", format!("{:?}", self.mean))?;

        let field = "config.brainmesh.settings.anchors_px";
        let levels = self.anchors_px.len();
        checker.require((2..=8).contains(&levels), field, "2 to 8 levels", levels.to_string())?;
        for level in &self.anchors_px {
            within(field, level.len(), MOST_ANCHORS)?;
            // Comparisons are false for what is no number.
            let are = level.iter().all(|[l, t, r, b]| l < r && t < b && (r - l).max(b - t).is_finite());
            checker.require(are, field, "left, top, right, bottom", format!("{level:?}"))?;
        }

        let (proposals, regions, detections) = (&self.proposals, &self.regions, &self.detections);
        within("config.brainmesh.settings.proposals.before_suppression", proposals.before_suppression, MOST_REGIONS)?;
        within("config.brainmesh.settings.proposals.after_suppression", proposals.after_suppression, MOST_REGIONS)?;
        within("config.brainmesh.settings.detections.most", detections.most, MOST_REGIONS)?;
        within("config.brainmesh.settings.regions.box_size", regions.box_size, MOST_BINS)?;
        within("config.brainmesh.settings.regions.mask_size", regions.mask_size, MOST_BINS)?;
        within("config.brainmesh.settings.regions.sampling_ratio", regions.sampling_ratio, 16)?;
        positive("config.brainmesh.settings.proposals.weights", &proposals.weights)?;
        positive("config.brainmesh.settings.detections.weights", &detections.weights)?;
        positive("config.brainmesh.settings.regions.canonical_scale_px", &[regions.canonical_scale_px])?;
        let share = |field: &'static str, value: f32| {
            checker.require((0.0..=1.0).contains(&value), field, "a number from 0 to 1", value.to_string())
        };
        share("config.brainmesh.settings.proposals.overlap", proposals.overlap)?;
        share("config.brainmesh.settings.proposals.least_score", proposals.least_score)?;
        share("config.brainmesh.settings.detections.overlap", detections.overlap)?;
        share("config.brainmesh.settings.detections.least_score", detections.least_score)?;
        let ranged = |field: &'static str, value: f32, most: f32| {
            checker.require((0.0..=most).contains(&value), field, format!("0 to {most}"), value.to_string())
        };
        ranged("config.brainmesh.settings.proposals.least_size_px", proposals.least_size_px, 1e4)?;
        ranged("config.brainmesh.settings.detections.least_size_px", detections.least_size_px, 1e4)?;
        ranged("config.brainmesh.settings.regions.canonical_level", regions.canonical_level, 16.0)?;
        ranged("config.brainmesh.settings.largest_log_scale", self.largest_log_scale, 20.0)
    }
}
