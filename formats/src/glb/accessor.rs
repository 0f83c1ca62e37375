use super::COMPRESSION;
use super::compressed::CompressedView;
use crate::numbers::NumberType;
use crate::{Result, fault};
use gltf_json::accessor::{ComponentType, Type};
use gltf_json::validation::Checked::Valid;
use gltf_json::{Accessor, Index, Root};
use std::borrow::Cow;
use std::path::Path;

/// Accessors of a scene and the data they describe.
pub(super) struct Accessors<'b> {
    pub path: &'b Path,
    pub root: &'b Root,
    /// The binary chunk.
    pub blob: &'b [u8],
}

impl<'b> Accessors<'b> {
    /// The numbers of an accessor of the given shape, normalized ones as fractions.
    pub fn numbers(&self, index: Index<Accessor>, shape: Type) -> Result<Vec<f64>> {
        let path = self.path;
        let accessor = self.root.accessors.get(index.value());
        let accessor = accessor.ok_or_else(|| fault::invalid(path, "accessor", "one of the list", index.value()))?;
        let Valid(component) = accessor.component_type else {
            return Err(fault::invalid(path, "componentType", "a type of glTF", "another"));
        };
        if accessor.type_ != Valid(shape) {
            let found = format!("{:?}", accessor.type_);
            return Err(fault::invalid(path, "accessor type", format!("{shape:?}"), found));
        }
        let (Some(view), None) = (accessor.buffer_view, &accessor.sparse) else {
            return Err(fault::unsupported(
                path,
                "accessor",
                "sparse, or without data",
                "accessors with a buffer view",
            ));
        };
        let number = number_type(component.0);
        let element = number.size_bytes() * shape.multiplicity();
        let (data, stride) = self.view(view.value(), element)?;
        let (count, start) = (accessor.count.0 as usize, accessor.byte_offset.map_or(0, |o| o.0 as usize));
        let end = count.saturating_sub(1).saturating_mul(stride).saturating_add(element).saturating_add(start);
        if count > 0 && end > data.len() {
            return Err(fault::truncated(path, end, data.len()));
        }
        let packed: Vec<u8> =
            (0..count).flat_map(|n| &data[start + n * stride..start + n * stride + element]).copied().collect();
        let mut numbers = number.decode(&packed, false).to_f64();
        if accessor.normalized
            && let Some(one) = whole(number)
        {
            // Section 3.11: the lowest signed value is taken for -1 too.
            numbers.iter_mut().for_each(|v| *v = (*v / one).max(-1.0));
        }
        Ok(numbers)
    }

    /// The bytes of a buffer view, decompressed, and from one element to the next.
    fn view(&self, index: usize, element: usize) -> Result<(Cow<'b, [u8]>, usize)> {
        let path = self.path;
        let view = self.root.buffer_views.get(index);
        let view = view.ok_or_else(|| fault::invalid(path, "bufferView", "one of the list", index))?;
        if let Some(compressed) = view.extensions.as_ref().and_then(|e| e.others.get(COMPRESSION)) {
            let compressed = CompressedView::from_json(path, compressed)?;
            if compressed.byte_stride < element {
                let expected = format!("{element} or more");
                return Err(fault::invalid(path, "byteStride", expected, compressed.byte_stride));
            }
            return Ok((Cow::Owned(compressed.decode(path, self.blob)?), compressed.byte_stride));
        }
        let buffer = self.root.buffers.get(view.buffer.value());
        if view.buffer.value() != 0 || buffer.is_none_or(|b| b.uri.is_some()) {
            return Err(fault::unsupported(path, "buffer", "data outside the binary chunk", "the chunk of the file"));
        }
        let start = view.byte_offset.map_or(0, |o| o.0 as usize);
        let end = start.saturating_add(view.byte_length.0 as usize);
        let data = self.blob.get(start..end).ok_or_else(|| fault::truncated(path, end, self.blob.len()))?;
        let stride = view.byte_stride.as_ref().map_or(element, |s| s.0);
        if stride < element || stride > 252 {
            return Err(fault::invalid(path, "byteStride", format!("{element} to 252"), stride));
        }
        Ok((Cow::Borrowed(data), stride))
    }
}

fn number_type(component: ComponentType) -> NumberType {
    match component {
        ComponentType::I8 => NumberType::I8,
        ComponentType::U8 => NumberType::U8,
        ComponentType::I16 => NumberType::I16,
        ComponentType::U16 => NumberType::U16,
        ComponentType::U32 => NumberType::U32,
        ComponentType::F32 => NumberType::F32,
    }
}

/// What stands for 1 where integers are normalized.
fn whole(number: NumberType) -> Option<f64> {
    Some(match number {
        NumberType::I8 => f64::from(i8::MAX),
        NumberType::U8 => f64::from(u8::MAX),
        NumberType::I16 => f64::from(i16::MAX),
        NumberType::U16 => f64::from(u16::MAX),
        _ => return None,
    })
}
