use super::{SectionRays, flat, invalid};
use crate::sample::is_constant;
use crate::{Error, Result};
use brainmesh_core::{Channel, Profiles, RayDefect, RaySet, Volume};
use ndarray::{Array2, Array3, ArrayViewMut2, Axis, s};

/// Full width at half maximum over standard deviation of a Gaussian, 2 sqrt(2 ln 2).
const FWHM_PER_SD: f64 = 2.354_820_045_030_949;
/// Most places a side that one sample is averaged over.
const MOST_PLACES: f64 = 16.0;

/// How a section is sampled.
#[derive(Debug, Clone)]
pub struct SectionSampling<'a> {
    /// What is wanted on each ray; the shape of the mesh (curvature, area ratio) is unknown on a section.
    pub channels: &'a [Channel],
    /// Samples a ray.
    pub samples: usize,
    /// Edge of the square that each sample is the mean of: the voxel of the volumes that a model was trained on. No effect
    /// below the size of a pixel.
    pub voxel_mm: f64,
}

/// Intensities of a picture along the rays of a section, `t = i / (samples - 1)`.
///
/// Where a ray leaves the picture, samples outside the outer end repeat the last one inside, and those at the deep end
/// mirror it: glass is even, tissue goes on. Smoothing runs along each line of rays at equal sample, by a Gaussian.
///
/// # Errors
/// A picture of several planes, fewer than two samples, channels that need a mesh, no ray that can be used.
pub fn section_profiles(picture: &Volume<f32>, section: &SectionRays, sampling: &SectionSampling) -> Result<Profiles> {
    let (field, pixel_mm) = flat(picture)?;
    let (rays, samples) = (&section.rays, sampling.samples);
    if samples < 2 {
        return Err(invalid("samples a ray", "at least 2".into(), samples.to_string()));
    }
    let places = (sampling.voxel_mm / pixel_mm).ceil().clamp(1.0, MOST_PLACES) as usize;
    let value = |x: f64, y: f64| {
        let (x, y) = (x.clamp(0.0, (field.width - 1) as f64), y.clamp(0.0, (field.height - 1) as f64));
        let (low_x, low_y) = (x.floor() as usize, y.floor() as usize);
        let at = |dx: usize, dy: usize| {
            f64::from(field.data[(low_x + dx).min(field.width - 1) + field.width * (low_y + dy).min(field.height - 1)])
        };
        let (fx, fy) = (x - low_x as f64, y - low_y as f64);
        (at(0, 0) * (1.0 - fx) + at(1, 0) * fx) * (1.0 - fy) + (at(0, 1) * (1.0 - fx) + at(1, 1) * fx) * fy
    };
    let mut raw = Array2::<f32>::zeros((rays.len(), samples));
    for (ray, mut row) in raw.outer_iter_mut().enumerate() {
        let [start, end] = [0.0, 1.0].map(|t| picture.grid().voxel_from_world(rays.point(ray, t)).0.truncate());
        let along = (end - start).normalize_or_zero() * sampling.voxel_mm / pixel_mm;
        let (from, to) = inside(start, end, [field.width, field.height]);
        for (i, out) in row.iter_mut().enumerate() {
            let t = RaySet::t_of_sample(i as f64, samples);
            let t = if t > to { (2.0 * to - t).max(from) } else { t.max(from) };
            let p = start.lerp(end, t);
            let offset = |n: usize| if places > 1 { (n as f64 + 0.5) / places as f64 - 0.5 } else { 0.0 };
            let mut sum = 0.0;
            for a in 0..places {
                for b in 0..places {
                    let q = p + along * offset(a) + along.perp() * offset(b);
                    sum += value(q.x, q.y);
                }
            }
            *out = (sum / (places * places) as f64) as f32;
        }
    }
    let defects: Vec<_> = raw
        .outer_iter()
        .map(|row| {
            let row = row.to_vec();
            if row.iter().any(|v| !v.is_finite()) {
                Some(RayDefect::NotFinite)
            } else {
                is_constant(&row).then_some(RayDefect::NoTissue)
            }
        })
        .collect();
    raw.outer_iter_mut().zip(&defects).filter(|(_, d)| d.is_some()).for_each(|(mut row, _)| row.fill(0.0));
    let mut values = Array3::<f32>::zeros((rays.len(), sampling.channels.len(), samples));
    for (index, channel) in sampling.channels.iter().enumerate() {
        fill(channel, section, &raw, &defects, values.index_axis_mut(Axis(1), index))?;
    }
    for (ray, _) in defects.iter().enumerate().filter(|(_, d)| d.is_some()) {
        values.slice_mut(s![ray, .., ..]).fill(0.0);
    }
    Ok(Profiles::new(sampling.channels.to_vec(), values, defects)?)
}

