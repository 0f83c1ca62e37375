//! Folded cortices and pieces of given ribbons.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use brainmesh_core::{Cancelled, Monitor, Ribbon, Silent, VoxelPoint};
use brainmesh_phantom::{Artefacts, Error, Folding, LayerModel, Phantom, PhantomOptions, RibbonPatch, Shape, Sphere};
use glam::DVec3;
use std::sync::Arc;

fn folded(seed: u64) -> PhantomOptions {
    PhantomOptions {
        seed,
        spacing_mm: 0.4,
        extent_mm: Some([16.0, 16.0, 18.0]),
        artefacts: Artefacts::NONE,
        shape: Shape::Folded(Folding { edge_mm: 0.5, ..Folding::default() }),
        ..PhantomOptions::default()
    }
}

/// Volumes of the three tetrahedra of a prism cut along the diagonals from lower outer to higher inner index, by
/// their determinant; written anew, apart from the crate's own.
fn prism_volumes(triangle: [u32; 3], outer: &dyn Fn(u32) -> DVec3, inner: &dyn Fn(u32) -> DVec3) -> [f64; 3] {
    let mut t = triangle;
    // Rotate until the lowest index comes first: keeps the winding.
    while t[0] != *triangle.iter().min().unwrap() {
        t.rotate_left(1);
    }
    let volume = |a: DVec3, b: DVec3, c: DVec3, d: DVec3| (b - a).cross(c - a).dot(a - d) / 6.0;
    let [a, b, c] = t;
    let (ao, bo, co) = (outer(a), outer(b), outer(c));
    let (ai, bi, ci) = (inner(a), inner(b), inner(c));
    if b < c {
        [volume(ao, bo, co, ci), volume(ao, bi, ci, ai), volume(ao, bo, ci, bi)]
    } else {
        [volume(ao, bo, co, bi), volume(ao, bi, ci, ai), volume(ao, bi, co, ci)]
    }
}

fn assert_no_inverted_prisms(ribbon: &Ribbon, name: &str) {
    let outer = |v: u32| ribbon.pial().vertices()[v as usize].0;
    let inner = |v: u32| ribbon.white().vertices()[v as usize].0;
    for &t in ribbon.triangles() {
        let volumes = prism_volumes(t, &outer, &inner);
        assert!(volumes.iter().all(|&v| v > 0.0), "{name}: {volumes:?}");
    }
}

#[test]
fn twenty_cortices_do_not_fold_their_rays() {
    for seed in 0..20 {
        let phantom = Phantom::make(&folded(seed), &Silent).unwrap();
        assert_no_inverted_prisms(phantom.true_ribbon(), &format!("true, seed {seed}"));
        assert_no_inverted_prisms(phantom.given_ribbon(), &format!("given, seed {seed}"));
        for pair in phantom.layers().surfaces().windows(2) {
            let rows = pair[0].vertices().iter().zip(pair[1].vertices()).zip(phantom.true_ribbon().white().vertices());
            assert!(rows.into_iter().all(|((upper, lower), w)| upper.distance_mm(*w) >= lower.distance_mm(*w) - 1e-9));
        }
    }
}

#[test]
fn thickness_and_shares_are_those_of_a_human_cortex() {
    let (mut sum, mut thin, mut thick, mut n) = ([0.0; 6], 0usize, 0usize, 0usize);
    let mut total = 0.0;
    for seed in 0..12 {
        let phantom = Phantom::make(&folded(seed), &Silent).unwrap();
        let thickness = phantom.true_ribbon().thickness_mm();
        for (row, mm) in phantom.boundary_fractions().outer_iter().zip(&thickness) {
            assert!(row[0] == 0.0 && row[6] == 1.0);
            (0..6).for_each(|k| sum[k] += row[k + 1] - row[k]);
            total += mm;
            thin += usize::from(*mm < 1.2);
            thick += usize::from(*mm > 5.0);
            n += 1;
        }
    }
    let mean = total / n as f64;
    assert!((2.0..2.7).contains(&mean), "mean thickness {mean}, BigBrain 2.23");
    assert!(thin * 50 < n && thick * 50 < n, "{thin} thin and {thick} thick of {n}");
    // Mean shares of I..VI in the left BigBrain hemisphere. Twelve pieces hold some 150 areas and curvature moves the
    // shares by position: a fifth of the value, or 0.03.
    for (k, target) in [0.118, 0.101, 0.271, 0.088, 0.190, 0.232].into_iter().enumerate() {
        let found = sum[k] / n as f64;
        assert!((found - target).abs() < (0.2 * target).max(0.03), "layer {}: share {found}, expected {target}", k + 1);
    }
}

