use brainmesh_core::{VoxelPoint, WorldPoint};
use brainmesh_formats::{VolumeOptions, volume_info};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A file of `tests/data/volumes`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/volumes").join(name)
}

/// What another program reads from the files in `tests/data/volumes`, as (file, expectation).
pub fn expectations() -> Vec<(String, Value)> {
    expectations_of(&fixture("expected.json"))
}

/// The expectations in one file.
pub fn expectations_of(path: &Path) -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(path).unwrap();
    let files: Value = serde_json::from_str(&text).unwrap();
    files.as_object().unwrap().clone().into_iter().collect()
}

/// Every volume of `path` has the expected values at the expected world points, and their sum.
pub fn check(path: &Path, expected: &Value) {
    let numbers = |v: &Value| v.as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect::<Vec<_>>();
    let points = expected["points"].as_array().unwrap();
    let volumes = expected["values"].as_array().unwrap();
    let info = volume_info(path).unwrap();
    assert_eq!(info.volumes, volumes.len(), "{}", path.display());
    for (index, values) in volumes.iter().enumerate() {
        let volume = VolumeOptions::default().with_volume_index(index).read(path).unwrap();
        let grid = volume.grid();
        assert_eq!(info.shape, grid.shape(), "{}", path.display());
        assert_eq!(info.world, grid.world(), "{}", path.display());
        assert_eq!(grid.world(), expected["world"], "{}", path.display());
        assert_eq!(grid.voxel_count() as u64, expected["voxels"], "{}", path.display());
        for (point, value) in points.iter().zip(numbers(values)) {
            let point = numbers(point);
            let VoxelPoint(voxel) = grid.voxel_from_world(WorldPoint::new(point[0], point[1], point[2]));
            let nearest = voxel.round();
            assert!((voxel - nearest).length() < 1e-3, "{}: {point:?} is at {voxel}", path.display());
            let [i, j, k] = nearest.to_array().map(|c| c as usize);
            let found = volume.get(i, j, k).map(f64::from);
            let found = found.ok_or_else(|| format!("{}: nothing at {point:?}, {voxel}", path.display())).unwrap();
            assert!(
                (found - value).abs() <= 1e-6 * value.abs().max(1e-3),
                "{} volume {index} at {point:?}: {value} expected, {found} found",
                path.display()
            );
        }
        let sum: f64 = volume.data().iter().map(|&v| f64::from(v)).sum();
        let expected_sum = expected["sums"][index].as_f64().unwrap();
        assert!((sum - expected_sum).abs() <= 1e-6 * expected_sum.abs().max(1.0), "{}: {sum}", path.display());
    }
    assert!(VolumeOptions::default().with_volume_index(volumes.len()).read(path).is_err());
}
