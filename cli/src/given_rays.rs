//! Rays that come with places of their own (`--rays`).

use crate::{Error, Result};
use brainmesh_core::{Monitor, RaySet, Ribbon, WorldPoint};
use brainmesh_meshing::{AttachedRays, attach_rays};
use ndarray::{Array2, ArrayView2, Axis, Ix2};
use std::path::Path;

/// End points in world RAS mm, and perhaps intensities.
pub(crate) struct GivenRays {
    outer: Vec<WorldPoint>,
    inner: Vec<WorldPoint>,
    values: Option<Array2<f32>>,
}

impl GivenRays {
    /// From .npz with `outer` and `inner` [rays, 3] and perhaps `values` [rays, samples], evenly spaced with both ends; or
    /// from profile text, whose first and last points are the ends.
    ///
    /// # Errors
    /// An unreadable file, or arrays that do not fit each other.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npz")) {
            let array = |name: &str| -> Result<Array2<f32>> {
                let array = brainmesh_formats::read_npz(path, name)?;
                let shape = format!("{:?}", array.shape());
                array.into_dimensionality::<Ix2>().map_err(|_| misfit(path, name, "two dimensions", &shape))
            };
            let (outer, inner) =
                (points(path, "outer", array("outer")?.view())?, points(path, "inner", array("inner")?.view())?);
            let has_values = brainmesh_formats::npz_names(path)?.iter().any(|name| name == "values");
            let values = if has_values { Some(array("values")?) } else { None };
            Self { outer, inner, values }.checked(path)
        } else {
            let text = brainmesh_formats::read_profile_text(path)?;
            let last = text.points.dim().1.saturating_sub(1);
            let end = |sample: usize| points(path, "points", text.points.index_axis(Axis(1), sample));
            Self { outer: end(0)?, inner: end(last)?, values: Some(text.values) }.checked(path)
        }
    }

    fn checked(self, path: &Path) -> Result<Self> {
        let n = self.outer.len();
        if self.inner.len() != n {
            return Err(misfit(path, "inner", &format!("{n} points, as outer"), &self.inner.len().to_string()));
        }
        match &self.values {
            Some(values) if values.nrows() != n || values.ncols() < 2 => {
                Err(misfit(path, "values", &format!("[{n}, 2 or more]"), &format!("{:?}", values.dim())))
            }
            _ => Ok(self),
        }
    }

    /// Intensities along the rays.
    ///
    /// # Errors
    /// When the file holds end points alone.
    pub(crate) fn values(&self, path: &Path) -> Result<&Array2<f32>> {
        self.values.as_ref().ok_or_else(|| {
            Error::Unusable(format!(
                "{}: holds end points alone: give --volume to sample, or values [rays, samples]",
                path.display()
            ))
        })
    }

    /// The rays at the vertices of a ribbon.
    ///
    /// # Errors
    /// When none can be attached; cancellation.
    #[allow(clippy::too_many_arguments, reason = "called once")]
    pub(crate) fn attach(
        &self,
        ribbon: &Ribbon,
        own: &RaySet,
        extension_mm: f64,
        farthest_mm: f64,
        whole: bool,
        path: &Path,
        monitor: &dyn Monitor,
    ) -> Result<AttachedRays> {
        let ends = (self.outer.as_slice(), self.inner.as_slice());
        let attached =
            attach_rays(ribbon, own.clone(), ends, extension_mm, farthest_mm, whole, monitor).map_err(|e| match e {
                brainmesh_meshing::Error::Cancelled(_) => Error::Cancelled,
                error => Error::Unusable(format!("{}: {error}", path.display())),
            })?;
        if attached.ray_of_vertex.iter().all(Option::is_none) {
            return Err(Error::Unusable(format!(
                "{}: none of the {} rays can be used: {} further than {farthest_mm} mm from every vertex or running another way, {} too short",
                path.display(),
                self.outer.len(),
                attached.refused.far,
                attached.refused.short,
            )));
        }
        Ok(attached)
    }
}

fn points(path: &Path, name: &str, rows: ArrayView2<f32>) -> Result<Vec<WorldPoint>> {
    if rows.ncols() != 3 {
        return Err(misfit(path, name, "[rays, 3]", &format!("{:?}", rows.dim())));
    }
    Ok(rows.outer_iter().map(|p| WorldPoint::new(f64::from(p[0]), f64::from(p[1]), f64::from(p[2]))).collect())
}

fn misfit(path: &Path, name: &str, expected: &str, found: &str) -> Error {
    Error::Unusable(format!("{}: {name}: expected {expected}, found {found}", path.display()))
}
