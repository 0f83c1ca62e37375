use crate::plane::parts;
use std::collections::BTreeSet;

/// Within this of a pixel it is looked whether a cell without it falls into two, as the challenge's program is run.
const SPLIT_RADIUS: usize = 20;

/// The truth warped towards a binary proposal without changing its topology (Jain et al. 2010, "Boundary learning by
/// optimization with topological constraints").
///
/// A pixel may change where it differs and is simple: the cells (inside, connected along sides) and the membranes (connected
/// along sides and corners) keep their number. So a border that was moved costs nothing, and a gap costs the pixels without
/// which two cells are one. As in the challenge's own program pixels change in the order of how sure the proposal is (its
/// distance from the threshold; columns from the left among equals), sweep after sweep until nothing changes; beyond the
/// picture is membrane; a border may go any way (no geometric constraint).
pub struct Warped {
    /// Inside of cells, with a frame of membrane so that every pixel has eight neighbours.
    inside: Vec<bool>,
    framed_size: [usize; 2],
    /// Pixels that still differ, among the framed ones.
    differing: Vec<usize>,
}

impl Warped {
    /// Of the inside of true cells and the probability of inside.
    pub fn new(truth: &[bool], probability: &[f32], threshold: f64, [width, height]: [usize; 2]) -> Self {
        let stride = width + 2;
        let framed = |x: usize, y: usize| x + 1 + stride * (y + 1);
        let mut inside = vec![false; stride * (height + 2)];
        let mut differing = Vec::new();
        for x in 0..width {
            for y in 0..height {
                let at = x + width * y;
                inside[framed(x, y)] = truth[at];
                let found = f64::from(probability[at]);
                if truth[at] != (found > threshold) {
                    differing.push((framed(x, y), (found - threshold).abs()));
                }
            }
        }
        differing.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut differing: Vec<usize> = differing.into_iter().map(|(at, _)| at).collect();
        loop {
            let before = differing.len();
            differing.retain(|&at| {
                let simple = SIMPLE[neighbourhood(&inside, at, stride)];
                inside[at] ^= simple;
                !simple
            });
            if differing.len() == before {
                return Self { inside, framed_size: [stride, height + 2], differing };
            }
        }
    }

    /// Pixels that differ after warping.
    pub fn mismatches(&self) -> usize {
        self.differing.len()
    }

    /// Those of them that part or join cells, which is what the challenge's ranking counts; the others make or fill holes,
    /// and make or lose whole cells.
    ///
    /// A membrane pixel joins where it has two cells around it (corners too). A cell's pixel parts where it has two cells and
    /// membrane around it, or its own cell falls into two without it as far as can be seen within 20 pixels.
    pub fn splits_and_merges(&self) -> usize {
        let (cells, _) = parts(&self.inside, self.framed_size);
        let [width, height] = self.framed_size;
        let around = |numbers: &[u32], at: usize, stride: usize| -> BTreeSet<u32> {
            let rows = [at - stride, at, at + stride];
            rows.iter()
                .flat_map(|&row| row - 1..=row + 1)
                .filter(|&near| near != at)
                .map(|near| numbers[near])
                .collect()
        };
        let parts_its_cell = |at: usize| {
            let (x, y) = (at % width, at / width);
            let (left, top) = (x.saturating_sub(SPLIT_RADIUS), y.saturating_sub(SPLIT_RADIUS));
            let (right, bottom) = ((x + SPLIT_RADIUS + 1).min(width), (y + SPLIT_RADIUS + 1).min(height));
            let near: Vec<bool> = (top..bottom)
                .flat_map(|v| (left..right).map(move |u| u + width * v))
                .map(|n| self.inside[n] && n != at)
                .collect();
            let size = [right - left, bottom - top];
            around(&parts(&near, size).0, x - left + size[0] * (y - top), size[0]).len() > 2
        };
        let counts = |&&at: &&usize| match around(&cells, at, width).len() {
            1 => false,
            2 => self.inside[at] && parts_its_cell(at),
            _ => true,
        };
        self.differing.iter().filter(counts).count()
    }
}

/// Of the eight neighbours in a circle, from the upper left to the right: one bit each.
fn neighbourhood(inside: &[bool], at: usize, stride: usize) -> usize {
    let (above, below) = (at - stride, at + stride);
    [above - 1, above, above + 1, at + 1, below + 1, below, below - 1, at - 1]
        .iter()
        .enumerate()
        .fold(0, |bits, (bit, &at)| bits | usize::from(inside[at]) << bit)
}

/// Whether a pixel with these neighbours is simple, whatever it is itself.
static SIMPLE: std::sync::LazyLock<[bool; 256]> = std::sync::LazyLock::new(|| std::array::from_fn(is_simple));

