use crate::decode::DecodeOptions;
use crate::durations::Chain;
use crate::opinion::Opinion;
use crate::power::power;
use brainmesh_core::{BOUNDARY_COUNT, RayDefect};
use ndarray::ArrayView2;

/// States along a ray, outermost first: outside, layers I..VI, white matter.
pub(crate) const STATES: usize = BOUNDARY_COUNT + 1;
/// Rays decoded side by side: in double precision they fill a vector register, or two.
pub(crate) const BUNDLE: usize = 8;
/// One number for each ray of a bundle.
pub(crate) type Lanes = [f64; BUNDLE];
const ZERO: Lanes = [0.0; BUNDLE];
/// Smallest probability taken from a network, so that one wrong sample cannot forbid a state.
const FLOOR: f32 = 1e-6;
/// Mean probability of cortex that rays over the ribbon alone must have.
const MIN_CORTEX_PROBABILITY: f64 = 0.5;

/// Mean and standard deviation of each boundary, as `t`.
pub(crate) type Moments = [(f64, f64); BOUNDARY_COUNT];

/// Rays side by side, and the buffers for them, used again for every bundle. All loops run over the rays of the bundle
/// innermost, in the same order for every ray: what is found of one does not depend on the others.
pub(crate) struct Bundle<'a> {
    options: &'a DecodeOptions,
    /// First and last state that the rays may have.
    first: usize,
    last: usize,
    samples: usize,
    /// The network has a class of its own for white matter.
    has_white: bool,
    /// The network's probability of each state, and its evidence for it, `[samples][states]`.
    network: Vec<[[f32; BUNDLE]; STATES]>,
    evidence: Vec<[[f32; BUNDLE]; STATES]>,
    forward: Vec<[Lanes; STATES]>,
    opinion: Opinion,
}

impl<'a> Bundle<'a> {
    pub(crate) fn new(options: &'a DecodeOptions, samples: usize) -> Self {
        let (first, last) = if options.ribbon_only { (1, STATES - 2) } else { (0, STATES - 1) };
        Self {
            options,
            first,
            last,
            samples,
            has_white: true,
            network: vec![[[0.0; BUNDLE]; STATES]; samples],
            evidence: vec![[[0.0; BUNDLE]; STATES]; samples],
            forward: vec![[ZERO; STATES]; samples],
            opinion: Opinion::new(samples),
        }
    }

    /// Takes the probabilities `[classes, samples]` of a ray for each lane.
    pub(crate) fn load(&mut self, rays: &[ArrayView2<f32>; BUNDLE]) {
        for (lane, ray) in rays.iter().enumerate() {
            self.has_white = ray.nrows() >= STATES;
            for state in 0..STATES {
                let class = if state == STATES - 1 && !self.has_white { 0 } else { state };
                for (at, value) in self.network.iter_mut().zip(ray.row(class)) {
                    at[state][lane] = *value;
                }
            }
        }
    }

    /// Boundaries of every ray, or why there are none.
    #[inline(always)]
    pub(crate) fn moments(
        &mut self,
        ribbon_samples: &[f64; BUNDLE],
    ) -> [std::result::Result<Moments, RayDefect>; BUNDLE] {
        self.weigh();
        let mut possible = self.forward();
        let timed = match &self.options.durations {
            Some(durations) if !self.options.ribbon_only => {
                let chains = ribbon_samples.map(|samples| Chain::new(durations, samples));
                Some(std::array::from_fn(|lane| chains[lane].marginals(&self.evidence_of(lane))))
            }
            _ => None,
        };
        let backward = self.backward(timed.as_ref(), &mut possible);
        self.opinion.measure(&backward.means(self.options.ribbon_only, &self.opinion));
        std::array::from_fn(|lane| {
            let timed_out = timed.as_ref().is_some_and(|timed| timed[lane].is_none());
            if timed_out || !possible[lane] || self.is_weak(&backward, lane) {
                return Err(RayDefect::WeakEvidence);
            }
            Ok(self.moments_of(&backward, lane))
        })
    }

