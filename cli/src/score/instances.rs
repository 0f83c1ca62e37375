use super::Outline;
use serde::Serialize;
use std::borrow::Borrow;

/// What lies in one picture: objects of one class.
#[derive(Debug, Clone, Default)]
pub struct InstancePicture {
    /// The true ones.
    pub truth: Vec<Outline>,
    /// Those found, each with its confidence in 0..=1.
    pub found: Vec<(Outline, f64)>,
}

/// Average precision: over all confidences, at an intersection over union of .5, and the mean over .5, .55 .. .95 (COCO).
///
/// Where all confidences are the same nothing is ranked (COCO's figure would follow from the order in the file): precision of all
/// up to the recall of all, 0 beyond.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AveragePrecision {
    /// At .5.
    pub at_50: f64,
    /// Mean over .5 to .95.
    pub mean: f64,
}

/// How well objects of one class were found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InstanceScores {
    /// True objects.
    pub truths: usize,
    /// Objects found with the least confidence asked for or more. The figures below `masks` are of these.
    pub found: usize,
    /// By overlap of bounding boxes; null without true objects.
    pub boxes: AveragePrecision,
    /// By overlap of outlines; null without true objects.
    pub masks: AveragePrecision,
    /// Share of the true objects matched by an outline (intersection over union .5 or more, one to one).
    pub recall: f64,
    /// Median distance of the centres (means of corners) of matched objects, pixels.
    pub median_centre_px: f64,
    /// Largest of these.
    pub worst_centre_px: f64,
    /// Median difference of the angles (first corner to second) of matched objects, degrees.
    pub median_angle_degrees: f64,
    /// Largest of these.
    pub worst_angle_degrees: f64,
    /// Found again: overlap .5 or more with a true object that another has matched.
    pub doubles: usize,
    /// Found as one: cover half or more of each of several true objects.
    pub merges: usize,
    /// Neither matched, double nor merged.
    pub spurious: usize,
}

impl InstanceScores {
    /// Over all pictures. `least_confidence` is for recall, errors and counts; average precision is over all confidences.
    #[must_use]
    pub fn over<P: Borrow<InstancePicture>>(pictures: &[P], least_confidence: f64) -> Self {
        let ranked: Vec<InstancePicture> = pictures.iter().map(|picture| picture.borrow().ranked()).collect();
        let truths: usize = ranked.iter().map(|picture| picture.truth.len()).sum();
        let mut scores = Self {
            truths,
            found: 0,
            boxes: average_precision(&ranked, truths, Outline::box_overlap),
            masks: average_precision(&ranked, truths, Outline::overlap),
            recall: 0.0,
            median_centre_px: 0.0,
            worst_centre_px: 0.0,
            median_angle_degrees: 0.0,
            worst_angle_degrees: 0.0,
            doubles: 0,
            merges: 0,
            spurious: 0,
        };
        let (mut centres, mut angles) = (Vec::new(), Vec::new());
        for mut picture in ranked {
            picture.found.retain(|(_, confidence)| *confidence >= least_confidence);
            scores.found += picture.found.len();
            let overlaps = picture.overlaps(Outline::overlap);
            for (((outline, _), mate), near) in
                picture.found.iter().zip(matched(&overlaps, 0.5, &picture)).zip(&overlaps)
            {
                let covered = |&&(n, _): &&(usize, f64)| {
                    outline.common_px2(&picture.truth[n]) >= 0.5 * picture.truth[n].area_px2()
                };
                if near.iter().filter(covered).count() > 1 {
                    scores.merges += 1;
                } else if mate.is_none() && near.iter().any(|(_, overlap)| *overlap >= 0.5) {
                    scores.doubles += 1;
                } else if mate.is_none() {
                    scores.spurious += 1;
                }
                if let Some(truth) = mate.map(|n| &picture.truth[n]) {
                    let ([x, y], [u, v]) = (outline.centre_px(), truth.centre_px());
                    centres.push((x - u).hypot(y - v));
                    let turned = outline.angle_degrees() - truth.angle_degrees();
                    angles.push(((turned + 180.0).rem_euclid(360.0) - 180.0).abs());
                }
            }
        }
        scores.recall = centres.len() as f64 / truths as f64;
        scores.median_centre_px = median(&mut centres);
        scores.worst_centre_px = centres.last().copied().unwrap_or(f64::NAN);
        scores.median_angle_degrees = median(&mut angles);
        scores.worst_angle_degrees = angles.last().copied().unwrap_or(f64::NAN);
        scores
    }
}

