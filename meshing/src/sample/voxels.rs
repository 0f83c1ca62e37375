use brainmesh_core::RayDefect;
use glam::DVec3;

/// Values of a volume or of a part of it.
pub(super) struct Voxels<'a, T> {
    values: &'a [T],
    /// Voxels of the part.
    shape: [usize; 3],
    /// Its first voxel.
    origin: [usize; 3],
    /// Voxels of the volume.
    pub(super) whole: [usize; 3],
    /// NaN, which nothing equals, where no value stands for missing tissue.
    missing: f64,
}

/// A way to interpolate.
pub(super) trait Kernel: Sync {
    /// Voxels that it takes before and after the cell that a point lies in.
    const REACH: usize;

    /// Samples that lie in one cell of the interior, whose voxels are all usable; `false` where one is not.
    fn run<T: Copy + Into<f64>>(&self, voxels: &Voxels<T>, run: &Run, ordinals: &[f64], out: &mut [f32]) -> bool;

    /// Weights of the voxels around a point along one axis, by its fraction of the way to the next voxel; for the voxels
    /// `-REACH..=1 + REACH` from the cell.
    fn weights(&self, fraction: f64) -> [f64; 4];

    /// One sample anywhere: voxels beyond the edge take the value at the edge.
    fn one<T: Copy + Into<f64>>(&self, voxels: &Voxels<T>, p_voxel: DVec3) -> Result<f32, RayDefect> {
        let last = voxels.whole.map(|n| (n - 1) as f64);
        let p = p_voxel.to_array();
        if (0..3).any(|axis| !(p[axis] >= -0.5 && p[axis] <= last[axis] + 0.5)) {
            return Err(RayDefect::OutsideVolume);
        }
        let clamped = [0, 1, 2].map(|axis| p[axis].clamp(0.0, last[axis]));
        let weights = clamped.map(|p| self.weights(p - p.floor()));
        let index = |axis: usize, tap: usize| {
            (clamped[axis] as usize + tap).saturating_sub(Self::REACH).min(voxels.whole[axis] - 1)
        };
        let taps = 2 + 2 * Self::REACH;
        let mut sum = 0.0;
        for k in 0..taps {
            for j in 0..taps {
                for i in 0..taps {
                    let weight = weights[0][i] * weights[1][j] * weights[2][k];
                    if weight != 0.0 {
                        let value = voxels.get([index(0, i), index(1, j), index(2, k)]);
                        voxels.check(value)?;
                        sum += weight * value;
                    }
                }
            }
        }
        finite(sum as f32)
    }
}

/// Samples of a ray in one cell: between eight voxel centres.
pub(super) struct Run {
    /// Voxel at the low corner.
    pub(super) cell: [usize; 3],
    /// Of the first sample, from the low corner.
    pub(super) fraction: DVec3,
    /// From one sample to the next.
    pub(super) step: DVec3,
}

pub(super) fn finite(value: f32) -> Result<f32, RayDefect> {
    if value.is_finite() { Ok(value) } else { Err(RayDefect::NotFinite) }
}

impl<'a, T: Copy + Into<f64>> Voxels<'a, T> {
    pub(super) fn whole(shape: [usize; 3], values: &'a [T], missing: Option<f32>) -> Self {
        Self::part(shape, [0; 3], shape, values, missing)
    }

    /// The part of a volume of shape `whole` that begins at voxel `origin`.
    pub(super) fn part(
        whole: [usize; 3],
        origin: [usize; 3],
        shape: [usize; 3],
        values: &'a [T],
        missing: Option<f32>,
    ) -> Self {
        Self { values, shape, origin, whole, missing: missing.map_or(f64::NAN, f64::from) }
    }

    /// `N` values along `i`.
    #[inline(always)]
    pub(super) fn row<const N: usize>(&self, [i, j, k]: [usize; 3]) -> [f64; N] {
        let row = &self.values[self.place([i, j, k])..][..N];
        std::array::from_fn(|n| row[n].into())
    }

    fn get(&self, voxel: [usize; 3]) -> f64 {
        self.values[self.place(voxel)].into()
    }

    #[inline(always)]
    fn place(&self, [i, j, k]: [usize; 3]) -> usize {
        let [oi, oj, ok] = self.origin;
        (i - oi) + self.shape[0] * ((j - oj) + self.shape[1] * (k - ok))
    }

    fn check(&self, value: f64) -> Result<(), RayDefect> {
        if value == self.missing {
            Err(RayDefect::NoTissue)
        } else if value.is_finite() {
            Ok(())
        } else {
            Err(RayDefect::NotFinite)
        }
    }

    /// Whether every one of these values can be used.
    #[inline(always)]
    pub(super) fn usable(&self, values: &[f64]) -> bool {
        values.iter().fold(true, |usable, v| usable & (*v != self.missing) & (v.abs() <= f64::MAX))
    }
}
