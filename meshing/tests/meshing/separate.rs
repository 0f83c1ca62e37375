use crate::support::{Stopped, assert_cancelled, sheet, sphere_ribbon, with_threads};
use brainmesh_core::{Ribbon, Silent, Structure, Surface, WorldPoint};
use brainmesh_meshing::{SeparateOptions, Separated, certify_surfaces, separate_surfaces};
use glam::DVec3;

/// Surfaces at these shares of the way from pial to white vertex.
fn at_shares(ribbon: &Ribbon, shares: &[f64]) -> Vec<Surface> {
    let place = |v: usize, share: f64| ribbon.pial().vertices()[v].0.lerp(ribbon.white().vertices()[v].0, share);
    shares
        .iter()
        .map(|&share| {
            let places = (0..ribbon.len()).map(|v| WorldPoint(place(v, share))).collect();
            ribbon.pial().with_vertices(places).unwrap()
        })
        .collect()
}

/// The narrow floor of a sulcus: banks 0.4 mm apart and 2 mm deep. The white surface is a flat sheet far below, whose
/// vertices do not lie under those of the pia: rays run along the banks.
fn sulcus() -> Ribbon {
    let pial = sheet(40, 0.2, |_, _| 0.0);
    let places = pial.vertices().iter().map(|v| {
        let x = v.0.x - 3.9;
        // Close to the middle the sheet goes down steeply; rows are drawn towards it.
        let narrow = x * (0.25 + 0.75 * (x.abs() / 3.9).powi(2));
        WorldPoint::new(narrow, v.0.y, -2.0 * (-(narrow / 0.35).powi(2)).exp())
    });
    let pial = pial.with_vertices(places.collect()).unwrap();
    let white = sheet(40, 0.2, |_, _| -3.0);
    let places = white.vertices().iter().map(|v| {
        let x = v.0.x - 3.9;
        WorldPoint::new(x * 1.1 + 0.9 * (9.0 * v.0.y).sin() * (-(x / 1.5).powi(2)).exp(), v.0.y, -3.0)
    });
    Ribbon::new(pial, white.with_vertices(places.collect()).unwrap()).unwrap()
}

fn crossing(surfaces: &[Surface], ribbon: &Ribbon) -> usize {
    let certificate = certify_surfaces(surfaces, ribbon, &vec![true; ribbon.len()], &Silent).unwrap();
    certificate.self_intersecting_triangles.iter().chain(&certificate.crossing_triangles).sum()
}

const SHARES: [f64; 7] = [0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0];

#[test]
fn rays_that_fold_over_one_another_give_surfaces_that_do_not_cross() {
    let ribbon = sulcus();
    let surfaces = at_shares(&ribbon, &SHARES);
    assert_eq!(crossing(&[ribbon.pial().clone(), ribbon.white().clone()], &ribbon), 0, "the ribbon itself is embedded");
    assert!(crossing(&surfaces, &ribbon) > 50, "{}", crossing(&surfaces, &ribbon));
    for keep_ends in [false, true] {
        let options = SeparateOptions { keep_ends, ..SeparateOptions::default() };
        let parted = separate_surfaces(&surfaces, &ribbon, &vec![true; ribbon.len()], &options, &Silent).unwrap();
        assert_eq!(crossing(&parted.surfaces, &ribbon), 0, "keep_ends {keep_ends}");
        assert!(parted.folded > 0);
        if keep_ends {
            assert!(parted.surfaces[0] == surfaces[0] && parted.surfaces[6] == surfaces[6]);
        }
        // What is said to have moved did, and nothing moved far: the sulcus is 2 mm deep.
        for v in 0..ribbon.len() {
            let distance = |k: usize| parted.surfaces[k].vertices()[v].distance_mm(surfaces[k].vertices()[v]);
            assert_eq!(parted.moved_mm[v], (0..7).map(distance).fold(0.0, f64::max));
            assert!(parted.moved_mm[v] < 1.0, "{}", parted.moved_mm[v]);
        }
        let moved = parted.moved_mm.iter().filter(|&&mm| mm > 0.0).count();
        assert!(moved < ribbon.len() / 2, "{moved} of {}", ribbon.len());
    }
}

