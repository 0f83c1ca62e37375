use super::accessor::Accessors;
use super::{COMPRESSION, QUANTIZATION, container, world_from_gltf};
use crate::bytes::read_content;
use crate::decoded_surface::DecodedSurface;
use crate::merge::merge_corners;
use crate::{Result, fault};
use brainmesh_core::{Structure, Surface, WorldPoint};
use glam::{DMat4, DQuat, DVec3};
use gltf_json::accessor::Type;
use gltf_json::mesh::{Mode, Semantic};
use gltf_json::validation::Checked::Valid;
use gltf_json::{Mesh, Node, Root, deserialize};
use std::path::Path;

/// Larger than any brain: a sign that a program wrote millimetres where glTF has metres.
const LARGE_MM: f64 = 5000.0;

/// Reads every surface of the default scene of a `.glb` file with the name of its node, in the order of the scene.
///
/// # Errors
/// An unreadable file, another format, what the format's note lists as not supported, or a surface that [`Surface::new`]
/// refuses.
pub fn read_scene(path: &Path) -> Result<Vec<(String, Surface)>> {
    surfaces(path, &read_content(path)?)
}

/// The only surface of a scene.
pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<DecodedSurface> {
    let mut surfaces = surfaces(path, bytes)?;
    if surfaces.len() > 1 {
        let names: Vec<&str> = surfaces.iter().map(|s| s.0.as_str()).collect();
        return Err(fault::unsupported(path, "scene", names.join(", "), "one surface; read the scene for several"));
    }
    let (_, surface) = surfaces.pop().ok_or_else(|| fault::invalid(path, "scene", "a surface", "none"))?;
    let mut decoded = DecodedSurface::new(surface);
    decoded.space = Some("glTF: metres, +Y up".into());
    let far = |v: &WorldPoint| v.0.abs().max_element() > LARGE_MM;
    if decoded.surface.vertices().iter().any(far) {
        decoded.warn("coordinates beyond 5 m: the file may hold millimetres where glTF has metres");
    }
    Ok(decoded)
}

fn surfaces(path: &Path, bytes: &[u8]) -> Result<Vec<(String, Surface)>> {
    let (json, blob) = container::split(path, bytes)?;
    let root: Root = deserialize::from_slice(json).map_err(|e| fault::invalid(path, "JSON chunk", "glTF 2.0", e))?;
    for extension in &root.extensions_required {
        let about_looks = extension.starts_with("KHR_materials_") || extension.starts_with("KHR_texture_");
        if !about_looks && ![QUANTIZATION, COMPRESSION].contains(&extension.as_str()) {
            let supported = format!("{QUANTIZATION} and {COMPRESSION}");
            return Err(fault::unsupported(path, "extensionsRequired", extension, &supported));
        }
    }
    let accessors = Accessors { path, root: &root, blob };
    let default = root.scene.map_or(0, |s| s.value());
    let scene = root.scenes.get(default).ok_or_else(|| fault::invalid(path, "scene", "a scene", "none"))?;
    let mut open: Vec<(usize, DMat4)> = scene.nodes.iter().rev().map(|n| (n.value(), DMat4::IDENTITY)).collect();
    let mut seen = vec![false; root.nodes.len()];
    let mut surfaces = Vec::new();
    while let Some((index, gltf_from_parent)) = open.pop() {
        let (Some(node), Some(seen)) = (root.nodes.get(index), seen.get_mut(index)) else {
            return Err(fault::invalid(path, "node", format!("below {}", root.nodes.len()), index));
        };
        if std::mem::replace(seen, true) {
            return Err(fault::invalid(path, "nodes", "a tree", format!("node {index} twice")));
        }
        let gltf_from_node = gltf_from_parent * parent_from(node);
        if let Some(mesh) = node.mesh {
            let mesh = root.meshes.get(mesh.value());
            let mesh = mesh.ok_or_else(|| fault::invalid(path, "mesh", "one of the list", "another"))?;
            let name = node.name.clone().or(mesh.name.clone()).unwrap_or_else(|| format!("node-{index}"));
            surfaces.push((name, surface(&accessors, mesh, world_from_gltf() * gltf_from_node)?));
        }
        let children = node.children.iter().flatten().rev();
        open.extend(children.map(|n| (n.value(), gltf_from_node)));
    }
    Ok(surfaces)
}

/// The transform of a node, in f64: each number as the shortest decimal that stands for its float32, which is what the file
/// says (0.001 has no float32 of its own, and metres to millimetres must be exact).
fn parent_from(node: &Node) -> DMat4 {
    let wide = |v: f32| v.to_string().parse::<f64>().unwrap_or(f64::from(v));
    if let Some(matrix) = node.matrix {
        return DMat4::from_cols_array(&matrix.map(wide));
    }
    let vector = |v: Option<[f32; 3]>, or: DVec3| v.map_or(or, |v| DVec3::from(v.map(wide)));
    let rotation = node.rotation.map_or(DQuat::IDENTITY, |r| DQuat::from_array(r.0.map(wide)).normalize());
    DMat4::from_scale_rotation_translation(
        vector(node.scale, DVec3::ONE),
        rotation,
        vector(node.translation, DVec3::ZERO),
    )
}

fn surface(accessors: &Accessors<'_>, mesh: &Mesh, world_from_mesh: DMat4) -> Result<Surface> {
    let path = accessors.path;
    let [primitive] = mesh.primitives.as_slice() else {
        return Err(fault::unsupported(path, "primitives of a mesh", mesh.primitives.len(), "1"));
    };
    let positions = primitive.attributes.get(&Valid(Semantic::Positions)).copied();
    let positions = positions.ok_or_else(|| fault::invalid(path, "POSITION", "one a mesh", "none"))?;
    let coordinates = accessors.numbers(positions, Type::Vec3)?;
    let mut points = coordinates.as_chunks::<3>().0.to_vec();
    let mut triangles = match (primitive.mode, primitive.indices) {
        (Valid(Mode::Points), _) => Vec::new(),
        (Valid(Mode::Triangles), Some(indices)) => {
            let corners: Vec<u32> = accessors.numbers(indices, Type::Scalar)?.iter().map(|&v| v as u32).collect();
            if !corners.len().is_multiple_of(3) {
                return Err(fault::invalid(path, "indices", "three a triangle", corners.len()));
            }
            corners.as_chunks().0.to_vec()
        }
        (Valid(Mode::Triangles), None) => {
            let merged = merge_corners(path, &points)?;
            points = merged.points;
            merged.triangles
        }
        (other, _) => return Err(fault::unsupported(path, "mode", format!("{other:?}"), "triangles")),
    };
    let determinant = world_from_mesh.determinant();
    if !determinant.is_finite() || determinant == 0.0 {
        return Err(fault::invalid(
            path,
            "node transform",
            "an invertible matrix",
            format!("determinant {determinant}"),
        ));
    }
    if determinant < 0.0 {
        triangles.iter_mut().for_each(|t| t.swap(1, 2));
    }
    let world = |p: [f64; 3]| WorldPoint(world_from_mesh.transform_point3(DVec3::from(p)));
    Surface::new(points.into_iter().map(world).collect(), triangles, Structure::Unknown).map_err(fault::core(path))
}
