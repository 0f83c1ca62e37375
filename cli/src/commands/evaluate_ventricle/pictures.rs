use super::draw::draw_both;
use super::frame_files::{Patients, files_below, key_of};
use super::pairs::Pairs;
use crate::args::EvaluateVentricle;
use crate::commands::case_pictures::{CasePlane, chosen, write_cases};
use crate::commands::pages::read_grey;
use crate::score::FrameScores;
use crate::{Error, Result};
use brainmesh_core::{Monitor, Uncounted};
use brainmesh_formats::VolumeOptions;
use std::path::{Path, PathBuf};

/// Pixels around the outlines.
const MARGIN: usize = 24;

/// Draws the worst, the median and the best frame (by Dice), as far as they have pixels.
pub(super) fn write(
    arguments: &EvaluateVentricle,
    folder: &Path,
    pairs: &Pairs<'_>,
    frames: &[FrameScores],
    patients: &Patients,
    monitor: &dyn Monitor,
) -> Result<()> {
    let images = match arguments.images.as_ref().or(arguments.dicom.as_ref()) {
        Some(folder) => files_below(folder)?,
        None => Vec::new(),
    };
    let scores: Vec<f64> = frames.iter().map(|frame| frame.scores.dice).collect();
    let mut drawn = Vec::new();
    for (which, case) in chosen(&scores) {
        let FrameScores { patient, frame, scores, .. } = &frames[case];
        let Some((key, truth, found)) = pairs.frames.iter().find(|(k, ..)| k.patient == *patient && k.frame == *frame)
        else {
            continue;
        };
        let both = draw_both(truth, *found, None, monitor)?;
        let is_of = |path: &&PathBuf| {
            let image = key_of(path, patients);
            (arguments.one_patient || image.patient == key.patient)
                && (image.frame == key.frame || image.number() == key.number())
        };
        let mut size = both.size;
        let grey = match images.iter().find(is_of) {
            Some(path) => {
                let reader = VolumeOptions::default().open(path)?;
                let [width, height, _] = reader.grid().shape();
                // Two contours do not say how large their picture is.
                let fits =
                    if both.is_picture { [width, height] == size } else { width >= size[0] && height >= size[1] };
                if !fits {
                    return Err(Error::Unusable(format!(
                        "{}: expected a picture of {} x {} pixels, found {width} x {height}",
                        path.display(),
                        size[0],
                        size[1]
                    )));
                }
                size = [width, height];
                read_grey::<f32>(&reader, &Uncounted(monitor))?
            }
            None => vec![0.0; size[0] * size[1]],
        };
        let widened = |mask: &[bool]| {
            let at = |n: usize| (n % size[0], n / size[0]);
            let inside = |(x, y): (usize, usize)| x < both.size[0] && y < both.size[1] && mask[x + both.size[0] * y];
            (0..size[0] * size[1]).map(|n| u32::from(inside(at(n)))).collect()
        };
        let plane = CasePlane { size, grey, truth: widened(&both.truth.mask), found: widened(&both.found.mask) };
        let name = format!("{which}_{patient}-{frame}_dice_{:.4}", scores.dice);
        drawn.push((name, vec![plane.cropped(MARGIN)]));
    }
    write_cases(folder, &drawn)?;
    Ok(())
}
