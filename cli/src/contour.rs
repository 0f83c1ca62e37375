//! From a mask to the contour that a person would have drawn.
//!
//! Points are `[x, y]` in pixels: whole numbers are centres of pixels, 0 that of the first; `y` grows downwards.

/// Distance of the points of a contour.
const STEP: f64 = 0.5;
/// A Gaussian along the contour takes the stairs of pixels out of it; standard deviation in pixels.
const SMOOTHING: f64 = 1.5;
/// Masks of drawn contours hold the pixels the contour runs through, so that it runs this far inside the mask's edge.
const INSIDE: f64 = 0.5;
/// Points were drawn at halves of pixels and rounded down where masks were made of them: by a quarter in the mean.
pub(crate) const DRAWN: f64 = 0.25;

/// The contour of a mask that is one part without holes, pixels along rows of `width`: clockwise as seen on a screen, not
/// closed by its first point, empty for an empty mask.
///
/// Of the masks of 74 drawn contours (Sunnybrook), shifted by [`DRAWN`], it lies .17 mm from what was drawn and encloses
/// 99.7 % of its area; the outermost centres of pixels lie .30 mm from it, and the mask itself is 6 % larger.
///
/// `network_pixel` is the edge of the pixels that the mask was found on, in pixels of the mask: what lies inside the edge, by
/// the way masks are drawn, goes with them.
pub(crate) fn contour(mask: &[bool], width: usize, network_pixel: f64) -> Vec<[f64; 2]> {
    let edge = edge(mask, width);
    if edge.is_empty() {
        return edge;
    }
    let smooth = smoothed(&even(&edge));
    let moved = inwards(&smooth, INSIDE * network_pixel);
    // Of a few pixels nothing would be left.
    if area(&moved) < 0.2 * area(&edge) { smooth } else { moved }
}

/// Area inside a contour, in pixels; negative where it runs the other way round.
pub(crate) fn area(points: &[[f64; 2]]) -> f64 {
    neighbours(points).map(|(_, [x, y], [x1, y1])| x * y1 - x1 * y).sum::<f64>() / 2.0
}

/// Each point with the one before and the one after it.
fn neighbours(points: &[[f64; 2]]) -> impl Iterator<Item = ([f64; 2], [f64; 2], [f64; 2])> + '_ {
    let count = points.len();
    (0..count).map(move |n| (points[(n + count - 1) % count], points[n], points[(n + 1) % count]))
}

/// Middles of the pixel sides between inside and outside, in order.
fn edge(mask: &[bool], width: usize) -> Vec<[f64; 2]> {
    let Some(first) = mask.iter().position(|&inside| inside) else { return Vec::new() };
    let height = mask.len() / width;
    let inside = |x: usize, y: usize| x < width && y < height && mask[y * width + x];
    let start = (first % width, first / width);
    // Corners of pixels; that of column x and row y lies before its centre. Steps: right, down, left, up.
    let (mut x, mut y) = start;
    let mut heading = 0;
    let mut middles = Vec::new();
    loop {
        let (from_x, from_y) = (x, y);
        match heading {
            0 => x += 1,
            1 => y += 1,
            2 => x -= 1,
            _ => y -= 1,
        }
        middles.push([(from_x + x) as f64 / 2.0 - 0.5, (from_y + y) as f64 / 2.0 - 0.5]);
        if (x, y) == start {
            return middles;
        }
        // The pixels at this corner, ahead on either hand; the inside is kept on the right.
        let (left, top) = (x.wrapping_sub(1), y.wrapping_sub(1));
        let (on_right, on_left) = match heading {
            0 => (inside(x, y), inside(x, top)),
            1 => (inside(left, y), inside(x, y)),
            2 => (inside(left, top), inside(left, y)),
            _ => (inside(x, top), inside(left, top)),
        };
        heading = match (on_right, on_left) {
            (false, _) => (heading + 1) % 4,
            (true, true) => (heading + 3) % 4,
            (true, false) => heading,
        };
    }
}

/// Points at even distances, nearly [`STEP`].
fn even(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let lengths: Vec<f64> = neighbours(points).map(|(_, [x, y], [x1, y1])| (x1 - x).hypot(y1 - y)).collect();
    let whole: f64 = lengths.iter().sum();
    let count = ((whole / STEP) as usize).max(8);
    let (mut side, mut before) = (0, 0.0);
    (0..count)
        .map(|n| {
            let at = whole * n as f64 / count as f64;
            while side + 1 < lengths.len() && before + lengths[side] < at {
                before += lengths[side];
                side += 1;
            }
            let share = if lengths[side] > 0.0 { (at - before) / lengths[side] } else { 0.0 };
            let [x, y] = points[side];
            let [x1, y1] = points[(side + 1) % points.len()];
            [x + share * (x1 - x), y + share * (y1 - y)]
        })
        .collect()
}

