use crate::support::{Random, Stopped, assert_cancelled, icosphere, sheet, sphere_ribbon};
use brainmesh_core::{Ribbon, Silent, Structure, Surface, WorldPoint};
use brainmesh_meshing::{
    Diffusion, NearestPoint, Plane, closest_thickness_mm, contours, gaussian_curvature, mean_curvature, measure,
    subdivide, subdivide_ribbon,
};
use glam::DVec3;
use std::f64::consts::{PI, TAU};

/// A tube around the z axis: open at both ends, rings of `around` vertices.
fn tube(radius_mm: f64, length_mm: f64, around: u32, rings: u32) -> Surface {
    let mut vertices = Vec::new();
    for ring in 0..rings {
        for n in 0..around {
            // Every second ring is turned by half a step, so that triangles are nearly equilateral.
            let angle = (f64::from(n) + 0.5 * f64::from(ring % 2)) / f64::from(around) * TAU;
            let z = f64::from(ring) / f64::from(rings - 1) * length_mm;
            vertices.push(WorldPoint::new(radius_mm * angle.cos(), radius_mm * angle.sin(), z));
        }
    }
    let mut triangles = Vec::new();
    for ring in 0..rings - 1 {
        for n in 0..around {
            let next = (n + 1) % around;
            let [a, b, c, d] =
                [ring * around + n, ring * around + next, (ring + 1) * around + n, (ring + 1) * around + next];
            if ring % 2 == 0 {
                triangles.extend([[a, b, c], [b, d, c]]);
            } else {
                triangles.extend([[a, b, d], [a, d, c]]);
            }
        }
    }
    Surface::new(vertices, triangles, Structure::Unknown).unwrap()
}

/// A ring of `n` by `n` vertices.
fn torus(large_mm: f64, small_mm: f64, n: u32) -> Surface {
    let step = TAU / f64::from(n);
    let point = |i: u32, j: u32| {
        let (u, v) = (f64::from(i) * step, f64::from(j) * step);
        let r = large_mm + small_mm * v.cos();
        WorldPoint::new(r * u.cos(), r * u.sin(), small_mm * v.sin())
    };
    let vertices = (0..n * n).map(|k| point(k / n, k % n)).collect();
    let at = |i: u32, j: u32| (i % n) * n + j % n;
    let cell = |k: u32| {
        let (i, j) = (k / n, k % n);
        let [a, b, c, d] = [at(i, j), at(i + 1, j), at(i, j + 1), at(i + 1, j + 1)];
        [[a, b, d], [a, d, c]]
    };
    Surface::new(vertices, (0..n * n).flat_map(cell).collect(), Structure::Unknown).unwrap()
}

fn joined(parts: &[&Surface]) -> Surface {
    let (mut vertices, mut triangles) = (Vec::new(), Vec::new());
    for part in parts {
        let first = vertices.len() as u32;
        vertices.extend_from_slice(part.vertices());
        triangles.extend(part.triangles().iter().map(|t| t.map(|v| v + first)));
    }
    Surface::new(vertices, triangles, Structure::Unknown).unwrap()
}

fn moved(surface: &Surface, by: DVec3) -> Surface {
    surface.with_vertices(surface.vertices().iter().map(|v| WorldPoint(v.0 + by)).collect()).unwrap()
}

#[test]
fn a_sphere_a_ring_and_a_tube_are_measured() {
    let sphere = measure(&moved(&icosphere(5, 20.0), DVec3::splat(1e6)), &Silent).unwrap();
    // Chords of an icosphere of 10,242 vertices: 0.1 % short in area, 0.2 % in volume.
    assert!((sphere.area_mm2 / (4.0 * PI * 400.0) - 1.0).abs() < 2e-3);
    assert!((sphere.volume_mm3.unwrap() / (4.0 / 3.0 * PI * 8000.0) - 1.0).abs() < 4e-3);
    assert_eq!((sphere.euler_characteristic, sphere.components, sphere.borders), (2, 1, 0));
    assert_eq!((sphere.vertices, sphere.edges, sphere.triangles), (10_242, 30_720, 20_480));
    assert!(sphere.is_closed() && sphere.is_manifold());

    let ring = measure(&torus(10.0, 3.0, 100), &Silent).unwrap();
    assert!((ring.volume_mm3.unwrap() / (2.0 * PI * PI * 10.0 * 9.0) - 1.0).abs() < 4e-3);
    assert_eq!((ring.euler_characteristic, ring.self_intersecting_triangles), (0, 0));

    let tube = measure(&tube(5.0, 20.0, 40, 31), &Silent).unwrap();
    assert_eq!((tube.borders, tube.border_edges, tube.volume_mm3, tube.euler_characteristic), (2, 80, None, 0));
    let edge = tube.edge_mm.unwrap();
    assert!(edge.min > 0.0 && edge.min <= edge.mean && edge.mean <= edge.max && edge.sd < edge.mean);
}