#[test]
fn banks_that_run_into_one_another_go_back_to_the_given_surface() {
    // Two banks 0.3 mm apart whose outermost layer was found 0.2 mm outside on either side.
    let bank = |mm: f64| sheet(12, 0.5, move |_, _| mm);
    let both = |lower_mm: f64, upper_mm: f64| {
        let (lower, upper) = (bank(lower_mm), bank(upper_mm));
        let n = lower.vertices().len() as u32;
        let turned = upper.triangles().iter().map(|&[a, b, c]| [a + n, c + n, b + n]);
        let triangles = lower.triangles().iter().copied().chain(turned).collect();
        let shifted = upper.vertices().iter().map(|v| WorldPoint(v.0 + DVec3::new(0.11, 0.07, 0.0)));
        let vertices = lower.vertices().iter().copied().chain(shifted).collect();
        Surface::new(vertices, triangles, Structure::Unknown).unwrap()
    };
    let ribbon = Ribbon::new(both(0.0, 0.3), both(-2.0, 2.3)).unwrap();
    // Not flat, so that the two cut each other and do not just pass.
    let bulge = |sign: f64, v: DVec3| WorldPoint(v + DVec3::Z * sign * 0.2 * (v.x * 1.3).sin().abs());
    let n = ribbon.len() / 2;
    let outermost = ribbon.pial().vertices().iter().enumerate();
    let outermost = outermost.map(|(v, p)| bulge(if v < n { 1.0 } else { -1.0 }, p.0)).collect();
    let mut surfaces = at_shares(&ribbon, &SHARES);
    surfaces[0] = surfaces[0].with_vertices(outermost).unwrap();
    assert!(crossing(&surfaces, &ribbon) > 20);
    let parted =
        separate_surfaces(&surfaces, &ribbon, &vec![true; ribbon.len()], &SeparateOptions::default(), &Silent).unwrap();
    assert_eq!(crossing(&parted.surfaces, &ribbon), 0);
    for v in (0..ribbon.len()).filter(|&v| parted.moved_mm[v] > 0.0) {
        let outside = ribbon.pial().vertices()[v].distance_mm(parted.surfaces[0].vertices()[v]);
        assert!(outside < 1e-12 || parted.surfaces[0].vertices()[v] == surfaces[0].vertices()[v]);
    }
}

#[test]
fn surfaces_that_do_not_cross_stay_as_they_are() {
    let ribbon = sphere_ribbon(4, 30.0, 27.0);
    let surfaces = at_shares(&ribbon, &SHARES);
    let used = vec![true; ribbon.len()];
    let parted = separate_surfaces(&surfaces, &ribbon, &used, &SeparateOptions::default(), &Silent).unwrap();
    assert!(parted == Separated { surfaces: surfaces.clone(), moved_mm: vec![0.0; ribbon.len()], folded: 0 });
    // Nor do those that are not used, and nothing is there to be moved among fewer than two.
    let folded = at_shares(&sulcus(), &SHARES);
    let masked = separate_surfaces(&folded, &sulcus(), &[false; 1600], &SeparateOptions::default(), &Silent).unwrap();
    assert!(masked.surfaces == folded);
    let none = separate_surfaces(&[], &ribbon, &used, &SeparateOptions::default(), &Silent).unwrap();
    assert!(none.surfaces.is_empty());
}

#[test]
fn absent_layers_stay_absent() {
    let ribbon = sphere_ribbon(4, 30.0, 27.0);
    let surfaces = at_shares(&ribbon, &[0.0, 0.2, 0.4, 0.4, 0.6, 0.8, 1.0]);
    let used = vec![true; ribbon.len()];
    let parted = separate_surfaces(&surfaces, &ribbon, &used, &SeparateOptions::default(), &Silent).unwrap();
    assert!(parted.surfaces == surfaces);
}

#[test]
fn separating_stops_and_does_not_depend_on_threads() {
    let ribbon = sulcus();
    let surfaces = at_shares(&ribbon, &SHARES);
    let used = vec![true; ribbon.len()];
    assert_cancelled(separate_surfaces(&surfaces, &ribbon, &used, &SeparateOptions::default(), &Stopped));
    with_threads(|| {
        separate_surfaces(&surfaces, &ribbon, &used, &SeparateOptions::default(), &Silent).unwrap().moved_mm
    });
}
