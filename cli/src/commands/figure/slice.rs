use super::{read, volume_of};
use crate::args::FigureSlice;
use crate::input::volume_options;
use crate::page::{Frame, SlicePlan, SliceVolume, outlines};
use crate::{Error, Result};
use brainmesh_core::{Monitor, WorldPoint};
use brainmesh_report::{Slice, ValueRange};

/// Most pixels of the picture along a side.
const MOST_PIXELS: f64 = 2048.0;

pub(super) fn svg(arguments: &FigureSlice, monitor: &dyn Monitor) -> Result<String> {
    let plan = plan(&arguments.plane)?;
    let window = match arguments.window.as_slice() {
        [] => None,
        &[low, high] if low < high => Some([low, high]),
        other => {
            return Err(Error::Usage(format!("--window: expected two numbers, the smaller first, found {other:?}")));
        }
    };
    if !(arguments.line > 0.0 && arguments.line <= 100.0) {
        return Err(Error::Usage(format!("--line: expected above 0 and at most 100, found {}", arguments.line)));
    }
    let part = match (arguments.center.as_slice(), arguments.side) {
        ([], None) => None,
        (&[x, y, z], Some(side)) if side > 0.0 && side.is_finite() && [x, y, z].iter().all(|v| v.is_finite()) => {
            Some(Frame::square(plan.place(WorldPoint::new(x, y, z)), side))
        }
        (center, side) => {
            return Err(Error::Usage(format!(
                "--center, --side: expected three numbers and a length above 0, found {center:?} and {side:?}"
            )));
        }
    };
    let (results, report) = read(&arguments.folder)?;
    let lines = outlines(&results.surfaces, &plan);
    let points = lines.iter().flat_map(|outline| &outline.lines).flat_map(|(points, _)| points).copied();
    let around = Frame::around(points, 0.06).ok_or_else(|| {
        let along = |p: &WorldPoint| plan.plane.height_mm(*p);
        let heights = || results.surfaces[0].vertices().iter().map(along);
        let (low, high) = (heights().fold(f64::INFINITY, f64::min), heights().fold(f64::NEG_INFINITY, f64::max));
        Error::Unusable(format!(
            "--plane {}: no surface meets it; the pia lies {low:.2} to {high:.2} mm from it along the axis",
            arguments.plane
        ))
    })?;
    let frame = part.unwrap_or(around);
    let volume =
        if arguments.no_volume { None } else { volume_of(&report, &arguments.folder, arguments.volume.as_ref())? };
    let image = match volume {
        Some((path, index)) => {
            let series = report.parameters["inputs"]["source"]["volume"]["series"].as_str();
            let file = volume_options(&path, index, series).open(&path)?;
            let values = SliceVolume { file: &file, index }.values(&plan.plane, &frame, MOST_PIXELS, monitor)?;
            let values = values.ok_or_else(|| {
                Error::Unusable(format!("{}: does not reach the plane {}", path.display(), arguments.plane))
            })?;
            let range = ValueRange::between_shares(values.values.iter().copied(), 0.01, 0.99);
            let window = window.unwrap_or([range.low as f32, range.high as f32]);
            Some(values.picture(window)?.png_address()?)
        }
        None => None,
    };
    let title = arguments.output.title.clone().unwrap_or(plan.title);
    let slice =
        Slice { title, low: frame.low, high: frame.high, image, outlines: lines, edges: plan.edges, marked: None };
    Ok(slice.svg(f64::from(arguments.width), arguments.line))
}

fn plan(text: &str) -> Result<SlicePlan> {
    let bad = || Error::Usage(format!("--plane: expected x=MM, y=MM or z=MM, found {text}"));
    let (axis, mm) = text.split_once('=').ok_or_else(bad)?;
    let mm: f64 = mm.trim().parse().ok().filter(|mm: &f64| mm.is_finite()).ok_or_else(bad)?;
    let axis = ["x", "y", "z"].iter().position(|name| *name == axis.trim()).ok_or_else(bad)?;
    SlicePlan::new(axis, mm)
}
