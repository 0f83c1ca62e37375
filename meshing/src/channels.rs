use crate::depth_map::DepthMap;
use crate::diffusion::{Diffusion, usable};
use crate::equivolume::log_area_ratio;
use crate::error::same_length;
use crate::pages::zeros;
use crate::sample::is_constant;
use crate::{Error, Result};
use brainmesh_core::{Channel, Monitor, Profiles, RayDefect, RaySet, Ribbon, Surface};
use ndarray::{Array2, Array3, Axis};
use std::borrow::Cow;

/// Where the samples of given intensities lie on a ray.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DepthSpacing {
    /// Sample i of n at `t = i / (n - 1)`: both ends included.
    Equidistant,
    /// Sample i of n at the volume fraction `(i + 0.5) / n` between pia and white surface: the centres of n shells of
    /// equal volume, as in profiles sampled at equivolumetric depths. Only for rays that cover the ribbon alone.
    Equivolumetric,
}

/// Intensities along every ray, before channels are made of them.
#[derive(Debug, Clone)]
pub struct RayIntensities {
    /// `[rays, depths]`.
    pub raw: Array2<f32>,
    /// The same, smoothed along the cortex elsewhere: used instead of our own smoothing for the narrowest smoothed channel.
    pub smoothed: Option<Array2<f32>>,
    /// Spacing of the depths.
    pub spacing: DepthSpacing,
    /// Rays that cannot be used.
    pub defects: Vec<Option<RayDefect>>,
}

impl RayIntensities {
    /// Intensities from a file: rows that hold `missing`, values that are not finite, or one constant become defects.
    ///
    /// # Errors
    /// When the number of rows is not the number of rays.
    pub fn from_matrix(
        raw: Array2<f32>,
        smoothed: Option<Array2<f32>>,
        spacing: DepthSpacing,
        missing: Option<f32>,
        mut defects: Vec<Option<RayDefect>>,
    ) -> Result<Self> {
        for matrix in std::iter::once(&raw).chain(smoothed.as_ref()) {
            check_matrix(matrix, defects.len())?;
            for (row, defect) in matrix.outer_iter().zip(&mut defects) {
                if defect.is_none() {
                    *defect = if row.iter().any(|v| missing == Some(*v)) {
                        Some(RayDefect::NoTissue)
                    } else if row.iter().any(|v| !v.is_finite()) {
                        Some(RayDefect::NotFinite)
                    } else {
                        is_constant(&row.to_vec()).then_some(RayDefect::NoTissue)
                    };
                }
            }
        }
        Ok(Self { raw, smoothed, spacing, defects })
    }
}

/// The channels a model asks for, `samples` equidistant samples a ray.
///
/// Smoothing runs at equal depth index over the mid-surface, before resampling; defective rays neither give nor
/// receive, and hold zeros.
///
/// # Errors
/// [`Error::NoUsableRay`]; numbers of rays, rows and vertices that differ, fewer than two depths; cancellation.
pub fn channels(
    wanted: &[Channel],
    intensities: &RayIntensities,
    ribbon: &Ribbon,
    rays: &RaySet,
    samples: usize,
    monitor: &dyn Monitor,
) -> Result<Profiles> {
    let defects = &intensities.defects;
    same_length("ray defects", ribbon.len(), defects.len())?;
    same_length("rays", ribbon.len(), rays.len())?;
    for matrix in std::iter::once(&intensities.raw).chain(intensities.smoothed.as_ref()) {
        check_matrix(matrix, ribbon.len())?;
    }
    if defects.iter().all(Option::is_some) {
        return Err(no_usable_ray(defects));
    }
    let middle = mid_surface(ribbon)?;
    monitor.check()?;
    let flow = Diffusion::new(&middle, usable(defects));
    monitor.check()?;
    let depth_map = DepthMap::new(intensities, ribbon, &flow, samples, monitor)?;
    let narrowest = wanted
        .iter()
        .filter_map(|c| if let Channel::Smoothed { fwhm_mm } = c { Some(*fwhm_mm) } else { None })
        .fold(f64::INFINITY, f64::min);
    let clean = zero_defects(&intensities.raw, defects);
    let given = intensities.smoothed.as_ref().map(|given| zero_defects(given, defects));
    let per_vertex = |values: Vec<f64>| {
        let column = Array2::from_shape_fn((rays.len(), 1), |(v, _)| values[v] as f32);
        zero_defects(&column, defects).into_owned()
    };
    // What no channel asks for is not worked out.
    monitor.check()?;
    let asked = |kind: fn(&Channel) -> bool| wanted.iter().any(kind);
    let none = || Array2::zeros((rays.len(), 1));
    let thickness =
        if asked(|c| matches!(c, Channel::Thickness { .. })) { per_vertex(ribbon.thickness_mm()) } else { none() };
    let curvature =
        if asked(|c| matches!(c, Channel::Curvature { .. })) { per_vertex(channel_curvature(&middle)) } else { none() };
    monitor.check()?;
    let area_ratio =
        if asked(|c| matches!(c, Channel::AreaRatio { .. })) { per_vertex(clamped_area_ratio(ribbon)) } else { none() };
    let mut widening = Widening::new(&flow, &clean);
    let mut thickness = Widening::new(&flow, &thickness);
    let mut curvature = Widening::new(&flow, &curvature);
    let mut area_ratio = Widening::new(&flow, &area_ratio);
    let shape = (rays.len(), wanted.len(), samples);
    let mut values =
        Array3::from_shape_vec(shape, zeros(shape.0 * shape.1 * shape.2)).unwrap_or_else(|_| Array3::zeros(shape));
    monitor.check()?;
    for (index, channel) in wanted.iter().enumerate() {
        let mut out = values.index_axis_mut(Axis(1), index);
        let mut constant = |smooth: &Array2<f32>| {
            for (mut row, value) in out.outer_iter_mut().zip(smooth.column(0)) {
                row.fill(*value);
            }
        };
        match *channel {
            Channel::Raw => depth_map.resample(&clean, out),
            Channel::Smoothed { fwhm_mm } => match &given {
                Some(given) if fwhm_mm == narrowest => depth_map.resample(given, out),
                _ => depth_map.resample(widening.to(fwhm_mm, monitor)?, out),
            },
            Channel::Thickness { fwhm_mm } => constant(thickness.to(fwhm_mm, monitor)?),
            Channel::Curvature { fwhm_mm } => constant(curvature.to(fwhm_mm, monitor)?),
            Channel::AreaRatio { fwhm_mm } => constant(area_ratio.to(fwhm_mm, monitor)?),
            Channel::Depth => {
                for (ray, mut row) in out.outer_iter_mut().enumerate() {
                    let (pial, white) = (rays.pial_t(ray), rays.white_t(ray));
                    for (i, value) in row.iter_mut().enumerate().filter(|_| white > pial) {
                        *value = ((RaySet::t_of_sample(i as f64, samples) - pial) / (white - pial)) as f32;
                    }
                }
            }
        }
        monitor.check()?;
    }
    for (mut ray, defect) in values.outer_iter_mut().zip(defects) {
        if defect.is_some() {
            ray.fill(0.0);
        }
    }
    Ok(Profiles::new(wanted.to_vec(), values, defects.clone())?)
}

