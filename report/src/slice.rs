use crate::svg::FONT_FAMILY;
use crate::{escaped, round_step};
use std::fmt::Write as _;

/// Contours are rounded to the longer side of the picture by this.
const STEPS: f64 = 20_000.0;

/// Lines in which one surface meets the plane of a slice.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// What the surface is.
    pub name: String,
    /// Red, green, blue.
    pub color: [u8; 3],
    /// Points in mm to the right and up in the plane, and whether the line closes.
    pub lines: Vec<(Vec<[f64; 2]>, bool)>,
}

/// A slice with the lines of surfaces over it.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// What it shows, in words; also said to those who cannot see it.
    pub title: String,
    /// Part of the plane that is shown, mm to the right and up: lowest corner.
    pub low: [f64; 2],
    /// Highest corner.
    pub high: [f64; 2],
    /// Picture behind the lines that fills it, as an address that holds it.
    pub image: Option<String>,
    /// Lines over it.
    pub outlines: Vec<Outline>,
    /// Letters at the left, right, upper and lower edge, such as L, R, A, P.
    pub edges: [char; 4],
    /// Another part to mark with a rectangle: lowest and highest corner.
    pub marked: Option<[[f64; 2]; 2]>,
}

impl Slice {
    /// Width and height in mm.
    pub fn size_mm(&self) -> [f64; 2] {
        [self.high[0] - self.low[0], self.high[1] - self.low[1]]
    }

    /// As SVG of `width` pixels; lines are `line` pixels wide. One unit is one pixel.
    pub fn svg(&self, width: f64, line: f64) -> String {
        let [width_mm, height_mm] = self.size_mm();
        let height = width * height_mm / width_mm;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"slice\" role=\"img\" aria-label=\"{}\" width=\"{width:.1}\" \
             height=\"{height:.1}\" viewBox=\"0 0 {width:.1} {height:.1}\">{}</svg>",
            escaped(&self.title),
            self.drawing(width, line)
        )
    }

    /// What stands inside the SVG.
    pub(crate) fn drawing(&self, width: f64, line: f64) -> String {
        let [width_mm, height_mm] = self.size_mm();
        let scale = width / width_mm;
        let height = height_mm * scale;
        let mut svg = format!("<rect width=\"{width:.1}\" height=\"{height:.1}\" fill=\"#000\"/>");
        // Writing to a string does not fail.
        if let Some(address) = &self.image {
            let _ = write!(
                svg,
                "<image width=\"{width:.1}\" height=\"{height:.1}\" preserveAspectRatio=\"none\" href=\"{address}\"/>"
            );
        }
        let step_mm = width_mm.max(height_mm) / STEPS;
        let _ = write!(
            svg,
            "<g class=\"lines\" transform=\"scale({:.8})\" fill=\"none\" stroke-width=\"{:.3}\" stroke-linejoin=\"round\">",
            step_mm * scale,
            line / (step_mm * scale)
        );
        for outline in &self.outlines {
            let [r, g, b] = outline.color;
            let _ = write!(svg, "<path stroke=\"#{r:02x}{g:02x}{b:02x}\" d=\"");
            for (points, closed) in &outline.lines {
                let placed = points
                    .iter()
                    .map(|p| [p[0] - self.low[0], self.high[1] - p[1]].map(|mm| (mm / step_mm).round() as i64));
                write_line(&mut svg, placed, *closed);
            }
            let _ = write!(svg, "\"><title>{}</title></path>", escaped(&outline.name));
        }
        svg.push_str("</g>");
        if let Some([low, high]) = self.marked {
            let [x, y] = [(low[0] - self.low[0]) * scale, (self.high[1] - high[1]) * scale];
            let [w, h] = [(high[0] - low[0]) * scale, (high[1] - low[1]) * scale];
            let _ = write!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" fill=\"none\" stroke=\"#fff\" stroke-width=\"1\" stroke-dasharray=\"3 2\"/>"
            );
        }
        self.words(&mut svg, [width, height], scale);
        svg
    }

    /// Letters at the edges and a scale bar, white with a dark rim, so that they are read on any picture.
    fn words(&self, svg: &mut String, [width, height]: [f64; 2], scale: f64) {
        let size = (width / 26.0).clamp(9.0, 16.0);
        let _ = write!(
            svg,
            "<g font-family=\"{FONT_FAMILY}\" font-size=\"{size:.1}\" fill=\"#fff\" stroke=\"#000\" stroke-width=\"2.4\" \
             paint-order=\"stroke\" text-anchor=\"middle\">"
        );
        let places = [
            [size * 0.7, height / 2.0 + size * 0.35],
            [width - size * 0.7, height / 2.0 + size * 0.35],
            [width / 2.0, size * 1.1],
            [width / 2.0, height - size * 0.4],
        ];
        for (letter, [x, y]) in self.edges.iter().zip(places) {
            let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\">{letter}</text>");
        }
        let bar_mm = round_step(width / scale / 5.0);
        let bar = bar_mm * scale;
        let (x, y) = (width - bar - size * 0.6, height - size * 0.7);
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\">{bar_mm} mm</text></g><path d=\"M{x:.1} {y:.1}h{bar:.2}\" stroke=\"#000\" \
             stroke-width=\"4\"/><path d=\"M{x:.1} {y:.1}h{bar:.2}\" stroke=\"#fff\" stroke-width=\"2\"/>",
            x + bar / 2.0,
            y - size * 0.4
        );
    }
}

