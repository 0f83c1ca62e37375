//! Boundaries between classes moved to where the intensities of the volume at hand change.
//!
//! A network that learnt from other scans is sure of where a class lies, less of where it ends. Here each class has a
//! Gaussian of intensities whose mean varies slowly over the volume (so that shading of the coil, and classes that are not
//! everywhere alike, need no model of their own), as in adaptive maximum a posteriori segmentation (Rajapakse, Giedd,
//! Rapoport 1997, IEEE Trans Med Imaging 16: 176). The network's probabilities are the prior. We deviate: no Markov field,
//! since the prior is smooth, and the classes share only what the network gave to them together.

use super::field::Field;
use super::views::Sums;
use crate::Result;
use crate::manifest::Refinement;
use brainmesh_core::Monitor;
use rayon::prelude::*;

/// Voxels between places where means are known.
const STEP: usize = 4;
/// Voxels with at least this probability of a class tell how bright it is.
const SURE: f32 = 0.6;
/// Standard deviations beyond which it is no matter how far an intensity lies from a mean.
const FAR: f32 = 4.0;
/// Planes refined at a time.
const PLANES: usize = 16;
/// A class of fewer sure voxels says too little of its intensities.
const FEWEST: f64 = 500.0;

/// Intensities of the classes: a mean at every place of a coarse grid, and one standard deviation.
struct Intensities {
    /// `[class][z, y, x]`.
    means: Vec<Vec<f32>>,
    deviations: Vec<f32>,
    shape: [usize; 3],
}

/// What the pass over a part of the volume found, for each class.
#[derive(Clone, Default)]
struct Moments {
    weight: f64,
    squares: f64,
}

struct Refiner<'a> {
    sums: &'a Sums,
    field: &'a Field<'a>,
    settings: &'a Refinement,
    /// Of the network's grid.
    shape: [usize; 3],
}

/// Refines `sums`. Returns whether the classes could be told by their intensities; else nothing is changed.
///
/// # Errors
/// Cancelled.
pub(super) fn refine(
    sums: &mut Sums,
    field: &Field,
    shape: [usize; 3],
    settings: &Refinement,
    monitor: &dyn Monitor,
) -> Result<bool> {
    monitor.stage("refine", settings.rounds as u64 + 1);
    let mut known: Option<Intensities> = None;
    for _ in 0..settings.rounds {
        monitor.check()?;
        let refiner = Refiner { sums, field, settings, shape };
        let Some(found) = refiner.measure(known.as_ref()) else { return Ok(false) };
        known = Some(found);
        monitor.advance(1);
    }
    let Some(known) = known else { return Ok(false) };
    let count = settings.classes.len();
    let area = shape[0] * shape[1];
    for start in (0..shape[2]).step_by(PLANES) {
        let refiner = Refiner { sums, field, settings, shape };
        // New values of all classes of a plane.
        let planes: Vec<Vec<f32>> = (start..shape[2].min(start + PLANES))
            .into_par_iter()
            .map(|z| {
                let mut values = vec![0.0; count * area];
                refiner.plane(z, Some(&known), &mut |voxel, _, shares| {
                    for (class, &share) in shares.iter().enumerate() {
                        values[class * area + voxel] = share * refiner.sums.total;
                    }
                });
                values
            })
            .collect();
        for (place, &class) in settings.classes.iter().enumerate() {
            let from = class * sums.voxels + start * area;
            for (target, plane) in sums.values[from..].chunks_exact_mut(area).zip(&planes) {
                target.copy_from_slice(&plane[place * area..(place + 1) * area]);
            }
        }
    }
    monitor.advance(1);
    Ok(true)
}

