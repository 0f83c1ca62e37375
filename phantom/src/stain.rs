//! The share of light that tissue absorbs, from glass to white matter.

use crate::Stain;
use crate::areas::{Areas, Kind};
use crate::field::SmoothField;
use crate::laminae::cholesky;
use crate::random::{Purpose, stream, uniform};
use crate::sheet::Sheet;
use brainmesh_core::LAYER_COUNT;
use glam::DVec3;

type Thirds = [[f64; 3]; LAYER_COUNT];

/// Upper, middle and lower third of layers I..VI: darkness relative to the mean of the column, (mean - I) / mean, in
/// the 18 equivolumetric intensities of the left BigBrain hemisphere (131,032 vertices that have samples in all
/// layers; published layers converted to volume shares by the areas at pial and white vertices; depth k lies at
/// (k + 1) / 19). Low contrast: these intensities are smoothed and the surfaces are off.
const BIGBRAIN_DARKNESS: Thirds = [
    [-0.0295, -0.0310, -0.0292],
    [-0.0322, -0.0338, -0.0326],
    [-0.0266, -0.0086, 0.0108],
    [0.0226, 0.0262, 0.0282],
    [0.0255, 0.0230, 0.0173],
    [0.0102, 0.0021, -0.0115],
];
/// Standard deviation of layer means of the same quantity between places. Half of the variance between vertices is gone
/// at the next one, 0.9 mm away: noise of sections and surfaces. These are the square roots of the covariances along
/// edges, what neighbours have in common.
const BIGBRAIN_DARKNESS_SD: [f64; LAYER_COUNT] = [0.031, 0.024, 0.019, 0.022, 0.019, 0.019];
/// Correlations of these.
#[rustfmt::skip]
const BIGBRAIN_DARKNESS_CORRELATION: [[f64; LAYER_COUNT]; LAYER_COUNT] = [
    [ 1.00,  0.75,  0.00, -0.56, -0.58, -0.03],
    [ 0.75,  1.00,  0.16, -0.64, -0.60, -0.27],
    [ 0.00,  0.16,  1.00,  0.18, -0.61, -0.51],
    [-0.56, -0.64,  0.18,  1.00,  0.37, -0.25],
    [-0.58, -0.60, -0.61,  0.37,  1.00,  0.30],
    [-0.03, -0.27, -0.51, -0.25,  0.30,  1.00],
];
/// The same thirds in the one expert-labelled BigBrain patch at full resolution: absorbed share of the light of bare
/// glass (grey 246.6 of 255) over its mean in the cortex, 0.473. High contrast, one place.
const PATCH_ABSORBANCE: Thirds = [
    [0.721, 0.696, 0.732],
    [0.975, 0.970, 0.979],
    [0.956, 1.034, 1.186],
    [1.144, 1.121, 1.152],
    [1.142, 1.078, 1.104],
    [1.074, 0.977, 0.945],
];

/// Layer IV of a split area, relative: dense, the pale stripe of Gennari, dense.
const SPLIT_FOUR: [f64; 3] = [1.08, 0.80, 1.12];
/// Share of a layer over which it passes into the next, at either end.
const EDGE: f64 = 0.12;
/// Share of the variance that is between areas: what two places 8 to 10 mm apart still have in common.
const BETWEEN_AREAS: f64 = 0.35;
/// Correlation length of the rest, mm: the covariance falls to 0.7 at 2 mm and to 0.5 at 5 mm, areas included.
const STAIN_LENGTH_MM: f64 = 2.0;
/// Contrasts of phantoms that are not told theirs.
const CONTRASTS: [f64; 2] = [0.3, 1.2];

/// How far beyond pia and white surface tissue is painted before it is plain, mm.
pub(crate) const OUTSIDE_MM: f64 = 0.4;
pub(crate) const INSIDE_MM: f64 = 1.2;

/// Absorbances that hold for the whole phantom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings {
    pub outside: f64,
    pub white: f64,
    /// Mean of the cortex.
    pub grey: f64,
    /// Added at the pia: a dark line of pial cells and vessels.
    pub pia: f64,
    /// Length over which layer VI fades into the white matter, mm; 0 is abrupt.
    pub fading_mm: f64,
}

