//! Spheres have exact answers.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use brainmesh_core::{BOUNDARY_COUNT, RaySet, Silent, VoxelPoint};
use brainmesh_phantom::{Artefacts, Phantom, PhantomOptions, Polarity, Shape, Sphere, Stain};
use std::f64::consts::PI;

const RADII_MM: [f64; 7] = [8.0, 7.7, 7.4, 6.7, 6.3, 5.8, 5.2];
const ABSORBED: [f64; 8] = [0.02, 0.2, 0.5, 0.35, 0.6, 0.4, 0.45, 0.1];

fn options() -> PhantomOptions {
    PhantomOptions {
        shape: Shape::Sphere(Sphere { radii_mm: RADII_MM, subdivisions: 5 }),
        spacing_mm: 0.1,
        artefacts: Artefacts::NONE,
        surface_error_mm: 0.0,
        stain: Stain::Constant(ABSORBED),
        ..PhantomOptions::default()
    }
}

/// Rays through corresponding vertices, half a millimetre longer at both ends.
fn rays(phantom: &Phantom) -> RaySet {
    let ribbon = phantom.given_ribbon();
    let (mut outer, mut inner, mut pial_t, mut white_t) = (vec![], vec![], vec![], vec![]);
    for (p, w) in ribbon.pial().vertices().iter().zip(ribbon.white().vertices()) {
        let length = p.distance_mm(*w);
        outer.push(p.lerp(*w, -0.5 / length));
        inner.push(p.lerp(*w, 1.0 + 0.5 / length));
        pial_t.push(0.5 / (length + 1.0));
        white_t.push((0.5 + length) / (length + 1.0));
    }
    RaySet::new(outer, inner, pial_t, white_t).unwrap()
}

#[test]
fn radii_volumes_and_intensities_are_the_ones_asked_for() {
    let phantom = Phantom::make(&options(), &Silent).unwrap();
    for (surface, radius) in phantom.layers().surfaces().iter().zip(RADII_MM) {
        assert!(surface.vertices().iter().all(|v| (v.0.length() - radius).abs() < 1e-9));
        assert!(surface.signed_volume_mm3() > 0.0);
        assert_eq!(surface.euler_characteristic(), 2);
    }
    let (labels, volume) = (phantom.labels(), phantom.volume());
    let [ni, nj, _] = labels.grid().shape();
    let mut counts = [0usize; 8];
    let mut interior = [(0.0, 0usize); 8];
    for (n, (&label, &value)) in labels.data().iter().zip(volume.data()).enumerate() {
        counts[label as usize] += 1;
        let p = VoxelPoint::new((n % ni) as f64, (n / ni % nj) as f64, (n / (ni * nj)) as f64);
        let r = labels.grid().world_from_voxel(p).0.length();
        // Away from boundaries there is no partial volume. 0.1 is more than half a voxel's diagonal.
        if RADII_MM.iter().all(|b| (r - b).abs() > 0.1) {
            interior[label as usize].0 += f64::from(value);
            interior[label as usize].1 += 1;
            let expected = RADII_MM.iter().take_while(|&&b| r < b).count();
            assert_eq!(usize::from(label), expected, "at radius {r}");
        }
    }
    let ball = |r: f64| 4.0 / 3.0 * PI * r.powi(3);
    for layer in 1..=6 {
        let analytic = ball(RADII_MM[layer - 1]) - ball(RADII_MM[layer]);
        let counted = counts[layer] as f64 * 1e-3;
        assert!((counted / analytic - 1.0).abs() < 0.01, "layer {layer}: {counted} mm3, expected {analytic}");
    }
    for (class, (sum, n)) in interior.into_iter().enumerate() {
        let expected = 65535.0 * (1.0 - ABSORBED[class]);
        assert!((sum / n as f64 - expected).abs() < 0.5, "class {class}: {}", sum / n as f64);
    }
}

#[test]
fn partial_volume_keeps_the_amount_of_stain() {
    // Absorbed light summed over all voxels is the integral over the shells, whatever the size of voxels.
    let amount = |spacing_mm: f64| {
        let o =
            PhantomOptions { spacing_mm, extent_mm: Some([19.2; 3]), polarity: Polarity::BrightIsDense, ..options() };
        let phantom = Phantom::make(&o, &Silent).unwrap();
        phantom.volume().data().iter().map(|&v| f64::from(v) / 65535.0).sum::<f64>() * spacing_mm.powi(3)
    };
    let ball = |r: f64| 4.0 / 3.0 * PI * r.powi(3);
    let mut expected = ABSORBED[0] * (19.2f64.powi(3) - ball(RADII_MM[0])) + ABSORBED[7] * ball(RADII_MM[6]);
    for layer in 1..=6 {
        expected += ABSORBED[layer] * (ball(RADII_MM[layer - 1]) - ball(RADII_MM[layer]));
    }
    for spacing_mm in [0.1, 0.2, 0.4] {
        let found = amount(spacing_mm);
        assert!((found / expected - 1.0).abs() < 0.005, "{spacing_mm} mm: {found}, expected {expected}");
    }
}

#[test]
fn truth_on_unperturbed_rays_is_the_construction() {
    let phantom = Phantom::make(&options(), &Silent).unwrap();
    let rays = rays(&phantom);
    let truth = phantom.truth_on_rays(&rays).unwrap();
    let total = RADII_MM[0] - RADII_MM[6];
    for row in truth.outer_iter() {
        for k in 0..BOUNDARY_COUNT {
            let expected = (0.5 + RADII_MM[0] - RADII_MM[k]) / (total + 1.0);
            assert!((row[k] - expected).abs() < 1e-6, "{row}: boundary {k}, expected {expected}");
        }
    }
}

#[test]
fn truth_on_shifted_rays_lies_on_the_true_spheres() {
    let o = PhantomOptions { surface_error_mm: 0.1, ..options() };
    let phantom = Phantom::make(&o, &Silent).unwrap();
    assert_ne!(phantom.given_ribbon(), phantom.true_ribbon());
    let rays = rays(&phantom);
    let truth = phantom.truth_on_rays(&rays).unwrap();
    for (ray, row) in truth.outer_iter().enumerate() {
        for k in 0..BOUNDARY_COUNT {
            let radius = rays.point(ray, row[k]).0.length();
            // Triangles of a sphere lie inside it by up to the sagitta of an edge (0.3 mm at 8 mm: 1.5 um).
            assert!(radius < RADII_MM[k] + 1e-9 && radius > RADII_MM[k] - 0.003, "boundary {k} at {radius}");
        }
    }
}

#[test]
fn given_surfaces_are_off_by_what_was_asked_for() {
    // Fields are 4 mm wide: one sphere of 8 mm holds few independent places, so several are pooled.
    let mut squares = (0.0, 0usize);
    for seed in 0..8 {
        let sphere = Sphere { radii_mm: RADII_MM, subdivisions: 3 };
        let o =
            PhantomOptions { seed, surface_error_mm: 0.05, spacing_mm: 0.5, shape: Shape::Sphere(sphere), ..options() };
        let phantom = Phantom::make(&o, &Silent).unwrap();
        for v in phantom.given_ribbon().pial().vertices() {
            squares.0 += (v.0.length() - RADII_MM[0]).powi(2);
            squares.1 += 1;
        }
    }
    let sd = (squares.0 / squares.1 as f64).sqrt();
    assert!((sd / 0.05 - 1.0).abs() < 0.15, "SD along the normal {sd}");
}
