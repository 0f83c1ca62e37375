use super::picture::Picture;
use super::wafer::WaferSections;
use crate::Result;
use brainmesh_segmentation::{Levels, PartKind};
use std::path::Path;

/// Pixels of the longer side at most.
const SIDE: usize = 2000;
/// Rows of the picture that are read at a time.
const BAND: usize = 256;
const TISSUE: [u8; 3] = [255, 214, 0];
const MAGNET: [u8; 3] = [255, 64, 64];
/// What has no partner.
const ALONE: [u8; 3] = [255, 0, 255];
const NUMBER: [u8; 3] = [0, 230, 118];
/// Share of the fluorescence in what is shown as blue.
const GLOW: f64 = 160.0;
/// 0 to 9: five rows of three points each, the highest bit at the left.
const DIGITS: [[u8; 5]; 10] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 7, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 1, 2, 2],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
];

/// The picture, reduced, with outlines and numbers.
pub(super) struct Preview {
    size: [usize; 2],
    /// Pixels of the file for one of the preview.
    factor: f64,
    rgb: Vec<u8>,
}

impl Preview {
    /// Draws what was found on intensity, and fluorescence in blue, of pictures that were reduced `scale` times.
    ///
    /// # Errors
    /// A hidden file that cannot be read back.
    pub fn new(
        intensity: (&Picture, Levels),
        glow: Option<(&Picture, Levels)>,
        wafer: &WaferSections,
        scale: f64,
    ) -> Result<Self> {
        let full = intensity.0.size;
        let blocks = full[0].max(full[1]).div_ceil(SIDE).max(1);
        let size = full.map(|length| length.div_ceil(blocks));
        let grey = means(intensity, size, blocks)?;
        let blue = glow.map(|glow| means(glow, size, blocks)).transpose()?;
        let mut rgb = Vec::with_capacity(3 * grey.len());
        for (n, value) in grey.iter().enumerate() {
            let glow = blue.as_ref().map_or(0.0, |blue| blue[n] * GLOW);
            let pixel = [220.0 * value, 220.0 * value, 220.0 * value + glow];
            rgb.extend(pixel.map(|value| value.clamp(0.0, 255.0) as u8));
        }
        let mut preview = Self { size, factor: scale * blocks as f64, rgb };
        preview.draw(wafer);
        Ok(preview)
    }

    /// # Errors
    /// A folder that cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        Ok(brainmesh_formats::write_png(path, self.size, &self.rgb)?)
    }

    fn draw(&mut self, wafer: &WaferSections) {
        for (number, kind, part) in wafer.parts() {
            let color = match (wafer.partner(number, kind), kind) {
                (None, _) => ALONE,
                (_, PartKind::Tissue) => TISSUE,
                (_, PartKind::Magnet) => MAGNET,
            };
            let corners = part.corners_px.map(|corner| self.place(corner));
            for (n, corner) in corners.iter().enumerate() {
                self.line(*corner, corners[(n + 1) % 4], color);
            }
        }
        let length = wafer.median_length_px().unwrap_or_default() / self.factor;
        let points = ((length / 22.0) as usize).clamp(1, 4);
        for (n, section) in wafer.sections.iter().enumerate() {
            if let Some(part) = section.tissue.as_ref().or(section.magnet.as_ref()) {
                let at = self.place(part.centre_px());
                self.number(n + 1, at, points);
            }
        }
    }

    /// Of the file's pixels in the preview.
    fn place(&self, at: [f64; 2]) -> [f64; 2] {
        at.map(|at| (at + 0.5) / self.factor - 0.5)
    }

    fn line(&mut self, from: [f64; 2], to: [f64; 2], color: [u8; 3]) {
        let steps = (to[0] - from[0]).abs().max((to[1] - from[1]).abs()).ceil().clamp(1.0, 1e5) as usize;
        for step in 0..=steps {
            let share = step as f64 / steps as f64;
            self.point([0, 1].map(|n| (from[n] + share * (to[n] - from[n])).round() as i64), color);
        }
    }

    /// In the middle of a place, on a dark ground.
    fn number(&mut self, number: usize, at: [f64; 2], points: usize) {
        let digits: Vec<usize> = number.to_string().bytes().map(|digit| usize::from(digit - b'0')).collect();
        let [width, height] = [(4 * digits.len() + 1) * points, 7 * points];
        let left = at[0].round() as i64 - width as i64 / 2;
        let top = at[1].round() as i64 - height as i64 / 2;
        for y in 0..height {
            for x in 0..width {
                let (column, row) = (x / points, y / points);
                let is_inside = column % 4 > 0 && (1..6).contains(&row);
                let is_set = is_inside && DIGITS[digits[column / 4]][row - 1] >> (3 - column % 4) & 1 == 1;
                let color = if is_set { NUMBER } else { [16, 16, 16] };
                self.point([left + x as i64, top + y as i64], color);
            }
        }
    }

    fn point(&mut self, [x, y]: [i64; 2], color: [u8; 3]) {
        let [width, height] = self.size.map(|length| length as i64);
        if (0..width).contains(&x) && (0..height).contains(&y) {
            let at = 3 * (x + width * y) as usize;
            self.rgb[at..at + 3].copy_from_slice(&color);
        }
    }
}

/// Of blocks, from 0 (dark) to 1.
fn means((picture, levels): (&Picture, Levels), size: [usize; 2], blocks: usize) -> Result<Vec<f64>> {
    let [width, height] = picture.size;
    let (mut sums, mut counts) = (vec![0.0; size[0] * size[1]], vec![0_u32; size[0] * size[1]]);
    for top in (0..height).step_by(BAND) {
        picture.region([0..width, top..(top + BAND).min(height)], |x, y, value| {
            let at = x / blocks + size[0] * ((top + y) / blocks);
            sums[at] += f64::from(levels.apply(value)) + 0.5;
            counts[at] += 1;
        })?;
    }
    Ok(sums.iter().zip(&counts).map(|(sum, &count)| (sum / f64::from(count.max(1))).clamp(0.0, 1.0)).collect())
}
