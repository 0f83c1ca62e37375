use super::nearby::Nearby;
use super::part::Part;
use super::quad::{self, Quad};
use std::collections::HashSet;

/// How far apart the middles of the sides may be that face each other, in square roots of the tissue's area.
const MOST_GAP: f64 = 0.5;
/// How far away a partner is looked for, in the same.
const REACH: f64 = 3.0;

/// For networks that say nothing of partners: lets tissue and magnet parts whose facing sides are nearest point at each other, and
/// begins their corners anew so that tissue's 0 and 3, and the magnet part's 1 and 2, are at the seam.
pub(super) fn point(tissue: &mut [Part], magnet: &mut [Part]) {
    let mut nearby = Nearby::new(tissue.first().map_or(1.0, |part| REACH * size(part)));
    magnet.iter().for_each(|part| nearby.add(part.centre_px()));
    let mut gaps = Vec::new();
    for (t, one) in tissue.iter().enumerate().filter(|(_, part)| part.toward_px.is_none()) {
        let size = size(one);
        nearby.within(one.centre_px(), REACH * size, |m| {
            let other = &magnet[m];
            if other.toward_px.is_none() {
                let own = middle(one.quad(), facing(one.quad(), other.centre_px()));
                let its = middle(other.quad(), facing(other.quad(), one.centre_px()));
                let gap = (own[0] - its[0]).hypot(own[1] - its[1]) / size;
                if gap < MOST_GAP {
                    gaps.push((gap, t, m));
                }
            }
        });
    }
    gaps.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut taken = (HashSet::new(), HashSet::new());
    for (_, t, m) in gaps {
        if taken.0.contains(&t) || taken.1.contains(&m) {
            continue;
        }
        taken.0.insert(t);
        taken.1.insert(m);
        let (one, other) = (&mut tissue[t], &mut magnet[m]);
        let (here, there) = (one.centre_px(), other.centre_px());
        let sides = (facing(one.quad(), there), facing(other.quad(), here));
        // Side 3, from corner 3 to corner 0, of tissue; side 1 of the magnet part.
        one.corners_px.rotate_left((sides.0 + 1) % 4);
        other.corners_px.rotate_left((sides.1 + 3) % 4);
        (one.toward_px, other.toward_px) = (Some(there), Some(here));
    }
}

fn size(part: &Part) -> f64 {
    part.area_px2().max(0.0).sqrt()
}

/// The side (n goes from corner n to the next) that faces a point most squarely.
fn facing(quad: &Quad, point: [f64; 2]) -> usize {
    let centre = quad::centre(quad);
    let way = [point[0] - centre[0], point[1] - centre[1]];
    let squareness = |n: usize| {
        let (a, b) = (quad[n], quad[(n + 1) % 4]);
        // Corners are clockwise on the screen: outside is to the left of the way.
        let outward = [b[1] - a[1], a[0] - b[0]];
        (outward[0] * way[0] + outward[1] * way[1]) / outward[0].hypot(outward[1]).max(f64::MIN_POSITIVE)
    };
    (0..4).max_by(|&a, &b| squareness(a).total_cmp(&squareness(b))).unwrap_or(0)
}

fn middle(quad: &Quad, side: usize) -> [f64; 2] {
    let (a, b) = (quad[side], quad[(side + 1) % 4]);
    [f64::midpoint(a[0], b[0]), f64::midpoint(a[1], b[1])]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 40 x 20 around (x, y), its corners beginning with the given one; clockwise from the lower left.
    fn part(x: f64, y: f64, first: usize) -> Part {
        let mut corners_px = [[x - 20.0, y + 10.0], [x - 20.0, y - 10.0], [x + 20.0, y - 10.0], [x + 20.0, y + 10.0]];
        corners_px.rotate_left(first);
        Part { corners_px, confidence: 0.9, toward_px: None }
    }

    #[test]
    fn in_a_stack_partners_are_those_at_a_seam_and_corners_begin_there() {
        // From above: tissue, seam of 1, magnet part, gap of 4, tissue, seam, magnet part; another is too far from anything.
        for first in 0..4 {
            let mut tissue = [part(50.0, 70.0, first), part(50.0, 25.0, (first + 1) % 4)];
            let mut magnet = [part(50.0, 46.0, first), part(51.0, 91.0, (first + 2) % 4), part(50.0, 130.0, first)];
            point(&mut tissue, &mut magnet);
            assert_eq!(tissue[0].toward_px, Some([51.0, 91.0]));
            assert_eq!(tissue[1].toward_px, Some([50.0, 46.0]));
            assert_eq!(magnet[1].toward_px, Some([50.0, 70.0]));
            assert_eq!((magnet[2].toward_px, &magnet[2]), (None, &part(50.0, 130.0, first)));
            // Magnet parts lie below their tissue: its 0 and 3 are the lower corners, their 1 and 2 the upper ones.
            assert_eq!(tissue[0].corners_px, part(50.0, 70.0, 0).corners_px);
            assert_eq!(tissue[1].corners_px, part(50.0, 25.0, 0).corners_px);
            assert_eq!(magnet[0].corners_px, part(50.0, 46.0, 0).corners_px);
        }
    }

    #[test]
    fn what_points_somewhere_is_left_as_it_is() {
        let told = Part { toward_px: Some([1.0, 2.0]), ..part(50.0, 25.0, 2) };
        let (mut tissue, mut magnet) = ([told.clone()], [part(50.0, 46.0, 1)]);
        point(&mut tissue, &mut magnet);
        assert_eq!((&tissue[0], &magnet[0]), (&told, &part(50.0, 46.0, 1)));
        point(&mut [], &mut magnet);
    }
}
