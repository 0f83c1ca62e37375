//! Rays with known boundaries, sampled by the pipeline itself: what training and `evaluate layers --rays` read.

use super::profiles::channels_json;
use crate::score::boundaries_of;
use crate::{Error, Result};
use brainmesh_core::{BOUNDARY_COUNT, Channel, LAYER_COUNT, Monitor, Profiles, RaySet, WorldPoint};
use brainmesh_meshing::{DepthSpacing, RayIntensities, SampleOptions, channels, extended_rays, no_cortex, sample};
use brainmesh_phantom::Phantom;
use ndarray::{Array1, Array2, Array3, Axis};
use std::path::Path;

/// Labelled rays of one volume.
pub struct LabelledRays {
    /// Rays; only their lengths and the given surfaces' positions on them are kept in files, not their places.
    pub rays: RaySet,
    /// Channels along them, none defective.
    pub profiles: Profiles,
    /// True boundaries `[rays, 7]` as `t`, NaN where unknown.
    pub boundaries_t: Array2<f64>,
    /// Region of every ray, 0 for none, where the file has them.
    pub region: Option<Vec<i32>>,
    /// How much cortex is missing on every ray in mm, where the file knows.
    pub missing_mm: Option<Vec<f64>>,
    /// Voxel size of the volume.
    pub spacing_mm: f64,
}

/// How labelled rays are sampled.
pub struct Sampling<'a> {
    pub channels: &'a [Channel],
    pub samples: usize,
    pub extension_mm: f64,
}

/// Writes the rays of a phantom that can be used and whose truth is known. Returns how many.
pub fn write(phantom: &Phantom, sampling: &Sampling, path: &Path, monitor: &dyn Monitor) -> Result<usize> {
    let ribbon = phantom.given_ribbon();
    let rays = extended_rays(ribbon, sampling.extension_mm)?;
    let mut defects = no_cortex(ribbon, 0.0);
    let options = SampleOptions { samples: sampling.samples, ..SampleOptions::default() };
    let raw = sample(phantom.volume(), &rays, &options, &mut defects, monitor)?;
    let intensities = RayIntensities { raw, smoothed: None, spacing: DepthSpacing::Equidistant, defects };
    let profiles = channels(sampling.channels, &intensities, ribbon, &rays, sampling.samples, monitor)?;
    let truth = phantom.truth_on_rays(&rays)?;
    let kept: Vec<usize> = (0..rays.len())
        .filter(|&r| profiles.defects()[r].is_none() && truth.row(r).iter().all(|t| t.is_finite()))
        .collect();
    if kept.is_empty() {
        return Err(Error::Unusable("none of the rays of this phantom lies inside its volume".into()));
    }
    let per_ray = |value: &dyn Fn(usize) -> f64| Array1::from_iter(kept.iter().map(|&r| value(r)));
    let values = profiles.values().select(Axis(0), &kept);
    let boundaries_t = truth.select(Axis(0), &kept);
    let missing = phantom.missing_mm(&rays)?;
    let missing_mm = per_ray(&|r| missing[r]);
    let region = Array1::from_iter(kept.iter().map(|&r| phantom.regions()[r] as i32 + 1));
    let (pial_t, white_t) = (per_ray(&|r| rays.pial_t(r)), per_ray(&|r| rays.white_t(r)));
    let length_mm = per_ray(&|r| rays.length_mm(r));
    let spacing_mm = Array1::from_elem(1, phantom.volume().grid().spacing_mm()[0]);
    let names = channels_json(sampling.channels)?;
    brainmesh_formats::write_npz(
        path,
        &[
            ("values", (&values).into()),
            ("boundaries_t", (&boundaries_t).into()),
            ("region", (&region).into()),
            ("missing_mm", (&missing_mm).into()),
            ("pial_t", (&pial_t).into()),
            ("white_t", (&white_t).into()),
            ("length_mm", (&length_mm).into()),
            ("spacing_mm", (&spacing_mm).into()),
            ("channels_json", (&names).into()),
        ],
    )?;
    Ok(kept.len())
}

