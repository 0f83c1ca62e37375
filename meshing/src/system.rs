use crate::Result;
use crate::field::Field;
use crate::roots::Roots;
use brainmesh_core::{BOUNDARY_COUNT, Monitor};
use rayon::prelude::*;

/// Most steps of conjugate gradients.
const STEPS: usize = 2000;
/// Rows handled by one task; sums are taken block by block so that they do not depend on the number of threads.
pub(crate) const BLOCK: usize = 512;
/// Conjugate gradients stop when the square of the error, in the norm of the system, is this share of the solution's.
pub(crate) const EXACT: f64 = 1e-8;
/// The same, for what leads to scores: a thousandth of the solution.
pub(crate) const ROUGH: f64 = 1e-6;
/// The same, for samples whose spread alone counts: a hundredth.
pub(crate) const DRAWN: f64 = 1e-4;
/// Most corrections of a solution by its residual in double precision.
const CORRECTIONS: usize = 4;

/// A value for each boundary and an unused one: eight fill a vector register.
pub(crate) const LANES: usize = BOUNDARY_COUNT + 1;
/// One value for each boundary, and 0. Single precision halves the memory that a step of the solver moves, which is
/// what it waits for; [`System::corrected`] corrects what rounding leaves.
pub(crate) type Row = [f32; LANES];
/// Sums of rows.
pub(crate) type Sum = [f64; LANES];
pub(crate) const NONE: Row = [0.0; LANES];

/// The linear system of a field: the precision matrix of each column is
/// `diag(weights) + stiffness (pull M + L) M^-1 (pull M + L)`, with the vertex areas M and the Laplacian L of the springs.
pub(crate) struct System<'a> {
    pub(crate) field: &'a Field,
    pub(crate) weights: Vec<Row>,
    /// In the order of the field's edges.
    pub(crate) springs: Vec<f32>,
    /// Reciprocal squared length.
    pub(crate) pull: Row,
    pub(crate) stiffness: Row,
}

/// A row from what `value` says of each boundary.
pub(crate) fn row(value: impl Fn(usize) -> f64) -> Row {
    std::array::from_fn(|k| if k < BOUNDARY_COUNT { value(k) as f32 } else { 0.0 })
}

