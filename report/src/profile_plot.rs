use crate::svg::{FONT_FAMILY, tick};
use crate::{ValueRange, escaped, round_step};
use std::fmt::Write as _;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 48.0;

/// Where a boundary was found on a ray.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundaryMark {
    /// Depth below the start of the axis, in mm.
    pub depth_mm: f64,
    /// Standard deviation in mm.
    pub sd_mm: f64,
    /// Red, green, blue.
    pub color: [u8; 3],
}

/// Intensity along a ray, with the boundaries and how sure they are.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfilePlot {
    /// What it shows.
    pub title: String,
    /// Depth in mm (below the pia where positive) and intensity; intensities that are not finite break the line.
    pub samples: Vec<[f64; 2]>,
    /// Boundaries from the pia inwards.
    pub boundaries: Vec<BoundaryMark>,
    /// Names of what lies between two boundaries; one less than boundaries.
    pub between: Vec<String>,
}

impl ProfilePlot {
    /// As SVG; one unit is one pixel.
    pub fn svg(&self) -> String {
        let depths = || self.samples.iter().map(|s| s[0]);
        let (first, last) = (depths().fold(f64::INFINITY, f64::min), depths().fold(f64::NEG_INFINITY, f64::max));
        let range = ValueRange::between_shares(self.samples.iter().map(|s| s[1] as f32), 0.0, 1.0);
        let floor = HEIGHT - BOTTOM;
        let x = |depth: f64| LEFT + (depth - first) / (last - first).max(1e-12) * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| floor - range.share(value) * (floor - TOP);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{0}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"{FONT_FAMILY}\" font-size=\"11\" fill=\"#222\">\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/><text x=\"{LEFT}\" y=\"17\" font-size=\"13\">{0}</text>",
            escaped(&self.title)
        );
        for mark in &self.boundaries {
            let [r, g, b] = mark.color;
            let color = format!("#{r:02x}{g:02x}{b:02x}");
            if mark.sd_mm.is_finite() {
                let (from, to) =
                    (x(mark.depth_mm - mark.sd_mm).max(LEFT), x(mark.depth_mm + mark.sd_mm).min(WIDTH - RIGHT));
                let _ = write!(
                    svg,
                    "<rect x=\"{from:.2}\" y=\"{TOP}\" width=\"{:.2}\" height=\"{:.1}\" fill=\"{color}\" opacity=\".3\"/>",
                    (to - from).max(0.0),
                    floor - TOP
                );
            }
            let at = x(mark.depth_mm);
            let _ = write!(svg, "<path d=\"M{at:.2} {TOP}V{floor}\" stroke=\"{color}\" stroke-width=\"2\"/>");
        }
        for (pair, name) in self.boundaries.windows(2).zip(&self.between) {
            let (from, to) = (x(pair[0].depth_mm), x(pair[1].depth_mm));
            // Where a layer is too thin for its name the name would stand in its neighbour.
            if to - from > 6.0 * name.chars().count() as f64 {
                let _ = write!(
                    svg,
                    "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\" font-weight=\"bold\">{}</text>",
                    (from + to) / 2.0,
                    TOP - 6.0,
                    escaped(name)
                );
            }
        }
        svg.push_str("<path fill=\"none\" stroke=\"#222\" stroke-width=\"1.5\" stroke-linejoin=\"round\" d=\"");
        let mut pen_is_up = true;
        for [depth, value] in &self.samples {
            if value.is_finite() {
                let _ = write!(svg, "{}{:.2} {:.2}", if pen_is_up { "M" } else { "L" }, x(*depth), y(*value));
            }
            pen_is_up = !value.is_finite();
        }
        let _ = write!(svg, "\"/><path fill=\"none\" stroke=\"#222\" d=\"M{LEFT} {TOP}V{floor}H{}\"/>", WIDTH - RIGHT);
        let step = round_step((last - first) / 6.0);
        for n in (first / step).ceil() as i64..=(last / step).floor() as i64 {
            let depth = n as f64 * step;
            let _ = write!(
                svg,
                "<path d=\"M{0:.2} {floor}v4\" stroke=\"#222\"/><text x=\"{0:.2}\" y=\"{1}\" text-anchor=\"middle\">{2}</text>",
                x(depth),
                floor + 17.0,
                tick(depth, step)
            );
        }
        let step = round_step((range.high - range.low) / 4.0);
        for n in (range.low / step).ceil() as i64..=(range.high / step).floor() as i64 {
            let value = n as f64 * step;
            let _ = write!(
                svg,
                "<path d=\"M{LEFT} {0:.2}h-4\" stroke=\"#222\"/><text x=\"{1}\" y=\"{2:.2}\" text-anchor=\"end\">{3}</text>",
                y(value),
                LEFT - 7.0,
                y(value) + 4.0,
                tick(value, step)
            );
        }
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">depth below the pia (mm); bands: 1 standard deviation</text>\
             <text transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">intensity</text></svg>",
            (LEFT + WIDTH - RIGHT) / 2.0,
            HEIGHT - 10.0,
            (TOP + floor) / 2.0
        );
        svg
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An axis from -1 to 3 mm over 564 pixels: a boundary at 1 mm stands in the middle, its band 0.1 mm to each side.
    #[test]
    fn boundaries_stand_at_their_depth() {
        let samples = (0..=40).map(|n| [f64::from(n) / 10.0 - 1.0, f64::from(n)]).collect();
        let mark = |depth_mm, sd_mm| BoundaryMark { depth_mm, sd_mm, color: [1, 2, 3] };
        let plot = ProfilePlot {
            title: "ray <7>".into(),
            samples,
            boundaries: vec![mark(0.0, f64::NAN), mark(1.0, 0.1)],
            between: vec!["I".into()],
        };
        let svg = plot.svg();
        assert!(svg.contains("M344.00 46V282"), "{svg}");
        assert!(svg.contains("x=\"329.90\" y=\"46\" width=\"28.20\""), "{svg}");
        assert!(svg.contains(">I</text>") && svg.contains("ray &lt;7&gt;") && !svg.contains("NaN"));
        crate::png_of_svg(&svg, 1.0).unwrap();
    }
}
