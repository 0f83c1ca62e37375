use super::buffer::Buffer;
use super::fourier::{Complex, Fourier};
use super::plan::{GROUPS, Rows};
use super::pointwise::relu;
use crate::onnx::Conv;
use pulp::Simd;
use std::f64::consts::TAU;

/// Convolutions that follow one another, as products in the frequency domain.
///
/// A ray is padded with zeros to a length at which the circular convolution equals the one that ONNX defines, so that a
/// single transform covers it. Two real channels are transformed as one complex signal. Between two convolutions a
/// pair of channels goes to the time domain for bias and ReLU and back at once, without leaving the first-level cache;
/// the rest of the time values are spectra `[frequency, channel, group, (re, im)]`.
pub(super) struct SpectralChain {
    fourier: Fourier,
    convolutions: Vec<SpectralConv>,
    inputs: usize,
    /// Vectors of the spectrum at one frequency.
    stride: usize,
    rows: Rows,
}

struct SpectralConv {
    /// `[frequency, block of outputs, input, output in block, (re, im - re, re + im)]`, zeros for outputs beyond the
    /// last.
    weights: Vec<f32>,
    /// One a channel, and a zero where their number is odd.
    bias: Vec<f32>,
    inputs: usize,
    outputs: usize,
    relu: bool,
}

/// Output channels worked on together where there are 32 vector registers, and where there are 16: with
/// [`GROUPS`] vectors of three parts each their sums leave room for inputs and weights.
const BLOCK: usize = 4;
const SMALL_BLOCK: usize = 1;

/// Working memory of a chain.
#[derive(Default)]
pub(super) struct SpectralScratch {
    spectrum: Buffer,
    /// Results at one frequency.
    products: Buffer,
    /// Two channels in the time domain.
    pair: Buffer,
}

/// Whether the frequency domain pays for a convolution of rays of `samples` samples: multiply-adds of both ways, a
/// transform's additions counting twice as they cannot be fused.
pub(super) fn pays(conv: &Conv, samples: usize) -> bool {
    let length = Fourier::length_for(least_length(conv, samples));
    let products = conv.inputs * conv.outputs();
    let direct = products * conv.kernel * samples;
    let transforms = (conv.inputs + conv.outputs()) * length * (length.ilog2() as usize + 1) * 2;
    let spectral = products * 3 * (length / 2 + 1) + transforms;
    /// Beyond these, spectra of weights and of single taps would not be worth their memory.
    const MAX_WEIGHT_FLOATS: usize = 1 << 26;
    const MAX_TAP_FLOATS: usize = 1 << 22;
    spectral < direct
        && products * 3 * (length / 2 + 1) <= MAX_WEIGHT_FLOATS
        && conv.kernel * (length + 2) <= MAX_TAP_FLOATS
}

/// Zeros must be met beyond either end: those after the ray serve both, as the signal is circular.
fn least_length(conv: &Conv, samples: usize) -> usize {
    samples + conv.pad_before.max(conv.pad_after())
}

impl SpectralChain {
    /// `convolutions` with whether a ReLU follows each; `samples` of one ray.
    pub fn new(convolutions: &[(&Conv, bool)], samples: usize, rows: Rows, registers: usize) -> Self {
        let least = convolutions.iter().map(|(conv, _)| least_length(conv, samples)).max().unwrap_or(samples);
        let fourier = Fourier::new(Fourier::length_for(least));
        let block = if registers >= 32 { BLOCK } else { SMALL_BLOCK };
        let convolutions: Vec<_> =
            convolutions.iter().map(|(conv, relu)| SpectralConv::new(conv, *relu, &fourier, block)).collect();
        let inputs = convolutions.first().map_or(0, |conv| conv.inputs);
        let widest = convolutions.iter().map(|conv| conv.outputs).max().unwrap_or(0).max(inputs);
        // One pair more than needed: rows whose distance is a power of two would share few lines of the cache.
        let stride = (widest.next_multiple_of(BLOCK) + 2) * GROUPS * 2;
        Self { fourier, convolutions, inputs, stride, rows }
    }

