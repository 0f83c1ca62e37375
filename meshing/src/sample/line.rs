use super::voxels::{Kernel, Run, Voxels};
use brainmesh_core::{Grid, RayDefect, RaySet};
use glam::DVec3;

/// A ray in voxel coordinates.
pub(super) struct Line<'a> {
    start: DVec3,
    way: DVec3,
    /// From one sample to the next.
    step: DVec3,
    /// Samples to a voxel along each axis; infinite where the ray does not move.
    samples_per_voxel: DVec3,
    places: &'a Places,
}

/// What all rays share: numbers and positions of their samples.
pub(super) struct Places {
    ordinals: Vec<f64>,
    t: Vec<f64>,
}

/// A sample that cannot be used, and why.
pub(super) type Fault = (usize, RayDefect);

impl Places {
    pub(super) fn new(samples: usize) -> Self {
        let ordinals: Vec<f64> = (0..samples).map(|i| i as f64).collect();
        Self { t: ordinals.iter().map(|&i| RaySet::t_of_sample(i, samples)).collect(), ordinals }
    }

    pub(super) fn len(&self) -> usize {
        self.t.len()
    }
}

impl<'a> Line<'a> {
    pub(super) fn new(grid: &Grid, rays: &RaySet, ray: usize, places: &'a Places) -> Self {
        let start = grid.voxel_from_world(rays.point(ray, 0.0)).0;
        let way = grid.voxel_from_world(rays.point(ray, 1.0)).0 - start;
        let step = way / (places.len() - 1) as f64;
        Self { start, way, step, samples_per_voxel: step.abs().recip(), places }
    }

    /// Where sample `i` lies.
    #[inline]
    pub(super) fn at(&self, i: usize) -> DVec3 {
        self.start + self.way * self.places.t[i]
    }

    /// The cell of the interior that sample `i` lies in, and how many samples from it on lie there; the interior is so
    /// far from the edges that no voxel is missing.
    #[inline(always)]
    pub(super) fn run(&self, i: usize, reach: usize, whole: [usize; 3]) -> Option<(Run, usize)> {
        let p = self.at(i).to_array();
        // Truncated, which for what is not negative is the voxel before. Signed: the processor has no unsigned conversion.
        let cell = p.map(|p| p as i64);
        let inside = |axis: usize| p[axis] >= reach as f64 && cell[axis] < whole[axis] as i64 - (1 + reach) as i64;
        if !(inside(0) && inside(1) && inside(2)) {
            return None;
        }
        let fraction = DVec3::from_array([0, 1, 2].map(|axis| p[axis] - cell[axis] as f64));
        // Up to the next voxel's centre, or back to this one's and not past it. Rounding may count a sample to the cell
        // beside its own; at the face between them both agree.
        let ahead = DVec3::select(self.step.cmpge(DVec3::ZERO), DVec3::ONE - fraction, fraction);
        let ahead = (ahead * self.samples_per_voxel).to_array();
        let least = if ahead[1] < ahead[0] { ahead[1] } else { ahead[0] };
        let count = ((if ahead[2] < least { ahead[2] } else { least }) as i64).saturating_add(1);
        Some((Run { cell: cell.map(|c| c as usize), fraction, step: self.step }, count as usize))
    }

    /// Samples from `first` on into `out`.
    pub(super) fn fill<K: Kernel, T: Copy + Into<f64>>(
        &self,
        kernel: &K,
        voxels: &Voxels<T>,
        first: usize,
        out: &mut [f32],
    ) -> Result<(), Fault> {
        let mut done = 0;
        while done < out.len() {
            let rest = &mut out[done..];
            let count = match self.run(first + done, K::REACH, voxels.whole) {
                Some((run, count)) => {
                    let part = count.min(rest.len());
                    if !kernel.run(voxels, &run, &self.places.ordinals[..part], &mut rest[..part]) {
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

    #[cold]
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
