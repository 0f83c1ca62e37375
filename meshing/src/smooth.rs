use crate::Result;
use crate::error::same_length;
use crate::fill::{relative_depths, t_of_relative};
use brainmesh_core::{BOUNDARY_COUNT, LayerBoundaries, Monitor, Neighbours, RayOutcome, RaySet, Ribbon};
use rayon::prelude::*;

/// How strongly boundaries are drawn to those of neighbouring rays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Smoothing {
    /// Chosen from the data: what predicts withheld rays best.
    Auto {
        /// Which rays are withheld.
        seed: u64,
    },
    /// This weight; 0 leaves boundaries as they are. In mm^2: the reciprocal of the variance per mm^2 that relative
    /// depth is expected to have between neighbours a millimetre apart.
    Fixed(f64),
}

/// Weights tried by [`Smoothing::Auto`], in mm^2.
const CANDIDATES: [f64; 6] = [10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0];
/// One ray in this many is withheld.
const WITHHELD: u64 = 40;
/// Smallest standard deviation of a relative depth that a measurement may claim.
const SD_FLOOR: f64 = 1e-3;
/// Precision of a boundary that is given rather than measured (standard deviation 0).
const GIVEN: f64 = 1.0 / (SD_FLOOR * SD_FLOOR);
/// Passes of robust reweighting.
const PASSES: usize = 3;
/// Standard deviations from where its neighbours want it at which a measurement keeps half of its weight.
const STRAY_SD: f64 = 2.0;
/// Times the median step between neighbours at which a spring keeps half of its weight.
const BORDER: f64 = 3.0;
/// Steps below this share of a typical standard deviation are no border, however even the surroundings.
const LEAST_BORDER: f64 = 0.1;
/// Conjugate gradients stop when the error is about the square root of this share of the solution, or after so many
/// steps.
const TOLERANCE: f64 = 1e-9;
const STEPS: usize = 200;
/// Rows handled by one task; sums are taken block by block so that they do not depend on the number of threads.
const BLOCK: usize = 1024;

type Row = [f64; BOUNDARY_COUNT];

/// Smooths all seven boundaries together over the mesh, in depth relative to the given ribbon, and keeps their order.
///
/// Minimises `sum (x - x0)^2 / sd^2 + strength * sum_edges (x_i - x_j)^2 / l_ij^2` (a Gaussian Markov random field with
/// l the edge length on the pial surface in mm): a ray that is sure of itself hardly moves, an unsure one follows its
/// neighbours. Both sums are robust: stray rays give way and areal borders stay. Rows that then break the order are replaced by the nearest ordered ones (pool adjacent violators).
/// Boundaries with standard deviation 0 (given surfaces) stay as they are; missing rays take no part.
///
/// Returns the boundaries and the strength used.
///
/// # Errors
/// Numbers of vertices, rays and boundaries that differ; cancellation.
pub fn smooth_boundaries(
    boundaries: &LayerBoundaries,
    ribbon: &Ribbon,
    rays: &RaySet,
    neighbours: &Neighbours,
    smoothing: Smoothing,
    monitor: &dyn Monitor,
) -> Result<(LayerBoundaries, f64)> {
    for (field, found) in [("rays", rays.len()), ("boundaries", boundaries.len()), ("neighbours", neighbours.len())] {
        same_length(field, ribbon.len(), found)?;
    }
    let field = Field::new(boundaries, ribbon, rays, neighbours);
    let strength = match smoothing {
        Smoothing::Fixed(strength) => strength,
        Smoothing::Auto { seed } => field.choose_strength(seed, monitor)?,
    };
    if strength <= 0.0 {
        return Ok((boundaries.clone(), 0.0));
    }
    monitor.stage("smoothing boundaries", 1);
    let mut solution = field.solve_robustly(&field.precision, strength, field.depths.clone(), monitor)?;
    let mut t = boundaries.t().clone();
    for (ray, row) in solution.iter_mut().enumerate().filter(|(ray, _)| field.active[*ray]) {
        make_ordered(row, &field.precision[ray]);
        let mut lowest = 0.0;
        for k in 0..BOUNDARY_COUNT {
            if boundaries.sd_mm()[[ray, k]] > 0.0 {
                t[[ray, k]] = t_of_relative(rays, ray, row[k]).max(lowest);
            }
            lowest = t[[ray, k]];
        }
        // A given boundary further down (standard deviation 0) is a ceiling for those above it.
        let mut highest = 1.0;
        for k in (0..BOUNDARY_COUNT).rev() {
            highest = t[[ray, k]].min(highest);
            t[[ray, k]] = highest;
        }
    }
    monitor.advance(1);
    Ok((LayerBoundaries::new(t, boundaries.sd_mm().clone(), boundaries.outcomes().to_vec())?, strength))
}

