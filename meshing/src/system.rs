use crate::field::Field;
use brainmesh_core::BOUNDARY_COUNT;
use pulp::{Arch, NullaryFnOnce};
use rayon::prelude::*;

/// Rows handled by one task; sums are taken block by block so that they do not depend on the number of threads.
pub(crate) const BLOCK: usize = 512;
/// A value for each boundary and an unused one: eight fill a vector register.
pub(crate) const LANES: usize = BOUNDARY_COUNT + 1;
/// One value for each boundary, and 0. Single precision halves the memory that a step of the solver moves, which is
/// what it waits for; [`Solver::corrected`](crate::solver::Solver::corrected) corrects what rounding leaves.
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

/// `M^-1 (pull M + L) x`.
struct Bend<'a> {
    system: &'a System<'a>,
    x: &'a [Row],
}

impl Kernel for Bend<'_> {
    #[inline(always)]
    fn change(&self, v: usize, row: &mut Row, _: &mut Row) {
        let (bend, share) = (self.system.bend(self.x, v), self.system.field.areas_mm2[v].recip());
        for k in 0..LANES {
            row[k] = bend[k] * share;
        }
    }
}

/// The system times `x`, once it is bent; sums products with `x`.
struct Apply<'a> {
    system: &'a System<'a>,
    x: &'a [Row],
    bent: &'a [Row],
}

impl Kernel for Apply<'_> {
    #[inline(always)]
    fn change(&self, v: usize, row: &mut Row, sum: &mut Row) {
        let (twice, weights, x) = (self.system.bend(self.bent, v), &self.system.weights[v], &self.x[v]);
        for k in 0..LANES {
            row[k] = weights[k] * x[k] + self.system.stiffness[k] * twice[k];
            sum[k] += row[k] * x[k];
        }
    }
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

    /// The system times `x`, and the sum of its products with `x`. `bent` is scratch.
    pub(crate) fn apply(&self, x: &[Row], bent: &mut [Row], out: &mut [Row]) -> Sum {
        run(bent, &Bend { system: self, x });
        run(out, &Apply { system: self, x, bent })
    }

    /// What `x` leaves of the right side, in double precision.
    pub(crate) fn residual(&self, right: &[Row], x: &[Row]) -> Vec<Row> {
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
        let mut bend = NONE;
        for k in 0..LANES {
            bend[k] = self.pull[k] * area * own[k];
        }
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

/// What changes a row of a vector, and what it adds to a sum.
pub(crate) trait Kernel: Sync {
    /// Changes row `v`. To be inlined always, so that it is compiled for the vector instructions that are there.
    fn change(&self, v: usize, row: &mut Row, sum: &mut Row);
}

/// Changes every row of a block.
struct Work<'a, K> {
    kernel: &'a K,
    first: usize,
    rows: &'a mut [Row],
}

impl<K: Kernel> NullaryFnOnce for Work<'_, K> {
    type Output = Row;

    #[inline(always)]
    fn call(self) -> Row {
        let mut sum = NONE;
        for (i, row) in self.rows.iter_mut().enumerate() {
            self.kernel.change(self.first + i, row, &mut sum);
        }
        sum
    }
}

/// Changes every row by a kernel, with the widest vector instructions that there are; sums are the same with any.
pub(crate) fn run(rows: &mut [Row], kernel: &impl Kernel) -> Sum {
    let arch = Arch::new();
    let work = |(block, rows)| arch.dispatch(Work { kernel, first: block * BLOCK, rows });
    total(&rows.par_chunks_mut(BLOCK).enumerate().map(work).collect::<Vec<Row>>())
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

fn total(blocks: &[Row]) -> Sum {
    let mut sum = [0.0; LANES];
    for block in blocks {
        sum.iter_mut().zip(block).for_each(|(s, b)| *s += f64::from(*b));
    }
    sum
}
