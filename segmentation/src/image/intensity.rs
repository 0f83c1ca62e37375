use super::Field;
use crate::Result;
use crate::manifest::{ImageTask, Preprocessing};
use brainmesh_core::Monitor;
use rayon::prelude::*;

/// Preprocessing with its statistics filled in: a chain of pointwise steps for each channel and, where statistics are
/// those of slices, each slice.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Intensity {
    /// `[channel][slice]`, or one slice for all.
    chains: Vec<Vec<Vec<Step>>>,
    nonzero: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Clip { min: f32, max: f32 },
    Linear { gain: f32, offset: f32 },
    Binarize { threshold: f32 },
}

impl Step {
    fn apply(self, value: f32) -> f32 {
        match self {
            Self::Clip { min, max } => value.clamp(min, max),
            Self::Linear { gain, offset } => gain * value + offset,
            Self::Binarize { threshold } => f32::from(u8::from(value > threshold)),
        }
    }
}

/// Values that a statistic is taken over: a slice range of one or all channels.
#[derive(Clone, Copy)]
struct Part {
    channel: Option<usize>,
    slice: Option<usize>,
}

impl Intensity {
    /// Measures what `task` asks for on `field`; statistics of the whole on `whole`.
    ///
    /// # Errors
    /// Cancelled.
    pub fn measure(task: &ImageTask, field: &Field, whole: &Field, monitor: &dyn Monitor) -> Result<Self> {
        let channels = task.channels.len();
        let per_slice = task.preprocessing.iter().any(|step| step.scope().is_some_and(|scope| scope.per_slice));
        let slices = if per_slice && task.axes.len() == 2 { field.slices() } else { 1 };
        let mut intensity = Self { chains: vec![vec![Vec::new(); slices]; channels], nonzero: task.nonzero };
        for step in &task.preprocessing {
            let Some(scope) = step.scope() else {
                let step = match *step {
                    Preprocessing::Clip { min, max } => Step::Clip { min, max },
                    Preprocessing::Linear { gain, offset } => Step::Linear { gain, offset },
                    Preprocessing::Binarize { threshold } => Step::Binarize { threshold },
                    Preprocessing::ZeroMeanUnitVariance { .. } | Preprocessing::ScaleRange { .. } => continue,
                };
                intensity.chains.iter_mut().flatten().for_each(|chain| chain.push(step));
                continue;
            };
            let source = if scope.whole { whole } else { field };
            let by_channel: Vec<Option<usize>> =
                if scope.per_channel { (0..channels).map(Some).collect() } else { vec![None] };
            let by_slice: Vec<Option<usize>> =
                if scope.per_slice && slices > 1 { (0..slices).map(Some).collect() } else { vec![None] };
            let mut found = Vec::new();
            for &channel in &by_channel {
                for &slice in &by_slice {
                    monitor.check()?;
                    found.push(intensity.linear(step, source, Part { channel, slice }));
                }
            }
            for (c, chains) in intensity.chains.iter_mut().enumerate() {
                for (s, chain) in chains.iter_mut().enumerate() {
                    let channel = if scope.per_channel { c } else { 0 };
                    let slice = if by_slice.len() > 1 { s } else { 0 };
                    chain.push(found[channel * by_slice.len() + slice]);
                }
            }
        }
        Ok(intensity)
    }

    /// The network's value of an intensity.
    pub fn apply(&self, channel: usize, slice: usize, value: f32) -> f32 {
        if self.nonzero && value == 0.0 {
            return 0.0;
        }
        let chains = &self.chains[channel];
        chains[slice.min(chains.len() - 1)].iter().fold(value, |value, step| step.apply(value))
    }

    fn linear(&self, step: &Preprocessing, field: &Field, part: Part) -> Step {
        match *step {
            Preprocessing::ZeroMeanUnitVariance { eps, .. } => {
                let (mean, sd) = self.moments(field, part);
                let gain = 1.0 / (sd + eps);
                Step::Linear { gain: gain as f32, offset: (-mean * gain) as f32 }
            }
            Preprocessing::ScaleRange { min_percentile, max_percentile, eps, .. } => {
                let [low, high] = self.percentiles(field, part, [min_percentile, max_percentile]);
                let range = high - low + eps;
                let gain = if range > 0.0 { 1.0 / range } else { 0.0 };
                Step::Linear { gain: gain as f32, offset: (-low * gain) as f32 }
            }
            // Has no statistics.
            _ => Step::Linear { gain: 1.0, offset: 0.0 },
        }
    }

