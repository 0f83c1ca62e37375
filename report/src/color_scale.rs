use std::fmt::Write as _;

/// Colours of values, even in lightness and told apart by colour-blind readers (van der Walt and Smith 2015).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorScale {
    /// Blue over green to yellow.
    Viridis,
    /// Black over red to light yellow.
    Magma,
}

impl ColorScale {
    /// Red, green, blue at 0 to 1 of the scale; beyond, those of the end.
    pub fn color(self, share: f64) -> [u8; 3] {
        let gradient = match self {
            Self::Viridis => colorous::VIRIDIS,
            Self::Magma => colorous::MAGMA,
        };
        let color = gradient.eval_continuous(share.clamp(0.0, 1.0));
        [color.r, color.g, color.b]
    }

    /// 256 colours one after the other, as hexadecimal digits.
    pub fn table(self) -> String {
        let mut text = String::with_capacity(6 * 256);
        for n in 0..=255 {
            let [r, g, b] = self.color(f64::from(n) / 255.0);
            // Writing to a string does not fail.
            let _ = write!(text, "{r:02x}{g:02x}{b:02x}");
        }
        text
    }
}

/// Lowest and highest value of a colour bar, with a unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueRange {
    /// Value of the first colour.
    pub low: f64,
    /// Value of the last colour.
    pub high: f64,
}

impl ValueRange {
    /// From 0 to the value that `share` of the finite values do not exceed, rounded up to a tenth of its power of ten; 0 to 1
    /// where there are no values.
    pub fn up_to_share(values: impl Iterator<Item = f32>, share: f64) -> Self {
        Self { low: 0.0, ..Self::between_shares(values, 0.0, share) }
    }

    /// Between the values that `low` and `high` of all finite ones do not exceed, rounded outwards.
    pub fn between_shares(values: impl Iterator<Item = f32>, low: f64, high: f64) -> Self {
        let mut finite: Vec<f32> = values.filter(|v| v.is_finite()).collect();
        if finite.is_empty() {
            return Self { low: 0.0, high: 1.0 };
        }
        finite.sort_by(f32::total_cmp);
        let at = |share: f64| f64::from(finite[((finite.len() - 1) as f64 * share.clamp(0.0, 1.0)) as usize]);
        let (low, high) = (at(low), at(high));
        let size = low.abs().max(high.abs());
        let step = if size > 0.0 { 10f64.powf(size.log10().floor()) / 10.0 } else { 1.0 };
        // What lies on a step but for rounding stays there.
        let (low, mut high) = ((low / step + 1e-6).floor() * step, (high / step - 1e-6).ceil() * step);
        if high <= low {
            high = low + step;
        }
        Self { low, high }
    }

    /// Where a value stands between both ends, 0 to 1 and beyond.
    pub fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ends of viridis and magma as matplotlib gives them: #440154, #fde725; #000004, #fcfdbf.
    #[test]
    fn scales_end_where_matplotlibs_end() {
        assert_eq!(ColorScale::Viridis.color(-1.0), [0x44, 0x01, 0x54]);
        assert_eq!(ColorScale::Viridis.color(1.0), [0xfd, 0xe7, 0x25]);
        assert!(ColorScale::Magma.table().starts_with("000004"));
        assert!(ColorScale::Magma.table().ends_with("fcfdbf"));
        assert_eq!(ColorScale::Viridis.table().len(), 6 * 256);
    }

    #[test]
    fn ranges_leave_out_what_is_not_finite_and_round_outwards() {
        let values = [0.12, f32::NAN, 0.84, f32::INFINITY, 0.43];
        let range = ValueRange::between_shares(values.into_iter(), 0.0, 1.0);
        assert!((range.low - 0.12).abs() < 1e-9 && (range.high - 0.84).abs() < 1e-9, "{range:?}");
        assert_eq!(ValueRange::between_shares([f32::NAN].into_iter(), 0.0, 1.0), ValueRange { low: 0.0, high: 1.0 });
        let flat = ValueRange::between_shares([2.0, 2.0].into_iter(), 0.0, 1.0);
        assert!(flat.high > flat.low && flat.share(2.0) == 0.0);
    }
}
