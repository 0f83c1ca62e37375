use crate::Result;
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
const WITHHELD: u64 = 12;
/// Smallest standard deviation of a relative depth that a measurement may claim.
const SD_FLOOR: f64 = 1e-3;
/// Rows handled by one task; sums are taken block by block so that they do not depend on the number of threads.
const BLOCK: usize = 1024;

type Row = [f64; BOUNDARY_COUNT];

/// Smooths all seven boundaries together over the mesh, in depth relative to the given ribbon, and keeps their order.
///
/// Minimises `sum (x - x0)^2 / sd^2 + strength * sum_edges (x_i - x_j)^2 / l_ij^2` (a Gaussian Markov random field with
/// l the edge length on the pial surface in mm): a ray that is sure of itself hardly moves, an unsure one follows its
/// neighbours. Rows that then break the order are replaced by the nearest ordered ones (pool adjacent violators).
/// Boundaries with standard deviation 0 (given surfaces) stay as they are; missing rays take no part.
///
/// Returns the boundaries and the strength used.
///
/// # Errors
/// Cancellation.
pub fn smooth_boundaries(
    boundaries: &LayerBoundaries,
    ribbon: &Ribbon,
    rays: &RaySet,
    neighbours: &Neighbours,
    smoothing: Smoothing,
    monitor: &dyn Monitor,
) -> Result<(LayerBoundaries, f64)> {
    let field = Field::new(boundaries, ribbon, rays, neighbours);
    let strength = match smoothing {
        Smoothing::Fixed(strength) => strength,
        Smoothing::Auto { seed } => field.choose_strength(seed, monitor)?,
    };
    if strength <= 0.0 {
        return Ok((boundaries.clone(), 0.0));
    }
    monitor.stage("smoothing boundaries", 1);
    let mut solution = field.solve(&field.precision, strength, monitor)?;
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
    /// Reciprocal squared edge length, in the order of the neighbours of each vertex.
    springs: Vec<Vec<f64>>,
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
        let springs = (0..n)
            .map(|v| {
                let spring = |&j: &u32| {
                    let length_mm = points[v].distance_mm(points[j as usize]).max(1e-3);
                    if active[v] && active[j as usize] { 1.0 / (length_mm * length_mm) } else { 0.0 }
                };
                neighbours.of(v).iter().map(spring).collect()
            })
            .collect();
        Self { depths, precision, active, neighbours, springs }
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
        for strength in CANDIDATES {
            let solution = self.solve(&precision, strength, monitor)?;
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

    /// Conjugate gradients with a diagonal preconditioner, all seven columns at once.
    fn solve(&self, precision: &[Row], strength: f64, monitor: &dyn Monitor) -> Result<Vec<Row>> {
        const STEPS: usize = 200;
        const TOLERANCE: f64 = 1e-10;
        let diagonal: Vec<Row> = precision
            .iter()
            .zip(&self.springs)
            .map(|(p, s)| {
                let spring = strength * s.iter().sum::<f64>();
                // A ray with neither data nor neighbours keeps its depth.
                p.map(|p| if p + spring > 0.0 { p + spring } else { 1.0 })
            })
            .collect();
        let mut x = self.depths.clone();
        let mut residual = self.apply(precision, strength, &x);
        for (r, (p, x0)) in residual.iter_mut().zip(precision.iter().zip(&self.depths)) {
            for k in 0..BOUNDARY_COUNT {
                r[k] = p[k] * x0[k] - r[k];
            }
        }
        let mut z = divide(&residual, &diagonal);
        let mut direction = z.clone();
        let mut rho = dot(&residual, &z);
        let first = rho;
        for _ in 0..STEPS {
            monitor.check()?;
            if (0..BOUNDARY_COUNT).all(|k| rho[k] <= TOLERANCE * first[k]) {
                break;
            }
            let image = self.apply(precision, strength, &direction);
            let curvature = dot(&direction, &image);
            let step: Row = std::array::from_fn(|k| if curvature[k] > 0.0 { rho[k] / curvature[k] } else { 0.0 });
            add(&mut x, &direction, &step);
            add(&mut residual, &image, &step.map(|s| -s));
            z = divide(&residual, &diagonal);
            let next = dot(&residual, &z);
            let turn: Row = std::array::from_fn(|k| if rho[k] > 0.0 { next[k] / rho[k] } else { 0.0 });
            direction.par_iter_mut().zip(&z).for_each(|(d, z)| {
                for k in 0..BOUNDARY_COUNT {
                    d[k] = z[k] + turn[k] * d[k];
                }
            });
            rho = next;
        }
        Ok(x)
    }

    fn apply(&self, precision: &[Row], strength: f64, x: &[Row]) -> Vec<Row> {
        (0..x.len())
            .into_par_iter()
            .map(|v| {
                let mut out: Row = std::array::from_fn(|k| precision[v][k] * x[v][k]);
                for (&j, &spring) in self.neighbours.of(v).iter().zip(&self.springs[v]) {
                    for k in 0..BOUNDARY_COUNT {
                        out[k] += strength * spring * (x[v][k] - x[j as usize][k]);
                    }
                }
                out
            })
            .collect()
    }
}

fn divide(a: &[Row], b: &[Row]) -> Vec<Row> {
    a.par_iter().zip(b).map(|(a, b)| std::array::from_fn(|k| a[k] / b[k])).collect()
}

fn add(x: &mut [Row], direction: &[Row], step: &Row) {
    x.par_iter_mut().zip(direction).for_each(|(x, d)| {
        for k in 0..BOUNDARY_COUNT {
            x[k] += step[k] * d[k];
        }
    });
}

fn dot(a: &[Row], b: &[Row]) -> Row {
    let blocks: Vec<Row> = a
        .par_chunks(BLOCK)
        .zip(b.par_chunks(BLOCK))
        .map(|(a, b)| {
            let mut sum = [0.0; BOUNDARY_COUNT];
            for (a, b) in a.iter().zip(b) {
                for k in 0..BOUNDARY_COUNT {
                    sum[k] += a[k] * b[k];
                }
            }
            sum
        })
        .collect();
    let mut sum = [0.0; BOUNDARY_COUNT];
    for block in blocks {
        for k in 0..BOUNDARY_COUNT {
            sum[k] += block[k];
        }
    }
    sum
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
