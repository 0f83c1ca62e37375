use crate::support::{Random, Stopped, assert_cancelled, sphere_ribbon, with_threads};
use brainmesh_core::{
    BOUNDARY_COUNT, ClassProbabilities, LayerBoundaries, RayDefect, RayOutcome, RaySet, Ribbon, Silent, WorldPoint,
};
use brainmesh_meshing::{
    DecodeOptions, SmoothOptions, Smoothed, Smoothing, certify, decode, extended_rays, fill, layer_surfaces,
    ribbon_rays, smooth_boundaries, thickness_mm,
};
use ndarray::{Array2, Array3};

/// Relative depths of the boundaries in the tests.
const DEPTHS: [f64; BOUNDARY_COUNT] = [0.0, 0.1, 0.2, 0.45, 0.55, 0.75, 1.0];

fn boundaries_at(
    rays: &RaySet,
    depth: impl Fn(usize, usize) -> f64,
    sd_mm: impl Fn(usize, usize) -> f64,
) -> LayerBoundaries {
    let at = |(ray, k): (usize, usize)| {
        (rays.pial_t(ray) + depth(ray, k) * (rays.white_t(ray) - rays.pial_t(ray))).clamp(0.0, 1.0)
    };
    let mut t = Array2::from_shape_fn((rays.len(), BOUNDARY_COUNT), at);
    for mut row in t.outer_iter_mut() {
        let mut sorted = row.to_vec();
        sorted.sort_by(f64::total_cmp);
        row.iter_mut().zip(sorted).for_each(|(t, s)| *t = s);
    }
    let sd_mm = Array2::from_shape_fn((rays.len(), BOUNDARY_COUNT), |(ray, k)| sd_mm(ray, k));
    LayerBoundaries::new(t, sd_mm, vec![RayOutcome::Measured; rays.len()]).unwrap()
}

#[test]
fn a_sphere_comes_back_with_its_radii() {
    let (pial_mm, white_mm) = (30.0, 27.5);
    let ribbon = sphere_ribbon(4, pial_mm, white_mm);
    let rays = extended_rays(&ribbon, 0.5).unwrap();
    // What a network would say of concentric layers: soft steps, blurred over 0.05 mm.
    let radii = DEPTHS.map(|d| pial_mm - d * (pial_mm - white_mm));
    let samples = 200;
    let values = Array3::from_shape_fn((rays.len(), 8, samples), |(ray, s, i)| {
        let radius = rays.point(ray, i as f64 / (samples - 1) as f64).0.length();
        let past = |k: usize| 1.0 / (1.0 + ((radius - radii[k]) / 0.05).exp());
        let (from, to) = (if s == 0 { 1.0 } else { past(s - 1) }, if s == 7 { 0.0 } else { past(s) });
        (from - to) as f32
    });
    let probabilities = ClassProbabilities::new(values).unwrap();
    let none = vec![None; rays.len()];
    let decoded = decode(&probabilities, &rays, &none, &DecodeOptions::default(), &Silent).unwrap();
    let neighbours = ribbon.neighbours();
    let filled = fill(&decoded, &rays, &neighbours).unwrap();
    let smooth = smooth_boundaries(&filled, &ribbon, &rays, &SmoothOptions::default(), &Silent).unwrap().boundaries;
    let surfaces = layer_surfaces(&ribbon, &rays, &smooth).unwrap();
    for (surface, radius) in surfaces.surfaces().iter().zip(radii) {
        assert_eq!(surface.euler_characteristic(), 2);
        for v in surface.vertices() {
            // A hundredth of the thinnest layer would be 2.5 um; a ray sample is 18 um.
            assert!((v.0.length() - radius).abs() < 0.005, "{} for {radius}", v.0.length());
        }
        // The facets of the sphere itself take 0.4 % from its volume.
        let sphere = 4.0 / 3.0 * std::f64::consts::PI * radius.powi(3);
        assert!((surface.signed_volume_mm3() / sphere - 1.0).abs() < 0.01);
    }
    let thickness = thickness_mm(&rays, &smooth);
    for row in thickness.outer_iter() {
        assert!((row[0] / (pial_mm - white_mm) - 1.0).abs() < 0.01);
        for layer in 0..6 {
            assert!((row[1 + layer] - (radii[layer] - radii[layer + 1])).abs() < 0.005, "{row}");
        }
    }
    assert!(certify(&surfaces, &ribbon, &smooth, &Silent).unwrap().is_clean());
}

