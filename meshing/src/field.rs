use crate::Result;
use crate::diffusion::Diffusion;
use crate::order::rows_in_order;
use crate::solver::{EXACT, Solver};
use crate::system::{BLOCK, LANES, Row, System, row};
use brainmesh_core::{BOUNDARY_COUNT, Monitor, Surface};
use glam::DVec3;
use rayon::prelude::*;

/// Precision of a boundary that is given rather than measured (standard deviation 0).
pub(crate) const GIVEN: f32 = 1e6;
/// Passes of robust reweighting.
const PASSES: usize = 3;
/// Typical deviations from where its neighbours want it at which a measurement keeps half of its weight.
const STRAY: f32 = 2.0;
/// Times the median step between neighbours at which a spring keeps half of its weight.
const BORDER: f32 = 4.0;
/// Steps below this share of a typical standard deviation are no border, however even the surroundings.
const LEAST_BORDER: f32 = 0.1;
/// Cotangent weights are kept within this range (0.58 between equal-sided triangles): slivers neither tie vertices
/// together nor cut them off.
const SPRINGS: (f32, f32) = (0.05, 5.0);
/// Lengths of the field are kept within these, in mm.
const SHORTEST_MM: f64 = 0.05;
const FARTHEST_MM: f64 = 100.0;
/// Least area of a vertex, in mm^2.
const LEAST_AREA_MM2: f64 = 1e-4;
/// Least share of a ray's variance that is its own.
const LEAST_OWN_SHARE: f64 = 0.01;
/// Half width of a robust spread: the median absolute deviation of a normal distribution.
const MEDIAN_DEVIATION: f64 = 0.6745;

/// Measurements on the vertices of a mesh, and how vertices are tied to each other: a Gaussian Markov random field for
/// each of the seven columns. Values are relative to the mean of the measurements. Rows lie in an order in which
/// neighbours are near.
pub(crate) struct Field {
    /// Vertex of each row.
    pub(crate) vertices: Vec<u32>,
    /// Measured values less [`Field::mean`]; 0 where there are none.
    pub(crate) data: Vec<Row>,
    /// Reciprocal variances of the measurements; 0 where there are none.
    pub(crate) precision: Vec<Row>,
    /// Median of the measurements.
    pub(crate) mean: Boundaries,
    /// Variance of the measurements from vertex to vertex, less that of their errors.
    spread: Boundaries,
    /// Where the edges of each row begin in `neighbours` and `springs`, and their end.
    starts: Vec<u32>,
    pub(crate) neighbours: Vec<u32>,
    /// Cotangent weights.
    springs: Vec<f32>,
    pub(crate) areas_mm2: Vec<f32>,
    pub(crate) points: Vec<DVec3>,
}

/// One value for each boundary.
pub(crate) type Boundaries = [f64; BOUNDARY_COUNT];

/// Value and precision of every boundary of one vertex; the precision is 0 where it is not measured.
pub(crate) type Measurement = (Boundaries, Boundaries);

