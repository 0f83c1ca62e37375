//! The outline of a mask, and the rectangle of least area around it.

use super::paste::Pasted;

/// Of a pixel that belongs to it.
const HALF: f32 = 0.5;

/// The rectangle around a mask, clockwise on the screen, a long side from corner 3 to corner 0; pixel centres are whole. None for a mask
/// without area.
pub(super) fn rectangle(mask: &Pasted) -> Option<[[f64; 2]; 4]> {
    least_rectangle(&hull(points(mask)))
}

/// Where the mask passes a half between the centres of two pixels, and its pixels at the picture's border.
fn points(mask: &Pasted) -> Vec<[f64; 2]> {
    let [height, width] = mask.picture;
    let [first, rows] = [mask.start, [mask.values.ncols(), mask.values.nrows()]];
    // With the zeros around.
    let range = |n: usize, length: usize| first[n].saturating_sub(1)..(first[n] + rows[n] + 1).min(length);
    let mut found = Vec::new();
    for row in range(1, height) {
        for column in range(0, width) {
            let own = mask.at(column, row);
            for (right, down) in [(1, 0), (0, 1)] {
                if column + right >= width || row + down >= height {
                    continue;
                }
                let next = mask.at(column + right, row + down);
                if (own >= HALF) != (next >= HALF) {
                    let way = f64::from(own - HALF) / f64::from(own - next);
                    found.push([column as f64 + way * right as f64, row as f64 + way * down as f64]);
                }
            }
            let is_border = column == 0 || row == 0 || column + 1 == width || row + 1 == height;
            if own >= HALF && is_border {
                found.push([column as f64, row as f64]);
            }
        }
    }
    found
}

fn cross(a: [f64; 2], b: [f64; 2], c: [f64; 2]) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

/// The convex hull (Andrew 1979), clockwise on the screen, without points on its sides.
fn hull(mut points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    points.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    points.dedup();
    let half = |points: &mut dyn Iterator<Item = [f64; 2]>| {
        let mut chain: Vec<[f64; 2]> = Vec::new();
        for point in points {
            while chain.len() > 1 && cross(chain[chain.len() - 2], chain[chain.len() - 1], point) <= 0.0 {
                chain.pop();
            }
            chain.push(point);
        }
        chain.pop();
        chain
    };
    let mut whole = half(&mut points.iter().copied());
    whole.extend(half(&mut points.iter().rev().copied()));
    whole
}

/// One side of it lies on a side of the hull (Freeman and Shapira 1975).
fn least_rectangle(hull: &[[f64; 2]]) -> Option<[[f64; 2]; 4]> {
    if hull.len() < 3 {
        return None;
    }
    let mut best: Option<(f64, [[f64; 2]; 4])> = None;
    for (n, &a) in hull.iter().enumerate() {
        let b = hull[(n + 1) % hull.len()];
        let length = (b[0] - a[0]).hypot(b[1] - a[1]);
        let u = [(b[0] - a[0]) / length, (b[1] - a[1]) / length];
        // To the inside: clockwise on the screen.
        let v = [-u[1], u[0]];
        let range = |way: [f64; 2]| {
            let at = hull.iter().map(|p| p[0] * way[0] + p[1] * way[1]);
            at.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)))
        };
        let ((left, right), (top, bottom)) = (range(u), range(v));
        let area = (right - left) * (bottom - top);
        if area > 0.0 && best.is_none_or(|(least, _)| area < least) {
            let corner = |x: f64, y: f64| [x * u[0] + y * v[0], x * u[1] + y * v[1]];
            let corners = [corner(left, top), corner(right, top), corner(right, bottom), corner(left, bottom)];
            let is_long = right - left >= bottom - top;
            // Sides 1 and 3 are the long ones.
            let [p, q, r, s] = corners;
            best = Some((area, if is_long { [q, r, s, p] } else { corners }));
        }
    }
    best.map(|(_, corners)| corners)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn the_rectangle_of_a_soft_mask_lies_where_the_outline_does() {
        // How far inside a rectangle of 40 x 18 around (30.3, 27.8), turned by 25 degrees, a pixel lies: 1 to 0 over two pixels.
        let (sin, cos) = 25.0_f64.to_radians().sin_cos();
        let inside = |x: f64, y: f64| {
            let (dx, dy) = (x - 30.3, y - 27.8);
            let (u, v) = (dx * cos + dy * sin, dy * cos - dx * sin);
            ((20.0 - u.abs()).min(9.0 - v.abs()) / 2.0 + 0.5).clamp(0.0, 1.0) as f32
        };
        let values = Array2::from_shape_fn((50, 52), |(y, x)| inside(x as f64 + 5.0, y as f64 + 3.0));
        let mask = Pasted { start: [5, 3], picture: [64, 64], values };
        let found = rectangle(&mask).unwrap();
        let expected = [[-20.0, 9.0], [-20.0, -9.0], [20.0, -9.0], [20.0, 9.0]];
        let turned = expected.map(|[u, v]| [30.3 + u * cos - v * sin, 27.8 + u * sin + v * cos]);
        // Long sides are 1 and 3; which of them is last is open.
        let other = [turned[2], turned[3], turned[0], turned[1]];
        let far = |quad: [[f64; 2]; 4]| {
            found.iter().zip(quad).map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).fold(0.0, f64::max)
        };
        assert!(far(turned).min(far(other)) < 0.3, "{found:?}");
    }

    #[test]
    fn a_mask_at_the_border_ends_there_and_one_without_area_is_none() {
        let mask = Pasted { start: [0, 0], picture: [10, 20], values: Array2::ones((10, 8)) };
        let found = rectangle(&mask).unwrap();
        let range = |n: usize| found.iter().map(|p| p[n]).fold((9e9_f64, -9e9_f64), |(a, b), x| (a.min(x), b.max(x)));
        // One to zero between columns 7 and 8.
        assert_eq!((range(0), range(1)), ((0.0, 7.5), (0.0, 9.0)));
        let line = Pasted { start: [0, 0], picture: [1, 20], values: Array2::ones((1, 8)) };
        assert_eq!(rectangle(&line), None);
        let empty = Pasted { start: [3, 3], picture: [10, 20], values: Array2::zeros((2, 2)) };
        assert_eq!(rectangle(&empty), None);
    }
}