/// Absorbance along the column of one vertex.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    thirds: Thirds,
    /// Values at the seven boundaries.
    joints: [f64; LAYER_COUNT + 1],
    /// Layer I down to this depth (0 none, 1 all) is torn off.
    pub torn: f64,
}

/// The staining of a phantom: surroundings and a column for every vertex.
pub(crate) struct Staining {
    pub surroundings: Surroundings,
    pub columns: Vec<Column>,
    graded: bool,
}

impl Staining {
    pub(crate) fn new(
        seed: u64,
        stain: Stain,
        contrast: Option<f64>,
        torn_share: f64,
        areas: &Areas,
        sheet: &Sheet,
    ) -> Self {
        let torn = SmoothField::named(seed, Purpose::Torn, 0, 1.5);
        let threshold = normal_quantile(1.0 - torn_share);
        let torn = |p: DVec3| if torn_share > 0.0 { ((torn.at(p) - threshold) * 3.0).clamp(0.0, 1.0) } else { 0.0 };
        match stain {
            Stain::Constant(values) => {
                let thirds: Thirds = std::array::from_fn(|k| [values[k + 1]; 3]);
                let grey = values[1..=LAYER_COUNT].iter().sum::<f64>() / LAYER_COUNT as f64;
                let surroundings =
                    Surroundings { outside: values[0], white: values[7], grey, pia: 0.0, fading_mm: 0.0 };
                let column = |p: &DVec3| Column { thirds, joints: [0.0; LAYER_COUNT + 1], torn: torn(*p) };
                Self { surroundings, columns: sheet.unfolded.iter().map(column).collect(), graded: false }
            }
            Stain::Drawn => Self::drawn(seed, contrast, areas, sheet, torn),
        }
    }

    fn drawn(seed: u64, contrast: Option<f64>, areas: &Areas, sheet: &Sheet, torn: impl Fn(DVec3) -> f64) -> Self {
        let mut rng = stream(seed, Purpose::Stain, 0);
        let grey = uniform(&mut rng, [0.25, 0.50]);
        let drawn_contrast = uniform(&mut rng, CONTRASTS);
        let contrast = contrast.unwrap_or(drawn_contrast);
        let spread = uniform(&mut rng, [0.7, 1.1]);
        // Mostly clean glass; sometimes embedding medium, arachnoid and blood.
        let murky = uniform(&mut rng, [0.0, 1.0]) < 0.25;
        let surroundings = Surroundings {
            outside: uniform(&mut rng, if murky { [0.06, 0.2] } else { [0.0, 0.06] }),
            white: grey * uniform(&mut rng, [0.5, 0.82]),
            grey,
            pia: uniform(&mut rng, [0.0, 0.08]),
            fading_mm: uniform(&mut rng, [0.04, 0.3]),
        };
        let covariance = std::array::from_fn(|i| {
            std::array::from_fn(|j| {
                BIGBRAIN_DARKNESS_CORRELATION[i][j] * BIGBRAIN_DARKNESS_SD[i] * BIGBRAIN_DARKNESS_SD[j]
            })
        });
        let factor = cholesky(&covariance);
        let fields: Vec<_> =
            (1..=LAYER_COUNT).map(|k| SmoothField::named(seed, Purpose::Stain, k, STAIN_LENGTH_MM)).collect();
        let template = |layer: usize, third: usize| {
            let smooth = 1.0 - (1.0 - grey) * (1.0 - BIGBRAIN_DARKNESS[layer][third]);
            smooth + contrast * (grey * PATCH_ABSORBANCE[layer][third] - smooth)
        };
        let column = |&p: &DVec3| {
            let place = areas.place(p);
            let split = areas.blend(&place, |a| f64::from(u8::from(a.kind == Kind::SplitFour)));
            let deviates: [f64; LAYER_COUNT] = std::array::from_fn(|k| {
                BETWEEN_AREAS.sqrt() * areas.blend(&place, |a| a.stain[k])
                    + (1.0 - BETWEEN_AREAS).sqrt() * fields[k].at(p)
            });
            let thirds = std::array::from_fn(|k| {
                // Relative darkness refers to the light that comes through.
                let offset = (0..=k).map(|j| factor[k][j] * deviates[j]).sum::<f64>() * spread * (1.0 - grey);
                std::array::from_fn(|third| {
                    let stripe = if k == 3 { 1.0 + split * (SPLIT_FOUR[third] - 1.0) } else { 1.0 };
                    ((template(k, third) + offset) * stripe).clamp(0.02, 0.95)
                })
            });
            Column::graded(thirds, surroundings.white, torn(p))
        };
        Self { columns: sheet.unfolded.iter().map(column).collect(), surroundings, graded: true }
    }

