//! What a phantom says of itself: known layers, missing tissue, smooth and rough truth.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use brainmesh_core::{RaySet, Silent, VoxelPoint};
use brainmesh_phantom::{Artefacts, Folding, Phantom, PhantomOptions, RibbonPatch, Shape, Sphere};
use std::sync::Arc;

fn folded(seed: u64, artefacts: Artefacts) -> PhantomOptions {
    PhantomOptions {
        seed,
        spacing_mm: 0.1,
        extent_mm: Some([10.0, 10.0, 12.0]),
        artefacts,
        surface_error_mm: 0.0,
        shape: Shape::Folded(Folding { edge_mm: 0.4, ..Folding::default() }),
        ..PhantomOptions::default()
    }
}

/// Straight lines through corresponding vertices, half a millimetre longer at both ends.
fn rays(phantom: &Phantom) -> RaySet {
    let (pial, white) = (phantom.given_ribbon().pial().vertices(), phantom.given_ribbon().white().vertices());
    let (mut outer, mut inner, mut pial_t, mut white_t) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (p, w) in pial.iter().zip(white) {
        let length = p.distance_mm(*w);
        outer.push(p.lerp(*w, -0.5 / length));
        inner.push(p.lerp(*w, 1.0 + 0.5 / length));
        pial_t.push(0.5 / (length + 1.0));
        white_t.push((length + 0.5) / (length + 1.0));
    }
    RaySet::new(outer, inner, pial_t, white_t).unwrap()
}

#[test]
fn known_layers_stand_where_they_were_found() {
    let sphere = Sphere { radii_mm: [20.0, 19.8, 19.6, 19.0, 18.7, 18.2, 17.5], subdivisions: 4 };
    let whole =
        PhantomOptions { shape: Shape::Sphere(sphere), spacing_mm: 1.0, extent_mm: None, ..folded(0, Artefacts::NONE) };
    let ribbon = Phantom::make(&whole, &Silent).unwrap().true_ribbon().clone();
    let layers_mm = vec![[0.25, 0.25, 0.5, 0.0, 0.5, 1.0]; ribbon.len()];
    let patch = RibbonPatch {
        ribbon: Arc::new(ribbon),
        centre: 100,
        radius_mm: 5.0,
        edge_mm: 1.0,
        layers_mm: Some(Arc::new(layers_mm)),
    };
    let options = PhantomOptions { shape: Shape::Ribbon(patch), spacing_mm: 0.2, ..whole };
    let phantom = Phantom::make(&options, &Silent).unwrap();
    for row in phantom.boundary_fractions().outer_iter() {
        for (found, expected) in row.iter().zip([0.0, 0.1, 0.2, 0.4, 0.4, 0.6, 1.0]) {
            assert!((found - expected).abs() < 1e-9);
        }
    }
}

#[test]
fn whole_tissue_lacks_nothing() {
    let phantom = Phantom::make(&folded(3, Artefacts::NONE), &Silent).unwrap();
    assert!(phantom.missing_mm(&rays(&phantom)).unwrap().iter().all(|&mm| mm == 0.0));
}

#[test]
fn missing_tissue_is_glass() {
    let artefacts = Artefacts { torn_layer_one: 0.3, tears: 10.0, ..Artefacts::NONE };
    let options = PhantomOptions { contrast: Some(1.0), ..folded(5, artefacts) };
    let (damaged, whole) = (
        Phantom::make(&options, &Silent).unwrap(),
        Phantom::make(&PhantomOptions { artefacts: Artefacts::NONE, ..options }, &Silent).unwrap(),
    );
    let rays = rays(&damaged);
    let missing = damaged.missing_mm(&rays).unwrap();
    assert!(missing.iter().filter(|&&mm| mm > 0.1).count() > 20);
    // Longest stretch of each ray on which the damaged volume is nearer to glass than to the whole one.
    let glass = whole.volume().data().iter().copied().fold(0.0, f32::max);
    let (mut agreeing, mut compared) = (0, 0);
    for (ray, missing_mm) in missing.iter().enumerate() {
        let steps = (rays.length_mm(ray) / 0.02) as usize;
        let value = |phantom: &Phantom, s: usize| {
            let p = rays.point(ray, s as f64 * 0.02 / rays.length_mm(ray));
            let v: VoxelPoint = phantom.volume().grid().voxel_from_world(p);
            let [i, j, k] = v.0.round().to_array().map(|c| c as usize);
            phantom.volume().get(i, j, k).unwrap_or(f32::NAN)
        };
        let near_glass = |s: &usize| {
            let (damaged, whole) = (value(&damaged, *s), value(&whole, *s));
            damaged - whole > 0.5 * (glass - whole) && glass - whole > 0.02 * glass
        };
        let (mut differing, mut here) = (0.0f64, 0.0);
        for s in 0..steps {
            here = if near_glass(&s) { here + 0.02 } else { 0.0 };
            differing = differing.max(here);
        }
        compared += 1;
        agreeing += usize::from((differing - missing_mm).abs() < 0.1);
    }
    assert!(agreeing * 20 > compared * 19, "{agreeing} of {compared} rays");
}

#[test]
fn rough_truth_changes_the_layers_and_not_the_ribbon() {
    let smooth = PhantomOptions { detail_mm: 5.0, ..folded(7, Artefacts::NONE) };
    let rough = PhantomOptions { detail_mm: 0.5, ..smooth.clone() };
    let [smooth, rough] = [smooth, rough].map(|options| Phantom::make(&options, &Silent).unwrap());
    // Root mean square step of the boundaries along edges, as shares of the ribbon.
    let step = |phantom: &Phantom| {
        let neighbours = phantom.true_ribbon().neighbours();
        let (mut sum, mut n) = (0.0, 0.0);
        for v in 0..phantom.true_ribbon().len() {
            for &j in neighbours.of(v) {
                for k in 1..6 {
                    let f = phantom.boundary_fractions();
                    sum += (f[[v, k]] - f[[j as usize, k]]).powi(2);
                    n += 1.0;
                }
            }
        }
        f64::sqrt(sum / n)
    };
    assert!(step(&rough) > 2.0 * step(&smooth), "{} and {}", step(&rough), step(&smooth));
}