impl Field {
    pub(crate) fn new(measurement: impl Fn(usize) -> Measurement + Sync, surface: &Surface, flow: &Diffusion) -> Self {
        let vertices = rows_in_order(flow);
        let mut place = vec![0u32; vertices.len()];
        vertices.iter().enumerate().for_each(|(row, &v)| place[v as usize] = row as u32);
        let (mut starts, mut neighbours, mut springs) = (vec![0], Vec::new(), Vec::new());
        for &v in &vertices {
            for (j, weight) in flow.links(v as usize) {
                neighbours.push(place[j as usize]);
                springs.push((weight as f32).clamp(SPRINGS.0, SPRINGS.1));
            }
            starts.push(springs.len() as u32);
        }
        let measured: Vec<Measurement> = vertices.par_iter().map(|&v| measurement(v as usize)).collect();
        let known = |k: usize| measured.iter().filter(move |(_, p)| p[k] > 0.0).map(move |(x, p)| (x[k], p[k]));
        let levels = each(|k| {
            let mean = median(known(k).map(|(x, _)| x));
            let deviation = median(known(k).map(|(x, _)| (x - mean).abs())) / MEDIAN_DEVIATION;
            let error = median(known(k).map(|(_, p)| 1.0 / p));
            // Where all of the spread may be error, half of it is taken for real; rays that agree by chance are not taken
            // for a field that never varies.
            let real = (deviation.powi(2) - error).max(deviation.powi(2) / 2.0);
            (mean, real.max(error / 4.0).max(1.0 / f64::from(GIVEN)))
        });
        let (mean, spread) = (levels.map(|l| l.0), levels.map(|l| l.1));
        let value = |(x, p): &Measurement| row(|k| if p[k] > 0.0 { x[k] - mean[k] } else { 0.0 });
        Self {
            data: measured.par_iter().map(value).collect(),
            precision: measured.par_iter().map(|(_, p)| row(|k| p[k])).collect(),
            mean,
            spread,
            starts,
            neighbours,
            springs,
            areas_mm2: vertices.iter().map(|&v| flow.areas_mm2()[v as usize].max(LEAST_AREA_MM2) as f32).collect(),
            points: vertices.iter().map(|&v| surface.vertices()[v as usize].0).collect(),
            vertices,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    pub(crate) fn is_measured(&self, vertex: usize) -> bool {
        self.precision[vertex].iter().any(|&p| p > 0.0)
    }

    pub(crate) fn edges(&self, vertex: usize) -> std::ops::Range<usize> {
        self.starts[vertex] as usize..self.starts[vertex + 1] as usize
    }

    /// Vertices connected to `vertex` within this straight distance from it, itself first. The ring around it is always
    /// among them.
    pub(crate) fn within_mm(&self, vertex: usize, radius_mm: f64) -> Vec<usize> {
        let mut found = vec![vertex];
        let mut next = 0;
        while next < found.len() {
            for edge in self.edges(found[next]) {
                let j = self.neighbours[edge] as usize;
                let near = next == 0 || self.points[j].distance(self.points[vertex]) <= radius_mm;
                if near && !found.contains(&j) {
                    found.push(j);
                }
            }
            next += 1;
        }
        found
    }

    /// Share of the variance of each boundary's errors that is a ray's own: the rest it has in common with its neighbours,
    /// which see much the same tissue, and no smoothing takes it away. From how much smaller steps along edges are than
    /// errors that are all independent would make them (median over the edges); steps of the field itself count as error
    /// too, so that the share is not too small.
    pub(crate) fn own_share(&self) -> Boundaries {
        /// Median of the chi-squared distribution with one degree of freedom.
        const MEDIAN_CHI_SQUARED: f64 = 0.4549;
        each(|k| {
            let known = |v: usize| self.precision[v][k] > 0.0 && self.precision[v][k] < GIVEN;
            let edges = (0..self.len()).filter(|&v| known(v)).flat_map(|v| self.edges(v).map(move |edge| (v, edge)));
            let pairs = edges.map(|(v, edge)| (v, self.neighbours[edge] as usize)).filter(|&(v, j)| v < j && known(j));
            let ratio = |(v, j): (usize, usize)| {
                let step = f64::from(self.data[v][k] - self.data[j][k]);
                step.powi(2) / (1.0 / f64::from(self.precision[v][k]) + 1.0 / f64::from(self.precision[j][k]))
            };
            let share = median(pairs.map(ratio)) / MEDIAN_CHI_SQUARED;
            // Without edges between measured vertices nothing is known of it.
            if share > 0.0 { share.clamp(LEAST_OWN_SHARE, 1.0) } else { 1.0 }
        })
    }

    /// The field with the errors that are each ray's own as the only ones.
    pub(crate) fn with_own_errors(mut self, share: &Boundaries) -> Self {
        for precision in &mut self.precision {
            precision.iter_mut().zip(share).for_each(|(p, &share)| *p /= share as f32);
        }
        self
    }

    /// The system before reweighting.
    ///
    /// Without measurements its values have the spread of the measurements and fall off as a Matern covariance with
    /// smoothness 1 and this length: `(d / length) K1(d / length)`, 0.6 at the length and 0.14 at 2.8 lengths. Its precision
    /// is `s (k M + L) M^-1 (k M + L)` with `k = 1 / length^2`, areas M, the Laplacian L, and
    /// `s = 1 / (4 pi k spread)` (Lindgren, Rue and Lindstroem 2011, eqs. 4 and 10).
    pub(crate) fn system(&self, lengths_mm: &Boundaries) -> System<'_> {
        let pull = lengths_mm.map(|length| length.clamp(SHORTEST_MM, FARTHEST_MM).powi(-2));
        System {
            field: self,
            weights: self.precision.clone(),
            springs: self.springs.clone(),
            pull: row(|k| pull[k]),
            stiffness: row(|k| 1.0 / (4.0 * std::f64::consts::PI * pull[k] * self.spread[k])),
        }
    }

    /// The minimum with Cauchy costs in place of squares, by iterated reweighting (Holland and Welsch 1977): a measurement
    /// far from where its neighbours want it loses weight, and so does an edge across which the boundaries step. A
    /// stray ray gives way; an areal border, where many rays agree on either side, stays. A sure ray that lies no
    /// further off than usual rays may is no stray, however small its standard deviation. Returns the system it ended with.
    pub(crate) fn solve_robustly(
        &self,
        lengths_mm: &Boundaries,
        monitor: &dyn Monitor,
    ) -> Result<(Vec<Row>, System<'_>)> {
        let mut system = self.system(lengths_mm);
        let mut x = Solver::new(&system).solve(&system.right(), self.data.clone(), EXACT, monitor)?;
        for pass in 1..=PASSES {
            system = self.reweighted(&x, lengths_mm);
            let (mut solver, right) = (Solver::new(&system), system.right());
            x = if pass < PASSES {
                solver.solve(&right, x, EXACT, monitor)?
            } else {
                solver.corrected(&right, x, monitor)?
            };
        }
        Ok((x, system))
    }

    /// The system with the weights that a solution gives measurements and springs.
    pub(crate) fn reweighted(&self, x: &[Row], lengths_mm: &Boundaries) -> System<'_> {
        let cauchy = |x: f32, scale: f32| 1.0 / (1.0 + (x / scale).powi(2));
        let off = |v: usize, k: usize| (x[v][k] - self.data[v][k]).abs();
        let levels = each(|k| {
            let known = |v: &usize| self.precision[*v][k] > 0.0 && self.precision[*v][k] < GIVEN;
            let typical = median((0..self.len()).filter(known).map(|v| f64::from(off(v, k)))) / MEDIAN_DEVIATION;
            (typical as f32, self.usual_precision(k))
        });
        let mut system = self.system(lengths_mm);
        system.weights.par_iter_mut().enumerate().for_each(|(v, weights)| {
            for (k, (typical, usual)) in levels.iter().enumerate() {
                if self.precision[v][k] > 0.0 {
                    let variance = 1.0 / self.precision[v][k].min(*usual);
                    weights[k] *= cauchy(off(v, k), STRAY * (variance + typical.powi(2)).sqrt());
                }
            }
        });
        let steps = self.steps(x, &row(|k| f64::from(levels[k].1).sqrt()));
        let border = median(steps.iter().filter(|s| **s > 0.0).map(|&s| f64::from(s))) as f32;
        let border = (BORDER * border).max(LEAST_BORDER);
        system.springs.par_iter_mut().zip(&steps).for_each(|(spring, step)| *spring *= cauchy(*step, border));
        system
    }

