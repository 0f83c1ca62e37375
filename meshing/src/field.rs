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
const BORDER: f64 = 3.0;
/// Steps below this share of a typical standard deviation are no border, however even the surroundings.
const LEAST_BORDER: f64 = 0.1;
/// Cotangent weights are kept within this range (0.58 between equal-sided triangles): slivers neither tie vertices
/// together nor cut them off.
const SPRINGS: (f64, f64) = (0.05, 5.0);
/// The field forgets what lies further away than this, in mm, however smooth it is.
const FARTHEST_MM: f64 = 100.0;
/// Half width of a robust spread: the median absolute deviation of a normal distribution.
const MEDIAN_DEVIATION: f64 = 0.6745;

/// Measurements on the vertices of a mesh, and how vertices are tied to each other: a Gaussian Markov random field for
/// each of the seven columns. Values are relative to the mean of the measurements.
pub(crate) struct Field {
    /// Measured values less [`Field::mean`]; 0 where there are none.
    pub(crate) data: Vec<Row>,
    /// Reciprocal variances of the measurements; 0 where there are none.
    pub(crate) precision: Vec<Row>,
    /// How many measurements, its own included, share the error of each.
    pub(crate) alike: Vec<f64>,
    /// Median of the measurements.
    pub(crate) mean: Row,
    /// Variance of the measurements from vertex to vertex, less that of their errors.
    spread: Row,
    /// Where the edges of each vertex begin in `neighbours` and `springs`, and their end.
    pub(crate) starts: Vec<usize>,
    pub(crate) neighbours: Vec<u32>,
    /// Cotangent weights: squared steps times these sum to the integral of the squared gradient.
    springs: Vec<f64>,
    pub(crate) areas_mm2: Vec<f64>,
    pub(crate) points: Vec<DVec3>,
}

impl Field {
    /// `precision` is 0 where nothing is measured. Errors of measurements `error_length_mm` apart correlate by exp(-1/2).
    pub(crate) fn new(
        mut data: Vec<Row>,
        precision: Vec<Row>,
        surface: &Surface,
        flow: &Diffusion,
        error_length_mm: f64,
    ) -> Self {
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
        let mut field = Self {
            alike: vec![1.0; data.len()],
            data,
            precision,
            mean,
            spread,
            starts,
            neighbours,
            springs,
            areas_mm2: flow.areas_mm2().to_vec(),
            points: surface.vertices().iter().map(|v| v.0).collect(),
        };
        field.alike = field.errors_alike(error_length_mm);
        field
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

    /// Sum of the error correlations with all measured vertices around: what a measurement counts for is divided by it
    /// (the design effect of Kish 1965), so that a finer mesh does not pretend to know more.
    fn errors_alike(&self, length_mm: f64) -> Vec<f64> {
        let alike = |v: usize| {
            if length_mm <= 0.0 || !self.is_measured(v) {
                return 1.0;
            }
            let others = self.within_mm(v, 2.5 * length_mm).into_iter().skip(1).filter(|&j| self.is_measured(j));
            let correlation =
                |j: usize| (-0.5 * self.points[j].distance_squared(self.points[v]) / length_mm.powi(2)).exp();
            1.0 + others.map(correlation).sum::<f64>()
        };
        (0..self.len()).into_par_iter().map(alike).collect()
    }

    /// What the measurements of column k say per mm^2, taking each for a typical one.
    fn density(&self, k: usize) -> f64 {
        let typical = median(
            (0..self.len()).filter(|&v| self.precision[v][k] > 0.0).map(|v| self.precision[v][k] / self.alike[v]),
        );
        let count = (0..self.len()).filter(|&v| self.precision[v][k] > 0.0).count() as f64;
        let area: f64 = (0..self.len()).filter(|&v| !self.edges(v).is_empty()).map(|v| self.areas_mm2[v]).sum();
        if area > 0.0 { typical * count / area } else { 0.0 }
    }

    /// Stiffness of the springs with which typical measurements are averaged over about `lengths_mm`.
    pub(crate) fn stiffness(&self, lengths_mm: &Row) -> Row {
        std::array::from_fn(|k| lengths_mm[k].powi(2) * self.density(k))
    }

    /// How strongly every mm^2 is drawn to the mean, so that the field without measurements has the spread of the
    /// measurements: its variance is ln(1 + cutoff / decay^2) / (4 pi stiffness), with the wave numbers of the mesh
    /// filling a disc of the area (2 pi)^2 / (area of a vertex).
    fn anchor(&self, stiffness: &Row) -> Row {
        let connected: Vec<f64> =
            (0..self.len()).filter(|&v| !self.edges(v).is_empty()).map(|v| self.areas_mm2[v]).collect();
        let area = connected.iter().sum::<f64>() / connected.len().max(1) as f64;
        let cutoff = 4.0 * std::f64::consts::PI / area.max(1e-9);
        std::array::from_fn(|k| {
            let ratio = (4.0 * std::f64::consts::PI * stiffness[k] * self.spread[k]).exp_m1();
            stiffness[k] * (cutoff / ratio.max(1e-3)).max(FARTHEST_MM.powi(-2))
        })
    }

    /// The system before reweighting.
    pub(crate) fn system(&self, stiffness: &Row) -> System<'_> {
        let weight = |(p, alike): (&Row, &f64)| p.map(|p| p / alike);
        System {
            field: self,
            weights: self.precision.iter().zip(&self.alike).map(weight).collect(),
            springs: self.springs.clone(),
            stiffness: *stiffness,
            anchor: self.anchor(stiffness),
        }
    }

    /// The minimum with Cauchy costs in place of squares, by iterated reweighting (Holland and Welsch 1977): a measurement
    /// far from where its neighbours want it loses weight, and so does an edge across which the boundaries step. A
    /// stray ray gives way; an areal border, where many rays agree on either side, stays. A sure ray that lies no
    /// further off than usual rays may is no stray, however small its standard deviation. Returns the system it ended with.
    pub(crate) fn solve_robustly(&self, stiffness: &Row, monitor: &dyn Monitor) -> Result<(Vec<Row>, System<'_>)> {
        let mut system = self.system(stiffness);
        let mut x = system.solve(&system.pull(), self.data.clone(), EXACT, monitor)?;
        for _ in 0..PASSES {
            system = self.reweighted(&x, stiffness);
            x = system.solve(&system.pull(), x, EXACT, monitor)?;
        }
        Ok((x, system))
    }

    /// The system with the weights that a solution gives measurements and springs.
    pub(crate) fn reweighted(&self, x: &[Row], stiffness: &Row) -> System<'_> {
        let cauchy = |x: f64, scale: f64| 1.0 / (1.0 + (x / scale).powi(2));
        let off = |v: usize, k: usize| (x[v][k] - self.data[v][k]).abs();
        let typical: Row = std::array::from_fn(|k| {
            let measured = |v: &usize| self.precision[*v][k] > 0.0 && self.precision[*v][k] < GIVEN;
            median((0..self.len()).filter(measured).map(|v| off(v, k))) / MEDIAN_DEVIATION
        });
        let usual = self.usual_precision();
        let mut system = self.system(stiffness);
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
            alike: vertices.iter().map(|&v| self.alike[v]).collect(),
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
