//! Intensities of a volume at the voxels of another grid.

use crate::volume_reader::Region;
use crate::{Result, Voxel, fault, memory};
use brainmesh_core::{Grid, Monitor, Volume, VoxelPoint};
use glam::DVec3;
use rayon::prelude::*;
use std::path::Path;

/// What lies between voxel centres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interpolation {
    /// The trilinear mean of the eight neighbours; where new voxels are larger than old ones, of several points in each.
    Linear,
    /// The value of the nearest voxel: for labels.
    Nearest,
}

/// A part of a volume and the grid of the whole, which says where the volume ends.
pub(crate) struct Part<'a, T> {
    pub whole: &'a Grid,
    pub region: Region,
    pub data: &'a [T],
}

/// Points within this of the outermost face are inside: rounding must not cut the edge off.
const EDGE: f64 = 1e-6;
/// More points than this along an axis of one new voxel change nothing that can be seen.
const MOST_POINTS: usize = 64;

impl<T: Voxel> Part<'_, T> {
    /// The volume at the voxels of `grid`; `fill` where the centre of a new voxel lies outside of the whole.
    ///
    /// A volume reaches to the faces of its outermost voxels, half a voxel beyond their centres, with the outermost values.
    /// Integers are rounded to the nearest.
    pub fn resample(
        &self,
        path: &Path,
        grid: &Grid,
        interpolation: Interpolation,
        fill: T,
        monitor: &dyn Monitor,
    ) -> Result<Volume<T>> {
        let mut data = memory::zeros::<T>(path, grid.voxel_count())?;
        let [ni, nj, _] = grid.shape();
        // One map from new to old voxels.
        let old =
            |i: f64, j: f64, k: f64| self.whole.voxel_from_world(grid.world_from_voxel(VoxelPoint::new(i, j, k))).0;
        let origin = old(0.0, 0.0, 0.0);
        let steps = [old(1.0, 0.0, 0.0), old(0.0, 1.0, 0.0), old(0.0, 0.0, 1.0)].map(|p| p - origin);
        let points = match interpolation {
            Interpolation::Linear => points_within(steps),
            Interpolation::Nearest => Vec::new(),
        };
        data.par_chunks_mut(ni).enumerate().try_for_each(|(row, values)| {
            if row % 64 == 0 {
                monitor.check()?;
            }
            let start = origin + steps[1] * (row % nj) as f64 + steps[2] * (row / nj) as f64;
            for (i, value) in values.iter_mut().enumerate() {
                let centre = start + steps[0] * i as f64;
                *value = match interpolation {
                    _ if !self.is_inside(centre) => fill,
                    // Half way between two the lower one, whatever the rounding.
                    Interpolation::Nearest => self.at((centre + (0.5 - EDGE)).floor()),
                    Interpolation::Linear => self.mean(centre, &points),
                };
            }
            Ok::<_, crate::Error>(())
        })?;
        Volume::new(grid.clone(), data).map_err(fault::core(path))
    }

    /// Within the faces of the outermost voxels.
    fn is_inside(&self, p: DVec3) -> bool {
        let size = DVec3::from_array(self.whole.shape().map(|n| n as f64));
        p.cmpge(DVec3::splat(-0.5 - EDGE)).all() && p.cmple(size - 0.5 + EDGE).all()
    }

    fn at(&self, p: DVec3) -> T {
        let [ni, nj, nk] = self.region.each_ref().map(ExactSizeIterator::len);
        let within = |c: f64, axis: usize, n: usize| {
            (c as usize).clamp(self.region[axis].start, self.region[axis].start + n - 1)
        };
        let [i, j, k] = [within(p.x, 0, ni), within(p.y, 1, nj), within(p.z, 2, nk)];
        let [i0, j0, k0] = self.region.each_ref().map(|r| r.start);
        self.data[i - i0 + ni * (j - j0 + nj * (k - k0))]
    }

    /// The mean over `points` about a place.
    fn mean(&self, centre: DVec3, points: &[DVec3]) -> T {
        let (mut sum, mut count) = (0.0, 0u32);
        for point in points.iter().map(|offset| centre + offset).filter(|&point| self.is_inside(point)) {
            sum += self.linear(point);
            count += 1;
        }
        let mean = if count == 0 { self.linear(centre) } else { sum / f64::from(count) };
        T::of(if T::STORED.integer_range().is_some() { mean.round() } else { mean }).0
    }

    fn linear(&self, p: DVec3) -> f64 {
        let last = DVec3::from_array(self.whole.shape().map(|n| (n - 1) as f64));
        let p = p.clamp(DVec3::ZERO, last);
        let low = p.floor();
        let part = p - low;
        let mut sum = 0.0;
        for corner in 0..8usize {
            let up = DVec3::new((corner & 1) as f64, (corner >> 1 & 1) as f64, (corner >> 2) as f64);
            let weights = DVec3::ONE - part + up * (2.0 * part - 1.0);
            let weight = weights.x * weights.y * weights.z;
            // A neighbour without weight must not turn everything into NaN.
            if weight > 0.0 {
                sum += weight * self.at(low + up).to_f64();
            }
        }
        sum
    }
}

