use super::against::{EXTENSION_MM, SAMPLES};
use super::folder::ResultFolder;
use crate::score::{Comparison, RayClasses, boundaries_of, class_at, with_white};
use crate::{Error, Result};
use brainmesh_core::{BOUNDARY_COUNT, LAYER_COUNT, Volume, WorldPoint};
use glam::DVec3;
use ndarray::ArrayView1;
use std::path::Path;

/// A result folder against a volume of labels, read at the nearest voxel along the line through the outermost surfaces
/// of every vertex. True boundaries are where the labels change; a ray whose labels do not follow one another has none.
pub(super) fn against_labels(result: &Path, truth: &Path) -> Result<Comparison> {
    let folder = ResultFolder::read(result)?;
    let labels = brainmesh_formats::read_volume(truth)?;
    if let Some(bad) = labels.data().iter().find(|v| v.fract() != 0.0 || !(0.0..=LAYER_COUNT as f32 + 1.0).contains(*v))
    {
        return Err(Error::Unusable(format!("{}: expected labels from 0 to 7, found {bad}", truth.display())));
    }
    let mut comparison = folder.comparison();
    for (vertex, points) in folder.points()?.into_iter().enumerate() {
        let first = points[0];
        let inward = (points[BOUNDARY_COUNT - 1] - first).try_normalize().unwrap_or_default();
        let found: [f64; BOUNDARY_COUNT] = points.map(|p| (p - first).dot(inward));
        let step_mm = (found[BOUNDARY_COUNT - 1] + 2.0 * EXTENSION_MM) / (SAMPLES - 1) as f64;
        let at = |i: f64| i * step_mm - EXTENSION_MM;
        let seen: Option<Vec<u8>> = (0..SAMPLES).map(|i| nearest(&labels, first + inward * at(i as f64))).collect();
        // A ray that leaves the volume has no truth, nor has one that sees the opposite bank of a sulcus.
        let known = seen.as_deref().map_or([f64::NAN; BOUNDARY_COUNT], boundaries_of).map(at);
        comparison.scored[vertex] &= known.iter().any(|mm| mm.is_finite());
        let Some(seen) = seen.filter(|_| comparison.scored[vertex] && folder.has_layers(vertex)) else { continue };
        comparison.set_boundaries(vertex, &found, &known, &std::array::from_fn(|k| folder.sd_mm[[vertex, k]]));
        let mut classes = RayClasses::default();
        for (i, label) in with_white(&seen).into_iter().enumerate() {
            classes.add(label, class_at(at(i as f64), ArrayView1::from(&found)), 0.0);
        }
        comparison.classes[vertex] = Some(classes);
    }
    Ok(comparison)
}

fn nearest(labels: &Volume<f32>, point: DVec3) -> Option<u8> {
    let shape = labels.grid().shape();
    let voxel = labels.grid().voxel_from_world(WorldPoint(point)).0.round().to_array();
    let inside = (0..3).all(|axis| voxel[axis] >= 0.0 && voxel[axis] < shape[axis] as f64);
    let [i, j, k] = voxel.map(|v| v as usize);
    inside.then(|| labels.data()[i + shape[0] * (j + shape[1] * k)] as u8)
}