fn smoothed(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let sd = SMOOTHING / STEP;
    let reach = (4.0 * sd) as isize;
    let weights: Vec<f64> = (-reach..=reach).map(|n| (-(n * n) as f64 / (2.0 * sd * sd)).exp()).collect();
    let total: f64 = weights.iter().sum();
    let count = points.len() as isize;
    (0..count)
        .map(|n| {
            let mut sum = [0.0; 2];
            for (offset, weight) in (-reach..=reach).zip(&weights) {
                let [x, y] = points[(n + offset).rem_euclid(count) as usize];
                sum = [sum[0] + weight * x, sum[1] + weight * y];
            }
            sum.map(|value| value / total)
        })
        .collect()
}

/// Clockwise on the screen, so the inside lies to the right.
fn inwards(points: &[[f64; 2]], by: f64) -> Vec<[f64; 2]> {
    neighbours(points)
        .map(|([x0, y0], [x, y], [x1, y1])| {
            let (dx, dy) = (x1 - x0, y1 - y0);
            let length = dx.hypot(dy).max(1e-9);
            [x - by * dy / length, y + by * dx / length]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(width: usize, height: usize, inside: impl Fn(f64, f64) -> bool) -> Vec<bool> {
        (0..width * height).map(|n| inside((n % width) as f64, (n / width) as f64)).collect()
    }

    #[test]
    fn a_disc_gives_a_circle_half_a_pixel_inside_its_edge() {
        let disc = mask(64, 50, |x, y| (x - 30.0).hypot(y - 25.0) <= 15.0);
        let points = contour(&disc, 64, 1.0);
        let radii: Vec<f64> = points.iter().map(|[x, y]| (x - 30.0).hypot(y - 25.0)).collect();
        let mean = radii.iter().sum::<f64>() / radii.len() as f64;
        // The disc holds pi 15^2 pixels, so its edge lies at 15; smoothing takes exp(-SD^2 / 2 R^2) off it.
        let expected = 15.0 * (-(1.5_f64 * 1.5) / (2.0 * 15.0 * 15.0)).exp() - 0.5;
        assert!((mean - expected).abs() < 0.1, "{mean} {expected}");
        assert!(radii.iter().all(|radius| (radius - mean).abs() < 0.35));
        // Twice as many points as pixels of its length, in the direction of the experts' contours.
        assert!((points.len() as f64 - 4.0 * std::f64::consts::PI * 15.0).abs() < 30.0);
        assert!(area(&points) > 0.0);
        assert_eq!(contour(&[false; 12], 4, 1.0), Vec::<[f64; 2]>::new());
    }

    #[test]
    fn the_pixels_it_was_found_on_say_how_far_inside() {
        // Cause: a picture of twice as many pixels, resampled for the network, had an area some 4 % too large.
        let disc = mask(128, 100, |x, y| (x - 60.0).hypot(y - 50.0) <= 30.0);
        let points = contour(&disc, 128, 2.0);
        let mean = points.iter().map(|[x, y]| (x - 60.0).hypot(y - 50.0)).sum::<f64>() / points.len() as f64;
        assert!((mean - 29.0).abs() < 0.1, "{mean}");
    }

    #[test]
    fn the_edge_encloses_the_pixels_to_the_border_of_the_picture() {
        // An L of five pixels in the corner of a picture: nine sides of pixels above and below, as many beside.
        let l = [true, false, false, true, false, false, true, true, true];
        let edge = edge(&l, 3);
        assert_eq!(edge.len(), 12);
        assert_eq!(edge[0], [0.0, -0.5]);
        // A polygon through middles of sides cuts an eighth off each convex corner and adds it at each concave one.
        assert!((area(&edge) - (5.0 - 5.0 / 8.0 + 1.0 / 8.0)).abs() < 1e-12);
    }

    #[test]
    fn single_pixels_have_a_contour_too() {
        for (width, count) in [(1, 1), (2, 2), (3, 9)] {
            let points = contour(&vec![true; count], width, 1.0);
            assert!(points.len() >= 8 && area(&points) > 0.0 && points.iter().flatten().all(|v| v.is_finite()));
        }
    }
}
