use super::voxels::{Kernel, Run, Voxels};
use brainmesh_core::{Grid, RayDefect, RaySet};
use glam::DVec3;

/// A ray in voxel coordinates.
pub(super) struct Line {
    start: DVec3,
    way: DVec3,
    /// From one sample to the next.
    step: DVec3,
    /// Samples to a voxel along each axis; infinite where the ray does not move.
    samples_per_voxel: DVec3,
    samples: usize,
}

/// A sample that cannot be used, and why.
pub(super) type Fault = (usize, RayDefect);

impl Line {
    pub(super) fn new(grid: &Grid, rays: &RaySet, ray: usize, samples: usize) -> Self {
        let start = grid.voxel_from_world(rays.point(ray, 0.0)).0;
        let way = grid.voxel_from_world(rays.point(ray, 1.0)).0 - start;
        let step = way / (samples - 1) as f64;
        Self { start, way, step, samples_per_voxel: step.abs().recip(), samples }
    }

    /// Where sample `i` lies.
    pub(super) fn at(&self, i: usize) -> DVec3 {
        self.start + self.way * RaySet::t_of_sample(i as f64, self.samples)
    }

    /// The cell of the interior that sample `i` lies in, and how many samples from it on lie there; the interior is so
    /// far from the edges that no voxel is missing.
    pub(super) fn run(&self, i: usize, reach: usize, whole: [usize; 3]) -> Option<(Run, usize)> {
        let p = self.at(i);
        let low = p.floor();
        let inside = |axis: usize| low[axis] >= reach as f64 && low[axis] + ((2 + reach) as f64) <= whole[axis] as f64;
        if !(inside(0) && inside(1) && inside(2)) {
            return None;
        }
        let fraction = p - low;
        // Up to the next voxel's centre, or back to this one's and not past it. Rounding may count a sample to the cell
        // beside its own; at the face between them both agree.
        let up = ((DVec3::ONE - fraction) * self.samples_per_voxel).ceil();
        let down = (fraction * self.samples_per_voxel).floor() + DVec3::ONE;
        let count = DVec3::select(self.step.cmpge(DVec3::ZERO), up, down).min_element().max(1.0) as usize;
        let cell = low.to_array().map(|c| c as usize);
        Some((Run { cell, fraction, step: self.step }, count))
    }

    /// Samples from `first` on into `out`.
    pub(super) fn fill<K: Kernel, T: Copy + Into<f64>>(
        &self,
        kernel: &K,
        voxels: &Voxels<T>,
        first: usize,
        out: &mut [f32],
        ordinals: &[f64],
    ) -> Result<(), Fault> {
        let mut done = 0;
        while done < out.len() {
            let rest = &mut out[done..];
            let count = match self.run(first + done, K::REACH, voxels.whole) {
                Some((run, count)) => {
                    let part = count.min(rest.len());
                    if !kernel.run(voxels, &run, &ordinals[..part], &mut rest[..part]) {
                        self.one_by_one(kernel, voxels, first + done, &mut rest[..part])?;
                    }
                    part
                }
                None => {
                    self.one_by_one(kernel, voxels, first + done, &mut rest[..1])?;
                    1
                }
            };
            done += count;
        }
        Ok(())
    }

    fn one_by_one<K: Kernel, T: Copy + Into<f64>>(
        &self,
        kernel: &K,
        voxels: &Voxels<T>,
        first: usize,
        out: &mut [f32],
    ) -> Result<(), Fault> {
        for (i, value) in (first..).zip(out) {
            *value = kernel.one(voxels, self.at(i)).map_err(|defect| (i, defect))?;
        }
        Ok(())
    }
}
