use crate::system::{BLOCK, Kernel, LANES, NONE, Row, Sum, System, blocks, row, run};
use brainmesh_core::BOUNDARY_COUNT;
use rayon::prelude::*;

/// Most steps towards a root's solution.
const MOST_STEPS: usize = 8;
/// Least share of the largest eigenvalue that the steps reach down to.
const LEAST_REACH: f64 = 0.005;

/// A preconditioner of [`System`]: the square of its root. With `B = pull M + L` and `D = (weights M / stiffness)^(1/2)`
/// the system `stiffness (B M^-1 B + D M^-1 D)` is at least half of `stiffness (B + D) M^-1 (B + D)`, and as large where
/// either of both prevails. `B + D` has the square root of the system's condition; some steps of Chebyshev's iteration
/// (Golub and Varga 1961) with its diagonal take the place of its inverse.
pub(crate) struct Roots<'a> {
    system: &'a System<'a>,
    /// `D`.
    roots: Vec<Row>,
    /// Reciprocal of the diagonal of `B + D`.
    inverse: Vec<Row>,
    steps: Vec<Step>,
    /// Scratch, and the last result.
    vectors: [Vec<Row>; 3],
}

/// Factors of a step: of the change before, and of the residual.
struct Step {
    onward: Row,
    down: Row,
}

impl<'a> Roots<'a> {
    pub(crate) fn new(system: &'a System<'a>) -> Self {
        let field = system.field;
        let n = field.len();
        let scale = system.stiffness.map(|s| if s > 0.0 { s.recip() } else { 0.0 });
        let mut roots = vec![NONE; n];
        blocks(&mut roots, |v, root, _| {
            for k in 0..LANES {
                root[k] = (system.weights[v][k] * field.areas_mm2[v] * scale[k]).sqrt();
            }
        });
        let mut inverse = vec![NONE; n];
        // What the ends of the spectrum are like: the diagonal less the springs, of the diagonal.
        let share = blocks(&mut inverse, |v, inverse, sum| {
            let springs: f32 = field.edges(v).map(|edge| system.springs[edge]).sum();
            for k in 0..BOUNDARY_COUNT {
                let own = system.pull[k] * field.areas_mm2[v] + roots[v][k];
                inverse[k] = (own + springs).recip();
                sum[k] += own * inverse[k];
            }
        });
        // By Gershgorin's circles no eigenvalue is above 2.
        let low = share.map(|sum| (0.5 * sum / n.max(1) as f64).clamp(2.0 * LEAST_REACH, 1.0));
        let lowest = low.iter().take(BOUNDARY_COUNT).fold(1.0, |a: f64, b| a.min(*b));
        let count = ((0.9 * (2.0 / lowest).sqrt()).ceil() as usize).clamp(1, MOST_STEPS);
        Self {
            system,
            roots,
            inverse,
            steps: chebyshev(&low, count),
            vectors: [vec![NONE; n], vec![NONE; n], vec![NONE; n]],
        }
    }

    /// Preconditions a vector; gives its product with the result, which lies in [`Roots::result`].
    pub(crate) fn apply(&mut self, right: &[Row]) -> Sum {
        let [mut first, mut second, mut between] = std::mem::take(&mut self.vectors);
        self.iterate(right, &mut first, &mut second);
        let areas = &self.system.field.areas_mm2;
        blocks(&mut between, |v, row, _| *row = first[v].map(|y| y * areas[v]));
        self.iterate(&between, &mut first, &mut second);
        let scale = row(|k| f64::from(self.system.stiffness[k]).recip());
        let product = blocks(&mut first, |v, row, sum| {
            for k in 0..LANES {
                row[k] *= scale[k];
                sum[k] += row[k] * right[v][k];
            }
        });
        self.vectors = [first, second, between];
        product
    }

    pub(crate) fn result(&self) -> &[Row] {
        &self.vectors[0]
    }

    /// Steps towards the solution of `(B + D) y = right` from 0; the result is in `now`.
    fn iterate(&self, right: &[Row], now: &mut Vec<Row>, before: &mut Vec<Row>) {
        let Some((first, others)) = self.steps.split_first() else { return };
        before.par_chunks_mut(BLOCK).for_each(|rows| rows.fill(NONE));
        blocks(now, |v, y, _| {
            for k in 0..LANES {
                y[k] = first.down[k] * self.inverse[v][k] * right[v][k];
            }
        });
        for step in others {
            run(before, &Onward { roots: self, step, y: now, right });
            std::mem::swap(now, before);
        }
    }
}

/// The step from the last two vectors of the iteration to the next, in the place of the older one.
struct Onward<'a> {
    roots: &'a Roots<'a>,
    step: &'a Step,
    y: &'a [Row],
    right: &'a [Row],
}

impl Kernel for Onward<'_> {
    #[inline(always)]
    fn change(&self, v: usize, past: &mut Row, _: &mut Row) {
        let (bent, y, right) = (self.roots.system.bend(self.y, v), &self.y[v], &self.right[v]);
        let (root, inverse) = (&self.roots.roots[v], &self.roots.inverse[v]);
        for k in 0..LANES {
            let residual = right[k] - bent[k] - root[k] * y[k];
            past[k] = y[k] + self.step.onward[k] * (y[k] - past[k]) + self.step.down[k] * inverse[k] * residual;
        }
    }
}

/// Chebyshev's steps for eigenvalues from `low` to 2 (Saad 2003, Iterative Methods, algorithm 12.1).
fn chebyshev(low: &Sum, count: usize) -> Vec<Step> {
    let (middle, half) = (low.map(|low| (2.0 + low) / 2.0), low.map(|low| (2.0 - low) / 2.0));
    let mut rho: Sum = std::array::from_fn(|k| half[k] / middle[k]);
    let mut steps = vec![Step { onward: NONE, down: row(|k| 1.0 / middle[k]) }];
    for _ in 1..count {
        let next: Sum = std::array::from_fn(|k| 1.0 / (2.0 * middle[k] / half[k] - rho[k]));
        steps.push(Step { onward: row(|k| next[k] * rho[k]), down: row(|k| 2.0 * next[k] / half[k]) });
        rho = next;
    }
    steps
}
