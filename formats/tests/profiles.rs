//! Profile files: numpy's own, the reference's text files, and the real staining profiles.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "support/fixture.rs"]
mod fixture;

use brainmesh_formats::{
    Error, NpyArray, TrainingSet, array_info, npz_names, read_npy, read_npz, read_profile_array, read_profile_matrix,
    read_profile_text, read_vertex_mask, write_npy, write_npz,
};
use fixture::fixture;
use ndarray::{Array2, ArrayView, arr1, arr2};
use std::fs::write;
use std::path::Path;

#[test]
fn every_real_type_and_order_numpy_writes() {
    let table = arr2(&[[0.0f32, 1.5, -2.0], [100.0, 65504.0, 3.0]]);
    for name in ["f2.npy", "f4.npy", "f8_big.npy", "f4_fortran.npy", "stored.npz", "deflated.npz"] {
        assert_eq!(read_profile_matrix(&fixture(name)).unwrap(), table, "{name}");
    }
    let small = arr2(&[[0.0f32, 1.0, -2.0], [99.0, 99.0, 3.0]]);
    assert_eq!(read_profile_matrix(&fixture("i2_big.npy")).unwrap(), small);
    assert_eq!(read_profile_matrix(&fixture("u1.npy")).unwrap(), arr2(&[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]));
    assert_eq!(read_profile_matrix(&fixture("bool.npy")).unwrap(), arr2(&[[1.0, 0.0, 1.0]]));
    let complex = read_npy(&fixture("c8.npy"));
    assert!(matches!(complex, Err(Error::Unsupported { .. })), "{complex:?}");
    assert_eq!(npz_names(&fixture("deflated.npz")).unwrap(), ["profiles", "other"]);
    assert_eq!(read_profile_array(&fixture("stored.npz"), "other").unwrap(), arr2(&[[0.0], [1.0], [2.0], [3.0]]));
    let info = array_info(&fixture("f8_big.npy")).unwrap();
    assert_eq!((info[0].shape.as_slice(), info[0].kind.as_str()), ([2, 3].as_slice(), "float64"));
    let info = array_info(&fixture("stored.npz")).unwrap();
    assert_eq!((info[1].name.as_str(), info[1].kind.as_str()), ("other", "int64"));
}

#[test]
fn numpy_files_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npz");
    let values = arr2(&[[1.5f32, f32::NAN], [f32::INFINITY, -0.0]]);
    let labels = arr1(&[1i32, -7, i32::MAX]);
    let scalar = ndarray::arr0(0.1f64);
    let arrays: [(&str, NpyArray<'_>); 3] =
        [("values", (&values).into()), ("labels", (&labels).into()), ("scalar", (&scalar).into())];
    write_npz(&path, &arrays).unwrap();
    let read = read_npz(&path, "values").unwrap();
    assert!(read.iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits()));
    assert_eq!(read_npz(&path, "scalar").unwrap().shape(), [0usize; 0]);
    let first = std::fs::read(&path).unwrap();
    write_npz(&path, &arrays).unwrap();
    assert_eq!(first, std::fs::read(&path).unwrap(), "the same bytes");
    assert!(write_npz(&path, &[("a", (&values).into()), ("a", (&values).into())]).is_err());
    assert_eq!(first, std::fs::read(&path).unwrap(), "a failed write leaves the old file");
    // A transposed view is written by its values, not by its memory.
    write_npy(&path, &ArrayView::from(&values).reversed_axes().into()).unwrap();
    assert_eq!(read_npy(&path).unwrap()[[0, 1]], f32::INFINITY);
}

#[test]
fn text_of_one_ray_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("raw.txt");
    write(&path, "# savetxt\n1.0e+00 2 nan\n\n4,5,65535\n").unwrap();
    // An empty line inside parts the rays of profile text, which needs x y z as well.
    assert!(matches!(read_profile_matrix(&path), Err(Error::Invalid { .. })));
    write(&path, "# savetxt\n1.0e+00 2 nan\n4,5,65535\n\n").unwrap();
    let table = read_profile_matrix(&path).unwrap();
    assert!(table[[0, 2]].is_nan());
    assert_eq!((table[[0, 0]], table[[1, 2]]), (1.0, 65535.0));
    write(&path, "1 2\n3\n").unwrap();
    let ragged = read_profile_matrix(&path);
    assert!(matches!(&ragged, Err(Error::Invalid { field, .. }) if field == "line 2"), "{ragged:?}");
    write(&path, "\n \n").unwrap();
    assert!(read_profile_matrix(&path).is_err());
}