    /// Median precision of a boundary over the rays that measured it.
    fn usual_precision(&self, k: usize) -> f32 {
        let measured = self.precision.iter().map(|p| p[k]).filter(|&p| p > 0.0 && p < GIVEN);
        median(measured.map(f64::from)) as f32
    }

    /// How far the boundaries step along every edge, in standard deviations of a typical measurement (`scale` of them
    /// make 1): the largest of the seven, since an areal border need not show in all. 0 along edges with an end that was
    /// not measured: how the field leans towards its few measurements is no border.
    fn steps(&self, x: &[Row], scale: &Row) -> Vec<f32> {
        let measured: Vec<bool> = (0..self.len()).into_par_iter().map(|v| self.is_measured(v)).collect();
        let rows = (0..self.len().div_ceil(BLOCK)).into_par_iter().flat_map_iter(|block| {
            (block * BLOCK..self.len().min((block + 1) * BLOCK)).flat_map(|v| {
                let (measured, x) = (&measured, &x);
                self.neighbours[self.edges(v)].iter().map(move |&j| {
                    let j = j as usize;
                    let along = (0..LANES).map(|k| (x[v][k] - x[j][k]).abs() * scale[k]).fold(0.0, f32::max);
                    if measured[v] && measured[j] { along } else { 0.0 }
                })
            })
        });
        rows.collect()
    }