impl InstancePicture {
    /// For each object found the number of the true one it is matched with: overlap .5 or more, one to one, those of the least
    /// confidence or more, the most certain first.
    #[must_use]
    pub fn matches(&self, least_confidence: f64) -> Vec<Option<usize>> {
        let mut order: Vec<usize> = (0..self.found.len()).filter(|&n| self.found[n].1 >= least_confidence).collect();
        order.sort_by(|&a, &b| self.found[b].1.total_cmp(&self.found[a].1));
        let ranked = Self { truth: self.truth.clone(), found: order.iter().map(|&n| self.found[n].clone()).collect() };
        let mut mates = vec![None; self.found.len()];
        for (n, mate) in order.into_iter().zip(matched(&ranked.overlaps(Outline::overlap), 0.5, &ranked)) {
            mates[n] = mate;
        }
        mates
    }

    /// Numbers of the true ones that lie on an earlier one: overlap .5 or more.
    #[must_use]
    pub fn twice(&self) -> Vec<usize> {
        let found = self.truth.iter().map(|outline| (outline.clone(), 1.0)).collect();
        let overlaps = Self { truth: self.truth.clone(), found }.overlaps(Outline::overlap);
        let is_again = |n: &usize| overlaps[*n].iter().any(|(other, overlap)| other < n && *overlap >= 0.5);
        (0..self.truth.len()).filter(is_again).collect()
    }

    /// With what was found in order of its confidence, the most certain first; equal ones stay in order.
    fn ranked(&self) -> Self {
        let mut ranked = self.clone();
        ranked.found.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        ranked
    }

    /// For each object found the true ones that it touches, and how much they overlap.
    fn overlaps(&self, overlap: impl Fn(&Outline, &Outline) -> f64) -> Vec<Vec<(usize, f64)>> {
        // By their left sides, so that most are never looked at: wafers hold thousands.
        let bounds: Vec<[f64; 4]> = self.truth.iter().map(Outline::bounds_px).collect();
        let widest = bounds.iter().map(|[left, _, right, _]| right - left).fold(0.0, f64::max);
        let mut by_left: Vec<usize> = (0..bounds.len()).collect();
        by_left.sort_by(|&a, &b| bounds[a][0].total_cmp(&bounds[b][0]));
        let of = |found: &Outline| {
            let [left, top, right, bottom] = found.bounds_px();
            let first = by_left.partition_point(|&n| bounds[n][0] < left - widest);
            let near = by_left[first..].iter().take_while(|&&n| bounds[n][0] < right);
            let near = near.filter(|&&n| bounds[n][1] < bottom && bounds[n][3] > top);
            let mut met: Vec<(usize, f64)> = near.map(|&n| (n, overlap(found, &self.truth[n]))).collect();
            met.retain(|(_, overlap)| *overlap > 0.0);
            met.sort_by_key(|(n, _)| *n);
            met
        };
        self.found.iter().map(|(found, _)| of(found)).collect()
    }
}

/// The true object of each one found, in their order: of those still free the one it overlaps most, the last of equals, as
/// pycocotools has it.
fn matched(overlaps: &[Vec<(usize, f64)>], least: f64, picture: &InstancePicture) -> Vec<Option<usize>> {
    let mut is_taken = vec![false; picture.truth.len()];
    let mut mate = |near: &Vec<(usize, f64)>| {
        let free = near.iter().filter(|(n, overlap)| !is_taken[*n] && *overlap >= least);
        let best = free.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(n, _)| *n)?;
        is_taken[best] = true;
        Some(best)
    };
    overlaps.iter().map(&mut mate).collect()
}

