use super::voxels::{Kernel, Run, Voxels};

/// Cubic convolution: R. Keys, IEEE Trans. Acoust. Speech Signal Process. 29 (1981) 1153, eq. 15 (a = -1/2).
pub(super) struct Cubic;

impl Kernel for Cubic {
    const REACH: usize = 1;

    #[inline]
    fn weights(&self, f: f64) -> [f64; 4] {
        let (f2, f3) = (f * f, f * f * f);
        [-0.5 * f3 + f2 - 0.5 * f, 1.5 * f3 - 2.5 * f2 + 1.0, -1.5 * f3 + 2.0 * f2 + 0.5 * f, 0.5 * f3 - 0.5 * f2]
    }

    fn run<T: Copy + Into<f64>>(&self, voxels: &Voxels<T>, run: &Run, ordinals: &[f64], out: &mut [f32]) -> bool {
        let [i, j, k] = run.cell.map(|c| c - Self::REACH);
        let mut taps = [[0.0; 16]; 4];
        for (c, plane) in taps.iter_mut().enumerate() {
            for (b, row) in plane.chunks_exact_mut(4).enumerate() {
                row.copy_from_slice(&voxels.row::<4>([i, j + b, k + c]));
            }
        }
        if !voxels.usable(taps.as_flattened()) {
            return false;
        }
        for (value, &n) in out.iter_mut().zip(ordinals) {
            let [fi, fj, fk] = (run.fraction + run.step * n).to_array();
            let (wi, wj, wk) = (self.weights(fi), self.weights(fj), self.weights(fk));
            // The slowest axis first: sixteen sums side by side.
            let mut plane = [0.0; 16];
            for (n, sum) in plane.iter_mut().enumerate() {
                *sum = taps[0][n] * wk[0] + taps[1][n] * wk[1] + taps[2][n] * wk[2] + taps[3][n] * wk[3];
            }
            let mut row = [0.0; 4];
            for (n, sum) in row.iter_mut().enumerate() {
                *sum = plane[n] * wj[0] + plane[4 + n] * wj[1] + plane[8 + n] * wj[2] + plane[12 + n] * wj[3];
            }
            *value = (row[0] * wi[0] + row[1] * wi[1] + row[2] * wi[2] + row[3] * wi[3]) as f32;
        }
        // Overshoot beyond the largest number of a file.
        out.iter().all(|v| v.is_finite())
    }
}
