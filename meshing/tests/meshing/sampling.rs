use crate::support::{Random, Stopped, assert_cancelled, sphere_ribbon, with_threads};
use brainmesh_core::{Channel, Grid, RayDefect, RaySet, Ribbon, Silent, Volume, VoxelPoint, WorldPoint};
use brainmesh_meshing::{
    DepthSpacing, Error, RayIntensities, SampleOptions, channels, extended_rays, ribbon_rays, sample,
};
use glam::{DAffine3, DMat3, DVec3};
use ndarray::Array2;

/// A tilted, sheared grid around the origin whose value is linear in the world.
fn linear_volume(field: impl Fn(DVec3) -> f64) -> Volume<f32> {
    let tilt = DMat3::from_rotation_z(0.3) * DMat3::from_rotation_x(-0.2);
    let shear = DMat3::from_cols(DVec3::new(0.8, 0.0, 0.0), DVec3::new(0.1, 0.9, 0.0), DVec3::new(0.0, 0.05, 1.1));
    let matrix = tilt * shear;
    let shape = [40, 40, 40];
    let affine = DAffine3::from_mat3_translation(matrix, -(matrix * DVec3::splat(19.5)));
    let grid = Grid::new(shape, affine, "scanner").unwrap();
    let mut data = Vec::new();
    for k in 0..shape[2] {
        for j in 0..shape[1] {
            for i in 0..shape[0] {
                data.push(field(grid.world_from_voxel(VoxelPoint::new(i as f64, j as f64, k as f64)).0) as f32);
            }
        }
    }
    Volume::new(grid, data).unwrap()
}

fn every(samples: usize) -> SampleOptions {
    SampleOptions { samples, ..SampleOptions::default() }
}

fn slope(p: DVec3) -> f64 {
    3.0 * p.x - 2.0 * p.y + 0.5 * p.z + 40.0
}

#[test]
fn a_linear_field_is_sampled_exactly() {
    let volume = linear_volume(slope);
    let rays = extended_rays(&sphere_ribbon(3, 10.0, 7.0), 0.5).unwrap();
    let mut defects = vec![None; rays.len()];
    let values = sample(&volume, &rays, &every(50), &mut defects, &Silent).unwrap();
    assert!(defects.iter().all(Option::is_none));
    for ((ray, i), value) in values.indexed_iter() {
        let expected = slope(rays.point(ray, i as f64 / 49.0).0);
        assert!((f64::from(*value) - expected).abs() < 1e-4, "{value} {expected}");
    }
}

#[test]
fn unusable_rays_say_why() {
    let mut volume = linear_volume(slope);
    // A constant corner, one NaN and one missing value.
    let at = |i: usize, j: usize, k: usize| i + 40 * (j + 40 * k);
    for index in 0..40 * 40 * 4 {
        volume.data_mut()[index] = 7.0;
    }
    volume.data_mut()[at(20, 20, 20)] = f32::NAN;
    volume.data_mut()[at(5, 30, 30)] = 65535.0;
    let line = |a: [f64; 3], b: [f64; 3]| {
        (
            volume.grid().world_from_voxel(VoxelPoint(DVec3::from(a))),
            volume.grid().world_from_voxel(VoxelPoint(DVec3::from(b))),
        )
    };
    let lines = [
        line([5.0, 5.0, 10.0], [5.0, 5.0, 15.0]),
        line([5.0, 5.0, 35.0], [5.0, 5.0, 41.0]),
        line([20.0, 20.0, 18.5], [20.0, 20.0, 22.5]),
        line([5.0, 30.0, 25.0], [5.0, 30.0, 35.0]),
        line([5.0, 5.0, 0.0], [9.0, 9.0, 2.5]),
        line([5.0, 5.0, 10.0], [5.0, 5.0, 15.0]),
    ];
    let (outer, inner): (Vec<WorldPoint>, Vec<WorldPoint>) = lines.into_iter().unzip();
    let rays = RaySet::new(outer, inner, vec![0.1; 6], vec![0.9; 6]).unwrap();
    let mut defects = vec![None; 6];
    defects[5] = Some(RayDefect::Masked);
    let values =
        sample(&volume, &rays, &SampleOptions { missing: Some(65535.0), ..every(21) }, &mut defects, &Silent).unwrap();
    use RayDefect::*;
    assert_eq!(defects, [None, Some(OutsideVolume), Some(NotFinite), Some(NoTissue), Some(NoTissue), Some(Masked)]);
    for (row, defect) in values.outer_iter().zip(&defects) {
        assert!(defect.is_none() || row.iter().all(|v| *v == 0.0));
    }
}

#[test]
fn a_volume_elsewhere_is_an_error() {
    let ribbon = sphere_ribbon(1, 500.0, 490.0);
    let rays = ribbon_rays(&ribbon).unwrap();
    let mut defects = vec![None; rays.len()];
    let result = sample(&linear_volume(slope), &rays, &every(10), &mut defects, &Silent);
    assert!(matches!(result, Err(Error::NotCovered { .. })), "{result:?}");
}

#[test]
fn sampling_stops_and_does_not_depend_on_threads() {
    let volume = linear_volume(|p| (p.x * 0.7).sin() + p.y);
    let rays = extended_rays(&sphere_ribbon(5, 10.0, 7.0), 0.5).unwrap();
    assert_cancelled(sample(&volume, &rays, &every(10), &mut vec![None; rays.len()], &Stopped));
    with_threads(|| sample(&volume, &rays, &every(20), &mut vec![None; rays.len()], &Silent).unwrap());
}

