//! Slices through a result with the lines of its surfaces.

use super::slice_plan::{SlicePlan, outlines, within};
use super::volume_slice::{Frame, SliceValues, SliceVolume};
use super::{PageSource, find_input, is_input};
use crate::input::volume_options;
use crate::{Error, LayerResults, Result};
use brainmesh_core::{BOUNDARY_COUNT, Monitor, WorldPoint};
use brainmesh_formats::VolumeReader;
use brainmesh_report::{Outline, Slice, SlicePanel, ValueRange};
use std::path::{Path, PathBuf};

/// Where the slices of a page lie: shares of the vertices on their lower side.
const PLACES: [f64; 3] = [0.25, 0.5, 0.75];
/// Most pixels along a side of a picture.
const WHOLE_PIXELS: f64 = 760.0;
const DETAIL_PIXELS: f64 = 560.0;
const JPEG_QUALITY: u8 = 78;
/// Side of a close-up in thicknesses of the cortex.
const DETAIL_THICKNESSES: f64 = 5.0;

/// Slices of a page.
pub(super) struct Slices {
    pub whole: Vec<SlicePanel>,
    pub details: Vec<SlicePanel>,
    pub note: String,
}

/// The volume to show and what is to be said of it.
struct Shown {
    file: Option<VolumeReader>,
    index: usize,
    note: String,
}

