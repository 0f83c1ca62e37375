use crate::Result;
use crate::field::{Boundaries, Field};
use crate::scatter::hash;
use crate::solver::{ROUGH, Solver};
use crate::system::{LANES, Row};
use brainmesh_core::{BOUNDARY_COUNT, Monitor};

/// Lengths of the field that are tried, in mm.
const LENGTHS_MM: [f64; 6] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0];
/// Radii of withheld blocks, in mm: about as wide as the errors of a network are alike from ray to ray; smaller where
/// the mesh has too few blocks of the first.
const BLOCKS_MM: [f64; 2] = [1.0, 0.5];
/// Rays within this share of the radius are predicted.
const CORE: f64 = 0.35;
/// Middles of blocks keep so many radii apart.
const APART: f64 = 3.0;
/// Blocks withheld at a time, and the least number to choose from.
const BLOCKS: usize = 128;
const FEWEST: usize = 8;
/// Turns of blocks, for meshes that have few at a time.
const TURNS: u64 = 4;
/// Most vertices used to choose: what lies nearest to the blocks.
const USED: usize = 30_000;
/// Most of the measurements that a turn may withhold.
const WITHHELD: f64 = 0.2;
/// Degrees of freedom of the errors (Student's t): a stray ray does not decide.
const FREEDOM: f64 = 4.0;

/// Smoothing length of each boundary, in mm, under which withheld blocks of rays are predicted best; `None` where there
/// are too few rays to withhold any.
///
/// The score is the logarithm of the predictive density of each withheld measurement, with the variance of its error and
/// that of the field in the middle of the block: a length is too long when the field is surer of the block than it
/// should be, too short when it knows nothing. Each boundary counts its own score and the mean of all.
pub(crate) fn choose_lengths(field: &Field, seed: u64, monitor: &dyn Monitor) -> Result<Option<Boundaries>> {
    monitor.stage("choosing the smoothing", TURNS);
    for radius_mm in BLOCKS_MM {
        let (mut turns, mut count) = (Vec::new(), 0);
        for turn in (0..TURNS).map(|turn| hash(seed, turn)) {
            if count < BLOCKS / 2 {
                turns.push(Blocks::choose(field, turn, radius_mm));
                count += turns.last().map_or(0, |blocks| blocks.seeds.len());
            }
        }
        if count < FEWEST {
            continue;
        }
        let mut scores = [[0.0; BOUNDARY_COUNT]; LENGTHS_MM.len()];
        for blocks in turns.iter().filter(|blocks| !blocks.seeds.is_empty()) {
            blocks.score(field, &mut scores, monitor)?;
            monitor.advance(1);
        }
        return Ok(Some(best_lengths(&scores)));
    }
    Ok(None)
}

fn best_lengths(scores: &[[f64; BOUNDARY_COUNT]; LENGTHS_MM.len()]) -> Boundaries {
    let joint = scores.map(|row| row.iter().sum::<f64>() / BOUNDARY_COUNT as f64);
    std::array::from_fn(|k| {
        let cost: Vec<f64> = (0..LENGTHS_MM.len()).map(|i| scores[i][k] + joint[i]).collect();
        lowest(&cost)
    })
}

/// Length at the lowest cost, between the lengths tried: the bottom of a parabola in their logarithm.
fn lowest(cost: &[f64]) -> f64 {
    let best = (0..cost.len()).fold(0, |best, i| if cost[i] < cost[best] { i } else { best });
    if best == 0 || best + 1 == cost.len() {
        return LENGTHS_MM[best];
    }
    let (before, after) = (cost[best - 1] - cost[best], cost[best + 1] - cost[best]);
    let shift = if before + after > 0.0 { 0.5 * (before - after) / (before + after) } else { 0.0 };
    LENGTHS_MM[best] * 2f64.powf(shift)
}

/// A number in 0..1 for every vertex, as good as random, that follows from where it lies: not from its number, nor from
/// left and right, so that the same mesh in another order or mirrored has the same blocks.
fn scatter(field: &Field, seed: u64) -> Vec<f64> {
    let centre = field.points.iter().sum::<glam::DVec3>() / field.points.len().max(1) as f64;
    // Distances change by far more than a thousandth of a millimetre from vertex to vertex, and rounding by far less.
    let per_mm = 1000.0 + (hash(seed, 0) % 1000) as f64;
    field.points.iter().map(|p| (p.distance(centre) * per_mm).fract()).collect()
}

/// Blocks of the mesh whose measurements are withheld.
struct Blocks {
    /// Middle of each block: a measured vertex.
    seeds: Vec<usize>,
    /// All withheld vertices.
    withheld: Vec<usize>,
    /// Vertices to predict, with the number of their block.
    cores: Vec<(usize, usize)>,
    /// The blocks and what lies around them, ascending.
    used: Vec<usize>,
}

