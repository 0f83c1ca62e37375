//! Files that other programs wrote, and what those programs read from them (data/README.md).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "support/fixture.rs"]
mod fixture;
#[path = "support/pyramid.rs"]
mod pyramid;

use brainmesh_core::{Structure, Surface};
use brainmesh_formats::{
    Error, array_info, read_annot, read_label_gifti, read_morphometry, read_shape_gifti, read_surface,
    read_vertex_mask, surface_info,
};
use fixture::fixture;
use pyramid::{FACES, POINTS};

fn read(name: &str) -> Surface {
    read_surface(&fixture(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn points(surface: &Surface) -> Vec<[f64; 3]> {
    surface.vertices().iter().map(|v| v.to_array()).collect()
}

#[test]
fn every_byte_order_array_order_and_type_gives_the_same_surface() {
    let files = ["big_column.surf.gii", "big_row.surf.gii", "lh.no_footer", "vtk_ascii.ply", "vtk_little.ply"];
    for name in files.into_iter().chain(["vtk_big.ply", "vtk.obj"]) {
        let surface = read(name);
        assert_eq!(points(&surface), POINTS, "{name}");
        assert_eq!(surface.triangles(), FACES, "{name}");
        assert!(surface.signed_volume_mm3() > 0.0, "{name}: outward");
    }
    assert_eq!(read("big_row.surf.gii").structure(), Structure::CortexRight);
    assert_eq!(read("lh.no_footer").structure(), Structure::CortexLeft);
}

/// nibabel and Connectome Workbench take coordinates as stored; so do we, even where the matrix is not the identity.
#[test]
fn gifti_transforms_are_not_applied() {
    assert_eq!(points(&read("transformed.surf.gii")), POINTS);
    let info = surface_info(&fixture("transformed.surf.gii")).unwrap();
    assert_eq!(info.space.as_deref(), Some("NIFTI_XFORM_UNKNOWN"));
    assert_eq!(info.warnings.len(), 2, "{:?}", info.warnings);
}

/// Expected coordinates: nibabel's `MGHHeader.get_affine() @ inv(get_vox2ras_tkr())` applied to the stored ones.
#[test]
fn freesurfer_surfaces_move_to_scanner_space() {
    let shifted: [[f64; 3]; 5] =
        [[-16.5, 24.75, 12.0], [-6.5, 24.75, 12.0], [-4.5, 32.75, 12.0], [-15.5, 30.75, 12.5], [-12.5, 27.75, 19.25]];
    let tilted: [[f64; 3]; 5] = [
        [-16.5, 21.230678, 21.959068],
        [-6.5, 21.230678, 21.959068],
        [-4.5, 28.748219, 24.695229],
        [-15.5, 26.697823, 24.481035],
        [-12.5, 21.570109, 29.7979],
    ];
    for (name, expected) in [("lh.shifted", shifted), ("rh.tilted", tilted)] {
        let surface = read(name);
        for (found, expected) in points(&surface).iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() < 1e-5, "{name}: {found} {expected}");
        }
        assert_eq!(surface.triangles(), FACES);
        assert!(surface.signed_volume_mm3() > 0.0);
    }
    assert_eq!(read("rh.tilted").structure(), Structure::CortexRight);
}

/// Surface RAS mirrors a volume stored right-handed; corners change their order so that normals stay outward.
#[test]
fn a_mirrored_freesurfer_surface_keeps_its_outside() {
    let surface = read("lh.right_handed");
    let expected: [[f64; 3]; 5] =
        [[-4.0, 32.0, 23.0], [-4.0, 32.0, 13.0], [-4.0, 40.0, 11.0], [-4.5, 38.0, 22.0], [-11.25, 35.0, 19.0]];
    assert_eq!(points(&surface), expected);
    assert!(surface.signed_volume_mm3() > 0.0);
}

#[test]
fn a_space_comment_turns_lps_into_ras() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lps");
    let ply = std::fs::read(fixture("vtk_ascii.ply")).unwrap();
    let ply = String::from_utf8(ply).unwrap().replacen("comment", "comment SPACE=LPS\ncomment", 1);
    let obj = String::from_utf8(std::fs::read(fixture("vtk.obj")).unwrap()).unwrap();
    for text in [ply, format!("# 3D Slicer output. SPACE=LPS\n{obj}")] {
        std::fs::write(&path, text).unwrap();
        let surface = read_surface(&path).unwrap();
        assert_eq!(points(&surface), POINTS.map(|[x, y, z]| [-x, -y, z]));
        assert!(surface.signed_volume_mm3() > 0.0);
    }
}

#[test]
fn nibabel_test_files() {
    let ascii = read("ascii.gii");
    assert_eq!(points(&ascii)[0].map(|c| c as f32), [-16.07201, -66.187515, 21.266994]);
    assert_eq!(ascii.triangles(), [[0, 1, 2]]);
    assert_eq!(ascii.structure(), Structure::CortexLeft);
    let cube = read("external.gii");
    assert_eq!((cube.vertices().len(), cube.triangles().len(), cube.euler_characteristic()), (8, 12, 2));
    assert_eq!((points(&cube)[0], points(&cube)[7]), ([-1.0; 3], [1.0; 3]));
    assert_eq!((cube.triangles()[0], cube.triangles()[11]), ([0, 6, 4], [4, 6, 7]));
    // Ten points of a larger surface whose triangles name points that are not there.
    let cut = read_surface(&fixture("base64bin.gii"));
    assert!(
        matches!(cut, Err(Error::Core { source: brainmesh_core::Error::IndexOutOfRange { index: 6402, .. }, .. })),
        "{cut:?}"
    );
}

