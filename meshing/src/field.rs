use crate::Result;
use crate::diffusion::Diffusion;
use crate::system::{EXACT, Row, System};
use brainmesh_core::{BOUNDARY_COUNT, Monitor, Surface};
use glam::DVec3;
use rayon::prelude::*;

/// Precision of a boundary that is given rather than measured (standard deviation 0).
pub(crate) const GIVEN: f64 = 1e6;
/// Passes of robust reweighting.
const PASSES: usize = 3;
/// Typical deviations from where its neighbours want it at which a measurement keeps half of its weight.
const STRAY: f64 = 2.0;
/// Times the median step between neighbours at which a spring keeps half of its weight.
const BORDER: f64 = 4.0;
/// Steps below this share of a typical standard deviation are no border, however even the surroundings.
const LEAST_BORDER: f64 = 0.1;
/// Cotangent weights are kept within this range (0.58 between equal-sided triangles): slivers neither tie vertices
/// together nor cut them off.
const SPRINGS: (f64, f64) = (0.05, 5.0);
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
/// each of the seven columns. Values are relative to the mean of the measurements.
pub(crate) struct Field {
    /// Measured values less [`Field::mean`]; 0 where there are none.
    pub(crate) data: Vec<Row>,
    /// Reciprocal variances of the measurements; 0 where there are none.
    pub(crate) precision: Vec<Row>,
    /// Median of the measurements.
    pub(crate) mean: Row,
    /// Variance of the measurements from vertex to vertex, less that of their errors.
    spread: Row,
    /// Where the edges of each vertex begin in `neighbours` and `springs`, and their end.
    pub(crate) starts: Vec<usize>,
    pub(crate) neighbours: Vec<u32>,
    /// Cotangent weights.
    springs: Vec<f64>,
    pub(crate) areas_mm2: Vec<f64>,
    pub(crate) points: Vec<DVec3>,
}

