use crate::support::{Random, Stopped, assert_cancelled, icosphere, sheet, sphere_ribbon, with_threads};
use brainmesh_core::{
    BOUNDARY_COUNT, Certificate, LayerBoundaries, LayerSurfaces, RayDefect, RayOutcome, Ribbon, Silent, Structure,
    Surface, WorldPoint,
};
use brainmesh_meshing::certify;
use glam::DVec3;
use ndarray::Array2;

/// Boundaries at equal distances; certify takes only their order and outcomes from them.
fn boundaries(outcomes: Vec<RayOutcome>) -> LayerBoundaries {
    let t = Array2::from_shape_fn((outcomes.len(), BOUNDARY_COUNT), |(_, k)| k as f64 / 6.0);
    let sd = Array2::zeros(t.raw_dim());
    LayerBoundaries::new(t, sd, outcomes).unwrap()
}

/// A certificate of given surfaces; pial and white are the outermost two.
fn certified(surfaces: [Surface; BOUNDARY_COUNT], outcomes: Option<Vec<RayOutcome>>) -> Certificate {
    let ribbon = Ribbon::new(surfaces[0].clone(), surfaces[6].clone()).unwrap();
    let layers = LayerSurfaces::new(&ribbon, surfaces.map(|s| s.vertices().to_vec())).unwrap();
    let outcomes = outcomes.unwrap_or_else(|| vec![RayOutcome::Measured; ribbon.len()]);
    certify(&layers, &ribbon, &boundaries(outcomes), &Silent).unwrap()
}

fn shifted(surface: &Surface, by: DVec3) -> Surface {
    surface.with_vertices(surface.vertices().iter().map(|v| WorldPoint(v.0 + by)).collect()).unwrap()
}

#[test]
fn nested_spheres_are_clean() {
    let certificate = certified(std::array::from_fn(|k| icosphere(3, 10.0 - 0.4 * k as f64)), None);
    assert!(certificate.is_clean(), "{certificate:?}");
    assert_eq!(certificate.given_ribbon_intersecting_triangles, 0);
    assert_eq!(certificate.euler_characteristic, 2);
    assert_eq!(certificate.rays, 642);
    assert!(certificate.vertices.is_empty());
}

#[test]
fn two_spheres_cross_along_their_circle() {
    // Radii 10 and 9, centres 2 mm apart along x: |p| = 10 and |p - 2x| = 9 meet at x = (100 - 81 + 4) / 4 = 5.75.
    let surfaces: [Surface; BOUNDARY_COUNT] = std::array::from_fn(|k| match k {
        0..=2 => icosphere(5, 12.0 - 0.5 * k as f64),
        3 => icosphere(5, 10.0),
        4 => shifted(&icosphere(5, 9.0), DVec3::new(2.0, 0.0, 0.0)),
        _ => icosphere(5, 9.0 - 0.5 * k as f64),
    });
    let certificate = certified(surfaces.clone(), None);
    assert_eq!(certificate.self_intersecting_triangles, [0; 7]);
    assert_eq!(
        certificate.crossing_triangles.iter().map(|n| *n > 0).collect::<Vec<_>>(),
        [false, false, false, true, false, false]
    );
    // One ring of triangles of each sphere: circumference over edge length, within a factor.
    let circumference = std::f64::consts::TAU * (100.0f64 - 5.75 * 5.75).sqrt();
    let edge = 0.35;
    let ring = certificate.crossing_triangles[3] as f64 / 2.0;
    assert!(ring > circumference / edge && ring < 4.0 * circumference / edge, "{ring}");
    // All of them lie at the circle, on either sphere.
    for &v in &certificate.vertices {
        let near = |k: usize| (surfaces[k].vertices()[v as usize].0.x - 5.75).abs() < 2.0 * edge;
        assert!(near(3) || near(4), "vertex {v}");
    }
}

