//! Slices as volumes: which belong together, in which order, and on which grid.

use super::faults::DicomFault;
use super::frame::Frame;
use super::line::{even_run, grid};
use super::slices::same_pixels;
use super::{Images, Repairs};
use crate::{Result, fault};
use brainmesh_core::Grid;
use glam::DVec3;

/// Slices nearer to each other than this part of a pixel lie at the same place.
const SAME_PLACE: f64 = 1e-3;

/// The volumes of a series, each with its slices sorted along the normal and its grid; all frames are of one kind.
pub(super) fn volumes(
    images: &Images,
    mut frames: Vec<Frame>,
    repairs: &mut Repairs,
) -> Result<Vec<(Vec<Frame>, Grid)>> {
    let Some(first) = frames.first() else {
        return Err(fault::invalid(&images.path, "NumberOfFrames", "at least 1", 0));
    };
    let normal = first.row_lps.cross(first.column_lps);
    frames.sort_by(|a, b| a.position_lps.dot(normal).total_cmp(&b.position_lps.dot(normal)));
    let mut places: Vec<Vec<Frame>> = frames.chunk_by(|a, b| same_place(a, b, normal)).map(<[Frame]>::to_vec).collect();
    let mut volumes = separate(&places);
    if volumes.is_none() && repairs.allowed {
        drop_copies(images, &mut places, repairs)?;
        volumes = separate(&places);
    }
    let Some(mut volumes) = volumes else {
        let twice = places.iter().find_map(|frames| frames.first_chunk());
        let [first, second] =
            twice.map(|pair: &[Frame; 2]| pair.each_ref().map(|f| images.name(f))).unwrap_or_default();
        return Err(DicomFault::DuplicatePosition { first, second }.at(&images.path));
    };
    let along: Vec<f64> = volumes.first().into_iter().flatten().map(|f| f.position_lps.dot(normal)).collect();
    let names = |k: usize| volumes.first().and_then(|v| v.get(k)).map_or(String::new(), |f| images.name(f));
    let run = even_run(&along, names, &images.path, repairs)?;
    for volume in &mut volumes {
        volume.truncate(run.end);
        volume.drain(..run.start);
    }
    let volumes = volumes.into_iter().map(|frames| {
        let grid = grid(images, &frames, repairs)?;
        Ok((frames, grid))
    });
    volumes.collect()
}

/// Whether two neighbours of a sorted stack lie at the same place along the normal.
fn same_place(a: &Frame, b: &Frame, normal: DVec3) -> bool {
    (b.position_lps - a.position_lps).dot(normal) < SAME_PLACE * a.spacing_mm[0].min(a.spacing_mm[1])
}

/// One volume, where every place has one slice, or as many as a key tells apart.
fn separate(places: &[Vec<Frame>]) -> Option<Vec<Vec<Frame>>> {
    if places.iter().all(|frames| frames.len() == 1) {
        return Some(vec![places.concat()]);
    }
    let keys = places.first()?.first()?.keys.len();
    let mut ways = [true, false].into_iter().flat_map(|exact| (0..keys).map(move |key| (key, exact)));
    ways.find_map(|(key, exact)| split(places, key, exact))
}

/// Volumes of one frame from every place, in the order of a key that differs among the frames of each place.
///
/// The same values at every place tell them apart for certain (`exact`). Otherwise the nth in order is taken for the nth
/// volume, as trigger times need, which follow the heart; that takes numbers.
fn split(places: &[Vec<Frame>], key: usize, exact: bool) -> Option<Vec<Vec<Frame>>> {
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

/// Of slices at one place with the same pixels, leaves the first.
fn drop_copies(images: &Images, places: &mut [Vec<Frame>], repairs: &mut Repairs) -> Result<()> {
    for frames in places {
        let mut kept: Vec<Frame> = Vec::new();
        for frame in frames.drain(..) {
            let mut original = None;
            for other in &kept {
                if same_pixels(images, other, &frame)? {
                    original = Some(other);
                }
            }
            match original {
                Some(original) => {
                    let names = [&frame, original].map(|f| images.name(f));
                    repairs.made(format!("{} left out: it repeats {}", names[0], names[1]));
                }
                None => kept.push(frame),
            }
        }
        *frames = kept;
    }
    Ok(())
}