#[test]
fn some_banks_face_each_other_within_half_a_millimetre() {
    let facing = (0..8).filter(|&seed| {
        let phantom = Phantom::make(&folded(seed), &Silent).unwrap();
        let pial = phantom.true_ribbon().pial();
        let normals = pial.vertex_normals();
        let vertices = pial.vertices();
        // Half a millimetre outside the pia, on the normal, something else is nearer than the vertex itself.
        (0..vertices.len()).any(|v| {
            let tip = vertices[v].0 + 0.5 * normals[v];
            (0..vertices.len()).any(|u| {
                normals[u].dot(normals[v]) < -0.7
                    && (tip - vertices[u].0).dot(normals[u]) < 0.0
                    && tip.distance(vertices[u].0) < 0.5
            })
        })
    });
    assert!(facing.count() >= 2);
}

#[test]
fn layers_follow_bok_in_one_model_and_not_in_the_other() {
    // On crowns the outer layers of the equivolumetric model are thin, in fundi thick; the equidistant model does
    // not care. Correlate the share of the upper three layers with the ratio of areas at white and pial vertices.
    let slope = |layer_model: LayerModel| {
        let (mut sxy, mut sxx) = (0.0, 0.0);
        for seed in 0..3 {
            let phantom = Phantom::make(&PhantomOptions { layer_model, ..folded(seed) }, &Silent).unwrap();
            let areas = |s: &brainmesh_core::Surface| {
                let mut a = vec![0.0; s.vertices().len()];
                for (t, corners) in s.triangles().iter().enumerate() {
                    corners.iter().for_each(|&v| a[v as usize] += s.triangle_area_mm2(t));
                }
                a
            };
            let (ap, aw) = (areas(phantom.true_ribbon().pial()), areas(phantom.true_ribbon().white()));
            let x: Vec<f64> = ap.iter().zip(&aw).map(|(p, w)| (p / w).ln()).collect();
            let mean_x = x.iter().sum::<f64>() / x.len() as f64;
            let y = phantom.boundary_fractions().column(3).to_owned();
            let mean_y = y.sum() / y.len() as f64;
            for (x, y) in x.iter().zip(&y) {
                sxy += (x - mean_x) * (y - mean_y);
                sxx += (x - mean_x).powi(2);
            }
        }
        sxy / sxx
    };
    // A column whose area grows by the factor e over its height: rho(0.49) moves by about -0.12.
    assert!(slope(LayerModel::Equivolumetric) < -0.07);
    assert!(slope(LayerModel::Equidistant).abs() < 0.04);
}

#[test]
fn the_same_seed_gives_the_same_bytes_with_one_and_two_threads() {
    let options =
        PhantomOptions { artefacts: Artefacts::FULL, extent_mm: Some([8.0; 3]), spacing_mm: 0.2, ..folded(4) };
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Phantom::make(&options, &Silent).unwrap())
    };
    let (one, two) = (with(1), with(2));
    let bits = |p: &Phantom| p.volume().data().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&one), bits(&two));
    assert_eq!(one.given_ribbon(), two.given_ribbon());
    assert_eq!(one.labels(), two.labels());
    let other = Phantom::make(&PhantomOptions { seed: 5, ..options }, &Silent).unwrap();
    assert_ne!(bits(&one), bits(&other));
}

#[test]
fn labels_agree_with_the_layer_surfaces() {
    // A point in the middle of a layer on a true ray has that layer's label in its voxel.
    let options = PhantomOptions { extent_mm: Some([10.0, 10.0, 12.0]), spacing_mm: 0.05, ..folded(2) };
    let phantom = Phantom::make(&options, &Silent).unwrap();
    let (labels, surfaces) = (phantom.labels(), phantom.layers().surfaces());
    let mut checked = 0;
    for v in 0..phantom.true_ribbon().len() {
        for layer in 1..=6 {
            let (top, bottom) = (surfaces[layer - 1].vertices()[v], surfaces[layer].vertices()[v]);
            // Layers much thicker than a voxel's diagonal.
            if top.distance_mm(bottom) > 0.2 {
                let p: VoxelPoint = labels.grid().voxel_from_world(top.lerp(bottom, 0.5));
                let [i, j, k] = p.0.round().to_array().map(|c| c as usize);
                assert_eq!(labels.get(i, j, k), Some(layer as u8), "vertex {v}");
                checked += 1;
            }
        }
    }
    assert!(checked > 500, "{checked}");
}

