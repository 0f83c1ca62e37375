use crate::Result;
use crate::scatter::hash;
use crate::solver::{DRAWN, Solver};
use crate::system::{LANES, Row, System};
use brainmesh_core::Monitor;
use rayon::prelude::*;

/// Variance of every value of the field given the measurements: the diagonal of the inverse of the precision matrix.
///
/// Random right sides with the precision matrix as their covariance give solutions with its inverse as theirs (perturb
/// and solve: Papandreou and Yuille 2010). Of these, only the part that neighbours explain is taken from the `samples`;
/// the rest is known exactly (simple Rao-Blackwellised Monte Carlo: Siden et al. 2018, J. Comput. Graph. Stat. 27, eq. 8):
/// with 24 samples a standard deviation is right to about a tenth. What neighbours explain hardly changes from a vertex to
/// the next, so that its mean with the ring around takes the place of three times as many samples. Signs instead of
/// normal numbers do: only the covariance counts. They depend on `seed` and the vertex alone.
pub(crate) fn variances(system: &System, samples: u64, seed: u64, monitor: &dyn Monitor) -> Result<Vec<Row>> {
    let n = system.field.len();
    monitor.stage("finding how sure the boundaries are", samples);
    let diagonal: Vec<Row> = (0..n).into_par_iter().map(|v| system.diagonal(v)).collect();
    let mut explained: Vec<Row> = vec![[0.0; LANES]; n];
    let mut solver = Solver::new(system);
    for sample in 0..samples {
        let right = perturbation(system, hash(seed, sample));
        let own = |v: usize| -> Row { std::array::from_fn(|k| right[v][k] / diagonal[v][k]) };
        let guess = (0..n).into_par_iter().map(own).collect();
        let x = solver.solve(&right, guess, DRAWN, monitor)?;
        explained.par_iter_mut().enumerate().for_each(|(v, explained)| {
            let own = own(v);
            for k in 0..LANES {
                explained[k] += (x[v][k] - own[k]).powi(2) / samples as f32;
            }
        });
        monitor.advance(1);
    }
    let around = |v: usize| -> Row {
        let ring = system.field.edges(v).map(|edge| system.field.neighbours[edge] as usize).chain([v]);
        let (mut sum, mut count) = ([0.0; LANES], 0.0);
        for j in ring {
            (0..LANES).for_each(|k| sum[k] += explained[j][k]);
            count += 1.0;
        }
        // The field is never less sure than the measurement alone.
        std::array::from_fn(|k| (sum[k] / count + 1.0 / diagonal[v][k]).min(1.0 / system.weights[v][k]))
    };
    Ok((0..n).into_par_iter().map(around).collect())
}

/// A random right side with the precision matrix as its covariance: at every vertex a sign times the root of what it
/// knows, and the bent field of signs over the roots of the areas.
fn perturbation(system: &System, seed: u64) -> Vec<Row> {
    let sign = |bits: u64, k: usize| if bits >> (8 + k) & 1 == 1 { 1.0 } else { -1.0 };
    let signs = |seed: u64, v: usize| -> Row {
        let bits = hash(seed, v as u64);
        std::array::from_fn(|k| sign(bits, k))
    };
    let n = system.field.len();
    let share = |v: usize| system.field.areas_mm2[v].sqrt().recip();
    let loose: Vec<Row> = (0..n).into_par_iter().map(|v| signs(!seed, v).map(|s| s * share(v))).collect();
    let stiffness = system.stiffness.map(f32::sqrt);
    let right = |v: usize| -> Row {
        let (own, bent) = (signs(seed, v), system.bend(&loose, v));
        std::array::from_fn(|k| own[k] * system.weights[v][k].sqrt() + bent[k] * stiffness[k])
    };
    (0..n).into_par_iter().map(right).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::Diffusion;
    use crate::field::{Field, flat_sheet};
    use brainmesh_core::{BOUNDARY_COUNT, Silent};

    const SIDE: usize = 14;

    /// A flat sheet with a vertex every half millimetre; `precision` of a vertex by its number.
    fn sheet(precision: impl Fn(usize) -> f64 + Sync) -> Field {
        let surface = flat_sheet(SIDE);
        let flow = Diffusion::new(&surface, |_| true);
        let value = |v: usize| 0.5 + 0.05 * (v as f64 * 0.9).sin();
        Field::new(|v| ([value(v); BOUNDARY_COUNT], [precision(v); BOUNDARY_COUNT]), &surface, &flow)
    }

    /// Diagonal of the inverse by elimination (Gauss and Jordan) of the matrix that the solver applies.
    fn exact(system: &System, n: usize) -> Vec<f64> {
        let unit = |v: usize| (0..n).map(move |i| if i == v { 1.0 } else { 0.0 });
        let columns: Vec<Vec<f64>> = (0..n).map(|v| system.image(&unit(v).collect::<Vec<_>>())).collect();
        let mut rows: Vec<Vec<f64>> = (0..n).map(|v| columns.iter().map(|c| c[v]).chain(unit(v)).collect()).collect();
        for pivot in 0..n {
            let scale = rows[pivot][pivot];
            rows[pivot].iter_mut().for_each(|x| *x /= scale);
            let row = rows[pivot].clone();
            for other in (0..n).filter(|&v| v != pivot) {
                let factor = rows[other][pivot];
                rows[other].iter_mut().zip(&row).for_each(|(x, p)| *x -= factor * p);
            }
        }
        (0..n).map(|v| rows[v][n + v]).collect()
    }

    #[test]
    fn standard_deviations_are_those_of_the_exact_inverse() {
        let n = SIDE * SIDE;
        // Measured everywhere with unlike certainty; and at a few vertices alone.
        let dense = sheet(|v| 400.0 + 3000.0 * ((v * 7) % 5) as f64);
        let sparse = sheet(|v| if v % 23 == 0 { 2000.0 } else { 0.0 });
        for (field, length_mm) in [(dense, 0.5), (sparse, 3.0)] {
            let system = field.system(&[length_mm; BOUNDARY_COUNT]);
            let exact = exact(&system, n);
            let found = variances(&system, 24, 1, &Silent).unwrap();
            let mut sum = 0.0;
            for v in 0..n {
                let ratio = (f64::from(found[v][2]) / exact[v]).sqrt();
                assert!((0.6..1.6).contains(&ratio), "vertex {v}: {ratio}");
                sum += ratio.ln();
            }
            assert!((sum / n as f64).abs() < 0.05, "{}", sum / n as f64);
            // Neighbours help: no vertex is less sure than its own measurement.
            assert!((0..n).all(|v| exact[v] * f64::from(field.precision[v][2]) <= 1.0 + 1e-6));
        }
    }

    #[test]
    fn far_from_rays_the_field_has_their_spread() {
        let field = sheet(|v| if v == 0 { 1e6 } else { 0.0 });
        // One measurement has no spread of its own: the least there is, sd 1e-3.
        let system = field.system(&[1.0; BOUNDARY_COUNT]);
        let found = variances(&system, 200, 1, &Silent).unwrap();
        let sd = |vertex: usize| found[field.vertices.iter().position(|&v| v as usize == vertex).unwrap()][2].sqrt();
        let far = sd(SIDE * SIDE / 2 + SIDE / 2);
        assert!(far > 0.5e-3 && far < 2e-3 && sd(0) < far, "{far}");
    }
}