/// The linear system: data, precisions and springs along edges.
struct Field<'a> {
    depths: Vec<Row>,
    precision: Vec<Row>,
    active: Vec<bool>,
    neighbours: &'a Neighbours,
    /// Where the edges of each vertex begin in `springs`, and their end.
    starts: Vec<usize>,
    /// Reciprocal squared edge length, in the order of the neighbours of each vertex.
    springs: Vec<f64>,
}

impl<'a> Field<'a> {
    fn new(boundaries: &LayerBoundaries, ribbon: &Ribbon, rays: &RaySet, neighbours: &'a Neighbours) -> Self {
        let n = rays.len();
        let active: Vec<bool> = boundaries.outcomes().iter().map(|o| o.has_layers()).collect();
        let depths = (0..n).map(|ray| relative_depths(boundaries, rays, ray)).collect();
        let precision = (0..n)
            .map(|ray| {
                let thickness_mm = (rays.white_t(ray) - rays.pial_t(ray)) * rays.length_mm(ray);
                std::array::from_fn(|k| {
                    let sd = (boundaries.sd_mm()[[ray, k]] / thickness_mm.max(1e-6)).max(SD_FLOOR);
                    let filled = matches!(boundaries.outcomes()[ray], RayOutcome::Filled(_));
                    // A filled ray is an average of its neighbours already: it adds no evidence of its own.
                    if active[ray] && !filled { 1.0 / (sd * sd) } else { 0.0 }
                })
            })
            .collect();
        let points = ribbon.pial().vertices();
        let mut starts = Vec::with_capacity(n + 1);
        starts.push(0);
        let mut springs = Vec::new();
        for v in 0..n {
            springs.extend(neighbours.of(v).iter().map(|&j| {
                let length_mm = points[v].distance_mm(points[j as usize]).max(1e-3);
                if active[v] && active[j as usize] { 1.0 / (length_mm * length_mm) } else { 0.0 }
            }));
            starts.push(springs.len());
        }
        Self { depths, precision, active, neighbours, starts, springs }
    }

    /// The candidate whose solution without them predicts withheld rays best (mean squared error weighted by precision).
    /// Around a withheld ray its neighbours are left out too: they share its noise.
    fn choose_strength(&self, seed: u64, monitor: &dyn Monitor) -> Result<f64> {
        monitor.stage("choosing the smoothing", CANDIDATES.len() as u64);
        let withheld: Vec<usize> = (0..self.active.len())
            .filter(|&ray| self.precision[ray][1] > 0.0 && hash(seed, ray as u64).is_multiple_of(WITHHELD))
            .collect();
        let mut precision = self.precision.clone();
        for &ray in &withheld {
            precision[ray] = [0.0; BOUNDARY_COUNT];
            for &j in self.neighbours.of(ray) {
                precision[j as usize] = [0.0; BOUNDARY_COUNT];
            }
        }
        let mut best = (f64::INFINITY, 0.0);
        let mut solution = self.depths.clone();
        for strength in CANDIDATES {
            solution = self.solve_robustly(&precision, strength, solution, monitor)?;
            let error: f64 = withheld
                .iter()
                .map(|&ray| {
                    (0..BOUNDARY_COUNT)
                        .map(|k| self.precision[ray][k].min(1e5) * (solution[ray][k] - self.depths[ray][k]).powi(2))
                        .sum::<f64>()
                })
                .sum();
            if error < best.0 {
                best = (error, strength);
            }
            monitor.advance(1);
        }
        Ok(best.1)
    }

