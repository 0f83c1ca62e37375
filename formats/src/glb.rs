//! glTF 2.0 binary (`.glb`), one buffer. Written only.
//!
//! - **Frame**: glTF is metres with +Y up and +Z to the front of the thing shown. World RAS mm becomes
//!   `(x, y, z) = (-R, S, A) / 1000`: superior is up, anterior faces the viewer, the right hemisphere lies at -X, which glTF
//!   calls right. It is a rotation, so winding stays.
//! - Colours are given in sRGB and stored linear, as `baseColorFactor` wants (glTF 2.0, section 3.9.2).

use crate::atomic::write_io;
use crate::surface_math::vertices_f32;
use crate::{Result, fault};
use brainmesh_core::{LayerSurfaces, Surface, layer_color};
use gltf_json::accessor::{ComponentType, GenericComponentType, Type};
use gltf_json::buffer::Target;
use gltf_json::material::{PbrBaseColorFactor, PbrMetallicRoughness, StrengthFactor};
use gltf_json::mesh::{Mode, Primitive, Semantic};
use gltf_json::validation::{Checked::Valid, USize64};
use gltf_json::{Accessor, Asset, Buffer, Index, Material, Mesh, Node, Root, Scene, Value, buffer, serialize};
use std::path::Path;

/// A named, coloured surface of a scene.
#[derive(Debug, Clone)]
pub struct SceneSurface<'a> {
    /// Name of its node, mesh and material.
    pub name: String,
    /// The surface.
    pub surface: &'a Surface,
    /// sRGB colour, 0..=1.
    pub color: [f32; 3],
}

impl<'a> SceneSurface<'a> {
    /// A surface in the light grey of a plain model.
    pub fn plain(name: impl Into<String>, surface: &'a Surface) -> Self {
        Self { name: name.into(), surface, color: [0.8; 3] }
    }

    /// The seven layer boundaries in their colours ([`layer_color`]), named `boundary-0` (pia) to `boundary-6` (white).
    pub fn layers(layers: &'a LayerSurfaces) -> Vec<Self> {
        let named = |(k, surface)| Self { name: format!("boundary-{k}"), surface, color: layer_color(k) };
        layers.surfaces().iter().enumerate().map(named).collect()
    }
}

