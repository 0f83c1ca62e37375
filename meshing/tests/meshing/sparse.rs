//! Rays at some vertices alone.

use crate::support::{Random, Stopped, assert_cancelled, sphere_ribbon};
use brainmesh_core::{BOUNDARY_COUNT, LayerBoundaries, RayDefect, RayOutcome, RaySet, Ribbon, Silent, WorldPoint};
use brainmesh_meshing::{
    AttachedRays, RefusedRays, SmoothOptions, attach_rays, extended_rays, fill, smooth_boundaries,
};
use ndarray::Array2;

const DEPTHS: [f64; BOUNDARY_COUNT] = [0.0, 0.1, 0.2, 0.45, 0.55, 0.75, 1.0];
/// Standard deviation of the measurements, mm.
const NOISE_MM: f64 = 0.05;

/// A sphere of 2.5 mm thick cortex whose boundaries wave smoothly by about 0.06 mm.
struct Waves {
    ribbon: Ribbon,
    rays: RaySet,
    truth_mm: Vec<[f64; BOUNDARY_COUNT]>,
}

impl Waves {
    fn new() -> Self {
        let ribbon = sphere_ribbon(5, 20.0, 17.5);
        let rays = extended_rays(&ribbon, 0.5).unwrap();
        let truth_mm = ribbon
            .pial()
            .vertices()
            .iter()
            .map(|WorldPoint(p)| {
                std::array::from_fn(|k| {
                    let wave = ((p.x + k as f64) / 5.0).sin() + (p.y / 7.0).cos() * (p.z / 6.0).sin();
                    2.5 * DEPTHS[k] + 0.06 * wave
                })
            })
            .collect();
        Self { ribbon, rays, truth_mm }
    }

    /// Noisy measurements where `stands`, nothing elsewhere.
    fn measured(&self, stands: impl Fn(usize) -> bool) -> LayerBoundaries {
        let mut random = Random(4);
        let n = self.rays.len();
        let mut t = Array2::from_shape_fn((n, BOUNDARY_COUNT), |(ray, k)| {
            (0.5 + self.truth_mm[ray][k] + NOISE_MM * random.normal()) / self.rays.length_mm(ray)
        });
        for mut row in t.outer_iter_mut() {
            (1..BOUNDARY_COUNT).for_each(|k| row[k] = row[k].max(row[k - 1]));
        }
        let sd = |(ray, _): (usize, usize)| if stands(ray) { NOISE_MM } else { f64::INFINITY };
        let outcome = |ray| if stands(ray) { RayOutcome::Measured } else { RayOutcome::Missing(RayDefect::NotSampled) };
        LayerBoundaries::new(t, Array2::from_shape_fn((n, BOUNDARY_COUNT), sd), (0..n).map(outcome).collect()).unwrap()
    }

    fn interpolated(&self, stands: impl Fn(usize) -> bool) -> LayerBoundaries {
        let filled = fill(&self.measured(stands), &self.rays, &self.ribbon.neighbours()).unwrap();
        let options = SmoothOptions { samples: 100, ..SmoothOptions::default() };
        smooth_boundaries(&filled, &self.ribbon, &self.rays, &options, &Silent).unwrap().boundaries
    }

    /// Mean error in mm and share of the truth within 90 % intervals, over the vertices chosen.
    fn score(&self, found: &LayerBoundaries, chosen: impl Fn(usize) -> bool) -> (f64, f64) {
        let (mut sum, mut covered, mut n) = (0.0, 0.0, 0.0);
        for ray in (0..self.rays.len()).filter(|&r| chosen(r)) {
            for k in 0..BOUNDARY_COUNT {
                let error = (found.t()[[ray, k]] * self.rays.length_mm(ray) - 0.5 - self.truth_mm[ray][k]).abs();
                sum += error;
                covered += f64::from(u8::from(error <= 1.645 * found.sd_mm()[[ray, k]]));
                n += 1.0;
            }
        }
        (sum / n, covered / n)
    }
}

