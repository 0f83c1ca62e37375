//! Slices as volumes: which belong together, in which order, and on which grid.

use super::file::DicomFile;
use super::frame::Frame;
use crate::{Error, Result, fault};
use brainmesh_core::Grid;
use glam::{DAffine3, DMat3, DVec3};
use std::collections::HashSet;
use std::path::Path;

/// Steps between slices may differ by this part of their median; scanners round positions to a micrometre or so.
const STEP_TOLERANCE: f64 = 0.05;
/// Slices nearer to each other than this part of a pixel lie at the same place.
const SAME_PLACE: f64 = 1e-3;
/// Cosine of the angle by which slices of one volume may differ (0.06 degrees).
const SAME_DIRECTION: f64 = 1.0 - 5e-7;

/// The volumes of a series, each with its slices sorted along the normal.
pub(super) struct Stack {
    pub volumes: Vec<Vec<Frame>>,
}

impl Stack {
    /// Sorts the frames of a series; `files` are those they came from.
    pub fn new(path: &Path, files: &[DicomFile], mut frames: Vec<Frame>) -> Result<Self> {
        let Some(first) = frames.first().cloned() else {
            return Err(fault::invalid(path, "NumberOfFrames", "at least 1", 0));
        };
        for frame in &frames {
            check_alike(files, &first, frame)?;
        }
        check_frames_of_reference(files, &first, &frames)?;
        let normal = first.row_lps.cross(first.column_lps);
        frames.sort_by(|a, b| a.position_lps.dot(normal).total_cmp(&b.position_lps.dot(normal)));
        let places: Vec<&[Frame]> = frames.chunk_by(|a, b| same_place(a, b, normal)).collect();
        let Some([a, b]) = places.iter().find_map(|frames| frames.first_chunk()) else {
            return Ok(Self { volumes: vec![frames] });
        };
        let ways = [true, false].into_iter().flat_map(|exact| (0..first.keys.len()).map(move |key| (key, exact)));
        if let Some(volumes) = ways.into_iter().find_map(|(key, exact)| split(&places, key, exact)) {
            return Ok(Self { volumes });
        }
        let [a, b] = [a, b].map(|frame| name(files, frame));
        Err(fault::invalid(
            path,
            "ImagePositionPatient",
            "each position once, or volumes told apart by time, echo, acquisition, trigger, b-value or image type",
            format!("{a} and {b} at the same position"),
        ))
    }
}

/// The grid of a volume's sorted slices, named `scanner`.
pub(super) fn grid(path: &Path, files: &[DicomFile], frames: &[Frame]) -> Result<Grid> {
    let [first, .., last] = frames else { return single(path, frames) };
    let normal = first.row_lps.cross(first.column_lps);
    let along: Vec<f64> = frames.iter().map(|f| f.position_lps.dot(normal)).collect();
    let mut steps: Vec<f64> = along.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.sort_by(f64::total_cmp);
    let usual = steps[steps.len() / 2];
    let tolerance = STEP_TOLERANCE * usual;
    for (pair, between) in along.windows(2).zip(frames.windows(2)) {
        let step = pair[1] - pair[0];
        if (step - usual).abs() > tolerance {
            let missing = (step / usual).round() - 1.0;
            let why = if missing >= 1.0 { format!(", as if {missing} were missing") } else { String::new() };
            let [a, b] = [&between[0], &between[1]].map(|frame| name(files, frame));
            return Err(fault::invalid(
                path,
                "slice positions",
                format!("slices {usual:.4} mm apart"),
                format!("{step:.4} mm between {a} and {b}{why}"),
            ));
        }
    }
    // The mean step keeps the shear of a tilted gantry: it need not be parallel to the normal.
    let step_lps = (last.position_lps - first.position_lps) / (frames.len() - 1) as f64;
    for (k, frame) in frames.iter().enumerate() {
        let off_mm = frame.position_lps.distance(first.position_lps + step_lps * k as f64);
        if off_mm > tolerance.max(STEP_TOLERANCE * frame.spacing_mm[0].min(frame.spacing_mm[1])) {
            let found = format!("{} {off_mm:.4} mm beside it", name(files, frame));
            return Err(fault::invalid(path, "ImagePositionPatient", "slices on a line", found));
        }
    }
    grid_of(path, first, step_lps, frames.len())
}

/// A lone slice is as thick as its header says.
fn single(path: &Path, frames: &[Frame]) -> Result<Grid> {
    let missing = || fault::invalid(path, "SliceThickness", "a length, since there is one slice only", "none");
    let frame = frames.first().ok_or_else(missing)?;
    let step = frame.slice_step_mm.ok_or_else(missing)?;
    grid_of(path, frame, frame.row_lps.cross(frame.column_lps) * step, 1)
}

