//! What other readers find in exported files: glTF through the `gltf` crate, STL and VTP by their layout.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "support/shape.rs"]
mod shape;

use brainmesh_core::layer_color;
use brainmesh_formats::{SceneSurface, SurfaceFormat, VertexMaps, write_scene, write_surface};
use gltf::Gltf;

#[test]
fn a_scene_holds_named_coloured_surfaces_in_metres_with_y_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scene.glb");
    let surface = shape::lopsided();
    let scene: Vec<SceneSurface<'_>> = (0..7)
        .map(|k| SceneSurface { name: format!("boundary-{k}"), surface: &surface, color: layer_color(k) })
        .collect();
    write_scene(&path, &scene).unwrap();
    let gltf = Gltf::from_slice(&std::fs::read(&path).unwrap()).unwrap(); // validates
    let blob = gltf.blob.as_deref().unwrap();
    let nodes: Vec<_> = gltf.default_scene().unwrap().nodes().collect();
    let names: Vec<_> = nodes.iter().map(|n| n.name().unwrap().to_owned()).collect();
    assert_eq!(names, (0..7).map(|k| format!("boundary-{k}")).collect::<Vec<_>>());
    let primitive = nodes[1].mesh().unwrap().primitives().next().unwrap();
    let reader = primitive.reader(|_| Some(blob));
    let positions: Vec<[f32; 3]> = reader.read_positions().unwrap().collect();
    // The mesh holds RAS mm; its node's matrix leads to metres with superior at +Y and anterior at +Z.
    let matrix = glam::Mat4::from_cols_array_2d(&nodes[1].transform().matrix());
    assert_eq!(positions[0].map(f64::from), surface.vertices()[0].to_array());
    let extras: serde_json::Value = serde_json::from_str(nodes[1].extras().as_ref().unwrap().get()).unwrap();
    assert_eq!((&extras["space"], &extras["mm_per_unit"]), (&"RAS".into(), &1.0.into()));
    let positions: Vec<[f32; 3]> = positions.iter().map(|p| matrix.transform_point3((*p).into()).to_array()).collect();
    for (found, point) in positions.iter().zip(surface.vertices()) {
        let [r, a, s] = point.to_array();
        for (found, expected) in found.iter().zip([-r, s, a]) {
            assert!((f64::from(*found) * 1000.0 - expected).abs() < 1e-4);
        }
    }
    let indices: Vec<u32> = reader.read_indices().unwrap().into_u32().collect();
    assert_eq!(indices, surface.triangles().as_flattened());
    // Winding stays outward: the enclosed volume keeps its sign and its size.
    let corner = |i: u32| glam::Vec3::from(positions[i as usize]).as_dvec3();
    let volume: f64 =
        indices.as_chunks::<3>().0.iter().map(|&[a, b, c]| corner(a).dot(corner(b).cross(corner(c))) / 6.0).sum();
    assert!((volume * 1e9 / surface.signed_volume_mm3() - 1.0).abs() < 1e-4);
    let normals: Vec<[f32; 3]> = reader.read_normals().unwrap().collect();
    assert!(normals.iter().all(|n| (glam::Vec3::from(*n).length() - 1.0).abs() < 1e-5));
    // sRGB 230/255 and 159/255 are .791 and .347 in linear light.
    let [red, green, blue, alpha] = primitive.material().pbr_metallic_roughness().base_color_factor();
    assert!((red - 0.791).abs() < 1e-3 && (green - 0.347).abs() < 1e-3 && blue == 0.0 && alpha == 1.0);
    let bounds = primitive.bounding_box();
    let positions = reader.read_positions().unwrap();
    assert!(positions.into_iter().all(|p| (0..3).all(|i| bounds.min[i] <= p[i] && p[i] <= bounds.max[i])));
}

#[test]
fn stl_has_the_length_its_count_says_and_states_its_space() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.stl");
    let surface = shape::lopsided();
    write_surface(&path, &surface, SurfaceFormat::Stl, None).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes[..80].windows(9).any(|w| w == b"SPACE=RAS") && !bytes.starts_with(b"solid"));
    assert_eq!(u32::from_le_bytes(bytes[80..84].try_into().unwrap()) as usize, surface.triangles().len());
    assert_eq!(bytes.len(), 84 + 50 * surface.triangles().len());
    let first = f32::from_le_bytes(bytes[96..100].try_into().unwrap());
    assert_eq!(first, surface.corners(0)[0].x as f32);
}

#[test]
fn text_headers_state_the_space_slicer_needs() {
    let folder = tempfile::tempdir().unwrap();
    let surface = shape::lopsided();
    let mut maps = VertexMaps::default();
    maps.push("thickness", vec![1.5; surface.vertices().len()]).unwrap();
    for (format, wanted) in [
        (SurfaceFormat::Ply, "comment SPACE=RAS\n"),
        (SurfaceFormat::Ply, "property float thickness\n"),
        (SurfaceFormat::Vtp, r#"<Array type="String" Name="SPACE" NumberOfTuples="1" format="ascii">"#),
        (SurfaceFormat::Vtp, "\n82 65 83 0\n"),
        (SurfaceFormat::Vtp, r#"Name="thickness""#),
    ] {
        let path = folder.path().join("a");
        write_surface(&path, &surface, format, Some(&maps)).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.windows(wanted.len()).any(|w| w == wanted.as_bytes()), "{format:?} {wanted}");
    }
}
