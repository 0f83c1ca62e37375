//! Outlines of four corners, clockwise on the screen.

/// x and y of each corner.
pub(super) type Quad = [[f64; 2]; 4];

/// The mean of the corners.
pub(super) fn centre(quad: &Quad) -> [f64; 2] {
    quad.iter().fold([0.0; 2], |[x, y], p| [x + p[0] / 4.0, y + p[1] / 4.0])
}

/// Signed; positive where clockwise on the screen.
pub(super) fn area(points: &[[f64; 2]]) -> f64 {
    let next = points.iter().cycle().skip(1);
    points.iter().zip(next).map(|(p, q)| p[0] * q[1] - q[0] * p[1]).sum::<f64>() / 2.0
}

/// The longer side of the upright box around it.
pub(super) fn extent(quad: &Quad) -> f64 {
    let side = |axis: usize| {
        let values = || quad.iter().map(|p| p[axis]);
        values().fold(f64::NEG_INFINITY, f64::max) - values().fold(f64::INFINITY, f64::min)
    };
    side(0).max(side(1))
}

/// Intersection over union of two convex outlines.
pub(super) fn overlap(first: &Quad, second: &Quad) -> f64 {
    // Near the origin, so that areas keep their digits.
    let [x, y] = first[0];
    let [first, second] = [first, second].map(|quad| quad.map(|p| [p[0] - x, p[1] - y]));
    let both = clipped(&first, &second);
    let common = if both.len() > 2 { area(&both).max(0.0) } else { 0.0 };
    common / (area(&first) + area(&second) - common)
}

/// The part of a polygon within a convex one (Sutherland and Hodgman 1974).
fn clipped(subject: &[[f64; 2]], clip: &Quad) -> Vec<[f64; 2]> {
    let mut points = subject.to_vec();
    for (n, &a) in clip.iter().enumerate() {
        let b = clip[(n + 1) % 4];
        let side = |p: [f64; 2]| (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]);
        let mut out = Vec::with_capacity(points.len() + 1);
        let last = points.last().copied();
        let mut before = last.map(|point| (point, side(point)));
        for &here in &points {
            let at = side(here);
            if let Some((previous, was)) = before
                && (at >= 0.0) != (was >= 0.0)
            {
                let t = was / (was - at);
                out.push([0, 1].map(|n| previous[n] + t * (here[n] - previous[n])));
            }
            if at >= 0.0 {
                out.push(here);
            }
            before = Some((here, at));
        }
        points = out;
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Quad = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];

    #[test]
    fn squares_overlap_as_by_hand() {
        let moved = |x: f64, y: f64| UNIT.map(|p| [p[0] + x, p[1] + y]);
        assert!((area(&UNIT) - 1.0).abs() < 1e-12);
        assert!((overlap(&UNIT, &UNIT) - 1.0).abs() < 1e-12);
        // Half in common: .5 of 1.5; a quarter: .25 of 1.75.
        assert!((overlap(&UNIT, &moved(0.5, 0.0)) - 1.0 / 3.0).abs() < 1e-12);
        assert!((overlap(&UNIT, &moved(0.5, 0.5)) - 0.25 / 1.75).abs() < 1e-12);
        assert!(overlap(&UNIT, &moved(2.0, 0.0)).abs() < 1e-12);
        // Far from the origin too.
        let far = moved(1e7, 1e7);
        assert!((overlap(&far, &far.map(|p| [p[0] + 0.5, p[1]])) - 1.0 / 3.0).abs() < 1e-8);
        // A diamond of half diagonal 1 around the middle of a square of side 1 covers all of it.
        let diamond = [[0.5, -0.5], [1.5, 0.5], [0.5, 1.5], [-0.5, 0.5]];
        assert!((overlap(&UNIT, &diamond) - 0.5).abs() < 1e-12);
    }
}
