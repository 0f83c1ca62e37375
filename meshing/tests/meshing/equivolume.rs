use crate::support::{Stopped, assert_cancelled, sheet, sphere_ribbon};
use brainmesh_core::{Ribbon, Silent, Structure, Surface, WorldPoint};
use brainmesh_meshing::{
    certify_surfaces, equivolumetric_depth, equivolumetric_depths, surfaces_at_depths, volume_share,
};
use ndarray::Array2;

const FRACTIONS: [f64; 5] = [0.0, 0.1, 0.5, 0.9, 1.0];

fn depths(ribbon: &Ribbon, fractions: &[f64], area_fwhm_mm: f64) -> Array2<f64> {
    equivolumetric_depths(ribbon, fractions, area_fwhm_mm, &vec![true; ribbon.len()], &Silent).unwrap()
}

/// A tube around z of `around` x `along` vertices, without its ends.
fn tube(radius_mm: f64, around: u32, along: u32) -> Surface {
    let at = |i: u32, j: u32| {
        let angle = std::f64::consts::TAU * f64::from(i) / f64::from(around);
        WorldPoint::new(radius_mm * angle.cos(), radius_mm * angle.sin(), f64::from(j))
    };
    let vertices = (0..along).flat_map(|j| (0..around).map(move |i| at(i, j))).collect();
    let index = |i: u32, j: u32| (i % around) + j * around;
    let square = |(i, j): (u32, u32)| {
        let [a, b, c, d] = [index(i, j), index(i + 1, j), index(i + 1, j + 1), index(i, j + 1)];
        [[a, b, c], [a, c, d]]
    };
    let triangles = (0..along - 1).flat_map(|j| (0..around).map(move |i| (i, j))).flat_map(square).collect();
    Surface::new(vertices, triangles, Structure::Unknown).unwrap()
}

#[test]
fn a_slab_of_even_thickness_is_divided_by_distance() {
    let ribbon = Ribbon::new(sheet(12, 0.7, |_, _| 2.5), sheet(12, 0.7, |_, _| 0.0)).unwrap();
    for fwhm_mm in [0.0, 3.0] {
        for row in depths(&ribbon, &FRACTIONS, fwhm_mm).outer_iter() {
            for (depth, fraction) in row.iter().zip(FRACTIONS) {
                assert!((depth - fraction).abs() < 1e-12, "{depth} for {fraction}");
            }
        }
    }
}

/// Between two cylinders of radius R and r the area grows in proportion to the radius, as the model assumes: the
/// surface below which a share of the volume lies has radius sqrt(R^2 - share (R^2 - r^2)), however coarse the prism.
#[test]
fn a_tube_is_divided_exactly() {
    let (pial_mm, white_mm) = (5.0f64, 2.0f64);
    // A sulcus is the same tube with pia and white surface exchanged.
    for (outside, inside) in [(pial_mm, white_mm), (white_mm, pial_mm)] {
        let ribbon = Ribbon::new(tube(outside, 24, 9), tube(inside, 24, 9)).unwrap();
        let depths = depths(&ribbon, &FRACTIONS, 0.0);
        for (k, surface) in surfaces_at_depths(&ribbon, &depths).unwrap().iter().enumerate() {
            let radius = (outside.powi(2) - FRACTIONS[k] * (outside.powi(2) - inside.powi(2))).sqrt();
            for v in surface.vertices() {
                assert!((v.0.truncate().length() - radius).abs() < 1e-12, "{} for {radius}", v.0.truncate().length());
            }
        }
    }
}

/// The area between spheres changes with the square of the radius, in the model linearly. The two differ by d^2 x (1 - x)
/// at x of the thickness d; around a mean radius m this puts the surface of half the volume d^4 / (16 m^3) too high, to
/// leading order.
#[test]
fn spheres_come_as_close_to_their_exact_radii_as_the_model_allows() {
    let off_mm = |levels: usize, pial_mm: f64, white_mm: f64| {
        let ribbon = sphere_ribbon(levels, pial_mm, white_mm);
        let depths = depths(&ribbon, &[0.5], 0.0);
        let exact = ((pial_mm.powi(3) + white_mm.powi(3)) / 2.0).cbrt();
        let off: Vec<f64> = depths.iter().map(|d| exact - (pial_mm - d * (pial_mm - white_mm))).collect();
        // Corresponding triangles are similar: every vertex and every subdivision gives the same.
        assert!(off.iter().all(|o| (o - off[0]).abs() < 1e-9));
        off[0]
    };
    for (d_mm, tolerance) in [(4.0f64, 0.2), (2.0, 0.05)] {
        let (pial_mm, white_mm) = (10.0 + d_mm / 2.0, 10.0 - d_mm / 2.0);
        let expected = d_mm.powi(4) / 16_000.0;
        let found = off_mm(3, pial_mm, white_mm);
        assert!((found / expected - 1.0).abs() < tolerance, "{found} for {expected}");
        assert!((off_mm(1, pial_mm, white_mm) - found).abs() < 1e-9);
    }
}