    /// The minimum with Cauchy costs in place of squares, by iterated reweighting (Holland and Welsch 1977): a measurement
    /// far from where its neighbours want it loses weight, and so does an edge across which the boundaries step. A
    /// stray ray gives way; an areal border, where many rays agree on either side, stays.
    fn solve_robustly(
        &self,
        precision: &[Row],
        strength: f64,
        guess: Vec<Row>,
        monitor: &dyn Monitor,
    ) -> Result<Vec<Row>> {
        let cauchy = |x: f64, scale: f64| 1.0 / (1.0 + (x / scale).powi(2));
        let typical = self.typical_precision();
        let mut x = self.solve(precision, &self.springs, strength, guess, monitor)?;
        for _ in 0..PASSES {
            let weigh = |(v, precision): (usize, &Row)| {
                std::array::from_fn(|k| {
                    let residual = (x[v][k] - self.depths[v][k]).abs() * precision[k].sqrt();
                    precision[k] * cauchy(residual, STRAY_SD)
                })
            };
            let data: Vec<Row> = precision.par_iter().enumerate().map(weigh).collect();
            let steps = self.steps(&x, &typical);
            let border = (BORDER * median(steps.iter().copied().filter(|s| *s > 0.0))).max(LEAST_BORDER);
            let springs: Vec<f64> =
                steps.par_iter().zip(&self.springs).map(|(step, spring)| spring * cauchy(*step, border)).collect();
            x = self.solve(&data, &springs, strength, x, monitor)?;
        }
        Ok(x)
    }

    /// Median precision of each boundary over the rays that have one; 0 for boundaries that are given.
    fn typical_precision(&self) -> Row {
        std::array::from_fn(|k| median(self.precision.iter().map(|p| p[k]).filter(|&p| p > 0.0 && p < GIVEN)))
    }

    /// How far the boundaries step along every edge, in standard deviations of a typical measurement: the largest of
    /// the seven, since an areal border need not show in all. In the order of the neighbours of each vertex; 0 along
    /// edges without a spring.
    fn steps(&self, x: &[Row], typical: &Row) -> Vec<f64> {
        let scale = typical.map(f64::sqrt);
        let mut steps = vec![0.0; self.springs.len()];
        for (v, row) in x.iter().enumerate() {
            let edges = self.starts[v]..self.starts[v + 1];
            for (edge, &j) in edges.zip(self.neighbours.of(v)) {
                if self.springs[edge] > 0.0 {
                    let along = |k: usize| (row[k] - x[j as usize][k]).abs() * scale[k];
                    steps[edge] = (0..BOUNDARY_COUNT).map(along).fold(0.0, f64::max);
                }
            }
        }
        steps
    }

    /// Conjugate gradients with a diagonal preconditioner, all seven columns at once, from a first guess.
    fn solve(
        &self,
        precision: &[Row],
        springs: &[f64],
        strength: f64,
        mut x: Vec<Row>,
        monitor: &dyn Monitor,
    ) -> Result<Vec<Row>> {
        let n = x.len();
        let inverse: Vec<Row> = precision
            .iter()
            .enumerate()
            .map(|(v, p)| {
                let spring = strength * springs[self.starts[v]..self.starts[v + 1]].iter().sum::<f64>();
                // A ray with neither data nor neighbours keeps its depth.
                p.map(|p| if p + spring > 0.0 { 1.0 / (p + spring) } else { 1.0 })
            })
            .collect();
        let mut image = vec![[0.0; BOUNDARY_COUNT]; n];
        self.apply(precision, springs, strength, &x, &mut image);
        let right = |v: usize, k: usize| precision[v][k] * self.depths[v][k];
        let mut residual: Vec<Row> = (0..n).map(|v| std::array::from_fn(|k| right(v, k) - image[v][k])).collect();
        let mut direction: Vec<Row> = (0..n).map(|v| std::array::from_fn(|k| inverse[v][k] * residual[v][k])).collect();
        let goal = sum_blocks(n, |v, sum| add_up(sum, |k| right(v, k).powi(2) * inverse[v][k] * TOLERANCE));
        let mut rho = sum_blocks(n, |v, sum| add_up(sum, |k| residual[v][k] * direction[v][k]));
        for _ in 0..STEPS {
            monitor.check()?;
            if (0..BOUNDARY_COUNT).all(|k| rho[k] <= goal[k]) {
                break;
            }
            self.apply(precision, springs, strength, &direction, &mut image);
            let curvature = sum_blocks(n, |v, sum| add_up(sum, |k| direction[v][k] * image[v][k]));
            let step: Row = std::array::from_fn(|k| if curvature[k] > 0.0 { rho[k] / curvature[k] } else { 0.0 });
            x.par_iter_mut().zip(&mut residual).zip(direction.par_iter().zip(&image)).for_each(|((x, r), (d, a))| {
                for k in 0..BOUNDARY_COUNT {
                    x[k] += step[k] * d[k];
                    r[k] -= step[k] * a[k];
                }
            });
            let next = sum_blocks(n, |v, sum| add_up(sum, |k| residual[v][k].powi(2) * inverse[v][k]));
            let turn: Row = std::array::from_fn(|k| if rho[k] > 0.0 { next[k] / rho[k] } else { 0.0 });
            direction.par_iter_mut().zip(&residual).zip(&inverse).for_each(|((d, r), i)| {
                for k in 0..BOUNDARY_COUNT {
                    d[k] = i[k] * r[k] + turn[k] * d[k];
                }
            });
            rho = next;
        }
        Ok(x)
    }