impl LabelledRays {
    /// Reads a file written by [`write`].
    ///
    /// # Errors
    /// An unreadable file, or arrays that do not fit each other.
    pub fn read(path: &Path) -> Result<Self> {
        let misfit = |source: brainmesh_core::Error| Error::Inputs { what: path.display().to_string(), source };
        let array = |name: &str| brainmesh_formats::read_npz(path, name);
        let names = brainmesh_formats::npz_names(path)?;
        let has = |name: &str| names.iter().any(|n| n == name);
        let values = into_shape::<Array3<f32>, _>(path, "values", array("values")?.into_dimensionality())?;
        let (n, _, samples) = values.dim();
        let table = |name: &str, columns: usize| -> Result<Array2<f32>> {
            let found = into_shape::<Array2<f32>, _>(path, name, array(name)?.into_dimensionality())?;
            if found.dim() != (n, columns) {
                let (path, found) = (path.display(), found.dim());
                return Err(Error::Unusable(format!("{path}: {name}: expected [{n}, {columns}], found {found:?}")));
            }
            Ok(found)
        };
        let boundaries_t = if !has("boundaries_t") && has("labels") {
            boundaries_of_labels(path, &table("labels", samples)?)?
        } else {
            table("boundaries_t", BOUNDARY_COUNT)?.mapv(f64::from)
        };
        let column = |name: &str| -> Result<Vec<f64>> { Ok(array(name)?.iter().map(|&v| f64::from(v)).collect()) };
        let optional = |name: &str| -> Result<Option<Vec<f64>>> {
            let Some(values) = has(name).then(|| column(name)).transpose()? else { return Ok(None) };
            if values.len() != n {
                let (path, found) = (path.display(), values.len());
                return Err(Error::Unusable(format!("{path}: {name}: expected {n} values, found {found}")));
            }
            Ok(Some(values))
        };
        let (pial_t, white_t, length_mm) = (column("pial_t")?, column("white_t")?, column("length_mm")?);
        let text: String = array("channels_json")?.iter().map(|&c| char::from(c.clamp(0.0, 127.0) as u8)).collect();
        let channels: Vec<Channel> = serde_json::from_str(&text)
            .map_err(|e| Error::Unusable(format!("{}: channels_json: {e}", path.display())))?;
        let outer = vec![WorldPoint::default(); n];
        let inner = length_mm.iter().map(|&mm| WorldPoint::new(0.0, 0.0, -mm)).collect();
        let rays = RaySet::new(outer, inner, pial_t, white_t).map_err(misfit)?;
        if rays.len() != n {
            let (path, found) = (path.display(), rays.len());
            return Err(Error::Unusable(format!("{path}: pial_t: expected {n} values as in values, found {found}")));
        }
        let profiles = Profiles::new(channels, values, vec![None; n]).map_err(misfit)?;
        let spacing_mm = column("spacing_mm")?.first().copied().unwrap_or(f64::NAN);
        let region = optional("region")?.map(|regions| whole_numbers(path, "region", &regions)).transpose()?;
        Ok(Self { rays, profiles, boundaries_t, region, missing_mm: optional("missing_mm")?, spacing_mm })
    }
}

/// Numbers of regions.
pub(super) fn whole_numbers(path: &Path, name: &str, values: &[f64]) -> Result<Vec<i32>> {
    if let Some(bad) =
        values.iter().find(|v| v.fract() != 0.0 || !(f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(*v))
    {
        return Err(Error::Unusable(format!("{}: {name}: expected whole numbers, found {bad}", path.display())));
    }
    Ok(values.iter().map(|&v| v as i32).collect())
}

/// Boundaries as `t` from a class for each sample (0 outside, 1 to 6 layers, 7 or 0 white matter).
fn boundaries_of_labels(path: &Path, labels: &Array2<f32>) -> Result<Array2<f64>> {
    if let Some(bad) = labels.iter().find(|v| v.fract() != 0.0 || !(0.0..=LAYER_COUNT as f32 + 1.0).contains(*v)) {
        return Err(Error::Unusable(format!("{}: labels: expected classes from 0 to 7, found {bad}", path.display())));
    }
    let mut boundaries = Array2::zeros((labels.nrows(), BOUNDARY_COUNT));
    for (row, mut out) in labels.outer_iter().zip(boundaries.outer_iter_mut()) {
        let classes: Vec<u8> = row.iter().map(|&v| v as u8).collect();
        for (found, sample) in out.iter_mut().zip(boundaries_of(&classes)) {
            *found = RaySet::t_of_sample(sample, labels.ncols());
        }
    }
    Ok(boundaries)
}

fn into_shape<A, E: std::fmt::Display>(path: &Path, name: &str, array: std::result::Result<A, E>) -> Result<A> {
    array.map_err(|error| Error::Unusable(format!("{}: {name}: {error}", path.display())))
}
