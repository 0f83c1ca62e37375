use crate::bundle::STATES;
use brainmesh_core::LAYER_COUNT;

/// Most steps of a layer's chain: more would make the thickness surer, at a price that grows with them.
const MOST_STEPS: usize = 6;
/// Least spread and mean of a layer, in samples.
const LEAST: f64 = 0.5;

/// How thick layers are, as shares of the given ribbon, from the data a model was trained on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerDurations {
    /// Mean share of layers I..VI.
    pub mean: [f64; LAYER_COUNT],
    /// Standard deviation of the share.
    pub sd: [f64; LAYER_COUNT],
    /// Probability that the layer is absent.
    pub absent: [f64; LAYER_COUNT],
}

/// A left-to-right chain in which every layer is a row of equal steps, each left with the same probability: the time in
/// a layer is a negative binomial with about the mean and the standard deviation given (Rabiner 1989, section IV.D,
/// on explicit durations; the chain is their cheap form).
pub(crate) struct Chain {
    /// State (0 outside, 1..=6 layers, 7 white) of each step.
    states: Vec<usize>,
    /// Probability to leave each step for the next.
    leave: Vec<f64>,
    /// First step of each state; one past the last for the state after white.
    first: [usize; STATES + 1],
    /// Probability that a state is passed over.
    absent: [f64; STATES],
}

impl Chain {
    /// For a ray whose given ribbon covers so many samples.
    pub(crate) fn new(durations: &LayerDurations, ribbon_samples: f64) -> Self {
        let mut chain = Self {
            states: Vec::new(),
            leave: Vec::new(),
            first: [0; STATES + 1],
            absent: std::array::from_fn(|s| {
                if (1..=LAYER_COUNT).contains(&s) { durations.absent[s - 1].clamp(0.0, 0.99) } else { 0.0 }
            }),
        };
        for state in 0..STATES {
            chain.first[state] = chain.states.len();
            let (steps, leave) = if (1..=LAYER_COUNT).contains(&state) {
                let mean = (durations.mean[state - 1] * ribbon_samples).max(LEAST);
                let sd = (durations.sd[state - 1] * ribbon_samples).max(LEAST);
                // r steps left with probability p take r / p samples with variance r (1 - p) / p^2.
                let most = (mean.floor() as usize).clamp(1, MOST_STEPS);
                let steps = ((mean * mean / (sd * sd + mean)).round() as usize).clamp(1, most);
                (steps, (steps as f64 / mean).min(1.0))
            } else {
                // Outside and white matter are as long as they are: staying and leaving weigh the same.
                (1, 1.0)
            };
            chain.states.extend(std::iter::repeat_n(state, steps));
            chain.leave.extend(std::iter::repeat_n(leave, steps));
        }
        chain.first[STATES] = chain.states.len();
        chain
    }

    fn stay(&self, step: usize) -> f64 {
        if self.is_layer(step) { 1.0 - self.leave[step] } else { 1.0 }
    }

    fn is_layer(&self, step: usize) -> bool {
        (1..=LAYER_COUNT).contains(&self.states[step])
    }

    /// Probability of each state at each sample, given the evidence for states; `None` where no sequence is possible.
    pub(crate) fn marginals(&self, evidence: &[[f64; STATES]]) -> Option<Vec<[f64; STATES]>> {
        let n = self.states.len();
        let mut forward: Vec<Vec<f64>> = Vec::with_capacity(evidence.len());
        for (i, evidence) in evidence.iter().enumerate() {
            let mut now = vec![0.0; n];
            if i == 0 {
                // Where the ray begins, outside may be absent as in the model without durations.
                let mut weight = 1.0;
                for state in 0..STATES {
                    now[self.first[state]] = weight;
                    weight *= if state == 0 { self.absent[1].max(1e-6) } else { self.absent[state].max(1e-6) };
                }
            } else {
                let before = &forward[i - 1];
                // `arriving` comes from states already left and enters the first step of a state, or passes it over.
                let mut arriving = 0.0;
                for state in 0..STATES {
                    let (first, end) = (self.first[state], self.first[state + 1]);
                    for step in first..end {
                        let entering = if step == first {
                            arriving * (1.0 - self.absent[state])
                        } else {
                            before[step - 1] * self.leave[step - 1]
                        };
                        now[step] = before[step] * self.stay(step) + entering;
                    }
                    arriving = before[end - 1] * self.leave[end - 1] + arriving * self.absent[state];
                }
            }
            now.iter_mut().zip(&self.states).for_each(|(p, &state)| *p *= evidence[state]);
            normalise(&mut now)?;
            forward.push(now);
        }
        let mut after = vec![1.0; n];
        let mut marginals = vec![[0.0; STATES]; evidence.len()];
        for i in (0..evidence.len()).rev() {
            let mut both: Vec<f64> = forward[i].iter().zip(&after).map(|(f, a)| f * a).collect();
            normalise(&mut both)?;
            both.iter().zip(&self.states).for_each(|(p, &state)| marginals[i][state] += p);
            if i > 0 {
                let here: Vec<f64> = (0..n).map(|step| evidence[i][self.states[step]] * after[step]).collect();
                let mut before = vec![0.0; n];
                // What a ray meets that has just left the state above.
                let mut ahead = 0.0;
                for state in (0..STATES).rev() {
                    let (first, end) = (self.first[state], self.first[state + 1]);
                    for step in first..end {
                        let next = if step + 1 == end { ahead } else { here[step + 1] };
                        before[step] = self.stay(step) * here[step] + self.leave[step] * next;
                    }
                    ahead = here[first] * (1.0 - self.absent[state]) + ahead * self.absent[state];
                }
                normalise(&mut before)?;
                after = before;
            }
        }
        Some(marginals)
    }
}

