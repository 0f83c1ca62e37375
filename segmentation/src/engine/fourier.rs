//! Discrete Fourier transforms of as many signals at a time as a register has lanes.
//!
//! Mixed-radix, in place. The forward transform decimates in frequency and leaves its result in digit-reversed order,
//! the inverse decimates in time and wants that order, so that nothing is ever permuted (Gentleman and Sande 1966;
//! Cooley and Tukey 1965). Neither scales: one after the other multiplies by the length.

use pulp::Simd;
use std::f64::consts::TAU;

/// One complex number a lane: real and imaginary parts.
pub(super) type Complex<S> = [<S as Simd>::f32s; 2];

/// Prepared transforms of one length.
pub(super) struct Fourier {
    stages: Vec<Stage>,
    /// Where a frequency stands after the forward transform.
    positions: Vec<usize>,
}

struct Stage {
    radix: usize,
    /// Distance between the inputs of a butterfly; as many butterflies make a block.
    span: usize,
    /// `e^(-2 pi i j q / (radix * span))` for `j` in `0..span` and `q` in `1..radix`.
    twiddles: Vec<[f32; 2]>,
}

impl Fourier {
    /// The shortest length of at least `least` that has no prime factor above 5.
    pub fn length_for(least: usize) -> usize {
        let smooth = |length: &usize| {
            [2, 3, 5].iter().fold(*length, |mut rest, prime| {
                while rest.is_multiple_of(*prime) {
                    rest /= prime;
                }
                rest
            }) == 1
        };
        (least.max(1)..).find(smooth).unwrap_or(least)
    }

    /// `length` as [`Fourier::length_for`] gives it.
    pub fn new(length: usize) -> Self {
        let mut stages = Vec::new();
        let mut positions = vec![0; length];
        let (mut block, mut stride) = (length, 1);
        // Large radices first: each stage reads and writes everything once.
        for radix in [6, 5, 4, 3, 2] {
            while block.is_multiple_of(radix) {
                let span = block / radix;
                let angle = |j: usize, q: usize| -TAU * ((j * q) % block) as f64 / block as f64;
                let twiddles = (0..span).flat_map(|j| (1..radix).map(move |q| angle(j, q)));
                let twiddles = twiddles.map(|angle| [angle.cos() as f32, angle.sin() as f32]).collect();
                // Output q of a butterfly holds the frequencies whose digit of this stage is q.
                for (frequency, position) in positions.iter_mut().enumerate() {
                    *position += frequency / stride % radix * span;
                }
                stages.push(Stage { radix, span, twiddles });
                block = span;
                stride *= radix;
            }
        }
        Self { stages, positions }
    }

    pub fn length(&self) -> usize {
        self.positions.len()
    }

    /// Frequencies that determine the spectrum of a real signal: 0 to half the length.
    pub fn frequencies(&self) -> usize {
        self.length() / 2 + 1
    }

    /// Where frequency `f` stands after the forward transform, and where `-f` does.
    pub fn positions(&self, f: usize) -> (usize, usize) {
        (self.positions[f], self.positions[(self.length() - f) % self.length()])
    }

    /// Time to (digit-reversed) frequency: `sum over t of x[t] e^(-2 pi i f t / length)`.
    #[inline(always)]
    pub fn forward<S: Simd>(&self, simd: S, values: &mut [Complex<S>]) {
        for stage in &self.stages {
            stage.run::<S, false>(simd, values);
        }
    }

    /// (Digit-reversed) frequency to time, times the length.
    #[inline(always)]
    pub fn inverse<S: Simd>(&self, simd: S, values: &mut [Complex<S>]) {
        for stage in self.stages.iter().rev() {
            stage.run::<S, true>(simd, values);
        }
    }
}

// Nothing below may do arithmetic in a closure or behind a function pointer: only what is marked `inline(always)` is
// compiled for the vector instructions that `pulp` found.

impl Stage {
    #[inline(always)]
    fn run<S: Simd, const INVERSE: bool>(&self, simd: S, values: &mut [Complex<S>]) {
        match self.radix {
            2 => self.pass::<S, Two, 2, INVERSE>(simd, values),
            3 => self.pass::<S, Three, 3, INVERSE>(simd, values),
            4 => self.pass::<S, Four, 4, INVERSE>(simd, values),
            5 => self.pass::<S, Five, 5, INVERSE>(simd, values),
            _ => self.pass::<S, Six, 6, INVERSE>(simd, values),
        }
    }

