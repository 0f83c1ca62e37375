use crate::{Error, InputChannel, Normalisation, Polarity, RayTask, Result, Span};
use brainmesh_core::{Channel, Profiles, RaySet};
use ndarray::Array3;
use rayon::prelude::*;

/// Brings profiles to the scale and channel order a network was trained on: `[rays, channels, samples]`.
///
/// Per channel, as the model says:
/// - `per_ray`: minus the mean, by the population standard deviation, over all samples of the ray;
/// - `dataset`: minus the median, by 1.4826 times the median absolute deviation (the standard deviation of a normal
///   distribution), over the samples between pia and white surface of all usable rays. Smoothed intensities use the
///   statistics of the raw channel where the profiles have one, so that both keep one scale;
/// - `fixed`: minus `mean`, by `sd`.
///
/// A spread of zero gives zeros. Where `input_polarity` is not the model's, intensities (raw and smoothed; never depth,
/// thickness or curvature) are negated first. Rays with a defect stay zero. The result does not depend on the number
/// of threads (rays are independent, medians are exact); work runs on the caller's rayon pool.
///
/// # Errors
/// [`Error::Input`] where rays, samples or the span of the rays do not fit, or a channel of the model is missing.
pub fn normalise(profiles: &Profiles, rays: &RaySet, task: &RayTask, input_polarity: Polarity) -> Result<Array3<f32>> {
    check_shape(profiles, rays, task)?;
    let sources = task.channels.iter().map(|input| find(profiles, input)).collect::<Result<Vec<_>>>()?;
    let plans: Vec<Plan> = task
        .channels
        .iter()
        .zip(sources)
        .map(|(input, source)| plan(profiles, rays, input, source, input_polarity != task.polarity))
        .collect();

    let mut output = Array3::zeros((profiles.len(), plans.len(), profiles.samples()));
    let ray_length = plans.len() * profiles.samples();
    if let Some(values) = output.as_slice_mut() {
        values.par_chunks_mut(ray_length).enumerate().for_each(|(ray, output)| {
            if profiles.defects()[ray].is_none() {
                for (plan, output) in plans.iter().zip(output.chunks_exact_mut(profiles.samples())) {
                    plan.apply(profiles.values().slice(ndarray::s![ray, plan.source, ..]).iter().copied(), output);
                }
            }
        });
    }
    Ok(output)
}

fn check_shape(profiles: &Profiles, rays: &RaySet, task: &RayTask) -> Result<()> {
    let mismatch = |field, expected: String, found: String| Err(Error::Input { field, expected, found });
    if profiles.len() != rays.len() {
        return mismatch("profiles", format!("{} rays, as the ray set", rays.len()), profiles.len().to_string());
    }
    if profiles.samples() != task.samples {
        return mismatch("samples a ray", task.samples.to_string(), profiles.samples().to_string());
    }
    // Depths are stored as f64 and computed from mm: a nanometre on a ray of a few mm.
    const TOLERANCE: f64 = 1e-6;
    let covers_ribbon_only = |ray: usize| rays.pial_t(ray) <= TOLERANCE && rays.white_t(ray) >= 1.0 - TOLERANCE;
    let mut usable = (0..rays.len()).filter(|&ray| profiles.defects()[ray].is_none()).peekable();
    if usable.peek().is_none() {
        return Ok(());
    }
    match task.span {
        Span::PialWhite => match usable.find(|&ray| !covers_ribbon_only(ray)) {
            Some(ray) => mismatch(
                "span of the rays",
                "rays from pia to white surface (pial_t 0, white_t 1)".into(),
                format!("pial_t {}, white_t {} at ray {ray}", rays.pial_t(ray), rays.white_t(ray)),
            ),
            None => Ok(()),
        },
        Span::Extended if usable.all(covers_ribbon_only) => mismatch(
            "span of the rays",
            format!("rays that reach {} mm beyond pia and white surface", task.extension_mm),
            "rays from pia to white surface".into(),
        ),
        Span::Extended => Ok(()),
    }
}

