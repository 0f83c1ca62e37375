//! Torn and cracked tissue is found by what glass looks like.

use crate::support::{Random, sphere_ribbon};
use brainmesh_core::{BOUNDARY_COUNT, Channel, LayerBoundaries, Profiles, RayDefect, RayOutcome, RaySet};
use brainmesh_meshing::{extended_rays, mark_damage};
use ndarray::{Array2, Array3};

const SAMPLES: usize = 200;
const DEPTHS: [f64; BOUNDARY_COUNT] = [0.0, 0.1, 0.2, 0.45, 0.55, 0.75, 1.0];
/// Brightness outside, of layers I..VI and of white matter: dark where cells are dense.
const BRIGHTNESS: [f32; 8] = [1.0, 0.8, 0.45, 0.5, 0.35, 0.5, 0.55, 0.7];

/// Rays of a 2.5 mm thick sphere with noise, the right boundaries, and a stretch of glass on some (mm below the pia).
fn made(glass: impl Fn(usize) -> Option<(f64, f64)>, bright_is_dense: bool) -> (RaySet, Profiles, LayerBoundaries) {
    let rays = extended_rays(&sphere_ribbon(3, 20.0, 17.5), 0.5).unwrap();
    let n = rays.len();
    let mut random = Random(3);
    let values = Array3::from_shape_fn((n, 1, SAMPLES), |(ray, _, i)| {
        let below_pia = i as f64 / (SAMPLES - 1) as f64 * rays.length_mm(ray) - 0.5;
        let class = DEPTHS.iter().filter(|&&d| below_pia >= d * 2.5).count();
        let torn = glass(ray).is_some_and(|(from, to)| (from..to).contains(&below_pia));
        let value = BRIGHTNESS[if torn { 0 } else { class }] + 0.02 * random.normal() as f32;
        if bright_is_dense { 1.0 - value } else { value }
    });
    let profiles = Profiles::new(vec![Channel::Raw], values, vec![None; n]).unwrap();
    let t = Array2::from_shape_fn((n, BOUNDARY_COUNT), |(ray, k)| (0.5 + 2.5 * DEPTHS[k]) / rays.length_mm(ray));
    let boundaries =
        LayerBoundaries::new(t, Array2::from_elem((n, BOUNDARY_COUNT), 0.03), vec![RayOutcome::Measured; n]).unwrap();
    (rays, profiles, boundaries)
}

#[test]
fn torn_layer_one_and_cracks_are_found_whatever_the_polarity_and_vessels_are_not() {
    // Layer I torn off; a crack in layer III; half of layer I gone; a vessel; the rest intact.
    let glass = |ray: usize| match ray % 40 {
        0 => Some((0.0, 0.25)),
        10 => Some((0.7, 0.9)),
        20 => Some((0.0, 0.12)),
        30 => Some((0.6, 0.63)),
        _ => None,
    };
    for bright_is_dense in [false, true] {
        let (rays, profiles, boundaries) = made(glass, bright_is_dense);
        let found = mark_damage(&boundaries, &profiles, &rays, !bright_is_dense).unwrap();
        for ray in 0..rays.len() {
            let damaged = matches!(ray % 40, 0 | 10 | 20);
            let expected = if damaged { RayOutcome::Missing(RayDefect::Damaged) } else { RayOutcome::Measured };
            assert_eq!(found.outcomes()[ray], expected, "ray {ray}");
            assert_eq!(found.sd_mm().row(ray).iter().all(|sd| sd.is_infinite()), damaged);
            assert!(damaged || found.t().row(ray) == boundaries.t().row(ray));
        }
    }
}

#[test]
fn where_glass_looks_like_layer_one_nothing_is_marked() {
    let (rays, profiles, boundaries) = made(|_| None, false);
    // The other polarity: what lies outside is then darker than layer I.
    assert_eq!(mark_damage(&boundaries, &profiles, &rays, false).unwrap(), boundaries);
    let none = Profiles::new(vec![Channel::Depth], profiles.values().clone(), vec![None; rays.len()]).unwrap();
    assert_eq!(mark_damage(&boundaries, &none, &rays, true).unwrap(), boundaries);
}