    /// The system times `x`.
    fn apply(&self, precision: &[Row], springs: &[f64], strength: f64, x: &[Row], out: &mut [Row]) {
        out.par_iter_mut().enumerate().for_each(|(v, out)| {
            *out = std::array::from_fn(|k| precision[v][k] * x[v][k]);
            for (&j, &spring) in self.neighbours.of(v).iter().zip(&springs[self.starts[v]..]) {
                for k in 0..BOUNDARY_COUNT {
                    out[k] += strength * spring * (x[v][k] - x[j as usize][k]);
                }
            }
        });
    }
}

/// Sums over `0..n` block by block, so that they do not depend on the number of threads.
fn sum_blocks(n: usize, add: impl Fn(usize, &mut Row) + Sync) -> Row {
    let blocks: Vec<Row> = (0..n.div_ceil(BLOCK))
        .into_par_iter()
        .map(|block| {
            let mut sum = [0.0; BOUNDARY_COUNT];
            (block * BLOCK..n.min((block + 1) * BLOCK)).for_each(|v| add(v, &mut sum));
            sum
        })
        .collect();
    let mut sum = [0.0; BOUNDARY_COUNT];
    blocks.iter().for_each(|block| add_up(&mut sum, |k| block[k]));
    sum
}

fn add_up(sum: &mut Row, term: impl Fn(usize) -> f64) {
    sum.iter_mut().enumerate().for_each(|(k, s)| *s += term(k));
}

/// 0 where there are none.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    let middle = values.len() / 2;
    if values.is_empty() { 0.0 } else { *values.select_nth_unstable_by(middle, f64::total_cmp).1 }
}

/// Nearest non-decreasing row in the weighted least-squares sense (pool adjacent violators; Barlow 1972).
fn make_ordered(row: &mut Row, weights: &Row) {
    let mut pools: Vec<(f64, f64, usize)> = Vec::with_capacity(BOUNDARY_COUNT);
    for k in 0..BOUNDARY_COUNT {
        pools.push((row[k], weights[k].max(1e-12), 1));
        while let [.., (above, wa, na), (below, wb, nb)] = pools[..] {
            if above <= below {
                break;
            }
            pools.truncate(pools.len() - 2);
            pools.push(((above * wa + below * wb) / (wa + wb), wa + wb, na + nb));
        }
    }
    let mut k = 0;
    for (value, _, count) in pools {
        row[k..k + count].fill(value);
        k += count;
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014): a fixed scatter of vertices for a seed.
fn hash(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooling_gives_the_weighted_mean_of_violators() {
        let mut row = [0.0, 0.3, 0.1, 0.5, 0.6, 0.7, 1.0];
        make_ordered(&mut row, &[1.0, 3.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        assert!((row[1] - 0.25).abs() < 1e-12 && row[1] == row[2]);
        assert_eq!([row[0], row[3], row[6]], [0.0, 0.5, 1.0]);
    }
}