    /// The field on these rows alone (ascending), with the edges between them.
    pub(crate) fn subset(&self, rows: &[usize]) -> Self {
        let mut place = vec![u32::MAX; self.len()];
        rows.iter().enumerate().for_each(|(i, &v)| place[v] = i as u32);
        let (mut starts, mut neighbours, mut springs) = (vec![0], Vec::new(), Vec::new());
        for &v in rows {
            for edge in self.edges(v).filter(|&e| place[self.neighbours[e] as usize] != u32::MAX) {
                neighbours.push(place[self.neighbours[edge] as usize]);
                springs.push(self.springs[edge]);
            }
            starts.push(springs.len() as u32);
        }
        Self {
            vertices: rows.iter().map(|&v| self.vertices[v]).collect(),
            data: rows.iter().map(|&v| self.data[v]).collect(),
            precision: rows.iter().map(|&v| self.precision[v]).collect(),
            mean: self.mean,
            spread: self.spread,
            starts,
            neighbours,
            springs,
            areas_mm2: rows.iter().map(|&v| self.areas_mm2[v]).collect(),
            points: rows.iter().map(|&v| self.points[v]).collect(),
        }
    }
}

/// What `value` says of each boundary, found at the same time.
fn each<T: Copy + Default + Send>(value: impl Fn(usize) -> T + Sync) -> [T; BOUNDARY_COUNT] {
    let mut values = [T::default(); BOUNDARY_COUNT];
    values.par_iter_mut().enumerate().for_each(|(k, v)| *v = value(k));
    values
}

/// 0 where there are none.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    let middle = values.len() / 2;
    if values.is_empty() { 0.0 } else { *values.select_nth_unstable_by(middle, f64::total_cmp).1 }
}

/// A flat sheet of `side` x `side` vertices half a millimetre apart, row by row.
#[cfg(test)]
pub(crate) fn flat_sheet(side: usize) -> Surface {
    let at = |v: usize| brainmesh_core::WorldPoint::new((v % side) as f64 * 0.5, (v / side) as f64 * 0.5, 0.0);
    let mut triangles = Vec::new();
    for v in (0..side * (side - 1)).filter(|v| v % side + 1 < side) {
        let [a, b, c, d] = [v, v + 1, v + 1 + side, v + side].map(|v| v as u32);
        triangles.extend([[a, b, c], [a, c, d]]);
    }
    let vertices = (0..side * side).map(at).collect();
    Surface::new(vertices, triangles, brainmesh_core::Structure::Unknown).unwrap()
}