/// Writes several surfaces as one glTF-binary scene, whole or not at all; the same input gives the same bytes.
///
/// # Errors
/// A scene above 4 GB, which the format cannot hold, or a folder that cannot be written.
pub fn write_scene(path: &Path, surfaces: &[SceneSurface<'_>]) -> Result<()> {
    let mut scene = SceneBuilder { root: Root { asset: asset(), ..Root::default() }, bytes: Vec::new() };
    let buffer = scene.root.push(Buffer {
        byte_length: USize64(0), // known at the end
        name: None,
        uri: None,
        extensions: None,
        extras: Default::default(),
    });
    let mut nodes = Vec::with_capacity(surfaces.len());
    for surface in surfaces {
        nodes.push(scene.add(path, buffer, surface)?);
    }
    let only = scene.root.push(Scene { name: None, nodes, extensions: None, extras: Default::default() });
    scene.root.scene = Some(only);
    let SceneBuilder { mut root, mut bytes } = scene;
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    if bytes.is_empty() {
        root.buffers.clear(); // a buffer of no bytes is not valid
    } else {
        root.buffers[0].byte_length = USize64::from(bytes.len());
    }
    let mut json = serialize::to_vec(&root).map_err(|e| fault::invalid(path, "scene", "values JSON can hold", e))?;
    json.resize(json.len().next_multiple_of(4), b' ');
    let chunks = 12 + 8 + json.len() + if bytes.is_empty() { 0 } else { 8 + bytes.len() };
    let total = u32::try_from(chunks)
        .map_err(|_| fault::unsupported(path, "scene", format!("{chunks} bytes"), "below 4 GB in glTF-binary"))?;
    write_io(path, |w| {
        w.write_all(b"glTF")?;
        w.write_all(&2u32.to_le_bytes())?;
        w.write_all(&total.to_le_bytes())?;
        w.write_all(&(json.len() as u32).to_le_bytes())?;
        w.write_all(b"JSON")?;
        w.write_all(&json)?;
        if bytes.is_empty() {
            return Ok(());
        }
        w.write_all(&(bytes.len() as u32).to_le_bytes())?;
        w.write_all(b"BIN\0")?;
        w.write_all(&bytes)
    })
}

fn asset() -> Asset {
    Asset { generator: Some("brainmesh".into()), ..Asset::default() }
}

struct SceneBuilder {
    root: Root,
    bytes: Vec<u8>,
}

impl SceneBuilder {
    fn add(&mut self, path: &Path, buffer: Index<Buffer>, scene: &SceneSurface<'_>) -> Result<Index<Node>> {
        let metres = |[r, a, s]: [f32; 3]| [-r / 1000.0, s / 1000.0, a / 1000.0];
        let points: Vec<[f32; 3]> = vertices_f32(path, scene.surface)?.into_iter().map(metres).collect();
        let normals: Vec<[f32; 3]> = scene.surface.vertex_normals().into_iter().map(unit_normal).collect();
        let mut low = [f32::INFINITY; 3];
        let mut high = [f32::NEG_INFINITY; 3];
        for point in &points {
            for axis in 0..3 {
                low[axis] = low[axis].min(point[axis]);
                high[axis] = high[axis].max(point[axis]);
            }
        }
        let bytes = |v: &[[f32; 3]]| v.as_flattened().iter().flat_map(|c| c.to_le_bytes()).collect::<Vec<u8>>();
        let count = points.len();
        let positions = self.accessor(buffer, &bytes(&points), count, Type::Vec3, ComponentType::F32);
        let normals = self.accessor(buffer, &bytes(&normals), count, Type::Vec3, ComponentType::F32);
        let corners = scene.surface.triangles().as_flattened();
        let corner_bytes: Vec<u8> = corners.iter().flat_map(|v| v.to_le_bytes()).collect();
        // A surface without triangles is shown as its points; empty accessors are not valid.
        let indices = (!corners.is_empty())
            .then(|| self.accessor(buffer, &corner_bytes, corners.len(), Type::Scalar, ComponentType::U32));
        if let Some(accessor) = self.root.accessors.get_mut(positions.value()) {
            accessor.min = Some(Value::from(low.to_vec()));
            accessor.max = Some(Value::from(high.to_vec()));
        }
        let [red, green, blue] = scene.color.map(linear_from_srgb);
        let material = self.root.push(Material {
            name: Some(scene.name.clone()),
            double_sided: true, // boundaries are also looked at from inside
            pbr_metallic_roughness: PbrMetallicRoughness {
                base_color_factor: PbrBaseColorFactor([red, green, blue, 1.0]),
                metallic_factor: StrengthFactor(0.0),
                roughness_factor: StrengthFactor(0.8),
                ..Default::default()
            },
            ..Default::default()
        });
        let mode = if indices.is_some() { Mode::Triangles } else { Mode::Points };
        let attributes = [(Valid(Semantic::Positions), positions), (Valid(Semantic::Normals), normals)];
        let primitive = Primitive {
            attributes: attributes.into(),
            indices,
            material: Some(material),
            mode: Valid(mode),
            targets: None,
            extensions: None,
            extras: Default::default(),
        };
        let mesh = self.root.push(Mesh {
            name: Some(scene.name.clone()),
            primitives: vec![primitive],
            weights: None,
            extensions: None,
            extras: Default::default(),
        });
        Ok(self.root.push(Node { name: Some(scene.name.clone()), mesh: Some(mesh), ..Default::default() }))
    }

    /// Appends data and describes them; every element takes a multiple of four bytes, so views stay aligned.
    fn accessor(
        &mut self,
        buffer: Index<Buffer>,
        bytes: &[u8],
        count: usize,
        shape: Type,
        component: ComponentType,
    ) -> Index<Accessor> {
        let target = if shape == Type::Scalar { Target::ElementArrayBuffer } else { Target::ArrayBuffer };
        let view = self.root.push(buffer::View {
            buffer,
            byte_length: USize64::from(bytes.len()),
            byte_offset: Some(USize64::from(self.bytes.len())),
            byte_stride: None,
            name: None,
            target: Some(Valid(target)),
            extensions: None,
            extras: Default::default(),
        });
        self.bytes.extend_from_slice(bytes);
        self.root.push(Accessor {
            buffer_view: Some(view),
            byte_offset: None,
            count: USize64::from(count),
            component_type: Valid(GenericComponentType(component)),
            type_: Valid(shape),
            min: None,
            max: None,
            name: None,
            normalized: false,
            sparse: None,
            extensions: None,
            extras: Default::default(),
        })
    }
}

/// Normal in glTF axes; glTF wants unit vectors, so a vertex without area points up.
fn unit_normal(normal: glam::DVec3) -> [f32; 3] {
    if normal == glam::DVec3::ZERO {
        return [0.0, 1.0, 0.0];
    }
    [-normal.x as f32, normal.z as f32, normal.y as f32]
}

/// IEC 61966-2-1.
fn linear_from_srgb(value: f32) -> f32 {
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}
