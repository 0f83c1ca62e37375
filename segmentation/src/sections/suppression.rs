use super::nearby::Nearby;
use super::part::Part;
use super::quad;
use std::cmp::Ordering;

/// Parts of one kind that overlap more (intersection over union) are the same.
const SAME: f64 = 0.3;

/// Without what is the same as something more certain, or has no area; the most certain first. The order of what is given
/// does not matter.
pub(super) fn suppressed(mut parts: Vec<Part>) -> Vec<Part> {
    parts.retain(|part| part.area_px2() > 0.0 && part.corners_px.iter().flatten().all(|at| at.is_finite()));
    parts.sort_by(more_certain);
    let mut extents: Vec<f64> = parts.iter().map(|part| quad::extent(part.quad())).collect();
    extents.sort_by(f64::total_cmp);
    let mut nearby = Nearby::new(extents.get(extents.len() / 2).copied().unwrap_or(1.0));
    let mut kept: Vec<Part> = Vec::new();
    for part in parts {
        let mut is_new = true;
        nearby.within(part.centre_px(), quad::extent(part.quad()), |other| {
            is_new = is_new && quad::overlap(kept[other].quad(), part.quad()) < SAME;
        });
        if is_new {
            nearby.add(part.centre_px());
            kept.push(part);
        }
    }
    kept
}

/// Of equal ones the upper, then the left, so that tiles may come in any order.
fn more_certain(a: &Part, b: &Part) -> Ordering {
    let ([ax, ay], [bx, by]) = (a.centre_px(), b.centre_px());
    b.confidence.total_cmp(&a.confidence).then(ay.total_cmp(&by)).then(ax.total_cmp(&bx))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64, y: f64, side: f64, confidence: f64) -> Part {
        let corners_px = [[x, y], [x + side, y], [x + side, y + side], [x, y + side]];
        Part { corners_px, confidence, toward_px: None }
    }

    #[test]
    fn the_more_certain_of_two_that_overlap_stays() {
        let parts = vec![
            square(0.0, 0.0, 10.0, 0.5),
            // 6 of 10 in common: 60 of 140, more than .3.
            square(4.0, 0.0, 10.0, 0.9),
            // 4 of 10 with the one before: 40 of 160, less.
            square(10.0, 0.0, 10.0, 0.4),
            // No area, or against the clock, or nowhere.
            square(50.0, 0.0, 0.0, 0.9),
            square(60.0, 0.0, -1e-300, 0.9),
            square(f64::NAN, 0.0, 5.0, 0.9),
        ];
        let mut other = parts.clone();
        other.reverse();
        let found = suppressed(parts);
        assert_eq!(found.iter().map(|part| part.confidence).collect::<Vec<_>>(), [0.9, 0.4]);
        assert_eq!(suppressed(other), found);
    }

    #[test]
    fn equal_ones_do_not_both_stay_and_a_giant_is_compared_with_all() {
        let mut parts: Vec<Part> =
            (0..200).map(|n| square(f64::from(n % 20) * 12.0, f64::from(n / 20) * 12.0, 10.0, 0.7)).collect();
        parts.push(square(0.0, 0.0, 10.0, 0.7));
        parts.push(square(-1e9, -1e9, 2e9, 0.1));
        assert_eq!(suppressed(parts).len(), 201);
    }
}
