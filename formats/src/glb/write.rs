use super::compressed::{CompressedView, Filter, Mode as Codec};
use super::quantized::{padded, quantized, steps};
use super::{COMPRESSION, QUANTIZATION, SceneOptions, SceneSurface, container, gltf_from_world};
use crate::surface_math::vertices_f32;
use crate::{Result, fault};
use glam::{DMat4, DVec3};
use gltf_json::accessor::{ComponentType, GenericComponentType, Type};
use gltf_json::buffer::{Stride, Target};
use gltf_json::extensions::buffer as extensions;
use gltf_json::material::{PbrBaseColorFactor, PbrMetallicRoughness, StrengthFactor};
use gltf_json::mesh::{Mode, Primitive, Semantic};
use gltf_json::validation::{Checked::Valid, USize64};
use gltf_json::{Accessor, Asset, Buffer, Index, Material, Mesh, Node, Root, Scene, Value, buffer, serialize};
use serde_json::json;
use std::path::Path;

/// Writes several surfaces as one glTF-binary scene, whole or not at all; the same input gives the same bytes.
///
/// # Errors
/// A scene above 4 GB, which the format cannot hold, or a folder that cannot be written.
pub fn write_scene(path: &Path, surfaces: &[SceneSurface<'_>]) -> Result<()> {
    SceneOptions::default().write(path, surfaces)
}

/// [`write_scene`] with options.
pub(super) fn write_with(path: &Path, surfaces: &[SceneSurface<'_>], options: SceneOptions) -> Result<()> {
    let asset = Asset { generator: Some("brainmesh".into()), ..Asset::default() };
    let root = Root { asset, ..Root::default() };
    let mut scene = SceneBuilder { path, root, options, bytes: Vec::new(), unpacked_bytes: 0 };
    scene.root.push(empty_buffer());
    let nodes = surfaces.iter().map(|s| scene.add(s)).collect::<Result<_>>()?;
    let only = scene.root.push(Scene { name: None, nodes, extensions: None, extras: Default::default() });
    scene.root.scene = Some(only);
    let (root, bytes) = scene.finish();
    let json = serialize::to_vec(&root).map_err(|e| fault::invalid(path, "scene", "values JSON can hold", e))?;
    container::join(path, json, bytes)
}

fn empty_buffer() -> Buffer {
    Buffer { byte_length: USize64(0), name: None, uri: None, extensions: None, extras: Default::default() }
}

struct SceneBuilder<'p> {
    path: &'p Path,
    root: Root,
    options: SceneOptions,
    /// The binary chunk.
    bytes: Vec<u8>,
    /// What compressed views would take in a buffer that no file holds.
    unpacked_bytes: usize,
}

/// What an accessor says about its data.
struct Kind {
    shape: Type,
    component: ComponentType,
    normalized: bool,
    codec: Codec,
}

const POSITIONS: Kind =
    Kind { shape: Type::Vec3, component: ComponentType::F32, normalized: false, codec: Codec::Attributes };
const SMALL_POSITIONS: Kind = Kind { component: ComponentType::U16, ..POSITIONS };
const SMALL_NORMALS: Kind = Kind { component: ComponentType::I8, normalized: true, ..POSITIONS };
const CORNERS: Kind =
    Kind { shape: Type::Scalar, component: ComponentType::U32, normalized: false, codec: Codec::Triangles };

impl SceneBuilder<'_> {
    fn add(&mut self, scene: &SceneSurface<'_>) -> Result<Index<Node>> {
        let points = vertices_f32(self.path, scene.surface)?;
        let normals = scene.surface.vertex_normals().into_iter().map(unit_normal);
        let (low, step) = if self.options.quantize { steps(&points) } else { (DVec3::ZERO, 1.0) };
        let (positions, normals) = if self.options.quantize {
            let points: Vec<[u16; 3]> = points.iter().map(|p| quantized(p, low, step)).collect();
            let wide: Vec<[u8; 8]> = points.iter().map(|p| padded(p.map(u16::to_le_bytes))).collect();
            let normals: Vec<[u8; 4]> =
                normals.map(|n| padded(n.map(|c| ((c * 127.0).round() as i8).to_le_bytes()))).collect();
            let positions = self.accessor(&wide, &SMALL_POSITIONS)?;
            self.bound(positions, points.iter().map(|p| p.map(f32::from)));
            (positions, self.accessor(&normals, &SMALL_NORMALS)?)
        } else {
            let bytes = |v: &[f32; 3]| -> [u8; 12] { padded(v.map(f32::to_le_bytes)) };
            let positions = self.accessor(&points.iter().map(bytes).collect::<Vec<_>>(), &POSITIONS)?;
            self.bound(positions, points.iter().copied());
            (positions, self.accessor(&normals.map(|n| bytes(&n)).collect::<Vec<_>>(), &POSITIONS)?)
        };
        let corners = scene.surface.triangles().as_flattened();
        let corner_bytes: Vec<[u8; 4]> = corners.iter().map(|v| v.to_le_bytes()).collect();
        // A surface without triangles is shown as its points; empty accessors are not valid.
        let indices = if corners.is_empty() { None } else { Some(self.accessor(&corner_bytes, &CORNERS)?) };
        let material = self.material(scene);
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
        let world_from_mesh = DMat4::from_translation(low) * DMat4::from_scale(DVec3::splat(step));
        let extras = json!({ "space": "RAS", "mm_per_unit": step, "origin_mm": low.to_array() });
        Ok(self.root.push(Node {
            name: Some(scene.name.clone()),
            mesh: Some(mesh),
            matrix: Some((gltf_from_world() * world_from_mesh).to_cols_array().map(|c| c as f32)),
            extras: serde_json::value::to_raw_value(&extras).ok(),
            ..Default::default()
        }))
    }

    fn material(&mut self, scene: &SceneSurface<'_>) -> Index<Material> {
        let [red, green, blue] = scene.color.map(linear_from_srgb);
        self.root.push(Material {
            name: Some(scene.name.clone()),
            double_sided: true, // boundaries are also looked at from inside
            pbr_metallic_roughness: PbrMetallicRoughness {
                base_color_factor: PbrBaseColorFactor([red, green, blue, 1.0]),
                metallic_factor: StrengthFactor(0.0),
                roughness_factor: StrengthFactor(0.8),
                ..Default::default()
            },
            ..Default::default()
        })
    }

    /// Positions must state their range.
    fn bound(&mut self, accessor: Index<Accessor>, points: impl Iterator<Item = [f32; 3]>) {
        let (mut low, mut high) = ([f32::INFINITY; 3], [f32::NEG_INFINITY; 3]);
        for point in points {
            for axis in 0..3 {
                low[axis] = low[axis].min(point[axis]);
                high[axis] = high[axis].max(point[axis]);
            }
        }
        if let Some(accessor) = self.root.accessors.get_mut(accessor.value()) {
            accessor.min = Some(Value::from(low.to_vec()));
            accessor.max = Some(Value::from(high.to_vec()));
        }
    }

    /// Appends data, elements of `N` bytes (a multiple of four, so that views stay aligned), and describes them.
    fn accessor<const N: usize>(&mut self, data: &[[u8; N]], kind: &Kind) -> Result<Index<Accessor>> {
        let mut view = buffer::View {
            buffer: Index::new(0),
            byte_length: USize64::from(data.len() * N),
            byte_offset: Some(USize64::from(self.bytes.len())),
            byte_stride: (kind.codec == Codec::Attributes).then_some(Stride(N)),
            name: None,
            target: Some(Valid(match kind.codec {
                Codec::Attributes => Target::ArrayBuffer,
                _ => Target::ElementArrayBuffer,
            })),
            extensions: None,
            extras: Default::default(),
        };
        if self.options.compress {
            view.extensions = Some(self.compressed(data, kind.codec)?);
            view.buffer = Index::new(1);
            view.byte_offset = Some(USize64::from(self.unpacked_bytes));
            self.unpacked_bytes += data.len() * N;
        } else {
            self.bytes.extend_from_slice(data.as_flattened());
        }
        let view = self.root.push(view);
        Ok(self.root.push(Accessor {
            buffer_view: Some(view),
            byte_offset: None,
            count: USize64::from(data.len()),
            component_type: Valid(GenericComponentType(kind.component)),
            type_: Valid(kind.shape),
            min: None,
            max: None,
            name: None,
            normalized: kind.normalized,
            sparse: None,
            extensions: None,
            extras: Default::default(),
        }))
    }

    /// Appends packed data and says where they are.
    fn compressed<const N: usize>(&mut self, data: &[[u8; N]], codec: Codec) -> Result<extensions::View> {
        let packed = if codec == Codec::Attributes {
            meshopt::encode_vertex_buffer_level(data, 2, Some(0)) // version 0 is the extension's
        } else {
            let corners: Vec<u32> = data.as_flattened().as_chunks().0.iter().map(|b| u32::from_le_bytes(*b)).collect();
            let vertices = corners.iter().max().map_or(0, |v| *v as usize + 1);
            meshopt::encode_index_buffer(&corners, vertices)
        };
        let packed = packed.map_err(|e| fault::invalid(self.path, COMPRESSION, "data that can be packed", e))?;
        let view = CompressedView {
            buffer: 0,
            byte_offset: self.bytes.len(),
            byte_length: packed.len(),
            byte_stride: N,
            count: data.len(),
            mode: codec,
            filter: Filter::None,
        };
        self.bytes.extend(packed);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        Ok(extensions::View { others: [(COMPRESSION.to_owned(), json!(view))].into_iter().collect() })
    }

    /// Sizes of the buffers, names of the extensions.
    fn finish(self) -> (Root, Vec<u8>) {
        let Self { mut root, options, bytes, unpacked_bytes, .. } = self;
        for (name, used) in [(QUANTIZATION, options.quantize), (COMPRESSION, options.compress)] {
            if used {
                root.extensions_used.push(name.to_owned());
                root.extensions_required.push(name.to_owned());
            }
        }
        if bytes.is_empty() {
            root.buffers.clear(); // a buffer of no bytes is not valid
            return (root, bytes);
        }
        root.buffers[0].byte_length = USize64::from(bytes.len().next_multiple_of(4));
        if unpacked_bytes > 0 {
            let fallback = [(COMPRESSION.to_owned(), json!({ "fallback": true }))].into_iter().collect();
            root.buffers.push(Buffer {
                byte_length: USize64::from(unpacked_bytes),
                extensions: Some(extensions::Buffer { others: fallback }),
                ..empty_buffer()
            });
        }
        (root, bytes)
    }
}

/// glTF wants unit vectors, so a vertex without area points up.
fn unit_normal(normal: DVec3) -> [f32; 3] {
    let normal = if normal == DVec3::ZERO { DVec3::Z } else { normal };
    normal.as_vec3().to_array()
}

/// IEC 61966-2-1.
fn linear_from_srgb(value: f32) -> f32 {
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}