impl System<'_> {
    /// The right side whose solution is the smooth field.
    pub(crate) fn right(&self) -> Vec<Row> {
        let right = |(w, x): (&Row, &Row)| -> Row { std::array::from_fn(|k| w[k] * x[k]) };
        self.weights.par_iter().zip(&self.field.data).map(right).collect()
    }

    /// Diagonal of the precision matrix. Never 0.
    pub(crate) fn diagonal(&self, v: usize) -> Row {
        let areas = &self.field.areas_mm2;
        let (mut sum, mut squares) = (0.0, 0.0);
        for edge in self.field.edges(v) {
            sum += self.springs[edge];
            squares += self.springs[edge].powi(2) / areas[self.field.neighbours[edge] as usize];
        }
        let mut diagonal: Row = std::array::from_fn(|k| {
            let own = (self.pull[k] * areas[v] + sum).powi(2) / areas[v];
            self.weights[v][k] + self.stiffness[k] * (own + squares)
        });
        diagonal[BOUNDARY_COUNT] = 1.0;
        diagonal
    }

    /// Conjugate gradients, all seven columns at once, from a first guess, until the error is the root of `tolerance` of
    /// the solution in the norm of the system.
    pub(crate) fn solve(&self, right: &[Row], x: Vec<Row>, tolerance: f64, monitor: &dyn Monitor) -> Result<Vec<Row>> {
        let mut roots = Roots::new(self);
        let goal = self.goal(right, tolerance, &mut roots);
        self.descend(right, x, &goal, &mut roots, monitor)
    }

    /// A solution corrected until its residual in double precision is small: on a mesh with few measurements rounding grows
    /// with the condition of the matrix.
    pub(crate) fn corrected(&self, right: &[Row], mut x: Vec<Row>, monitor: &dyn Monitor) -> Result<Vec<Row>> {
        let mut roots = Roots::new(self);
        let goal = self.goal(right, EXACT, &mut roots);
        let mut before = [f64::INFINITY; LANES];
        for _ in 0..CORRECTIONS {
            let residual = self.residual(right, &x);
            let rho = self.goal(&residual, 1.0, &mut roots);
            // Twice the goal: what the solver takes for done is not computed again for the last digit.
            if !(0..LANES).any(|k| rho[k] > 2.0 * goal[k] && rho[k] < 0.5 * before[k]) {
                break;
            }
            before = rho;
            let correction = self.descend(&residual, vec![NONE; x.len()], &goal, &mut roots, monitor)?;
            blocks(&mut x, |v, x, _| (0..LANES).for_each(|k| x[k] += correction[v][k]));
        }
        Ok(x)
    }

    fn descend(
        &self,
        right: &[Row],
        mut x: Vec<Row>,
        goal: &Sum,
        roots: &mut Roots,
        monitor: &dyn Monitor,
    ) -> Result<Vec<Row>> {
        let n = x.len();
        let (mut bent, mut image, mut direction) = (vec![NONE; n], vec![NONE; n], vec![NONE; n]);
        self.apply(&x, &mut bent, &mut image);
        let mut residual = right.to_vec();
        blocks(&mut residual, |v, r, _| (0..LANES).for_each(|k| r[k] -= image[v][k]));
        let mut rho = roots.apply(&residual);
        let mut turn = NONE;
        for _ in 0..STEPS {
            monitor.check()?;
            // A column that is done stands still.
            let open: [bool; LANES] = std::array::from_fn(|k| rho[k] > goal[k]);
            if !open.contains(&true) {
                break;
            }
            let steepest = roots.result();
            blocks(&mut direction, |v, d, _| {
                for k in 0..LANES {
                    d[k] = steepest[v][k] + turn[k] * d[k];
                }
            });
            let curvature = self.apply(&direction, &mut bent, &mut image);
            let step: Row =
                std::array::from_fn(
                    |k| {
                        if open[k] && curvature[k] > 0.0 { (rho[k] / curvature[k]) as f32 } else { 0.0 }
                    },
                );
            blocks_of_two(&mut x, &mut residual, |v, x, r| {
                for k in 0..LANES {
                    x[k] += step[k] * direction[v][k];
                    r[k] -= step[k] * image[v][k];
                }
            });
            let next = roots.apply(&residual);
            turn = std::array::from_fn(|k| if rho[k] > 0.0 { (next[k] / rho[k]) as f32 } else { 0.0 });
            rho = next;
        }
        Ok(x)
    }

    /// Share of the squared norm of the solution of a right side, as the preconditioner finds it.
    fn goal(&self, right: &[Row], share: f64, roots: &mut Roots) -> Sum {
        roots.apply(right).map(|square| square * share)
    }

    /// The system times `x`, and the sum of its products with `x`. `bent` is scratch.
    fn apply(&self, x: &[Row], bent: &mut [Row], out: &mut [Row]) -> Sum {
        let areas = &self.field.areas_mm2;
        blocks(bent, |v, out, _| {
            let share = areas[v].recip();
            *out = self.bend(x, v).map(|bend| bend * share);
        });
        let bent = &*bent;
        blocks(out, |v, out, sum| {
            let twice = self.bend(bent, v);
            for k in 0..LANES {
                out[k] = self.weights[v][k] * x[v][k] + self.stiffness[k] * twice[k];
                sum[k] += out[k] * x[v][k];
            }
        })
    }

    /// What `x` leaves of the right side, in double precision.
    fn residual(&self, right: &[Row], x: &[Row]) -> Vec<Row> {
        let field = self.field;
        let bend = |at: &(dyn Fn(usize) -> Sum + Sync), v: usize| -> Sum {
            let (own, area) = (at(v), f64::from(field.areas_mm2[v]));
            let mut bend: Sum = std::array::from_fn(|k| f64::from(self.pull[k]) * area * own[k]);
            for edge in field.edges(v) {
                let (other, spring) = (at(field.neighbours[edge] as usize), f64::from(self.springs[edge]));
                (0..LANES).for_each(|k| bend[k] += spring * (own[k] - other[k]));
            }
            bend
        };
        let wide = |v: usize| x[v].map(f64::from);
        let all = 0..x.len();
        let share = |v: usize| f64::from(field.areas_mm2[v]).recip();
        let bent: Vec<Sum> = all.clone().into_par_iter().map(|v| bend(&wide, v).map(|b| b * share(v))).collect();
        all.into_par_iter()
            .map(|v| {
                let (own, twice) = (wide(v), bend(&|v| bent[v], v));
                std::array::from_fn(|k| {
                    let image = f64::from(self.weights[v][k]) * own[k] + f64::from(self.stiffness[k]) * twice[k];
                    (f64::from(right[v][k]) - image) as f32
                })
            })
            .collect()
    }

    /// The system's matrix of column 0 times a column: what tests invert.
    #[cfg(test)]
    pub(crate) fn image(&self, x: &[f64]) -> Vec<f64> {
        let rows: Vec<Row> = x.iter().map(|&x| row(|_| x)).collect();
        self.residual(&vec![NONE; x.len()], &rows).iter().map(|row| f64::from(-row[0])).collect()
    }

    /// `(pull M + L) x` at one vertex.
    #[inline(always)]
    pub(crate) fn bend(&self, x: &[Row], v: usize) -> Row {
        let (own, area) = (x[v], self.field.areas_mm2[v]);
        let mut bend: Row = std::array::from_fn(|k| self.pull[k] * area * own[k]);
        let edges = self.field.edges(v);
        for (&j, &spring) in self.field.neighbours[edges.clone()].iter().zip(&self.springs[edges]) {
            let other = &x[j as usize];
            for k in 0..LANES {
                bend[k] += spring * (own[k] - other[k]);
            }
        }
        bend
    }
}

/// Changes every row, and sums what `change` adds up: block by block, single precision within a block.
pub(crate) fn blocks(rows: &mut [Row], change: impl Fn(usize, &mut Row, &mut Row) + Sync) -> Sum {
    let sums: Vec<Row> = rows
        .par_chunks_mut(BLOCK)
        .enumerate()
        .map(|(block, rows)| {
            let mut sum = NONE;
            rows.iter_mut().enumerate().for_each(|(i, row)| change(block * BLOCK + i, row, &mut sum));
            sum
        })
        .collect();
    total(&sums)
}

/// Changes the rows of two vectors at a time.
fn blocks_of_two(first: &mut [Row], second: &mut [Row], change: impl Fn(usize, &mut Row, &mut Row) + Sync) {
    let chunks = first.par_chunks_mut(BLOCK).zip(second.par_chunks_mut(BLOCK)).enumerate();
    chunks.for_each(|(block, (first, second))| {
        for (i, (a, b)) in first.iter_mut().zip(second).enumerate() {
            change(block * BLOCK + i, a, b);
        }
    });
}

fn total(blocks: &[Row]) -> Sum {
    let mut sum = [0.0; LANES];
    for block in blocks {
        sum.iter_mut().zip(block).for_each(|(s, b)| *s += f64::from(*b));
    }
    sum
}
