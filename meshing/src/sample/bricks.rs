use super::cubic::Cubic;
use super::line::{Fault, Line, Places};
use super::linear::Linear;
use super::voxels::{Kernel, Voxels};
use super::{RayInterpolation, SampleOptions, check, check_covered, is_constant, matrix};
use crate::Error;
use crate::error::same_length;
use crate::pages::zeros;
use brainmesh_core::{Grid, Monitor, RayDefect, RaySet, Stage};
use ndarray::Array2;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;

/// Segments handled by one task.
const BATCH: usize = 512;

/// Voxels along `i`, `j`, `k` that are wanted next.
pub type Brick = [Range<usize>; 3];

/// Samples of a ray that lie in one brick.
struct Segment {
    ray: u32,
    samples: Range<u32>,
}

/// Samples of a segment up to the first that cannot be used.
type Filled = (Vec<f32>, Option<Fault>);

/// [`sample`](super::sample) from a volume that is read in bricks of so many voxels along each axis (and a rim of one or
/// two voxels around them), each no more than once and only where rays pass: memory holds one brick and the result.
/// Values are the same as from the whole volume, to the last bit.
///
/// `read` gives the values of a brick, `i` fastest, as real intensities.
///
/// # Errors
/// As [`sample`](super::sample); another number of values than asked for; what `read` reports.
pub fn sample_bricks<E: From<Error> + Send>(
    grid: &Grid,
    brick: [usize; 3],
    rays: &RaySet,
    options: &SampleOptions,
    defects: &mut [Option<RayDefect>],
    monitor: &dyn Monitor,
    read: impl FnMut(&Brick) -> Result<Vec<f32>, E>,
) -> Result<Array2<f32>, E> {
    check(rays, options, defects)?;
    let brick = brick.map(|n| n.max(1));
    let sampled = match options.interpolation {
        RayInterpolation::Linear => sample_with(&Linear, grid, brick, rays, options, defects, monitor, read),
        RayInterpolation::Cubic => sample_with(&Cubic, grid, brick, rays, options, defects, monitor, read),
    }?;
    check_covered(grid, rays, defects)?;
    Ok(sampled)
}

#[allow(clippy::too_many_arguments, reason = "those of the public function and the kernel")]
fn sample_with<K: Kernel, E: From<Error> + Send>(
    kernel: &K,
    grid: &Grid,
    brick: [usize; 3],
    rays: &RaySet,
    options: &SampleOptions,
    defects: &mut [Option<RayDefect>],
    monitor: &dyn Monitor,
    mut read: impl FnMut(&Brick) -> Result<Vec<f32>, E>,
) -> Result<Array2<f32>, E> {
    let (samples, whole) = (options.samples, grid.shape());
    let places = Places::new(samples);
    let mut values = zeros(rays.len() * samples);
    let rows = values.as_mut_slice();
    // Of every ray the first sample that cannot be used: bricks come in another order than samples.
    let mut faults: Vec<Option<Fault>> = defects.iter().map(|d| d.map(|d| (0, d))).collect();
    let bricks = segments::<K>(grid, brick, rays, &places, &mut faults, monitor)?;
    monitor.stage("sampling rays", bricks.len() as u64);
    for ([bk, bj, bi], segments) in bricks {
        monitor.check().map_err(Error::from)?;
        let region: Brick = std::array::from_fn(|axis| {
            let first = [bi, bj, bk][axis] * brick[axis];
            first.saturating_sub(K::REACH)..(first + brick[axis] + 1 + K::REACH).min(whole[axis])
        });
        let intensities = read(&region)?;
        let shape = region.each_ref().map(ExactSizeIterator::len);
        same_length("values of a brick", shape.iter().product(), intensities.len())?;
        let origin = region.each_ref().map(|r| r.start);
        let voxels = Voxels::part(whole, origin, shape, &intensities, options.missing);
        let known = &faults;
        let filled: Vec<Vec<Filled>> = segments
            .par_chunks(BATCH)
            .map(|segments| {
                let one = |segment: &Segment| {
                    let (ray, first) = (segment.ray as usize, segment.samples.start as usize);
                    if known[ray].is_some_and(|(sample, _)| sample <= first) {
                        return (Vec::new(), None);
                    }
                    let mut part = vec![0.0; segment.samples.len()];
                    let line = Line::new(grid, rays, ray, &places);
                    let fault = line.fill(kernel, &voxels, first, &mut part).err();
                    (part, fault)
                };
                segments.iter().map(one).collect()
            })
            .collect();
        for (segment, (part, fault)) in segments.iter().zip(filled.into_iter().flatten()) {
            let ray = segment.ray as usize;
            let at = ray * samples + segment.samples.start as usize;
            rows[at..at + part.len()].copy_from_slice(&part);
            if let Some(fault) = fault
                && faults[ray].is_none_or(|(sample, _)| fault.0 < sample)
            {
                faults[ray] = Some(fault);
            }
        }
        monitor.advance(1);
    }
    for ((row, defect), fault) in rows.chunks_exact_mut(samples).zip(defects).zip(faults) {
        *defect = fault.map(|f| f.1).or_else(|| is_constant(row).then_some(RayDefect::NoTissue));
        if defect.is_some() {
            row.fill(0.0);
        }
    }
    Ok(matrix(values, samples))
}

/// What lies in which brick (along `k`, `j`, `i`: the order of files). Rays that leave the volume end there.
fn segments<K: Kernel>(
    grid: &Grid,
    brick: [usize; 3],
    rays: &RaySet,
    places: &Places,
    faults: &mut [Option<Fault>],
    monitor: &dyn Monitor,
) -> Result<BTreeMap<[usize; 3], Vec<Segment>>, Error> {
    let (whole, samples) = (grid.shape(), places.len());
    let monitor = Stage(monitor);
    let mut bricks = BTreeMap::<_, Vec<Segment>>::new();
    for (ray, fault) in faults.iter_mut().enumerate().filter(|(_, fault)| fault.is_none()) {
        if ray.is_multiple_of(1 << 14) {
            monitor.check()?;
        }
        let line = Line::new(grid, rays, ray, places);
        let mut last: Option<([usize; 3], Range<u32>)> = None;
        let mut i = 0;
        while i < samples {
            let (cell, count) = match line.run(i, K::REACH, whole) {
                Some((run, count)) => (run.cell, count),
                None => {
                    let p = line.at(i).to_array();
                    let inside = |axis: usize| p[axis] >= -0.5 && p[axis] <= whole[axis] as f64 - 0.5;
                    if !(inside(0) && inside(1) && inside(2)) {
                        *fault = Some((i, RayDefect::OutsideVolume));
                        break;
                    }
                    ([0, 1, 2].map(|axis| (p[axis].max(0.0) as usize).min(whole[axis] - 1)), 1)
                }
            };
            let end = i.saturating_add(count).min(samples);
            let key = [2, 1, 0].map(|axis: usize| cell[axis] / brick[axis]);
            match &mut last {
                Some((brick, range)) if *brick == key => range.end = end as u32,
                _ => {
                    if let Some((brick, samples)) = last.replace((key, i as u32..end as u32)) {
                        bricks.entry(brick).or_default().push(Segment { ray: ray as u32, samples });
                    }
                }
            }
            i = end;
        }
        if let Some((brick, samples)) = last {
            bricks.entry(brick).or_default().push(Segment { ray: ray as u32, samples });
        }
    }
    Ok(bricks)
}
