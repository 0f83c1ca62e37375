use super::*;
use brainmesh_core::{Channel, Silent};
use glam::DAffine3;

/// Radii of the seven borders, pia first, in pixels.
const RADII: [f64; 7] = [140.0, 128.0, 121.0, 97.0, 88.0, 75.0, 60.0];

fn volume<T: Copy>(width: usize, height: usize, pixel_mm: f64, value: impl Fn(f64, f64) -> T) -> Volume<T> {
    let affine = DAffine3::from_scale(glam::DVec3::new(pixel_mm, pixel_mm, 1.0));
    let data = (0..width * height).map(|i| value((i % width) as f64, (i / width) as f64)).collect();
    Volume::new(Grid::new([width, height, 1], affine, "section").unwrap(), data).unwrap()
}

fn ring(radius: f64) -> u8 {
    RADII.iter().filter(|r| radius < **r).count() as u8
}

fn annulus(label: impl Fn(f64, f64) -> u8) -> Volume<u8> {
    volume(320, 300, 0.02, |x, y| label(x - 160.3, y - 149.6))
}

fn options() -> SectionOptions {
    SectionOptions { every_mm: 0.1, extension_mm: 0.5 }
}

fn distance_px(section: &SectionRays, ray: usize, t: f64) -> f64 {
    let p = section.rays.point(ray, t).0 / 0.02;
    (p.x - 160.3).hypot(p.y - 149.6)
}

#[test]
fn on_an_annulus_every_boundary_lies_at_its_radius() {
    for white in [7u8, 0] {
        let labels = annulus(|x, y| match ring(x.hypot(y)) {
            7 => white,
            l => l,
        });
        let section = section_rays(&labels, &options(), &Silent).unwrap();
        // Half way in a harmonic potential between circles is the geometric mean of their radii.
        let middle_mm = 2.0 * std::f64::consts::PI * (RADII[0] * RADII[6]).sqrt() * 0.02;
        let expected = middle_mm / 0.1;
        assert!(
            (section.rays.len() as f64 - expected).abs() < 0.03 * expected,
            "{} of {expected}: {:?}",
            section.rays.len(),
            section.refused
        );
        let mut sums = [0.0; 7];
        for ray in 0..section.rays.len() {
            for k in 0..7 {
                let error = distance_px(&section, ray, section.boundaries_t[[ray, k]]) - RADII[k];
                assert!(error.abs() < 0.75, "boundary {k} of ray {ray}: {error}");
                sums[k] += error / section.rays.len() as f64;
            }
            // A chord of an annulus is a radius.
            let (a, b) = (section.rays.point(ray, 0.0).0, section.rays.point(ray, 1.0).0);
            let centre = glam::DVec3::new(160.3, 149.6, 0.0) * 0.02;
            let off = (b - a).normalize().cross(centre - a).length();
            assert!(off < 0.04, "ray {ray} passes the centre at {off} mm");
            assert!((section.rays.length_mm(ray) - 2.6).abs() < 0.04);
        }
        assert!(sums.iter().all(|s| s.abs() < 0.1), "{sums:?}");
        assert!(section.refused.values().sum::<usize>() <= 2, "{:?}", section.refused);
    }
}

#[test]
fn rays_do_not_cross_in_a_fold() {
    // Two thirds of an annulus, its cut edges neither pia nor white.
    let labels = annulus(|x, y| if y.atan2(x).abs() < 2.0 { ring(x.hypot(y)) } else { 0 });
    let section = section_rays(&labels, &options(), &Silent).unwrap();
    let ends: Vec<_> = (0..section.rays.len())
        .map(|r| [section.rays.pial_t(r), section.rays.white_t(r)].map(|t| section.rays.point(r, t).0.truncate()))
        .map(|[a, b]| (a, b))
        .collect();
    assert!(crossing(&ends).iter().all(|c| !c));
    for ray in 0..section.rays.len() {
        // No ray begins at a cut edge: all reach the outer circle.
        assert!((distance_px(&section, ray, section.rays.pial_t(ray)) - RADII[0]).abs() < 0.8);
        assert!((distance_px(&section, ray, section.rays.white_t(ray)) - RADII[6]).abs() < 0.8);
    }
}

