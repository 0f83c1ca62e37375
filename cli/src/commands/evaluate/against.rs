use super::folder::{ResultFolder, same_length};
use crate::commands::labelled_rays::whole_numbers;
use crate::score::{Comparison, RayClasses, class_at, class_between, fractions};
use crate::{Error, Result};
use brainmesh_core::{BOUNDARY_COUNT, LAYER_COUNT};
use glam::DVec3;
use ndarray::{Array2, Array3, ArrayView1};
use std::path::Path;

/// Samples of a ray whose classes are compared.
pub(super) const SAMPLES: usize = 200;
/// How far these go beyond pia and white surface, in mm, as the rays of the reference do.
pub(super) const EXTENSION_MM: f64 = 0.5;

/// A result folder against thickness maps: everything as fractions of the ribbon, in mm of the true ribbon. The given
/// ribbon may be thicker or thinner than the true one (a coarse mesh cuts corners), which is no error of its layers.
pub(super) fn against_thickness(result: &Path, truth: &Path) -> Result<Comparison> {
    let folder = ResultFolder::read(result)?;
    let truth_mm = read_thickness(truth)?;
    if truth_mm.dim() != (folder.len(), LAYER_COUNT) {
        return Err(Error::Unusable(format!(
            "{}: expected [{}, {LAYER_COUNT}] thicknesses, found {:?}",
            truth.display(),
            folder.len(),
            truth_mm.dim()
        )));
    }
    let (found, true_places) = (fractions(folder.thickness_mm.view()), fractions(truth_mm.view()));
    let mut comparison = folder.comparison();
    for vertex in 0..folder.len() {
        let (found_total, total) = (folder.thickness_mm.row(vertex).sum(), truth_mm.row(vertex).sum());
        comparison.scored[vertex] &= total > 0.0 && total.is_finite();
        for k in 1..LAYER_COUNT {
            let error = found[[vertex, k - 1]] - true_places[[vertex, k - 1]];
            comparison.signed_mm[[vertex, k]] = error * total;
            comparison.sd_mm[[vertex, k]] = folder.sd_mm[[vertex, k]] * total / found_total;
        }
        for k in 0..LAYER_COUNT {
            comparison.found_mm[[vertex, k]] = folder.thickness_mm[[vertex, k]] * total / found_total;
        }
        comparison.ribbon_mm[vertex] = found_total;
    }
    comparison.truth_mm = truth_mm;
    Ok(comparison)
}

/// `[vertices, 6]` from .npy, or from a shape file of the six layers, with or without a total before them.
pub(in crate::commands) fn read_thickness(path: &Path) -> Result<Array2<f64>> {
    if path.extension().is_some_and(|e| e == "gii") {
        let maps = brainmesh_formats::read_shape_gifti(path)?;
        if !(LAYER_COUNT..=LAYER_COUNT + 1).contains(&maps.len()) {
            return Err(Error::Unusable(format!(
                "{}: expected maps of six layers, or a total and six layers, found {} maps",
                path.display(),
                maps.len()
            )));
        }
        let layers = &maps[maps.len() - LAYER_COUNT..];
        let n = layers[0].values.len();
        return Ok(Array2::from_shape_fn((n, LAYER_COUNT), |(v, k)| f64::from(layers[k].values[v])));
    }
    Ok(brainmesh_formats::read_profile_matrix(path)?.mapv(f64::from))
}

/// A result folder against true points on the same rays. A point that is not finite is an unknown one.
pub(in crate::commands) fn against_points(result: &Path, truth: &Path, damaged_mm: f64) -> Result<Comparison> {
    let points: Array3<f32> = brainmesh_formats::read_npz(truth, "points")?
        .into_dimensionality()
        .map_err(|e| Error::Unusable(format!("{}: points: {e}", truth.display())))?;
    let folder = ResultFolder::read(result)?;
    let n = folder.len();
    if points.dim() != (n, BOUNDARY_COUNT, 3) {
        return Err(Error::Unusable(format!(
            "{}: points: expected [{n}, {BOUNDARY_COUNT}, 3] as {} has vertices, found {:?}",
            truth.display(),
            result.display(),
            points.dim()
        )));
    }
    let mut comparison = folder.comparison();
    for (vertex, found) in folder.points()?.into_iter().enumerate() {
        let point = |k: usize| DVec3::from_array(std::array::from_fn(|axis| f64::from(points[[vertex, k, axis]])));
        comparison.scored[vertex] &= (0..BOUNDARY_COUNT).any(|k| point(k).is_finite());
        let along = [point(BOUNDARY_COUNT - 1) - point(0), found[BOUNDARY_COUNT - 1] - found[0]];
        let Some(inward) = along.into_iter().find_map(|a| a.is_finite().then(|| a.try_normalize()).flatten()) else {
            continue;
        };
        if !folder.has_layers(vertex) {
            continue;
        }
        let origin = if point(0).is_finite() { point(0) } else { found[0] };
        let found = found.map(|p| (p - origin).dot(inward));
        let known = std::array::from_fn(|k| (point(k) - origin).dot(inward));
        comparison.set_boundaries(vertex, &found, &known, &std::array::from_fn(|k| folder.sd_mm[[vertex, k]]));
        comparison.classes[vertex] = classes_along(&found, &known);
    }
    let names = brainmesh_formats::npz_names(truth)?;
    let column = |name: &str| -> Result<Option<Vec<f64>>> {
        if !names.iter().any(|n| n == name) {
            return Ok(None);
        }
        let values: Vec<f64> = brainmesh_formats::read_npz(truth, name)?.into_iter().map(f64::from).collect();
        same_length(truth, &format!("values of {name}"), n, values.len())?;
        Ok(Some(values))
    };
    if let Some(missing_mm) = column("missing_mm")? {
        comparison.damaged = missing_mm.into_iter().map(|mm| is_damaged(mm, damaged_mm)).collect();
    }
    if let Some(region) = column("region")? {
        comparison.region = whole_numbers(truth, "region", &region)?;
    }
    Ok(comparison)
}

/// Whether a ray counts as damaged; unknown where the file does not know how much is missing.
pub(super) fn is_damaged(missing_mm: f64, damaged_mm: f64) -> Option<bool> {
    missing_mm.is_finite().then_some(missing_mm >= damaged_mm)
}

/// Classes of samples from outside the true pia to below the true white surface; `None` where either is unknown.
fn classes_along(found_mm: &[f64; BOUNDARY_COUNT], truth_mm: &[f64; BOUNDARY_COUNT]) -> Option<RayClasses> {
    let (start, end) = (truth_mm[0] - EXTENSION_MM, truth_mm[BOUNDARY_COUNT - 1] + EXTENSION_MM);
    if !(start.is_finite() && end.is_finite()) {
        return None;
    }
    let mut classes = RayClasses::default();
    for i in 0..SAMPLES {
        let at = start + (end - start) * i as f64 / (SAMPLES - 1) as f64;
        if let Some(truth) = class_between(at, ArrayView1::from(truth_mm)) {
            classes.add(truth, class_at(at, ArrayView1::from(found_mm)), 0.0);
        }
    }
    Some(classes)
}
