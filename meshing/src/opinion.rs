use crate::bundle::{BUNDLE, Lanes, STATES};
use brainmesh_core::BOUNDARY_COUNT;

/// Probabilities up to this, far from a boundary, are noise of the network and say nothing about its place.
const NOISE: f64 = 0.01;
/// Least sum of probabilities to divide by.
const FLOOR: f64 = 1e-6;
/// The last state.
const WHITE: usize = STATES - 1;
const ZERO: Lanes = [0.0; BUNDLE];

/// What a network says of boundaries by itself, for rays side by side: its probability that a sample lies past each
/// boundary, read as the distribution function of the boundary.
pub(crate) struct Opinion {
    /// `[samples][boundaries]`.
    past: Vec<[Lanes; BOUNDARY_COUNT]>,
    /// Second moment of each boundary, in samples squared, about the means last given to [`Opinion::measure`].
    pub(crate) variance: [Lanes; BOUNDARY_COUNT],
}

impl Opinion {
    pub(crate) fn new(samples: usize) -> Self {
        Self { past: vec![[ZERO; BOUNDARY_COUNT]; samples], variance: [ZERO; BOUNDARY_COUNT] }
    }

    /// Takes the network's probabilities of the states at a sample. `white` is the share of the class outside that is
    /// white matter, where one class serves both; `None` where there are two. Rays that cover the ribbon alone have
    /// neither of both states.
    #[inline(always)]
    pub(crate) fn hear(
        &mut self,
        sample: usize,
        network: &[[f32; BUNDLE]; STATES],
        (first, last): (usize, usize),
        white: Option<&Lanes>,
    ) {
        let past = &mut self.past[sample];
        let mut sum = ZERO;
        for s in (first..=last).rev() {
            for l in 0..BUNDLE {
                let share = match (white, s) {
                    (Some(white), 0) => 1.0 - white[l],
                    (Some(white), WHITE) => white[l],
                    _ => 1.0,
                };
                sum[l] += f64::from(network[s][l]).max(0.0) * share;
                if s > 0 {
                    past[s - 1][l] = sum[l];
                }
            }
        }
        let share = sum.map(|sum| 1.0 / sum.max(FLOOR));
        for past in past.iter_mut() {
            for l in 0..BUNDLE {
                past[l] *= share[l];
            }
        }
    }

    /// Mean place, in samples, of each boundary: the trapezoidal integral of the probability not to have passed it.
    /// Ordered in k, because that probability grows with k.
    pub(crate) fn expectations(&self) -> [Lanes; BOUNDARY_COUNT] {
        let end = self.past.len() - 1;
        std::array::from_fn(|k| {
            std::array::from_fn(|l| {
                let before = |i: usize| 1.0 - self.past[i][k][l];
                (0..=end).map(before).sum::<f64>() - (before(0) + before(end)) / 2.0
            })
        })
    }

    /// Second moment about `means`, in samples, of places with the distribution functions heard: the integral of
    /// `2 |x - mean|` times `past` before the mean and `1 - past` after it. A tail can only fall away from the mean: what
    /// rises again is a misread stretch of the ray, not doubt about this boundary.
    #[inline(always)]
    pub(crate) fn measure(&mut self, means: &[Lanes; BOUNDARY_COUNT]) {
        let samples = self.past.len();
        for (k, means) in means.iter().enumerate() {
            let splits = means.map(|mean| samples.min(mean.ceil() as usize));
            let (nearest, farthest) = (splits.iter().min().map_or(0, |s| *s), splits.iter().max().map_or(0, |s| *s));
            let (mut sum, mut tail): (Lanes, Lanes) = (ZERO, [1.0; BUNDLE]);
            // Lanes whose mean has not been reached hold their tail.
            for i in (0..farthest).rev() {
                for l in 0..BUNDLE {
                    let counts = i < splits[l];
                    tail[l] = tail[l].min(if counts { self.past[i][k][l] } else { 1.0 });
                    let moment = 2.0 * (i as f64 - means[l]).abs() * tail[l];
                    sum[l] += if counts && tail[l] > NOISE { moment } else { 0.0 };
                }
                if tail.iter().all(|t| *t <= NOISE) {
                    break;
                }
            }
            tail = [1.0; BUNDLE];
            for i in nearest..samples {
                for l in 0..BUNDLE {
                    let counts = i >= splits[l];
                    tail[l] = tail[l].min(if counts { 1.0 - self.past[i][k][l] } else { 1.0 });
                    let moment = 2.0 * (i as f64 - means[l]).abs() * tail[l];
                    sum[l] += if counts && tail[l] > NOISE { moment } else { 0.0 };
                }
                if tail.iter().all(|t| *t <= NOISE) {
                    break;
                }
            }
            self.variance[k] = sum;
        }
    }
}