fn grid_of(path: &Path, first: &Frame, step_lps: DVec3, slices: usize) -> Result<Grid> {
    let [di, dj] = first.spacing_mm;
    let ras = |lps: DVec3| DVec3::new(-lps.x, -lps.y, lps.z);
    let matrix = DMat3::from_cols(ras(first.row_lps * di), ras(first.column_lps * dj), ras(step_lps));
    let world_from_voxel = DAffine3::from_mat3_translation(matrix, ras(first.position_lps));
    Grid::new([first.columns, first.rows, slices], world_from_voxel, "scanner").map_err(fault::core(path))
}

/// Slices of one volume share size, spacing and orientation.
fn check_alike(files: &[DicomFile], first: &Frame, frame: &Frame) -> Result<()> {
    let differs = |field: &str, of: &dyn Fn(&Frame) -> String| Error::Invalid {
        path: files.get(frame.file).map(|f| f.path.clone()).unwrap_or_default(),
        field: field.into(),
        expected: format!("{} as in {}", of(first), name(files, first)),
        found: of(frame),
    };
    if (frame.columns, frame.rows) != (first.columns, first.rows) {
        return Err(differs("Columns and Rows", &|f| format!("{} x {}", f.columns, f.rows)));
    }
    if frame.row_lps.dot(first.row_lps) < SAME_DIRECTION * first.row_lps.length_squared()
        || frame.column_lps.dot(first.column_lps) < SAME_DIRECTION * first.column_lps.length_squared()
    {
        return Err(differs("ImageOrientationPatient", &|f| format!("{} {}", f.row_lps, f.column_lps)));
    }
    if (0..2).any(|axis| (frame.spacing_mm[axis] / first.spacing_mm[axis] - 1.0).abs() > SAME_PLACE) {
        return Err(differs("PixelSpacing", &|f| format!("{} x {} mm", f.spacing_mm[0], f.spacing_mm[1])));
    }
    Ok(())
}

/// Positions can be compared within one frame of reference only. A series has one (PS3.3 C.7.4.1); where every file has
/// its own, a program that made the files anonymous invented them and they say nothing.
fn check_frames_of_reference(files: &[DicomFile], first: &Frame, frames: &[Frame]) -> Result<()> {
    let distinct: HashSet<&str> = frames.iter().map(|frame| frame.frame_of_reference.as_str()).collect();
    match frames.iter().find(|frame| frame.frame_of_reference != first.frame_of_reference) {
        Some(other) if distinct.len() < files.len() => Err(fault::invalid(
            files.get(other.file).map_or(Path::new(""), |file| &file.path),
            "FrameOfReferenceUID",
            format!("{} as in {}", first.frame_of_reference, name(files, first)),
            &other.frame_of_reference,
        )),
        _ => Ok(()),
    }
}

/// Whether two neighbours of a sorted stack lie at the same place along the normal.
fn same_place(a: &Frame, b: &Frame, normal: DVec3) -> bool {
    (b.position_lps - a.position_lps).dot(normal) < SAME_PLACE * a.spacing_mm[0].min(a.spacing_mm[1])
}

/// Volumes of one frame from every place, in the order of a key that differs among the frames of each place.
///
/// The same values at every place tell them apart for certain (`exact`). Otherwise the nth in order is taken for the nth
/// volume, as trigger times need, which follow the heart; that takes numbers.
fn split(places: &[&[Frame]], key: usize, exact: bool) -> Option<Vec<Vec<Frame>>> {
    let count = places.first()?.len();
    let mut volumes: Vec<Vec<Frame>> = vec![Vec::new(); count];
    let mut values: Option<Vec<&str>> = None;
    for frames in places {
        let mut keyed: Vec<(&str, &Frame)> =
            frames.iter().map(|frame| Some((frame.keys[key].as_deref()?, frame))).collect::<Option<_>>()?;
        // As numbers where they are numbers: "10" comes after "9".
        keyed.sort_by(|(a, _), (b, _)| match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(x), Ok(y)) => x.total_cmp(&y),
            _ => a.cmp(b),
        });
        let found: Vec<&str> = keyed.iter().map(|(value, _)| *value).collect();
        let ordered = exact || found.iter().all(|value| value.parse::<f64>().is_ok());
        if found.len() != count || found.windows(2).any(|pair| pair[0] == pair[1]) || !ordered {
            return None;
        }
        if exact && *values.get_or_insert_with(|| found.clone()) != found {
            return None;
        }
        volumes.iter_mut().zip(keyed).for_each(|(volume, (_, frame))| volume.push(frame.clone()));
    }
    Some(volumes)
}

/// A frame's file, and its number where the file has several.
fn name(files: &[DicomFile], frame: &Frame) -> String {
    let file = files.get(frame.file).and_then(|f| f.path.file_name()).unwrap_or_default().to_string_lossy();
    if frame.number == 0 { file.into_owned() } else { format!("{file} frame {}", frame.number + 1) }
}
