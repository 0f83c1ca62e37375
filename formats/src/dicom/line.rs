//! The even line of slices: where it is broken, and the grid it makes.

use super::faults::DicomFault;
use super::frame::Frame;
use super::{Images, Repairs};
use crate::{Result, fault};
use brainmesh_core::Grid;
use glam::{DAffine3, DMat3, DVec3};
use std::ops::Range;
use std::path::Path;

/// Steps between slices may differ by this part of their median; scanners round positions to a micrometre or so.
const STEP_TOLERANCE: f64 = 0.05;
/// Slices that are off by less than this part of a step are not worth a warning.
const WORTH_TELLING: f64 = 0.005;
/// A repair moves no slice further than this part of a step, or of a pixel within its plane; steps that differ by more are
/// gaps.
const REPAIR_TOLERANCE: f64 = 0.5;
/// Tilts below this, in degrees, are rounded positions.
const SMALLEST_TILT: f64 = 0.1;

/// The slices to keep of those at `along` the normal: all where they are evenly spaced. A repair keeps the longest run
/// without a gap, and leaves uneven steps to [`grid`].
pub(super) fn even_run(
    along: &[f64],
    name: impl Fn(usize) -> String,
    path: &Path,
    repairs: &mut Repairs,
) -> Result<Range<usize>> {
    let steps: Vec<f64> = along.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut sorted = steps.clone();
    sorted.sort_by(f64::total_cmp);
    let Some(&usual_mm) = sorted.get(steps.len() / 2) else { return Ok(0..along.len()) };
    let off = |step: f64, part: f64| (step - usual_mm).abs() > part * usual_mm;
    if let Some((k, &step_mm)) = steps.iter().enumerate().find(|&(_, &step)| off(step, STEP_TOLERANCE))
        && !repairs.allowed
    {
        let (before, after, missing) = (name(k), name(k + 1), (step_mm / usual_mm).round() as usize);
        let fault = match missing {
            0 | 1 => DicomFault::Jitter { before, after, step_mm, usual_mm },
            _ => DicomFault::Gap { before, after, missing: missing - 1, step_mm, usual_mm },
        };
        return Err(fault.at(path));
    }
    let mut runs = Vec::from([0..1]);
    for (k, &step) in steps.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if !off(step, REPAIR_TOLERANCE) => run.end = k + 2,
            _ => runs.push(k + 1..k + 2),
        }
    }
    // The first of equally long ones.
    let run = runs.into_iter().rev().max_by_key(Range::len).unwrap_or_default();
    if run.len() < along.len() {
        let (first, last, left) = (name(run.start), name(run.end - 1), along.len() - run.len());
        let text = format!("{left} of {} slices left out beyond gaps: {first} to {last} are kept", along.len());
        repairs.made(text);
    }
    Ok(run)
}

/// The grid of a volume's sorted slices, named `scanner`.
pub(super) fn grid(images: &Images, frames: &[Frame], repairs: &mut Repairs) -> Result<Grid> {
    let path = &images.path;
    let [first, .., last] = frames else { return single(images, frames) };
    let count = frames.len() as f64;
    // The mean step keeps the shear of a tilted gantry: it need not be parallel to the normal.
    let mut step_lps = (last.position_lps - first.position_lps) / (count - 1.0);
    let mut origin_lps = first.position_lps;
    let smaller = first.spacing_mm[0].min(first.spacing_mm[1]);
    let furthest = |origin: DVec3, step: DVec3| {
        let off = frames.iter().enumerate().map(|(k, f)| (f.position_lps.distance(origin + step * k as f64), f));
        off.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((0.0, first))
    };
    let (mut off_mm, mut slice) = furthest(origin_lps, step_lps);
    if off_mm > STEP_TOLERANCE * step_lps.length().max(smaller) && repairs.allowed {
        // Least squares: the line of even steps nearest to all slices.
        let middle = (count - 1.0) / 2.0;
        let spread: f64 = (0..frames.len()).map(|k| (k as f64 - middle).powi(2)).sum();
        let mean = frames.iter().map(|f| f.position_lps).sum::<DVec3>() / count;
        step_lps = frames.iter().enumerate().map(|(k, f)| (k as f64 - middle) * f.position_lps).sum::<DVec3>() / spread;
        origin_lps = mean - step_lps * middle;
        (off_mm, slice) = furthest(origin_lps, step_lps);
        let far = |(k, f): (usize, &Frame)| {
            let off = f.position_lps - (origin_lps + step_lps * k as f64);
            let along = off.dot(step_lps) / step_lps.length_squared();
            along.abs() > REPAIR_TOLERANCE || off.distance(along * step_lps) > REPAIR_TOLERANCE * smaller
        };
        if !frames.iter().enumerate().any(far) {
            let slice = images.name(slice);
            repairs.made(format!("slices put at even steps of {:.4} mm, {slice} by {off_mm:.4} mm", step_lps.length()));
            off_mm = 0.0;
        }
    }
    if off_mm > STEP_TOLERANCE * step_lps.length().max(smaller) {
        return Err(DicomFault::OffLine { slice: images.name(slice), off_mm }.at(path));
    }
    if off_mm > WORTH_TELLING * step_lps.length() {
        repairs.warnings.push(format!("{} lies {off_mm:.4} mm from where even slices have it", images.name(slice)));
    }
    let normal = first.row_lps.cross(first.column_lps);
    let degrees = step_lps.angle_between(normal).to_degrees();
    if degrees > SMALLEST_TILT {
        repairs.note(DicomFault::GantryTilt { degrees });
    }
    grid_of(path, first, origin_lps, step_lps, frames.len())
}

/// A lone slice is as thick as its header says.
fn single(images: &Images, frames: &[Frame]) -> Result<Grid> {
    let missing = |frame| DicomFault::MissingThickness { file: images.name(frame) }.at(&images.path);
    let [frame, ..] = frames else { return Err(fault::invalid(&images.path, "slices", "at least 1", 0)) };
    let step = frame.slice_step_mm.ok_or_else(|| missing(frame))?;
    grid_of(&images.path, frame, frame.position_lps, frame.row_lps.cross(frame.column_lps) * step, 1)
}

fn grid_of(path: &Path, first: &Frame, origin_lps: DVec3, step_lps: DVec3, slices: usize) -> Result<Grid> {
    let [di, dj] = first.spacing_mm;
    let ras = |lps: DVec3| DVec3::new(-lps.x, -lps.y, lps.z);
    let matrix = DMat3::from_cols(ras(first.row_lps * di), ras(first.column_lps * dj), ras(step_lps));
    let world_from_voxel = DAffine3::from_mat3_translation(matrix, ras(origin_lps));
    Grid::new([first.columns, first.rows, slices], world_from_voxel, "scanner").map_err(fault::core(path))
}
