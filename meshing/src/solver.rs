use crate::Result;
use crate::roots::Roots;
use crate::system::{BLOCK, LANES, NONE, Row, Sum, System, blocks};
use brainmesh_core::Monitor;
use rayon::prelude::*;

/// Most steps of conjugate gradients.
const STEPS: usize = 2000;
/// Conjugate gradients stop when the square of the error, in the norm of the system, is this share of the solution's.
pub(crate) const EXACT: f64 = 1e-8;
/// The same, for what leads to scores: a thousandth of the solution.
pub(crate) const ROUGH: f64 = 1e-6;
/// The same, for samples whose spread alone counts: a hundredth.
pub(crate) const DRAWN: f64 = 1e-4;
/// Most corrections of a solution by its residual in double precision.
const CORRECTIONS: usize = 4;

/// Conjugate gradients for the right sides of one system, all seven columns at once.
pub(crate) struct Solver<'a> {
    system: &'a System<'a>,
    roots: Roots<'a>,
    /// Scratch.
    bent: Vec<Row>,
    image: Vec<Row>,
    direction: Vec<Row>,
}

impl<'a> Solver<'a> {
    pub(crate) fn new(system: &'a System<'a>) -> Self {
        let none = || vec![NONE; system.field.len()];
        Self { system, roots: Roots::new(system), bent: none(), image: none(), direction: none() }
    }

    /// From a first guess, until the square of the error is this share of the solution's, in the norm of the system.
    pub(crate) fn solve(
        &mut self,
        right: &[Row],
        x: Vec<Row>,
        tolerance: f64,
        monitor: &dyn Monitor,
    ) -> Result<Vec<Row>> {
        let goal = self.roots.apply(right).map(|square| square * tolerance);
        self.descend(right, x, &goal, monitor)
    }

    /// The same to the last digit, corrected until the residual in double precision is small: on a mesh with few
    /// measurements rounding grows with the condition of the matrix.
    pub(crate) fn corrected(&mut self, right: &[Row], x: Vec<Row>, monitor: &dyn Monitor) -> Result<Vec<Row>> {
        let goal = self.roots.apply(right).map(|square| square * EXACT);
        let mut x = self.descend(right, x, &goal, monitor)?;
        let mut before = [f64::INFINITY; LANES];
        for _ in 0..CORRECTIONS {
            let residual = self.system.residual(right, &x);
            let rho = self.roots.apply(&residual);
            // Twice the goal: what the solver takes for done is not computed again for the last digit.
            if !(0..LANES).any(|k| rho[k] > 2.0 * goal[k] && rho[k] < 0.5 * before[k]) {
                break;
            }
            before = rho;
            let correction = self.descend(&residual, vec![NONE; x.len()], &goal, monitor)?;
            blocks(&mut x, |v, x, _| (0..LANES).for_each(|k| x[k] += correction[v][k]));
        }
        Ok(x)
    }

    fn descend(&mut self, right: &[Row], mut x: Vec<Row>, goal: &Sum, monitor: &dyn Monitor) -> Result<Vec<Row>> {
        let Self { system, roots, bent, image, direction } = self;
        system.apply(&x, bent, image);
        let mut residual = right.to_vec();
        blocks(&mut residual, |v, r, _| (0..LANES).for_each(|k| r[k] -= image[v][k]));
        let mut rho = roots.apply(&residual);
        let mut turn = NONE;
        for step in 0..STEPS {
            monitor.check()?;
            // A column that is done stands still.
            let open: [bool; LANES] = std::array::from_fn(|k| rho[k] > goal[k]);
            if !open.contains(&true) {
                break;
            }
            let steepest = roots.result();
            blocks(direction, |v, d, _| {
                for k in 0..LANES {
                    let before = if step == 0 { 0.0 } else { turn[k] * d[k] };
                    d[k] = steepest[v][k] + before;
                }
            });
            let curvature = system.apply(direction, bent, image);
            let far: Row =
                std::array::from_fn(
                    |k| {
                        if open[k] && curvature[k] > 0.0 { (rho[k] / curvature[k]) as f32 } else { 0.0 }
                    },
                );
            blocks_of_two(&mut x, &mut residual, |v, x, r| {
                for k in 0..LANES {
                    x[k] += far[k] * direction[v][k];
                    r[k] -= far[k] * image[v][k];
                }
            });
            let next = roots.apply(&residual);
            turn = std::array::from_fn(|k| if rho[k] > 0.0 { (next[k] / rho[k]) as f32 } else { 0.0 });
            rho = next;
        }
        Ok(x)
    }
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
