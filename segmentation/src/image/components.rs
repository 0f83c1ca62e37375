//! Connected parts of a segmentation.

use std::collections::VecDeque;

/// A flood that visits each voxel once, neighbour by neighbour.
struct Flood {
    shape: [usize; 3],
    visited: Vec<u64>,
    queue: VecDeque<usize>,
}

impl Flood {
    fn new(shape: [usize; 3]) -> Self {
        let voxels: usize = shape.iter().product();
        Self { shape, visited: vec![0; voxels.div_ceil(64)], queue: VecDeque::new() }
    }

    fn is_visited(&self, voxel: usize) -> bool {
        self.visited[voxel / 64] >> (voxel % 64) & 1 == 1
    }

    /// Visits all that is connected to `seed` through voxels that `belongs` holds for, by faces alone or by edges and
    /// corners too. `each` sees every voxel visited, `wall` every neighbour by a face that does not belong.
    fn run(
        &mut self,
        seed: usize,
        corners: bool,
        belongs: impl Fn(usize) -> bool,
        mut each: impl FnMut(usize),
        mut wall: impl FnMut(usize),
    ) {
        let [ni, nj, nk] = self.shape;
        self.visited[seed / 64] |= 1 << (seed % 64);
        self.queue.push_back(seed);
        while let Some(voxel) = self.queue.pop_front() {
            each(voxel);
            let (i, j, k) = (voxel % ni, voxel / ni % nj, voxel / (ni * nj));
            let around = |at: usize, length: usize| at.saturating_sub(1)..=(at + 1).min(length - 1);
            for z in around(k, nk) {
                for y in around(j, nj) {
                    for x in around(i, ni) {
                        let steps = usize::from(x != i) + usize::from(y != j) + usize::from(z != k);
                        let next = x + ni * (y + nj * z);
                        if steps == 0 || (!corners && steps > 1) {
                            continue;
                        }
                        if !belongs(next) {
                            if steps == 1 {
                                wall(next);
                            }
                        } else if !self.is_visited(next) {
                            self.visited[next / 64] |= 1 << (next % 64);
                            self.queue.push_back(next);
                        }
                    }
                }
            }
        }
    }
}

/// The box of all tissue with a voxel around it, where the volume has one, cut out for `work` and put back.
fn in_box(
    classes: &mut [u8],
    shape: [usize; 3],
    is_tissue: &impl Fn(u8) -> bool,
    work: impl FnOnce(&mut [u8], [usize; 3]),
) {
    let [ni, nj, _] = shape;
    let (mut low, mut high) = (shape, [0; 3]);
    for (row, values) in classes.chunks_exact(ni).enumerate() {
        let Some(first) = values.iter().position(|&class| is_tissue(class)) else { continue };
        let last = values.iter().rposition(|&class| is_tissue(class)).unwrap_or(first);
        for (n, [from, to]) in [[first, last], [row % nj; 2], [row / nj; 2]].into_iter().enumerate() {
            low[n] = low[n].min(from);
            high[n] = high[n].max(to);
        }
    }
    if high < low {
        return;
    }
    let from = low.map(|voxel| voxel.saturating_sub(1));
    let size = [0, 1, 2].map(|n: usize| (high[n] + 2).min(shape[n]) - from[n]);
    let row = |j: usize, k: usize| from[0] + ni * (from[1] + j + nj * (from[2] + k));
    let rows = || (0..size[2]).flat_map(|k| (0..size[1]).map(move |j| (j, k)));
    let mut part: Vec<u8> = Vec::with_capacity(size.iter().product());
    rows().for_each(|(j, k)| part.extend_from_slice(&classes[row(j, k)..row(j, k) + size[0]]));
    work(&mut part, size);
    for ((j, k), values) in rows().zip(part.chunks_exact(size[0])) {
        classes[row(j, k)..row(j, k) + size[0]].copy_from_slice(values);
    }
}

/// Clears (to 0) all tissue but the largest part that hangs together by faces, edges or corners; of equals the first.
pub(crate) fn keep_largest(classes: &mut [u8], shape: [usize; 3], is_tissue: impl Fn(u8) -> bool) {
    in_box(classes, shape, &is_tissue, |classes, shape| keep_largest_in(classes, shape, &is_tissue));
}

fn keep_largest_in(classes: &mut [u8], shape: [usize; 3], is_tissue: &impl Fn(u8) -> bool) {
    let mut flood = Flood::new(shape);
    let (mut best, mut most, mut parts) = (None, 0_usize, 0);
    for seed in 0..classes.len() {
        if is_tissue(classes[seed]) && !flood.is_visited(seed) {
            let mut count = 0;
            flood.run(seed, true, |voxel| is_tissue(classes[voxel]), |_| count += 1, |_| {});
            parts += 1;
            if count > most {
                (best, most) = (Some(seed), count);
            }
        }
    }
    let Some(best) = best.filter(|_| parts > 1) else { return };
    let mut flood = Flood::new(shape);
    flood.run(best, true, |voxel| is_tissue(classes[voxel]), |_| {}, |_| {});
    for (voxel, class) in classes.iter_mut().enumerate() {
        if is_tissue(*class) && !flood.is_visited(voxel) {
            *class = 0;
        }
    }
}

