//! Surfaces: the same one in every format, real ones, and what other programs say of published files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests")]

#[path = "support/shape.rs"]
mod shape;

use brainmesh_core::{LabelTable, Structure, Surface, WorldPoint};
use brainmesh_formats::{
    Error, SceneOptions, SceneSurface, SurfaceFormat, VertexLabel, VertexMaps, VertexValues, read_annot,
    read_freesurfer_label, read_label_gifti, read_scene, read_surface, read_vertex_maps, surface_info, write_annot,
    write_freesurfer_label, write_func_gifti, write_morphometry, write_mz3_maps, write_surface,
};
use std::path::{Path, PathBuf};

/// What every format must keep: places to float32, which triangles there are and how they are wound, and so the Euler
/// characteristic, the enclosed volume with its sign, and the unit.
#[test]
fn one_surface_is_the_same_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let surface = shape::lopsided();
    for format in SurfaceFormat::ALL {
        let path = folder.path().join(format!("lh.{format:?}"));
        write_surface(&path, &surface, format, None).unwrap();
        let read = read_surface(&path).unwrap_or_else(|e| panic!("{format:?}: {e}"));
        assert_eq!(corners(&read), corners(&surface), "{format:?}");
        assert_eq!((read.vertices().len(), read.euler_characteristic()), (66, 2), "{format:?}");
        assert!((read.signed_volume_mm3() / surface.signed_volume_mm3() - 1.0).abs() < 1e-6, "{format:?}");
        // STL has corners and no vertices.
        if format != SurfaceFormat::Stl {
            assert!(f32_vertices(&read) == f32_vertices(&surface), "{format:?}");
            assert_eq!(read.triangles(), surface.triangles(), "{format:?}");
        }
        let info = surface_info(&path).unwrap();
        assert_eq!(info.warnings, Vec::<String>::new(), "{format:?}");
        assert_eq!(info.format, format.name());
        let states_its_space = !matches!(format, SurfaceFormat::MniObj | SurfaceFormat::Mz3);
        assert_eq!(info.space.is_some(), states_its_space, "{format:?}: {:?}", info.space);
    }
}

/// Corners of the triangles in their order.
fn corners(surface: &Surface) -> Vec<[[f32; 3]; 3]> {
    let vertices = f32_vertices(surface);
    surface.triangles().iter().map(|t| t.map(|v| vertices[v as usize])).collect()
}

/// Every format stores float32; text gives the shortest decimals that stand for it.
fn f32_vertices(surface: &Surface) -> Vec<[f32; 3]> {
    surface.vertices().iter().map(|v| v.to_array().map(|c| c as f32)).collect()
}

#[test]
fn maps_come_back_from_every_format_that_carries_them() {
    let folder = tempfile::tempdir().unwrap();
    let surface = shape::lopsided();
    let mut maps = VertexMaps::default();
    let depth: Vec<f32> = surface.vertices().iter().map(|v| v.0.z as f32 / 3.0).collect();
    maps.push("depth", depth.clone()).unwrap();
    let with_gap: Vec<f32> = (0..66).map(|v| if v == 7 { f32::NAN } else { v as f32 * -1e-9 }).collect();
    maps.push("with-gap", with_gap.clone()).unwrap();
    for format in SurfaceFormat::ALL.into_iter().filter(|f| f.carries_maps()) {
        let path = folder.path().join("maps");
        let written = write_surface(&path, &surface, format, Some(&maps));
        if format == SurfaceFormat::VtkAscii {
            assert!(matches!(written, Err(Error::Unsupported { .. })), "VTK cannot read nan as text");
            let mut finite = VertexMaps::default();
            finite.push("depth", depth.clone()).unwrap();
            write_surface(&path, &surface, format, Some(&finite)).unwrap();
            let read = read_vertex_maps(&path).unwrap();
            assert!(matches!(&read[..], [VertexValues::Shape(map)] if map.values == depth));
            continue;
        }
        written.unwrap();
        let read = read_vertex_maps(&path).unwrap_or_else(|e| panic!("{format:?}: {e}"));
        let [VertexValues::Shape(first), VertexValues::Shape(second)] = &read[..] else { panic!("{format:?}") };
        assert_eq!((first.name.as_str(), &first.values), ("depth", &depth), "{format:?}");
        assert_eq!(second.name, "with-gap");
        assert_bits(&second.values, &with_gap);
    }
}

fn assert_bits(found: &[f32], expected: &[f32]) {
    let same = |(a, b): (&f32, &f32)| a == b || (a.is_nan() && b.is_nan());
    assert!(found.len() == expected.len() && found.iter().zip(expected).all(same), "{found:?}");
}

