use crate::plane::parts;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Numbers of the cells of a slice `[row][column]`, from 1, and how many there are; 0 on membranes where `keep_borders`.
///
/// Seeds are the 4-connected parts of the interior (above `threshold`) without the pixels that touch what is outside it: a
/// gap of one or two pixels in a membrane does not join two cells. Parts of the interior that vanish so are seeds as they
/// are. Seeds grow over neighbours by a side, from the most probable pixel to the least (Meyer's flooding; Beucher & Meyer
/// 1993), over membranes too until cells touch.
pub(super) fn cells(probability: &[f32], size: [usize; 2], threshold: f32, keep_borders: bool) -> (Vec<u32>, u32) {
    let [width, height] = size;
    let inside: Vec<bool> = probability.iter().map(|&value| value > threshold).collect();
    let core: Vec<bool> = (0..inside.len())
        .map(|pixel| inside[pixel] && neighbours(pixel, width, height).all(|next| inside[next]))
        .collect();
    let (wholes, _) = parts(&inside, size);
    let mut has_core = vec![false; inside.len() + 1];
    for (&whole, _) in wholes.iter().zip(&core).filter(|(_, core)| **core) {
        has_core[whole as usize] = true;
    }
    let seeds: Vec<bool> =
        (0..inside.len()).map(|pixel| core[pixel] || (inside[pixel] && !has_core[wholes[pixel] as usize])).collect();
    let (mut labels, count) = parts(&seeds, size);
    flood(probability, &mut labels, size, |pixel| inside[pixel] || !keep_borders);
    (labels, count)
}

/// A pixel that a label may grow to; the most probable comes first, of equals the one reached first.
#[derive(PartialEq)]
struct Candidate {
    probability: f32,
    turn: usize,
    pixel: usize,
    label: u32,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.probability.total_cmp(&other.probability).then(other.turn.cmp(&self.turn))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn flood(probability: &[f32], labels: &mut [u32], [width, height]: [usize; 2], may: impl Fn(usize) -> bool) {
    let mut queue = BinaryHeap::new();
    let mut turn = 0;
    let mut reach = |queue: &mut BinaryHeap<Candidate>, labels: &[u32], from: usize| {
        for pixel in neighbours(from, width, height).filter(|&pixel| labels[pixel] == 0 && may(pixel)) {
            turn += 1;
            queue.push(Candidate { probability: probability[pixel], turn, pixel, label: labels[from] });
        }
    };
    for pixel in 0..labels.len() {
        if labels[pixel] > 0 {
            reach(&mut queue, labels, pixel);
        }
    }
    while let Some(Candidate { pixel, label, .. }) = queue.pop() {
        if labels[pixel] == 0 {
            labels[pixel] = label;
            reach(&mut queue, labels, pixel);
        }
    }
}

/// Pixels that share a side with one.
fn neighbours(pixel: usize, width: usize, height: usize) -> impl Iterator<Item = usize> {
    let (x, y) = (pixel % width, pixel / width);
    let left = (x > 0).then(|| pixel - 1);
    let right = (x + 1 < width).then_some(pixel + 1);
    let up = (y > 0).then(|| pixel - width);
    let down = (y + 1 < height).then_some(pixel + width);
    [left, right, up, down].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of digits as tenths.
    fn picture(rows: &[&str]) -> (Vec<f32>, [usize; 2]) {
        let tenths = |c: char| c.to_digit(10).unwrap() as f32 / 10.0;
        (rows.iter().flat_map(|row| row.chars().map(tenths)).collect(), [rows[0].len(), rows.len()])
    }

    fn show(labels: &[u32], [width, _]: [usize; 2]) -> Vec<String> {
        labels
            .chunks(width)
            .map(|row| row.iter().map(|label| char::from_digit(*label, 36).unwrap()).collect())
            .collect()
    }

    #[test]
    fn cells_meet_on_the_crest_of_the_membrane() {
        // Two cells and a membrane of two pixels, one of them the likelier inside.
        let (probability, size) = picture(&["999913999", "999913999", "999913999", "999913999"]);
        let (found, count) = cells(&probability, size, 0.5, false);
        assert_eq!((show(&found, size), count), (vec!["111112222".to_owned(); 4], 2));
        let (found, _) = cells(&probability, size, 0.5, true);
        assert_eq!(show(&found, size), vec!["111100222"; 4]);
    }

    #[test]
    fn a_thin_leak_does_not_join_cells_and_a_small_part_is_a_cell() {
        let (probability, size) = picture(&[
            "99991999910", //
            "99991999910",
            "99996999919",
            "99991999910",
            "99991999910",
        ]);
        let (found, count) = cells(&probability, size, 0.5, true);
        assert_eq!(count, 3);
        // The leak goes to the seed that reached it first: numbers run in raster order.
        assert_eq!(show(&found, size)[2], "11111222203");
        assert_eq!(show(&found, size)[0], "11110222200");
    }

    #[test]
    fn nothing_inside_gives_no_cell() {
        assert_eq!(cells(&[0.2; 6], [3, 2], 0.5, false), (vec![0; 6], 0));
        assert_eq!(cells(&[0.7; 6], [3, 2], 0.5, false), (vec![1; 6], 1));
    }
}
