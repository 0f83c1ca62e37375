use crate::Result;
use crate::error::same_length;
use crate::field::median;
use brainmesh_core::{BOUNDARY_COUNT, Channel, LayerBoundaries, Profiles, RayDefect, RayOutcome, RaySet};
use ndarray::{ArrayView1, s};

/// Longest stretch of glass, in mm, that intact cortex may show: vessels and the uncertain edge of the pia.
const LONGEST_GLASS_MM: f64 = 0.08;
/// Distance outside the found pia from which on samples are taken for glass, in mm.
const OUTSIDE_MM: f64 = 0.2;
/// Glass is what lies less than this share of the way from bare glass to the palest layer.
const PALE: f64 = 0.4;
/// Quantile of the samples outside the pia that is bare glass: the rest may be vessels or the other bank of a sulcus.
const GLASS: f64 = 0.75;
/// Least distance from glass to layer I, in spreads of either, at which the two can be told apart.
const CONTRAST: f64 = 3.0;
/// Most samples taken to find the levels.
const MOST: usize = 1_000_000;

/// Marks measured rays on which part of the cortex is torn off or cracked: a stretch of bare glass longer than 0.08 mm
/// between the found pia and white matter. They become [`RayDefect::Damaged`], with infinite standard deviations, for
/// [`fill`](crate::fill) to fill.
///
/// A network that was trained on the labels tissue had before it was damaged goes on naming layers there. Intensities
/// tell: what glass looks like is known from the samples outside the pia over the whole mesh, what the palest tissue
/// looks like from layer I. Needs the channel [`Channel::Raw`] and rays that reach beyond the pia; where those are
/// lacking, or glass and layer I look alike, nothing is marked. `dark_is_dense`: glass is brighter than tissue.
///
/// # Errors
/// Numbers of rays that differ.
pub fn mark_damage(
    boundaries: &LayerBoundaries,
    profiles: &Profiles,
    rays: &RaySet,
    dark_is_dense: bool,
) -> Result<LayerBoundaries> {
    same_length("rays", boundaries.len(), rays.len())?;
    same_length("profiles", boundaries.len(), profiles.len())?;
    let Some(raw) = profiles.channels().iter().position(|c| *c == Channel::Raw) else {
        return Ok(boundaries.clone());
    };
    let sign = if dark_is_dense { 1.0 } else { -1.0 };
    let seen = Seen { boundaries, rays, samples: profiles.samples() };
    let values = |ray: usize| profiles.values().slice(s![ray, raw, ..]);
    let Some(limit) = seen.limit(&values, sign) else { return Ok(boundaries.clone()) };
    let (mut t, mut sd_mm, mut outcomes) =
        (boundaries.t().clone(), boundaries.sd_mm().clone(), boundaries.outcomes().to_vec());
    for ray in (0..rays.len()).filter(|&ray| boundaries.outcomes()[ray] == RayOutcome::Measured) {
        if seen.longest_glass_mm(ray, values(ray), sign, limit) > LONGEST_GLASS_MM {
            outcomes[ray] = RayOutcome::Missing(RayDefect::Damaged);
            sd_mm.row_mut(ray).fill(f64::INFINITY);
            // As for other defects: evenly spread over the given ribbon.
            let (pial, white) = (rays.pial_t(ray), rays.white_t(ray));
            for k in 0..BOUNDARY_COUNT {
                t[[ray, k]] = pial + (white - pial) * k as f64 / (BOUNDARY_COUNT - 1) as f64;
            }
        }
    }
    Ok(LayerBoundaries::new(t, sd_mm, outcomes)?)
}

struct Seen<'a> {
    boundaries: &'a LayerBoundaries,
    rays: &'a RaySet,
    samples: usize,
}

impl Seen<'_> {
    /// First sample at or after a position, at most the number of samples.
    fn sample_from(&self, t: f64) -> usize {
        ((t * (self.samples.max(2) - 1) as f64).ceil().max(0.0) as usize).min(self.samples)
    }

    /// Intensity (glass above tissue) from which on a sample is glass; `None` where it cannot be told.
    fn limit<'v>(&self, values: &impl Fn(usize) -> ArrayView1<'v, f32>, sign: f32) -> Option<f32> {
        let measured: Vec<usize> =
            (0..self.rays.len()).filter(|&r| self.boundaries.outcomes()[r] == RayOutcome::Measured).collect();
        let every = (measured.len() * self.samples).div_ceil(MOST).max(1);
        let (mut outside, mut first) = (Vec::new(), Vec::new());
        for &ray in measured.iter().step_by(every) {
            let row = values(ray);
            let pia = self.boundaries.t()[[ray, 0]];
            let end = self.sample_from(pia - OUTSIDE_MM / self.rays.length_mm(ray).max(1e-6));
            outside.extend((0..end).map(|i| f64::from(sign * row[i])));
            // The middle of layer I: its edges are blurred into glass and layer II.
            let below = self.boundaries.t()[[ray, 1]];
            let middle = self.sample_from((pia + below) / 2.0);
            if below > pia && middle < self.samples {
                first.push(f64::from(sign * row[middle]));
            }
        }
        if outside.is_empty() || first.is_empty() {
            return None;
        }
        let rank = ((outside.len() as f64 * GLASS) as usize).min(outside.len() - 1);
        let glass = *outside.select_nth_unstable_by(rank, f64::total_cmp).1;
        let pale = median(first.iter().copied());
        let spread = median(first.iter().map(|v| (v - pale).abs()));
        (glass - pale > CONTRAST * spread).then_some((glass - PALE * (glass - pale)) as f32)
    }

    /// Longest stretch of glass between the found pia and white surface.
    fn longest_glass_mm(&self, ray: usize, row: ArrayView1<f32>, sign: f32, limit: f32) -> f64 {
        let t = self.boundaries.t().row(ray);
        let step_mm = self.rays.length_mm(ray) / (self.samples.max(2) - 1) as f64;
        let (mut longest, mut run) = (0usize, 0usize);
        for i in self.sample_from(t[0])..self.sample_from(t[BOUNDARY_COUNT - 1]) {
            run = if sign * row[i] > limit { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        longest as f64 * step_mm
    }
}
