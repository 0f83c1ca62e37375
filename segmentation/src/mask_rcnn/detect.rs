use super::align::cut_out;
use super::input::Input;
use super::proposals::{Answers, require_finite};
use super::region::{Region, best_first, clipped, decoded, is_as_large, suppressed};
use crate::backend::Backend;
use crate::{Error, MaskRcnnSettings, Result};
use brainmesh_core::{Monitor, Uncounted};
use ndarray::{Array2, ArrayD, ArrayView2, ArrayView3, ArrayView4, Axis, Ix2, Ix4};

/// The graphs that see regions.
pub(crate) struct Heads {
    pub boxes: Backend,
    pub masks: Backend,
}

/// Something found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Detection {
    /// In pixels of the picture; pixel n spans n to n + 1.
    pub region: Region,
    /// Probability of its class.
    pub score: f32,
    /// Number of its class; 0 is background.
    pub class: usize,
    /// How likely each place of the box belongs to it, `[28, 28]`.
    pub mask: Array2<f32>,
}

/// A region of a class.
pub(super) type Scored = (Region, f32, usize);

/// What is found in a picture `[3, y, x]`, the most certain first.
///
/// # Errors
/// [`Error::Input`] for a picture that is empty or not of numbers; [`Error::Shape`] and [`Error::Output`] for graphs that do not belong together or say what
/// is no number; what their engines report; cancelled.
pub(crate) fn detect(
    detector: &mut Backend,
    heads: &mut Heads,
    settings: &MaskRcnnSettings,
    picture: ArrayView3<f32>,
    monitor: &dyn Monitor,
) -> Result<Vec<Detection>> {
    let (channels, height, width) = picture.dim();
    if channels != 3 || height == 0 || width == 0 {
        let (expected, found) = ("[3, y, x]".into(), format!("{:?}", picture.shape()));
        return Err(Error::Input { field: "picture", expected, found });
    }
    // Some engines make zeros of it on the way.
    if let Some(value) = picture.iter().find(|value| !value.is_finite()) {
        return Err(Error::Input { field: "picture", expected: "finite numbers".into(), found: value.to_string() });
    }
    let quiet = &Uncounted(monitor);
    let input = Input::new(picture, settings);
    let outputs = detector.run_all(input.tensor.view().into_dyn(), quiet)?;
    let answers = Answers::new(&outputs, settings)?;
    let padded = [input.tensor.dim().2, input.tensor.dim().3];
    let proposals = answers.proposals(settings, padded, input.resized);
    let found = boxes(&mut heads.boxes, &answers.features, &proposals, settings, input.resized, quiet)?;
    let masks = masks(&mut heads.masks, &answers.features, &found, settings, quiet)?;
    // Back to the picture's own pixels.
    let [down, right] =
        [(height, input.resized[0]), (width, input.resized[1])].map(|(own, seen)| own as f32 / seen as f32);
    let detections = found.into_iter().zip(masks).map(|((region, score, class), mask)| {
        let [x0, y0, x1, y1] = region;
        Detection { region: [x0 * right, y0 * down, x1 * right, y1 * down], score, class, mask }
    });
    Ok(detections.collect())
}

/// Classes and boxes of what was proposed, in pixels of the resized picture.
pub(super) fn boxes(
    head: &mut Backend,
    features: &[ArrayView4<f32>],
    proposals: &[Region],
    settings: &MaskRcnnSettings,
    resized: [usize; 2],
    monitor: &dyn Monitor,
) -> Result<Vec<Scored>> {
    if proposals.is_empty() {
        return Ok(Vec::new());
    }
    let regions = cut_out(features, proposals, &settings.regions, settings.regions.box_size);
    let outputs = head.run_all(regions.view().into_dyn(), monitor)?;
    let (classes, deltas) = match outputs.as_slice() {
        [classes, deltas] => (matrix(classes)?, matrix(deltas)?),
        _ => return Err(Error::Shape { expected: "2 tensors".into(), found: outputs.len().to_string() }),
    };
    let kinds = classes.ncols();
    let is_usable =
        classes.nrows() == proposals.len() && deltas.dim() == (proposals.len(), 4 * kinds) && kinds == CLASSES;
    if !is_usable {
        let expected = format!("[{0}, {CLASSES}] and [{0}, {1}]", proposals.len(), 4 * CLASSES);
        return Err(Error::Shape { expected, found: format!("{:?} and {:?}", classes.shape(), deltas.shape()) });
    }
    Ok(chosen(classes, deltas, proposals, settings, resized))
}