#[test]
fn faults_are_counted() {
    let sphere = icosphere(2, 10.0);
    let flipped = {
        let triangles = sphere.triangles().iter().map(|&[a, b, c]| [a, c, b]).collect();
        Surface::new(sphere.vertices().to_vec(), triangles, Structure::Unknown).unwrap()
    };
    assert!(measure(&flipped, &Silent).unwrap().volume_mm3.unwrap() < 0.0);

    // Two spheres that pass through each other, and one far away.
    let two = joined(&[&sphere, &moved(&sphere, DVec3::new(12.0, 0.3, 0.2)), &moved(&sphere, DVec3::Y * 50.0)]);
    let found = measure(&two, &Silent).unwrap();
    assert_eq!((found.components, found.euler_characteristic), (3, 6));
    assert!(found.self_intersecting_triangles > 20);

    // Three triangles on one edge; a fan that touches them at one vertex; a vertex of no triangle; a flat triangle.
    let p = |x: f64, y: f64, z: f64| WorldPoint::new(x, y, z);
    let points = [
        [0., 0., 0.],
        [1., 0., 0.],
        [0., 1., 0.],
        [0., -1., 0.],
        [0., 0., 1.],
        [-1., 0.1, -1.],
        [-1., -0.1, -1.],
        [9., 9., 9.],
        [5., 0., 0.],
        [6., 0., 0.],
        [7., 0., 0.],
    ];
    let points = points.map(|[x, y, z]| p(x, y, z)).to_vec();
    let triangles = vec![[0, 1, 2], [1, 0, 3], [0, 1, 4], [0, 5, 6], [8, 9, 10]];
    let found = measure(&Surface::new(points, triangles, Structure::Unknown).unwrap(), &Silent).unwrap();
    assert_eq!((found.nonmanifold_edges, found.nonmanifold_vertices), (1, 1));
    assert_eq!((found.unused_vertices, found.flat_triangles, found.components), (1, 1, 2));
    assert!(!found.is_closed() && found.volume_mm3.is_none());

    // One triangle the other way round.
    let mut triangles = sphere.triangles().to_vec();
    triangles[0].swap(1, 2);
    let found = measure(&Surface::new(sphere.vertices().to_vec(), triangles, Structure::Unknown).unwrap(), &Silent);
    assert_eq!(found.unwrap().winding_conflicts, 3);
    assert_cancelled(measure(&sphere, &Stopped));
}

#[test]
fn curvatures_of_sphere_tube_and_ring() {
    for radius in [5.0, 20.0] {
        let sphere = icosphere(4, radius);
        for (h, k) in mean_curvature(&sphere).into_iter().zip(gaussian_curvature(&sphere)) {
            assert!((h * radius - 1.0).abs() < 0.01, "{h}");
            assert!((k * radius * radius - 1.0).abs() < 0.02, "{k}");
        }
    }
    let tube = tube(5.0, 20.0, 80, 61);
    let (mean, gaussian) = (mean_curvature(&tube), gaussian_curvature(&tube));
    let rim = |v: usize| tube.vertices()[v].0.z < 1e-9 || tube.vertices()[v].0.z > 20.0 - 1e-9;
    for v in 0..tube.vertices().len() {
        assert_eq!((mean[v].is_nan(), gaussian[v].is_nan()), (rim(v), rim(v)));
        assert!(
            rim(v) || ((mean[v] * 10.0 - 1.0).abs() < 0.01 && gaussian[v].abs() < 1e-9),
            "{} {}",
            mean[v],
            gaussian[v]
        );
    }
    // Gauss and Bonnet: curvature times area sums to 2 pi times the Euler characteristic; thirds of triangles are the areas to
    // a few percent.
    for (surface, euler) in [(icosphere(4, 7.0), 2.0), (torus(10.0, 3.0, 100), 0.0)] {
        let areas = Diffusion::new(&surface, |_| true).areas_mm2().to_vec();
        let sum: f64 = gaussian_curvature(&surface).iter().zip(areas).map(|(k, a)| k * a).sum();
        assert!((sum - TAU * euler).abs() < 0.1, "{sum}");
    }
    // Outermost and innermost line of a ring: cos v / (r (R + r cos v)).
    let ring = torus(10.0, 3.0, 200);
    let gaussian = gaussian_curvature(&ring);
    assert!((gaussian[0] * 39.0 - 1.0).abs() < 0.01 && (gaussian[100] * 21.0 + 1.0).abs() < 0.01);
}