    /// Evidence of every sample: the network's probabilities, tempered.
    #[inline(always)]
    fn weigh(&mut self) {
        let exponent = self.options.evidence as f32;
        let network = self.network.as_flattened().as_flattened();
        for (evidence, network) in self.evidence.as_flattened_mut().as_flattened_mut().iter_mut().zip(network) {
            *evidence = power(network.max(FLOOR), exponent);
        }
        // States that the rays do not have.
        for state in (0..self.first).chain(self.last + 1..STATES) {
            self.evidence.iter_mut().for_each(|evidence| evidence[state] = [0.0; BUNDLE]);
        }
    }

    /// Forward probabilities, normalised at every sample; whether each ray has any possible sequence.
    ///
    /// From one sample to the next a ray stays or moves on; each layer passed over costs `skip`. Staying and moving weigh
    /// the same: every division of the ray is equally likely before the network speaks. `moving` runs through the states
    /// in the direction of travel and holds what arrives from those already passed. The ray begins in the first state,
    /// or later where that one is absent.
    #[inline(always)]
    fn forward(&mut self) -> [bool; BUNDLE] {
        let (skip, mut possible) = (self.options.absent_layer, [true; BUNDLE]);
        let start = |s: usize| if s < self.first { 0.0 } else { skip.powi((s - self.first) as i32) };
        let mut previous: [Lanes; STATES] = std::array::from_fn(|s| [start(s); BUNDLE]);
        for (i, (evidence, forward)) in self.evidence.iter().zip(&mut self.forward).enumerate() {
            let travels = if i == 0 { 0.0 } else { 1.0 };
            let mut moving = ZERO;
            for s in 0..STATES {
                for l in 0..BUNDLE {
                    forward[s][l] = (previous[s][l] + moving[l]) * f64::from(evidence[s][l]);
                    moving[l] = travels * (previous[s][l] + skip * moving[l]);
                }
            }
            normalise(forward, &mut possible);
            previous = *forward;
        }
        possible
    }

    /// Backward probabilities, and from them what the rays' states say of their boundaries.
    #[inline(always)]
    fn backward(&mut self, timed: Option<&TimedMarginals>, possible: &mut [bool; BUNDLE]) -> Backward {
        let (skip, white) = (self.options.absent_layer, STATES - 1);
        let start = |s: usize| if s > self.last { 0.0 } else { skip.powi((self.last - s) as i32) };
        let mut after: [Lanes; STATES] = std::array::from_fn(|s| [start(s); BUNDLE]);
        let mut found = Backward { samples: self.samples, ..Backward::default() };
        for i in (0..self.samples).rev() {
            let (forward, network, evidence) = (&self.forward[i], &self.network[i], &self.evidence[i]);
            let mut marginal = [ZERO; STATES];
            for s in 0..STATES {
                for l in 0..BUNDLE {
                    marginal[s][l] = forward[s][l] * after[s][l];
                }
            }
            normalise(&mut marginal, possible);
            if let Some(timed) = timed {
                for (l, timed) in timed.iter().enumerate() {
                    let Some(timed) = timed else { continue };
                    (0..STATES).for_each(|s| marginal[s][l] = timed[i][s]);
                }
            }
            let mut below = ZERO;
            let weight = (2 * i + 1) as f64;
            for (k, marginal) in marginal.iter().enumerate().take(BOUNDARY_COUNT) {
                for l in 0..BUNDLE {
                    below[l] += marginal[l];
                    // Of a count N with P(N > i) = p_i: E[N] = sum p_i and E[N^2] = sum (2 i + 1) p_i.
                    found.sums[k][l] += below[l];
                    found.squares[k][l] += weight * below[l];
                }
            }
            let mut most = [0.0f32; BUNDLE];
            for s in 0..STATES {
                for l in 0..BUNDLE {
                    found.agreed[l] += marginal[s][l] * f64::from(network[s][l]);
                    most[l] = most[l].max(network[s][l]);
                }
            }
            found.free.iter_mut().zip(most).for_each(|(free, most)| *free += f64::from(most));
            // Where one class serves outside and white, the posterior divides it.
            let mut share = ZERO;
            for l in 0..BUNDLE {
                let ends = marginal[0][l] + marginal[white][l];
                share[l] = if ends > 0.0 { marginal[white][l] / ends } else { 0.5 };
            }
            self.opinion.hear(i, network, (self.first, self.last), (!self.has_white).then_some(&share));
            let mut before = [ZERO; STATES];
            let mut moving = ZERO;
            for s in (self.first..=self.last).rev() {
                for l in 0..BUNDLE {
                    let here = f64::from(evidence[s][l]) * after[s][l];
                    before[s][l] = here + moving[l];
                    moving[l] = here + skip * moving[l];
                }
            }
            if i > 0 {
                normalise(&mut before, possible);
            }
            after = before;
        }
        found
    }