#[test]
fn text_of_one_sample_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profiles.txt");
    let line = |ray: usize, sample: usize| format!("{ray} {sample} 0.5 9 {}\n", 100 * ray + sample);
    let ray = |r: usize, n: usize| (0..n).map(|s| line(r, s)).collect::<String>() + "\n";
    write(&path, ray(0, 200) + &ray(1, 200) + &ray(2, 200)).unwrap();
    let text = read_profile_text(&path).unwrap();
    assert_eq!((text.points.dim(), text.values.dim()), ((3, 200, 3), (3, 200)));
    assert_eq!(text.points.slice(ndarray::s![2, 7, ..]).to_vec(), [2.0, 7.0, 0.5]);
    assert_eq!(text.values[[2, 7]], 207.0);
    assert_eq!(read_profile_matrix(&path).unwrap(), text.values);
    write(&path, ray(0, 200) + &ray(1, 199)).unwrap();
    let short = read_profile_text(&path);
    assert!(matches!(&short, Err(Error::Invalid { found, .. }) if found == "199"), "{short:?}");
}

#[test]
fn the_reference_training_set() {
    let folder = tempfile::tempdir().unwrap();
    let row = |f: &dyn Fn(usize) -> String| (0..200).map(f).collect::<Vec<_>>().join(" ") + "\n";
    let put = |name: &str, text: &str| write(folder.path().join(name), text).unwrap();
    put("training_raw.txt", &row(&|s| format!("{s}.5")).repeat(3));
    put("training_geo.txt", &row(&|s| format!("{s}.25")).repeat(3));
    put("training_cls.txt", &row(&|s| format!("{:.18e}", s / 30)).repeat(3)); // as numpy's savetxt
    let set = TrainingSet::read(folder.path()).unwrap();
    assert_eq!((set.raw.dim(), set.smoothed[[2, 7]], set.classes[[1, 199]]), ((3, 200), 7.25, 6));
    assert_eq!((set.regions, set.class_indices), (None, None));
    put("training_regions.txt", "4\n4\n9\n");
    put("training_cls_indices.txt", "1 2 3 4\n5 6 7 8\n0 0 0 0\n");
    let set = TrainingSet::read(folder.path()).unwrap();
    assert_eq!(set.regions, Some(vec![4, 4, 9]));
    assert_eq!(set.class_indices.unwrap().dim(), (3, 4));
    put("training_regions.txt", "4\n4\n");
    assert!(TrainingSet::read(folder.path()).is_err());
    put("training_regions.txt", "4\n4\n9\n");
    put("training_cls.txt", &row(&|_| "8".into()).repeat(3));
    let class = TrainingSet::read(folder.path());
    assert!(matches!(&class, Err(Error::Invalid { field, .. }) if field == "class"), "{class:?}");
    put("training_cls.txt", &row(&|_| "1".into()));
    assert!(TrainingSet::read(folder.path()).is_err());
}

#[test]
fn masks_from_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mask.txt");
    write(&path, "0\n1\n2\n").unwrap();
    assert_eq!(read_vertex_mask(&path, 3).unwrap(), [false, true, true]);
    assert_eq!(read_vertex_mask(&fixture("bool.npy"), 3).unwrap(), [true, false, true]);
}

#[test]
fn bigbrain_profiles_are_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/bigbrain");
    let path = folder.join("tpl-bigbrain_hemi-L_desc-profiles18.npy");
    if !path.exists() {
        println!("skipped: {} is not here", path.display());
        return;
    }
    let profiles: Array2<f32> = read_profile_matrix(&path).unwrap();
    assert_eq!(profiles.dim(), (163_842, 18));
    // Thickness of layers I..VI: the published means in mm over all vertices that have cortex.
    let thickness = read_profile_matrix(&folder.join("tpl-bigbrain_hemi-L_desc-layers_thickness.npy")).unwrap();
    let cortex: Vec<_> = thickness.outer_iter().filter(|row| row.sum() > 0.0).collect();
    for (layer, expected) in [0.257, 0.223, 0.603, 0.193, 0.430, 0.526].into_iter().enumerate() {
        let mean = cortex.iter().map(|row| f64::from(row[layer])).sum::<f64>() / cortex.len() as f64;
        assert!((mean - expected).abs() < 2e-3, "layer {layer}: {mean}");
    }
}
