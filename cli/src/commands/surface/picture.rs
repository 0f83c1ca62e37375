//! Lines of surfaces as SVG, over the slice of a volume where one is given.

use super::super::short;
use super::contours::{Drawn, in_plane};
use crate::args::ContoursCommand;
use crate::{Error, Result};
use base64::Engine as _;
use brainmesh_core::{Monitor, WorldPoint};
use brainmesh_formats::VolumeOptions;
use brainmesh_meshing::{Plane, sample_plane};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Most pixels of the slice along one side.
const MOST_PIXELS: f64 = 2048.0;

/// How the picture looks.
pub(super) struct Options {
    volume: Option<PathBuf>,
    window: Option<[f32; 2]>,
    line_mm: Option<f64>,
}

impl Options {
    pub(super) fn parse(arguments: &ContoursCommand) -> Result<Self> {
        let window = match arguments.window.as_slice() {
            [] => None,
            &[low, high] if low < high => Some([low, high]),
            other => {
                return Err(Error::Usage(format!(
                    "--window: expected two numbers, the smaller first, found {other:?}"
                )));
            }
        };
        if let Some(mm) = arguments.line_mm.filter(|mm| !(*mm > 0.0 && *mm <= 100.0)) {
            return Err(Error::Usage(format!("--line-mm: expected above 0 and at most 100, found {mm}")));
        }
        let svg = |path: &PathBuf| path.extension().is_some_and(|e| e == "svg");
        if arguments.volume.is_some() && !arguments.out.iter().any(svg) {
            return Err(Error::Usage("--volume: expected an .svg among --out: other formats hold no picture".into()));
        }
        Ok(Self { volume: arguments.volume.clone(), window, line_mm: arguments.line_mm })
    }
}

/// What is drawn.
pub(super) struct Picture<'a> {
    pub(super) plane: &'a Plane,
    pub(super) title: &'a str,
    pub(super) drawn: &'a [Drawn],
    pub(super) options: &'a Options,
}

/// Part of the plane that is shown, in mm.
struct Frame {
    low: [f64; 2],
    high: [f64; 2],
}

impl Frame {
    fn size(&self) -> [f64; 2] {
        [self.high[0] - self.low[0], self.high[1] - self.low[1]]
    }

    /// What words and lines are measured in: a hundredth of the longer side.
    fn unit(&self) -> f64 {
        let [width, height] = self.size();
        width.max(height) / 100.0
    }
}

