use super::segments;
use crate::stored_type::ByteOrder;
use crate::voxel::native_bytes;
use crate::write_parts::{Packing, write_parts};
use crate::{Result, StoredType, VolumeWriter, Voxel, fault};
use brainmesh_core::{Monitor, Volume};
use std::collections::BTreeMap;
use std::path::Path;

/// Writes volumes: `.nrrd` with the values gzipped, `.nhdr` with plain values in a `.raw` file beside it, `.seg.nrrd` as 3D
/// Slicer's segmentation of one layer.
pub(crate) fn write<T: Voxel>(
    path: &Path,
    volumes: &[Volume<T>],
    writer: &VolumeWriter,
    monitor: &dyn Monitor,
) -> Result<()> {
    let Some(first) = volumes.first() else { return Ok(()) };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let lower = name.to_ascii_lowercase();
    let is_detached = lower.ends_with(".nhdr");
    let data = path.with_extension("raw");
    let mut text = header(first, volumes.len(), writer.time_step_s);
    if is_detached {
        let data_name = data.file_name().unwrap_or_default().to_string_lossy().into_owned();
        text.push_str(&format!("encoding: raw\ndata file: {data_name}\n"));
    } else {
        text.push_str("encoding: gzip\n");
    }
    if lower.ends_with(".seg.nrrd") {
        if volumes.len() > 1 {
            let found = format!("{} volumes", volumes.len());
            return Err(fault::unsupported(path, "segmentation", found, "one label volume"));
        }
        text.push_str(&segments::keys(&writer.labels, &extents(path, first)?));
    }
    text.push_str(if is_detached { "" } else { "\n" });
    let values = volumes.iter().map(|volume| native_bytes(volume.data()));
    if is_detached {
        write_parts(&data, &values.collect::<Vec<_>>(), Packing::None, monitor)?;
        return write_parts(path, &[text.as_bytes()], Packing::None, monitor);
    }
    let parts: Vec<&[u8]> = std::iter::once(text.as_bytes()).chain(values).collect();
    write_parts(path, &parts, Packing::GzipAfter(text.len()), monitor)
}

/// All fields but the encoding. Numbers are written so that they read back as they are.
fn header<T: Voxel>(volume: &Volume<T>, volumes: usize, time_step_s: Option<f64>) -> String {
    let grid = volume.grid();
    let affine = grid.affine();
    // The space of 3D Slicer and ITK. Adding 0 turns -0 into 0.
    let vector = |v: glam::DVec3| format!("({},{},{})", -v.x + 0.0, -v.y + 0.0, v.z + 0.0);
    let [x, y, z] = [affine.matrix3.x_axis, affine.matrix3.y_axis, affine.matrix3.z_axis].map(vector);
    let [ni, nj, nk] = grid.shape();
    let is_series = volumes > 1;
    // Directions without a name for a volume that nobody registered.
    let space = if grid.world() == "unregistered" { "space dimension: 3" } else { "space: left-posterior-superior" };
    let mut text = String::from("NRRD0004\n# http://teem.sourceforge.net/nrrd/format.html\n");
    text.push_str(&format!("type: {}\n", type_name(T::STORED)));
    text.push_str(&format!("dimension: {}\n{space}\n", if is_series { 4 } else { 3 }));
    let (length, none, list) =
        if is_series { (format!(" {volumes}"), " none", " list") } else { (String::new(), "", "") };
    text.push_str(&format!("sizes: {ni} {nj} {nk}{length}\n"));
    text.push_str(&format!("space directions: {x} {y} {z}{none}\n"));
    text.push_str(&format!("kinds: domain domain domain{list}\n"));
    if let Some(seconds) = time_step_s.filter(|_| is_series) {
        text.push_str(&format!("spacings: nan nan nan {seconds}\nunits: \"\" \"\" \"\" \"s\"\n"));
    }
    if size_of::<T>() > 1 {
        text.push_str(if ByteOrder::NATIVE == ByteOrder::Little { "endian: little\n" } else { "endian: big\n" });
    }
    text.push_str(&format!("space origin: {}\n", vector(affine.translation)));
    text
}

/// Names that every reader knows: teem takes `long` for nothing.
fn type_name(stored: StoredType) -> &'static str {
    match stored {
        StoredType::Int8 => "signed char",
        StoredType::Uint8 => "unsigned char",
        StoredType::Int16 => "short",
        StoredType::Uint16 => "unsigned short",
        StoredType::Int32 => "int",
        StoredType::Uint32 => "unsigned int",
        StoredType::Int64 => "long long",
        StoredType::Uint64 => "unsigned long long",
        StoredType::Float32 => "float",
        StoredType::Float64 => "double",
    }
}

/// First and last voxel along each axis of every value but 0.
fn extents<T: Voxel>(path: &Path, volume: &Volume<T>) -> Result<BTreeMap<i32, [[usize; 2]; 3]>> {
    if T::STORED.integer_range().is_none() {
        return Err(fault::unsupported(path, "segmentation", T::STORED, "integer labels"));
    }
    let [ni, nj, _] = volume.grid().shape();
    let mut extents: BTreeMap<i32, [[usize; 2]; 3]> = BTreeMap::new();
    for (row, values) in volume.data().chunks(ni).enumerate() {
        let (j, k) = (row % nj, row / nj);
        let mut start = 0;
        // Runs of one label, because volumes of labels are made of them.
        for run in values.chunk_by(|a, b| a == b) {
            let (first, last) = (start, start + run.len() - 1);
            start += run.len();
            let number = run[0].to_f64();
            let value = number as i32;
            if f64::from(value) != number || value < 0 {
                return Err(fault::unsupported(
                    path,
                    "segmentation",
                    format!("label {number}"),
                    "labels from 0 to 2,147,483,647",
                ));
            }
            if value == 0 {
                continue;
            }
            let extent = extents.entry(value).or_insert([[first, last], [j, j], [k, k]]);
            for (axis, [low, high]) in extent.iter_mut().zip([[first, last], [j, j], [k, k]]) {
                *axis = [axis[0].min(low), axis[1].max(high)];
            }
        }
    }
    Ok(extents)
}