/// The cells next to it by a side are one within the circle (joined along sides), and the membranes in it are one (joined
/// along sides and corners): neighbours in the circle touch by a side, and so do the two sides around an empty corner by
/// theirs.
fn is_simple(bits: usize) -> bool {
    let inside = |n: usize| bits >> (n % 8) & 1 == 1;
    // Runs of the circle that hold a side (odd places): two cells that meet only across a corner are two.
    let mut cells = 0;
    for start in 0..8 {
        if inside(start) && !inside(start + 7) {
            let run = (start..start + 8).take_while(|&n| inside(n));
            cells += usize::from(run.clone().any(|n| n % 2 == 1));
        }
    }
    cells += usize::from(bits == 0xff);
    // Membranes: an inside corner between two outside sides does not part them.
    let outside = |n: usize| !inside(n) || (n.is_multiple_of(2) && !inside(n + 1) && !inside(n + 7));
    let mut membranes = (0..8).filter(|&n| outside(n) && !outside(n + 7)).count();
    membranes += usize::from((0..8).all(outside));
    cells == 1 && membranes == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warped(truth: &[&str], found: &[&str]) -> Warped {
        let of = |rows: &[&str]| rows.iter().flat_map(|r| r.bytes().map(|b| b == b'#')).collect::<Vec<bool>>();
        let probability: Vec<f32> = of(found).into_iter().map(|inside| if inside { 0.9 } else { 0.1 }).collect();
        Warped::new(&of(truth), &probability, 0.5, [truth[0].len(), truth.len()])
    }

    fn mismatches(truth: &[&str], found: &[&str]) -> usize {
        warped(truth, found).mismatches()
    }

    #[test]
    fn splits_and_merges_are_told_from_holes_and_specks() {
        let counts = |truth: &[&str], found: &[&str]| {
            let warped = warped(truth, found);
            [warped.mismatches(), warped.splits_and_merges()]
        };
        // The border of two cells is gone, or the one cell is cut in two.
        assert_eq!(counts(&["##.##", "##.##", "##.##"], &["#####", "#####", "#####"]), [3, 3]);
        assert_eq!(counts(&["#####", "#####", "#####"], &["##.##", "##.##", "##.##"]), [1, 1]);
        let empty = ["....."; 5];
        let speck = [".....", ".###.", ".###.", ".###.", "....."];
        let holed = [".....", ".###.", ".#.#.", ".###.", "....."];
        assert_eq!(counts(&empty, &speck), [9, 0]);
        assert_eq!(counts(&speck, &empty), [1, 0]);
        assert_eq!(counts(&speck, &holed), [1, 0]);
        assert_eq!(counts(&holed, &speck), [1, 0]);
        // A ring that loses a pixel stays one cell, though its hole is gone.
        assert_eq!(counts(&holed, &[".....", ".###.", ".#...", ".###.", "....."]), [1, 0]);
    }

    #[test]
    fn a_moved_border_costs_nothing() {
        assert_eq!(mismatches(&["##.##", "##.##", "##.##"], &["###.#", "###.#", "###.#"]), 0);
        assert_eq!(mismatches(&["###.##", "##.###", "#.####"], &["##.###", "##.###", "##.###"]), 0);
    }

    #[test]
    fn a_gap_costs_its_last_pixels() {
        // Three pixels of border are gone; without any of them the two cells are one.
        assert_eq!(mismatches(&["##.##", "##.##", "##.##"], &["#####", "#####", "#####"]), 3);
        assert_eq!(mismatches(&["##.##", "##.##", "##.##"], &["##.##", "#####", "##.##"]), 1);
        // Of a border two pixels wide one side may go.
        assert_eq!(mismatches(&["#..#", "#..#"], &["####", "####"]), 2);
    }

    #[test]
    fn a_false_border_costs_its_last_pixel_and_a_stub_nothing() {
        // Border that comes in from the edge divides the cell only with its last pixel.
        assert_eq!(mismatches(&["#####", "#####", "#####"], &["##.##", "##.##", "##.##"]), 1);
        assert_eq!(mismatches(&["#####", "#####", "#####"], &["##.##", "##.##", "#####"]), 0);
    }

    #[test]
    fn new_and_lost_objects_and_holes_cost_a_pixel_or_all() {
        let empty = ["....."; 5];
        let speck = [".....", ".###.", ".###.", ".###.", "....."];
        // Not a single pixel of a new object can be made, and the last one of a lost object cannot go.
        assert_eq!(mismatches(&empty, &speck), 9);
        assert_eq!(mismatches(&speck, &empty), 1);
        // A hole: its first pixel cannot be made; then none of the others either.
        assert_eq!(mismatches(&speck, &[".....", ".###.", ".#.#.", ".###.", "....."]), 1);
    }

    #[test]
    fn simple_points_are_those_that_keep_both_numbers_of_parts() {
        // Counted in the eight neighbours by flood: cells along sides (those that touch the middle by a side), membranes
        // along sides and corners.
        let place = [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (0, 1)];
        for bits in 0..256usize {
            let count = |value: bool, corners: bool| {
                let mut left: Vec<(i32, i32)> =
                    place.iter().enumerate().filter(|(n, _)| (bits >> n & 1 == 1) == value).map(|(_, &p)| p).collect();
                let mut count = 0;
                while let Some(first) = left.pop() {
                    let (mut part, mut next) = (vec![], vec![first]);
                    while let Some(p) = next.pop() {
                        part.push(p);
                        left.retain(|&q| {
                            let (dx, dy) = ((p.0 - q.0).abs(), (p.1 - q.1).abs());
                            let joined = if corners { dx.max(dy) == 1 } else { dx + dy == 1 };
                            if joined {
                                next.push(q);
                            }
                            !joined
                        });
                    }
                    count += usize::from(corners || part.iter().any(|p| p.0 == 1 || p.1 == 1));
                }
                count
            };
            assert_eq!(is_simple(bits), count(true, false) == 1 && count(false, true) == 1, "{bits:08b}");
        }
    }
}
