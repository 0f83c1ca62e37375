use serde::Deserialize;

/// One part of each picture: that with the most probability near the middle.
///
/// A part counts the probabilities of its pixels, weighted by a Gaussian around the picture's middle: series are planned around
/// what they are to show, and bright things far out are the commonest gross mistake.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearCentre {
    /// Standard deviation of the Gaussian, as a share of the picture's smaller side.
    #[serde(rename = "near_centre_sd")]
    pub sd: f64,
}

impl NearCentre {
    /// A picture whose best pixel has less shows nothing of the kind.
    pub const LEAST: f32 = 0.05;

    /// Whether each pixel belongs to the part, its holes filled. Parts are of pixels above `threshold`, or above half the
    /// best value where that is less, joined by their sides. `probability` runs along rows of `width` pixels.
    ///
    /// Nothing belongs where no value reaches [`LEAST`](Self::LEAST).
    ///
    /// ```
    /// use brainmesh_segmentation::NearCentre;
    /// // The larger part lies at the border, the smaller one in the middle.
    /// let row = [0.9, 0.9, 0.9, 0.0, 0.0, 0.8, 0.0, 0.0, 0.0, 0.0, 0.0];
    /// let part = NearCentre { sd: 0.9 }.part(&row, 11, 0.5);
    /// assert_eq!(part.iter().position(|&belongs| belongs), Some(5));
    /// ```
    pub fn part(self, probability: &[f32], width: usize, threshold: f32) -> Vec<bool> {
        let width = width.max(1);
        let height = probability.len() / width;
        let best = probability.iter().copied().fold(0.0, f32::max);
        if best < Self::LEAST {
            return vec![false; probability.len()];
        }
        let level = threshold.min(best / 2.0);
        let sd = self.sd * width.min(height) as f64;
        let weight = |at: usize, length: usize| {
            let away = at as f64 - (length - 1) as f64 / 2.0;
            (-away * away / (2.0 * sd * sd)).exp()
        };
        let parts = parts(width, probability.len(), |pixel| probability[pixel] > level);
        let near = |pixel: &usize| {
            f64::from(probability[*pixel]) * weight(pixel % width, width) * weight(pixel / width, height)
        };
        let mut chosen: (&[usize], f64) = (&[], f64::NEG_INFINITY);
        for part in &parts {
            let sum = part.iter().map(near).sum();
            if sum > chosen.1 {
                chosen = (part, sum);
            }
        }
        let mut belongs = vec![false; probability.len()];
        chosen.0.iter().for_each(|&pixel| belongs[pixel] = true);
        fill(&mut belongs, width, height);
        belongs
    }
}

/// Pixels of each part joined by sides, parts in the order of their first pixels.
fn parts(width: usize, pixels: usize, inside: impl Fn(usize) -> bool) -> Vec<Vec<usize>> {
    let mut visited = vec![false; pixels];
    let mut parts = Vec::new();
    for seed in 0..pixels {
        if visited[seed] || !inside(seed) {
            continue;
        }
        visited[seed] = true;
        let mut part = vec![seed];
        let mut next = 0;
        while let Some(&pixel) = part.get(next) {
            next += 1;
            for neighbour in sides(pixel, width, pixels).into_iter().flatten() {
                if !visited[neighbour] && inside(neighbour) {
                    visited[neighbour] = true;
                    part.push(neighbour);
                }
            }
        }
        parts.push(part);
    }
    parts
}

/// Pixels that share a side with one.
fn sides(pixel: usize, width: usize, pixels: usize) -> [Option<usize>; 4] {
    let x = pixel % width;
    [
        (x > 0).then(|| pixel - 1),
        (x + 1 < width).then_some(pixel + 1),
        pixel.checked_sub(width),
        (pixel + width < pixels).then_some(pixel + width),
    ]
}

/// Adds whatever no path by sides joins to the border.
fn fill(belongs: &mut [bool], width: usize, height: usize) {
    let outside = parts(width, belongs.len(), |pixel| !belongs[pixel]);
    let is_border = |pixel: &usize| {
        let (x, y) = (pixel % width, pixel / width);
        x == 0 || y == 0 || x + 1 == width || y + 1 == height
    };
    for hole in outside.iter().filter(|part| !part.iter().any(is_border)) {
        hole.iter().for_each(|&pixel| belongs[pixel] = true);
    }
}