impl Field {
    /// `precision` is 0 where nothing is measured.
    pub(crate) fn new(mut data: Vec<Row>, precision: Vec<Row>, surface: &Surface, flow: &Diffusion) -> Self {
        let mut starts = vec![0];
        let (mut neighbours, mut springs) = (Vec::new(), Vec::new());
        for v in 0..data.len() {
            for (j, weight) in flow.links(v) {
                neighbours.push(j);
                springs.push(weight.clamp(SPRINGS.0, SPRINGS.1));
            }
            starts.push(springs.len());
        }
        let measured = |k: usize| data.iter().zip(&precision).filter(move |(_, p)| p[k] > 0.0).map(move |(x, _)| x[k]);
        let mean: Row = std::array::from_fn(|k| median(measured(k)));
        let spread = std::array::from_fn(|k| {
            let deviation = median(measured(k).map(|x| (x - mean[k]).abs())) / MEDIAN_DEVIATION;
            let error = median(precision.iter().filter(|p| p[k] > 0.0).map(|p| 1.0 / p[k]));
            // Where all of the spread may be error, half of it is taken for real; rays that agree by chance are not taken
            // for a field that never varies.
            (deviation.powi(2) - error).max(deviation.powi(2) / 2.0).max(error / 4.0).max(1.0 / GIVEN)
        });
        for (row, precision) in data.iter_mut().zip(&precision) {
            *row = std::array::from_fn(|k| if precision[k] > 0.0 { row[k] - mean[k] } else { 0.0 });
        }
        Self {
            data,
            precision,
            mean,
            spread,
            starts,
            neighbours,
            springs,
            areas_mm2: flow.areas_mm2().iter().map(|area| area.max(LEAST_AREA_MM2)).collect(),
            points: surface.vertices().iter().map(|v| v.0).collect(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    pub(crate) fn is_measured(&self, vertex: usize) -> bool {
        self.precision[vertex].iter().any(|&p| p > 0.0)
    }

    pub(crate) fn edges(&self, vertex: usize) -> std::ops::Range<usize> {
        self.starts[vertex]..self.starts[vertex + 1]
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
    pub(crate) fn own_share(&self) -> Row {
        /// Median of the chi-squared distribution with one degree of freedom.
        const MEDIAN_CHI_SQUARED: f64 = 0.4549;
        std::array::from_fn(|k| {
            let known = |v: usize| self.precision[v][k] > 0.0 && self.precision[v][k] < GIVEN;
            let edges = (0..self.len()).filter(|&v| known(v)).flat_map(|v| self.edges(v).map(move |edge| (v, edge)));
            let pairs = edges.map(|(v, edge)| (v, self.neighbours[edge] as usize)).filter(|&(v, j)| v < j && known(j));
            let ratio = |(v, j): (usize, usize)| {
                (self.data[v][k] - self.data[j][k]).powi(2) / (1.0 / self.precision[v][k] + 1.0 / self.precision[j][k])
            };
            let share = median(pairs.map(ratio)) / MEDIAN_CHI_SQUARED;
            // Without edges between measured vertices nothing is known of it.
            if share > 0.0 { share.clamp(LEAST_OWN_SHARE, 1.0) } else { 1.0 }
        })
    }

    /// The field with the errors that are each ray's own as the only ones.
    pub(crate) fn with_own_errors(mut self, share: &Row) -> Self {
        for precision in &mut self.precision {
            precision.iter_mut().zip(share).for_each(|(p, share)| *p /= share);
        }
        self
    }

    /// The system before reweighting.
    ///
    /// Without measurements its values have the spread of the measurements and fall off as a Matern covariance with
    /// smoothness 1 and this length: `(d / length) K1(d / length)`, 0.6 at the length and 0.14 at 2.8 lengths. Its precision
    /// is `s (k M + L) M^-1 (k M + L)` with `k = 1 / length^2`, areas M, the Laplacian L, and
    /// `s = 1 / (4 pi k spread)` (Lindgren, Rue and Lindstroem 2011, eqs. 4 and 10).
    pub(crate) fn system(&self, lengths_mm: &Row) -> System<'_> {
        let pull = lengths_mm.map(|length| length.clamp(SHORTEST_MM, FARTHEST_MM).powi(-2));
        System {
            field: self,
            weights: self.precision.clone(),
            springs: self.springs.clone(),
            pull,
            stiffness: std::array::from_fn(|k| 1.0 / (4.0 * std::f64::consts::PI * pull[k] * self.spread[k])),
        }
    }

    /// The minimum with Cauchy costs in place of squares, by iterated reweighting (Holland and Welsch 1977): a measurement
    /// far from where its neighbours want it loses weight, and so does an edge across which the boundaries step. A
    /// stray ray gives way; an areal border, where many rays agree on either side, stays. A sure ray that lies no
    /// further off than usual rays may is no stray, however small its standard deviation. Returns the system it ended with.
    pub(crate) fn solve_robustly(&self, lengths_mm: &Row, monitor: &dyn Monitor) -> Result<(Vec<Row>, System<'_>)> {
        let mut system = self.system(lengths_mm);
        let mut x = system.solve(&system.right(), self.data.clone(), EXACT, monitor)?;
        for _ in 0..PASSES {
            system = self.reweighted(&x, lengths_mm);
            x = system.solve(&system.right(), x, EXACT, monitor)?;
        }
        Ok((x, system))
    }

    /// The system with the weights that a solution gives measurements and springs.
    pub(crate) fn reweighted(&self, x: &[Row], lengths_mm: &Row) -> System<'_> {
        let cauchy = |x: f64, scale: f64| 1.0 / (1.0 + (x / scale).powi(2));
        let off = |v: usize, k: usize| (x[v][k] - self.data[v][k]).abs();
        let typical: Row = std::array::from_fn(|k| {
            let measured = |v: &usize| self.precision[*v][k] > 0.0 && self.precision[*v][k] < GIVEN;
            median((0..self.len()).filter(measured).map(|v| off(v, k))) / MEDIAN_DEVIATION
        });
        let usual = self.usual_precision();
        let mut system = self.system(lengths_mm);
        system.weights.par_iter_mut().enumerate().for_each(|(v, weights)| {
            for k in (0..BOUNDARY_COUNT).filter(|&k| self.precision[v][k] > 0.0) {
                let variance = 1.0 / self.precision[v][k].min(usual[k]);
                let scale = (variance + typical[k].powi(2)).sqrt();
                weights[k] *= cauchy(off(v, k), STRAY * scale);
            }
        });
        let steps = self.steps(x);
        let border = (BORDER * median(steps.iter().copied().filter(|s| *s > 0.0))).max(LEAST_BORDER);
        system.springs.par_iter_mut().zip(&steps).for_each(|(spring, step)| *spring *= cauchy(*step, border));
        system
    }

    /// Median precision of each boundary over the rays that measured it.
    fn usual_precision(&self) -> Row {
        let measured = |k: usize| self.precision.iter().map(move |p| p[k]).filter(|&p| p > 0.0 && p < GIVEN);
        std::array::from_fn(|k| median(measured(k)))
    }

    /// How far the boundaries step along every edge, in standard deviations of a typical measurement: the largest of
    /// the seven, since an areal border need not show in all. 0 along edges with an end that was not measured: how the
    /// field leans towards its few measurements is no border.
    fn steps(&self, x: &[Row]) -> Vec<f64> {
        let scale = self.usual_precision().map(f64::sqrt);
        let rows: Vec<Vec<f64>> = (0..self.len())
            .into_par_iter()
            .map(|v| {
                let along =
                    |j: usize| (0..BOUNDARY_COUNT).map(|k| (x[v][k] - x[j][k]).abs() * scale[k]).fold(0.0, f64::max);
                let step = |j: usize| if self.is_measured(v) && self.is_measured(j) { along(j) } else { 0.0 };
                self.edges(v).map(|edge| step(self.neighbours[edge] as usize)).collect()
            })
            .collect();
        rows.concat()
    }

    /// The field on these vertices alone (ascending), with the edges between them.
    pub(crate) fn subset(&self, vertices: &[usize]) -> Self {
        let mut place = vec![u32::MAX; self.len()];
        vertices.iter().enumerate().for_each(|(i, &v)| place[v] = i as u32);
        let mut starts = vec![0];
        let (mut neighbours, mut springs) = (Vec::new(), Vec::new());
        for &v in vertices {
            for edge in self.edges(v).filter(|&e| place[self.neighbours[e] as usize] != u32::MAX) {
                neighbours.push(place[self.neighbours[edge] as usize]);
                springs.push(self.springs[edge]);
            }
            starts.push(springs.len());
        }
        let rows = |of: &[Row]| vertices.iter().map(|&v| of[v]).collect();
        Self {
            data: rows(&self.data),
            precision: rows(&self.precision),
            mean: self.mean,
            spread: self.spread,
            starts,
            neighbours,
            springs,
            areas_mm2: vertices.iter().map(|&v| self.areas_mm2[v]).collect(),
            points: vertices.iter().map(|&v| self.points[v]).collect(),
        }
    }
}

/// 0 where there are none.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    let middle = values.len() / 2;
    if values.is_empty() { 0.0 } else { *values.select_nth_unstable_by(middle, f64::total_cmp).1 }
}
