//! Random numbers by name: every part of a phantom has its own ChaCha stream, so that adding one artefact does not
//! change another, and threads cannot change anything.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a stream of random numbers is for. The number is part of the format of the phantoms: never renumber.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Fold = 1,
    Areas = 2,
    Thickness = 3,
    LayerModel = 4,
    Stain = 5,
    Torn = 6,
    Vessels = 7,
    Tears = 8,
    Texture = 9,
    Sections = 10,
    Noise = 11,
    Bias = 12,
    GivenSurfaces = 13,
}

/// The generator for one purpose and one index (a slice, a layer).
pub(crate) fn stream(seed: u64, purpose: Purpose, index: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(((purpose as u64) << 40) | index as u64);
    rng
}

/// Uniform in `range[0]..range[1]`.
pub(crate) fn uniform(rng: &mut ChaCha8Rng, range: [f64; 2]) -> f64 {
    range[0] + (range[1] - range[0]) * rng.random::<f64>()
}

/// Standard normal deviate (Box and Muller 1958).
pub(crate) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

/// Poisson deviate: products of uniforms (Knuth) where few are expected, its normal limit above.
pub(crate) fn poisson(rng: &mut ChaCha8Rng, mean: f64) -> f64 {
    if mean > 16.0 {
        return (mean + mean.sqrt() * normal(rng)).max(0.0).round();
    }
    let limit = (-mean).exp();
    let mut product = rng.random::<f64>();
    let mut count = 0.0;
    while product > limit {
        product *= rng.random::<f64>();
        count += 1.0;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviates_have_the_moments_of_their_distribution() {
        let mut rng = stream(1, Purpose::Noise, 0);
        for mean in [0.3, 4.0, 40.0] {
            let draws: Vec<f64> = (0..40_000).map(|_| poisson(&mut rng, mean)).collect();
            let average = draws.iter().sum::<f64>() / 40_000.0;
            let variance = draws.iter().map(|d| (d - average).powi(2)).sum::<f64>() / 40_000.0;
            assert!((average / mean - 1.0).abs() < 0.03, "{mean}: {average}");
            assert!((variance / mean - 1.0).abs() < 0.06, "{mean}: {variance}");
        }
    }
}
