//! Operations that look at one sample at a time.

use pulp::Simd;

#[inline(always)]
pub(super) fn relu<S: Simd>(simd: S, value: S::f32s, rectify: bool) -> S::f32s {
    // The operands stand in this order because x86 returns the second where one is NaN: NaN is passed on.
    if rectify { simd.max_f32s(simd.splat_f32s(0.0), value) } else { value }
}

/// `scale * x + shift` of every sample of a channel.
#[inline(always)]
pub(super) fn affine<S: Simd>(
    simd: S,
    input: &[S::f32s],
    output: &mut [S::f32s],
    scale: f32,
    shift: f32,
    rectify: bool,
) {
    let (scale, shift) = (simd.splat_f32s(scale), simd.splat_f32s(shift));
    for (output, &value) in output.iter_mut().zip(input) {
        *output = relu(simd, simd.mul_add_e_f32s(scale, value, shift), rectify);
    }
}

/// Softmax over channels: `column` holds one sample of every channel.
#[inline(always)]
pub(super) fn softmax<S: Simd>(simd: S, column: &mut [S::f32s]) {
    let mut largest = simd.splat_f32s(f32::NEG_INFINITY);
    for &value in column.iter() {
        largest = simd.max_f32s(largest, value);
    }
    let mut sum = simd.splat_f32s(0.0);
    for value in column.iter_mut() {
        *value = exp_of_negative(simd, simd.sub_f32s(*value, largest));
        sum = simd.add_f32s(sum, *value);
    }
    for value in column.iter_mut() {
        *value = simd.div_f32s(*value, sum);
    }
}

/// 1 where the largest value stands, at the first of equals, and 0 elsewhere; NaN everywhere where a value is not finite.
#[inline(always)]
pub(super) fn one_hot<S: Simd>(simd: S, column: &mut [S::f32s]) {
    let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
    let (mut largest, mut defect) = (simd.splat_f32s(f32::NEG_INFINITY), zero);
    for &value in column.iter() {
        largest = simd.max_f32s(largest, value);
        defect = simd.mul_add_e_f32s(zero, value, defect);
    }
    let mut rest = one;
    for value in column.iter_mut() {
        let is_largest = simd.equal_f32s(*value, largest);
        *value = simd.add_f32s(simd.select_f32s(is_largest, rest, zero), defect);
        rest = simd.select_f32s(is_largest, zero, rest);
    }
}

/// `e^x` for `x <= 0`, to 2 units in the last place; values below `2^-126` become about that.
///
/// `x = n ln 2 + r` with `|r| <= ln 2 / 2` and a polynomial for `e^r` (Cephes `expf`, S. L. Moshier 1989).
#[inline(always)]
fn exp_of_negative<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    /// Adding it rounds to an integer that then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 355.0 / 512.0;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    const POLYNOMIAL: [f32; 6] = [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5];

    let x = simd.max_f32s(simd.splat_f32s(-87.0), x);
    let shifted = simd.mul_add_e_f32s(x, simd.splat_f32s(std::f32::consts::LOG2_E), simd.splat_f32s(ROUND));
    let n = simd.sub_f32s(shifted, simd.splat_f32s(ROUND));
    let r = simd.mul_add_e_f32s(n, simd.splat_f32s(-LN_2_HIGH), x);
    let r = simd.mul_add_e_f32s(n, simd.splat_f32s(-LN_2_LOW), r);
    let mut polynomial = simd.splat_f32s(POLYNOMIAL[0]);
    for coefficient in &POLYNOMIAL[1..] {
        polynomial = simd.mul_add_e_f32s(polynomial, r, simd.splat_f32s(*coefficient));
    }
    let fraction = simd.add_f32s(simd.mul_add_e_f32s(polynomial, simd.mul_f32s(r, r), r), simd.splat_f32s(1.0));
    // 2^n: n + 127 moved into the exponent, which pushes all other bits of `shifted` out.
    let exponent = simd.add_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(127));
    let power = simd.transmute_f32s_u32s(simd.wrapping_dyn_shl_u32s(exponent, simd.splat_u32s(23)));
    simd.mul_f32s(fraction, power)
}
