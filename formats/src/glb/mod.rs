//! glTF 2.0 binary (`.glb`), one buffer.
//!
//! - **Frame**: glTF is metres with +Y up and +Z to the front of the thing shown. World RAS mm becomes
//!   `(x, y, z) = (-R, S, A) / 1000`: superior is up, anterior faces the viewer, the right hemisphere lies at -X, which glTF
//!   calls right. It is a rotation, so winding stays.
//! - **Written**: a named node a surface. Its mesh holds RAS mm and its matrix leads to metres, so that float32 coordinates
//!   come back as they were; its extras say so (`space`, `mm_per_unit`, `origin_mm`). As an option positions are 16-bit
//!   integers (`KHR_mesh_quantization`) and data are compressed (`EXT_meshopt_compression`); see [`SceneOptions`].
//! - Colours are given in sRGB and stored linear, as `baseColorFactor` wants (glTF 2.0, section 3.9.2).
//! - **Read**: every mesh of the default scene through its nodes' transforms; float32 and quantized positions, plain and
//!   meshopt-compressed data. A transform that mirrors turns the corners, as section 3.7.4 says. Corners without indices
//!   are merged where they are at exactly the same place.
//! - **Not supported**: `.gltf` with files beside it, several primitives a mesh, strips and fans, lines, sparse accessors,
//!   Draco and other required extensions. Skins and morph targets are not applied.

mod accessor;
mod compressed;
mod container;
mod options;
mod quantized;
mod read;
mod scene;
mod write;

pub use options::SceneOptions;
pub(crate) use read::decode;
pub use read::read_scene;
pub use scene::SceneSurface;
pub use write::write_scene;

use glam::DMat4;

/// Names of the extensions that are read and written.
const QUANTIZATION: &str = "KHR_mesh_quantization";
const COMPRESSION: &str = "EXT_meshopt_compression";

/// From world RAS mm to glTF's metres with +Y up.
fn gltf_from_world() -> DMat4 {
    DMat4::from_cols_array_2d(&[
        [-0.001, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.001, 0.0],
        [0.0, 0.001, 0.0, 0.0],
        [0.0, 0.0, 0.0, 1.0],
    ])
}

/// The inverse of [`gltf_from_world`], without rounding.
fn world_from_gltf() -> DMat4 {
    DMat4::from_cols_array_2d(&[
        [-1000.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 1000.0, 0.0],
        [0.0, 1000.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 1.0],
    ])
}
