use super::labels::{is_same, read_case};
use crate::args::EvaluateTissue;
use crate::commands::case_pictures::{CasePlane, chosen, write_cases};
use crate::{Error, Result};
use brainmesh_core::{Monitor, Orientation};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Three planes through the middle of the brain of the worst, the median and the best case (by the Dice of grey and white).
pub(super) fn write_pictures(
    arguments: &EvaluateTissue,
    folder: &Path,
    pairs: &[(PathBuf, PathBuf, String)],
    cases: &[Value],
    monitor: &dyn Monitor,
) -> Result<()> {
    let dice =
        |case: &Value| [2, 3].map(|class| case["classes"][class]["dice"].as_f64().unwrap_or(0.0)).iter().sum::<f64>();
    let scores: Vec<f64> = cases.iter().map(|case| dice(case) / 2.0).collect();
    let ras = || "RAS".parse::<Orientation>();
    let mut drawn = Vec::new();
    for (which, case) in chosen(&scores) {
        let (found_path, truth_path, name) = &pairs[case];
        let (truth, found, _) = read_case(arguments, found_path, truth_path)?;
        let swap = truth.grid().orientation().swap_to(ras()?);
        let [truth, found] = [truth.swapped(swap)?, found.swapped(swap)?];
        let image = match arguments.images.get(case) {
            Some(path) => {
                let image = brainmesh_formats::read_volume(path)?;
                let image = image.swapped(image.grid().orientation().swap_to(ras()?))?;
                if !is_same(image.grid(), truth.grid()) {
                    return Err(Error::Unusable(format!(
                        "{}: expected the voxels of {}, found other ones",
                        path.display(),
                        truth_path.display()
                    )));
                }
                image.into_parts().1
            }
            None => vec![0.0; truth.data().len()],
        };
        monitor.check()?;
        let shape = truth.grid().shape();
        let middle = middle_of(truth.data(), shape);
        let planes = (0..3).map(|axis| plane(&image, truth.data(), found.data(), shape, axis, middle[axis])).collect();
        drawn.push((format!("{which}_{name}_dice_{:.4}", scores[case]), planes));
    }
    write_cases(folder, &drawn)?;
    Ok(())
}

/// The mean voxel that is not background.
fn middle_of(labels: &[u8], [ni, nj, nk]: [usize; 3]) -> [usize; 3] {
    let mut sums = [0usize; 3];
    let mut count = 0;
    for at in (0..labels.len()).filter(|&at| labels[at] != 0) {
        let place = [at % ni, at / ni % nj, at / ni / nj];
        sums.iter_mut().zip(place).for_each(|(sum, p)| *sum += p);
        count += 1;
    }
    if count == 0 { [ni / 2, nj / 2, nk / 2] } else { sums.map(|sum| sum / count) }
}

/// Voxels with one index along an axis (RAS), the later of the two other axes upwards.
fn plane(image: &[f32], truth: &[u8], found: &[u8], shape: [usize; 3], axis: usize, index: usize) -> CasePlane {
    let [across, up] = match axis {
        0 => [1, 2],
        1 => [0, 2],
        _ => [0, 1],
    };
    let places: Vec<usize> = (0..shape[up])
        .rev()
        .flat_map(|v| {
            (0..shape[across]).map(move |u| {
                let mut p = [index; 3];
                (p[across], p[up]) = (u, v);
                p[0] + shape[0] * (p[1] + shape[1] * p[2])
            })
        })
        .collect();
    CasePlane {
        size: [shape[across], shape[up]],
        grey: places.iter().map(|&at| image[at]).collect(),
        truth: places.iter().map(|&at| truth[at].into()).collect(),
        found: places.iter().map(|&at| found[at].into()).collect(),
    }
    .cropped(8)
}
