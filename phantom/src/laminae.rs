//! How thick the layers are, and where that puts their boundaries.

use crate::areas::{Areas, Kind, Place};
use crate::field::{SmoothField, TwoScaleField};
use crate::random::Purpose;
use crate::sheet::{Sheet, vertex_areas};
use crate::{LayerModel, Thickness};
use brainmesh_core::{BOUNDARY_COUNT, LAYER_COUNT};
use glam::DVec3;
use ndarray::Array2;

/// Mean thickness of layers I..VI in mm and their standard deviations over the left BigBrain hemisphere (154,827
/// vertices with cortex more than 1 mm thick and stained at all depths; layers of Wagstyl 2020).
pub const BIGBRAIN_MM: [(f64, f64); LAYER_COUNT] =
    [(0.257, 0.084), (0.223, 0.058), (0.603, 0.148), (0.193, 0.094), (0.430, 0.141), (0.526, 0.181)];

/// Correlations of these thicknesses over the same vertices.
#[rustfmt::skip]
const BIGBRAIN_CORRELATION: [[f64; LAYER_COUNT]; LAYER_COUNT] = [
    [ 1.00,  0.55,  0.22, -0.07, -0.32, -0.29],
    [ 0.55,  1.00,  0.50, -0.06, -0.01,  0.05],
    [ 0.22,  0.50,  1.00, -0.09,  0.25,  0.19],
    [-0.07, -0.06, -0.09,  1.00, -0.06, -0.04],
    [-0.32, -0.01,  0.25, -0.06,  1.00,  0.78],
    [-0.29,  0.05,  0.19, -0.04,  0.78,  1.00],
];

/// Mean share of layers I..VI and its standard deviation over the 33 six-layered areas of von Economo and Koskinas.
const VON_ECONOMO_SHARE: [(f64, f64); LAYER_COUNT] =
    [(0.091, 0.019), (0.071, 0.029), (0.280, 0.067), (0.110, 0.076), (0.164, 0.036), (0.284, 0.065)];
/// Mean of their total thickness in mm, and its standard deviation.
pub const VON_ECONOMO_TOTAL_MM: (f64, f64) = (2.67, 0.52);

/// Share of the variance of thickness that is between areas; the rest varies smoothly inside them.
const BETWEEN_AREAS: f64 = 0.35;
/// Layer IV of a split area is so many times as thick.
const SPLIT_FOUR_FACTOR: f64 = 1.8;
/// What no human isocortex leaves, mm (Fischl and Dale 2000: 1 to 4.5 mm).
const TOTAL_LIMITS_MM: [f64; 2] = [1.3, 4.5];

type Matrix = [[f64; LAYER_COUNT]; LAYER_COUNT];

/// Layer thickness as a log-normal random function of the place on the unfolded sheet.
pub(crate) struct ThicknessModel<'a> {
    areas: &'a Areas,
    mean_mm: [f64; LAYER_COUNT],
    factor: Matrix,
    variance: [f64; LAYER_COUNT],
    fields: Vec<TwoScaleField>,
    /// The same without what is finer than the surfaces of a ribbon are.
    coarse_fields: Vec<TwoScaleField>,
}

/// Shortest correlation length of the total thickness, mm.
const COARSE_MM: f64 = 2.5;

impl<'a> ThicknessModel<'a> {
    /// `detail_mm`: see [`crate::PhantomOptions::detail_mm`].
    pub(crate) fn new(seed: u64, population: Thickness, detail_mm: f64, areas: &'a Areas) -> Self {
        let (mean_mm, covariance) = log_moments(population);
        let fields =
            |mm: f64| (0..LAYER_COUNT).map(|k| TwoScaleField::named(seed, Purpose::Thickness, k, mm)).collect();
        Self {
            areas,
            mean_mm,
            factor: cholesky(&covariance),
            variance: std::array::from_fn(|k| covariance[k][k]),
            fields: fields(detail_mm),
            coarse_fields: fields(detail_mm.max(COARSE_MM)),
        }
    }

    /// Thickness of layers I..VI in mm, before folding changes the total.
    pub(crate) fn at(&self, unfolded: DVec3) -> [f64; LAYER_COUNT] {
        self.on(self.areas.place(unfolded), &self.fields, unfolded)
    }