    /// Floats of working memory with registers of `width` floats.
    pub fn scratch_floats(&self, width: usize) -> [usize; 3] {
        [self.fourier.frequencies() * self.stride * width, self.stride * width, self.fourier.length() * 2 * width]
    }

    /// `[input, sample]` to `[output, sample]`.
    #[inline(always)]
    pub fn run<S: Simd>(&self, simd: S, scratch: &mut SpectralScratch, input: &[S::f32s], output: &mut [S::f32s]) {
        // The working memory is that of the network's largest chain.
        let spectrum = &mut scratch.spectrum.vectors_mut::<S>()[..self.fourier.frequencies() * self.stride];
        let products = &mut scratch.products.vectors_mut::<S>()[..self.stride];
        let pair = &mut scratch.pair.vectors_mut::<S>().as_chunks_mut::<2>().0[..self.fourier.length()];
        for channel in (0..self.inputs).step_by(2) {
            for group in 0..GROUPS {
                self.load(simd, input, channel, group, pair);
                self.to_spectrum(simd, pair, spectrum, channel, group);
            }
        }
        for (position, conv) in self.convolutions.iter().enumerate() {
            self.multiply(simd, conv, spectrum, products);
            for channel in (0..conv.outputs).step_by(2) {
                for group in 0..GROUPS {
                    self.to_time(simd, spectrum, channel, group, pair);
                    activate(
                        simd,
                        &mut pair[..self.rows.samples / GROUPS],
                        [conv.bias[channel], conv.bias[channel + 1]],
                        conv.relu,
                    );
                    if position + 1 < self.convolutions.len() {
                        pair[self.rows.samples / GROUPS..].fill([simd.splat_f32s(0.0); 2]);
                        self.to_spectrum(simd, pair, spectrum, channel, group);
                    } else {
                        self.store::<S>(pair, output, channel, conv.outputs, group);
                    }
                }
            }
        }
    }

    /// Two channels of one group, the second zero where there is none, and zeros up to the transform's length.
    #[inline(always)]
    fn load<S: Simd>(&self, simd: S, input: &[S::f32s], channel: usize, group: usize, pair: &mut [Complex<S>]) {
        pair.fill([simd.splat_f32s(0.0); 2]);
        for part in 0..2.min(self.inputs - channel) {
            let row = &input[self.rows.range(channel + part)];
            for (z, &value) in pair.iter_mut().zip(row[group..].iter().step_by(GROUPS)) {
                z[part] = value;
            }
        }
    }

    #[inline(always)]
    fn store<S: Simd>(
        &self,
        pair: &[Complex<S>],
        output: &mut [S::f32s],
        channel: usize,
        channels: usize,
        group: usize,
    ) {
        for part in 0..2.min(channels - channel) {
            let row = &mut output[self.rows.range(channel + part)];
            for (value, z) in row[group..].iter_mut().step_by(GROUPS).zip(pair) {
                *value = z[part];
            }
        }
    }

    /// Transforms two real channels `a + i b` and takes them apart: with `Z` the transform,
    /// `2 A[f] = Z[f] + conj Z[-f]` and `2 B[f] = -i (Z[f] - conj Z[-f])`. The weights hold the factor 1/2.
    #[inline(always)]
    fn to_spectrum<S: Simd>(
        &self,
        simd: S,
        pair: &mut [Complex<S>],
        spectrum: &mut [S::f32s],
        channel: usize,
        group: usize,
    ) {
        self.fourier.forward(simd, pair);
        for (f, row) in spectrum.chunks_exact_mut(self.stride).enumerate() {
            let (plus, minus) = self.fourier.positions(f);
            let ([re, im], [other_re, other_im]) = (pair[plus], pair[minus]);
            let (a, b) = place(row, channel, group);
            *a = [simd.add_f32s(re, other_re), simd.sub_f32s(im, other_im)];
            *b = [simd.add_f32s(im, other_im), simd.sub_f32s(other_re, re)];
        }
    }

