use crate::Result;
use crate::roots::Roots;
use crate::system::{BLOCK, LANES, NONE, Row, Sum, System, blocks};
use brainmesh_core::Monitor;
use rayon::prelude::*;

/// Most steps of conjugate gradients.
const STEPS: usize = 2000;
/// Conjugate gradients stop when the square of the error, in the norm of the system, is this share of the solution's.
pub(crate) const EXACT: f64 = 1e-9;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::Diffusion;
    use crate::field::{Field, flat_sheet};
    use brainmesh_core::{BOUNDARY_COUNT, Silent};

    const SIDE: usize = 40;

    /// A flat sheet with a vertex every half millimetre, measured at every `every`-th vertex.
    fn sheet(every: usize) -> Field {
        let surface = flat_sheet(SIDE);
        let value = |v: usize| 0.5 + 0.05 * (v as f64 * 0.9).sin() + 0.05 * (v as f64 / 300.0).cos();
        let precision = |v: usize| if v.is_multiple_of(every) { 500.0 + 3000.0 * ((v * 7) % 5) as f64 } else { 0.0 };
        let measurement = |v: usize| ([value(v); BOUNDARY_COUNT], [precision(v); BOUNDARY_COUNT]);
        Field::new(measurement, &surface, &Diffusion::new(&surface, |_| true))
    }

    #[test]
    fn solutions_are_right_to_a_tenth_of_a_micrometre() {
        // In shares of a cortex of 2.5 mm.
        const TENTH: f32 = 0.1 / 2500.0;
        for (every, length_mm) in [(1, 0.5), (1, 8.0), (9, 3.0), (97, 8.0)] {
            let field = sheet(every);
            let system = field.system(&[length_mm; BOUNDARY_COUNT]);
            let (right, start) = (system.right(), field.data.clone());
            let mut solver = Solver::new(&system);
            let usual = solver.corrected(&right, start.clone(), &Silent).unwrap();
            // A tight solution, freed from the rounding of single precision by its residuals in double precision.
            let mut tight = solver.solve(&right, start, 1e-13, &Silent).unwrap();
            for _ in 0..6 {
                let residual = system.residual(&right, &tight);
                let correction = solver.solve(&residual, vec![NONE; tight.len()], 1e-8, &Silent).unwrap();
                for (row, correction) in tight.iter_mut().zip(correction) {
                    (0..LANES).for_each(|k| row[k] += correction[k]);
                }
            }
            let moved = |a: &[Row], b: &[Row]| a.iter().zip(b).map(|(a, b)| (a[2] - b[2]).abs()).fold(0.0, f32::max);
            assert!(moved(&usual, &tight) < TENTH, "{every} {length_mm}: {}", moved(&usual, &tight));
            assert!(moved(&tight, &field.data) > 100.0 * TENTH);
            // It solves the system that `System::image` multiplies with.
            let column: Vec<f64> = tight.iter().map(|row| f64::from(row[0])).collect();
            let off = system.image(&column).iter().zip(&right).map(|(a, b)| (a - f64::from(b[0])).powi(2)).sum::<f64>();
            let size = right.iter().map(|row| f64::from(row[0]).powi(2)).sum::<f64>();
            assert!(off < 1e-6 * size, "{every} {length_mm}: {}", (off / size).sqrt());
        }
    }
}
