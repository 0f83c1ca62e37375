use super::plan::{GROUPS, Rows};
use super::pointwise::relu;
use crate::onnx::Conv;
use pulp::Simd;

/// Output channels worked on together: with [`WIDE`] samples their sums fill the 32 registers of AVX-512 or NEON, with
/// [`NARROW`] samples the 16 of AVX2.
const BLOCK: usize = 4;
const WIDE: usize = 5;
const NARROW: usize = 2;

/// A convolution as the sum it is defined by, with its weights in the order in which they are read.
pub(super) struct DirectConv {
    /// `[block, input, tap, output in block]`, zeros for outputs beyond the last.
    weights: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
    taps: usize,
    dilation: usize,
    /// First sample of a row that the first tap of the first output sample reads.
    first: usize,
    rows: Rows,
}

impl DirectConv {
    pub fn new(conv: &Conv, rows: Rows) -> Self {
        let (inputs, taps, outputs) = (conv.inputs, conv.kernel, conv.outputs());
        let blocks = outputs.div_ceil(BLOCK);
        let mut weights = vec![0.0; blocks * inputs * taps * BLOCK];
        for (output, kernel) in conv.weight.chunks_exact(inputs * taps).enumerate() {
            let block = output / BLOCK * inputs * taps * BLOCK;
            for (position, &weight) in kernel.iter().enumerate() {
                weights[block + position * BLOCK + output % BLOCK] = weight;
            }
        }
        let first = rows.before - conv.pad_before * GROUPS;
        Self { weights, bias: conv.bias.clone(), inputs, taps, dilation: conv.dilation * GROUPS, first, rows }
    }
}

impl DirectConv {
    /// One bundle: `[input, sample]` to `[output, sample]`, negative results made zero where `rectify`.
    #[inline(always)]
    pub fn run<S: Simd>(&self, simd: S, input: &[S::f32s], output: &mut [S::f32s], rectify: bool) {
        if self.rows.samples < WIDE {
            self.samples::<S, 1>(simd, input, output, rectify);
        } else if S::REGISTER_COUNT >= 32 {
            self.samples::<S, WIDE>(simd, input, output, rectify);
        } else {
            self.samples::<S, NARROW>(simd, input, output, rectify);
        }
    }

    #[inline(always)]
    fn samples<S: Simd, const WIDTH: usize>(&self, simd: S, input: &[S::f32s], output: &mut [S::f32s], rectify: bool) {
        let last = self.rows.samples - WIDTH;
        // The last block may overlap the one before: it then computes some samples twice, to the same result.
        let starts = (0..=last).step_by(WIDTH).chain((!self.rows.samples.is_multiple_of(WIDTH)).then_some(last));
        // Samples outside, channels inside: the rows under a block of samples stay in the second-level cache.
        for start in starts {
            for (block, weights) in self.weights.chunks_exact(self.inputs * self.taps * BLOCK).enumerate() {
                let sums = self.sums::<S, WIDTH>(simd, input, start, weights);
                let biases = &self.bias[block * BLOCK..];
                for ((sums, &bias), channel) in sums.iter().zip(biases).zip(block * BLOCK..) {
                    let start = self.rows.range(channel).start + start;
                    for (output, &sum) in output[start..start + WIDTH].iter_mut().zip(sums) {
                        *output = relu(simd, simd.add_f32s(sum, simd.splat_f32s(bias)), rectify);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn sums<S: Simd, const WIDTH: usize>(
        &self,
        simd: S,
        input: &[S::f32s],
        start: usize,
        weights: &[f32],
    ) -> [[S::f32s; WIDTH]; BLOCK] {
        let mut sums = [[simd.splat_f32s(0.0); WIDTH]; BLOCK];
        let rows = input.chunks_exact(self.rows.length);
        for (row, weights) in rows.zip(weights.chunks_exact(self.taps * BLOCK)) {
            let mut window = &row[self.first + start..];
            for weights in weights.as_chunks::<BLOCK>().0 {
                let Some(values) = window.first_chunk::<WIDTH>() else { break };
                for (sums, &weight) in sums.iter_mut().zip(weights) {
                    let weight = simd.splat_f32s(weight);
                    for (sum, &value) in sums.iter_mut().zip(values) {
                        *sum = simd.mul_add_e_f32s(weight, value, *sum);
                    }
                }
                window = window.get(self.dilation..).unwrap_or_default();
            }
        }
        sums
    }
}
