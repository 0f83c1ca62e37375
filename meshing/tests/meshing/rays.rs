use crate::support::{sheet, sphere_ribbon};
use brainmesh_core::{RayDefect, Ribbon};
use brainmesh_meshing::{extended_rays, no_cortex, ribbon_rays};

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
