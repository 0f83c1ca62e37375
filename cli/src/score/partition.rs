use std::collections::HashMap;

/// How the pixels of a proposal are put together into objects, against the truth, over pixels where the truth is not 0
/// (foreground-restricted; Arganda-Carreras et al. 2015). A pixel of the proposal that is 0 there is an object of its own, so
/// that leaving pixels out does not pay.
///
/// `p_ij` is the share of pixels in object i of the truth and object j of the proposal; `s_i` and `t_j` are its sums.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Partition {
    pixels: f64,
    /// Sums of the squared counts: of both, of the truth, of the proposal.
    squares: [f64; 3],
    /// Sums of n log2 n over the same counts.
    logs: [f64; 3],
}

impl Partition {
    /// `None` where the truth has no object.
    pub fn new(truth: &[u32], found: &[u32]) -> Option<Self> {
        let mut joint: HashMap<(u32, u32), u64> = HashMap::new();
        let mut alone = 0u64;
        // Neighbours mostly lie in the same two objects: they are counted before the table is asked.
        let mut run = ((0, 0), 0u64);
        let mut truth_alone: HashMap<u32, u64> = HashMap::new();
        for pair in truth.iter().zip(found).filter(|(t, _)| **t != 0).map(|(&t, &f)| (t, f)) {
            if pair.1 == 0 {
                alone += 1;
                *truth_alone.entry(pair.0).or_default() += 1;
            } else if pair == run.0 {
                run.1 += 1;
            } else {
                *joint.entry(run.0).or_default() += run.1;
                run = (pair, 1);
            }
        }
        *joint.entry(run.0).or_default() += run.1;
        joint.remove(&(0, 0));
        let mut of_truth = truth_alone;
        let mut of_found: HashMap<u32, u64> = HashMap::new();
        for (&(t, f), &n) in &joint {
            *of_truth.entry(t).or_default() += n;
            *of_found.entry(f).or_default() += n;
        }
        let pixels = of_truth.values().sum::<u64>();
        // In order: sums must not depend on that of a hash table.
        let sums = |counts: Vec<u64>, alone: u64| {
            let mut counts = counts;
            counts.sort_unstable();
            let squares = counts.iter().map(|&n| n as f64 * n as f64).sum::<f64>() + alone as f64;
            (squares, counts.iter().map(|&n| n as f64 * (n as f64).log2()).sum::<f64>())
        };
        let both = sums(joint.into_values().collect(), alone);
        let truth = sums(of_truth.into_values().collect(), 0);
        let found = sums(of_found.into_values().collect(), alone);
        (pixels > 0).then_some(Self {
            pixels: pixels as f64,
            squares: [both.0, truth.0, found.0],
            logs: [both.1, truth.1, found.1],
        })
    }

    /// Rand score: 2 sum p_ij^2 / (sum s_i^2 + sum t_j^2).
    pub fn v_rand(&self) -> f64 {
        let [both, truth, found] = self.squares;
        2.0 * both / (truth + found)
    }

    /// Information score: 2 I(S; T) / (H(S) + H(T)); 1 where one object fills both, which has no entropy.
    pub fn v_info(&self) -> f64 {
        let [both, truth, found] = self.entropies();
        let total = truth + found;
        if total > 1e-12 { 2.0 * (total - both) / total } else { 1.0 }
    }

    /// One minus the F score over pairs of different pixels: `adapted_rand_error` of scikit-image.
    pub fn adapted_rand_error(&self) -> f64 {
        let [both, truth, found] = self.squares.map(|squares| squares - self.pixels);
        // Without a pair anywhere nothing is put together wrongly.
        if truth + found > 0.0 { 1.0 - 2.0 * both / (truth + found) } else { 0.0 }
    }

    /// Variation of information in bits, of what was split and of what was merged: H(T | S) and H(S | T).
    pub fn variation_of_information(&self) -> [f64; 2] {
        let [both, truth, found] = self.entropies();
        // Rounding must not make an entropy negative.
        [both - truth, both - found].map(|bits| bits.max(0.0))
    }

    /// H(S, T), H(S) and H(T) in bits: log2 n minus the mean of log2 of the counts.
    fn entropies(&self) -> [f64; 3] {
        self.logs.map(|logs| self.pixels.log2() - logs / self.pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
    }

    #[test]
    fn the_same_objects_under_other_numbers_are_perfect() {
        let got = Partition::new(&[1, 1, 2, 2, 0], &[7, 7, 3, 3, 3]).unwrap();
        close(got.v_rand(), 1.0);
        close(got.v_info(), 1.0);
        close(got.adapted_rand_error(), 0.0);
        assert_eq!(got.variation_of_information(), [0.0, 0.0]);
    }

    #[test]
    fn a_merge_by_hand() {
        // s = (1/2, 1/2), t = (1), p = (1/2, 1/2): 2 (1/4 + 1/4) / (1/2 + 1) = 2/3; T has no entropy and tells nothing.
        let got = Partition::new(&[1, 1, 2, 2], &[5, 5, 5, 5]).unwrap();
        close(got.v_rand(), 2.0 / 3.0);
        close(got.v_info(), 0.0);
        // Pairs (ordered): 4 in both, 4 in the truth, 12 in the proposal: 1 - 2 x 4 / 16.
        close(got.adapted_rand_error(), 0.5);
        // One bit is lost by the merge, nothing was split.
        assert_eq!(got.variation_of_information(), [0.0, 1.0]);
    }

    #[test]
    fn a_split_by_hand() {
        // s = (1/2, 1/2), t = p = (1/2, 1/4, 1/4): 2 (1/4 + 1/16 + 1/16) / (1/2 + 3/8) = 6/7; I = 1 bit, H(T) = 1.5 bits.
        let got = Partition::new(&[1, 1, 1, 1, 2, 2, 2, 2], &[1, 1, 1, 1, 2, 2, 3, 3]).unwrap();
        close(got.v_rand(), 6.0 / 7.0);
        close(got.v_info(), 0.8);
        assert_eq!(got.variation_of_information(), [0.5, 0.0]);
    }

    #[test]
    fn pixels_left_out_are_objects_of_their_own_and_true_borders_do_not_count() {
        // One object of 2 pixels and two pixels alone: 2 (1/4 + 2/16) / (1 + 3/8) = 6/11.
        let got = Partition::new(&[1, 1, 1, 1, 0, 0, 0], &[1, 1, 0, 0, 1, 0, 9]).unwrap();
        close(got.v_rand(), 6.0 / 11.0);
        // H(T) = 1/2 + 2 x 1/4 x 2 = 1.5 bits, all of it split.
        assert_eq!(got.variation_of_information(), [1.5, 0.0]);
    }

    #[test]
    fn without_foreground_there_is_no_score() {
        assert_eq!(Partition::new(&[0, 0], &[1, 2]), None);
        let one = Partition::new(&[3], &[0]).unwrap();
        assert_eq!((one.v_rand(), one.v_info(), one.adapted_rand_error()), (1.0, 1.0, 0.0));
    }
}
