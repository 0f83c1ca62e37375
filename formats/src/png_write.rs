use crate::{Result, fault, write_atomically};
use png::{BitDepth, ColorType, Compression, Encoder};
use std::path::Path;

/// Writes a picture as PNG, whole or not at all: red, green, blue of each pixel, or one grey, rows from the top.
///
/// # Errors
/// Values that do not fill the picture, or a folder that cannot be written.
pub fn write_png(path: &Path, [width, height]: [usize; 2], pixels: &[u8]) -> Result<()> {
    let refused = |e| fault::invalid(path, "picture", "one or three bytes for each pixel", e);
    write_atomically(path, |w| {
        let size = |n: usize| u32::try_from(n).map_err(|e| refused(e.to_string()));
        let mut encoder = Encoder::new(w, size(width)?, size(height)?);
        let is_grey = width.checked_mul(height) == Some(pixels.len());
        encoder.set_color(if is_grey { ColorType::Grayscale } else { ColorType::Rgb });
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::High);
        let written = encoder.write_header().and_then(|mut writer| {
            writer.write_image_data(pixels)?;
            writer.finish()
        });
        written.map_err(|error| match error {
            png::EncodingError::IoError(source) => fault::io(path)(source),
            error => refused(error.to_string()),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_picture_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        write_png(&path, [2, 1], &[1, 2, 3, 4, 5, 6]).unwrap();
        let green = crate::VolumeOptions::default().with_volume_index(1).read(&path).unwrap();
        assert_eq!((green.grid().shape(), green.data()), ([2, 1, 1], [2.0, 5.0].as_slice()));
        write_png(&path, [2, 1], &[0, 255]).unwrap();
        let grey = crate::VolumeOptions::default().open(&path).unwrap();
        assert_eq!(
            (grey.info().volumes, grey.read::<u8>(0, &brainmesh_core::Silent).unwrap().data()),
            (1, [0, 255].as_slice())
        );
        assert!(write_png(&path, [2, 2], &[1, 2, 3]).is_err());
        assert!(write_png(&path, [0, 2], &[]).is_err());
    }
}