#[test]
fn a_tenth_of_the_rays_is_nearly_as_good_as_all_where_the_truth_is_smooth() {
    let waves = Waves::new();
    let stands = |ray: usize| (ray * 7919).is_multiple_of(10);
    let (all, some) = (waves.interpolated(|_| true), waves.interpolated(stands));
    let ((all_mm, all_covered), (some_mm, some_covered)) = (waves.score(&all, |_| true), waves.score(&some, |_| true));
    assert!(all_mm < 0.4 * NOISE_MM && some_mm < 2.5 * all_mm && some_mm < 0.5 * NOISE_MM, "{all_mm} {some_mm} mm");
    for covered in [all_covered, some_covered] {
        // The field may be rougher than this truth: wider intervals are no fault here, narrower ones are.
        assert!(covered > 0.85, "{all_covered} {some_covered}");
    }
    for ray in 0..waves.rays.len() {
        let expected = if stands(ray) { RayOutcome::Measured } else { RayOutcome::Filled(RayDefect::NotSampled) };
        assert_eq!(some.outcomes()[ray], expected);
        assert!(some.sd_mm().row(ray).iter().all(|sd| sd.is_finite() && *sd > 0.0));
    }
}

#[test]
fn between_traced_sections_doubt_grows_with_distance_and_covers_the_error() {
    let waves = Waves::new();
    let height = |ray: usize| waves.ribbon.pial().vertices()[ray].0.z;
    let distance = |ray: usize| {
        [-14.0, -7.0, 0.0, 7.0, 14.0].iter().map(|z: &f64| (height(ray) - z).abs()).fold(f64::INFINITY, f64::min)
    };
    let found = waves.interpolated(|ray| distance(ray) < 0.35);
    let mut last = 0.0;
    for (low, high) in [(0.0, 0.35), (0.35, 1.2), (1.2, 2.4), (2.4, 3.6)] {
        let near = |ray: usize| (low..high).contains(&distance(ray)) && height(ray).abs() < 17.0;
        let rays: Vec<usize> = (0..waves.rays.len()).filter(|&r| near(r)).collect();
        let sd = rays.iter().map(|&r| found.sd_mm()[[r, 3]]).sum::<f64>() / rays.len() as f64;
        let (error_mm, covered) = waves.score(&found, near);
        // A vertex beside the section has several of its rays around it: doubt may fall before it grows.
        let grows = sd > last || low == 0.35;
        assert!(grows && error_mm < 0.06, "{low} to {high} mm: sd {sd} after {last}, error {error_mm}");
        assert!(covered > 0.85, "{low} to {high} mm: {covered} covered");
        last = sd;
    }
}

fn attach(ribbon: &Ribbon, outer: &[WorldPoint], inner: &[WorldPoint], whole: bool) -> AttachedRays {
    let own = extended_rays(ribbon, 0.5).unwrap();
    attach_rays(ribbon, own, (outer, inner), 0.5, 1.0, whole, &Silent).unwrap()
}