    /// Agreement is about the state model, which rays over the ribbon alone do not use. On these every sample should be
    /// cortex: a network that takes most of them for background does not know the tissue.
    fn is_weak(&self, found: &Backward, lane: usize) -> bool {
        if self.options.ribbon_only {
            let states = self.first..=self.last;
            let cortex: f64 = self.network.iter().flat_map(|n| states.clone().map(|s| f64::from(n[s][lane]))).sum();
            cortex < MIN_CORTEX_PROBABILITY * self.samples as f64
        } else {
            found.agreed[lane] < self.options.min_agreement * found.free[lane]
        }
    }

    fn moments_of(&self, found: &Backward, lane: usize) -> Moments {
        let scale = (self.samples.max(2) - 1) as f64;
        let means = found.means(self.options.ribbon_only, &self.opinion);
        let mut moments: Moments = std::array::from_fn(|k| {
            // A crossing between samples i and i + 1 lies at i + 1/2 on average; the twelfth is its spread there.
            let spread = found.squares[k][lane] - found.sums[k][lane] * found.sums[k][lane];
            let posterior = if self.options.ribbon_only { 0.0 } else { spread.max(0.0) } + 1.0 / 12.0;
            let variance = posterior.max(self.opinion.variance[k][lane]);
            (means[k][lane] / scale, variance.sqrt() / scale)
        });
        if self.options.ribbon_only {
            moments[0] = (0.0, 0.0);
            moments[BOUNDARY_COUNT - 1] = (1.0, 0.0);
        }
        // Rounding alone can break the order by a last digit.
        for k in 1..BOUNDARY_COUNT {
            moments[k].0 = moments[k].0.max(moments[k - 1].0);
        }
        moments
    }

    fn evidence_of(&self, lane: usize) -> Vec<[f64; STATES]> {
        self.evidence.iter().map(|e| std::array::from_fn(|s| f64::from(e[s][lane]))).collect()
    }
}

/// Probabilities of each state at each sample under explicit durations; `None` where no sequence is possible.
type TimedMarginals = [Option<Vec<[f64; STATES]>>; BUNDLE];

/// What the posterior of the states says.
#[derive(Default)]
struct Backward {
    samples: usize,
    /// First and second moments of the number of samples before each boundary.
    sums: [Lanes; BOUNDARY_COUNT],
    squares: [Lanes; BOUNDARY_COUNT],
    /// The network's probability of the states found, and of those it says most of, summed over the samples.
    agreed: Lanes,
    free: Lanes,
}

impl Backward {
    /// Mean place of each boundary, in samples.
    fn means(&self, ribbon_only: bool, opinion: &Opinion) -> [Lanes; BOUNDARY_COUNT] {
        if ribbon_only {
            return opinion.expectations();
        }
        self.sums.map(|sums| sums.map(|sum| (sum - 0.5).clamp(0.0, (self.samples.max(2) - 1) as f64)))
    }
}

/// Scales to sum 1; a ray on which no ordered sequence is possible is defective.
#[inline(always)]
fn normalise(values: &mut [Lanes; STATES], possible: &mut [bool; BUNDLE]) {
    let mut sum = ZERO;
    for value in values.iter() {
        for l in 0..BUNDLE {
            sum[l] += value[l];
        }
    }
    for l in 0..BUNDLE {
        possible[l] &= sum[l] > 0.0 && sum[l] < f64::INFINITY;
        sum[l] = 1.0 / sum[l];
    }
    for value in values.iter_mut() {
        for l in 0..BUNDLE {
            value[l] *= sum[l];
        }
    }
}
