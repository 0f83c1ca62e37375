//! Layers of voxels against the winding number of every voxel centre, and against volumes that are known.

use crate::support::{Random, Stopped, assert_cancelled, icosphere, sheet, with_threads};
use brainmesh_core::{Grid, Silent, Structure, Surface, VoxelPoint, WorldPoint};
use brainmesh_meshing::{label_layers, layer_fractions};
use glam::{DAffine3, DQuat, DVec3};
use std::f64::consts::PI;

fn grid(shape: [usize; 3], world_from_voxel: DAffine3) -> Grid {
    Grid::new(shape, world_from_voxel, "scanner").unwrap()
}

/// How often a closed surface goes around a point: the sum of the solid angles of its triangles (van Oosterom and Strackee 1983).
fn winding(surface: &Surface, p: DVec3) -> f64 {
    let angle = |t: usize| {
        let [a, b, c] = surface.corners(t).map(|c| c - p);
        let (la, lb, lc) = (a.length(), b.length(), c.length());
        let below = la * lb * lc + a.dot(b) * lc + a.dot(c) * lb + b.dot(c) * la;
        2.0 * a.dot(b.cross(c)).atan2(below)
    };
    (0..surface.triangles().len()).map(angle).sum::<f64>() / (4.0 * PI)
}

/// Spheres with waves, one inside the other, that share their triangles.
fn waves(levels: usize, radii_mm: &[f64]) -> Vec<Surface> {
    let wave = |p: DVec3, radius: f64| {
        let n = p.normalize();
        WorldPoint(n * (radius + 0.8 * (5.0 * n.x).sin() * (4.0 * n.y + 1.0).cos()) + DVec3::new(0.3, -0.2, 0.1))
    };
    let sphere = icosphere(levels, 1.0);
    radii_mm
        .iter()
        .map(|&radius| sphere.with_vertices(sphere.vertices().iter().map(|v| wave(v.0, radius)).collect()).unwrap())
        .collect()
}

/// Oblique, and sheared.
fn oblique(shape: [usize; 3]) -> Grid {
    let turn = DAffine3::from_scale_rotation_translation(
        DVec3::new(0.7, -0.8, 0.9),
        DQuat::from_euler(glam::EulerRot::XYZ, 0.3, 0.2, -0.4),
        DVec3::ZERO,
    );
    let mut affine = turn;
    affine.matrix3.z_axis += DVec3::new(0.1, 0.05, 0.0);
    let middle = DVec3::new(shape[0] as f64, shape[1] as f64, shape[2] as f64) / 2.0;
    affine.translation = -affine.transform_vector3(middle);
    grid(shape, affine)
}

#[test]
fn every_voxel_centre_has_the_layer_it_lies_in() {
    let surfaces = waves(3, &[7.0, 6.4, 6.0, 5.0, 4.5, 4.2, 3.0]);
    let grid = oblique([24, 23, 22]);
    let found = label_layers(&surfaces, &grid, &Silent).unwrap();
    assert_eq!(found.ambiguous, 0);
    let mut counts = [0; 7];
    for (n, &label) in found.volume.data().iter().enumerate() {
        let at = VoxelPoint::new((n % 24) as f64, (n / 24 % 23) as f64, (n / 24 / 23) as f64);
        let p = grid.world_from_voxel(at).0;
        let inside: Vec<bool> = surfaces.iter().map(|s| winding(s, p) > 0.5).collect();
        let expected = (1..7).find(|&k| inside[k - 1] && !inside[k]).unwrap_or(0);
        assert_eq!(usize::from(label), expected, "voxel {n}");
        counts[expected] += 1;
    }
    assert!(counts.iter().all(|&count| count > 100), "{counts:?}");
    with_threads(|| label_layers(&surfaces, &grid, &Silent).unwrap());
}

/// An octahedron with corners at whole voxels: lines pass through corners, edges and along faces.
fn octahedron(middle: DVec3, radius: f64) -> Surface {
    let corners = [DVec3::X, -DVec3::X, DVec3::Y, -DVec3::Y, DVec3::Z, -DVec3::Z];
    let vertices = corners.map(|c| WorldPoint(middle + c * radius)).to_vec();
    let mut triangles = Vec::new();
    for (x, y, z) in (0..8).map(|n| (n & 1, n >> 1 & 1, n >> 2 & 1)) {
        let [a, b, c] = [x, 2 + y, 4 + z];
        triangles.push(if (x + y + z) % 2 == 0 { [a, b, c] } else { [a, c, b] });
    }
    Surface::new(vertices, triangles, Structure::Unknown).unwrap()
}

#[test]
fn lines_through_corners_and_edges_are_counted_once() {
    let middle = DVec3::splat(10.0);
    let surfaces = [octahedron(middle, 8.0), octahedron(middle, 5.0), octahedron(middle, 2.0)];
    let found = label_layers(&surfaces, &grid([21; 3], DAffine3::IDENTITY), &Silent).unwrap();
    assert_eq!(found.ambiguous, 0);
    for (n, &label) in found.volume.data().iter().enumerate() {
        let p = DVec3::new((n % 21) as f64, (n / 21 % 21) as f64, (n / 441) as f64) - middle;
        let distance = p.abs().element_sum();
        // On a surface (exactly, these are whole numbers) either side is right.
        let right = |radius: f64| match distance.partial_cmp(&radius).unwrap() {
            std::cmp::Ordering::Less => vec![true],
            std::cmp::Ordering::Equal => vec![true, false],
            std::cmp::Ordering::Greater => vec![false],
        };
        let allowed = |label: u8| match label {
            0 => right(8.0).contains(&false) || right(2.0).contains(&true),
            1 => right(8.0).contains(&true) && right(5.0).contains(&false),
            _ => right(5.0).contains(&true) && right(2.0).contains(&false),
        };
        assert!(allowed(label), "{label} at {p}");
    }
}