#[test]
fn fslpy_test_files() {
    let surface = read("example.surf.gii");
    assert_eq!((surface.vertices().len(), surface.triangles().len(), surface.euler_characteristic()), (642, 1280, 2));
    let sum: f64 = points(&surface).iter().flatten().sum();
    assert!((sum - 166_359.785_457_611_08).abs() < 1e-6, "{sum}");
    assert_eq!(surface.triangles().iter().flatten().map(|&v| u64::from(v)).sum::<u64>(), 1_234_500);
    assert_eq!((surface.triangles()[0], surface.triangles()[1279]), ([164, 162, 163], [373, 2, 492]));
    // One surface with an array of values beside it, which are not part of the surface, and one array fewer than it says.
    let bad = std::fs::read_to_string(fixture("example_bad4.surf.gii")).unwrap();
    assert!(bad.contains("NumberOfDataArrays=\"4\""));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("three.surf.gii");
    std::fs::write(&path, bad.replace("NumberOfDataArrays=\"4\"", "NumberOfDataArrays=\"3\"")).unwrap();
    assert_eq!(read_surface(&path).unwrap(), surface);
    let warnings = surface_info(&path).unwrap().warnings;
    assert!(warnings.iter().any(|w| w.contains("NIFTI_INTENT_NORMAL")), "{warnings:?}");
    let reasons = [
        ("example_bad1.surf.gii", "NIFTI_INTENT_POINTSET arrays", "2"),
        ("example_bad2.surf.gii", "NIFTI_INTENT_TRIANGLE arrays", "2"),
        ("example_bad3.surf.gii", "NIFTI_INTENT_POINTSET arrays", "0"),
        ("example_bad5.surf.gii", "NIFTI_INTENT_POINTSET arrays", "0"),
        ("example_bad4.surf.gii", "NumberOfDataArrays", "3"),
        ("example_bad6.surf.gii", "NIFTI_INTENT_POINTSET arrays", "0"),
    ];
    for (name, reason, count) in reasons {
        match read_surface(&fixture(name)) {
            Err(Error::Invalid { field, found, .. }) => assert_eq!((field.as_str(), found.as_str()), (reason, count)),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn shape_and_label_maps() {
    let maps = read_shape_gifti(&fixture("nibabel.shape.gii")).unwrap();
    assert_eq!(maps.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["depth", "area"]);
    assert!(maps[0].values[1].is_nan());
    assert_eq!(maps[0].values[3], f32::INFINITY);
    assert_eq!((maps[0].values[0], maps[0].values[2], maps[0].values[4]), (0.5, -1.0, 1e-30));
    assert_eq!(maps[1].values, [1.0, 2.0, 3.0, 4.0, 5.0]);
    // Two dimensions: a map a column.
    let columns = read_shape_gifti(&fixture("example4D.shape.gii")).unwrap();
    assert_eq!((columns.len(), columns[0].values.len()), (10, 642));
    let first: Vec<f32> = columns[..3].iter().map(|m| m.values[0]).collect();
    assert_eq!(first, [2.0, 8.0, 6.0]);
    assert_eq!(columns.iter().flat_map(|m| &m.values).sum::<f32>(), 32_113.0);

    let areas = read_label_gifti(&fixture("nibabel.label.gii")).unwrap();
    assert_eq!(areas.labels, [0, -3, 0, -3, -3]);
    assert_eq!((areas.name.as_str(), areas.structure), ("areas", Structure::CortexLeft));
    let area = areas.table.get(-3).unwrap();
    assert_eq!((area.name.as_str(), area.rgba), ("R&D <area>", [0.25, 0.5, 0.75, 1.0]));
    let info = array_info(&fixture("nibabel.label.gii")).unwrap();
    assert_eq!((info[0].shape.as_slice(), info[0].kind.as_str()), ([5].as_slice(), "NIFTI_INTENT_LABEL"));
}

/// nibabel wrote labels 1 0 2 -1 1; -1 stands for a vertex without a label.
#[test]
fn annotations() {
    let areas = read_annot(&fixture("lh.areas.annot")).unwrap();
    assert_eq!(areas.labels, [1, 0, 2, -1, 1]);
    assert_eq!(areas.structure, Structure::CortexLeft);
    let names: Vec<_> = areas.table.0.values().map(|l| l.name.as_str()).collect();
    assert_eq!(names, ["unknown", "V1", "R&D"]);
    assert_eq!(areas.table.get(1).unwrap().rgba, [220.0 / 255.0, 20.0 / 255.0, 10.0 / 255.0, 1.0]);
}

#[test]
fn masks_and_morphometry() {
    let mask = read_vertex_mask(&fixture("nibabel.label.gii"), 5).unwrap();
    assert_eq!(mask, [false, true, false, true, true]);
    let mask = read_vertex_mask(&fixture("nibabel.shape.gii"), 5).unwrap();
    assert_eq!(mask, [true, false, true, true, true], "NaN is outside");
    assert!(matches!(read_vertex_mask(&fixture("nibabel.label.gii"), 6), Err(Error::Invalid { .. })));
    assert_eq!(read_morphometry(&fixture("lh.thickness")).unwrap(), [2.5, 0.0, 3.25, 1.0, 4.0]);
    let refused = read_surface(&fixture("lh.thickness"));
    assert!(matches!(refused, Err(Error::Unsupported { .. })), "{refused:?}");
}