#[test]
fn a_fold_is_found_and_masked_triangles_are_not_looked_at() {
    let flat: [Surface; BOUNDARY_COUNT] = std::array::from_fn(|k| sheet(20, 1.0, |_, _| -2.0 * k as f64));
    assert!(certified(flat.clone(), None).is_clean());
    let mut folded = flat.clone();
    // One vertex of surface 3 pulled down, back through the sheet three steps away, and up again.
    let mut vertices = folded[3].vertices().to_vec();
    vertices[5 + 5 * 20] = WorldPoint::new(9.3, 5.4, -6.5);
    vertices[6 + 5 * 20] = WorldPoint::new(9.4, 5.3, -5.5);
    folded[3] = folded[3].with_vertices(vertices).unwrap();
    let certificate = certified(folded.clone(), None);
    assert!(certificate.self_intersecting_triangles[3] > 0);
    assert_eq!(certificate.self_intersecting_triangles.iter().filter(|&&n| n > 0).count(), 1);
    let mut outcomes = vec![RayOutcome::Measured; 400];
    outcomes[5 + 5 * 20] = RayOutcome::Missing(RayDefect::NoTissue);
    outcomes[6 + 5 * 20] = RayOutcome::Missing(RayDefect::NoTissue);
    let masked = certified(folded, Some(outcomes));
    assert!(masked.is_clean(), "{masked:?}");
    assert_eq!(masked.rays, 398);
}

#[test]
fn an_absent_layer_touches_without_crossing() {
    // Surfaces 3 and 4 coincide for x < 9.5 and part beyond.
    let surfaces: [Surface; BOUNDARY_COUNT] = std::array::from_fn(|k| {
        sheet(20, 1.0, move |x, _| {
            let wave = (0.5 * x).sin() * 0.1;
            wave - match k {
                4 if x < 9.5 => 3.0,
                k => k as f64,
            }
        })
    });
    let certificate = certified(surfaces, None);
    assert!(certificate.is_clean(), "{certificate:?}");
}

#[test]
fn a_sheet_folded_flat_onto_itself_counts() {
    // The last triangle is turned over its edge into the plane of the one before.
    let p = WorldPoint::new;
    let folded = |z: f64| {
        let vertices = vec![p(0., 0., z), p(1., 0., z), p(0., 1., z), p(0.2, 0.3, z)];
        Surface::new(vertices, vec![[0, 1, 2], [2, 1, 3]], Structure::Unknown).unwrap()
    };
    let certificate = certified(std::array::from_fn(|k| folded(-(k as f64))), None);
    assert_eq!(certificate.self_intersecting_triangles, [2; 7]);
    // Coplanar triangles without a common vertex that lie on one another count too.
    let overlapping = |z: f64| {
        let vertices =
            vec![p(0., 0., z), p(4., 0., z), p(0., 4., z), p(0.5, 0.5, z), p(1., 0.5, z), p(0.5, 1., z), p(9., 9., z)];
        Surface::new(vertices, vec![[0, 1, 2], [3, 4, 5]], Structure::Unknown).unwrap()
    };
    let certificate = certified(std::array::from_fn(|k| overlapping(-(k as f64))), None);
    assert_eq!(certificate.self_intersecting_triangles, [2; 7]);
}

#[test]
fn certifying_stops_and_does_not_depend_on_threads() {
    let mut random = Random(8);
    let ribbon = sphere_ribbon(4, 10.0, 8.0);
    let noisy: [Vec<WorldPoint>; BOUNDARY_COUNT] = std::array::from_fn(|k| {
        let radius = 10.0 - 2.0 * k as f64 / 6.0;
        ribbon.pial().vertices().iter().map(|v| WorldPoint(v.0 / 10.0 * (radius + 0.3 * random.normal()))).collect()
    });
    let layers = LayerSurfaces::new(&ribbon, noisy).unwrap();
    let boundaries = boundaries(vec![RayOutcome::Measured; ribbon.len()]);
    assert_cancelled(certify(&layers, &ribbon, &boundaries, &Stopped));
    let certificate = certify(&layers, &ribbon, &boundaries, &Silent).unwrap();
    assert!(!certificate.is_clean());
    with_threads(|| certify(&layers, &ribbon, &boundaries, &Silent).unwrap());
}
