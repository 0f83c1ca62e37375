use crate::{Error, Result};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use std::sync::Arc;

/// Words of figures: DejaVu Sans, cut down to Latin and Greek, so that a figure looks the same on every machine.
const FONTS: [&[u8]; 2] = [include_bytes!("../assets/DejaVuSans.ttf"), include_bytes!("../assets/DejaVuSans-Bold.ttf")];

/// Font of figures, and what to take where it is not installed.
pub(crate) const FONT_FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// Larger pictures would not be looked at, and take 4 bytes a pixel.
const MOST_PIXELS: f64 = 4e8;

/// Draws SVG with `scale` pixels for each of its units, as the content of a PNG file.
///
/// # Errors
/// Text that is no SVG, or a picture without size or of more than 400 million pixels.
pub fn png_of_svg(svg: &str, scale: f64) -> Result<Vec<u8>> {
    let mut fonts = fontdb::Database::new();
    FONTS.iter().for_each(|font| fonts.load_font_data(font.to_vec()));
    fonts.set_sans_serif_family("DejaVu Sans");
    let options = Options { fontdb: Arc::new(fonts), font_family: "DejaVu Sans".into(), ..Options::default() };
    let refused = |size: [f64; 2], reason: String| Error::Picture { size: size.map(|v| v as usize), reason };
    let tree = Tree::from_str(svg, &options).map_err(|error| refused([0.0; 2], error.to_string()))?;
    let size = [tree.size().width(), tree.size().height()].map(|v| (f64::from(v) * scale).round());
    if !(size[0] * size[1] <= MOST_PIXELS && size[0] >= 1.0 && size[1] >= 1.0) {
        return Err(refused(size, "expected between 1 and 400 million pixels".into()));
    }
    let mut pixels =
        Pixmap::new(size[0] as u32, size[1] as u32).ok_or_else(|| refused(size, "too large for memory".into()))?;
    let scale = Transform::from_scale(scale as f32, scale as f32);
    resvg::render(&tree, scale, &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| refused(size, error.to_string()))
}

/// Text as XML and HTML hold it.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The nearest of 1, 2 or 5 times a power of ten that is no more than `most`; for lengths of scale bars and steps of axes.
pub fn round_step(most: f64) -> f64 {
    let power = 10f64.powf(most.log10().floor());
    [5.0, 2.0].into_iter().map(|n| n * power).find(|step| *step <= most).unwrap_or(power)
}

/// A number of an axis: as many digits as its step needs.
pub(crate) fn tick(value: f64, step: f64) -> String {
    let digits = (-step.log10().floor()).max(0.0) as usize;
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_drawn_with_the_font_inside() {
        let svg = |text: &str| {
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"20\">\
                 <text x=\"2\" y=\"15\" font-family=\"{FONT_FAMILY}\" font-size=\"12\">{text}</text></svg>"
            )
        };
        let ink = |png: Vec<u8>| {
            let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
            let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut bytes).unwrap();
            assert_eq!((info.width, info.height), (80, 40));
            bytes.chunks(4).map(|p| f64::from(p[3]) / 255.0).sum::<f64>()
        };
        let (empty, few, more) = (
            ink(png_of_svg(&svg(""), 2.0).unwrap()),
            ink(png_of_svg(&svg("I"), 2.0).unwrap()),
            ink(png_of_svg(&svg("III"), 2.0).unwrap()),
        );
        assert_eq!(empty, 0.0);
        assert!(few > 20.0 && (2.8..3.2).contains(&(more / few)), "{few} {more}");
        assert!(png_of_svg("no picture", 1.0).is_err());
        assert!(png_of_svg(&svg(""), 1e6).is_err());
    }

    #[test]
    fn steps_are_round() {
        assert_eq!([0.3, 4.9, 5.0, 12.0, 0.02].map(round_step), [0.2, 2.0, 5.0, 10.0, 0.02]);
        assert_eq!([tick(0.30000000001, 0.1), tick(20.0, 10.0)], ["0.3", "20"]);
    }
}