#[test]
fn a_sphere_is_cut_in_circles() {
    let sphere = icosphere(5, 20.0);
    for (normal, height) in [(DVec3::Z, 10.0), (DVec3::new(1.0, -2.0, 0.5), -4.0), (DVec3::Y, 0.0)] {
        let normal = normal.normalize();
        let plane = Plane::new(WorldPoint(normal * height), normal).unwrap();
        let lines = contours(&sphere, &plane);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].closed);
        let radius = (400.0f64 - height * height).sqrt();
        // Chords lie inside, by at most the sagitta of an edge of about 0.7 mm.
        for p in &lines[0].points {
            assert!(plane.height_mm(*p).abs() < 1e-12);
            let found = (p.0 - normal * height).length();
            assert!(found <= radius + 1e-9 && found > radius - 0.01, "{found} {radius}");
        }
        assert!((lines[0].length_mm() / (TAU * radius) - 1.0).abs() < 1e-3);
        // Anticlockwise around the inside, seen against the normal.
        let turned: f64 = (0..lines[0].points.len())
            .map(|n| {
                let next = lines[0].points[(n + 1) % lines[0].points.len()];
                lines[0].points[n].0.cross(next.0).dot(normal)
            })
            .sum();
        assert!((turned / 2.0 / (PI * radius * radius) - 1.0).abs() < 2e-3, "{turned}");
    }
    let above = Plane::new(WorldPoint(DVec3::Z * 20.1), DVec3::Z).unwrap();
    assert!(contours(&sphere, &above).is_empty());
}

#[test]
fn vertices_on_the_plane_and_borders() {
    // A grid whose rows lie on the plane: one straight line, each place once.
    let flat = sheet(6, 1.0, |_, _| 0.0);
    let plane = Plane::new(WorldPoint::new(0.0, 2.0, 0.0), DVec3::Y).unwrap();
    let lines = contours(&flat, &plane);
    assert_eq!(lines.len(), 1);
    assert!(!lines[0].closed && (lines[0].length_mm() - 5.0).abs() < 1e-12);
    // A ring lying flat is cut in two circles inside one another, a standing one in two beside one another.
    let ring = torus(10.0, 3.0, 60);
    for (normal, length) in [(DVec3::Z, TAU * (13.0 + 7.0)), (DVec3::X, 2.0 * TAU * 3.0)] {
        let lines = contours(&ring, &Plane::new(WorldPoint::default(), normal).unwrap());
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.closed));
        let found: f64 = lines.iter().map(brainmesh_meshing::Contour::length_mm).sum();
        assert!((found / length - 1.0).abs() < 2e-3, "{found} {length}");
    }
    // Triangles wound at random still give whole lines.
    let mut random = Random(4);
    let triangles =
        ring.triangles().iter().map(|&[a, b, c]| if random.uniform() < 0.5 { [a, b, c] } else { [b, a, c] });
    let mixed = Surface::new(ring.vertices().to_vec(), triangles.collect(), Structure::Unknown).unwrap();
    let lines = contours(&mixed, &Plane::new(WorldPoint::default(), DVec3::X).unwrap());
    assert_eq!(lines.iter().map(|line| line.closed).collect::<Vec<_>>(), [true, true]);
    assert!(Plane::new(WorldPoint::default(), DVec3::ZERO).is_err());
}