impl Blocks {
    fn choose(field: &Field, seed: u64, radius_mm: f64) -> Self {
        let mut order: Vec<usize> = (0..field.len()).filter(|&v| field.is_measured(v)).collect();
        let most = (order.len() as f64 * WITHHELD) as usize;
        let scatter = scatter(field, seed);
        order.sort_by(|&a, &b| scatter[a].total_cmp(&scatter[b]));
        let mut taken = vec![false; field.len()];
        let mut blocks = Self { seeds: Vec::new(), withheld: Vec::new(), cores: Vec::new(), used: Vec::new() };
        let mut withheld = 0;
        for middle in order {
            if blocks.seeds.len() == BLOCKS {
                break;
            }
            if taken[middle] {
                continue;
            }
            let block = field.within_mm(middle, radius_mm);
            let measured = block.iter().filter(|&&v| field.is_measured(v)).count();
            if block.iter().any(|&v| taken[v]) || withheld + measured > most {
                continue;
            }
            withheld += measured;
            let near = |v: usize| field.points[v].distance(field.points[middle]) <= CORE * radius_mm;
            let number = blocks.seeds.len();
            blocks.cores.extend(block.iter().filter(|&&v| near(v) && field.is_measured(v)).map(|&v| (v, number)));
            blocks.seeds.push(middle);
            blocks.withheld.extend(&block);
            let around = field.within_mm(middle, APART * radius_mm);
            around.iter().for_each(|&v| taken[v] = true);
        }
        blocks.used = blocks.surroundings(field);
        blocks
    }

    /// The vertices in the fewest rings around the middles that make up enough of the mesh, or all of it.
    fn surroundings(&self, field: &Field) -> Vec<usize> {
        let mut used = vec![false; field.len()];
        self.seeds.iter().for_each(|&middle| used[middle] = true);
        let (mut ring, mut count) = (self.seeds.clone(), self.seeds.len());
        while !ring.is_empty() && count < USED {
            let mut next = Vec::new();
            for edge in ring.iter().flat_map(|&v| field.edges(v)) {
                let j = field.neighbours[edge] as usize;
                if !used[j] {
                    used[j] = true;
                    next.push(j);
                }
            }
            count += next.len();
            ring = next;
        }
        (0..field.len()).filter(|&v| used[v]).collect()
    }

    fn score(
        &self,
        field: &Field,
        scores: &mut [[f64; BOUNDARY_COUNT]; LENGTHS_MM.len()],
        monitor: &dyn Monitor,
    ) -> Result<()> {
        // On a very fine mesh the rim of a block may lie beyond what is used.
        let place = |v: usize| self.used.binary_search(&v).ok();
        let mut part = field.subset(&self.used);
        for v in self.withheld.iter().filter_map(|&v| place(v)) {
            part.precision[v] = [0.0; LANES];
            part.data[v] = [0.0; LANES];
        }
        // One right side finds the variances of all blocks: they are far apart, and random signs cancel what is left.
        let middles: Vec<usize> = self.seeds.iter().filter_map(|&v| place(v)).collect();
        let signs: Vec<f32> =
            (0..self.seeds.len() as u64).map(|n| if hash(7, n) & 1 == 0 { 1.0 } else { -1.0 }).collect();
        let mut probe: Vec<Row> = vec![[0.0; LANES]; part.len()];
        middles.iter().zip(&signs).for_each(|(&v, sign)| probe[v][..BOUNDARY_COUNT].fill(*sign));
        let mut x = part.data.clone();
        let mut response: Vec<Row> = vec![[0.0; LANES]; part.len()];
        for (length_mm, scores) in LENGTHS_MM.into_iter().zip(scores) {
            let lengths_mm = [length_mm; BOUNDARY_COUNT];
            let first = part.system(&lengths_mm);
            x = Solver::new(&first).solve(&first.right(), x, ROUGH, monitor)?;
            let system = part.reweighted(&x, &lengths_mm);
            let mut solver = Solver::new(&system);
            x = solver.solve(&system.right(), x, ROUGH, monitor)?;
            response = solver.solve(&probe, response, ROUGH, monitor)?;
            for &(v, block) in &self.cores {
                let (seed, Some(at)) = (middles[block], place(v)) else { continue };
                let least = system.diagonal(seed);
                for k in 0..BOUNDARY_COUNT {
                    let own = 1.0 / f64::from(field.precision[v][k].max(1e-9));
                    let variance = f64::from((response[seed][k] * signs[block]).max(1.0 / least[k])) + own;
                    let squared = f64::from(x[at][k] - field.data[v][k]).powi(2) / variance;
                    scores[k] += 0.5 * variance.ln() + (FREEDOM + 1.0) / 2.0 * (squared / FREEDOM).ln_1p();
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_cost_lies_between_lengths() {
        let parabola = |middle: f64| LENGTHS_MM.map(|l| (l.log2() - middle).powi(2));
        assert!((lowest(&parabola(0.3)) - 2f64.powf(0.3)).abs() < 1e-12);
        assert_eq!(lowest(&parabola(-9.0)), LENGTHS_MM[0]);
        assert_eq!(lowest(&parabola(9.0)), LENGTHS_MM[5]);
    }
}
