use super::SectionFinder;

/// The grey values of a channel that become -.5 and .5 for the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levels {
    /// Becomes -.5.
    pub low: f64,
    /// Becomes .5.
    pub high: f64,
}

impl Levels {
    /// Of a sample of a channel's pixels: its percentiles as the model says, apart by no less than the model's `least_spread`, which
    /// is of 255; `largest` is the largest grey value there could be (255 of 8 bits). Without pixels nothing is stretched.
    #[must_use]
    pub fn measure(mut sample: Vec<f32>, channel: usize, finder: &SectionFinder, largest: f64) -> Self {
        sample.retain(|value| value.is_finite());
        sample.sort_unstable_by(f32::total_cmp);
        let [low, high] = finder.percentiles()[channel.min(1)].map(|share| percentile(&sample, share));
        let spread = (finder.least_spread() * largest / 255.0).max(f64::MIN_POSITIVE);
        Self { low, high: high.max(low + spread) }
    }

    /// What the network is given for a grey value.
    #[must_use]
    pub fn apply(self, value: f32) -> f32 {
        ((f64::from(value) - self.low) / (self.high - self.low) - 0.5).clamp(-1.0, 1.0) as f32
    }
}

/// Linear between the values of a sorted sample, as numpy has it.
fn percentile(sorted: &[f32], percent: f64) -> f64 {
    let at = percent / 100.0 * sorted.len().saturating_sub(1) as f64;
    let value = |n: usize| sorted.get(n).map_or(0.0, |&value| f64::from(value));
    let (below, above) = (value(at.floor() as usize), value(at.ceil() as usize));
    below + (above - below) * at.fract()
}