    fn on(&self, place: Place, fields: &[TwoScaleField], unfolded: DVec3) -> [f64; LAYER_COUNT] {
        // Blending two areas halves their variance on the border: divide by the norm of the weights.
        let norm = place.weight.hypot(1.0 - place.weight);
        let deviates: [f64; LAYER_COUNT] = std::array::from_fn(|k| {
            let area = self.areas.blend(&place, |a| a.thickness[k]) / norm;
            BETWEEN_AREAS.sqrt() * area + (1.0 - BETWEEN_AREAS).sqrt() * fields[k].at(unfolded)
        });
        let mut mm: [f64; LAYER_COUNT] = std::array::from_fn(|k| {
            let z: f64 = (0..=k).map(|j| self.factor[k][j] * deviates[j]).sum();
            self.mean_mm[k] * (z - self.variance[k] / 2.0).exp()
        });
        mm[3] *= self.areas.blend(&place, |a| match a.kind {
            Kind::Granular => 1.0,
            Kind::Agranular => 0.0,
            Kind::SplitFour => SPLIT_FOUR_FACTOR,
        });
        mm
    }

    /// Total in mm, inside what occurs.
    pub(crate) fn total_mm(&self, unfolded: DVec3) -> f64 {
        let mm = self.on(self.areas.smooth_place(unfolded), &self.coarse_fields, unfolded);
        mm.iter().sum::<f64>().clamp(TOTAL_LIMITS_MM[0], TOTAL_LIMITS_MM[1])
    }
}

/// Means, and covariance of the logarithms.
fn log_moments(population: Thickness) -> ([f64; LAYER_COUNT], Matrix) {
    // Covariance of logarithms that gives a log-normal pair this covariance over the product of means.
    let of_relative = |relative: f64| (1.0 + relative).ln();
    let pair = |i: usize, j: usize| match population {
        Thickness::BigBrain => {
            let [(mi, si), (mj, sj)] = [BIGBRAIN_MM[i], BIGBRAIN_MM[j]];
            of_relative(BIGBRAIN_CORRELATION[i][j] * si / mi * sj / mj)
        }
        Thickness::VonEconomo => {
            // Shares vary alone, the total varies in common.
            let (mean, sd) = VON_ECONOMO_SHARE[i];
            let own = if i == j { (sd / mean).powi(2) } else { 0.0 };
            of_relative(own + (VON_ECONOMO_TOTAL_MM.1 / VON_ECONOMO_TOTAL_MM.0).powi(2))
        }
    };
    let mean = |k: usize| match population {
        Thickness::BigBrain => BIGBRAIN_MM[k].0,
        Thickness::VonEconomo => VON_ECONOMO_SHARE[k].0 * VON_ECONOMO_TOTAL_MM.0,
    };
    (std::array::from_fn(mean), std::array::from_fn(|i| std::array::from_fn(|j| pair(i, j))))
}

/// Lower triangular factor L with L L' = covariance.
pub(crate) fn cholesky(covariance: &Matrix) -> Matrix {
    let mut l = [[0.0; LAYER_COUNT]; LAYER_COUNT];
    for i in 0..LAYER_COUNT {
        for j in 0..=i {
            let rest = covariance[i][j] - (0..j).map(|k| l[i][k] * l[j][k]).sum::<f64>();
            // The tables are rounded to two digits: a pivot cannot be trusted below that.
            l[i][j] = if i == j { rest.max(1e-6).sqrt() } else { rest / l[j][j] };
        }
    }
    l
}

