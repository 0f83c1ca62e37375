//! FreeSurfer's MGH and MGZ (`.mgh`, `.mgz`), after FreeSurfer's wiki page `MghFormat` and its `mri.h`, `mriio.cpp`.
//!
//! - **Axes**: `i`, `j`, `k` are width, height, depth, stored `i` fastest; frames count volumes. All numbers are big endian.
//! - **Placement**: `world_from_voxel = [x_ras y_ras z_ras] * diag(delta)` with voxel `(width, height, depth) / 2` at `c_ras`,
//!   in scanner RAS mm. The directions need not be at right angles: shear is kept. Where `goodRASFlag` is not set, FreeSurfer's
//!   own default is taken (1 mm, coronal: `i` to the left, `j` down, `k` forward, centred) with a warning.
//! - **Values**: uint8, int16, int32, float32, uint16, without scaling. Placement is kept as float32.
//! - **After the voxels** stand the repetition time in ms, which is read for files of several frames, then angles and tags
//!   (transform, history, colours), which are left alone.
//! - **Not supported**: 1-bit and RGB values, tensors; the world's name and label names are not written.
//!
//! `.mgz` is written in gzip blocks that can be read alone.

use crate::input::Input;
use crate::raw::{RawLayout, RawVoxels};
use crate::stored_type::ByteOrder;
use crate::volume_reader::{Opened, Voxels};
use crate::voxel::{Encoding, big_endian_bytes};
use crate::write_parts::{Packing, write_parts};
use crate::{Result, Scaling, StoredType, VolumeReader, VolumeWriter, Voxel, fault};
use brainmesh_core::{Grid, Monitor, Volume};
use glam::{DAffine3, DMat3, DVec3};
use std::io::{Read, copy, sink};
use std::path::Path;

/// Where the voxels begin.
const HEADER_BYTES: usize = 284;
/// Of the fields that are in use.
const FIELDS_BYTES: usize = 90;

/// Whether a file begins like MGH: it has no magic number, but version 1 and a small number for its type.
pub(crate) fn is_mgh(head: &[u8]) -> bool {
    // The third byte of newer files is an intent.
    matches!(head.first_chunk::<24>(), Some([0, 0, _, 1, .., 0, 0, 0, _]))
}

/// Opens a file that [`is_mgh`].
pub(crate) fn open(input: Input) -> Result<VolumeReader> {
    let path = input.path().to_path_buf();
    let short = || fault::truncated(&path, HEADER_BYTES, input.head().len());
    let head = input.head().first_chunk::<FIELDS_BYTES>().ok_or_else(short)?;
    let mut lengths = [0; 4];
    for (n, (length, name)) in lengths.iter_mut().zip(["width", "height", "depth", "nframes"]).enumerate() {
        let found = i32::from_be_bytes(bytes_at(head, 4 + 4 * n));
        let valid = usize::try_from(found).ok().filter(|&n| n > 0);
        *length = valid.ok_or_else(|| fault::invalid(&path, name, "at least 1", found))?;
    }
    let [shape @ .., frames] = lengths;
    let stored = stored_type(&path, i32::from_be_bytes(bytes_at(head, 20)))?;
    let has_placement = i16::from_be_bytes(bytes_at(head, 28)) > 0;
    let grid = Grid::new(shape, world_from_voxel(head, has_placement, shape), "scanner").map_err(fault::core(&path))?;
    let encoding = Encoding { stored, order: ByteOrder::Big, scale: None };
    let layout = RawLayout { offset: HEADER_BYTES as u64, shape, volumes: frames, planes: 1, encoding };
    let raw = RawVoxels::of_file(&path, layout)?;
    let voxels_end = HEADER_BYTES as u64 + u64::try_from(layout.bytes()).unwrap_or(u64::MAX);
    let time_step_s = if frames > 1 { repetition_time_s(input, voxels_end) } else { None };
    let opened =
        Opened { path, format: "MGH", grid, volumes: frames, stored, scaling: Scaling::None, voxels: Voxels::Raw(raw) };
    let warning =
        "goodRASFlag is 0: the file does not say where its voxels lie; FreeSurfer's default of 1 mm coronal is taken";
    Ok(VolumeReader::new(opened).with_time_step_s(time_step_s).with_warnings((!has_placement).then(|| warning.into())))
}

fn stored_type(path: &Path, code: i32) -> Result<StoredType> {
    match code {
        0 => Ok(StoredType::Uint8),
        1 => Ok(StoredType::Int32),
        3 => Ok(StoredType::Float32),
        4 => Ok(StoredType::Int16),
        10 => Ok(StoredType::Uint16),
        other => {
            Err(fault::unsupported(path, "type", other, "0 (uint8), 1 (int32), 3 (float32), 4 (int16), 10 (uint16)"))
        }
    }
}