#[test]
fn holes_are_filled_from_around_and_the_rest_stays_missing() {
    let ribbon = sphere_ribbon(3, 30.0, 27.0);
    let rays = extended_rays(&ribbon, 0.5).unwrap();
    // Depth changes linearly with height, so that a mean over symmetric neighbours gives it back.
    let depth = |ray: usize, k: usize| {
        let z = ribbon.pial().vertices()[ray].0.z / 30.0;
        if k == 0 || k == 6 { DEPTHS[k] } else { DEPTHS[k] + 0.04 * z }
    };
    let measured = boundaries_at(&rays, depth, |_, _| 0.05);
    let mut outcomes = measured.outcomes().to_vec();
    let (mut t, mut sd) = (measured.t().clone(), measured.sd_mm().clone());
    let neighbours = ribbon.neighbours();
    let hole: Vec<usize> = std::iter::once(300).chain(neighbours.of(300).iter().map(|&v| v as usize)).collect();
    let lose =
        |ray: usize, defect: RayDefect, outcomes: &mut Vec<RayOutcome>, t: &mut Array2<f64>, sd: &mut Array2<f64>| {
            outcomes[ray] = RayOutcome::Missing(defect);
            t.row_mut(ray).fill(0.5);
            sd.row_mut(ray).fill(f64::INFINITY);
        };
    for &ray in &hole {
        lose(ray, RayDefect::WeakEvidence, &mut outcomes, &mut t, &mut sd);
    }
    lose(100, RayDefect::NoCortex, &mut outcomes, &mut t, &mut sd);
    lose(500, RayDefect::Masked, &mut outcomes, &mut t, &mut sd);
    let filled = fill(&LayerBoundaries::new(t, sd, outcomes).unwrap(), &rays, &neighbours).unwrap();
    for ray in 0..rays.len() {
        let found = filled.t().row(ray);
        if hole.contains(&ray) {
            assert_eq!(filled.outcomes()[ray], RayOutcome::Filled(RayDefect::WeakEvidence));
            for k in 0..BOUNDARY_COUNT {
                assert!((found[k] - measured.t()[[ray, k]]).abs() < 0.01, "boundary {k}: {found}");
                // No surer than those it comes from.
                assert!(filled.sd_mm()[[ray, k]] >= 0.05 - 1e-12 && filled.sd_mm()[[ray, k]] < 0.2);
            }
        } else if ray == 100 || ray == 500 {
            assert!(!filled.outcomes()[ray].has_layers());
            assert!(filled.sd_mm().row(ray).iter().all(|s| s.is_infinite()));
        } else {
            assert_eq!(found, measured.t().row(ray));
        }
    }
    let thickness = thickness_mm(&rays, &filled);
    let missing: Vec<usize> = (0..rays.len()).filter(|&r| thickness.row(r).iter().any(|x| x.is_nan())).collect();
    assert_eq!(missing, [100, 500]);
}

/// A sphere whose boundaries vary slowly, with a border where two of them step by 0.12 of the ribbon (0.3 mm).
struct Border {
    ribbon: Ribbon,
    rays: RaySet,
    truth: Vec<[f64; BOUNDARY_COUNT]>,
}