impl Picture<'_> {
    /// One unit of the drawing is one millimetre.
    pub(super) fn svg(&self, monitor: &dyn Monitor) -> Result<String> {
        let frame = self.frame();
        let [width, height] = frame.size();
        let slice = match &self.options.volume {
            Some(path) => Some(self.slice(path, &frame, monitor)?),
            None => None,
        };
        let mut svg = String::new();
        self.draw(&mut svg, &frame, slice.as_deref()).map_err(|error| Error::Unusable(error.to_string()))?;
        let height = height + self.legend_mm(&frame);
        Ok(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.3}mm\" height=\"{height:.3}mm\" \
             viewBox=\"0 0 {width:.3} {height:.3}\">\n{svg}</svg>\n"
        ))
    }

    /// Height of the words above the picture.
    fn legend_mm(&self, frame: &Frame) -> f64 {
        (4.0 + 2.8 * self.drawn.len() as f64) * frame.unit()
    }

    fn draw(&self, svg: &mut String, frame: &Frame, slice: Option<&str>) -> std::fmt::Result {
        let ([width, height], unit, legend) = (frame.size(), frame.unit(), self.legend_mm(frame));
        let line = self.options.line_mm.unwrap_or(0.25 * unit);
        writeln!(svg, "<title>{}</title>", escaped(self.title))?;
        let whole = height + legend;
        writeln!(svg, "<rect width=\"{width:.3}\" height=\"{whole:.3}\" fill=\"#ffffff\"/>")?;
        writeln!(svg, "<g font-family=\"sans-serif\" font-size=\"{:.3}\" fill=\"#222222\">", 2.2 * unit)?;
        writeln!(svg, "<text x=\"{unit:.3}\" y=\"{:.3}\">{}</text>", 2.6 * unit, escaped(self.title))?;
        for (n, surface) in self.drawn.iter().enumerate() {
            let [r, g, b] = surface.color;
            let y = (5.4 + 2.8 * n as f64) * unit;
            writeln!(
                svg,
                "<path d=\"M {unit:.3} {:.3} h {:.3}\" stroke=\"#{r:02x}{g:02x}{b:02x}\" stroke-width=\"{:.3}\"/>\
                 <text x=\"{:.3}\" y=\"{y:.3}\">{}</text>",
                y - 0.7 * unit,
                4.0 * unit,
                0.6 * unit,
                6.0 * unit,
                escaped(&surface.name)
            )?;
        }
        writeln!(svg, "</g>\n<g transform=\"translate(0 {legend:.3})\">")?;
        if let Some(png) = slice {
            writeln!(
                svg,
                "<image width=\"{width:.3}\" height=\"{height:.3}\" preserveAspectRatio=\"none\" \
                 href=\"data:image/png;base64,{png}\"/>"
            )?;
        }
        for surface in self.drawn {
            let [r, g, b] = surface.color;
            writeln!(
                svg,
                "<g fill=\"none\" stroke=\"#{r:02x}{g:02x}{b:02x}\" stroke-width=\"{line:.4}\" stroke-linejoin=\"round\">\
                 <title>{}</title>",
                escaped(&surface.name)
            )?;
            for contour in &surface.contours {
                write!(svg, "<path d=\"M")?;
                for p in &contour.points {
                    let [x, y] = in_plane(self.plane, *p);
                    write!(svg, " {:.4} {:.4}", x - frame.low[0], frame.high[1] - y)?;
                }
                writeln!(svg, "{}\"/>", if contour.closed { " Z" } else { "" })?;
            }
            writeln!(svg, "</g>")?;
        }
        let text = if slice.is_some() { "#ffffff" } else { "#222222" };
        let bar = round_length(width / 5.0);
        let (x, y) = (width - bar - unit, height - unit);
        writeln!(
            svg,
            "<path d=\"M {x:.3} {y:.3} h {bar}\" stroke=\"{text}\" stroke-width=\"{:.3}\"/>\
             <text x=\"{:.3}\" y=\"{:.3}\" font-family=\"sans-serif\" font-size=\"{:.3}\" text-anchor=\"middle\" \
             fill=\"{text}\">{} mm</text>\n</g>",
            0.4 * unit,
            x + bar / 2.0,
            y - unit,
            2.2 * unit,
            short(bar)
        )
    }

    /// Around all lines, with room for words.
    fn frame(&self) -> Frame {
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for p in self.drawn.iter().flat_map(|s| &s.contours).flat_map(|c| &c.points) {
            let at = in_plane(self.plane, *p);
            for axis in 0..2 {
                low[axis] = low[axis].min(at[axis]);
                high[axis] = high[axis].max(at[axis]);
            }
        }
        let margin = ((high[0] - low[0]).max(high[1] - low[1]) * 0.08).max(1e-3);
        Frame { low: low.map(|v| v - margin), high: high.map(|v| v + margin) }
    }

    /// The slice of a volume as a PNG in base64.
    fn slice(&self, path: &std::path::Path, frame: &Frame, monitor: &dyn Monitor) -> Result<String> {
        let file = VolumeOptions::default().open(path)?;
        let finest = file.grid().spacing_mm().into_iter().fold(f64::INFINITY, f64::min);
        let [width_mm, height_mm] = frame.size();
        let pixel_mm = (finest / 2.0).max(width_mm.max(height_mm) / MOST_PIXELS);
        let size = [width_mm, height_mm].map(|mm| (mm / pixel_mm).ceil().max(1.0) as usize);
        // Pixels that fill the frame exactly.
        let step = [width_mm / size[0] as f64, height_mm / size[1] as f64];
        let [right, up] = self.plane.axes();
        let origin = self.plane.normal() * self.plane.point().0.dot(self.plane.normal());
        let corner = origin + right * (frame.low[0] + step[0] / 2.0) + up * (frame.high[1] - step[1] / 2.0);
        let (across, down) = (right * step[0], up * -step[1]);
        // Only that part of the volume which the slice passes is read.
        let corners = [(0, 0), (1, 0), (0, 1), (1, 1)]
            .map(|(x, y)| corner + across * (x * (size[0] - 1)) as f64 + down * (y * (size[1] - 1)) as f64)
            .map(|p| file.grid().voxel_from_world(WorldPoint(p)).0.to_array());
        let region: [_; 3] = std::array::from_fn(|axis| {
            let along = corners.map(|p| p[axis]);
            let low = along.into_iter().fold(f64::INFINITY, f64::min).floor().max(0.0) as usize;
            let high = along.into_iter().fold(f64::NEG_INFINITY, f64::max).ceil().max(0.0) as usize;
            low.saturating_sub(1)..high.saturating_add(2).min(file.grid().shape()[axis])
        });
        if region.iter().any(std::ops::Range::is_empty) {
            return Err(Error::Unusable(format!("{}: does not reach the plane {}", path.display(), self.title)));
        }
        let volume = file.read_region::<f32>(0, &region, monitor)?;
        let values = sample_plane(&volume, WorldPoint(corner), across, down, size, monitor)?;
        let mut seen: Vec<f32> = values.iter().copied().filter(|v| v.is_finite()).collect();
        if seen.is_empty() {
            return Err(Error::Unusable(format!("{}: does not reach the plane {}", path.display(), self.title)));
        }
        seen.sort_by(f32::total_cmp);
        let percentile = |share: f64| seen[((seen.len() - 1) as f64 * share) as usize];
        let [low, high] = self.options.window.unwrap_or([percentile(0.01), percentile(0.99)]);
        let grey = |v: &f32| {
            let share = (v - low) / (high - low).max(f32::MIN_POSITIVE);
            // What the volume does not hold is black.
            if v.is_finite() { (share.clamp(0.0, 1.0) * 255.0).round() as u8 } else { 0 }
        };
        let rgb: Vec<u8> = values.iter().flat_map(|v| [grey(v); 3]).collect();
        let folder = tempfile::tempdir().map_err(|source| Error::Write { path: std::env::temp_dir(), source })?;
        let png = folder.path().join("slice.png");
        brainmesh_formats::write_png(&png, size, &rgb)?;
        let bytes = std::fs::read(&png).map_err(|source| Error::Write { path: png, source })?;
        Ok(base64::engine::general_purpose::STANDARD.encode(bytes))
    }
}

/// The nearest length of 1, 2 or 5 times a power of ten that is no longer.
fn round_length(mm: f64) -> f64 {
    let power = 10f64.powf(mm.log10().floor());
    [5.0, 2.0].into_iter().map(|n| n * power).find(|length| *length <= mm).unwrap_or(power)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
