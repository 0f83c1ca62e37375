use super::region::{Region, best_first, clipped, decoded, is_as_large, suppressed};
use crate::{Error, MaskRcnnSettings, Result};
use ndarray::{ArrayD, ArrayView4, Ix4};

/// What the detector says: features of all levels but the last, and of each level how likely something is at an anchor, and how far.
pub(super) struct Answers<'a> {
    /// `[1, c, y, x]`, the finest first.
    pub features: Vec<ArrayView4<'a, f32>>,
    objectness: Vec<ArrayView4<'a, f32>>,
    deltas: Vec<ArrayView4<'a, f32>>,
}

/// Of the features of all regions: a gigabyte.
const MOST_VALUES: usize = 1 << 28;

impl<'a> Answers<'a> {
    /// Of the detector's outputs, in their order.
    ///
    /// # Errors
    /// [`Error::Shape`] for other sizes than the anchors ask for or more channels than memory is for, [`Error::Output`] for what is no number.
    pub fn new(outputs: &'a [ArrayD<f32>], settings: &MaskRcnnSettings) -> Result<Self> {
        let levels = settings.anchors_px.len();
        let wrong = |expected: String, found: &[usize]| Error::Shape { expected, found: format!("{found:?}") };
        if outputs.len() != 3 * levels - 1 {
            return Err(wrong(format!("{} tensors", 3 * levels - 1), &[outputs.len()]));
        }
        let mut views = Vec::new();
        for output in outputs {
            require_finite(output)?;
            let view = output.view().into_dimensionality::<Ix4>();
            let view = view.ok().filter(|view| view.dim().0 == 1 && !view.is_empty());
            views.push(view.ok_or_else(|| wrong("[1, channels, y, x]".into(), output.shape()))?);
        }
        let deltas = views.split_off(2 * levels - 1);
        let objectness = views.split_off(levels - 1);
        for (level, anchors) in settings.anchors_px.iter().enumerate() {
            let (_, _, rows, columns) = objectness[level].dim();
            for (tensor, channels) in [(&objectness[level], anchors.len()), (&deltas[level], 4 * anchors.len())] {
                if tensor.dim() != (1, channels, rows, columns) {
                    return Err(wrong(format!("[1, {channels}, {rows}, {columns}]"), tensor.shape()));
                }
            }
            let channels = views[0].dim().1;
            if let Some(features) = views.get(level).filter(|view| view.dim() != (1, channels, rows, columns)) {
                return Err(wrong(format!("[1, {channels}, {rows}, {columns}]"), features.shape()));
            }
        }
        let asked = &settings.regions;
        let of_boxes = settings.proposals.after_suppression * asked.box_size.pow(2);
        let of_masks = settings.detections.most * asked.mask_size.pow(2);
        let (most, channels) = (MOST_VALUES / of_boxes.max(of_masks), views[0].dim().1);
        if channels > most {
            let expected = format!("at most {most} channels, for so many regions");
            return Err(Error::Shape { expected, found: channels.to_string() });
        }
        Ok(Self { features: views, objectness, deltas })
    }

    /// Regions where something may be, the likeliest first; `padded` and `resized` are height and width of what the detector saw and
    /// of the picture in it.
    pub fn proposals(&self, settings: &MaskRcnnSettings, padded: [usize; 2], resized: [usize; 2]) -> Vec<Region> {
        let asked = &settings.proposals;
        let (mut regions, mut scores) = (Vec::new(), Vec::new());
        for (level, anchors) in settings.anchors_px.iter().enumerate() {
            let (objectness, deltas) = (&self.objectness[level], &self.deltas[level]);
            let (_, _, rows, columns) = objectness.dim();
            let step = [padded[1] / columns, padded[0] / rows].map(|step| step as f32);
            // Positions by rows, the anchors of a position together.
            let logits: Vec<f32> = (0..rows * columns * anchors.len())
                .map(|n| {
                    let (place, anchor) = (n / anchors.len(), n % anchors.len());
                    objectness[[0, anchor, place / columns, place % columns]]
                })
                .collect();
            for n in best_first(&logits).into_iter().take(asked.before_suppression) {
                let (place, anchor) = (n / anchors.len(), n % anchors.len());
                let (row, column) = (place / columns, place % columns);
                let shift = [column as f32 * step[0], row as f32 * step[1]];
                let own: Region = std::array::from_fn(|side| anchors[anchor][side] + shift[side % 2]);
                let moves = std::array::from_fn(|side| deltas[[0, 4 * anchor + side, row, column]]);
                let region = clipped(decoded(own, moves, asked.weights, settings.largest_log_scale), resized);
                let score = 1.0 / (1.0 + (-logits[n]).exp());
                if is_as_large(&region, asked.least_size_px) && score >= asked.least_score {
                    regions.push((region, level));
                    scores.push(score);
                }
            }
        }
        let kept = suppressed(&best_first(&scores), |n| regions[n], asked.overlap);
        kept.into_iter().take(asked.after_suppression).map(|n| regions[n].0).collect()
    }
}

/// # Errors
/// [`Error::Output`] for a network that gives what is no number.
pub(super) fn require_finite(values: &ArrayD<f32>) -> Result<()> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(Error::Output { expected: "finite numbers".into(), found: value.to_string() }),
        None => Ok(()),
    }
}