    /// Absorbance in slot 0 (outside, `tau` from 0 at [`OUTSIDE_MM`] to 1 at the pia), 1..=6 (layers, `tau` from
    /// top to bottom), 7 (white matter, `tau` from 0 at the white surface to 1 at [`INSIDE_MM`]).
    pub(crate) fn absorbance(&self, column: &Column, slot: usize, tau: f64) -> f64 {
        let around = &self.surroundings;
        match slot {
            0 => around.outside,
            7 if around.fading_mm > 0.0 => {
                let start = column.joints[LAYER_COUNT];
                around.white + (start - around.white) * (-tau * INSIDE_MM / around.fading_mm).exp()
            }
            7 => around.white,
            _ if !self.graded => column.thirds[slot - 1][0],
            _ => {
                let pia = if slot == 1 { around.pia * (1.0 - tau / 0.2).max(0.0) } else { 0.0 };
                column.layer(slot - 1, tau) + pia
            }
        }
    }
}

impl Column {
    fn graded(thirds: Thirds, white: f64, torn: f64) -> Self {
        let joints = std::array::from_fn(|k| match k {
            0 => thirds[0][0],
            LAYER_COUNT => thirds[LAYER_COUNT - 1][2].midpoint(white),
            _ => thirds[k - 1][2].midpoint(thirds[k][0]),
        });
        Self { thirds, joints, torn }
    }

    /// Piecewise linear: joint, upper, middle, lower value, joint.
    fn layer(&self, layer: usize, tau: f64) -> f64 {
        let [upper, middle, lower] = self.thirds[layer];
        let (from, to, share) = if tau < EDGE {
            (self.joints[layer], upper, tau / EDGE)
        } else if tau < 0.5 {
            (upper, middle, (tau - EDGE) / (0.5 - EDGE))
        } else if tau < 1.0 - EDGE {
            (middle, lower, (tau - 0.5) / (0.5 - EDGE))
        } else {
            (lower, self.joints[layer + 1], (tau - 1.0 + EDGE) / EDGE)
        };
        from + (to - from) * share
    }
}

/// Quantile of the standard normal distribution (Abramowitz and Stegun 26.2.23, error below 4.5e-4).
fn normal_quantile(probability: f64) -> f64 {
    let tail = (1.0 - probability).clamp(1e-9, 1.0 - 1e-9);
    let (tail, sign) = if tail <= 0.5 { (tail, 1.0) } else { (1.0 - tail, -1.0) };
    let t = (-2.0 * tail.ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    sign * (t - above / below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_normal_distribution() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.959_964), (0.05, -1.644_854), (0.999, 3.090_232)] {
            assert!((normal_quantile(p) - z).abs() < 1e-3, "{p}");
        }
    }

    #[test]
    fn columns_are_continuous() {
        let column = Column::graded(std::array::from_fn(|k| [0.1 * k as f64, 0.2, 0.3]), 0.05, 0.0);
        for layer in 0..LAYER_COUNT - 1 {
            assert!((column.layer(layer, 1.0) - column.layer(layer + 1, 0.0)).abs() < 1e-12);
        }
        for layer in 0..LAYER_COUNT {
            for tau in [EDGE, 0.5, 1.0 - EDGE] {
                assert!((column.layer(layer, tau - 1e-9) - column.layer(layer, tau + 1e-9)).abs() < 1e-6);
            }
        }
    }
}