#[test]
fn pictures_have_right_and_up() {
    for (normal, right, up) in [
        (DVec3::Z, DVec3::X, DVec3::Y),
        (-DVec3::Z, DVec3::X, DVec3::Y),
        (DVec3::Y, DVec3::X, DVec3::Z),
        (DVec3::X, DVec3::Y, DVec3::Z),
    ] {
        assert_eq!(Plane::new(WorldPoint::default(), normal).unwrap().axes(), [right, up]);
    }
}

#[test]
fn nearest_points_are_those_that_trying_all_gives() {
    let surface = torus(10.0, 3.0, 24);
    let nearest = NearestPoint::new(&surface);
    let mut random = Random(8);
    for _ in 0..200 {
        let p = DVec3::new(random.normal(), random.normal(), random.normal()) * 8.0;
        // By walking over each triangle.
        let mut best = f64::INFINITY;
        for t in 0..surface.triangles().len() {
            let [a, b, c] = surface.corners(t);
            for i in 0..=20 {
                for j in 0..=20 - i {
                    let (u, v) = (f64::from(i) / 20.0, f64::from(j) / 20.0);
                    best = best.min((a + (b - a) * u + (c - a) * v).distance(p));
                }
            }
        }
        let found = nearest.distance_mm(WorldPoint(p), f64::INFINITY);
        // The steps are at most 0.15 mm apart.
        assert!(found <= best + 1e-12 && found > best - 0.08, "{found} {best}");
        assert_eq!(nearest.distance_mm(WorldPoint(p), found / 2.0), found / 2.0);
    }
}

#[test]
fn thickness_of_shells_and_of_slanted_links() {
    let shells = sphere_ribbon(4, 10.0, 7.5);
    let closest = closest_thickness_mm(&shells, &Silent).unwrap();
    // Chords: up to 0.01 mm inside the spheres.
    assert!(closest.iter().all(|mm| (mm - 2.5).abs() < 0.02), "{closest:?}");
    // Sheets 2 mm apart, whose vertices are shifted by 1.5 mm: links are sqrt(2^2 + 1.5^2) = 2.5 mm long.
    let upper = sheet(30, 0.5, |_, _| 2.0);
    let lower = moved(&sheet(30, 0.5, |_, _| 0.0), DVec3::X * 1.5);
    let ribbon = Ribbon::new(upper, lower).unwrap();
    assert!(ribbon.thickness_mm().iter().all(|mm| (mm - 2.5).abs() < 1e-12));
    let closest = closest_thickness_mm(&ribbon, &Silent).unwrap();
    for (v, mm) in closest.iter().enumerate() {
        // Away from the rims.
        if (5..=24).contains(&(v % 30)) {
            assert!((mm - 2.0).abs() < 1e-12, "{mm}");
        }
        assert!(*mm <= 2.5 + 1e-12);
    }
    assert_cancelled(closest_thickness_mm(&shells, &Stopped));
}

#[test]
fn finer_surfaces_keep_shape_and_correspondence() {
    let ribbon = sphere_ribbon(2, 10.0, 7.5);
    let fine = subdivide_ribbon(&ribbon).unwrap();
    assert_eq!(fine.pial().euler_characteristic(), 2);
    assert_eq!(fine.triangles().len(), 4 * ribbon.triangles().len());
    for (before, after) in [(ribbon.pial(), fine.pial()), (ribbon.white(), fine.white())] {
        assert!((before.area_mm2() - after.area_mm2()).abs() < 1e-9);
        assert!((before.signed_volume_mm3() - after.signed_volume_mm3()).abs() < 1e-9);
        assert_eq!(before.vertices(), &after.vertices()[..before.vertices().len()]);
    }
    // Links stay radial.
    for (p, w) in fine.pial().vertices().iter().zip(fine.white().vertices()) {
        assert!((p.0 * 0.75 - w.0).length() < 1e-12);
    }
    let tube = tube(5.0, 20.0, 12, 7);
    assert_eq!(measure(&subdivide(&tube).unwrap(), &Silent).unwrap().borders, 2);
}