    #[inline(always)]
    fn pass<S: Simd, B: Butterfly<RADIX>, const RADIX: usize, const INVERSE: bool>(
        &self,
        simd: S,
        values: &mut [Complex<S>],
    ) {
        for block in values.chunks_exact_mut(RADIX * self.span) {
            for (j, twiddles) in self.twiddles.chunks_exact(RADIX - 1).enumerate() {
                let mut z = [[simd.splat_f32s(0.0); 2]; RADIX];
                for q in 0..RADIX {
                    z[q] = block[j + q * self.span];
                }
                if INVERSE && self.span > 1 {
                    rotate::<S, RADIX, true>(simd, &mut z, twiddles);
                }
                z = B::transform::<S, INVERSE>(simd, z);
                if !INVERSE && self.span > 1 {
                    rotate::<S, RADIX, false>(simd, &mut z, twiddles);
                }
                for q in 0..RADIX {
                    block[j + q * self.span] = z[q];
                }
            }
        }
    }
}

/// Multiplies all but the first by their twiddles, or by the conjugates of these.
#[inline(always)]
fn rotate<S: Simd, const RADIX: usize, const CONJUGATE: bool>(
    simd: S,
    z: &mut [Complex<S>; RADIX],
    twiddles: &[[f32; 2]],
) {
    for (z, &[re, im]) in z[1..].iter_mut().zip(twiddles) {
        let (re, im) = (simd.splat_f32s(re), simd.splat_f32s(if CONJUGATE { -im } else { im }));
        *z = [
            simd.negate_mul_add_e_f32s(im, z[1], simd.mul_f32s(re, z[0])),
            simd.mul_add_e_f32s(im, z[0], simd.mul_f32s(re, z[1])),
        ];
    }
}

#[inline(always)]
fn add<S: Simd>(simd: S, a: Complex<S>, b: Complex<S>) -> Complex<S> {
    [simd.add_f32s(a[0], b[0]), simd.add_f32s(a[1], b[1])]
}

#[inline(always)]
fn sub<S: Simd>(simd: S, a: Complex<S>, b: Complex<S>) -> Complex<S> {
    [simd.sub_f32s(a[0], b[0]), simd.sub_f32s(a[1], b[1])]
}

/// `a + factor * b`.
#[inline(always)]
fn add_scaled<S: Simd>(simd: S, a: Complex<S>, factor: f32, b: Complex<S>) -> Complex<S> {
    let factor = simd.splat_f32s(factor);
    [simd.mul_add_e_f32s(factor, b[0], a[0]), simd.mul_add_e_f32s(factor, b[1], a[1])]
}

/// `a - i b` and `a + i b`; the other way round for an inverse transform.
#[inline(always)]
fn turn<S: Simd, const INVERSE: bool>(simd: S, a: Complex<S>, b: Complex<S>) -> [Complex<S>; 2] {
    let minus = [simd.add_f32s(a[0], b[1]), simd.sub_f32s(a[1], b[0])];
    let plus = [simd.sub_f32s(a[0], b[1]), simd.add_f32s(a[1], b[0])];
    if INVERSE { [plus, minus] } else { [minus, plus] }
}

/// The transform of `RADIX` values.
trait Butterfly<const RADIX: usize> {
    fn transform<S: Simd, const INVERSE: bool>(simd: S, z: [Complex<S>; RADIX]) -> [Complex<S>; RADIX];
}

struct Two;
struct Three;
struct Four;
struct Five;
struct Six;

#[inline(always)]
fn two<S: Simd>(simd: S, a: Complex<S>, b: Complex<S>) -> [Complex<S>; 2] {
    [add(simd, a, b), sub(simd, a, b)]
}

impl Butterfly<2> for Two {
    #[inline(always)]
    fn transform<S: Simd, const INVERSE: bool>(simd: S, [a, b]: [Complex<S>; 2]) -> [Complex<S>; 2] {
        two(simd, a, b)
    }
}

impl Butterfly<3> for Three {
    #[inline(always)]
    fn transform<S: Simd, const INVERSE: bool>(simd: S, [a, b, c]: [Complex<S>; 3]) -> [Complex<S>; 3] {
        let sin = simd.splat_f32s(0.866_025_4); // of 120 degrees
        let [sum, [re, im]] = two(simd, b, c);
        let centre = add_scaled(simd, a, -0.5, sum);
        let [one, two] = turn::<S, INVERSE>(simd, centre, [simd.mul_f32s(sin, re), simd.mul_f32s(sin, im)]);
        [add(simd, a, sum), one, two]
    }
}

impl Butterfly<4> for Four {
    #[inline(always)]
    fn transform<S: Simd, const INVERSE: bool>(simd: S, [a, b, c, d]: [Complex<S>; 4]) -> [Complex<S>; 4] {
        let ([even, odd], [even_2, odd_2]) = (two(simd, a, c), two(simd, b, d));
        let [one, three] = turn::<S, INVERSE>(simd, odd, odd_2);
        let [zero, two] = two(simd, even, even_2);
        [zero, one, two, three]
    }
}