#[test]
fn files_of_maps_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let values = [0.5, f32::NAN, -1.0, f32::INFINITY, 1e-30];
    let shape = |path: &Path| match &read_vertex_maps(path).unwrap()[..] {
        [VertexValues::Shape(map)] => map.clone(),
        other => panic!("{other:?}"),
    };
    write_morphometry(&file("lh.thickness"), &values, 6).unwrap();
    let map = shape(&file("lh.thickness"));
    assert_bits(&map.values, &values);
    assert_eq!(map.structure, Structure::CortexLeft);
    write_mz3_maps(&file("overlay.mz3"), &[&values]).unwrap();
    assert_bits(&shape(&file("overlay.mz3")).values, &values);
    write_mz3_maps(&file("two.mz3"), &[&values, &[1.0; 5]]).unwrap();
    assert!(
        matches!(&read_vertex_maps(&file("two.mz3")).unwrap()[..], [_, VertexValues::Shape(m)] if m.values == [1.0; 5])
    );
    assert!(read_surface(&file("two.mz3")).is_err(), "no triangles");
    write_func_gifti(&file("a.func.gii"), &[&values, &[2.0; 5]], Structure::CortexRight).unwrap();
    let time = read_vertex_maps(&file("a.func.gii")).unwrap();
    let [VertexValues::Shape(first), VertexValues::Shape(second)] = &time[..] else { panic!("{time:?}") };
    assert_bits(&first.values, &values);
    assert_eq!((second.values.as_slice(), second.structure), ([2.0; 5].as_slice(), Structure::CortexRight));

    let mut table = LabelTable::default();
    table.insert(0, "unknown", [25.0 / 255.0, 5.0 / 255.0, 25.0 / 255.0, 1.0]);
    table.insert(7, "V1", [1.0, 0.0, 0.2, 0.0]);
    write_annot(&file("rh.areas.annot"), &[7, 0, -1, 7], &table).unwrap();
    let areas = read_annot(&file("rh.areas.annot")).unwrap();
    assert_eq!((areas.labels.as_slice(), areas.structure), ([7, 0, -1, 7].as_slice(), Structure::CortexRight));
    assert_eq!(areas.table, table);
    let label = VertexLabel {
        vertices: vec![4, 1],
        points: vec![WorldPoint::new(1.5, -2.0, 3.0), WorldPoint::new(0.1, 0.0, 0.0)],
        values: vec![0.25, -1e-9],
        structure: Structure::CortexLeft,
    };
    write_freesurfer_label(&file("lh.some.label"), &label).unwrap();
    assert_eq!(read_freesurfer_label(&file("lh.some.label")).unwrap(), label);
}

/// What an annotation would read back as something else is refused.
#[test]
fn annotations_refuse_what_their_colours_cannot_tell() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lh.annot");
    let mut table = LabelTable::default();
    table.insert(1, "a", [0.5, 0.0, 0.0, 1.0]);
    table.insert(2, "b", [0.501, 0.0, 0.0, 1.0]);
    assert!(matches!(write_annot(&path, &[1, 2], &table), Err(Error::Invalid { .. })), "one colour");
    table.insert(2, "b", [0.0, 0.0, 0.0, 1.0]);
    assert!(write_annot(&path, &[1, 1], &table).is_ok());
    assert!(matches!(write_annot(&path, &[1, 2], &table), Err(Error::Invalid { .. })), "black");
    assert!(matches!(write_annot(&path, &[1, -1], &table), Err(Error::Invalid { .. })), "none would be black");
    assert!(matches!(write_annot(&path, &[1, 3], &table), Err(Error::Invalid { .. })), "not in the table");
}

