use super::picture::Pixels;

/// Larger pictures are easier to judge.
const ENLARGED: usize = 3;
/// Width of the line, in pixels of the overlay.
const LINE: f64 = 1.6;
const COLOUR: [f64; 3] = [255.0, 196.0, 0.0];
/// Edge of a tile of the sheet, in pixels of the picture.
const TILE: usize = 112;
/// Tiles beside one another.
const MOST_COLUMNS: usize = 12;
/// Tiles of a sheet.
const MOST_TILES: usize = 400;

/// A picture in colours, rows from the top.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Overlay {
    pub size: [usize; 2],
    pub rgb: Vec<u8>,
}

impl Overlay {
    /// A picture, black at its 1st and white at its 99th percentile, and the contour that was found.
    pub fn new(pixels: &Pixels, contour: &[[f64; 2]]) -> Self {
        let [width, height] = pixels.size;
        Self::part(pixels, contour, [0.0, 0.0], [width * ENLARGED, height * ENLARGED], ENLARGED as f64)
    }

    /// `size` pixels, `scale` of them a pixel of the picture, from `corner` of the picture on.
    fn part(pixels: &Pixels, contour: &[[f64; 2]], corner: [f64; 2], size: [usize; 2], scale: f64) -> Self {
        let [low, high] = window(&pixels.values);
        let mut grey = vec![0.0; size[0] * size[1]];
        for (n, value) in grey.iter_mut().enumerate() {
            let [x, y] = [n % size[0], n / size[0]].map(|at| (at as f64 + 0.5) / scale - 0.5);
            let found = sample(pixels, x + corner[0], y + corner[1]);
            *value = ((found - low) / (high - low).max(1e-9) * 255.0).clamp(0.0, 255.0);
        }
        let line = line(contour, corner, size, scale);
        let mix = |(&grey, &share): (&f64, &f64)| COLOUR.map(|colour| (grey + (colour - grey) * share).round() as u8);
        Self { size, rgb: grey.iter().zip(&line).flat_map(mix).collect() }
    }
}

/// All pictures of a case around where the ventricle was found.
pub(super) struct Sheet {
    tile: usize,
    size: [usize; 2],
    rgb: Vec<u8>,
}

impl Sheet {
    /// Of `columns` by `rows` tiles; `None` where there would be too many.
    pub fn new(columns: usize, rows: usize) -> Option<Self> {
        let fits = columns * rows <= MOST_TILES && columns * rows > 0;
        // Narrow columns where there are many.
        let tile = if columns > MOST_COLUMNS { TILE } else { 2 * TILE };
        let size = [columns * (tile + 2), rows * (tile + 2)];
        fits.then(|| Self { tile, size, rgb: vec![32; size[0] * size[1] * 3] })
    }

    /// Columns for pictures in no other order.
    pub fn columns(pictures: usize) -> usize {
        ((pictures as f64).sqrt().ceil() as usize).clamp(1, MOST_COLUMNS)
    }

    /// Puts the part of a picture around `centre` at a place.
    pub fn put(&mut self, [column, row]: [usize; 2], pixels: &Pixels, contour: &[[f64; 2]], centre: [f64; 2]) {
        let half = TILE as f64 / 2.0;
        let size = [self.tile; 2];
        let scale = self.tile as f64 / TILE as f64;
        let part = Overlay::part(pixels, contour, centre.map(|at| (at - half).round()), size, scale);
        let [left, top] = [column, row].map(|n| n * (self.tile + 2) + 1);
        for (y, line) in part.rgb.chunks_exact(self.tile * 3).enumerate() {
            let at = ((top + y) * self.size[0] + left) * 3;
            if let Some(target) = self.rgb.get_mut(at..at + line.len()) {
                target.copy_from_slice(line);
            }
        }
    }

    pub fn into_overlay(self) -> Overlay {
        Overlay { size: self.size, rgb: self.rgb }
    }
}

fn window(values: &[f32]) -> [f64; 2] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let at = |share: f64| {
        let n = ((sorted.len().saturating_sub(1)) as f64 * share).round() as usize;
        f64::from(sorted.get(n).copied().unwrap_or_default())
    };
    [at(0.01), at(0.99)]
}