/// Gives every hole, background that no path by faces joins to the border of the volume, the class that most of its
/// walls have.
pub(crate) fn fill_holes(classes: &mut [u8], shape: [usize; 3], is_tissue: impl Fn(u8) -> bool) {
    in_box(classes, shape, &is_tissue, |classes, shape| fill_holes_in(classes, shape, &is_tissue));
}

fn fill_holes_in(classes: &mut [u8], shape: [usize; 3], is_tissue: &impl Fn(u8) -> bool) {
    let [ni, nj, _] = shape;
    let mut flood = Flood::new(shape);
    // A picture has no border above and below.
    let is_end = |(at, length): (usize, usize)| length > 1 && (at == 0 || at == length - 1);
    let is_border = |voxel: usize| {
        let at = [voxel % ni, voxel / ni % nj, voxel / (ni * nj)];
        at.into_iter().zip(shape).any(is_end)
    };
    for seed in (0..classes.len()).filter(|&voxel| is_border(voxel)) {
        if !is_tissue(classes[seed]) && !flood.is_visited(seed) {
            flood.run(seed, false, |voxel| !is_tissue(classes[voxel]), |_| {}, |_| {});
        }
    }
    for seed in 0..classes.len() {
        if !is_tissue(classes[seed]) && !flood.is_visited(seed) {
            let (mut hole, mut walls) = (Vec::new(), [0_usize; 256]);
            let outside = |voxel: usize| !is_tissue(classes[voxel]);
            flood.run(seed, false, outside, |voxel| hole.push(voxel), |voxel| walls[usize::from(classes[voxel])] += 1);
            let class = (1..=255_u8).max_by_key(|&class| (walls[usize::from(class)], 255 - class)).unwrap_or(0);
            hole.into_iter().for_each(|voxel| classes[voxel] = class);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A box `low..high` along each axis.
    fn paint(classes: &mut [u8], shape: [usize; 3], low: [usize; 3], high: [usize; 3], class: u8) {
        for k in low[2]..high[2] {
            for j in low[1]..high[1] {
                for i in low[0]..high[0] {
                    classes[i + shape[0] * (j + shape[1] * k)] = class;
                }
            }
        }
    }

    #[test]
    fn the_largest_part_stays_and_corners_hold_it_together() {
        let shape = [9, 8, 7];
        let mut classes = vec![0; 504];
        paint(&mut classes, shape, [1, 1, 1], [4, 4, 4], 1);
        // Touches the first by a corner alone, and is of another class.
        paint(&mut classes, shape, [4, 4, 4], [6, 6, 6], 2);
        paint(&mut classes, shape, [0, 6, 0], [9, 8, 2], 3);
        keep_largest(&mut classes, shape, |class| class > 0);
        let count = |class| classes.iter().filter(|&&found| found == class).count();
        assert_eq!([count(1), count(2), count(3)], [0, 0, 36]);

        paint(&mut classes, shape, [1, 1, 1], [4, 4, 4], 1);
        paint(&mut classes, shape, [4, 4, 4], [6, 6, 6], 2);
        paint(&mut classes, shape, [6, 6, 6], [7, 7, 7], 2);
        paint(&mut classes, shape, [0, 7, 0], [9, 8, 2], 0);
        keep_largest(&mut classes, shape, |class| class > 0);
        let count = |class| classes.iter().filter(|&&found| found == class).count();
        assert_eq!([count(1), count(2), count(3)], [27, 9, 0]);
    }

    #[test]
    fn holes_are_filled_by_what_surrounds_them_and_bays_are_not() {
        let shape = [9, 9, 9];
        let mut classes = vec![0; 729];
        paint(&mut classes, shape, [1, 1, 1], [8, 8, 8], 2);
        paint(&mut classes, shape, [3, 3, 3], [5, 5, 5], 0);
        // A channel to the outside.
        paint(&mut classes, shape, [6, 6, 6], [7, 7, 9], 0);
        let open = classes[6 + 9 * (6 + 9 * 6)];
        fill_holes(&mut classes, shape, |class| class > 0);
        assert_eq!((open, classes[6 + 9 * (6 + 9 * 6)]), (0, 0));
        assert_eq!(classes.iter().filter(|&&class| class == 2).count(), 343 - 2);
    }

    #[test]
    fn holes_of_a_single_picture_are_filled() {
        // Cause: every pixel of a volume one voxel thick counted as its border.
        for shape in [[7, 7, 1], [7, 1, 7], [1, 7, 7]] {
            let mut classes = vec![0; 49];
            let [low, high] = [1, 6].map(|edge| shape.map(|length| if length > 1 { edge } else { edge / 6 }));
            paint(&mut classes, shape, low, high, 1);
            let [low, high] = [3, 4].map(|edge| shape.map(|length| if length > 1 { edge } else { edge - 3 }));
            paint(&mut classes, shape, low, high, 0);
            assert_eq!(classes.iter().filter(|&&class| class == 1).count(), 24);
            fill_holes(&mut classes, shape, |class| class > 0);
            assert_eq!(classes.iter().filter(|&&class| class == 1).count(), 25);
        }
    }
}