fn fill(
    channel: &Channel,
    section: &SectionRays,
    raw: &Array2<f32>,
    defects: &[Option<RayDefect>],
    mut out: ArrayViewMut2<f32>,
) -> Result<()> {
    let (rays, samples) = (&section.rays, out.ncols());
    match *channel {
        Channel::Raw => out.assign(raw),
        Channel::Smoothed { fwhm_mm } => smooth(section, raw, defects, fwhm_mm, out),
        Channel::Depth => {
            for (ray, mut row) in out.outer_iter_mut().enumerate() {
                let (pial, white) = (rays.pial_t(ray), rays.white_t(ray));
                for (i, value) in row.iter_mut().enumerate() {
                    *value = ((RaySet::t_of_sample(i as f64, samples) - pial) / (white - pial)) as f32;
                }
            }
        }
        Channel::Thickness { fwhm_mm } => {
            let depth = |ray: usize| rays.length_mm(ray) * (rays.white_t(ray) - rays.pial_t(ray));
            let own = Array2::from_shape_fn((rays.len(), samples), |(ray, _)| depth(ray) as f32);
            smooth(section, &own, defects, fwhm_mm, out);
        }
        other => {
            let expected = "raw, smoothed, depth or thickness on the rays of a section".into();
            return Err(Error::Core(brainmesh_core::Error::Invalid {
                field: "channel",
                expected,
                found: format!("{other:?}"),
            }));
        }
    }
    Ok(())
}

/// Gaussian means over the rays of each line, at equal sample; defective rays give nothing.
fn smooth(
    section: &SectionRays,
    from: &Array2<f32>,
    defects: &[Option<RayDefect>],
    fwhm_mm: f64,
    mut out: ArrayViewMut2<f32>,
) {
    let sd = fwhm_mm / FWHM_PER_SD;
    for (ray, mut row) in out.outer_iter_mut().enumerate() {
        let mut sum = vec![0.0f64; row.len()];
        let mut total = 0.0;
        let mut add = |other: usize| {
            let apart = section.along_mm[other] - section.along_mm[ray];
            if section.line[other] != section.line[ray] || apart.abs() > 4.0 * sd {
                return false;
            }
            if defects[other].is_none() {
                let weight = if sd > 0.0 { (-0.5 * (apart / sd).powi(2)).exp() } else { 1.0 };
                total += weight;
                sum.iter_mut().zip(from.row(other)).for_each(|(s, v)| *s += weight * f64::from(*v));
            }
            true
        };
        let _ = (0..=ray).rev().all(&mut add);
        let _ = (ray + 1..from.nrows()).all(&mut add);
        if total > 0.0 {
            row.iter_mut().zip(&sum).for_each(|(to, s)| *to = (s / total) as f32);
        }
    }
}

/// The part of a segment, in shares of its length, that lies in a picture of this size.
fn inside(start: glam::DVec2, end: glam::DVec2, [width, height]: [usize; 2]) -> (f64, f64) {
    let (mut from, mut to) = (0.0f64, 1.0f64);
    for (a, b, size) in [(start.x, end.x, width), (start.y, end.y, height)] {
        let (low, high) = (-0.5, size as f64 - 0.5);
        if (b - a).abs() > f64::EPSILON {
            let (p, q) = ((low - a) / (b - a), (high - a) / (b - a));
            from = from.max(p.min(q));
            to = to.min(p.max(q));
        }
    }
    (from.min(to), to)
}