fn average_precision(
    ranked: &[InstancePicture],
    truths: usize,
    overlap: impl Fn(&Outline, &Outline) -> f64 + Copy,
) -> AveragePrecision {
    let overlaps: Vec<_> = ranked.iter().map(|picture| picture.overlaps(overlap)).collect();
    let at = |step: u32| {
        let least = 0.5 + 0.05 * f64::from(step);
        let mut hits: Vec<(f64, bool)> = Vec::new();
        for (picture, overlaps) in ranked.iter().zip(&overlaps) {
            let mates = matched(overlaps, least.min(1.0 - 1e-10), picture);
            hits.extend(picture.found.iter().zip(mates).map(|((_, confidence), mate)| (*confidence, mate.is_some())));
        }
        hits.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        area_below(&hits, truths)
    };
    AveragePrecision { at_50: at(0), mean: (0..10).map(at).sum::<f64>() / 10.0 }
}

/// Mean precision at the recalls 0, .01 .. 1; at each the best precision of this recall or more.
fn area_below(hits: &[(f64, bool)], truths: usize) -> f64 {
    let (mut right, mut curve) = (0_u32, Vec::with_capacity(hits.len()));
    for (place, (_, is_right)) in hits.iter().enumerate() {
        right += u32::from(*is_right);
        curve.push((right, f64::from(right) / (place + 1) as f64));
    }
    if hits.windows(2).all(|pair| pair[0].0.total_cmp(&pair[1].0).is_eq()) {
        curve.drain(..curve.len().saturating_sub(1));
    }
    let mut best = 0.0_f64;
    for (_, precision) in curve.iter_mut().rev() {
        best = best.max(*precision);
        *precision = best;
    }
    // Compared as pycocotools does, to which 7 of 100 is less than 7 times .01.
    let reached =
        |n: u32| curve.partition_point(|(right, _)| f64::from(*right) / (truths as f64) < f64::from(n) * 0.01);
    let sum: f64 = (0..=100).map(|n| curve.get(reached(n)).map_or(0.0, |(_, precision)| *precision)).sum();
    if truths == 0 { f64::NAN } else { sum / 101.0 }
}

