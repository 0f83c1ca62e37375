use super::FrameFiles;
use super::spacing::DicomFile;
use crate::commands::pages::read_grey;
use crate::plane::fill_polygon;
use crate::score::Drawn;
use crate::{Error, Result};
use brainmesh_core::{Monitor, Uncounted};
use brainmesh_formats::{VolumeOptions, read_contour};
use std::path::Path;

/// Contours reach no further and have no more points.
const MOST_PIXELS: f64 = 16384.0;
const MOST_POINTS: usize = 20_000;

/// Both sides of a frame in one picture.
pub(super) struct Both {
    pub truth: Drawn,
    pub found: Drawn,
    pub size: [usize; 2],
    /// Whether the size is that of a picture; else it is just large enough for the contours.
    pub is_picture: bool,
}

enum Side {
    Mask(Vec<bool>),
    Contour(Vec<[f64; 2]>),
}

/// Reads both; where each has a contour those are compared, else masks. Nothing found is an empty mask. All masks of the
/// frame, also those that are not compared, must have the size of its `picture`: else their pixels are of another length.
pub(super) fn draw_both(
    truth: &FrameFiles,
    found: Option<&FrameFiles>,
    picture: Option<&DicomFile>,
    monitor: &dyn Monitor,
) -> Result<Both> {
    let known = common_size(picture, [truth.mask.as_deref(), found.and_then(|found| found.mask.as_deref())])?;
    let contours = truth.contour.is_some() && found.is_none_or(|found| found.contour.is_some());
    let side = |files: &FrameFiles| match (&files.mask, &files.contour) {
        (mask, Some(path)) if contours || mask.is_none() => contour(path).map(Side::Contour),
        (Some(path), _) => mask(path, monitor),
        (None, _) => Ok(Side::Contour(Vec::new())),
    };
    let sides = [side(truth)?, found.map_or(Ok(Side::Contour(Vec::new())), side)?];
    let paths = [truth.any(), found.map_or(Path::new(""), FrameFiles::any)];
    let size = known.unwrap_or_else(|| {
        // Nobody says how large the picture was; all of both lies within this.
        let points = || sides.iter().flat_map(|side| if let Side::Contour(points) = side { &points[..] } else { &[] });
        [0, 1].map(|axis| points().map(|p| p[axis]).fold(0.0, f64::max) as usize + 1)
    });
    let [truth, found] = sides;
    Ok(Both {
        truth: drawn(truth, size, paths[0])?,
        found: drawn(found, size, paths[1])?,
        size,
        is_picture: known.is_some(),
    })
}

/// Size of the picture of a frame, which all that tell one must have.
fn common_size(picture: Option<&DicomFile>, masks: [Option<&Path>; 2]) -> Result<Option<[usize; 2]>> {
    let mut known = picture.map(|picture| (picture.path.as_path(), picture.size));
    for path in masks.into_iter().flatten() {
        let [width, height, _] = VolumeOptions::default().open(path)?.grid().shape();
        match known {
            Some((first, [columns, rows])) if [columns, rows] != [width, height] => {
                return Err(Error::Unusable(format!(
                    "{}: expected {columns} x {rows} pixels as {}, found {width} x {height}",
                    path.display(),
                    first.display()
                )));
            }
            Some(_) => {}
            None => known = Some((path, [width, height])),
        }
    }
    Ok(known.map(|(_, size)| size))
}

fn drawn(side: Side, size: [usize; 2], path: &Path) -> Result<Drawn> {
    match side {
        Side::Mask(mask) => Ok(Drawn { mask, contour: None }),
        Side::Contour(points) => {
            if let Some([x, y]) = points.iter().find(|p| p[0] >= size[0] as f64 || p[1] >= size[1] as f64) {
                return Err(Error::Unusable(format!(
                    "{}: expected points within {} x {} pixels, found {x}, {y}",
                    path.display(),
                    size[0],
                    size[1]
                )));
            }
            // The pixel that a point lies in.
            let corners: Vec<[i64; 2]> = points.iter().map(|p| p.map(|value| value.floor() as i64)).collect();
            let mask = fill_polygon(&corners, size);
            Ok(Drawn { mask, contour: (!points.is_empty()).then_some(points) })
        }
    }
}

fn contour(path: &Path) -> Result<Vec<[f64; 2]>> {
    let points = read_contour(path)?;
    let refused = |expected: String, found: String| {
        Err(Error::Unusable(format!("{}: expected {expected}, found {found}", path.display())))
    };
    if points.len() > MOST_POINTS {
        return refused(format!("at most {MOST_POINTS} points"), points.len().to_string());
    }
    match points.iter().find(|p| p.iter().any(|v| !(0.0..MOST_PIXELS).contains(v))) {
        Some([x, y]) => refused(format!("pixels from 0 to {MOST_PIXELS}"), format!("{x}, {y}")),
        None => Ok(points),
    }
}

/// A mask: 0 outside, one other value inside.
fn mask(path: &Path, monitor: &dyn Monitor) -> Result<Side> {
    let reader = VolumeOptions::default().open(path)?;
    let values = read_grey::<u32>(&reader, &Uncounted(monitor))?;
    let inside = values.iter().copied().find(|&value| value != 0);
    if let Some(other) = values.iter().find(|&&value| value != 0 && Some(value) != inside) {
        return Err(Error::Unusable(format!(
            "{}: expected a mask of 0 and one other value, found {} and {other}",
            path.display(),
            inside.unwrap_or_default()
        )));
    }
    Ok(Side::Mask(values.into_iter().map(|value| value != 0).collect()))
}