    /// Puts two channels together as `Z[f] = A[f] + i B[f]`, `Z[-f] = conj A[f] + i conj B[f]`, and transforms them back.
    #[inline(always)]
    fn to_time<S: Simd>(
        &self,
        simd: S,
        spectrum: &mut [S::f32s],
        channel: usize,
        group: usize,
        pair: &mut [Complex<S>],
    ) {
        for (f, row) in spectrum.chunks_exact_mut(self.stride).enumerate() {
            let (plus, minus) = self.fourier.positions(f);
            let (a, b) = place(row, channel, group);
            pair[minus] = [simd.add_f32s(a[0], b[1]), simd.sub_f32s(b[0], a[1])];
            pair[plus] = [simd.sub_f32s(a[0], b[1]), simd.add_f32s(a[1], b[0])];
        }
        self.fourier.inverse(simd, pair);
    }

    /// Every frequency's channels times that frequency's matrix of weights, in place.
    #[inline(always)]
    fn multiply<S: Simd>(&self, simd: S, conv: &SpectralConv, spectrum: &mut [S::f32s], products: &mut [S::f32s]) {
        let weights = conv.weights.chunks_exact(conv.weights.len() / self.fourier.frequencies());
        for (row, weights) in spectrum.chunks_exact_mut(self.stride).zip(weights) {
            let inputs = &row[..conv.inputs * GROUPS * 2];
            let written = if S::REGISTER_COUNT >= 32 {
                products_at::<S, BLOCK>(simd, inputs, weights, products)
            } else {
                products_at::<S, SMALL_BLOCK>(simd, inputs, weights, products)
            };
            row[..written].copy_from_slice(&products[..written]);
        }
    }
}

/// Two neighbouring channels of one group in a row of the spectrum.
#[inline(always)]
fn place<V>(row: &mut [V], channel: usize, group: usize) -> (&mut [V; 2], &mut [V; 2]) {
    let row = row.as_chunks_mut::<2>().0;
    let (first, second) = row[channel * GROUPS..(channel + 2) * GROUPS].split_at_mut(GROUPS);
    (&mut first[group], &mut second[group])
}

/// Bias and ReLU of two channels.
#[inline(always)]
fn activate<S: Simd>(simd: S, pair: &mut [Complex<S>], bias: [f32; 2], rectify: bool) {
    let bias = [simd.splat_f32s(bias[0]), simd.splat_f32s(bias[1])];
    for z in pair {
        *z = [relu(simd, simd.add_f32s(z[0], bias[0]), rectify), relu(simd, simd.add_f32s(z[1], bias[1]), rectify)];
    }
}