#[test]
fn a_piece_of_a_given_ribbon_is_refined_onto_its_smooth_surface() {
    let sphere = Sphere { radii_mm: [20.0, 19.8, 19.6, 19.0, 18.7, 18.2, 17.5], subdivisions: 4 };
    let whole = PhantomOptions { shape: Shape::Sphere(sphere), spacing_mm: 1.0, surface_error_mm: 0.0, ..folded(0) };
    let whole = Phantom::make(&PhantomOptions { extent_mm: None, ..whole }, &Silent).unwrap();
    let patch = RibbonPatch {
        ribbon: Arc::new(whole.true_ribbon().clone()),
        centre: 100,
        radius_mm: 5.0,
        edge_mm: 0.4,
        layers_mm: None,
    };
    let options = PhantomOptions { shape: Shape::Ribbon(patch), extent_mm: None, spacing_mm: 0.2, ..folded(0) };
    let phantom = Phantom::make(&options, &Silent).unwrap();
    let (pial, white) = (phantom.true_ribbon().pial(), phantom.true_ribbon().white());
    let centre = whole.true_ribbon().pial().vertices()[100].lerp(whole.true_ribbon().white().vertices()[100], 0.5);
    for (p, w) in pial.vertices().iter().zip(white.vertices()) {
        // A flat cut of these 1.4 mm triangles would lie 12 um inside the sphere.
        assert!((p.0.length() - 20.0).abs() < 0.003 && (w.0.length() - 17.5).abs() < 0.003);
        assert!(p.lerp(*w, 0.5).distance_mm(centre) <= 5.0 + 1e-9);
    }
    assert!(phantom.true_ribbon().len() > 400);
    assert_no_inverted_prisms(phantom.true_ribbon(), "patch");
}

#[test]
fn options_out_of_range_are_refused_with_evidence() {
    let refused = |options: PhantomOptions| Phantom::make(&options, &Silent).unwrap_err().to_string();
    assert_eq!(
        refused(PhantomOptions { spacing_mm: f64::NAN, ..folded(0) }),
        "spacing_mm: expected 0.005 to 2, found NaN"
    );
    let huge = PhantomOptions { spacing_mm: 0.02, extent_mm: Some([300.0; 3]), ..folded(0) };
    assert!(refused(huge).starts_with("extent_mm: expected 2 to 65536 voxels"));
    let shape = Shape::Sphere(Sphere { radii_mm: [5.0, 4.0, 4.5, 3.0, 2.0, 1.5, 1.0], subdivisions: 2 });
    assert!(refused(PhantomOptions { shape, ..folded(0) }).starts_with("sphere.radii_mm"));
}

#[test]
fn cancelling_stops_the_work() {
    struct Impatient;
    impl Monitor for Impatient {
        fn stage(&self, _: &'static str, _: u64) {}
        fn advance(&self, _: u64) {}
        fn is_cancelled(&self) -> bool {
            true
        }
    }
    assert_eq!(Phantom::make(&folded(0), &Impatient).unwrap_err(), Error::Cancelled(Cancelled));
}

#[test]
fn the_sheet_reaches_the_sides_of_every_volume() {
    // Every column of voxels along z passes from outside through cortex into white matter, or stays in one of them
    // where the volume is too low: at the four upright edges of a volume that is high enough, all three are there.
    for seed in 0..20 {
        let phantom =
            Phantom::make(&PhantomOptions { extent_mm: Some([12.0, 12.0, 40.0]), ..folded(seed) }, &Silent).unwrap();
        let labels = phantom.labels();
        let [ni, nj, nk] = labels.grid().shape();
        for (i, j) in [(0, 0), (ni - 1, 0), (0, nj - 1), (ni - 1, nj - 1)] {
            let column: Vec<u8> = (0..nk).map(|k| labels.get(i, j, k).unwrap()).collect();
            assert_eq!((column[0], column[nk - 1]), (7, 0), "seed {seed}, corner {i} {j}");
            assert!(column.iter().filter(|&&l| (1..=6).contains(&l)).count() > 2, "seed {seed}, corner {i} {j}");
        }
    }
}

#[test]
fn given_surfaces_of_a_folded_cortex_keep_their_error() {
    // Six pieces of 16 mm and fields of 4 mm: some hundred independent places.
    let (mut sum, mut n) = (0.0, 0usize);
    for seed in 0..6 {
        let phantom = Phantom::make(&PhantomOptions { surface_error_mm: 0.1, ..folded(seed) }, &Silent).unwrap();
        assert_no_inverted_prisms(phantom.given_ribbon(), &format!("given, seed {seed}"));
        let pairs = [
            (phantom.given_ribbon().pial(), phantom.true_ribbon().pial()),
            (phantom.given_ribbon().white(), phantom.true_ribbon().white()),
        ];
        for (given, truth) in pairs {
            let normals = truth.vertex_normals();
            for ((g, t), normal) in given.vertices().iter().zip(truth.vertices()).zip(normals) {
                sum += (g.0 - t.0).dot(normal).powi(2);
                n += 1;
            }
        }
    }
    let sd = (sum / n as f64).sqrt();
    assert!((sd / 0.1 - 1.0).abs() < 0.15, "SD along the normal {sd} mm");
}