impl Refiner<'_> {
    /// Shows each voxel of a plane: its place there, its intensity, and the share of each class.
    fn plane(&self, z: usize, known: Option<&Intensities>, each: &mut dyn FnMut(usize, f32, &[f32])) {
        let count = self.settings.classes.len();
        let [nx, ny, _] = self.shape;
        let mut intensities = vec![0.0; nx * ny];
        self.field.fill(0, &[0..nx, 0..ny, z..z + 1], [2, 1, 0], &mut intensities, |_, value| value);
        let (mut shares, mut means) = (vec![0.0_f32; count], vec![0.0_f32; count]);
        for (voxel, &intensity) in intensities.iter().enumerate() {
            let at = z * nx * ny + voxel;
            for (share, &class) in shares.iter_mut().zip(&self.settings.classes) {
                *share = self.sums.values[class * self.sums.voxels + at] / self.sums.total;
            }
            if let Some(known) = known {
                known.at([voxel % nx, voxel / nx, z], &mut means);
                if intensity != 0.0 {
                    self.posterior(intensity, known, &means, &mut shares);
                }
            }
            each(voxel, intensity, &shares);
        }
    }

    /// From the network's share of each class to that which fits the intensity too; their sum stays.
    fn posterior(&self, intensity: f32, known: &Intensities, means: &[f32], shares: &mut [f32]) {
        let mass: f32 = shares.iter().sum();
        if mass < 1e-3 {
            return;
        }
        let likelihood = |class: usize| {
            let deviation = known.deviations[class];
            let far = ((intensity - means[class]) / deviation).clamp(-FAR, FAR);
            (-0.5 * far * far).exp() / deviation
        };
        let power = self.settings.prior;
        let mut fitting = [0.0_f32; Refinement::MOST_CLASSES];
        for (class, (fitting, share)) in fitting.iter_mut().zip(&*shares).enumerate() {
            *fitting = (share / mass).powf(power) * likelihood(class);
        }
        let total: f32 = fitting.iter().sum();
        if total > 0.0 && total.is_finite() {
            shares.iter_mut().zip(fitting).for_each(|(share, fitting)| *share = mass * fitting / total);
        }
    }

    /// Means and deviations of the classes, from the shares that those known so far give.
    fn measure(&self, known: Option<&Intensities>) -> Option<Intensities> {
        let count = self.settings.classes.len();
        let coarse = self.shape.map(|length| length.div_ceil(STEP));
        let area = coarse[0] * coarse[1];
        // For each coarse plane the weight and the weighted intensity of each class.
        let planes: Vec<Vec<f64>> = (0..coarse[2])
            .into_par_iter()
            .map(|plane| {
                let mut sums = vec![0.0; 2 * count * area];
                for z in (plane * STEP..(plane + 1) * STEP).take_while(|&z| z < self.shape[2]) {
                    self.plane(z, known, &mut |voxel, intensity, shares| {
                        if intensity == 0.0 {
                            return;
                        }
                        let (x, y) = (voxel % self.shape[0] / STEP, voxel / self.shape[0] / STEP);
                        let sure = shares.iter().enumerate().filter(|(_, share)| **share > SURE);
                        for (class, &share) in sure {
                            let at = 2 * class * area + y * coarse[0] + x;
                            sums[at] += f64::from(share);
                            sums[at + area] += f64::from(share) * f64::from(intensity);
                        }
                    });
                }
                sums
            })
            .collect();
        let reach = self.settings.reach_voxels / STEP as f64;
        let mut means = Vec::new();
        for class in 0..count {
            let of = |part: usize| -> Vec<f64> {
                let start = (2 * class + part) * area;
                planes.iter().flat_map(|plane| &plane[start..start + area]).copied().collect()
            };
            let (mut weight, mut sum) = (of(0), of(1));
            let total: f64 = weight.iter().sum();
            if total < FEWEST {
                return None;
            }
            let mean = sum.iter().sum::<f64>() / total;
            smooth(&mut weight, coarse, reach);
            smooth(&mut sum, coarse, reach);
            // Far from all sure voxels of the class its mean is that of the whole.
            let least = 0.001 * (STEP * STEP * STEP) as f64;
            let local = weight.iter().zip(&sum).map(|(weight, sum)| ((sum + least * mean) / (weight + least)) as f32);
            means.push(local.collect());
        }
        let mut found = Intensities { means, deviations: Vec::new(), shape: coarse };
        let moments: Vec<Vec<Moments>> = (0..self.shape[2])
            .into_par_iter()
            .map(|z| {
                let mut moments = vec![Moments::default(); count];
                let mut here = vec![0.0; count];
                self.plane(z, known, &mut |voxel, intensity, shares| {
                    if intensity == 0.0 || shares.iter().all(|&share| share <= SURE) {
                        return;
                    }
                    found.at([voxel % self.shape[0], voxel / self.shape[0], z], &mut here);
                    for ((moments, &share), mean) in moments.iter_mut().zip(shares).zip(&here) {
                        if share > SURE {
                            moments.weight += f64::from(share);
                            moments.squares += f64::from(share) * f64::from(intensity - mean).powi(2);
                        }
                    }
                });
                moments
            })
            .collect();
        for class in 0..count {
            let weight: f64 = moments.iter().map(|plane| plane[class].weight).sum();
            let squares: f64 = moments.iter().map(|plane| plane[class].squares).sum();
            let deviation = (squares / weight).sqrt() as f32;
            if !(deviation.is_finite() && deviation > 0.0) {
                return None;
            }
            found.deviations.push(deviation);
        }
        Some(found)
    }
}

impl Intensities {
    /// The means at a voxel, between the places where they are known.
    fn at(&self, voxel: [usize; 3], means: &mut [f32]) {
        let [x, y, z] = [0, 1, 2].map(|n: usize| {
            let middle = (STEP - 1) as f32 / 2.0;
            let place = ((voxel[n] as f32 - middle) / STEP as f32).clamp(0.0, (self.shape[n] - 1) as f32);
            let low = place as usize;
            (low, (low + 1).min(self.shape[n] - 1), place - low as f32)
        });
        let mix = |a: f32, b: f32, weight: f32| a + (b - a) * weight;
        for (mean, values) in means.iter_mut().zip(&self.means) {
            let row = |y: usize, z: usize| {
                let start = self.shape[0] * (y + self.shape[1] * z);
                mix(values[start + x.0], values[start + x.1], x.2)
            };
            let plane = |z: usize| mix(row(y.0, z), row(y.1, z), y.2);
            *mean = mix(plane(z.0), plane(z.1), z.2);
        }
    }
}

/// A Gaussian of this standard deviation along each axis; nothing lies outside.
fn smooth(values: &mut [f64], shape: [usize; 3], deviation: f64) {
    let radius = (4.0 * deviation).ceil() as usize;
    let weights: Vec<f64> = (0..=radius).map(|n| (-0.5 * (n as f64 / deviation).powi(2)).exp()).collect();
    let total = weights[0] + 2.0 * weights[1..].iter().sum::<f64>();
    for axis in 0..3 {
        let stride: usize = shape[..axis].iter().product();
        let before = values.to_vec();
        for (at, value) in values.iter_mut().enumerate() {
            let place = at / stride % shape[axis];
            let mut sum = weights[0] * before[at];
            for (n, weight) in weights.iter().enumerate().skip(1) {
                if n <= place {
                    sum += weight * before[at - n * stride];
                }
                if place + n < shape[axis] {
                    sum += weight * before[at + n * stride];
                }
            }
            *value = sum / total;
        }
    }
}
