use crate::random::{Purpose, normal, stream, uniform};
use glam::DVec3;
use rand_chacha::ChaCha8Rng;

/// Cosines per field: enough that the sum is close to normal.
const WAVES: usize = 40;

/// A smooth random function of position with mean 0, variance 1 and covariance exp(-d^2 / (2 length^2)): a sum of
/// random cosines whose wave vectors follow the spectrum of that covariance (Rahimi and Recht 2007).
#[derive(Debug, Clone)]
pub(crate) struct SmoothField {
    waves: Vec<(DVec3, f64)>,
}

impl SmoothField {
    pub(crate) fn new(rng: &mut ChaCha8Rng, length_mm: f64) -> Self {
        let wave = |rng: &mut ChaCha8Rng| {
            let direction = DVec3::new(normal(rng), normal(rng), normal(rng));
            (direction / length_mm, uniform(rng, [0.0, std::f64::consts::TAU]))
        };
        Self { waves: (0..WAVES).map(|_| wave(rng)).collect() }
    }

    pub(crate) fn named(seed: u64, purpose: Purpose, index: usize, length_mm: f64) -> Self {
        Self::new(&mut stream(seed, purpose, index), length_mm)
    }

    pub(crate) fn at(&self, p: DVec3) -> f64 {
        let sum: f64 = self.waves.iter().map(|(k, phase)| (k.dot(p) + phase).cos()).sum();
        sum * (2.0 / WAVES as f64).sqrt()
    }
}

/// A field with a short and a long correlation length, as the layers of the BigBrain have: the correlation of a
/// layer's share falls to a half within 1.5 to 2 mm (a short length of 2.5 mm) and then has a tail beyond 10 mm.
#[derive(Debug, Clone)]
pub(crate) struct TwoScaleField {
    short: SmoothField,
    long: SmoothField,
}

impl TwoScaleField {
    /// Share of the variance with the long correlation length.
    const LONG_SHARE: f64 = 0.35;

    pub(crate) fn named(seed: u64, purpose: Purpose, index: usize, short_mm: f64) -> Self {
        let mut rng = stream(seed, purpose, index);
        Self { short: SmoothField::new(&mut rng, short_mm), long: SmoothField::new(&mut rng, short_mm.max(12.0)) }
    }

    pub(crate) fn at(&self, p: DVec3) -> f64 {
        (1.0 - Self::LONG_SHARE).sqrt() * self.short.at(p) + Self::LONG_SHARE.sqrt() * self.long.at(p)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covariance_is_the_one_asked_for() {
        let pairs = 4000;
        for (distance, expected) in [(0.0, 1.0), (2.0, (-0.5f64).exp()), (6.0, (-4.5f64).exp())] {
            let mut sum = 0.0;
            for seed in 0..pairs {
                let field = SmoothField::named(seed, Purpose::Thickness, 0, 2.0);
                sum += field.at(DVec3::new(3.0, 1.0, 7.0)) * field.at(DVec3::new(3.0, 1.0 + distance, 7.0));
            }
            let covariance = sum / pairs as f64;
            assert!((covariance - expected).abs() < 0.07, "at {distance} mm: {covariance}, expected {expected}");
        }
    }
}
