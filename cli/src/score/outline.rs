/// A closed outline in a picture that does not cross itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    corners_px: Vec<[f64; 2]>,
}

impl Outline {
    /// From the x and y of three corners or more, in either direction; none of fewer, or where a number is not finite.
    #[must_use]
    pub fn new(corners_px: Vec<[f64; 2]>) -> Option<Self> {
        let is_right = corners_px.len() >= 3 && corners_px.iter().flatten().all(|v| v.is_finite());
        is_right.then_some(Self { corners_px })
    }

    /// The mean of the corners, which is what MagFinder takes as the centre.
    #[must_use]
    pub fn centre_px(&self) -> [f64; 2] {
        let count = self.corners_px.len() as f64;
        self.corners_px.iter().fold([0.0; 2], |[x, y], corner| [x + corner[0] / count, y + corner[1] / count])
    }

    /// Direction from the first corner to the second, degrees against the clock from x to the right (y points down).
    #[must_use]
    pub fn angle_degrees(&self) -> f64 {
        let [[x0, y0], [x1, y1]] = [self.corners_px[0], self.corners_px[1]];
        (y0 - y1).atan2(x1 - x0).to_degrees()
    }

    /// Area in square pixels.
    #[must_use]
    pub fn area_px2(&self) -> f64 {
        let twice: f64 = self.sides().map(|([x0, y0], [x1, y1])| x0 * y1 - x1 * y0).sum();
        twice.abs() / 2.0
    }

    /// Area in common with another, in square pixels; exact, whatever the shapes.
    ///
    /// Between two heights at which either has a corner or their sides cross, both are trapezoids that do not cross, so that
    /// the width halfway says all.
    #[must_use]
    pub fn common_px2(&self, other: &Self) -> f64 {
        if self.box_common_px2(other) <= 0.0 {
            return 0.0;
        }
        let mut heights: Vec<f64> = self.corners_px.iter().chain(&other.corners_px).map(|corner| corner[1]).collect();
        for side in self.sides() {
            heights.extend(other.sides().filter_map(|other| crossing_height(side, other)));
        }
        heights.sort_by(f64::total_cmp);
        heights.dedup();
        let slabs = heights.iter().zip(heights.iter().skip(1));
        slabs
            .map(|(low, high)| {
                let middle = f64::midpoint(*low, *high);
                let [mine, theirs] = [self, other].map(|outline| outline.spans(middle));
                let shared = mine.iter().flat_map(|a| theirs.iter().map(move |b| a[1].min(b[1]) - a[0].max(b[0])));
                shared.filter(|width| *width > 0.0).sum::<f64>() * (high - low)
            })
            .sum()
    }

    /// Intersection over union of the areas.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> f64 {
        let common = self.common_px2(other);
        common / (self.area_px2() + other.area_px2() - common).max(f64::MIN_POSITIVE)
    }

    /// Intersection over union of the bounding boxes.
    #[must_use]
    pub fn box_overlap(&self, other: &Self) -> f64 {
        let common = self.box_common_px2(other);
        let area = |[left, top, right, bottom]: [f64; 4]| (right - left) * (bottom - top);
        common / (area(self.bounds_px()) + area(other.bounds_px()) - common).max(f64::MIN_POSITIVE)
    }

    fn box_common_px2(&self, other: &Self) -> f64 {
        let [a, b] = [self.bounds_px(), other.bounds_px()];
        (a[2].min(b[2]) - a[0].max(b[0])).max(0.0) * (a[3].min(b[3]) - a[1].max(b[1])).max(0.0)
    }

    /// Left, top, right, bottom.
    pub(super) fn bounds_px(&self) -> [f64; 4] {
        let start = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
        self.corners_px.iter().fold(start, |[l, t, r, b], [x, y]| [l.min(*x), t.min(*y), r.max(*x), b.max(*y)])
    }

    fn sides(&self) -> impl Iterator<Item = ([f64; 2], [f64; 2])> {
        self.corners_px.iter().copied().zip(self.corners_px.iter().copied().cycle().skip(1))
    }

    /// From and to where it is inside at a height, from the left.
    fn spans(&self, y: f64) -> Vec<[f64; 2]> {
        let met = self.sides().filter(|([_, y0], [_, y1])| (*y0 <= y) != (*y1 <= y));
        let mut at: Vec<f64> = met.map(|([x0, y0], [x1, y1])| x0 + (y - y0) / (y1 - y0) * (x1 - x0)).collect();
        at.sort_by(f64::total_cmp);
        at.as_chunks::<2>().0.to_vec()
    }
}