/// Of an even number the mean of the two in the middle; sorts.
pub(super) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n => f64::midpoint(values[(n - 1) / 2], values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64, y: f64) -> Outline {
        Outline::new(vec![[x, y], [x + 10.0, y], [x + 10.0, y + 10.0], [x, y + 10.0]]).unwrap()
    }

    #[test]
    fn one_picture_by_hand() {
        let wide = Outline::new(vec![[98.0, 0.0], [125.0, 0.0], [125.0, 10.0], [98.0, 10.0]]).unwrap();
        let truth = vec![square(0.0, 0.0), square(100.0, 0.0), square(114.0, 0.0), square(0.0, 200.0)];
        let found = vec![
            (square(50.0, 50.0), 0.6),
            (square(1.0, 0.0), 0.9),
            (square(0.0, 0.0), 0.8),
            (wide, 0.7),
            (square(0.0, 202.0), 0.2),
        ];
        let scores = InstanceScores::over(&[InstancePicture { truth, found }], 0.5);
        assert_eq!((scores.truths, scores.found), (4, 4));
        assert_eq!((scores.doubles, scores.merges, scores.spurious), (1, 1, 1));
        assert!((scores.recall - 0.25).abs() < 1e-12);
        assert!((scores.median_centre_px - 1.0).abs() < 1e-12);
        assert!((scores.worst_centre_px - 1.0).abs() < 1e-12);
        assert!(scores.worst_angle_degrees.abs() < 1e-12);
        // By confidence: right, double, merged (overlap 10/27), wrong, right (80/120) of four. Precision 1 up to a recall of
        // .25 (26 of 101 places), 2/5 up to .5 (25 more).
        assert!((scores.masks.at_50 - (26.0 + 25.0 * 0.4) / 101.0).abs() < 1e-12);
        // 90/110 is right up to .8, the exact one from there on (it then comes second: 1/2 up to .25). The last one is right up
        // to .65: 4 steps with it, 3 without, 3 of the double.
        let [with, without, second] = [(26.0 + 25.0 * 0.4) / 101.0, 26.0 / 101.0, 13.0 / 101.0];
        assert!((scores.masks.mean - (4.0 * with + 3.0 * without + 3.0 * second) / 10.0).abs() < 1e-12);
    }

    #[test]
    fn without_confidences_the_order_says_nothing() {
        let truth = vec![square(0.0, 0.0), square(100.0, 0.0), square(200.0, 0.0), square(300.0, 0.0)];
        let places = [50.0, 0.0, 100.0];
        let mut found: Vec<_> = places.iter().map(|x| (square(*x, 0.0), 1.0)).collect();
        // Two right of three, two of four found: precision 2/3 up to a recall of .5, 51 of 101 places.
        for _ in 0..3 {
            let scores = InstanceScores::over(&[InstancePicture { truth: truth.clone(), found: found.clone() }], 0.5);
            assert!((scores.masks.at_50 - 51.0 * (2.0 / 3.0) / 101.0).abs() < 1e-12, "{scores:?}");
            found.rotate_left(1);
        }
    }

    #[test]
    fn matches_are_in_the_order_of_what_was_found() {
        let truth = vec![square(0.0, 0.0), square(100.0, 0.0)];
        let found =
            vec![(square(1.0, 0.0), 0.6), (square(101.0, 0.0), 0.4), (square(0.0, 0.0), 0.9), (square(50.0, 0.0), 1.0)];
        let picture = InstancePicture { truth, found };
        assert_eq!(picture.matches(0.5), [None, None, Some(0), None]);
        assert_eq!(picture.matches(0.0), [None, Some(1), Some(0), None]);
    }

    #[test]
    fn nothing_found_and_nothing_to_find() {
        let truth = vec![square(0.0, 0.0)];
        let none = InstanceScores::over(&[InstancePicture { truth, found: Vec::new() }], 0.5);
        assert_eq!((none.masks.at_50, none.recall), (0.0, 0.0));
        assert!(none.median_centre_px.is_nan());
        let empty = InstanceScores::over::<InstancePicture>(&[], 0.5);
        assert!(empty.masks.at_50.is_nan() && empty.recall.is_nan());
    }

    #[test]
    fn pycocotools_gives_the_same() {
        let text = include_str!("../../tests/data/instances.json");
        let cases: serde_json::Value = serde_json::from_str(text).unwrap();
        for case in cases["cases"].as_array().unwrap() {
            let outline =
                |value: &serde_json::Value| Outline::new(serde_json::from_value(value.clone()).unwrap()).unwrap();
            let list = |value: &serde_json::Value| value.as_array().unwrap().clone();
            let pictures: Vec<InstancePicture> = list(&case["pictures"])
                .iter()
                .map(|picture| InstancePicture {
                    truth: list(&picture["truth"]).iter().map(outline).collect(),
                    found: list(&picture["found"])
                        .iter()
                        .map(|found| (outline(&found["outline"]), found["confidence"].as_f64().unwrap()))
                        .collect(),
                })
                .collect();
            let scores = InstanceScores::over(&pictures, 0.5);
            for (name, found) in [("boxes", scores.boxes), ("masks", scores.masks)] {
                for (key, value) in [("at_50", found.at_50), ("mean", found.mean)] {
                    let expected = case[name][key].as_f64().unwrap();
                    assert!((value - expected).abs() < 1e-9, "{name} {key}: found {value}, pycocotools {expected}");
                }
            }
        }
    }
}