    /// Channel and slice of all slices of a part.
    fn slices(field: &Field, part: Part) -> Vec<(usize, usize)> {
        let channels = part.channel.map_or(0..field.channels(), |channel| channel..channel + 1);
        let slices = part.slice.map_or(0..field.slices(), |slice| slice..slice + 1);
        channels.flat_map(|channel| slices.clone().map(move |slice| (channel, slice))).collect()
    }

    /// The values of a slice after the steps so far.
    fn values(&self, field: &Field, (channel, slice): (usize, usize)) -> Vec<f32> {
        let mut values = field.slice(channel, slice);
        if self.nonzero {
            values.retain(|&value| value != 0.0);
        }
        for value in &mut values {
            *value = self.apply(channel, slice, *value);
        }
        values
    }

    /// Mean and population standard deviation. Sums run in a fixed order.
    fn moments(&self, field: &Field, part: Part) -> (f64, f64) {
        let slices = Self::slices(field, part);
        let sums: Vec<(usize, f64, f64)> = slices
            .par_iter()
            .map(|&slice| {
                let values = self.values(field, slice);
                let (mut sum, mut squares) = (0.0, 0.0);
                for &value in &values {
                    let value = f64::from(value);
                    sum += value;
                    squares += value * value;
                }
                (values.len(), sum, squares)
            })
            .collect();
        let count = sums.iter().map(|sums| sums.0).sum::<usize>().max(1) as f64;
        let mean = sums.iter().map(|sums| sums.1).sum::<f64>() / count;
        // In double precision the difference keeps more digits than single precision has.
        let variance = sums.iter().map(|sums| sums.2).sum::<f64>() / count - mean * mean;
        (mean, variance.max(0.0).sqrt())
    }

    /// Percentiles between order statistics (numpy's `linear`), exact: values are counted by the upper half of their
    /// bits, then those that share the upper half with a wanted one by the lower half.
    fn percentiles(&self, field: &Field, part: Part, percents: [f64; 2]) -> [f64; 2] {
        const HALF: usize = 1 << 16;
        let upper = |key: u32| (key >> 16) as usize;
        let slices = Self::slices(field, part);
        let count_by = |digit: &(dyn Fn(u32) -> Option<usize> + Sync)| {
            let count = |mut counts: Vec<u64>, &slice| {
                let values = self.values(field, slice);
                values.iter().filter_map(|&value| digit(key_of(value))).for_each(|bin| counts[bin] += 1);
                counts
            };
            let add = |mut a: Vec<u64>, b: Vec<u64>| {
                a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
                a
            };
            slices.par_iter().fold(|| vec![0; HALF], count).reduce(|| vec![0; HALF], add)
        };
        let coarse = count_by(&|key| Some(upper(key)));
        let total: u64 = coarse.iter().sum();
        if total == 0 {
            return [0.0; 2];
        }
        let order = |rank: u64| -> f64 {
            let (bin, before) = bin_of(&coarse, rank);
            let fine = count_by(&|key| (upper(key) == bin).then_some(key as usize & (HALF - 1)));
            let (low, _) = bin_of(&fine, rank - before);
            f64::from(value_of((bin << 16 | low) as u32))
        };
        percents.map(|percent| {
            let place = percent / 100.0 * (total - 1) as f64;
            let (low, share) = (place.floor(), place.fract());
            let a = order(low as u64);
            if share == 0.0 { a } else { a + (order(low as u64 + 1) - a) * share }
        })
    }
}

/// The bin that holds the value of a rank, and how many come before the bin.
fn bin_of(counts: &[u64], rank: u64) -> (usize, u64) {
    let mut before = 0;
    for (bin, &count) in counts.iter().enumerate() {
        if rank < before + count {
            return (bin, before);
        }
        before += count;
    }
    (counts.len() - 1, before)
}

/// A number that sorts as the value does.
fn key_of(value: f32) -> u32 {
    let bits = value.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

fn value_of(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key })
}

#[cfg(test)]
mod tests {
    use super::super::placement::Placement;
    use super::*;
    use crate::Manifest;
    use brainmesh_core::{Grid, Silent, Volume};
    use glam::DAffine3;
    use serde_json::{Value, json};
    use std::path::Path;

    /// The task of a network of two axes with this preprocessing.
    fn task(preprocessing: Value, nonzero: bool) -> ImageTask {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/strided-2d");
        let mut manifest: Value = serde_json::from_slice(&std::fs::read(folder.join("rdf.yaml")).unwrap()).unwrap();
        manifest["inputs"][0]["preprocessing"] = preprocessing;
        manifest["config"]["brainmesh"]["nonzero"] = nonzero.into();
        Manifest::parse(manifest.to_string().as_bytes(), &folder).unwrap().image().unwrap().clone()
    }

