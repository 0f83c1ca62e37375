use super::{Partition, Warped};
use crate::plane::{parts, thin_borders};
use serde_json::{Map, Value};

/// Scores of cells in a slice, in this order everywhere. The first `HIGHER_IS_BETTER` are 1 at best, the others 0.
pub const CELL_SCORES: [&str; 11] = [
    "v_rand",
    "v_info",
    "pixel_error",
    "rand_error",
    "rand_error_thinned",
    "adapted_rand_error",
    "variation_of_information",
    "vi_split",
    "vi_merge",
    "warping_error",
    "split_merge_error",
];
const HIGHER_IS_BETTER: usize = 2;
/// What of the variation of information was split and merged is told at the threshold where its sum is best.
const PARTS_OF: [(usize, usize); 2] = [(7, 6), (8, 6)];

/// Scores of a slice or the means of several, one of each of [`CELL_SCORES`].
pub type CellScores = [f64; CELL_SCORES.len()];

/// Thresholds .05, .1 ... .95.
pub fn thresholds() -> Vec<f64> {
    (1..20).map(|k| f64::from(k) / 20.0).collect()
}

/// Scores of one slice's probability of cell interior above a threshold; `None` where the truth has no cell.
///
/// - `truth`: numbers of the cells, 0 on their borders.
/// - Objects are the 4-connected parts above the threshold. All but `rand_error`, `pixel_error` and `warping_error` are
///   taken after border thinning: every other pixel goes to its nearest object.
/// - `rand_error` is 1 - V_rand without thinning, `pixel_error` 1 - F of the interior, `warping_error` the share of all
///   pixels that differ after warping, `split_merge_error` that of those that part or join cells.
pub fn score_cells(truth: &[u32], probability: &[f32], threshold: f64, size: [usize; 2]) -> Option<CellScores> {
    let inside: Vec<bool> = probability.iter().map(|&p| f64::from(p) > threshold).collect();
    let (objects, _) = parts(&inside, size);
    let thinned = Partition::new(truth, &thin_borders(&objects, size))?;
    let plain = Partition::new(truth, &objects)?;
    let cells = || truth.iter().map(|&cell| cell != 0);
    let both = cells().zip(&inside).filter(|&(cell, &found)| cell && found).count();
    let sizes = cells().filter(|&cell| cell).count() + inside.iter().filter(|&&found| found).count();
    let [split, merge] = thinned.variation_of_information();
    let warped = Warped::new(&parted(truth, size), probability, threshold, size);
    let share = |pixels: usize| pixels as f64 / truth.len() as f64;
    Some([
        thinned.v_rand(),
        thinned.v_info(),
        1.0 - 2.0 * both as f64 / sizes as f64,
        1.0 - plain.v_rand(),
        1.0 - thinned.v_rand(),
        thinned.adapted_rand_error(),
        split + merge,
        split,
        merge,
        share(warped.mismatches()),
        share(warped.splits_and_merges()),
    ])
}

/// The inside of cells; where two touch without a border, the pixels of the one further right or below become border.
fn parted(truth: &[u32], [width, _]: [usize; 2]) -> Vec<bool> {
    let touches = |at: usize, other: usize| truth[other] != 0 && truth[other] != truth[at];
    (0..truth.len())
        .map(|at| {
            let left = at % width > 0 && touches(at, at - 1);
            let above = at >= width && touches(at, at - width);
            truth[at] != 0 && !left && !above
        })
        .collect()
}

/// Mean over slices, threshold by threshold; `slices` is not empty and all have as many thresholds.
pub fn mean_over_slices(slices: &[Vec<CellScores>]) -> Vec<CellScores> {
    let mean = |threshold: usize, score: usize| {
        slices.iter().map(|slice| slice[threshold][score]).sum::<f64>() / slices.len() as f64
    };
    let thresholds = slices.first().map_or(0, Vec::len);
    (0..thresholds).map(|threshold| std::array::from_fn(|score| mean(threshold, score))).collect()
}