impl Butterfly<5> for Five {
    #[inline(always)]
    fn transform<S: Simd, const INVERSE: bool>(simd: S, [a, b, c, d, e]: [Complex<S>; 5]) -> [Complex<S>; 5] {
        // Cosines and sines of 72 and 144 degrees.
        const COS: [f32; 2] = [0.309_017, -0.809_017];
        const SIN: [f32; 2] = [0.951_056_5, 0.587_785_25];
        let ([outer, outer_d], [inner, inner_d]) = (two(simd, b, e), two(simd, c, d));
        let centre = add_scaled(simd, add_scaled(simd, a, COS[0], outer), COS[1], inner);
        let centre_2 = add_scaled(simd, add_scaled(simd, a, COS[1], outer), COS[0], inner);
        let zero = [simd.splat_f32s(0.0); 2];
        let side = add_scaled(simd, add_scaled(simd, zero, SIN[0], outer_d), SIN[1], inner_d);
        let side_2 = add_scaled(simd, add_scaled(simd, zero, SIN[1], outer_d), -SIN[0], inner_d);
        let [one, four] = turn::<S, INVERSE>(simd, centre, side);
        let [two, three] = turn::<S, INVERSE>(simd, centre_2, side_2);
        [add(simd, a, add(simd, outer, inner)), one, two, three, four]
    }
}

impl Butterfly<6> for Six {
    /// Three twos and two threes without twiddles, as 2 and 3 have no common factor (Good 1958): input
    /// `3 m + 2 n mod 6` gives output `3 k + 4 l mod 6`.
    #[inline(always)]
    fn transform<S: Simd, const INVERSE: bool>(simd: S, [a, b, c, d, e, f]: [Complex<S>; 6]) -> [Complex<S>; 6] {
        let ([s0, d0], [s1, d1], [s2, d2]) = (two(simd, a, d), two(simd, c, f), two(simd, e, b));
        let [zero, four, two] = Three::transform::<S, INVERSE>(simd, [s0, s1, s2]);
        let [three, one, five] = Three::transform::<S, INVERSE>(simd, [d0, d1, d2]);
        [zero, one, two, three, four, five]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::{Arch, WithSimd};

    struct BothWays<'a>(&'a Fourier, &'a [[f64; 2]]);

    impl WithSimd for BothWays<'_> {
        type Output = [Vec<[f64; 2]>; 2];

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let first = |value: S::f32s| {
                f64::from(
                    pulp::bytemuck::bytes_of(&value)
                        .as_chunks::<4>()
                        .0
                        .iter()
                        .map(|b| f32::from_le_bytes(*b))
                        .next()
                        .unwrap(),
                )
            };
            let mut values: Vec<Complex<S>> =
                self.1.iter().map(|z| z.map(|part| simd.splat_f32s(part as f32))).collect();
            self.0.forward(simd, &mut values);
            let spectrum = (0..values.len()).map(|f| values[self.0.positions[f]].map(first)).collect();
            self.0.inverse(simd, &mut values);
            [spectrum, values.iter().map(|z| z.map(first)).collect()]
        }
    }

    #[test]
    fn transforms_are_the_sums_they_are_defined_by() {
        for length in [1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 16, 25, 27, 30, 36, 60, 64, 216, 225, 240] {
            let fourier = Fourier::new(length);
            let signal: Vec<[f64; 2]> =
                (0..length).map(|t| [((t * t) % 17) as f64 / 17.0 - 0.4, ((3 * t) % 7) as f64 / 7.0 - 0.5]).collect();
            let [spectrum, back] = Arch::new().dispatch(BothWays(&fourier, &signal));
            for f in 0..length {
                let mut expected = [0.0; 2];
                for (t, [re, im]) in signal.iter().enumerate() {
                    let (sin, cos) = (-TAU * (f * t % length) as f64 / length as f64).sin_cos();
                    expected = [expected[0] + re * cos - im * sin, expected[1] + re * sin + im * cos];
                }
                for part in 0..2 {
                    let tolerance = 1e-6 * length as f64;
                    assert!((spectrum[f][part] - expected[part]).abs() < tolerance, "length {length}, frequency {f}");
                    assert!(
                        (back[f][part] / length as f64 - signal[f][part]).abs() < 1e-6,
                        "length {length}, time {f}"
                    );
                }
            }
        }
    }

    #[test]
    fn lengths_are_the_next_ones_with_small_factors() {
        for (least, length) in [(0, 1), (7, 8), (11, 12), (212, 216), (217, 225), (224, 225), (241, 243), (257, 270)] {
            assert_eq!(Fourier::length_for(least), length);
        }
    }
}
