use crate::Result;
use crate::field::Field;
use brainmesh_core::{BOUNDARY_COUNT, Monitor};
use rayon::prelude::*;

/// Most steps of conjugate gradients.
const STEPS: usize = 2000;
/// Rows handled by one task; sums are taken block by block so that they do not depend on the number of threads.
const BLOCK: usize = 1024;
/// Conjugate gradients stop when the error is about the square root of this share of the solution.
pub(crate) const EXACT: f64 = 1e-8;
/// The same, where a thousandth does: what is smooth over many vertices has a small share and must be found too.
pub(crate) const ROUGH: f64 = 1e-5;

/// One value for each boundary.
pub(crate) type Row = [f64; BOUNDARY_COUNT];

/// The linear system of a field: the precision matrix of each column is
/// `diag(weights) + stiffness (pull M + L) M^-1 (pull M + L)`, with the vertex areas M and the Laplacian L of the springs.
pub(crate) struct System<'a> {
    pub(crate) field: &'a Field,
    pub(crate) weights: Vec<Row>,
    /// In the order of the field's edges.
    pub(crate) springs: Vec<f64>,
    /// Reciprocal squared length.
    pub(crate) pull: Row,
    pub(crate) stiffness: Row,
}

impl System<'_> {
    /// The right side whose solution is the smooth field.
    pub(crate) fn right(&self) -> Vec<Row> {
        let right = |(w, x): (&Row, &Row)| std::array::from_fn(|k| w[k] * x[k]);
        self.weights.iter().zip(&self.field.data).map(right).collect()
    }

    /// Diagonal of the precision matrix. Never 0.
    pub(crate) fn diagonal(&self, v: usize) -> Row {
        let areas = &self.field.areas_mm2;
        let (mut sum, mut squares) = (0.0, 0.0);
        for edge in self.field.edges(v) {
            sum += self.springs[edge];
            squares += self.springs[edge].powi(2) / areas[self.field.neighbours[edge] as usize];
        }
        std::array::from_fn(|k| {
            let own = (self.pull[k] * areas[v] + sum).powi(2) / areas[v];
            self.weights[v][k] + self.stiffness[k] * (own + squares)
        })
    }

    /// Conjugate gradients with a diagonal preconditioner, all seven columns at once, from a first guess.
    pub(crate) fn solve(
        &self,
        right: &[Row],
        mut x: Vec<Row>,
        tolerance: f64,
        monitor: &dyn Monitor,
    ) -> Result<Vec<Row>> {
        let n = x.len();
        let inverse: Vec<Row> = (0..n).into_par_iter().map(|v| self.diagonal(v).map(|d| 1.0 / d)).collect();
        let mut image = vec![[0.0; BOUNDARY_COUNT]; n];
        self.apply(&x, &mut image);
        let mut residual: Vec<Row> = (0..n).map(|v| std::array::from_fn(|k| right[v][k] - image[v][k])).collect();
        let mut direction: Vec<Row> = (0..n).map(|v| std::array::from_fn(|k| inverse[v][k] * residual[v][k])).collect();
        let goal = sum_blocks(n, |v, sum| add_up(sum, |k| right[v][k].powi(2) * inverse[v][k] * tolerance));
        let mut rho = sum_blocks(n, |v, sum| add_up(sum, |k| residual[v][k] * direction[v][k]));
        for _ in 0..STEPS {
            monitor.check()?;
            if (0..BOUNDARY_COUNT).all(|k| rho[k] <= goal[k]) {
                break;
            }
            self.apply(&direction, &mut image);
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

    /// The system's matrix of column 0 times a column: what tests invert.
    #[cfg(test)]
    pub(crate) fn image(&self, x: &[f64]) -> Vec<f64> {
        let rows: Vec<Row> = x.iter().map(|&x| [x; BOUNDARY_COUNT]).collect();
        let mut out = rows.clone();
        self.apply(&rows, &mut out);
        out.iter().map(|row| row[0]).collect()
    }

    /// The system times `x`.
    fn apply(&self, x: &[Row], out: &mut [Row]) {
        let areas = &self.field.areas_mm2;
        let bent: Vec<Row> =
            (0..x.len()).into_par_iter().map(|v| self.bend(x, v).map(|bend| bend / areas[v])).collect();
        out.par_iter_mut().enumerate().for_each(|(v, out)| {
            let twice = self.bend(&bent, v);
            *out = std::array::from_fn(|k| self.weights[v][k] * x[v][k] + self.stiffness[k] * twice[k]);
        });
    }

    /// `(pull M + L) x` at one vertex.
    pub(crate) fn bend(&self, x: &[Row], v: usize) -> Row {
        let mut bend: Row = std::array::from_fn(|k| self.pull[k] * self.field.areas_mm2[v] * x[v][k]);
        let edges = self.field.edges(v);
        for (&j, &spring) in self.field.neighbours[edges.clone()].iter().zip(&self.springs[edges]) {
            for k in 0..BOUNDARY_COUNT {
                bend[k] += spring * (x[v][k] - x[j as usize][k]);
            }
        }
        bend
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
