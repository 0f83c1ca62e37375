//! Boxes: left, top, right, bottom in pixels.

/// Left, top, right, bottom.
pub(crate) type Region = [f32; 4];

/// Moved and scaled by what a network says: `deltas` over `weights`, in sides of the box; sides grow by at most `exp(largest)`.
pub(super) fn decoded(region: Region, deltas: [f32; 4], weights: [f32; 4], largest: f32) -> Region {
    let [left, top, right, bottom] = region;
    let [width, height] = [right - left, bottom - top];
    let [dx, dy, dw, dh]: [f32; 4] = std::array::from_fn(|n| deltas[n] / weights[n]);
    let centre = [dx * width + (left + 0.5 * width), dy * height + (top + 0.5 * height)];
    let half = [0.5 * (dw.min(largest).exp() * width), 0.5 * (dh.min(largest).exp() * height)];
    [centre[0] - half[0], centre[1] - half[1], centre[0] + half[0], centre[1] + half[1]]
}

/// What of it lies in a picture of `[height, width]`.
pub(super) fn clipped([left, top, right, bottom]: Region, [height, width]: [usize; 2]) -> Region {
    let (x, y) = (|value: f32| value.clamp(0.0, width as f32), |value: f32| value.clamp(0.0, height as f32));
    [x(left), y(top), x(right), y(bottom)]
}

/// Whether neither side is shorter.
pub(super) fn is_as_large(region: &Region, least: f32) -> bool {
    region[2] - region[0] >= least && region[3] - region[1] >= least
}

fn area(region: &Region) -> f32 {
    (region[2] - region[0]) * (region[3] - region[1])
}

/// Intersection over union; not a number for two of no size.
fn overlap(a: &Region, b: &Region) -> f32 {
    let width = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let height = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let common = width * height;
    common / (area(a) + area(b) - common)
}

/// Numbers of those that stay: of two of a group that overlap more than `most`, the better. `order` has the best first.
pub(super) fn suppressed(order: &[usize], of: impl Fn(usize) -> (Region, usize), most: f32) -> Vec<usize> {
    let mut kept: Vec<(usize, Region, usize)> = Vec::new();
    for &number in order {
        let (region, group) = of(number);
        // Two of no size do not suppress each other: the comparison is false for what is no number.
        if !kept.iter().any(|(_, other, its)| *its == group && overlap(other, &region) > most) {
            kept.push((number, region, group));
        }
    }
    kept.into_iter().map(|(number, ..)| number).collect()
}

/// Numbers by falling score; of equal ones the first comes first.
pub(super) fn best_first(scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_move_by_shares_of_their_sides() {
        // 10 x 20 around (15, 30): a tenth of each side to the right and down, twice as wide.
        let found = decoded([10.0, 20.0, 20.0, 40.0], [0.1, 0.1, 2.0_f32.ln(), 0.0], [1.0; 4], 4.0);
        for (found, expected) in found.into_iter().zip([6.0, 22.0, 26.0, 42.0]) {
            assert!((found - expected).abs() < 1e-4, "{found} {expected}");
        }
        // Weights divide, and the growth ends at e^1.
        let found = decoded([0.0, 0.0, 10.0, 10.0], [10.0, 0.0, 100.0, 0.0], [10.0, 10.0, 5.0, 5.0], 1.0);
        assert!((found[2] - found[0] - 10.0 * 1.0_f32.exp()).abs() < 1e-3);
        assert!((f32::midpoint(found[0], found[2]) - 15.0).abs() < 1e-4);
    }

    #[test]
    fn the_better_of_a_group_stays() {
        let boxes = [[0.0, 0.0, 10.0, 10.0], [4.0, 0.0, 14.0, 10.0], [0.0; 4], [0.0; 4], [0.0, 0.0, 10.0, 10.0]];
        // 60 of 140 in common: .43. Boxes of no size stay all.
        let of = |n: usize| (boxes[n], usize::from(n == 4));
        assert_eq!(suppressed(&[1, 0, 2, 3, 4], of, 0.4), [1, 2, 3, 4]);
        assert_eq!(suppressed(&[0, 1, 2, 3, 4], of, 0.5), [0, 1, 2, 3, 4]);
        assert_eq!(best_first(&[0.1, 0.9, 0.1]), [1, 0, 2]);
    }
}