/// Scales to sum 1; `None` where that is impossible.
fn normalise(values: &mut [f64]) -> Option<()> {
    let sum: f64 = values.iter().sum();
    if !(sum.is_finite() && sum > 0.0) {
        return None;
    }
    values.iter_mut().for_each(|v| *v /= sum);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DURATIONS: LayerDurations = LayerDurations {
        mean: [0.1, 0.1, 0.3, 0.1, 0.15, 0.25],
        sd: [0.03, 0.02, 0.06, 0.03, 0.04, 0.06],
        absent: [0.0, 0.0, 0.0, 0.1, 0.0, 0.0],
    };

    /// Evidence that says outside before sample 20, white from sample 120 on, and nothing in between.
    fn silent() -> Vec<[f64; STATES]> {
        (0..140)
            .map(|i| {
                std::array::from_fn(|s| {
                    f64::from(u8::from(match i {
                        0..20 => s == 0,
                        120.. => s == 7,
                        _ => (1..7).contains(&s),
                    }))
                })
            })
            .collect()
    }

    #[test]
    fn without_evidence_layers_have_their_mean_shares() {
        let marginals = Chain::new(&DURATIONS, 100.0).marginals(&silent()).unwrap();
        for layer in 1..=6 {
            let samples: f64 = marginals.iter().map(|m| m[layer]).sum();
            let mean = DURATIONS.mean[layer - 1] * 100.0 * (1.0 - DURATIONS.absent[layer - 1]);
            assert!((samples - mean).abs() < 0.15 * mean + 1.0, "layer {layer}: {samples} samples for {mean}");
        }
        assert!(marginals.iter().all(|m| (m.iter().sum::<f64>() - 1.0).abs() < 1e-9));
    }

    /// Every sequence of a small chain, enumerated.
    #[test]
    fn marginals_are_those_of_all_sequences() {
        let chain = Chain::new(&DURATIONS, 12.0);
        let evidence: Vec<[f64; STATES]> =
            (0..9).map(|i| std::array::from_fn(|s| 0.05 + (((i * 5 + s * 3) % 7) as f64) / 7.0)).collect();
        let n = chain.states.len();
        let enter = |from: usize, to: usize| -> f64 {
            // From the last step of a state to the first of a later one, those between absent.
            let (a, b) = (chain.states[from], chain.states[to]);
            let skipped: f64 = (a + 1..b).map(|s| chain.absent[s]).product();
            chain.leave[from] * skipped * (1.0 - chain.absent[b])
        };
        let step = |from: usize, to: usize| -> f64 {
            let last = from + 1 == chain.first[chain.states[from] + 1];
            if from == to {
                chain.stay(from)
            } else if !last && to == from + 1 {
                chain.leave[from]
            } else if last && chain.states[to] > chain.states[from] && to == chain.first[chain.states[to]] {
                enter(from, to)
            } else {
                0.0
            }
        };
        let mut start = vec![0.0; n];
        let mut weight = 1.0;
        for state in 0..STATES {
            start[chain.first[state]] = weight;
            weight *= if state == 0 { chain.absent[1].max(1e-6) } else { chain.absent[state].max(1e-6) };
        }
        // Sums over all sequences, by the full transition matrix.
        let matrix = |a: usize, b: usize| step(a, b);
        let e = |i: usize, s: usize| evidence[i][chain.states[s]];
        let mut ahead = vec![vec![1.0; n]; 9];
        for i in (0..8).rev() {
            for a in 0..n {
                ahead[i][a] = (0..n).map(|b| matrix(a, b) * e(i + 1, b) * ahead[i + 1][b]).sum();
            }
        }
        let mut alpha: Vec<f64> = (0..n).map(|s| start[s] * e(0, s)).collect();
        let found = chain.marginals(&evidence).unwrap();
        for i in 0..9 {
            if i > 0 {
                alpha = (0..n).map(|b| (0..n).map(|a| alpha[a] * matrix(a, b)).sum::<f64>() * e(i, b)).collect();
            }
            let total: f64 = (0..n).map(|s| alpha[s] * ahead[i][s]).sum();
            for (state, found) in found[i].iter().enumerate() {
                let expected: f64 = (chain.first[state]..chain.first[state + 1]).map(|s| alpha[s] * ahead[i][s]).sum();
                assert!((found - expected / total).abs() < 1e-9, "sample {i} state {state}");
            }
        }
    }
}
