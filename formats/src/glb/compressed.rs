use crate::{Result, fault};
use gltf_json::{Value, deserialize};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A buffer view of `EXT_meshopt_compression` (the extension's README, "Specifying compressed views").
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CompressedView {
    pub buffer: usize,
    #[serde(default)]
    pub byte_offset: usize,
    pub byte_length: usize,
    pub byte_stride: usize,
    pub count: usize,
    pub mode: Mode,
    #[serde(default)]
    pub filter: Filter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Mode {
    Attributes,
    Triangles,
    Indices,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Filter {
    #[default]
    None,
    Octahedral,
    Quaternion,
    Exponential,
}

impl CompressedView {
    pub fn from_json(path: &Path, value: &Value) -> Result<Self> {
        let bad = |e| fault::invalid(path, super::COMPRESSION, "a compressed view", e);
        deserialize::from_value(value.clone()).map_err(bad)
    }

    /// Decodes the view, `count * byte_stride` bytes.
    pub fn decode(&self, path: &Path, blob: &[u8]) -> Result<Vec<u8>> {
        let end = self.byte_offset.saturating_add(self.byte_length);
        let packed = blob.get(self.byte_offset..end).filter(|_| self.buffer == 0);
        let packed = packed.ok_or_else(|| fault::truncated(path, end, blob.len()))?;
        // What the codecs make of a byte at most: an index or a triangle of them, or 256 vertices of four bytes.
        let most = packed.len().saturating_mul(match self.mode {
            Mode::Indices => self.byte_stride,
            Mode::Triangles => self.byte_stride.saturating_mul(3),
            Mode::Attributes => 1024,
        });
        let size = self.count.saturating_mul(self.byte_stride);
        if size > most {
            return Err(fault::truncated(path, size, packed.len()));
        }
        let bad = |e: meshopt::Error| fault::invalid(path, super::COMPRESSION, "data of meshoptimizer", e);
        macro_rules! vertices {
            ($($stride:literal)*) => {
                match self.byte_stride {
                    $($stride => meshopt::decode_vertex_buffer::<[u8; $stride]>(packed, self.count).map_err(bad)?
                        .into_flattened(),)*
                    other => return Err(fault::unsupported(path, "byteStride", other, "4 to 32, in fours")),
                }
            };
        }
        let mut bytes = match (self.mode, self.byte_stride) {
            (Mode::Attributes, _) => vertices!(4 8 12 16 20 24 28 32),
            (Mode::Triangles, 2 | 4) => {
                if !self.count.is_multiple_of(3) {
                    return Err(fault::invalid(path, "count", "a multiple of 3", self.count));
                }
                let indices = meshopt::decode_index_buffer::<u32>(packed, self.count).map_err(bad)?;
                narrow(&indices, self.byte_stride)
            }
            (Mode::Indices, 2 | 4) => {
                let indices = meshopt::decode_index_sequence::<u32>(packed, self.count).map_err(bad)?;
                narrow(&indices, self.byte_stride)
            }
            (_, other) => return Err(fault::invalid(path, "byteStride", "2 or 4", other)),
        };
        match self.filter {
            Filter::None => {}
            Filter::Exponential => {
                for word in bytes.as_chunks_mut().0 {
                    *word = exponential(u32::from_le_bytes(*word)).to_le_bytes();
                }
            }
            other => return Err(fault::unsupported(path, "filter", format!("{other:?}"), "NONE and EXPONENTIAL")),
        }
        Ok(bytes)
    }
}

fn narrow(indices: &[u32], stride: usize) -> Vec<u8> {
    indices.iter().flat_map(|v| v.to_le_bytes().into_iter().take(stride)).collect()
}

/// Signed exponent in the highest byte, signed mantissa below it.
fn exponential(word: u32) -> f32 {
    let (exponent, mantissa) = (word as i32 >> 24, (word << 8) as i32 >> 8);
    (f64::from(mantissa) * f64::from(exponent).exp2()) as f32
}