/// Background, tissue, magnet.
const CLASSES: usize = 3;

/// Of all proposals as each class the ones that count, the most certain first.
fn chosen(
    classes: ArrayView2<f32>,
    deltas: ArrayView2<f32>,
    proposals: &[Region],
    settings: &MaskRcnnSettings,
    resized: [usize; 2],
) -> Vec<Scored> {
    let asked = &settings.detections;
    let mut candidates: Vec<Scored> = Vec::new();
    for (n, &proposal) in proposals.iter().enumerate() {
        let logits = classes.row(n);
        let most = logits.fold(f32::NEG_INFINITY, |most, &logit| most.max(logit));
        let sum: f32 = logits.iter().map(|logit| (logit - most).exp()).sum();
        for class in 1..logits.len() {
            let score = (logits[class] - most).exp() / sum;
            let moves = std::array::from_fn(|side| deltas[[n, 4 * class + side]]);
            let region = clipped(decoded(proposal, moves, asked.weights, settings.largest_log_scale), resized);
            if score > asked.least_score && is_as_large(&region, asked.least_size_px) {
                candidates.push((region, score, class));
            }
        }
    }
    let scores: Vec<f32> = candidates.iter().map(|(_, score, _)| *score).collect();
    let kept = suppressed(&best_first(&scores), |n| (candidates[n].0, candidates[n].2), asked.overlap);
    kept.into_iter().take(asked.most).map(|n| candidates[n]).collect()
}

/// How likely each place of the boxes belongs to what was found there.
fn masks(
    head: &mut Backend,
    features: &[ArrayView4<f32>],
    found: &[Scored],
    settings: &MaskRcnnSettings,
    monitor: &dyn Monitor,
) -> Result<Vec<Array2<f32>>> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let boxes: Vec<Region> = found.iter().map(|(region, ..)| *region).collect();
    let regions = cut_out(features, &boxes, &settings.regions, settings.regions.mask_size);
    let outputs = head.run_all(regions.view().into_dyn(), monitor)?;
    let shape = || outputs.iter().map(|output| format!("{:?}", output.shape())).collect::<Vec<_>>().join(", ");
    let logits = match outputs.as_slice() {
        [logits] => logits.view().into_dimensionality::<Ix4>().ok(),
        _ => None,
    };
    let fits = |view: &ArrayView4<f32>| {
        let (count, kinds, rows, columns) = view.dim();
        count == found.len() && kinds == CLASSES && rows > 0 && columns > 0
    };
    let expected = || format!("[{}, {CLASSES}, y, x]", found.len());
    let logits = logits.filter(fits).ok_or_else(|| Error::Shape { expected: expected(), found: shape() })?;
    require_finite(&outputs[0])?;
    let own = logits
        .outer_iter()
        .zip(found)
        .map(|(logits, (_, _, class))| logits.index_axis(Axis(0), *class).mapv(|logit| 1.0 / (1.0 + (-logit).exp())));
    Ok(own.collect())
}

fn matrix(values: &ArrayD<f32>) -> Result<ArrayView2<'_, f32>> {
    require_finite(values)?;
    let found = || Error::Shape { expected: "[regions, values]".into(), found: format!("{:?}", values.shape()) };
    values.view().into_dimensionality::<Ix2>().map_err(|_| found())
}