    fn volume() -> Volume<f32> {
        let grid = Grid::new([9, 8, 3], DAffine3::IDENTITY, "scanner").unwrap();
        let values = (0..216).map(|n| if n % 5 == 0 { 0.0 } else { ((n * 7919) % 1013) as f32 - 400.5 }).collect();
        Volume::new(grid, values).unwrap()
    }

    /// What each voxel becomes.
    fn processed(task: &ImageTask, volume: &Volume<f32>) -> Vec<f32> {
        let placement = Placement::new(volume.grid(), task, None).unwrap();
        let volumes = std::slice::from_ref(volume);
        let field = Field::new(volumes, &placement, task.interpolation, 2);
        let intensity = Intensity::measure(task, &field, &field, &Silent).unwrap();
        volume.data().iter().enumerate().map(|(n, &value)| intensity.apply(0, n / 72, value)).collect()
    }

    fn moments(values: &[f64]) -> (f64, f64) {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt())
    }

    fn assert_near(found: &[f32], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (n, (&found, &expected)) in found.iter().zip(expected).enumerate() {
            assert!((f64::from(found) - expected).abs() < 1e-4 * (1.0 + expected.abs()), "{n}: {found}, {expected}");
        }
    }

    #[test]
    fn mean_and_deviation_are_those_of_the_volume_or_of_each_slice() {
        let volume = volume();
        let values: Vec<f64> = volume.data().iter().copied().map(f64::from).collect();
        let (mean, sd) = moments(&values);
        let whole: Vec<f64> = values.iter().map(|v| (v - mean) / (sd + 1e-6)).collect();
        let step = |axes: Value| json!([{"id": "zero_mean_unit_variance", "kwargs": {"axes": axes}}]);
        assert_near(&processed(&task(step(Value::Null), false), &volume), &whole);
        assert_near(&processed(&task(step(json!(["batch", "channel", "y", "x"])), false), &volume), &whole);
        let slices = values.chunks(72).flat_map(|slice| {
            let (mean, sd) = moments(slice);
            slice.iter().map(move |v| (v - mean) / (sd + 1e-6))
        });
        let slices: Vec<f64> = slices.collect();
        assert_near(&processed(&task(step(json!(["channel", "y", "x"])), false), &volume), &slices);
    }

    #[test]
    fn zeros_are_left_out_and_stay_where_the_model_says_so() {
        let volume = volume();
        let tissue: Vec<f64> = volume.data().iter().filter(|v| **v != 0.0).copied().map(f64::from).collect();
        let (mean, sd) = moments(&tissue);
        let expected: Vec<f64> =
            volume.data().iter().map(|&v| if v == 0.0 { 0.0 } else { (f64::from(v) - mean) / (sd + 1e-6) }).collect();
        assert_near(&processed(&task(json!([{"id": "zero_mean_unit_variance"}]), true), &volume), &expected);
    }

    #[test]
    fn percentiles_are_those_of_sorted_values_after_the_steps_before() {
        let volume = volume();
        let steps = json!([
            {"id": "scale_linear", "kwargs": {"gain": -0.5, "offset": 3.0}},
            {"id": "scale_range", "kwargs": {"min_percentile": 2.5, "max_percentile": 91.0, "eps": 0.001}},
            {"id": "clip", "kwargs": {"min": 0.0, "max": 1.0}}
        ]);
        let scaled: Vec<f64> = volume.data().iter().map(|&v| f64::from(-0.5 * v + 3.0)).collect();
        let mut sorted = scaled.clone();
        sorted.sort_by(f64::total_cmp);
        let percentile = |p: f64| {
            let place = p / 100.0 * (sorted.len() - 1) as f64;
            let low = place.floor() as usize;
            sorted[low] + (sorted[low + 1] - sorted[low]) * place.fract()
        };
        let (low, high) = (percentile(2.5), percentile(91.0));
        let expected: Vec<f64> = scaled.iter().map(|v| ((v - low) / (high - low + 0.001)).clamp(0.0, 1.0)).collect();
        assert_near(&processed(&task(steps, false), &volume), &expected);
    }

    #[test]
    fn a_volume_of_one_value_gives_finite_numbers() {
        let grid = Grid::new([9, 8, 1], DAffine3::IDENTITY, "scanner").unwrap();
        let volume = Volume::new(grid, vec![7.0; 72]).unwrap();
        for id in ["zero_mean_unit_variance", "scale_range"] {
            assert!(processed(&task(json!([{"id": id}]), false), &volume).iter().all(|v| v.abs() < 1e-3), "{id}");
        }
    }
}