impl Border {
    fn new() -> Self {
        let ribbon = sphere_ribbon(5, 20.0, 17.5);
        let rays = ribbon_rays(&ribbon).unwrap();
        let truth = (0..rays.len())
            .map(|ray| {
                let WorldPoint(p) = ribbon.pial().vertices()[ray];
                let wave = 0.02 * (p.x / 4.0).sin();
                let step = if p.z > 0.0 { -0.12 } else { 0.0 };
                std::array::from_fn(|k| match k {
                    0 | 6 => DEPTHS[k],
                    3 | 4 => DEPTHS[k] + wave + step,
                    _ => DEPTHS[k] + wave,
                })
            })
            .collect();
        Self { ribbon, rays, truth }
    }

    /// Measurements with noise of 0.1 mm and, at some rays, an error of 0.7 mm.
    fn measured(&self, outliers: f64) -> LayerBoundaries {
        let mut random = Random(6);
        let noise: Vec<f64> = (0..self.rays.len() * BOUNDARY_COUNT)
            .map(|_| 0.04 * random.normal() + if random.uniform() < outliers { 0.28 } else { 0.0 })
            .collect();
        let at = |ray: usize, k: usize| {
            if k == 0 || k == 6 { DEPTHS[k] } else { self.truth[ray][k] + noise[ray * BOUNDARY_COUNT + k] }
        };
        boundaries_at(&self.rays, at, |_, k| if k == 0 || k == 6 { 0.0 } else { 0.1 })
    }

    /// Root mean square error of the inner boundaries in mm over the rays that `chosen` selects by height above the
    /// border.
    fn error_mm(&self, found: &LayerBoundaries, chosen: impl Fn(f64) -> bool) -> f64 {
        let (mut sum, mut n) = (0.0, 0.0);
        for ray in (0..self.rays.len()).filter(|&r| chosen(self.ribbon.pial().vertices()[r].0.z)) {
            for k in 1..6 {
                sum += ((found.t()[[ray, k]] - self.truth[ray][k]) * 2.5).powi(2);
                n += 1.0;
            }
        }
        (sum / n).sqrt()
    }

    /// Its noise differs from ray to ray.
    fn smooth(&self, measured: &LayerBoundaries, smoothing: Smoothing) -> Smoothed {
        let options = SmoothOptions { smoothing, ..SmoothOptions::default() };
        smooth_boundaries(measured, &self.ribbon, &self.rays, &options, &Silent).unwrap()
    }
}

#[test]
fn smoothing_takes_the_noise_and_leaves_the_border() {
    let border = Border::new();
    for outliers in [0.0, 0.02] {
        let measured = border.measured(outliers);
        let Smoothed { boundaries: found, lengths_mm } = border.smooth(&measured, Smoothing::Auto { seed: 1609 });
        assert!(lengths_mm.iter().all(|&l| l > 0.0));
        let before_mm = border.error_mm(&measured, |_| true);
        assert!(before_mm > 0.09);
        // Away from the border a fifth of the noise is left; within an edge of it less than half.
        let (far, near) = (border.error_mm(&found, |z| z.abs() > 3.0), border.error_mm(&found, |z| z.abs() < 0.6));
        assert!(far < 0.2 * before_mm && near < 0.5 * before_mm, "{outliers}: {before_mm} to {far} and {near} mm");
        // Given surfaces stay exactly.
        assert!(found.t().outer_iter().all(|t| t[0] == 0.0 && t[6] == 1.0));
        assert!(found.sd_mm().outer_iter().all(|sd| sd[0] == 0.0 && sd[6] == 0.0));
    }
    // The border is still there: within 1 mm of it on either side (3 edges) most of the 0.3 mm step is left.
    let found = border.smooth(&border.measured(0.0), Smoothing::Auto { seed: 1609 }).boundaries;
    let mean = |low: f64, high: f64| {
        let rays: Vec<usize> =
            (0..border.rays.len()).filter(|&r| (low..high).contains(&border.ribbon.pial().vertices()[r].0.z)).collect();
        rays.iter().map(|&r| (found.t()[[r, 3]] - border.truth[r][3] + DEPTHS[3]) * 2.5).sum::<f64>()
            / rays.len() as f64
    };
    let lost = (mean(0.1, 1.0) - mean(-1.0, -0.1)).abs();
    assert!(lost < 0.1, "{lost} mm of the 0.3 mm step are lost");
}