/// Between the four pixels around a place; black outside.
fn sample(pixels: &Pixels, x: f64, y: f64) -> f64 {
    let [width, height] = pixels.size;
    if x < -0.5 || y < -0.5 || x > width as f64 - 0.5 || y > height as f64 - 0.5 {
        return f64::NEG_INFINITY;
    }
    let [(x0, x1, wx), (y0, y1, wy)] = [(x, width), (y, height)].map(|(at, length)| {
        let at = at.clamp(0.0, (length - 1) as f64);
        let low = at.floor() as usize;
        (low, (low + 1).min(length - 1), at - low as f64)
    });
    let value = |x: usize, y: usize| f64::from(pixels.values.get(y * width + x).copied().unwrap_or_default());
    let row = |y: usize| value(x0, y) + (value(x1, y) - value(x0, y)) * wx;
    row(y0) + (row(y1) - row(y0)) * wy
}

/// How much of each pixel of an overlay the contour covers.
fn line(contour: &[[f64; 2]], corner: [f64; 2], [width, height]: [usize; 2], scale: f64) -> Vec<f64> {
    let mut covered = vec![0.0_f64; width * height];
    let reach = LINE / 2.0 + 1.0;
    let place = |point: [f64; 2]| [0, 1].map(|n: usize| (point[n] - corner[n] + 0.5) * scale - 0.5);
    for (n, &from) in contour.iter().enumerate() {
        let (a, b) = (place(from), place(contour[(n + 1) % contour.len()]));
        let range = |axis: usize, length: usize| {
            let low = (a[axis].min(b[axis]) - reach).floor().max(0.0) as usize;
            let high = (a[axis].max(b[axis]) + reach).ceil().clamp(-1.0, length as f64 - 1.0);
            low..(high + 1.0) as usize
        };
        for y in range(1, height) {
            for x in range(0, width) {
                let away = distance([x as f64, y as f64], a, b);
                let share = (LINE / 2.0 + 0.5 - away).clamp(0.0, 1.0);
                let pixel = &mut covered[y * width + x];
                *pixel = pixel.max(share);
            }
        }
    }
    covered
}

/// From a point to the line between two others.
fn distance(p: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let square = dx * dx + dy * dy;
    let along = if square > 0.0 { (((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
    (p[0] - a[0] - along * dx).hypot(p[1] - a[1] - along * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_runs_where_the_contour_does_and_the_rest_stays_grey() {
        let values = (0..64 * 64).map(|n| (n % 64) as f32).collect();
        let pixels = Pixels { values, size: [64, 64] };
        // A square from the centre of pixel (10, 20) to that of (30, 40).
        let square = [[10.0, 20.0], [30.0, 20.0], [30.0, 40.0], [10.0, 40.0]];
        let overlay = Overlay::new(&pixels, &square);
        assert_eq!((overlay.size, overlay.rgb.len()), ([192, 192], 192 * 192 * 3));
        let at = |x: usize, y: usize| &overlay.rgb[(y * 192 + x) * 3..][..3];
        // The middle of enlarged pixel (20, 20) is (61, 61).
        assert_eq!(at(61, 61), [255, 196, 0]);
        assert_eq!(at(31, 100), [255, 196, 0]);
        for grey in [at(61, 90), at(61, 30), at(150, 90)] {
            assert!(grey[0] == grey[1] && grey[1] == grey[2]);
        }
        assert!(at(150, 90)[0] > at(61, 90)[0]);
    }

    #[test]
    fn a_sheet_holds_each_picture_in_its_place() {
        let pixels = Pixels { values: [0.0, 1.0].repeat(64 * 32), size: [64, 64] };
        let mut sheet = Sheet::new(2, 1).unwrap();
        sheet.put([1, 0], &pixels, &[], [32.0, 32.0]);
        let sheet = sheet.into_overlay();
        assert_eq!(sheet.size, [452, 226]);
        assert_eq!(sheet.rgb[(100 * 452 + 100) * 3], 32, "nothing was put there");
        assert!(Sheet::new(0, 3).is_none() && Sheet::new(30, 30).is_none());
        assert_eq!([1, 10, 500].map(Sheet::columns), [1, 4, 12]);
    }
}