#[test]
fn sheets_have_walls_at_their_borders() {
    // Two planes, 3 mm apart, over the square 0..10 mm: the layer is a box, which voxels of 1 mm from 0.25 mm on cut in half voxels.
    let surfaces = [sheet(11, 1.0, |_, _| 8.1), sheet(11, 1.0, |_, _| 5.1), sheet(11, 1.0, |_, _| 3.1)];
    let grid = grid([16; 3], DAffine3::from_translation(DVec3::splat(-2.75)));
    let found = label_layers(&surfaces, &grid, &Silent).unwrap().volume;
    let inside = |c: usize| (0.0..10.0).contains(&(c as f64 - 2.75));
    for (n, &label) in found.data().iter().enumerate() {
        let (i, j, z) = (n % 16, n / 16 % 16, (n / 256) as f64 - 2.75);
        let expected = match z {
            z if !inside(i) || !inside(j) || !(3.1..8.1).contains(&z) => 0,
            z if z > 5.1 => 1,
            _ => 2,
        };
        assert_eq!(label, expected);
    }
    let shares = layer_fractions(&surfaces, &grid, 4, &Silent).unwrap();
    let volume = |layer: usize| shares[layer].data().iter().map(|&s| f64::from(s)).sum::<f64>();
    // Lines a quarter of a voxel apart meet the height of 3 mm in 12 planes and that of 2 mm in 8.
    assert!((volume(0) - 300.0).abs() < 1e-2 && (volume(1) - 200.0).abs() < 1e-2, "{} {}", volume(0), volume(1));
}

#[test]
fn fractions_add_up_to_the_volume_between_surfaces() {
    let surfaces = waves(4, &[7.0, 6.4, 6.0, 5.0, 4.5, 4.2, 3.0]);
    let grid = oblique([24, 23, 22]);
    let shares = layer_fractions(&surfaces, &grid, 4, &Silent).unwrap();
    let labels = label_layers(&surfaces, &grid, &Silent).unwrap().volume;
    let voxel_mm3 = grid.affine().matrix3.determinant().abs();
    for (layer, share) in shares.iter().enumerate() {
        let expected = surfaces[layer].signed_volume_mm3() - surfaces[layer + 1].signed_volume_mm3();
        let found = share.data().iter().map(|&s| f64::from(s)).sum::<f64>() * voxel_mm3;
        assert!((found / expected - 1.0).abs() < 0.008, "layer {layer}: {found}, expected {expected}");
        assert!(share.data().iter().all(|s| (0.0..=1.0).contains(s)));
        // A voxel wholly in a layer has its centre there.
        for (share, label) in share.data().iter().zip(labels.data()) {
            assert!(*share < 0.999 || usize::from(*label) == layer + 1);
        }
    }
    // More lines come nearer: what is left is sampling, not a bias.
    for (layer, share) in layer_fractions(&surfaces, &grid, 16, &Silent).unwrap().iter().enumerate() {
        let expected = surfaces[layer].signed_volume_mm3() - surfaces[layer + 1].signed_volume_mm3();
        let found = share.data().iter().map(|&s| f64::from(s)).sum::<f64>() * voxel_mm3;
        assert!((found / expected - 1.0).abs() < 0.001, "layer {layer}: {found}, expected {expected}");
    }
    with_threads(|| layer_fractions(&surfaces, &grid, 2, &Silent).unwrap());
}

#[test]
fn where_surfaces_lie_on_one_another_there_is_no_layer() {
    let sphere = waves(3, &[5.0]).remove(0);
    let surfaces = vec![sphere; 7];
    let found = label_layers(&surfaces, &oblique([20; 3]), &Silent).unwrap();
    assert!(found.volume.data().iter().all(|&label| label == 0));
}

#[test]
fn surfaces_that_cross_are_counted() {
    // The second surface pokes out of the first: layer 1 is there on the wrong side, and layer 2 too.
    let mut surfaces = waves(3, &[6.0, 5.0, 4.0]);
    let out = |v: &WorldPoint| WorldPoint(if v.0.x > 0.0 { v.0 * 1.5 } else { v.0 });
    surfaces[1] = surfaces[1].with_vertices(surfaces[1].vertices().iter().map(out).collect()).unwrap();
    assert!(label_layers(&surfaces, &oblique([24; 3]), &Silent).unwrap().ambiguous > 100);
}

#[test]
fn what_has_no_layers_is_refused() {
    let grid = oblique([8; 3]);
    let spheres = waves(1, &[5.0, 4.0]);
    assert!(label_layers(&spheres[..1], &grid, &Silent).is_err());
    assert!(label_layers(&[spheres[0].clone(), icosphere(2, 3.0)], &grid, &Silent).is_err());
    assert!(layer_fractions(&spheres, &grid, 0, &Silent).is_err());
    assert_cancelled(label_layers(&spheres, &grid, &Stopped));
    assert_cancelled(layer_fractions(&spheres, &grid, 2, &Stopped));
    // Coordinates far beyond the grid, up to what a file can hold, neither hang nor fail.
    let mut random = Random(3);
    let wild = |_: &WorldPoint| WorldPoint(DVec3::from_array([(); 3].map(|()| (random.uniform() - 0.5) * 6e38)));
    let vertices: Vec<WorldPoint> = spheres[0].vertices().iter().map(wild).collect();
    let far = spheres[0].with_vertices(vertices).unwrap();
    label_layers(&[far, spheres[1].clone()], &grid, &Silent).unwrap();
}
