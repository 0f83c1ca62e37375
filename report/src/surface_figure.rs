use crate::svg::{FONT_FAMILY, tick};
use crate::{ColorScale, Picture, Result, ValueRange, escaped, round_step};
use std::fmt::Write as _;

const GAP: f64 = 12.0;
const TITLE: f64 = 22.0;
const BAR_HEIGHT: f64 = 12.0;
const JPEG_QUALITY: u8 = 88;

/// A surface seen from one side.
#[derive(Debug, Clone)]
pub struct SurfacePanel {
    /// From where.
    pub title: String,
    /// What is seen.
    pub picture: Picture,
    /// Size of a pixel of the picture in mm.
    pub pixel_mm: f64,
}

/// Views of a surface side by side, with one colour bar and one scale.
#[derive(Debug, Clone)]
pub struct SurfaceFigure {
    /// What it shows.
    pub title: String,
    /// Views, in rows of `columns`.
    pub panels: Vec<SurfacePanel>,
    /// Views in a row.
    pub columns: usize,
    /// Whether views are packed as JPEG on white, a tenth of the size, instead of PNG without a background.
    pub lossy: bool,
    /// Colours and values of the map, and its name with its unit.
    pub bar: Option<(ColorScale, ValueRange, String)>,
}

impl SurfaceFigure {
    /// As SVG `width` units wide; every view is drawn to the same scale.
    ///
    /// # Errors
    /// A picture that cannot be encoded.
    pub fn svg(&self, width: f64) -> Result<String> {
        let columns = self.columns.clamp(1, self.panels.len().max(1));
        let cell = (width - GAP * (columns + 1) as f64) / columns as f64;
        // The widest view fills its cell.
        let size_mm = |panel: &SurfacePanel| panel.picture.size().map(|pixels| pixels as f64 * panel.pixel_mm);
        let widest = self.panels.iter().map(|p| size_mm(p)[0]).fold(1e-9, f64::max);
        let scale = cell / widest;
        let head = if self.title.is_empty() { 0.0 } else { 26.0 };
        let mut body = String::new();
        let mut y = head;
        for row in self.panels.chunks(columns) {
            let high = row.iter().map(|p| size_mm(p)[1] * scale).fold(0.0, f64::max);
            for (n, panel) in row.iter().enumerate() {
                let [w, h] = size_mm(panel).map(|mm| mm * scale);
                let x = GAP + n as f64 * (cell + GAP);
                let _ = write!(
                    body,
                    "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text><image x=\"{:.2}\" y=\"{:.2}\" \
                     width=\"{w:.2}\" height=\"{h:.2}\" href=\"{}\"/>",
                    x + cell / 2.0,
                    y + 15.0,
                    escaped(&panel.title),
                    x + (cell - w) / 2.0,
                    y + TITLE + (high - h) / 2.0,
                    if self.lossy {
                        panel.picture.on_white().jpeg_address(JPEG_QUALITY)?
                    } else {
                        panel.picture.png_address()?
                    }
                );
            }
            y += TITLE + high + GAP;
        }
        let foot = y;
        let bar_mm = round_step(widest / 3.0);
        let _ = write!(
            body,
            "<path d=\"M{GAP} {:.1}h{:.2}\" stroke=\"currentColor\" stroke-width=\"2\"/><text x=\"{GAP}\" y=\"{:.1}\">{bar_mm} mm</text>",
            foot + 8.0,
            bar_mm * scale,
            foot + 24.0
        );
        if let Some((colors, range, name)) = &self.bar {
            self.bar(&mut body, *colors, *range, name, [width, foot]);
        }
        let height = foot + 46.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{0}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             viewBox=\"0 0 {width:.1} {height:.1}\" font-family=\"{FONT_FAMILY}\" font-size=\"12\" fill=\"currentColor\" color=\"#222\">\
             <rect width=\"{width:.1}\" height=\"{height:.1}\" fill=\"#fff\"/>",
            escaped(&self.title)
        );
        if head > 0.0 {
            let _ = write!(
                svg,
                "<text x=\"{GAP}\" y=\"18\" font-size=\"14\" font-weight=\"bold\">{}</text>",
                escaped(&self.title)
            );
        }
        Ok(svg + &body + "</svg>")
    }

    fn bar(&self, svg: &mut String, colors: ColorScale, range: ValueRange, name: &str, [width, y]: [f64; 2]) {
        let length = (width * 0.4).min(320.0);
        let x = width - length - 2.0 * GAP;
        let _ = write!(svg, "<defs><linearGradient id=\"bar\">");
        for n in 0..=16 {
            let share = f64::from(n) / 16.0;
            let [r, g, b] = colors.color(share);
            let _ = write!(svg, "<stop offset=\"{share}\" stop-color=\"#{r:02x}{g:02x}{b:02x}\"/>");
        }
        let _ = write!(
            svg,
            "</linearGradient></defs><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{BAR_HEIGHT}\" \
             fill=\"url(#bar)\" stroke=\"currentColor\" stroke-width=\".5\"/>"
        );
        let step = round_step((range.high - range.low) / 3.0);
        for n in (range.low / step - 1e-6).ceil() as i64..=(range.high / step + 1e-6).floor() as i64 {
            let value = n as f64 * step;
            let at = x + range.share(value) * length;
            let _ = write!(
                svg,
                "<path d=\"M{at:.1} {:.1}v4\" stroke=\"currentColor\"/><text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                y + BAR_HEIGHT,
                y + BAR_HEIGHT + 16.0,
                tick(value, step)
            );
        }
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            x + length / 2.0,
            y + BAR_HEIGHT + 31.0,
            escaped(name)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two views, 20 and 10 mm wide: the second is drawn half as wide.
    #[test]
    fn views_are_drawn_to_one_scale() {
        let panel = |pixels: usize| SurfacePanel {
            title: "left & right".into(),
            picture: Picture::new([pixels, 10], vec![255; pixels * 40]).unwrap(),
            pixel_mm: 1.0,
        };
        let figure = SurfaceFigure {
            title: "t".into(),
            panels: vec![panel(20), panel(10)],
            columns: 2,
            lossy: false,
            bar: Some((ColorScale::Viridis, ValueRange { low: 0.0, high: 3.0 }, "thickness (mm)".into())),
        };
        let svg = figure.svg(436.0).unwrap();
        assert!(svg.contains("width=\"200.00\"") && svg.contains("width=\"100.00\""), "{svg}");
        assert!(svg.contains("left &amp; right") && svg.contains("thickness (mm)"));
        crate::png_of_svg(&svg, 1.0).unwrap();
    }
}
