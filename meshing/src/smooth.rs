use crate::Result;
use crate::channels::mid_surface;
use crate::columns::Columns;
use crate::diffusion::Diffusion;
use crate::error::same_length;
use crate::field::{Boundaries, Field, GIVEN, Measurement, median};
use crate::fill::{relative_depths, t_of_relative};
use crate::ordering::separate;
use crate::posterior::variances;
use crate::strength::choose_lengths;
use crate::system::Row;
use brainmesh_core::{BOUNDARY_COUNT, LAYER_COUNT, LayerBoundaries, Monitor, RayOutcome, RaySet, Ribbon};
use rayon::prelude::*;

/// How far boundaries are drawn to those of neighbouring rays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Smoothing {
    /// Chosen from the data, for each boundary: what predicts withheld blocks of rays best.
    Auto {
        /// Which rays are withheld.
        seed: u64,
    },
    /// Boundaries of rays this far apart along the cortex, in mm, are taken to be still much alike (correlated by 0.6);
    /// 0 leaves boundaries as they are.
    LengthMm(f64),
}

/// How boundaries are smoothed over the mesh.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmoothOptions {
    /// How far boundaries are drawn to those of neighbouring rays.
    pub smoothing: Smoothing,
    /// No layer is made thinner than this, in mm, unless it was measured thinner on that ray.
    pub min_gap_mm: f64,
    /// Factors on the standard deviations after smoothing, from a model's calibration: errors that neighbours have in common
    /// and the field does not know of.
    pub smoothed_sd_scale: [f64; BOUNDARY_COUNT],
    /// Random right sides from which standard deviations are found; they are right to about `1 / sqrt(2 n)` or better.
    pub samples: u16,
}

impl Default for SmoothOptions {
    fn default() -> Self {
        Self {
            smoothing: Smoothing::Auto { seed: 1609 },
            min_gap_mm: 0.01,
            smoothed_sd_scale: [1.0; BOUNDARY_COUNT],
            samples: 6,
        }
    }
}

/// Smoothed boundaries, and how far they were smoothed.
#[derive(Debug, Clone, PartialEq)]
pub struct Smoothed {
    /// Positions and their standard deviations.
    pub boundaries: LayerBoundaries,
    /// Length of the field of each boundary, in mm; 0 where the boundaries are those that came in.
    pub lengths_mm: [f64; BOUNDARY_COUNT],
}

