use crate::support::{Stopped, assert_cancelled, sheet, sphere_ribbon, with_threads};
use brainmesh_core::{LayerBoundaries, RayDefect, RayOutcome, Ribbon, Silent, Structure, Surface};
use brainmesh_meshing::{extended_rays, limit_to_banks, no_cortex, ribbon_rays};
use ndarray::Array2;

#[test]
fn rays_of_a_sphere_are_radial() {
    let ribbon = sphere_ribbon(2, 10.0, 7.0);
    let rays = extended_rays(&ribbon, 0.5).unwrap();
    for ray in 0..rays.len() {
        let radius = |t| rays.point(ray, t).0.length();
        assert!((radius(0.0) - 10.5).abs() < 1e-12 && (radius(1.0) - 6.5).abs() < 1e-12);
        assert!((radius(rays.pial_t(ray)) - 10.0).abs() < 1e-12);
        assert!((radius(rays.white_t(ray)) - 7.0).abs() < 1e-12);
        assert!((rays.length_mm(ray) - 4.0).abs() < 1e-12);
    }
    let plain = ribbon_rays(&ribbon).unwrap();
    assert_eq!((plain.pial_t(5), plain.white_t(5)), (0.0, 1.0));
    assert_eq!(plain.point(5, 0.0), ribbon.pial().vertices()[5]);
}

#[test]
fn coinciding_surfaces_have_rays_but_no_cortex() {
    // Flat at height 0, the white surface 2 mm below it for x > 2.5 only.
    let pial = sheet(6, 1.0, |_, _| 0.0);
    let white = sheet(6, 1.0, |x, _| if x > 2.5 { -2.0 } else { 0.0 });
    let ribbon = Ribbon::new(pial, white).unwrap();
    let rays = extended_rays(&ribbon, 0.5).unwrap();
    let defects = no_cortex(&ribbon, 0.05);
    for (ray, defect) in defects.into_iter().enumerate() {
        let x = ribbon.pial().vertices()[ray].0.x;
        assert_eq!(defect, (x < 2.5).then_some(RayDefect::NoCortex));
        // Along the normal, outside first.
        assert!((rays.point(ray, 0.0).0.z - 0.5).abs() < 1e-12);
        assert!((rays.length_mm(ray) - if x < 2.5 { 1.0 } else { 3.0 }).abs() < 1e-12);
    }
}

/// Two sheets in one surface, the second above the first and turned over, as the banks of a sulcus.
fn banks(lower_mm: f64, upper_mm: f64) -> Surface {
    let (lower, upper) = (sheet(8, 1.0, |_, _| lower_mm), sheet(8, 1.0, |_, _| upper_mm));
    let n = lower.vertices().len() as u32;
    let turned = upper.triangles().iter().map(|&[a, b, c]| [a + n, c + n, b + n]);
    let triangles = lower.triangles().iter().copied().chain(turned).collect();
    Surface::new([lower.vertices(), upper.vertices()].concat(), triangles, Structure::Unknown).unwrap()
}

/// Boundaries spread over the whole rays, from the outer to the inner end.
fn end_to_end(rays: usize) -> LayerBoundaries {
    let t = Array2::from_shape_fn((rays, 7), |(_, k)| k as f64 / 6.0);
    LayerBoundaries::new(t, Array2::zeros((rays, 7)), vec![RayOutcome::Measured; rays]).unwrap()
}

#[test]
fn boundaries_stop_half_way_to_the_opposite_bank() {
    for (gap_mm, expected_mm) in [(0.6, 0.3), (0.9, 0.45), (1.1, 0.5), (5.0, 0.5)] {
        let ribbon = Ribbon::new(banks(0.0, gap_mm), banks(-2.0, gap_mm + 2.0)).unwrap();
        let rays = extended_rays(&ribbon, 0.5).unwrap();
        let limited = limit_to_banks(&end_to_end(rays.len()), &ribbon, &rays, &Silent).unwrap();
        assert_eq!(limited.outer, if gap_mm < 1.0 { ribbon.len() } else { 0 });
        assert_eq!(limited.inner, 0);
        for ray in 0..rays.len() {
            let outermost = rays.point(ray, limited.boundaries.t()[[ray, 0]]);
            let outside_mm = outermost.distance_mm(ribbon.pial().vertices()[ray]);
            assert!((outside_mm - expected_mm).abs() < 1e-9, "{gap_mm}: {outside_mm}");
            assert_eq!(limited.boundaries.t()[[ray, 3]], 0.5);
        }
    }
    // A blade of white matter 0.4 mm wide between two banks that face away from each other.
    let ribbon = Ribbon::new(banks(4.4, 0.0), banks(2.4, 2.0)).unwrap();
    let rays = extended_rays(&ribbon, 0.5).unwrap();
    let limited = limit_to_banks(&end_to_end(rays.len()), &ribbon, &rays, &Silent).unwrap();
    assert_eq!((limited.outer, limited.inner), (0, ribbon.len()));
    let innermost = rays.point(20, limited.boundaries.t()[[20, 6]]);
    assert!((innermost.distance_mm(ribbon.white().vertices()[20]) - 0.2).abs() < 1e-9);
}

#[test]
fn limiting_leaves_open_rays_alone_stops_and_does_not_depend_on_threads() {
    let ribbon = sphere_ribbon(5, 30.0, 27.0);
    let rays = extended_rays(&ribbon, 0.5).unwrap();
    let boundaries = end_to_end(rays.len());
    let limited = limit_to_banks(&boundaries, &ribbon, &rays, &Silent).unwrap();
    assert_eq!((limited.outer, limited.inner), (0, 0));
    assert_eq!(limited.boundaries, boundaries);
    assert_cancelled(limit_to_banks(&boundaries, &ribbon, &rays, &Stopped));
    with_threads(|| limit_to_banks(&boundaries, &ribbon, &rays, &Silent).unwrap());
}