/// Shares of the straight distance from pia to white surface at which the boundaries lie, `[vertices, 7]`, from the
/// layers' shares of the cortex.
pub(crate) fn place_boundaries(
    sheet: &Sheet,
    shares: &[[f64; LAYER_COUNT]],
    model: LayerModel,
    seed: u64,
) -> Array2<f64> {
    let neighbours_mean = |areas: Vec<f64>| ring_mean(&areas, &sheet.triangles);
    let pial_area = neighbours_mean(vertex_areas(&sheet.pial, &sheet.triangles));
    let white_area = neighbours_mean(vertex_areas(&sheet.white, &sheet.triangles));
    let blend = SmoothField::named(seed, Purpose::LayerModel, 0, 6.0);
    let mut fractions = Array2::zeros((sheet.len(), BOUNDARY_COUNT));
    for (vertex, share) in shares.iter().enumerate() {
        let total: f64 = share.iter().sum();
        // 1 where layers keep their volume, 0 where they keep their distance.
        let weight = match model {
            LayerModel::Equivolumetric => 1.0,
            LayerModel::Equidistant => 0.0,
            LayerModel::Blended => 0.5 + 0.5 * blend.at(sheet.unfolded[vertex]).tanh(),
        };
        let mut sum = 0.0;
        for (layer, thickness) in share.iter().enumerate() {
            sum += thickness / total;
            let bent = equivolumetric(sum.min(1.0), pial_area[vertex], white_area[vertex]);
            fractions[[vertex, layer + 1]] = if layer + 1 == LAYER_COUNT { 1.0 } else { sum + weight * (bent - sum) };
        }
    }
    fractions
}

/// Share of the distance below which lies `volume` of a column whose cross-section goes evenly from `outer` to
/// `inner` (Waehnert 2014, eq. 10).
fn equivolumetric(volume: f64, outer: f64, inner: f64) -> f64 {
    let change = inner - outer;
    if change.abs() < 1e-6 * (inner + outer) {
        return volume;
    }
    ((outer * outer + volume * (inner * inner - outer * outer)).sqrt() - outer) / change
}

/// Mean over a vertex and the triangles around it, twice: the area of a single vertex depends on the triangulation.
fn ring_mean(values: &[f64], triangles: &[[u32; 3]]) -> Vec<f64> {
    let mut values = values.to_vec();
    for _ in 0..2 {
        let mut sum = vec![0.0; values.len()];
        let mut count = vec![0.0; values.len()];
        for t in triangles {
            let mean = t.iter().map(|&v| values[v as usize]).sum::<f64>();
            for &v in t {
                sum[v as usize] += mean;
                count[v as usize] += 3.0;
            }
        }
        values = sum.into_iter().zip(count).map(|(s, c): (f64, f64)| s / c.max(1.0)).collect();
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thickness_has_the_published_moments() {
        // 500 brains, 3 far places each.
        let mut draws = Vec::new();
        for seed in 0..500 {
            let areas = Areas::new(seed, 10.0);
            let model = ThicknessModel::new(seed, Thickness::BigBrain, 2.5, &areas);
            for x in 0..3 {
                let p = DVec3::new(40.0 * f64::from(x), 3.0, 0.0);
                if areas.blend(&areas.place(p), |a| f64::from(u8::from(a.kind == Kind::Granular))) > 0.99 {
                    draws.push(model.at(p));
                }
            }
        }
        let n = draws.len() as f64;
        let mean: [f64; 6] = std::array::from_fn(|k| draws.iter().map(|d| d[k]).sum::<f64>() / n);
        let covariance =
            |i: usize, j: usize| draws.iter().map(|d| (d[i] - mean[i]) * (d[j] - mean[j])).sum::<f64>() / n;
        for (k, (target, sd)) in BIGBRAIN_MM.into_iter().enumerate() {
            assert!((mean[k] / target - 1.0).abs() < 0.05, "layer {k}: mean {} for {target}", mean[k]);
            assert!((covariance(k, k).sqrt() / sd - 1.0).abs() < 0.15, "layer {k}: SD {}", covariance(k, k).sqrt());
        }
        for (i, j, target) in [(4, 5, 0.78), (0, 1, 0.55), (1, 2, 0.50)] {
            let r = covariance(i, j) / (covariance(i, i) * covariance(j, j)).sqrt();
            assert!((r - target).abs() < 0.08, "{i} {j}: {r} for {target}");
        }
    }

    #[test]
    fn equal_volumes_on_a_cone() {
        // Cross-section 2 at the pia, 1 at the white surface: 1.5 in all, half of it above 0.4189.
        let rho = equivolumetric(0.5, 2.0, 1.0);
        assert!((2.0 * rho - rho * rho / 2.0 - 0.75).abs() < 1e-12);
        assert!(rho < 0.5);
        assert_eq!(equivolumetric(0.3, 1.0, 1.0), 0.3);
    }
}