/// A line in whole steps; points on the way from one to the next that say nothing are left out.
fn write_line(svg: &mut String, points: impl Iterator<Item = [i64; 2]>, closed: bool) {
    let mut kept: Vec<[i64; 2]> = Vec::new();
    for p in points {
        if kept.last() == Some(&p) {
            continue;
        }
        if let [.., a, b] = kept.as_slice() {
            let (u, v) = ([b[0] - a[0], b[1] - a[1]], [p[0] - b[0], p[1] - b[1]]);
            if u[0] * v[1] == u[1] * v[0] && u[0] * v[0] + u[1] * v[1] > 0 {
                kept.pop();
            }
        }
        kept.push(p);
    }
    let Some((first, rest)) = kept.split_first().filter(|(_, rest)| !rest.is_empty()) else { return };
    let _ = write!(svg, "M{} {}l", first[0], first[1]);
    let mut from = *first;
    for (n, p) in rest.iter().enumerate() {
        let [x, y] = [p[0] - from[0], p[1] - from[1]];
        let gap = if n == 0 || x < 0 { "" } else { " " };
        let between = if y < 0 { "" } else { " " };
        let _ = write!(svg, "{gap}{x}{between}{y}");
        from = *p;
    }
    if closed {
        svg.push('z');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(lines: Vec<(Vec<[f64; 2]>, bool)>) -> Slice {
        let outline = Outline { name: "pia <1>".into(), color: [255, 0, 16], lines };
        Slice {
            title: "axial & flat".into(),
            low: [10.0, 20.0],
            high: [30.0, 30.0],
            image: None,
            outlines: vec![outline],
            edges: ['L', 'R', 'A', 'P'],
            marked: None,
        }
    }

    /// 20 mm are 20,000 steps: a step is a micrometre, up is up, and a point on a straight way is left out.
    #[test]
    fn lines_are_where_they_are() {
        let svg = slice(vec![(vec![[10.0, 30.0], [15.0, 25.0], [20.0, 20.0], [20.0, 29.0]], true)]).svg(200.0, 1.0);
        assert!(svg.contains("d=\"M0 0l10000 10000 0-9000z\""), "{svg}");
        assert!(
            svg.contains("stroke=\"#ff0010\"") && svg.contains("pia &lt;1&gt;") && svg.contains("axial &amp; flat")
        );
        assert!(svg.contains("height=\"100.0\""));
    }

    /// Red where the line is, black beside it, drawn by resvg.
    #[test]
    fn a_line_is_drawn_at_its_place() {
        let svg = slice(vec![(vec![[10.0, 25.0], [24.0, 25.0]], false)]).svg(200.0, 4.0);
        let png = crate::png_of_svg(&svg, 1.0).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut bytes).unwrap();
        let pixel = |x: usize, y: usize| &bytes[4 * (x + 200 * y)..][..3];
        assert_eq!(pixel(70, 50), [255, 0, 16]);
        assert_eq!(pixel(70, 30), [0, 0, 0]);
        assert_eq!(pixel(160, 50), [0, 0, 0]);
    }
}