/// Places about the centre of a new voxel, in old voxels: one, or as many along each axis as there are old voxels in a new
/// one, so that what lies between the centres of coarse voxels counts too.
fn points_within(steps: [DVec3; 3]) -> Vec<DVec3> {
    let counts = steps.map(|step| (step.abs().max_element().round() as usize).clamp(1, MOST_POINTS));
    let offsets = |n: usize| (0..counts[n]).map(move |p| (p as f64 + 0.5) / counts[n] as f64 - 0.5);
    let mut points = Vec::new();
    for k in offsets(2) {
        for j in offsets(1) {
            points.extend(offsets(0).map(|i| steps[0] * i + steps[1] * j + steps[2] * k));
        }
    }
    points
}

/// The part of `whole` that the voxels of `grid` are made of; none where they all lie outside.
pub(crate) fn region_under(whole: &Grid, grid: &Grid) -> Option<Region> {
    let (mut low, mut high) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
    for corner in 0..8usize {
        let at = |n: usize| if corner >> n & 1 == 1 { grid.shape()[n] as f64 - 0.5 } else { -0.5 };
        let p = whole.voxel_from_world(grid.world_from_voxel(VoxelPoint::new(at(0), at(1), at(2)))).0;
        (low, high) = (low.min(p), high.max(p));
    }
    // The neighbours of the outermost points belong to it.
    let (low, high) = ((low - EDGE).floor(), (high + EDGE).ceil() + 1.0);
    let mut region = [const { 0..0 }; 3];
    for (n, range) in region.iter_mut().enumerate() {
        let length = whole.shape()[n];
        // Casts of negative numbers give 0. Beyond the last centre its value still counts.
        *range = (low[n] as usize).min(length - 1)..(high[n] as usize).min(length);
        if range.start >= range.end || high[n] <= -1.0 {
            return None;
        }
    }
    Some(region)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brainmesh_core::Silent;
    use glam::{DAffine3, DMat3};

    fn sheared(shape: [usize; 3]) -> Grid {
        let m = DMat3::from_cols(DVec3::new(0.9, 0.1, 0.0), DVec3::new(-0.1, 1.1, 0.2), DVec3::new(0.1, 0.6, 2.1));
        Grid::new(shape, DAffine3::from_mat3_translation(m, DVec3::new(3.0, -2.0, 5.0)), "scanner").unwrap()
    }

    /// Linear in the world.
    fn ramp(p: DVec3) -> f64 {
        100.0 + 3.0 * p.x - 2.0 * p.y + 0.5 * p.z
    }

    fn filled(grid: &Grid) -> Vec<f64> {
        let [ni, nj, nk] = grid.shape();
        let voxels = (0..nk).flat_map(|k| (0..nj).flat_map(move |j| (0..ni).map(move |i| [i, j, k].map(|c| c as f64))));
        voxels.map(|p| ramp(grid.world_from_voxel(VoxelPoint(DVec3::from_array(p))).0)).collect()
    }

    fn check(whole: &Grid, target: &Grid, margin: f64) -> usize {
        let data = filled(whole);
        let part = Part { whole, region: whole.shape().map(|n| 0..n), data: &data };
        let new = part.resample(Path::new("x"), target, Interpolation::Linear, -1.0, &Silent).unwrap();
        let mut inside = 0;
        for (n, &value) in new.data().iter().enumerate() {
            let [ni, nj, _] = target.shape();
            let p =
                target.world_from_voxel(VoxelPoint::new((n % ni) as f64, (n / ni % nj) as f64, (n / ni / nj) as f64));
            let voxel = whole.voxel_from_world(p).0;
            let size = DVec3::from_array(whole.shape().map(|n| n as f64));
            if voxel.cmpge(DVec3::splat(margin)).all() && voxel.cmple(size - 1.0 - margin).all() {
                assert!((value - ramp(p.0)).abs() < 1e-9, "{value} at {p:?}, {} expected", ramp(p.0));
                inside += 1;
            }
            if voxel.cmplt(DVec3::splat(-0.51)).any() || voxel.cmpgt(size - 0.49).any() {
                assert_eq!(value, -1.0);
            }
        }
        inside
    }

    #[test]
    fn a_linear_field_is_reproduced_on_any_grid() {
        let whole = sheared([12, 14, 9]);
        assert!(check(&whole, &whole.orthonormal(None).unwrap(), 0.0) > 500);
        assert!(check(&whole, &whole.orthonormal(Some([0.4, 0.5, 0.6])).unwrap(), 0.0) > 5000);
        // Means over coarse voxels reach further.
        assert!(check(&whole, &whole.orthonormal(Some([2.5, 2.0, 3.0])).unwrap(), 2.5) > 10);
    }

    #[test]
    fn a_part_gives_what_the_whole_gives() {
        let whole = sheared([12, 14, 9]);
        let target = whole.orthonormal(Some([0.7, 0.8, 0.9])).unwrap();
        let data = filled(&whole);
        let full = Part { whole: &whole, region: whole.shape().map(|n| 0..n), data: &data };
        for interpolation in [Interpolation::Linear, Interpolation::Nearest] {
            let all = full.resample(Path::new("x"), &target, interpolation, -1.0, &Silent).unwrap();
            let [ni, nj, nk] = target.shape();
            for k in 0..nk {
                let slice = target.cropped(&[0..ni, 0..nj, k..k + 1]).unwrap();
                let Some(region) = region_under(&whole, &slice) else {
                    assert!(all.data()[ni * nj * k..ni * nj * (k + 1)].iter().all(|&v| v == -1.0));
                    continue;
                };
                let volume = Volume::new(whole.clone(), data.clone()).unwrap();
                let mut under = Vec::new();
                for k in region[2].clone() {
                    for j in region[1].clone() {
                        under.extend(region[0].clone().map(|i| volume.get(i, j, k).unwrap()));
                    }
                }
                let part = Part { whole: &whole, region, data: &under };
                let new = part.resample(Path::new("x"), &slice, interpolation, -1.0, &Silent).unwrap();
                let whole_slice = &all.data()[ni * nj * k..ni * nj * (k + 1)];
                assert!(new.data().iter().zip(whole_slice).all(|(a, b)| (a - b).abs() < 1e-9));
            }
        }
    }

    #[test]
    fn voxels_that_are_not_asked_do_not_spoil_the_mean() {
        let grid = Grid::new([2, 1, 1], DAffine3::IDENTITY, "scanner").unwrap();
        let part = Part { whole: &grid, region: [0..2, 0..1, 0..1], data: &[4.0, f64::NAN] };
        let new = part.resample(Path::new("x"), &grid, Interpolation::Linear, 0.0, &Silent).unwrap();
        assert_eq!(new.data()[0], 4.0);
        assert!(new.data()[1].is_nan());
    }
}
