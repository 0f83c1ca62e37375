use super::InstancePicture;
use super::instances::median;
use serde::Serialize;
use std::borrow::Borrow;

/// Tissue parts of one picture, and where the magnet part of each is.
#[derive(Debug, Clone, Default)]
pub struct PairPicture {
    /// Tissue parts.
    pub tissue: InstancePicture,
    /// Middle of the magnet part of each true one, none where it has none.
    pub true_magnets: Vec<Option<[f64; 2]>>,
    /// Middle of the magnet part of each one found.
    pub found_magnets: Vec<Option<[f64; 2]>>,
}

/// Whether tissue parts were put together with their own magnet parts. Of tissue parts matched (overlap .5 or more).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PairScores {
    /// Matched tissue parts whose true one has a magnet part.
    pub pairs: usize,
    /// Of these, with their own: no other true magnet part is nearer to the one found, and it is not farther away than half the
    /// square root of the tissue's area.
    pub right: usize,
    /// With something else.
    pub wrong: usize,
    /// With none.
    pub missing: usize,
    /// Matched tissue parts with a magnet part that have none in truth.
    pub invented: usize,
    /// Median distance of the middles of right ones, pixels.
    pub median_centre_px: f64,
    /// Largest of these.
    pub worst_centre_px: f64,
}

impl PairScores {
    /// Over all pictures.
    #[must_use]
    pub fn over<P: Borrow<PairPicture>>(pictures: &[P], least_confidence: f64) -> Self {
        let mut scores = Self::default();
        let mut centres = Vec::new();
        for picture in pictures.iter().map(Borrow::borrow) {
            for (mate, found) in picture.tissue.matches(least_confidence).into_iter().zip(&picture.found_magnets) {
                let Some(mate) = mate else { continue };
                let (truth, found) = match (picture.true_magnets[mate], found) {
                    (None, None) => continue,
                    (None, Some(_)) => {
                        scores.invented += 1;
                        continue;
                    }
                    (Some(truth), found) => (truth, found),
                };
                scores.pairs += 1;
                let Some(found) = found else {
                    scores.missing += 1;
                    continue;
                };
                let away = |at: [f64; 2]| (at[0] - found[0]).hypot(at[1] - found[1]);
                let own = away(truth);
                let near = 0.5 * picture.tissue.truth[mate].area_px2().sqrt();
                if own <= near && picture.true_magnets.iter().flatten().all(|other| away(*other) >= own) {
                    scores.right += 1;
                    centres.push(own);
                } else {
                    scores.wrong += 1;
                }
            }
        }
        scores.median_centre_px = median(&mut centres);
        scores.worst_centre_px = centres.last().copied().unwrap_or(f64::NAN);
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::super::Outline;
    use super::*;

    #[test]
    fn each_kind_of_pair_by_hand() {
        let square = |x: f64| Outline::new(vec![[x, 0.0], [x + 40.0, 0.0], [x + 40.0, 40.0], [x, 40.0]]).unwrap();
        let truth: Vec<Outline> = (0..6).map(|n| square(100.0 * f64::from(n))).collect();
        let at = |x: f64| Some([x, 60.0]);
        let true_magnets = vec![at(20.0), at(120.0), at(220.0), at(320.0), None, None];
        // The second with the third's, the third with nothing, the fourth with something 21 pixels off (half of 40 is allowed).
        let found_magnets = vec![None, at(23.0), at(220.0), None, at(341.0), at(420.0), None];
        // The first is no match: nothing lies there.
        let found: Vec<_> = [900.0, 0.0, 100.0, 200.0, 300.0, 400.0, 500.0].map(|x| (square(x), 0.9)).to_vec();
        let picture = PairPicture { tissue: InstancePicture { truth, found }, true_magnets, found_magnets };
        let scores = PairScores::over(std::slice::from_ref(&picture), 0.5);
        assert_eq!((scores.pairs, scores.right, scores.wrong, scores.missing, scores.invented), (4, 1, 2, 1, 1));
        assert_eq!((scores.median_centre_px, scores.worst_centre_px), (3.0, 3.0));
        assert_eq!(PairScores::over(&[picture], 0.95).pairs, 0);
    }
}