/// Where two sides cross; none of those that do not or are parallel.
fn crossing_height((a, b): ([f64; 2], [f64; 2]), (c, d): ([f64; 2], [f64; 2])) -> Option<f64> {
    let (u, v, w) = ([b[0] - a[0], b[1] - a[1]], [d[0] - c[0], d[1] - c[1]], [c[0] - a[0], c[1] - a[1]]);
    let cross = |p: [f64; 2], q: [f64; 2]| p[0] * q[1] - p[1] * q[0];
    let [t, s] = [cross(w, v) / cross(u, v), cross(w, u) / cross(u, v)];
    let is_met = |share: f64| (0.0..=1.0).contains(&share);
    (is_met(t) && is_met(s)).then_some(a[1] + t * u[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(corners: &[[f64; 2]]) -> Outline {
        Outline::new(corners.to_vec()).unwrap()
    }

    fn square(x: f64, y: f64, side: f64) -> Outline {
        outline(&[[x, y], [x + side, y], [x + side, y + side], [x, y + side]])
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "found {found}, expected {expected}");
    }

    #[test]
    fn squares_by_hand() {
        let one = square(0.0, 0.0, 10.0);
        near(one.area_px2(), 100.0);
        near(one.overlap(&square(5.0, 0.0, 10.0)), 50.0 / 150.0);
        near(one.overlap(&square(5.0, 5.0, 10.0)), 25.0 / 175.0);
        near(one.overlap(&square(2.0, 2.0, 5.0)), 0.25);
        near(one.overlap(&one), 1.0);
        near(one.overlap(&square(10.0, 0.0, 10.0)), 0.0);
        near(one.overlap(&square(30.0, 0.0, 10.0)), 0.0);
        assert_eq!(one.centre_px(), [5.0, 5.0]);
    }

    #[test]
    fn a_diamond_within_and_across() {
        // Half diagonal 10 around the square's middle: its corners touch the square's sides' lines, area 200.
        let diamond = outline(&[[5.0, -5.0], [15.0, 5.0], [5.0, 15.0], [-5.0, 5.0]]);
        near(square(0.0, 0.0, 10.0).overlap(&diamond), 0.5);
        // A square of 16 around it cuts off four corners, each a triangle of base 4 and height 2.
        near(square(-3.0, -3.0, 16.0).common_px2(&diamond), 200.0 - 4.0 * 4.0);
        // Direction does not matter.
        let back = outline(&[[-5.0, 5.0], [5.0, 15.0], [15.0, 5.0], [5.0, -5.0]]);
        near(diamond.overlap(&back), 1.0);
    }

    #[test]
    fn dents_are_no_part() {
        // A U of three strips 2 wide and 10 high, its opening 4 wide and 8 deep.
        let u = outline(&[
            [0.0, 0.0],
            [2.0, 0.0],
            [2.0, 8.0],
            [6.0, 8.0],
            [6.0, 0.0],
            [8.0, 0.0],
            [8.0, 10.0],
            [0.0, 10.0],
        ]);
        near(u.area_px2(), 48.0);
        near(u.common_px2(&outline(&[[-1.0, 3.0], [9.0, 3.0], [9.0, 5.0], [-1.0, 5.0]])), 8.0);
        near(u.common_px2(&square(2.5, 1.0, 3.0)), 0.0);
        near(u.box_overlap(&square(2.0, 0.0, 4.0)), 16.0 / 80.0);
    }

    #[test]
    fn angles_are_against_the_clock_though_y_points_down() {
        near(outline(&[[0.0, 9.0], [0.0, 2.0], [5.0, 5.0]]).angle_degrees(), 90.0);
        near(outline(&[[0.0, 0.0], [3.0, 3.0], [5.0, 0.0]]).angle_degrees(), -45.0);
        assert!(Outline::new(vec![[0.0, 0.0], [1.0, 1.0]]).is_none());
        assert!(Outline::new(vec![[0.0, 0.0], [1.0, 1.0], [f64::NAN, 1.0]]).is_none());
    }
}