/// Volumes between the surfaces of spheres converge to the fractions asked for as triangles are divided.
#[test]
fn volumes_between_spheres_are_the_fractions_asked_for() {
    let (pial_mm, white_mm) = (20.0, 17.5);
    for levels in [1, 3] {
        let ribbon = sphere_ribbon(levels, pial_mm, white_mm);
        let surfaces = surfaces_at_depths(&ribbon, &depths(&ribbon, &FRACTIONS, 0.0)).unwrap();
        let volumes: Vec<f64> = surfaces.iter().map(Surface::signed_volume_mm3).collect();
        let whole = volumes[0] - volumes[4];
        for (volume, fraction) in volumes.iter().zip(FRACTIONS) {
            let found = (volumes[0] - volume) / whole;
            // The model's own error on this sphere is 2e-4 of the volume.
            assert!((found - fraction).abs() < 3e-4, "{found} for {fraction}");
        }
        let exact = 4.0 / 3.0 * std::f64::consts::PI * (pial_mm.powi(3) - white_mm.powi(3));
        assert!((whole / exact - 1.0).abs() < [0.0, 0.15, 0.0, 0.01][levels], "{levels}: {whole} for {exact}");
        assert!(certify_surfaces(&surfaces, &ribbon, &vec![true; ribbon.len()], &Silent).unwrap().is_clean());
    }
}

#[test]
fn a_depth_and_its_share_of_the_volume_are_each_others_inverse() {
    for (pial, white) in [(1.0, 1.0), (3.0, 0.2), (0.2, 3.0), (1.0, 1.0 + 1e-14), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0)] {
        let mut last = -1.0;
        for i in 0..=50 {
            let share = f64::from(i) / 50.0;
            let depth = equivolumetric_depth(share, pial, white);
            assert!((0.0..=1.0).contains(&depth) && depth > last, "{pial} {white} {share}: {depth}");
            assert!((volume_share(depth, pial, white) - share).abs() < 1e-12);
            last = depth;
        }
    }
    // Beyond the ends there is no volume.
    assert_eq!((equivolumetric_depth(-0.1, 1.0, 2.0), equivolumetric_depth(1.1, 1.0, 2.0)), (0.0, 1.0));
    assert_eq!((volume_share(-0.1, 1.0, 2.0), volume_share(1.1, 1.0, 2.0)), (0.0, 1.0));
}

/// On the steep flanks of a pia that is more folded than the white surface half of the volume lies above the middle.
#[test]
fn outer_layers_are_thin_where_the_pia_has_more_area() {
    let wave = |amplitude: f64, height: f64| sheet(40, 0.25, move |x, _| height + amplitude * (x * 1.2).sin());
    let ribbon = Ribbon::new(wave(0.6, 2.0), wave(0.2, 0.0)).unwrap();
    let depths = depths(&ribbon, &[0.5], 0.0);
    // Steepest where the waves cross zero (x = pi / 1.2, vertex 10 or 11): areas 1.23 and 1.03 times the flat one.
    let flank = depths[[10 + 40 * 20, 0]];
    assert!((flank - 0.477).abs() < 0.01, "{flank}");
}

#[test]
fn smoothed_areas_take_no_part_from_vertices_that_are_not_used() {
    let n = 20;
    let mut white = sheet(n, 0.5, |_, _| 0.0).vertices().to_vec();
    // One column whose white end is torn out sideways: its areas say nothing.
    let torn = 10 + 10 * n;
    white[torn].0 += glam::DVec3::new(30.0, 0.0, 0.0);
    let flat = sheet(n, 0.5, |_, _| 2.0);
    let ribbon = Ribbon::new(flat.clone(), flat.with_vertices(white).unwrap()).unwrap();
    let neighbours = ribbon.neighbours();
    let used: Vec<bool> = (0..ribbon.len()).map(|v| v != torn && !neighbours.of(torn).contains(&(v as u32))).collect();
    let depths = equivolumetric_depths(&ribbon, &[0.5], 4.0, &used, &Silent).unwrap();
    for (v, depth) in depths.iter().enumerate().filter(|(v, _)| used[*v]) {
        assert!((depth - 0.5).abs() < 1e-6, "vertex {v}: {depth}");
    }
    assert!((depths[[torn + 1, 0]] - 0.5).abs() > 0.05);
}

#[test]
fn impossible_requests_are_refused_with_what_was_found() {
    let ribbon = sphere_ribbon(1, 10.0, 8.0);
    let all = vec![true; ribbon.len()];
    for (fractions, fwhm_mm, used, word) in [
        (&[1.5][..], 0.0, &all[..], "1.5"),
        (&[f64::NAN], 0.0, &all, "NaN"),
        (&[0.5], -1.0, &all, "-1"),
        (&[0.5], f64::INFINITY, &all, "inf"),
        (&[0.5], 0.0, &all[1..], "41"),
    ] {
        let error = equivolumetric_depths(&ribbon, fractions, fwhm_mm, used, &Silent).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    let mut depths = depths(&ribbon, &[0.5], 0.0);
    depths[[3, 0]] = f64::NAN;
    assert!(surfaces_at_depths(&ribbon, &depths).is_err());
    assert_cancelled(equivolumetric_depths(&ribbon, &[0.5], 2.0, &all, &Stopped));
}