/// Position of a model's channel among the profiles'.
fn find(profiles: &Profiles, input: &InputChannel) -> Result<usize> {
    profiles.channels().iter().position(|&channel| same(channel, input.channel)).ok_or_else(|| Error::Input {
        field: "channels",
        expected: format!("{:?}", input.channel),
        found: format!("{:?}", profiles.channels()),
    })
}

fn same(a: Channel, b: Channel) -> bool {
    match (a, b) {
        // Written in decimal in a manifest, computed in a pipeline.
        (Channel::Smoothed { fwhm_mm: a }, Channel::Smoothed { fwhm_mm: b }) => (a - b).abs() <= 1e-6 * b.abs(),
        _ => a == b,
    }
}

fn is_intensity(channel: Channel) -> bool {
    matches!(channel, Channel::Raw | Channel::Smoothed { .. })
}

/// What is done to one channel of every ray.
struct Plan {
    source: usize,
    sign: f64,
    scale: Scale,
}

enum Scale {
    PerRay,
    Fixed { centre: f64, spread: f64 },
}

fn plan(profiles: &Profiles, rays: &RaySet, input: &InputChannel, source: usize, invert: bool) -> Plan {
    let intensity = is_intensity(input.channel);
    let sign = if invert && intensity { -1.0 } else { 1.0 };
    let scale = match input.normalisation {
        Normalisation::PerRay => Scale::PerRay,
        Normalisation::Fixed { mean, sd } => Scale::Fixed { centre: mean, spread: sd },
        Normalisation::Dataset => {
            let raw = profiles.channels().iter().position(|&channel| channel == Channel::Raw);
            let reference = if intensity { raw.unwrap_or(source) } else { source };
            let (median, mad) = median_and_mad(profiles, rays, reference);
            Scale::Fixed { centre: sign * median, spread: 1.4826 * mad }
        }
    };
    Plan { source, sign, scale }
}

impl Plan {
    fn apply(&self, values: impl Iterator<Item = f32> + Clone, output: &mut [f32]) {
        let signed = values.map(|value| self.sign * f64::from(value));
        let (centre, spread) = match self.scale {
            Scale::Fixed { centre, spread } => (centre, spread),
            Scale::PerRay => {
                let count = output.len() as f64;
                let mean = signed.clone().sum::<f64>() / count;
                let variance = signed.clone().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
                (mean, variance.sqrt())
            }
        };
        // Equal samples can leave a spread of rounding errors, which must not be blown up to unit size.
        if spread > 1e-12 * centre.abs() && spread > 0.0 {
            for (output, value) in output.iter_mut().zip(signed) {
                *output = ((value - centre) / spread) as f32;
            }
        }
    }
}

/// Median and median absolute deviation of a channel over samples within `[pial_t, white_t]` of usable rays.
fn median_and_mad(profiles: &Profiles, rays: &RaySet, channel: usize) -> (f64, f64) {
    let samples = profiles.samples();
    let mut values = Vec::new();
    for ray in (0..rays.len()).filter(|&ray| profiles.defects()[ray].is_none()) {
        let (pial_t, white_t) = (rays.pial_t(ray), rays.white_t(ray));
        let profile = profiles.values().slice(ndarray::s![ray, channel, ..]);
        let inside = profile.iter().enumerate().filter(|&(sample, _)| {
            let t = RaySet::t_of_sample(sample as f64, samples);
            (pial_t..=white_t).contains(&t)
        });
        values.extend(inside.map(|(_, &value)| value));
    }
    let centre = median(&mut values);
    for value in &mut values {
        *value = (f64::from(*value) - centre).abs() as f32;
    }
    (centre, median(&mut values))
}

/// Exact median by selection (mean of the middle two for an even count); 0 of nothing.
fn median(values: &mut [f32]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    let upper = f64::from(*upper);
    match below.iter().copied().max_by(f32::total_cmp) {
        Some(lower) if even => (f64::from(lower) + upper) / 2.0,
        _ => upper,
    }
}