/// For each score the index of the threshold that is best for it, the lowest of several.
pub fn best_thresholds(by_threshold: &[CellScores]) -> [usize; CELL_SCORES.len()] {
    let mut best = std::array::from_fn(|score| {
        let sign = if score < HIGHER_IS_BETTER { -1.0 } else { 1.0 };
        let at = |threshold: &usize| sign * by_threshold[*threshold][score];
        (0..by_threshold.len()).min_by(|a, b| at(a).total_cmp(&at(b))).unwrap_or(0)
    });
    PARTS_OF.iter().for_each(|&(part, whole)| best[part] = best[whole]);
    best
}

/// Names and values of scores as an object of JSON.
pub fn cell_scores_json(scores: &CellScores) -> Map<String, Value> {
    CELL_SCORES.iter().zip(scores).map(|(name, value)| ((*name).into(), Value::from(*value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [usize; 2] = [5, 2];
    /// Two cells of 2 x 2 pixels and a border of one between.
    const TRUTH: [u32; 10] = [1, 1, 0, 2, 2, 1, 1, 0, 2, 2];

    fn named(scores: &CellScores, name: &str) -> f64 {
        scores[CELL_SCORES.iter().position(|n| *n == name).unwrap()]
    }

    #[test]
    fn the_truth_is_perfect_and_a_merge_is_scored_by_hand() {
        let probability: Vec<f32> = TRUTH.iter().map(|&cell| if cell > 0 { 0.9 } else { 0.1 }).collect();
        let perfect = score_cells(&TRUTH, &probability, 0.5, SIZE).unwrap();
        assert_eq!(perfect, [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        // Below .1 all is one object.
        let merged = score_cells(&TRUTH, &probability, 0.05, SIZE).unwrap();
        let close = |name: &str, expected: f64| assert!((named(&merged, name) - expected).abs() < 1e-12, "{name}");
        close("v_rand", 2.0 / 3.0);
        close("rand_error", 1.0 / 3.0);
        close("v_info", 0.0);
        close("vi_merge", 1.0);
        close("vi_split", 0.0);
        // F = 2 x 8 / (8 + 10); both border pixels would have to go.
        close("pixel_error", 1.0 / 9.0);
        close("warping_error", 0.2);
        // Pairs: 2 x 4 x 3 in both and in the truth, 8 x 7 in the proposal.
        close("adapted_rand_error", 1.0 - 48.0 / 80.0);
    }

    #[test]
    fn pixels_of_no_object_cost_without_thinning_alone() {
        // The left cell is found narrower by two pixels.
        let probability = [0.0, 0.9, 0.0, 0.9, 0.9, 0.0, 0.9, 0.0, 0.9, 0.9];
        let got = score_cells(&TRUTH, &probability, 0.5, SIZE).unwrap();
        assert_eq!((named(&got, "v_rand"), named(&got, "warping_error")), (1.0, 0.0));
        // p = t = (2, 1, 1, 4) / 8 and s = (4, 4) / 8: 1 - 2 x 22 / (32 + 22).
        assert!((named(&got, "rand_error") - (1.0 - 44.0 / 54.0)).abs() < 1e-12);
    }

    #[test]
    fn best_thresholds_are_those_of_the_mean() {
        let of = |v_rand: f64, error: f64, split: f64, merge: f64| {
            [v_rand, 0.5, error, error, error, error, split + merge, split, merge, error, error]
        };
        let one = vec![of(0.9, 0.3, 0.0, 0.9), of(0.8, 0.1, 0.3, 0.3)];
        let other = vec![of(0.1, 0.3, 0.0, 0.9), of(0.8, 0.1, 0.3, 0.3)];
        let mean = mean_over_slices(&[one, other]);
        assert!((mean[0][0] - 0.5).abs() < 1e-12);
        assert_eq!(best_thresholds(&mean), [1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn cells_that_touch_are_parted_for_the_warping() {
        let truth = [1, 1, 2, 2];
        assert_eq!(parted(&truth, [4, 1]), [true, true, false, true]);
        assert_eq!(parted(&truth, [2, 2]), [true, true, false, false]);
    }
}