/// Matrix times vectors at one frequency; returns how many vectors it wrote.
///
/// A complex product takes three real ones: with `p = re (x + y)`, `(re + i im)(x + i y)` is
/// `p - y (re + im) + i (p + x (im - re))` (Gauss's; Knuth, The Art of Computer Programming 2, 4.6.4).
#[inline(always)]
fn products_at<S: Simd, const OUTPUTS: usize>(
    simd: S,
    inputs: &[S::f32s],
    weights: &[f32],
    products: &mut [S::f32s],
) -> usize {
    let inputs = inputs.as_chunks::<2>().0.as_chunks::<GROUPS>().0;
    let weights = weights.as_chunks::<3>().0.as_chunks::<OUTPUTS>().0;
    let mut written = 0;
    for (weights, products) in weights
        .chunks_exact(inputs.len())
        .zip(products.as_chunks_mut::<2>().0.as_chunks_mut::<GROUPS>().0.as_chunks_mut::<OUTPUTS>().0)
    {
        let mut sums = [[[simd.splat_f32s(0.0); 3]; GROUPS]; OUTPUTS];
        for (input, weights) in inputs.iter().zip(weights) {
            let mut both = [simd.splat_f32s(0.0); GROUPS];
            for (both, &[re, im]) in both.iter_mut().zip(input) {
                *both = simd.add_f32s(re, im);
            }
            for (sums, &[re, difference, sum]) in sums.iter_mut().zip(weights) {
                let (re, difference, sum) = (simd.splat_f32s(re), simd.splat_f32s(difference), simd.splat_f32s(sum));
                for ((sums, &[x_re, x_im]), &x_both) in sums.iter_mut().zip(input).zip(&both) {
                    sums[0] = simd.mul_add_e_f32s(re, x_both, sums[0]);
                    sums[1] = simd.mul_add_e_f32s(difference, x_re, sums[1]);
                    sums[2] = simd.mul_add_e_f32s(sum, x_im, sums[2]);
                }
            }
        }
        for (products, sums) in products.iter_mut().zip(sums) {
            for (product, [both, plus, minus]) in products.iter_mut().zip(sums) {
                *product = [simd.sub_f32s(both, minus), simd.add_f32s(both, plus)];
            }
        }
        written += OUTPUTS * GROUPS * 2;
    }
    written
}

impl SpectralConv {
    /// Spectra of the kernels, `sum over k of w[k] e^(2 pi i f (k dilation - pad_before) / length)` (a correlation),
    /// divided by the length for the inverse transform and by 2 for the split of channels.
    fn new(conv: &Conv, relu: bool, fourier: &Fourier, block: usize) -> Self {
        let (length, frequencies) = (fourier.length(), fourier.frequencies());
        let (inputs, outputs) = (conv.inputs, conv.outputs());
        // Channels go back to time in pairs.
        let blocks = outputs.next_multiple_of(2).div_ceil(block);
        let scale = 0.5 / length as f64;
        let taps: Vec<Vec<[f64; 2]>> = (0..conv.kernel)
            .map(|tap| {
                let shift = (tap * conv.dilation + length - conv.pad_before) % length;
                let angle = |f: usize| TAU * (f * shift % length) as f64 / length as f64;
                (0..frequencies).map(|f| [scale * angle(f).cos(), scale * angle(f).sin()]).collect()
            })
            .collect();
        let mut weights = vec![0.0; frequencies * blocks * inputs * block * 3];
        let mut sums = vec![[0.0; 2]; frequencies];
        for (index, kernel) in conv.weight.chunks_exact(conv.kernel).enumerate() {
            let (output, input) = (index / inputs, index % inputs);
            sums.fill([0.0; 2]);
            for (&weight, roots) in kernel.iter().zip(&taps) {
                for (sum, root) in sums.iter_mut().zip(roots) {
                    *sum = [sum[0] + f64::from(weight) * root[0], sum[1] + f64::from(weight) * root[1]];
                }
            }
            // The spectrum of a real signal is real at 0 and at half an even length; rounding must not spoil that.
            sums[0][1] = 0.0;
            if length.is_multiple_of(2) {
                sums[frequencies - 1][1] = 0.0;
            }
            for (f, sum) in sums.iter().enumerate() {
                let place = (((f * blocks + output / block) * inputs + input) * block + output % block) * 3;
                weights[place..place + 3].copy_from_slice(&[
                    sum[0] as f32,
                    (sum[1] - sum[0]) as f32,
                    (sum[0] + sum[1]) as f32,
                ]);
            }
        }
        let mut bias = conv.bias.clone();
        bias.resize(outputs.next_multiple_of(2), 0.0);
        Self { weights, bias, inputs, outputs, relu }
    }
}

impl SpectralScratch {
    /// Zeroed, of sizes as [`SpectralChain::scratch_floats`] gives them.
    pub fn zeroed([spectrum, products, pair]: [usize; 3]) -> Self {
        Self { spectrum: Buffer::zeroed(spectrum), products: Buffer::zeroed(products), pair: Buffer::zeroed(pair) }
    }
}