/// Values smoothed more and more widely: a wide kernel goes on from the narrower one before it.
struct Widening<'a> {
    flow: &'a Diffusion,
    raw: &'a Array2<f32>,
    fwhm_mm: f64,
    /// `None`: as they are.
    smooth: Option<Array2<f32>>,
}

impl<'a> Widening<'a> {
    fn new(flow: &'a Diffusion, raw: &'a Array2<f32>) -> Self {
        Self { flow, raw, fwhm_mm: 0.0, smooth: None }
    }

    fn to(&mut self, fwhm_mm: f64, monitor: &dyn Monitor) -> Result<&Array2<f32>> {
        if fwhm_mm < self.fwhm_mm {
            (self.fwhm_mm, self.smooth) = (0.0, None);
        }
        // Variances of Gaussians add.
        let further_mm = (fwhm_mm * fwhm_mm - self.fwhm_mm * self.fwhm_mm).max(0.0).sqrt();
        if further_mm > 0.0 {
            self.smooth = Some(self.flow.smooth(self.smooth.as_ref().unwrap_or(self.raw), further_mm, monitor)?);
            self.fwhm_mm = fwhm_mm;
        }
        Ok(self.smooth.as_ref().unwrap_or(self.raw))
    }
}

fn check_matrix(matrix: &Array2<f32>, vertices: usize) -> Result<()> {
    same_length("rows of the profiles (one a vertex)", vertices, matrix.nrows())?;
    if matrix.ncols() < 2 {
        return Err(Error::Core(brainmesh_core::Error::Invalid {
            field: "depths of the profiles",
            expected: "at least 2".into(),
            found: matrix.ncols().to_string(),
        }));
    }
    Ok(())
}

fn no_usable_ray(defects: &[Option<RayDefect>]) -> Error {
    let reasons: Vec<String> = RayDefect::ALL
        .iter()
        .map(|kind| (kind, defects.iter().filter(|d| **d == Some(*kind)).count()))
        .filter(|(_, n)| *n > 0)
        .map(|(kind, n)| format!("{n} {}", kind.name()))
        .collect();
    Error::NoUsableRay { rays: defects.len(), reasons: reasons.join(", ") }
}

/// Mean curvature as models have learnt it: over thirds of triangles and with no negative weight, also at borders, clamped
/// to ±5 per mm. [`mean_curvature`](crate::mean_curvature) is nearer to the truth where triangles differ.
fn channel_curvature(surface: &Surface) -> Vec<f64> {
    let flow = Diffusion::new(surface, |_| true);
    let normals = surface.vertex_normals();
    (0..surface.vertices().len())
        .map(|v| (-0.5 * flow.laplacian(surface, v).dot(normals[v])).clamp(-5.0, 5.0))
        .collect()
}

/// Half way between pial and white vertices.
pub(crate) fn mid_surface(ribbon: &Ribbon) -> Result<Surface> {
    let vertices = ribbon.pial().vertices().iter().zip(ribbon.white().vertices()).map(|(p, w)| p.lerp(*w, 0.5));
    Ok(ribbon.pial().with_vertices(vertices.collect())?)
}

/// The same with zeros on defective rays, where sampling has not left them already.
pub(crate) fn zero_defects<'a>(values: &'a Array2<f32>, defects: &[Option<RayDefect>]) -> Cow<'a, Array2<f32>> {
    let mut clean = Cow::Borrowed(values);
    for (ray, _) in defects.iter().enumerate().filter(|(_, defect)| defect.is_some()) {
        if values.row(ray).iter().any(|v| *v != 0.0) {
            clean.to_mut().row_mut(ray).fill(0.0);
        }
    }
    clean
}

/// Natural logarithm of pial over white vertex area, clamped to a factor of 8.
pub(crate) fn clamped_area_ratio(ribbon: &Ribbon) -> Vec<f64> {
    let limit = 8f64.ln();
    log_area_ratio(ribbon).into_iter().map(|ratio| ratio.clamp(-limit, limit)).collect()
}
