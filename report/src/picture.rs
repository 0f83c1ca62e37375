use crate::{Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jpeg_encoder::{ColorType, Encoder};

/// Pixels, red, green, blue and opacity each, rows from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    size: [usize; 2],
    rgba: Vec<u8>,
}

impl Picture {
    /// Four bytes a pixel.
    ///
    /// # Errors
    /// Bytes that do not fill the picture.
    pub fn new(size: [usize; 2], rgba: Vec<u8>) -> Result<Self> {
        let expected = size[0].saturating_mul(size[1]).saturating_mul(4);
        if rgba.len() != expected || rgba.is_empty() {
            return Err(Error::Length { field: "bytes of a picture", expected, found: rgba.len() });
        }
        Ok(Self { size, rgba })
    }

    /// Grey values from `low` (black) to `high` (white); what is not finite is black.
    ///
    /// # Errors
    /// Values that do not fill the picture.
    pub fn grey(size: [usize; 2], values: &[f32], [low, high]: [f32; 2]) -> Result<Self> {
        let grey = |v: &f32| {
            let share = (v - low) / (high - low).max(f32::MIN_POSITIVE);
            let byte = if v.is_finite() { (share.clamp(0.0, 1.0) * 255.0).round() as u8 } else { 0 };
            [byte, byte, byte, 255]
        };
        Self::new(size, values.iter().flat_map(grey).collect())
    }

    /// Width and height.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// Red, green, blue, opacity of each pixel.
    pub fn rgba(&self) -> &[u8] {
        &self.rgba
    }

    /// The picture on white paper, opaque.
    #[must_use]
    pub fn on_white(&self) -> Self {
        let over = |pixel: &[u8]| {
            let opacity = u32::from(pixel[3]);
            let mix = |c: u8| ((u32::from(c) * opacity + 255 * (255 - opacity) + 127) / 255) as u8;
            [mix(pixel[0]), mix(pixel[1]), mix(pixel[2]), 255]
        };
        Self { size: self.size, rgba: self.rgba.chunks_exact(4).flat_map(over).collect() }
    }

    fn refused(&self, reason: impl ToString) -> Error {
        Error::Picture { size: self.size, reason: reason.to_string() }
    }

    /// The content of a PNG file.
    ///
    /// # Errors
    /// A picture that is too large for the format.
    pub fn png(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let [width, height] = self.size.map(u32::try_from);
        let width = width.map_err(|e| self.refused(e))?;
        let height = height.map_err(|e| self.refused(e))?;
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header().map_err(|e| self.refused(e))?;
        writer.write_image_data(&self.rgba).map_err(|e| self.refused(e))?;
        writer.finish().map_err(|e| self.refused(e))?;
        Ok(bytes)
    }

    /// The content of a grey JPEG file of the red values, quality 1 to 100.
    ///
    /// # Errors
    /// A picture with more than 65535 pixels a side.
    pub fn grey_jpeg(&self, quality: u8) -> Result<Vec<u8>> {
        let grey: Vec<u8> = self.rgba.chunks_exact(4).map(|pixel| pixel[0]).collect();
        self.jpeg(&grey, ColorType::Luma, quality)
    }

    fn jpeg(&self, values: &[u8], color: ColorType, quality: u8) -> Result<Vec<u8>> {
        let [width, height] = self.size.map(u16::try_from);
        let width = width.map_err(|e| self.refused(e))?;
        let height = height.map_err(|e| self.refused(e))?;
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes, quality).encode(values, width, height, color).map_err(|e| self.refused(e))?;
        Ok(bytes)
    }

    /// The picture as an address that holds it, JPEG of red, green and blue.
    ///
    /// # Errors
    /// A picture with more than 65535 pixels a side.
    pub fn jpeg_address(&self, quality: u8) -> Result<String> {
        let rgb: Vec<u8> = self.rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(self.jpeg(&rgb, ColorType::Rgb, quality)?)))
    }

    /// The picture as an address that holds it, PNG.
    ///
    /// # Errors
    /// As [`Picture::png`].
    pub fn png_address(&self) -> Result<String> {
        Ok(format!("data:image/png;base64,{}", STANDARD.encode(self.png()?)))
    }

    /// The picture as an address that holds it, grey JPEG.
    ///
    /// # Errors
    /// As [`Picture::grey_jpeg`].
    pub fn grey_jpeg_address(&self, quality: u8) -> Result<String> {
        Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(self.grey_jpeg(quality)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_values_span_the_window_and_gaps_are_black() {
        let picture = Picture::grey([4, 1], &[-5.0, 10.0, 15.0, f32::NAN], [10.0, 20.0]).unwrap();
        let grey: Vec<u8> = picture.rgba().chunks(4).map(|p| p[0]).collect();
        assert_eq!(grey, [0, 0, 128, 0]);
        assert!(Picture::grey([2, 2], &[0.0; 3], [0.0, 1.0]).is_err());
        assert!(Picture::new([0, 0], Vec::new()).is_err());
    }

    #[test]
    fn what_is_transparent_is_white_on_paper() {
        let picture = Picture::new([3, 1], vec![10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 255, 51]).unwrap();
        // A fifth of the colour, four fifths of white.
        assert_eq!(picture.on_white().rgba(), [10, 20, 30, 255, 255, 255, 255, 255, 204, 224, 255, 255]);
        assert!(picture.jpeg_address(80).unwrap().starts_with("data:image/jpeg;base64,"));
    }

    #[test]
    fn a_png_holds_every_pixel() {
        let picture = Picture::new([2, 1], vec![1, 2, 3, 255, 4, 5, 6, 0]).unwrap();
        let png = picture.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut bytes).unwrap();
        assert_eq!(bytes, picture.rgba());
    }
}
