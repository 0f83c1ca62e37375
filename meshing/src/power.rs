/// `x` to the power of `exponent` for normal positive numbers, right to about 1e-6 of the result: plain arithmetic without
/// branches, so that the compiler turns a loop over it into vector instructions.
#[inline(always)]
pub(crate) fn power(x: f32, exponent: f32) -> f32 {
    /// Half of the root of 2: the mantissa is taken from here to its double, so that the logarithm is about 0.
    const LOW: u32 = 0x3f35_04f3;
    /// Adding it rounds a float to a whole number in its lowest bits.
    const WHOLE: f32 = 12_582_912.0;
    let shifted = x.to_bits().wrapping_sub(LOW);
    let doublings = (shifted as i32) >> 23;
    let mantissa = f32::from_bits((shifted & 0x007f_ffff) + LOW);
    // ln(m) = 2 artanh((m - 1) / (m + 1)); the first term left out is below 1e-9.
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let square = z * z;
    let artanh = z * (1.0 + square * (1.0 / 3.0 + square * (0.2 + square * (1.0 / 7.0 + square * (1.0 / 9.0)))));
    let logarithm = doublings as f32 + 2.0 * std::f32::consts::LOG2_E * artanh;
    // Beyond these the result is infinite or 0 but for the last bits.
    let bounded = (exponent * logarithm).max(-126.0);
    let y = bounded.min(128.0);
    let rounded = y + WHOLE;
    let whole = rounded.to_bits().wrapping_sub(WHOLE.to_bits()) as i32;
    // Taylor series of 2^f for f within half of 0; the first term left out is below 1e-7.
    let f = (y - (rounded - WHOLE)) * std::f32::consts::LN_2;
    let small = 1.0
        + f * (1.0
            + f * (0.5 + f * (1.0 / 6.0 + f * (1.0 / 24.0 + f * (1.0 / 120.0 + f * (1.0 / 720.0 + f / 5040.0))))));
    small * f32::from_bits(((whole + 127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_power() {
        for exponent in [0.05, 0.3, 0.5, 1.0, 2.0] {
            for i in 0..4000 {
                let x = 10f32.powf(-6.0 + i as f32 / 600.0);
                let (found, truth) = (power(x, exponent), f64::from(x).powf(f64::from(exponent)));
                assert!((f64::from(found) / truth - 1.0).abs() < 3e-6, "{x}^{exponent}: {found} for {truth}");
            }
        }
        assert_eq!(power(1.0, 0.3), 1.0);
        assert!(power(3e38, 2.0).is_infinite());
    }
}