/// The volume of the run where it is still the same, or the one asked for.
fn shown(source: &PageSource<'_>) -> Result<Shown> {
    let volume = &source.report.parameters["inputs"]["source"]["volume"];
    let series = volume["series"].as_str();
    let index = volume["index"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let none = |note: &str| Ok(Shown { file: None, index: 0, note: note.into() });
    let own = find_input(source.report, "volume", source.folder);
    let (path, index): (PathBuf, usize) = match (source.volume, own) {
        (Some(path), _) if is_input(source.report, "volume", path)? => (path.into(), index),
        (Some(path), _) => {
            let file = open(path, 0, None)?;
            let note = format!("The picture is {}, not a volume of the run.", path.display());
            return Ok(Shown { file: Some(file), index: 0, note });
        }
        (None, Some(path)) if is_input(source.report, "volume", &path)? => (path, index),
        (None, Some(path)) => {
            return none(&format!(
                "{} is not as it was in the run (another SHA-256): lines alone are shown.",
                path.display()
            ));
        }
        (None, None) if volume.is_null() => return none("The run had no volume: lines alone are shown."),
        (None, None) => {
            return none("The volume of the run was not found: lines alone are shown. Give it with --volume.");
        }
    };
    Ok(Shown { file: Some(open(&path, index, series)?), index, note: format!("Picture: {}.", path.display()) })
}

fn open(path: &Path, index: usize, series: Option<&str>) -> Result<VolumeReader> {
    let file = volume_options(path, index, series).open(path)?;
    // Twelve slices are read: a stream is decoded once.
    file.load()?;
    Ok(file)
}

/// A slice before its picture is made.
struct Drawn {
    plan: SlicePlan,
    frame: Frame,
    outlines: Vec<Outline>,
    marked: Option<[[f64; 2]; 2]>,
    values: Option<SliceValues>,
}

/// Three slices along each axis, and a close-up of each middle one.
pub(super) fn slices(source: &PageSource<'_>, monitor: &dyn Monitor) -> Result<Slices> {
    let results = source.results;
    let Shown { file, index, note } = shown(source)?;
    let volume = file.as_ref().map(|file| SliceVolume { file, index });
    monitor.stage("drawing slices", 12);
    let (mut whole, mut details) = (Vec::new(), Vec::new());
    for axis in [2, 1, 0] {
        let middle = detail_place(results, axis);
        for (n, mm) in places(results, axis).into_iter().enumerate() {
            let mm = middle.filter(|_| n == 1).map_or(mm, |p| p.to_array()[axis]);
            let plan = SlicePlan::new(axis, mm)?;
            let lines = outlines(&results.surfaces, &plan);
            let Some(frame) = Frame::around(results.surfaces[0].vertices().iter().map(|&p| plan.place(p)), 0.05) else {
                continue;
            };
            let close = middle.filter(|_| n == 1).map(|p| Frame::square(plan.place(p), detail_side(results)));
            if let Some(frame) = close {
                let plan = SlicePlan::new(axis, mm)?;
                details.push(drawn(plan, frame, lines.clone(), None, volume.as_ref(), DETAIL_PIXELS, monitor)?);
            }
            let marked = close.map(|frame| [frame.low, frame.high]);
            whole.push(drawn(plan, frame, lines, marked, volume.as_ref(), WHOLE_PIXELS, monitor)?);
            monitor.advance(1);
            monitor.check()?;
        }
    }
    let seen = whole.iter().filter_map(|drawn| drawn.values.as_ref()).flat_map(|values| values.values.iter().copied());
    let range = ValueRange::between_shares(seen, 0.005, 0.995);
    let window = [range.low as f32, range.high as f32];
    let panels = |drawn: Vec<Drawn>, width: f64| {
        drawn.into_iter().map(|drawn| panel(drawn, window, width)).collect::<Result<_>>()
    };
    let note = format!(
        "{note} Lines are where the surfaces of the files meet the plane. Left is left (L); a slice opens when it is pressed, and can then be enlarged."
    );
    Ok(Slices { whole: panels(whole, 380.0)?, details: panels(details, 380.0)?, note })
}

fn drawn(
    plan: SlicePlan,
    frame: Frame,
    outlines: Vec<Outline>,
    marked: Option<[[f64; 2]; 2]>,
    volume: Option<&SliceVolume<'_>>,
    most: f64,
    monitor: &dyn Monitor,
) -> Result<Drawn> {
    let values = match volume {
        Some(volume) => volume.values(&plan.plane, &frame, most, monitor)?,
        None => None,
    };
    Ok(Drawn { plan, frame, outlines: within(outlines, &frame), marked, values })
}

fn panel(drawn: Drawn, window: [f32; 2], width: f64) -> Result<SlicePanel> {
    let Drawn { plan, frame, outlines, marked, values } = drawn;
    let image =
        values.map(|values| Ok::<_, Error>(values.picture(window)?.grey_jpeg_address(JPEG_QUALITY)?)).transpose()?;
    let title = plan.title.clone();
    let slice =
        Slice { title: plan.title, low: frame.low, high: frame.high, image, outlines, edges: plan.edges, marked };
    Ok(SlicePanel { title, svg: slice.svg(width, 1.2) })
}

fn has_layers(results: &LayerResults, v: usize) -> bool {
    results.thickness_mm[0][v].is_finite()
}

/// Places along an axis that have so many of the vertices below them.
fn places(results: &LayerResults, axis: usize) -> [f64; 3] {
    let vertices = results.surfaces[0].vertices();
    let with_layers = (0..vertices.len()).filter(|&v| has_layers(results, v));
    let mut along: Vec<f64> = with_layers.map(|v| vertices[v].to_array()[axis]).collect();
    if along.is_empty() {
        along = vertices.iter().map(|p| p.to_array()[axis]).collect();
    }
    along.sort_by(f64::total_cmp);
    PLACES.map(|share| along[((along.len() - 1) as f64 * share) as usize])
}

/// Side of a close-up.
fn detail_side(results: &LayerResults) -> f64 {
    DETAIL_THICKNESSES * median(&results.thickness_mm[0])
}

fn median(values: &[f32]) -> f64 {
    let mut finite: Vec<f32> = values.iter().copied().filter(|v| v.is_finite()).collect();
    finite.sort_by(f32::total_cmp);
    finite.get(finite.len() / 2).copied().map_or(1.0, f64::from)
}

/// A point where the cortex is cut straight across and is about as thick as it mostly is: there layers are seen best.
fn detail_place(results: &LayerResults, axis: usize) -> Option<WorldPoint> {
    let [outer, inner] = [0, 6].map(|k: usize| results.surfaces[k].vertices());
    let [low, middle, high] = places(results, axis);
    let usual = median(&results.thickness_mm[0]);
    let score = |v: usize| {
        let across = inner[v].0 - outer[v].0;
        let length = across.length();
        let out_of_plane = if length > 0.0 { (across[axis] / length).abs() } else { 1.0 };
        let away = (outer[v].0[axis] - middle).abs() / (high - low).max(1e-9);
        let odd = (f64::from(results.thickness_mm[0][v]) - usual).abs() / usual;
        let unsure = f64::from((0..BOUNDARY_COUNT).map(|k| results.uncertainty_mm[k][v]).fold(0.0, f32::max));
        2.0 * out_of_plane + away + odd + unsure
    };
    let best = (0..outer.len())
        .filter(|&v| has_layers(results, v) && results.defects[v] == 0)
        .map(|v| (score(v), v))
        .filter(|(score, _)| score.is_finite())
        .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))?;
    Some(outer[best.1].lerp(inner[best.1], 0.5))
}