fn world_from_voxel(head: &[u8; FIELDS_BYTES], has_placement: bool, shape: [usize; 3]) -> DAffine3 {
    let vector =
        |at: usize| DVec3::from_array(std::array::from_fn(|n| f32::from_be_bytes(bytes_at(head, at + 4 * n)).into()));
    let (delta, directions, centre) = if has_placement {
        (vector(30), DMat3::from_cols(vector(42), vector(54), vector(66)), vector(78))
    } else {
        (DVec3::ONE, DMat3::from_cols(-DVec3::X, -DVec3::Z, DVec3::Y), DVec3::ZERO)
    };
    let matrix = directions * DMat3::from_diagonal(delta);
    DAffine3::from_mat3_translation(matrix, centre - matrix * half(shape))
}

/// Voxel coordinates of `c_ras`.
fn half(shape: [usize; 3]) -> DVec3 {
    DVec3::from_array(shape.map(|n| n as f64 / 2.0))
}

/// `TR`, the first number after the voxels; none where the file ends there. What is wrong with the voxels shows on reading.
fn repetition_time_s(mut input: Input, voxels_end: u64) -> Option<f64> {
    copy(&mut input.by_ref().take(voxels_end), &mut sink()).ok()?;
    let mut milliseconds = [0; 4];
    input.read_exact(&mut milliseconds).ok()?;
    let seconds = f64::from(f32::from_be_bytes(milliseconds)) / 1000.0;
    (seconds.is_finite() && seconds > 0.0).then_some(seconds)
}

/// Writes volumes as frames.
pub(crate) fn write<T: Voxel>(
    path: &Path,
    volumes: &[Volume<T>],
    writer: &VolumeWriter,
    monitor: &dyn Monitor,
) -> Result<()> {
    let Some(first) = volumes.first() else { return Ok(()) };
    let head = header::<T>(path, first.grid(), volumes.len())?;
    let values: Vec<_> = volumes.iter().map(|volume| big_endian_bytes(volume.data())).collect();
    let mut parts = vec![head.as_slice()];
    parts.extend(values.iter().map(Vec::as_slice));
    let milliseconds = writer.time_step_s.map(|seconds| ((seconds * 1000.0) as f32).to_be_bytes());
    parts.extend(milliseconds.as_ref().map(<[u8; 4]>::as_slice));
    // Flip angle, echo time, inversion time, field of view.
    parts.extend(milliseconds.map(|_| [0; 16].as_slice()));
    let is_plain = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("mgh"));
    write_parts(path, &parts, if is_plain { Packing::None } else { Packing::GzipBlocks }, monitor)
}

fn header<T: Voxel>(path: &Path, grid: &Grid, frames: usize) -> Result<[u8; HEADER_BYTES]> {
    let code = match T::STORED {
        StoredType::Uint8 => 0,
        StoredType::Int32 => 1,
        StoredType::Float32 => 3,
        StoredType::Int16 => 4,
        StoredType::Uint16 => 10,
        other => {
            return Err(fault::unsupported(path, "type", other, "uint8, int16, uint16, int32, float32 in MGH"));
        }
    };
    let [ni, nj, nk] = grid.shape();
    let mut ints = [1, 0, 0, 0, 0, code, 0];
    for (int, length) in ints[1..5].iter_mut().zip([ni, nj, nk, frames]) {
        *int = i32::try_from(length)
            .map_err(|_| fault::unsupported(path, "axis", format!("{length} voxels"), "axes of up to 2,147,483,647"))?;
    }
    let affine = grid.affine();
    let spacing = grid.spacing_mm();
    let m = affine.matrix3;
    let directions = [m.x_axis / spacing[0], m.y_axis / spacing[1], m.z_axis / spacing[2]];
    // The voxel at c_ras is that of the matrix as it will be read, after rounding.
    let rounded = |v: DVec3| v.as_vec3().as_dvec3();
    let [x, y, z] = directions.map(rounded);
    let read_back = DMat3::from_cols(x, y, z) * DMat3::from_diagonal(rounded(DVec3::from_array(spacing)));
    let centre = affine.translation + read_back * half(grid.shape());
    let mut head = [0; HEADER_BYTES];
    let numbers = spacing.into_iter().chain(directions.into_iter().chain([centre]).flat_map(|v| v.to_array()));
    let bytes = ints.into_iter().flat_map(i32::to_be_bytes).chain(1i16.to_be_bytes());
    let bytes = bytes.chain(numbers.flat_map(|n| (n as f32).to_be_bytes()));
    head.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
    Ok(head)
}

fn bytes_at<const N: usize>(head: &[u8; FIELDS_BYTES], at: usize) -> [u8; N] {
    std::array::from_fn(|n| head[at + n])
}
