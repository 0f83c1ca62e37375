use super::part::{Part, PartKind};
use super::quad;
use super::tile::Tile;
use crate::manifest::ANSWERS;
use crate::{Error, Result, SectionsTask};
use ndarray::ArrayView3;
use std::ops::Range;

/// Blocks to each side that a peak is the largest of.
const PEAK_REACH: usize = 2;
/// Blocks around a peak that vote, to each side.
const VOTE_REACH: usize = 3;
/// Blocks vote whose heat is this share of the peak's or more.
const LEAST_VOTE: f64 = 0.2;
/// How far apart, in square roots of the area, the centres may be that two blocks of one part see.
const SAME_CENTRE: f64 = 0.25;
/// The corners of a part, and the centre of its partner.
const WAYS: usize = 10;

/// Parts of a kind whose peak lies in the core of a tile, from the network's answer `[12, rows, columns]` to its input; those that are
/// the same are not told apart yet.
///
/// # Errors
/// [`Error::Shape`] for an answer that is no answer to this tile.
pub(crate) fn parts(answer: ArrayView3<f32>, kind: PartKind, task: &SectionsTask, tile: &Tile) -> Result<Vec<Part>> {
    let expected = (ANSWERS, tile.input[1].len() / task.stride, tile.input[0].len() / task.stride);
    if answer.dim() != expected {
        return Err(Error::Shape { expected: format!("{expected:?}"), found: format!("{:?}", answer.dim()) });
    }
    if let Some(value) = answer.iter().find(|value| !value.is_finite()) {
        return Err(Error::Shape { expected: "finite numbers".into(), found: value.to_string() });
    }
    let heat = answer.index_axis(ndarray::Axis(0), kind as usize).mapv(|logit| 1.0 / (1.0 + (-f64::from(logit)).exp()));
    let (_, rows, columns) = expected;
    let around = |at: usize, reach: usize, most: usize| at.saturating_sub(reach)..(at + reach + 1).min(most);
    let core = |n: usize| -> Range<usize> {
        let [own, whole] = [&tile.core[n], &tile.input[n]];
        (own.start - whole.start) / task.stride..(own.end - whole.start) / task.stride
    };
    let mut found = Vec::new();
    for row in core(1) {
        for column in core(0) {
            let most = heat[[row, column]];
            let mut near =
                around(row, PEAK_REACH, rows).flat_map(|y| around(column, PEAK_REACH, columns).map(move |x| [y, x]));
            if most < task.threshold || near.any(|at| heat[at] > most) {
                continue;
            }
            let area = [around(row, VOTE_REACH, rows), around(column, VOTE_REACH, columns)];
            let votes = Votes { answer, task, origin: [tile.input[0].start, tile.input[1].start] };
            found.push(votes.part([row, column], area, |at| heat[at]));
        }
    }
    Ok(found)
}

/// What blocks say about the part they lie in.
struct Votes<'a> {
    answer: ArrayView3<'a, f32>,
    task: &'a SectionsTask,
    /// Column and row of the first pixel.
    origin: [usize; 2],
}

impl Votes<'_> {
    /// The mean of what the blocks of `area` say that mean the same part as the block at `peak`, weighted by the square of their heat.
    fn part(&self, peak: [usize; 2], area: [Range<usize>; 2], heat: impl Fn([usize; 2]) -> f64) -> Part {
        let own = self.vote(peak);
        let (own_quad, _) = split(own);
        let own_centre = quad::centre(&own_quad);
        let size = quad::area(&own_quad).max(1.0).sqrt();
        let (mut total, mut sum) = (0.0, [0.0; WAYS]);
        let [rows, columns] = area;
        for at in rows.flat_map(|y| columns.clone().map(move |x| [y, x])) {
            // Farther out nothing was learned.
            if heat(at) < LEAST_VOTE * heat(peak) {
                continue;
            }
            let vote = self.vote(at);
            let centre = quad::centre(&split(vote).0);
            // Blocks of a neighbour have another centre.
            if (centre[0] - own_centre[0]).hypot(centre[1] - own_centre[1]) < SAME_CENTRE * size {
                let weight = heat(at).powi(2);
                total += weight;
                sum.iter_mut().zip(vote).for_each(|(sum, value)| *sum += weight * value);
            }
        }
        let (corners_px, toward) = split(if total > 0.0 { sum.map(|value| value / total) } else { own });
        Part { corners_px, confidence: heat(peak), toward_px: Some(toward) }
    }

    /// Places in the picture that a block points to: x and y of each.
    fn vote(&self, [row, column]: [usize; 2]) -> [f64; WAYS] {
        let middle = (self.task.stride - 1) as f64 / 2.0;
        let here = [self.origin[0] + column * self.task.stride, self.origin[1] + row * self.task.stride];
        std::array::from_fn(|n| {
            let way = f64::from(self.answer[[ANSWERS - WAYS + n, row, column]]) * self.task.unit_px;
            way + here[n % 2] as f64 + middle
        })
    }
}

fn split(ways: [f64; WAYS]) -> ([[f64; 2]; 4], [f64; 2]) {
    (std::array::from_fn(|n| [ways[2 * n], ways[2 * n + 1]]), [ways[8], ways[9]])
}