/// Both ways of making a scene smaller, alone and together.
#[test]
fn small_scenes_keep_their_surfaces() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.glb");
    let surface = shape::lopsided();
    let plain = SceneOptions::default();
    for options in
        [plain, plain.with_quantization(), plain.with_compression(), plain.with_quantization().with_compression()]
    {
        let scene = ["pial", "white"].map(|name| SceneSurface::plain(name, &surface));
        options.write(&path, &scene).unwrap();
        let read = read_scene(&path).unwrap();
        assert_eq!(read.iter().map(|s| s.0.as_str()).collect::<Vec<_>>(), ["pial", "white"]);
        let several = read_surface(&path).unwrap_err();
        assert!(matches!(&several, Error::Unsupported { found, .. } if found == "pial, white"), "{several}");
        for (_, read) in read {
            let quantized = options != plain && options != plain.with_compression();
            // The longest side of the box has 65535 steps; a coordinate moves by half of one at most.
            let most = if quantized { 140.0 / 65535.0 / 2.0 + 1e-5 } else { 0.0 };
            for (found, expected) in read.vertices().iter().zip(surface.vertices()) {
                let moved = (found.0 - expected.0).abs().max_element();
                assert!(moved <= most, "{options:?}: {moved}");
            }
            // The first corner may be another one.
            let turned = |t: &[u32; 3]| {
                let first = (0..3).min_by_key(|&c| t[c]).unwrap();
                [t[first], t[(first + 1) % 3], t[(first + 2) % 3]]
            };
            let found: Vec<_> = read.triangles().iter().map(turned).collect();
            assert_eq!(found, surface.triangles().iter().map(turned).collect::<Vec<_>>(), "{options:?}");
            assert!(read.signed_volume_mm3() > 0.0);
        }
    }
}

#[test]
fn writing_twice_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let surface = shape::lopsided();
    for format in SurfaceFormat::ALL {
        let write = |name: &str| {
            let path = folder.path().join(name);
            write_surface(&path, &surface, format, None).unwrap();
            std::fs::read(path).unwrap()
        };
        assert_eq!(write("a"), write("b"), "{format:?}");
    }
}

#[test]
fn maps_are_refused_where_they_would_be_lost() {
    let folder = tempfile::tempdir().unwrap();
    let surface = shape::lopsided();
    let mut maps = VertexMaps::default();
    maps.push("depth", vec![0.0; surface.vertices().len()]).unwrap();
    for format in SurfaceFormat::ALL {
        let written = write_surface(&folder.path().join("x"), &surface, format, Some(&maps));
        match format.carries_maps() {
            true => written.unwrap(),
            false => assert!(matches!(written, Err(Error::Unsupported { .. })), "{format:?}"),
        }
    }
}

/// The real surfaces, which no checkout holds.
fn bigbrain(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/bigbrain").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not here", path.display());
    None
}

fn is_left_hemisphere(surface: &Surface) {
    assert_eq!(surface.vertices().len(), 163_842);
    assert_eq!(surface.triangles().len(), 327_680);
    assert_eq!(surface.euler_characteristic(), 2);
    assert_eq!(surface.structure(), Structure::CortexLeft);
    let low = surface.vertices().iter().map(|v| v.0.x).fold(f64::INFINITY, f64::min);
    let high = surface.vertices().iter().map(|v| v.0.x).fold(f64::NEG_INFINITY, f64::max);
    assert!((-80.0..-60.0).contains(&low) && high < 10.0, "left is negative x in RAS: {low} {high}");
    assert!(surface.signed_volume_mm3() > 0.0, "outward winding");
}

/// Sums are nibabel's.
#[test]
fn bigbrain_surfaces_are_whole() {
    let files = [
        ("tpl-bigbrain_hemi-L_desc-pial.surf.gii", [-4_726_748.939_127_03, 441_866.935_407_21, 1_598_099.997_284_02]),
        ("tpl-bigbrain_hemi-L_desc-white.surf.gii", [-4_714_011.291_023_95, 442_261.173_913_27, 1_602_374.232_628_92]),
    ];
    for (name, sums) in files {
        let Some(path) = bigbrain(name) else { continue };
        let surface = read_surface(&path).unwrap();
        is_left_hemisphere(&surface);
        let found = surface.vertices().iter().fold(glam::DVec3::ZERO, |sum, v| sum + v.0);
        assert!(found.abs_diff_eq(glam::DVec3::from(sums), 1e-3), "{found}");
        let corners = surface.triangles().iter().flatten();
        assert_eq!(corners.map(|&v| u64::from(v)).sum::<u64>(), 80_532_111_300);
        assert_eq!(surface.triangles()[1000], [10347, 41358, 41361]);
    }
}

#[test]
fn bigbrain_labels_are_whole() {
    let Some(path) = bigbrain("tpl-bigbrain_hemi-L_desc-economo_parcellation.label.gii") else { return };
    let areas = read_label_gifti(&path).unwrap();
    assert_eq!(areas.labels.len(), 163_842);
    assert_eq!(areas.labels.iter().map(|&l| i64::from(l)).sum::<i64>(), 3_537_358);
    assert_eq!(areas.table.0.len(), 8);
    assert_eq!(areas.table.get(1).unwrap().rgba, [0.470588, 0.0705882, 0.52549, 1.0]);
}
