use crate::svg::{FONT_FAMILY, tick};
use crate::{ValueRange, escaped, round_step};
use std::fmt::Write as _;

/// Bars of a histogram.
const BINS: usize = 48;
const WIDTH: f64 = 280.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 12.0;
const BOTTOM: f64 = 30.0;
const TOP: f64 = 8.0;

/// A mean that others have found, to compare with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Published {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
}

/// How often values occur, as bars.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// What the values are, with their unit; also said to those who cannot see the bars.
    pub title: String,
    /// Share of the finite values in each of equal parts of `range`; those beyond it are in the first or last part.
    shares: Vec<f64>,
    range: ValueRange,
    mean: Option<f64>,
    color: [u8; 3],
    published: Option<Published>,
}

impl Histogram {
    /// Counts the finite values.
    pub fn new(title: String, values: &[f32], range: ValueRange, color: [u8; 3], published: Option<Published>) -> Self {
        let mut counts = vec![0usize; BINS];
        let (mut sum, mut n) = (0.0, 0usize);
        for v in values.iter().filter(|v| v.is_finite()).map(|&v| f64::from(v)) {
            let bin = (range.share(v) * BINS as f64).floor().clamp(0.0, (BINS - 1) as f64);
            counts[bin as usize] += 1;
            sum += v;
            n += 1;
        }
        let shares = counts.iter().map(|&c| c as f64 / n.max(1) as f64).collect();
        Self { title, shares, range, mean: (n > 0).then(|| sum / n as f64), color, published }
    }

    /// As SVG in the colour of the words around it.
    pub fn svg(&self) -> String {
        let (inner, floor) = (WIDTH - 2.0 * LEFT, HEIGHT - BOTTOM);
        let x = |value: f64| LEFT + self.range.share(value).clamp(0.0, 1.0) * inner;
        let most = self.shares.iter().copied().fold(1e-9, f64::max);
        let mut said = escaped(&self.title);
        if let Some(mean) = self.mean {
            let _ = write!(said, ": mean {mean:.3}");
        }
        if let Some(Published { mean, sd }) = self.published {
            let _ = write!(said, "; published mean {mean:.3}, standard deviation {sd:.3}");
        }
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{said}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"{FONT_FAMILY}\" font-size=\"10\" fill=\"currentColor\">"
        );
        if let Some(Published { mean, sd }) = self.published {
            let (from, to) = (x(mean - sd), x(mean + sd));
            let _ = write!(
                svg,
                "<rect x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\" opacity=\".13\"/>",
                to - from,
                floor - TOP
            );
        }
        let [r, g, b] = self.color;
        let step = inner / BINS as f64;
        let _ = write!(svg, "<path fill=\"#{r:02x}{g:02x}{b:02x}\" stroke=\"currentColor\" stroke-width=\".4\" d=\"");
        for (n, share) in self.shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let height = share / most * (floor - TOP);
            let _ = write!(svg, "M{:.2} {floor}v-{height:.2}h{step:.2}v{height:.2}z", LEFT + n as f64 * step);
        }
        svg.push_str("\"/>");
        if let Some(Published { mean, .. }) = self.published {
            let _ = write!(
                svg,
                "<path d=\"M{:.1} {TOP}V{floor}\" stroke=\"currentColor\" stroke-width=\"1.6\" stroke-dasharray=\"4 3\"/>",
                x(mean)
            );
        }
        if let Some(mean) = self.mean {
            let at = x(mean);
            let _ = write!(svg, "<path d=\"M{at:.1} {floor}l-4.5 8h9z\"/>");
        }
        let _ = write!(svg, "<path d=\"M{LEFT} {floor}h{inner}\" stroke=\"currentColor\"/>");
        let step = round_step((self.range.high - self.range.low) / 4.0);
        let mut value = (self.range.low / step).ceil() * step;
        while value <= self.range.high + step * 1e-6 {
            let _ = write!(
                svg,
                "<path d=\"M{0:.1} {floor}v3\" stroke=\"currentColor\"/><text x=\"{0:.1}\" y=\"{1}\" text-anchor=\"middle\">{2}</text>",
                x(value),
                HEIGHT - 12.0,
                tick(value, step)
            );
            value += step;
        }
        svg.push_str("</svg>");
        svg
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_hold_every_finite_value_once() {
        let range = ValueRange { low: 0.0, high: 1.0 };
        let values = [0.0, 0.005, 0.5, 0.999, 7.0, -1.0, f32::NAN];
        let histogram = Histogram::new("x".into(), &values, range, [0; 3], None);
        assert!((histogram.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        // Three at or below 0.005 (one of them beyond the range), one in the middle, two at or beyond the top.
        let shares = [histogram.shares[0], histogram.shares[BINS / 2], histogram.shares[BINS - 1]];
        assert_eq!(shares, [3.0 / 6.0, 1.0 / 6.0, 2.0 / 6.0]);
        assert_eq!(histogram.svg().matches("v3\"").count(), 6);
    }

    #[test]
    fn nothing_to_count_is_drawn_as_nothing() {
        let range = ValueRange { low: 0.0, high: 1.0 };
        let published = Some(Published { mean: 0.5, sd: 0.1 });
        let svg = Histogram::new("a < b".into(), &[f32::NAN], range, [0; 3], published).svg();
        assert!(!svg.contains("NaN") && svg.contains("a &lt; b; published mean 0.500"), "{svg}");
    }
}