#[test]
fn a_sure_ray_hardly_moves_and_an_unsure_one_follows() {
    let border = Border::new();
    let target = 2000;
    let off = |ray: usize, k: usize| DEPTHS[k] + if ray == target && (1..6).contains(&k) { 0.04 } else { 0.0 };
    let moved = |sd_mm: f64| {
        let measured = boundaries_at(&border.rays, off, |ray, k| match (ray == target, k) {
            (_, 0 | 6) => 0.0,
            (true, _) => sd_mm,
            (false, _) => 0.1,
        });
        let found = border.smooth(&measured, Smoothing::LengthMm(2.0)).boundaries;
        (DEPTHS[3] + 0.04 - found.t()[[target, 3]]) / 0.04
    };
    assert!(moved(0.005) < 0.2, "{}", moved(0.005));
    assert!(moved(0.5) > 0.9, "{}", moved(0.5));
}

#[test]
fn order_holds_whatever_comes_in() {
    let ribbon = sphere_ribbon(3, 20.0, 17.5);
    let rays = extended_rays(&ribbon, 0.5).unwrap();
    let mut random = Random(12);
    for _ in 0..5 {
        let t: Vec<[f64; BOUNDARY_COUNT]> = (0..rays.len())
            .map(|_| {
                let mut t: [f64; BOUNDARY_COUNT] = std::array::from_fn(|_| random.uniform());
                t.sort_by(f64::total_cmp);
                t
            })
            .collect();
        let sd: Vec<f64> =
            (0..rays.len() * BOUNDARY_COUNT).map(|_| 10f64.powf(-4.0 + 5.0 * random.uniform())).collect();
        let measured = LayerBoundaries::new(
            Array2::from_shape_fn((rays.len(), BOUNDARY_COUNT), |(r, k)| t[r][k]),
            Array2::from_shape_fn((rays.len(), BOUNDARY_COUNT), |(r, k)| sd[r * BOUNDARY_COUNT + k]),
            vec![RayOutcome::Measured; rays.len()],
        )
        .unwrap();
        for smoothing in [Smoothing::LengthMm(0.1), Smoothing::LengthMm(100.0), Smoothing::Auto { seed: 3 }] {
            let options = SmoothOptions { smoothing, min_gap_mm: 0.05, ..SmoothOptions::default() };
            // `LayerBoundaries` refuses positions out of order.
            let found = smooth_boundaries(&measured, &ribbon, &rays, &options, &Silent).unwrap().boundaries;
            for (ray, (after, before)) in found.t().outer_iter().zip(measured.t().outer_iter()).enumerate() {
                for k in 0..6 {
                    // The gap holds, but for layers that were measured thinner, unless the end of the ray is in the way.
                    let gap = (0.05 / rays.length_mm(ray)).min(before[k + 1] - before[k]);
                    let at_end = after[k] == 0.0 || after[k + 1] == 1.0;
                    assert!(after[k + 1] - after[k] >= gap - 1e-9 || at_end, "{ray} {k}: {after} from {before}");
                }
            }
        }
    }
}

#[test]
fn boundary_smoothing_stops_and_does_not_depend_on_threads() {
    let border = Border::new();
    let measured = border.measured(0.01);
    let run = |monitor: &dyn brainmesh_core::Monitor| {
        smooth_boundaries(&measured, &border.ribbon, &border.rays, &SmoothOptions::default(), monitor)
    };
    assert_cancelled(run(&Stopped));
    with_threads(|| run(&Silent).unwrap());
}
