use super::voxels::{Kernel, Run, Voxels};

/// Trilinear interpolation.
pub(super) struct Linear;

impl Kernel for Linear {
    const REACH: usize = 0;

    fn weights(&self, fraction: f64) -> [f64; 4] {
        [1.0 - fraction, fraction, 0.0, 0.0]
    }

    /// Along a straight line through a cell the trilinear function is a cubic of the place on the line: its coefficients
    /// are found once a cell.
    #[inline(always)]
    fn run<T: Copy + Into<f64>>(&self, voxels: &Voxels<T>, run: &Run, ordinals: &[f64], out: &mut [f32]) -> bool {
        let [i, j, k] = run.cell;
        let rows = [[j, k], [j + 1, k], [j, k + 1], [j + 1, k + 1]].map(|[j, k]| voxels.row::<2>([i, j, k]));
        if !voxels.usable(rows.as_flattened()) {
            return false;
        }
        let ([fx, fy, fz], [sx, sy, sz]) = (run.fraction.to_array(), run.step.to_array());
        // [constant, per step] of the four edges along i, of the two faces, of the cell.
        let edges = rows.map(|[low, high]| [low + (high - low) * fx, (high - low) * sx]);
        let face = |[a0, a1]: [f64; 2], [b0, b1]: [f64; 2]| {
            let (d0, d1) = (b0 - a0, b1 - a1);
            [a0 + d0 * fy, a1 + d1 * fy + d0 * sy, d1 * sy]
        };
        let [low, high] = [face(edges[0], edges[1]), face(edges[2], edges[3])];
        let d = [high[0] - low[0], high[1] - low[1], high[2] - low[2]];
        let c0 = low[0] + d[0] * fz;
        let c1 = low[1] + d[1] * fz + d[0] * sz;
        let c2 = low[2] + d[2] * fz + d[1] * sz;
        let c3 = d[2] * sz;
        for (value, &n) in out.iter_mut().zip(ordinals) {
            *value = (((c3 * n + c2) * n + c1) * n + c0) as f32;
        }
        true
    }
}
