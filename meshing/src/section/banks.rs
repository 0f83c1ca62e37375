use super::field::{FACES, Field};
use super::{flat, invalid};
use crate::Result;
use brainmesh_core::Volume;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Pieces below this share of the labelled area are specks.
const SMALLEST_PIECE: f64 = 0.005;
/// Grey values are told apart in so many steps.
const LEVELS: f32 = 64.0;

/// Parts the two banks of a sulcus that one stretch of layer I joins, along the pia: pixels on the line become 0.
///
/// Where labels show layers II and below in several pieces with only layer I between them, the pia lies inside layer I,
/// undrawn. Layer I is flooded from the pieces, pixels that look like it first (Meyer 1991's watershed from markers; the
/// height is the distance from layer I's median grey), so that floods meet at the cleft, which is bright glass or dark
/// membrane; in a cleft that does not show they meet half way. Returns the number of pieces; nothing changes for one.
///
/// # Errors
/// Pictures of different size or more than one plane.
pub fn part_banks(labels: &mut Volume<u8>, picture: &Volume<f32>) -> Result<usize> {
    let (drawn, _) = flat(labels)?;
    let (grey, _) = flat(picture)?;
    if (drawn.width, drawn.height) != (grey.width, grey.height) {
        let show = |w, h| format!("{w} x {h} pixels");
        return Err(invalid("label image", show(grey.width, grey.height), show(drawn.width, drawn.height)));
    }
    let (mut owner, pieces) = pieces(&drawn);
    if pieces < 2 {
        return Ok(pieces);
    }
    let height = heights(&drawn, &grey.blurred(1));
    let mut queue = BinaryHeap::new();
    let mut turn = 0u64;
    let mut spread = |queue: &mut BinaryHeap<_>, owner: &Field<u32>, from: usize, level: u32| {
        for next in FACES.iter().filter_map(|s| owner.step(from, *s)) {
            if drawn.data[next] == 1 && owner.data[next] == 0 {
                turn += 1;
                queue.push(Reverse((height[next].max(level), turn, next, owner.data[from])));
            }
        }
    };
    for pixel in (0..drawn.data.len()).filter(|&i| owner.data[i] > 0).collect::<Vec<_>>() {
        spread(&mut queue, &owner, pixel, 0);
    }
    while let Some(Reverse((level, _, pixel, piece))) = queue.pop() {
        if owner.data[pixel] == 0 {
            owner.data[pixel] = piece;
            spread(&mut queue, &owner, pixel, level);
        }
    }
    for (pixel, label) in labels.data_mut().iter_mut().enumerate() {
        let own = owner.data[pixel];
        let meets = FACES.iter().filter_map(|s| owner.step(pixel, *s)).any(|i| owner.data[i] > own);
        if *label == 1 && own > 0 && meets {
            *label = 0;
        }
    }
    Ok(pieces)
}

/// Numbers, from 1, of the connected pieces of layers II and below and white matter, and how many there are.
fn pieces(drawn: &Field<u8>) -> (Field<u32>, usize) {
    let smallest = SMALLEST_PIECE * drawn.data.iter().filter(|l| **l > 0).count() as f64;
    let mut owner = Field::filled(drawn.width, drawn.height, 0u32);
    let mut seen = vec![false; drawn.data.len()];
    let mut count = 0;
    for start in 0..drawn.data.len() {
        if seen[start] || drawn.data[start] < 2 {
            continue;
        }
        let mut piece = vec![start];
        seen[start] = true;
        let mut next = 0;
        while let Some(&pixel) = piece.get(next) {
            next += 1;
            for i in FACES.iter().filter_map(|s| drawn.step(pixel, *s)) {
                if drawn.data[i] > 1 && !seen[i] {
                    seen[i] = true;
                    piece.push(i);
                }
            }
        }
        if piece.len() as f64 >= smallest {
            count += 1;
            piece.iter().for_each(|&i| owner.data[i] = count);
        }
    }
    (owner, count as usize)
}

/// How unlike layer I each pixel is, in steps.
fn heights(drawn: &Field<u8>, grey: &Field<f32>) -> Vec<u32> {
    let mut inside: Vec<f32> = drawn.data.iter().zip(&grey.data).filter(|(l, _)| **l == 1).map(|(_, g)| *g).collect();
    if inside.is_empty() {
        return vec![0; grey.data.len()];
    }
    let middle = inside.len() / 2;
    let median = *inside.select_nth_unstable_by(middle, f32::total_cmp).1;
    let largest = inside.iter().map(|g| (g - median).abs()).fold(f32::MIN_POSITIVE, f32::max);
    grey.data.iter().map(|g| ((g - median).abs() / largest * LEVELS).min(LEVELS) as u32).collect()
}