/// Intensities that equal the radius, at `depths` shells of equal volume of a spherical ribbon.
fn radius_profiles(ribbon: &Ribbon, depths: usize, pial_mm: f64, white_mm: f64) -> RayIntensities {
    let (outer, inner) = (pial_mm.powi(3), white_mm.powi(3));
    let raw = Array2::from_shape_fn((ribbon.len(), depths), |(_, k)| {
        // The radius below which the fraction (k + 0.5) / n of the shell's volume is not yet passed.
        let fraction = (k as f64 + 0.5) / depths as f64;
        (outer - fraction * (outer - inner)).cbrt() as f32
    });
    let defects = vec![None; ribbon.len()];
    RayIntensities::from_matrix(raw, None, DepthSpacing::Equivolumetric, None, defects).unwrap()
}

#[test]
fn equal_volumes_become_equal_distances() {
    // A thick shell around a small core: equal volumes lie far from equal distances (up to 0.09 of the thickness).
    let ribbon = sphere_ribbon(3, 10.0, 7.0);
    let rays = ribbon_rays(&ribbon).unwrap();
    let given = radius_profiles(&ribbon, 60, 10.0, 7.0);
    let profiles = channels(&[Channel::Raw], &given, &ribbon, &rays, 31, &Silent).unwrap();
    for ray in 0..rays.len() {
        for i in 2..29 {
            let radius = 10.0 - 3.0 * i as f64 / 30.0;
            let found = f64::from(profiles.values()[[ray, 0, i]]);
            // Area linear in depth (Waehnert 2014) is not quite a sphere: 0.7 % of the thickness here.
            assert!((found - radius).abs() < 0.03, "sample {i}: {found} instead of {radius}");
        }
    }
}

#[test]
fn depths_given_at_equal_distances_are_interpolated() {
    let ribbon = sphere_ribbon(1, 10.0, 7.0);
    let rays = ribbon_rays(&ribbon).unwrap();
    let raw = Array2::from_shape_fn((ribbon.len(), 4), |(_, k)| [1.0, 3.0, 2.0, 8.0][k]);
    let given =
        RayIntensities::from_matrix(raw, None, DepthSpacing::Equidistant, None, vec![None; ribbon.len()]).unwrap();
    let profiles = channels(&[Channel::Raw], &given, &ribbon, &rays, 7, &Silent).unwrap();
    for ray in profiles.values().outer_iter() {
        let found: Vec<f32> = ray.row(0).to_vec();
        for (a, b) in found.iter().zip([1.0, 2.0, 3.0, 2.5, 2.0, 5.0, 8.0]) {
            assert!((a - b).abs() < 1e-5, "{found:?}");
        }
    }
}

#[test]
fn missing_values_of_a_file_become_defects() {
    let raw = ndarray::arr2(&[[1.0, 2.0], [65535.0, 2.0], [f32::NAN, 1.0], [4.0, 4.0], [1.0, 2.0]]);
    let mut known = vec![None; 5];
    known[4] = Some(RayDefect::NoCortex);
    let given = RayIntensities::from_matrix(raw, None, DepthSpacing::Equidistant, Some(65535.0), known).unwrap();
    use RayDefect::*;
    assert_eq!(given.defects, [None, Some(NoTissue), Some(NotFinite), Some(NoTissue), Some(NoCortex)]);
    let short = Array2::<f32>::zeros((3, 4));
    assert!(RayIntensities::from_matrix(short, None, DepthSpacing::Equidistant, None, vec![None; 5]).is_err());
}

#[test]
fn geometry_channels_are_those_of_the_sphere() {
    let ribbon = sphere_ribbon(4, 10.0, 8.0);
    let rays = extended_rays(&ribbon, 0.5).unwrap();
    let mut random = Random(3);
    let raw = Array2::from_shape_fn((ribbon.len(), 7), |_| random.uniform() as f32);
    let mut defects = vec![None; ribbon.len()];
    defects[17] = Some(RayDefect::OutsideVolume);
    let given = RayIntensities::from_matrix(raw.clone(), None, DepthSpacing::Equidistant, None, defects).unwrap();
    let wanted = [
        Channel::Raw,
        Channel::Depth,
        Channel::Thickness { fwhm_mm: 0.0 },
        Channel::Curvature { fwhm_mm: 2.0 },
        Channel::AreaRatio { fwhm_mm: 3.0 },
    ];
    let profiles = channels(&wanted, &given, &ribbon, &rays, 7, &Silent).unwrap();
    for (ray, values) in profiles.values().outer_iter().enumerate() {
        if ray == 17 {
            assert!(values.iter().all(|v| *v == 0.0));
            continue;
        }
        assert!(values.row(0).iter().zip(raw.row(ray)).all(|(a, b)| (a - b).abs() < 1e-6));
        // 3 mm from 0.5 mm outside: -0.25 to 1.25 of the 2 mm ribbon.
        for i in 0..7 {
            let t = i as f64 / 6.0;
            assert!((f64::from(values[[1, i]]) - (-0.25 + 1.5 * t)).abs() < 1e-6);
            assert!((values[[2, i]] - 2.0).abs() < 1e-5);
            // A sphere of radius 9 has mean curvature 1/9, positive because it bulges outward.
            assert!((f64::from(values[[3, i]]) - 1.0 / 9.0).abs() < 0.002, "{}", values[[3, i]]);
            assert!((f64::from(values[[4, i]]) - (100f64 / 64.0).ln()).abs() < 1e-4);
        }
    }
}
