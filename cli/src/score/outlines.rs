use crate::plane::nearest_where;
use serde::Serialize;

/// A contour is good where its average perpendicular distance is below this (Radau et al. 2009).
pub const GOOD_MM: f64 = 5.0;

/// One object drawn in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// Its pixels.
    pub mask: Vec<bool>,
    /// The closed contour `[x, y]` in pixels it was given as, if it was.
    pub contour: Option<Vec<[f64; 2]>>,
}

/// Scores of one outline as the MICCAI 2009 left-ventricle challenge has them (Radau et al. 2009). A distance is `None` where
/// one side is empty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OutlineScores {
    /// 2 |both| / (|truth| + |found|) over pixels; 1 where both are empty.
    pub dice: f64,
    /// Average distance from the points of the outline found to the true outline.
    pub apd_mm: Option<f64>,
    /// Mean of that and of the same the other way.
    pub apd_symmetric_mm: Option<f64>,
    /// The largest distance of either.
    pub hausdorff_mm: Option<f64>,
    /// Whether `apd_mm` is below [`GOOD_MM`].
    pub good: bool,
}

/// Scores `found` against `truth` in a picture of `size` whose columns and rows are `spacing_mm` apart.
///
/// Two contours are compared as such: distances from the points of one to the closed line through the other's. Otherwise the
/// outline is the pixels of the mask that touch its outside by a side, and distances are those to the nearest of them.
pub fn score_outlines(truth: &Drawn, found: &Drawn, size: [usize; 2], spacing_mm: [f64; 2]) -> OutlineScores {
    let dice = mask_dice(&truth.mask, &found.mask);
    let both = match (&truth.contour, &found.contour) {
        (Some(truth), Some(found)) => Some([to_line(found, truth, spacing_mm), to_line(truth, found, spacing_mm)]),
        _ => to_pixels(&found.mask, &truth.mask, size, spacing_mm)
            .zip(to_pixels(&truth.mask, &found.mask, size, spacing_mm))
            .map(|(there, back)| [there, back]),
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let apd_mm = both.as_ref().map(|[there, _]| mean(there));
    OutlineScores {
        dice,
        apd_mm,
        apd_symmetric_mm: both.as_ref().map(|[there, back]| (mean(there) + mean(back)) / 2.0),
        hausdorff_mm: both.as_ref().map(|both| both.iter().flatten().copied().fold(0.0, f64::max)),
        good: apd_mm.is_some_and(|mm| mm < GOOD_MM),
    }
}

/// 2 |both| / (|one| + |other|); 1 where both are empty.
pub fn mask_dice(one: &[bool], other: &[bool]) -> f64 {
    let both = one.iter().zip(other).filter(|&(&a, &b)| a && b).count();
    let sizes = one.iter().chain(other).filter(|&&inside| inside).count();
    if sizes == 0 { 1.0 } else { 2.0 * both as f64 / sizes as f64 }
}

/// (3 D - 2) / D: right over wrong pixels (Chang et al. 2009); `None` (minus infinity) where nothing overlaps.
pub fn conformity(dice: f64) -> Option<f64> {
    (dice > 0.0).then(|| (3.0 * dice - 2.0) / dice)
}

/// The mask's own pixels that touch its outside by a side; beyond the picture is outside.
fn outline(mask: &[bool], [width, height]: [usize; 2]) -> Vec<bool> {
    let is_inner = |at: usize| {
        let (x, y) = (at % width, at / width);
        let within = x > 0 && y > 0 && x + 1 < width && y + 1 < height;
        within && mask[at - 1] && mask[at + 1] && mask[at - width] && mask[at + width]
    };
    (0..mask.len()).map(|at| mask[at] && !is_inner(at)).collect()
}

/// Distance in mm from each outline pixel of one mask to the nearest of the other; `None` where either is empty.
fn to_pixels(from: &[bool], to: &[bool], size: [usize; 2], spacing_mm: [f64; 2]) -> Option<Vec<f64>> {
    let (from, to) = (outline(from, size), outline(to, size));
    let nearest = nearest_where(|at| to[at], size, spacing_mm)?;
    let distance = |at: usize| {
        let other = nearest[at];
        let apart = |a: usize, b: usize, mm: f64| (a as f64 - b as f64) * mm;
        let (x, y) = (at % size[0], at / size[0]);
        apart(x, other % size[0], spacing_mm[0]).hypot(apart(y, other / size[0], spacing_mm[1]))
    };
    let distances: Vec<f64> = (0..from.len()).filter(|&at| from[at]).map(distance).collect();
    (!distances.is_empty()).then_some(distances)
}

/// Distance in mm from each point to the closed line through others.
fn to_line(points: &[[f64; 2]], line: &[[f64; 2]], spacing_mm: [f64; 2]) -> Vec<f64> {
    let mm = |p: &[f64; 2]| glam::DVec2::new(p[0] * spacing_mm[0], p[1] * spacing_mm[1]);
    let line: Vec<_> = line.iter().map(mm).collect();
    let distance = |p: glam::DVec2| {
        let to_segment = |(&a, &b): (&glam::DVec2, &glam::DVec2)| {
            let along = b - a;
            let share = ((p - a).dot(along) / along.length_squared().max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
            p.distance_squared(a + along * share)
        };
        line.iter().zip(line.iter().cycle().skip(1)).map(to_segment).fold(f64::INFINITY, f64::min).sqrt()
    };
    points.iter().map(|p| distance(mm(p))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [usize; 2] = [20, 20];

    fn square(rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) -> Drawn {
        let mask = (0..400).map(|at| columns.contains(&(at % 20)) && rows.contains(&(at / 20))).collect();
        Drawn { mask, contour: None }
    }

    #[test]
    fn dice_and_conformity_by_hand() {
        let (one, other) = (square(0..4, 0..4), square(0..4, 2..6));
        assert_eq!(mask_dice(&one.mask, &other.mask), 0.5);
        assert_eq!(mask_dice(&[false; 3], &[false; 3]), 1.0);
        // D = .8 gives (2.4 - 2) / .8.
        assert_eq!([0.5, 1.0].map(|d| conformity(d).unwrap()), [-1.0, 1.0]);
        assert!((conformity(0.8).unwrap() - 0.5).abs() < 1e-12);
        assert_eq!(conformity(0.0), None);
    }

    #[test]
    fn distance_between_boxes_one_inside_the_other() {
        // A box of 5 pixels within one of 9, two pixels to each side: every pixel of the inner outline is 2 pixels away.
        let (outer, inner) = (square(4..13, 4..13), square(6..11, 6..11));
        let got = score_outlines(&outer, &inner, SIZE, [1.5, 1.5]);
        assert!((got.apd_mm.unwrap() - 3.0).abs() < 1e-12);
        // The other way four corners are 2 sqrt(2) away, their neighbours sqrt(5), beyond the ends of the inner sides.
        let back = 1.5 * (40.0 + 8.0 * 5f64.sqrt() + 4.0 * 8f64.sqrt()) / 32.0;
        assert!((got.apd_symmetric_mm.unwrap() - (3.0 + back) / 2.0).abs() < 1e-12);
        assert!((got.hausdorff_mm.unwrap() - 1.5 * 8f64.sqrt()).abs() < 1e-12);
        assert!((got.dice - 50.0 / 106.0).abs() < 1e-12 && got.good);
        assert!(!score_outlines(&outer, &inner, SIZE, [2.5, 2.5]).good, "5 mm are not below 5 mm");
    }

    #[test]
    fn the_spacing_of_columns_and_of_rows_counts() {
        let (one, other) = (square(2..3, 5..6), square(2..3, 9..10));
        assert_eq!(score_outlines(&one, &other, SIZE, [0.5, 10.0]).apd_mm, Some(2.0));
        assert_eq!(score_outlines(&one, &other, SIZE, [10.0, 0.5]).apd_mm, Some(40.0));
    }

    #[test]
    fn nothing_found_has_no_distance_and_is_never_good() {
        let (one, empty) = (square(0..4, 0..4), square(0..0, 0..0));
        for (truth, found, dice) in [(&one, &empty, 0.0), (&empty, &one, 0.0), (&empty, &empty, 1.0)] {
            let got = score_outlines(truth, found, SIZE, [1.0, 1.0]);
            assert_eq!((got.dice, got.apd_mm, got.hausdorff_mm, got.good), (dice, None, None, false));
        }
    }

    #[test]
    fn contours_are_compared_with_the_line_between_points() {
        let drawn = |contour: &[[f64; 2]]| Drawn { mask: vec![true; 400], contour: Some(contour.to_vec()) };
        let truth = drawn(&[[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]]);
        // Both points are 1 row inside, far from any corner; the truth's corners are hypot(5, 1) and hypot(5, 9) away.
        let found = drawn(&[[5.0, 1.0], [5.0, 1.0], [5.0, 1.0]]);
        let got = score_outlines(&truth, &found, SIZE, [1.0, 2.0]);
        assert_eq!(got.apd_mm, Some(2.0));
        assert!((got.hausdorff_mm.unwrap() - 5f64.hypot(18.0)).abs() < 1e-12);
        assert_eq!(score_outlines(&truth, &truth, SIZE, [1.0, 2.0]).hausdorff_mm, Some(0.0));
    }
}
