use crate::stored_type::ByteOrder;
use crate::voxel::native_bytes;
use crate::write_parts::{Packing, write_parts};
use crate::{Result, StoredType, VolumeWriter, Voxel};
use brainmesh_core::{Monitor, Volume};
use glam::DVec3;
use std::path::Path;

/// Writes volumes with plain values: `.mha` in one file, `.mhd` with a `.raw` file beside it.
pub(crate) fn write<T: Voxel>(
    path: &Path,
    volumes: &[Volume<T>],
    writer: &VolumeWriter,
    monitor: &dyn Monitor,
) -> Result<()> {
    let Some(first) = volumes.first() else { return Ok(()) };
    let is_detached = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("mhd"));
    let data = path.with_extension("raw");
    let data_name = data.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = if is_detached { &data_name } else { "LOCAL" };
    let text = format!("{}ElementDataFile = {name}\n", header(first, volumes.len(), writer.time_step_s));
    let values = volumes.iter().map(|volume| native_bytes(volume.data()));
    if is_detached {
        write_parts(&data, &values.collect::<Vec<_>>(), Packing::None, monitor)?;
        return write_parts(path, &[text.as_bytes()], Packing::None, monitor);
    }
    let parts: Vec<&[u8]> = std::iter::once(text.as_bytes()).chain(values).collect();
    write_parts(path, &parts, Packing::None, monitor)
}

/// All fields but the last. Numbers are written so that they read back as they are.
fn header<T: Voxel>(volume: &Volume<T>, volumes: usize, time_step_s: Option<f64>) -> String {
    let grid = volume.grid();
    let (affine, spacing) = (grid.affine(), grid.spacing_mm());
    let lps = |v: DVec3| [-v.x + 0.0, -v.y + 0.0, v.z + 0.0];
    let m = affine.matrix3;
    let mut rows: Vec<Vec<f64>> =
        [m.x_axis / spacing[0], m.y_axis / spacing[1], m.z_axis / spacing[2]].map(|axis| lps(axis).to_vec()).into();
    let (mut offset, mut steps) = (lps(affine.translation).to_vec(), spacing.to_vec());
    let mut sizes = grid.shape().to_vec();
    if volumes > 1 {
        rows.iter_mut().for_each(|row| row.push(0.0));
        rows.push(vec![0.0, 0.0, 0.0, 1.0]);
        offset.push(0.0);
        steps.push(time_step_s.unwrap_or(1.0));
        sizes.push(volumes);
    }
    let axes = sizes.len();
    let big_endian = if ByteOrder::NATIVE == ByteOrder::Big { "True" } else { "False" };
    // MetaIO's letters say where an axis comes from, ours where it leads.
    let from = |letter: char| match letter {
        'L' => 'R',
        'R' => 'L',
        'P' => 'A',
        'A' => 'P',
        'I' => 'S',
        _ => 'I',
    };
    let orientation: String = grid.orientation().to_string().chars().map(from).collect();
    format!(
        "ObjectType = Image\nNDims = {axes}\nBinaryData = True\nBinaryDataByteOrderMSB = {big_endian}\n\
         CompressedData = False\nTransformMatrix = {}\nOffset = {}\nCenterOfRotation = {}\n\
         AnatomicalOrientation = {orientation}\nElementSpacing = {}\nDimSize = {}\nElementType = {}\n",
        words(&rows.concat()),
        words(&offset),
        words(&vec![0; axes]),
        words(&steps),
        words(&sizes),
        type_name(T::STORED),
    )
}

fn words<T: ToString>(numbers: &[T]) -> String {
    numbers.iter().map(T::to_string).collect::<Vec<_>>().join(" ")
}

fn type_name(stored: StoredType) -> &'static str {
    match stored {
        StoredType::Int8 => "MET_CHAR",
        StoredType::Uint8 => "MET_UCHAR",
        StoredType::Int16 => "MET_SHORT",
        StoredType::Uint16 => "MET_USHORT",
        StoredType::Int32 => "MET_INT",
        StoredType::Uint32 => "MET_UINT",
        StoredType::Int64 => "MET_LONG_LONG",
        StoredType::Uint64 => "MET_ULONG_LONG",
        StoredType::Float32 => "MET_FLOAT",
        StoredType::Float64 => "MET_DOUBLE",
    }
}