#[test]
fn rays_stand_at_the_nearest_vertex_and_meet_the_surfaces_where_they_cross() {
    let ribbon = sphere_ribbon(4, 20.0, 17.5);
    let at = |vertex: usize, radius: f64| WorldPoint(ribbon.pial().vertices()[vertex].0 * (radius / 20.0));
    // Radial rays of unlike reach, one of them beside its vertex; one that runs outward; one far away; one too short.
    let beside = WorldPoint(glam::DVec3::new(0.1, -0.1, 0.05));
    let shifted = |vertex, radius| WorldPoint(at(vertex, radius).0 + beside.0);
    let outer = [at(5, 21.5), shifted(900, 20.5), at(40, 16.0), at(7, 60.0), at(70, 20.0), at(5, 20.5)];
    let inner = [at(5, 16.0), shifted(900, 17.0), at(40, 21.0), at(7, 50.0), at(70, 17.5), shifted(5, 17.0)];
    let found = attach(&ribbon, &outer, &inner, true);
    assert_eq!(found.refused, RefusedRays { far: 2, short: 1, second: 1 });
    let standing: Vec<(usize, usize)> =
        found.ray_of_vertex.iter().enumerate().filter_map(|(v, ray)| Some((v, (*ray)?))).collect();
    assert_eq!(standing, [(5, 0), (900, 1)]);
    for &(vertex, _) in &standing {
        let radius = |t: f64| found.rays.point(vertex, t).0.length();
        // The facets of the sphere lie up to 0.03 mm inside it.
        assert!((radius(found.rays.pial_t(vertex)) - 20.0).abs() < 0.05);
        assert!((radius(found.rays.white_t(vertex)) - 17.5).abs() < 0.05);
        assert!((found.rays.length_mm(vertex) - 3.5).abs() < 0.05);
    }
    // A ray that only says where it runs may be short: the volume knows the rest.
    assert_eq!(attach(&ribbon, &outer, &inner, false).refused.short, 0);
}

#[test]
fn intensities_are_read_where_the_attached_ray_runs() {
    let ribbon = sphere_ribbon(3, 20.0, 17.5);
    let at = |radius: f64| WorldPoint(ribbon.pial().vertices()[9].0 * (radius / 20.0));
    let found = attach(&ribbon, &[at(22.0)], &[at(16.0)], true);
    // Intensity is the radius.
    let given = Array2::from_shape_fn((1, 61), |(_, i)| 22.0 - 0.1 * i as f32);
    let values = found.resample(&given, 200).unwrap();
    for i in 0..200 {
        let radius = found.rays.point(9, i as f64 / 199.0).0.length();
        assert!((f64::from(values[[9, i]]) - radius).abs() < 1e-4);
    }
    assert!(values.row(8).iter().all(|v| *v == 0.0));
    assert!(found.resample(&given.slice(ndarray::s![.., ..1]).to_owned(), 200).is_err());
    // What is found half way down the given ray lies half way down the vertex's own.
    let n = ribbon.len();
    let t =
        Array2::from_shape_fn((n, BOUNDARY_COUNT), |(ray, _)| (found.rays.pial_t(ray) + found.rays.white_t(ray)) / 2.0);
    let sd = Array2::from_elem((n, BOUNDARY_COUNT), 0.1);
    let boundaries = LayerBoundaries::new(t, sd, vec![RayOutcome::Measured; n]).unwrap();
    let own = found.onto_own(&boundaries).unwrap();
    assert!((found.own.point(9, own.t()[[9, 3]]).0.length() - 18.75).abs() < 1e-9);
}

#[test]
fn odd_rays_are_refused_or_counted() {
    let ribbon = sphere_ribbon(2, 20.0, 17.5);
    let own = extended_rays(&ribbon, 0.5).unwrap();
    let p = WorldPoint::new;
    let refused = |outer: &[WorldPoint], inner: &[WorldPoint], farthest_mm: f64| {
        attach_rays(&ribbon, own.clone(), (outer, inner), 0.5, farthest_mm, true, &Silent).is_err()
    };
    assert!(refused(&[p(f64::NAN, 0.0, 0.0)], &[p(0.0, 0.0, 0.0)], 1.0));
    assert!(refused(&[p(0.0, 0.0, 20.0)], &[], 1.0));
    assert!(refused(&[], &[], 0.0));
    let far = [p(1e12, 0.0, 0.0), p(0.0, 0.0, 20.0), p(0.0, 0.0, 0.0)];
    let found = attach(&ribbon, &far, &[p(1e12, 0.0, 3.0), p(0.0, 0.0, 1e9), p(0.0, 0.0, 0.0)], true);
    assert_eq!(found.refused.far, 3);
    assert_cancelled(attach_rays(&ribbon, own, (&[p(0.0, 0.0, 21.0)], &[p(0.0, 0.0, 17.0)]), 0.5, 1.0, true, &Stopped));
}