/// Smooths all seven boundaries over the mesh and keeps their order and a least distance.
///
/// In the volume share of the column above a boundary (Waehnert 2014) it minimises
/// `sum (x - x0)^2 / sd^2 + s integral (x / length^2 - laplacian x)^2` over the mid-surface: a Gaussian field with a
/// Matern covariance, as a Markov field on the mesh (Lindgren, Rue and Lindstroem 2011). A ray that is sure of itself
/// hardly moves, an unsure one follows its neighbours, a filled one comes from them alone. `s` follows from the length of
/// each boundary and the spread of the measured rays. Both sums are robust: stray rays give way and areal borders stay.
/// Far from every measured ray the field goes to the median of the measured rays, with their spread. Rows that then
/// break the order or the gap are replaced by the nearest ones that keep both.
///
/// Errors that neighbouring rays have in common cannot be smoothed away. Steps between neighbours tell what share of a
/// ray's variance is its own: where lengths are chosen, that alone counts as the error of a measurement, so that a good
/// ray is not moved on account of errors that its neighbours repeat; and the rest is added to the variance of the field,
/// which is never taken for larger than a measured ray's own. Standard deviations are the roots times
/// `smoothed_sd_scale`. Boundaries with standard deviation 0 (given surfaces) stay as they are; missing rays take no
/// part.
///
/// Where nothing is smoothed (length 0, or too few rays to choose it) boundaries and standard deviations are those that
/// came in.
///
/// # Errors
/// Numbers of vertices, rays and boundaries that differ; options out of range; cancellation.
pub fn smooth_boundaries(
    boundaries: &LayerBoundaries,
    ribbon: &Ribbon,
    rays: &RaySet,
    options: &SmoothOptions,
    monitor: &dyn Monitor,
) -> Result<Smoothed> {
    for (field, found) in [("rays", rays.len()), ("boundaries", boundaries.len())] {
        same_length(field, ribbon.len(), found)?;
    }
    options.check()?;
    let middle = mid_surface(ribbon)?;
    let flow = Diffusion::new(&middle, |v| boundaries.outcomes()[v].has_layers());
    let columns = Columns::new(ribbon, &flow, monitor)?;
    let field = Field::new(|ray| measurement(boundaries, rays, &columns, ray), &middle, &flow);
    let (lengths_mm, seed) = match options.smoothing {
        Smoothing::LengthMm(length_mm) => ([length_mm; BOUNDARY_COUNT], 0),
        Smoothing::Auto { seed } => (choose_lengths(&field, seed, monitor)?.unwrap_or_default(), seed),
    };
    if lengths_mm.iter().all(|&l| l <= 0.0) {
        return Ok(Smoothed { boundaries: boundaries.clone(), lengths_mm });
    }
    monitor.stage("smoothing boundaries", 1);
    // Withheld blocks tell how smooth the field is, steps between neighbours how much of the errors it can take away.
    let own_share = field.own_share();
    let shared = SharedVariance::new(&field, own_share);
    let (field, reached) = match options.smoothing {
        Smoothing::Auto { .. } => (field.with_own_errors(&own_share), [1.0; BOUNDARY_COUNT]),
        Smoothing::LengthMm(_) => (field, own_share),
    };
    let (solution, system) = field.solve_robustly(&lengths_mm, monitor)?;
    monitor.advance(1);
    let variances = variances(&system, u64::from(options.samples), seed, monitor)?;

    let smooth = |row: usize| -> Option<(Boundaries, Boundaries)> {
        let ray = field.vertices[row] as usize;
        if !boundaries.outcomes()[ray].has_layers() {
            return None;
        }
        let mut sd_mm: Boundaries = std::array::from_fn(|k| boundaries.sd_mm()[[ray, k]]);
        let given = sd_mm.map(|sd| sd <= 0.0);
        let ribbon_mm = (rays.white_t(ray) - rays.pial_t(ray)) * rays.length_mm(ray);
        let before = relative_depths(boundaries, rays, ray).map(|depth| depth * ribbon_mm);
        let mut after_mm = before;
        let mut weights = [1.0 / f64::EPSILON; BOUNDARY_COUNT];
        for k in (0..BOUNDARY_COUNT).filter(|&k| !given[k]) {
            let depth = columns.depth(ray, f64::from(solution[row][k]) + field.mean[k]);
            after_mm[k] = depth * ribbon_mm;
            // What robust weights left of the measurement, with the errors in common.
            let own = f64::from(system.weights[row][k]) / reached[k] * own_share[k];
            let alone = if own > 0.0 { 1.0 / own } else { f64::INFINITY };
            let variance = (f64::from(variances[row][k]) * reached[k] + shared.of(row, k)).min(alone);
            let sd = variance.sqrt() / columns.slope(ray, depth) * ribbon_mm;
            weights[k] = 1.0 / (sd * sd).max(1e-9);
            sd_mm[k] = sd * options.smoothed_sd_scale[k];
        }
        let gaps: [f64; LAYER_COUNT] =
            std::array::from_fn(|k| options.min_gap_mm.min(before[k + 1] - before[k]).max(0.0));
        separate(&mut after_mm, &weights, &gaps);
        let t = std::array::from_fn(|k| boundaries.t()[[ray, k]]);
        Some((placed(t, ray, &after_mm, &given, rays, ribbon_mm), sd_mm))
    };
    let rows: Vec<Option<(Boundaries, Boundaries)>> = (0..rays.len()).into_par_iter().map(smooth).collect();
    let (mut t, mut sd_mm) = (boundaries.t().clone(), boundaries.sd_mm().clone());
    for (&ray, found) in field.vertices.iter().zip(&rows) {
        let Some((ts, sds)) = found else { continue };
        for k in 0..BOUNDARY_COUNT {
            (t[[ray as usize, k]], sd_mm[[ray as usize, k]]) = (ts[k], sds[k]);
        }
    }
    Ok(Smoothed { boundaries: LayerBoundaries::new(t, sd_mm, boundaries.outcomes().to_vec())?, lengths_mm })
}