#[test]
fn what_the_section_does_not_show_stays_unknown() {
    // Layers III and IV alone above white matter, IV drawn as V.
    let labels = annulus(|x, y| match ring(x.hypot(y)) {
        1 | 2 => 0,
        4 => 5,
        l => l,
    });
    let section = section_rays(&labels, &options(), &Silent).unwrap();
    for row in section.boundaries_t.outer_iter() {
        let known: Vec<bool> = row.iter().map(|t| t.is_finite()).collect();
        assert_eq!(known, [false, false, false, false, false, true, true]);
    }
    // A slab that runs to the edge of the picture, without white matter.
    let slab = volume(60, 120, 0.02, |_, y| if y < 10.0 { 0 } else { (1 + (y as usize - 10) / 19).min(6) as u8 });
    let section = section_rays(&slab, &options(), &Silent).unwrap();
    for (ray, row) in section.boundaries_t.outer_iter().enumerate() {
        assert!(row[6].is_nan() && row.iter().take(6).all(|t| t.is_finite()));
        for k in 0..6 {
            let y = section.rays.point(ray, row[k]).0.y / 0.02;
            assert!((y - (9.5 + 19.0 * k as f64)).abs() < 0.1, "boundary {k} at {y}");
        }
        assert!((section.rays.point(ray, section.rays.white_t(ray)).0.y / 0.02 - 119.5).abs() < 0.1);
    }
}

#[test]
fn a_cleft_parts_two_banks_where_the_picture_shows_it() {
    // Layer I from row 20 to 80 between two banks; the cleft is a bright line at row 60, not half way.
    let label = |y: f64| match y as usize {
        0..10 => 3,
        10..20 => 2,
        20..80 => 1,
        80..90 => 2,
        90..110 => 3,
        110..125 => 6,
        _ => 7,
    };
    let mut labels = volume(80, 140, 0.02, |_, y| label(y));
    let picture = volume(80, 140, 0.02, |x, y| {
        let noise = ((x * 13.0 + y * 7.0) as i32 % 11) as f32;
        if (58.0..=62.0).contains(&y) { 250.0 } else { 100.0 + noise }
    });
    assert_eq!(part_banks(&mut labels, &picture).unwrap(), 2);
    let section = section_rays(&labels, &options(), &Silent).unwrap();
    assert!(section.rays.len() > 10);
    for ray in 0..section.rays.len() {
        let y = section.rays.point(ray, section.boundaries_t[[ray, 0]]).0.y / 0.02;
        assert!((58.0..=62.0).contains(&y), "pia of ray {ray} at row {y}");
    }
}

#[test]
fn profiles_read_the_picture_where_the_ray_is() {
    let labels = annulus(|x, y| ring(x.hypot(y)));
    // Grey is the radius: linear along every ray.
    let picture = volume(320, 300, 0.02, |x, y| (x - 160.3).hypot(y - 149.6) as f32);
    let section = section_rays(&labels, &SectionOptions { every_mm: 0.1, extension_mm: 0.1 }, &Silent).unwrap();
    let wanted = [Channel::Raw, Channel::Smoothed { fwhm_mm: 0.5 }, Channel::Depth];
    let sampling = SectionSampling { channels: &wanted, samples: 50, voxel_mm: 0.02 };
    let profiles = section_profiles(&picture, &section, &sampling).unwrap();
    for ray in 0..section.rays.len() {
        for i in 0..50 {
            let t = RaySet::t_of_sample(f64::from(i), 50);
            let expected = distance_px(&section, ray, t);
            for channel in 0..2 {
                let found = f64::from(profiles.values()[[ray, channel, i as usize]]);
                assert!((found - expected).abs() < 1.0, "ray {ray} sample {i}: {found} for {expected}");
            }
            let depth = f64::from(profiles.values()[[ray, 2, i as usize]]);
            assert!((depth - (140.0 - expected) / 80.0).abs() < 0.02);
        }
    }
}