impl SmoothOptions {
    fn check(&self) -> Result<()> {
        let length_mm = match self.smoothing {
            Smoothing::LengthMm(length_mm) => length_mm,
            Smoothing::Auto { .. } => 0.0,
        };
        let lengths = [("smoothing length", length_mm), ("min_gap_mm", self.min_gap_mm)];
        let scales = self.smoothed_sd_scale.iter().map(|&scale| ("smoothed_sd_scale", scale));
        for (field, value) in lengths.into_iter().chain(scales) {
            if !(0.0..=1000.0).contains(&value) {
                let (expected, found) = ("0 to 1000".into(), value.to_string());
                return Err(brainmesh_core::Error::Invalid { field, expected, found }.into());
            }
        }
        Ok(())
    }
}

/// What smoothing leaves of the variance of every ray: the errors in common with its neighbours. A ray without a
/// measurement has those of a typical one.
struct SharedVariance {
    /// Variances of each row's own measurements, where they are given.
    precision: Vec<Row>,
    typical: Boundaries,
    share: Boundaries,
}

impl SharedVariance {
    fn new(field: &Field, own_share: Boundaries) -> Self {
        let known = |k: usize| field.precision.iter().map(move |p| p[k]).filter(|&p| p > 0.0 && p < GIVEN);
        Self {
            precision: field.precision.clone(),
            typical: std::array::from_fn(|k| median(known(k).map(|p| 1.0 / f64::from(p)))),
            share: own_share.map(|own| 1.0 - own),
        }
    }

    fn of(&self, row: usize, k: usize) -> f64 {
        let precision = f64::from(self.precision[row][k]);
        self.share[k] * if precision > 0.0 { 1.0 / precision } else { self.typical[k] }
    }
}

/// Volume shares of the boundaries of a ray and their precisions: 0 where it has no evidence of its own.
fn measurement(boundaries: &LayerBoundaries, rays: &RaySet, columns: &Columns, ray: usize) -> Measurement {
    let ribbon_mm = (rays.white_t(ray) - rays.pial_t(ray)) * rays.length_mm(ray);
    let depths = relative_depths(boundaries, rays, ray);
    let measured = boundaries.outcomes()[ray] == RayOutcome::Measured;
    let precision = |k: usize| {
        let sd = boundaries.sd_mm()[[ray, k]] / ribbon_mm.max(1e-6) * columns.slope(ray, depths[k]);
        if measured { (1.0 / (sd * sd)).min(f64::from(GIVEN)) } else { 0.0 }
    };
    (std::array::from_fn(|k| columns.share(ray, depths[k])), std::array::from_fn(precision))
}

/// Depths in mm below the given pia as positions on the ray; given boundaries stay at `t`, and bound the others.
fn placed(
    mut t: Boundaries,
    ray: usize,
    depths_mm: &Boundaries,
    given: &[bool; BOUNDARY_COUNT],
    rays: &RaySet,
    ribbon_mm: f64,
) -> Boundaries {
    let mut lowest = 0.0;
    for k in 0..BOUNDARY_COUNT {
        if !given[k] && ribbon_mm > 0.0 {
            t[k] = t_of_relative(rays, ray, depths_mm[k] / ribbon_mm).max(lowest);
        }
        lowest = t[k];
    }
    let mut highest = 1.0;
    for k in (0..BOUNDARY_COUNT).rev() {
        highest = t[k].min(highest);
        t[k] = highest;
    }
    t
}
