use super::extension;
use super::header::{HEADER_1_BYTES, HEADER_2_BYTES};
use crate::atomic::write_io;
use crate::volume_writer::Slabs;
use crate::voxel::native_bytes;
use crate::write_parts::{Packing, append_parts, write_parts};
use crate::{Result, StoredType, VolumeWriter, Voxel, write_atomically};
use brainmesh_core::{Grid, Monitor, Stage, Uncounted, Volume};
use glam::{DMat3, DQuat, DVec3};
use std::path::{Path, PathBuf};

/// Writes volumes as NIfTI in this machine's byte order: `.nii`, `.nii.gz`, or `.hdr` with `.img`.
///
/// It is NIfTI-1, or NIfTI-2 where an axis is longer than 32,767 voxels. The placement goes into the sform, and as well into
/// the qform where it has no shear. Worlds without a code of their own are written as `aligned`.
pub(crate) fn write<T: Voxel>(
    path: &Path,
    volumes: &[Volume<T>],
    writer: &VolumeWriter,
    monitor: &dyn Monitor,
) -> Result<()> {
    let Some(first) = volumes.first() else { return Ok(()) };
    let file = Layout::of(path);
    let header = header::<T>(first.grid(), volumes.len(), writer, &file);
    let mut parts: Vec<&[u8]> = if file.is_pair { Vec::new() } else { vec![&header] };
    parts.extend(volumes.iter().map(|volume| native_bytes(volume.data())));
    write_parts(&file.values, &parts, file.packing(), monitor)?;
    file.write_header_of_pair(&header)
}

/// [`write`] of volumes that are made slab by slab.
pub(crate) fn write_slabs<T: Voxel>(
    path: &Path,
    slabs: &Slabs<T>,
    writer: &VolumeWriter,
    monitor: &dyn Monitor,
) -> Result<()> {
    let file = Layout::of(path);
    let header = header::<T>(slabs.grid, slabs.volumes, writer, &file);
    let slices = slabs.grid.shape()[2];
    write_atomically(&file.values, |out| {
        monitor.stage("converting", (slabs.grid.voxel_count() * slabs.volumes) as u64);
        let within = Stage(monitor);
        let mut first: &[u8] = if file.is_pair { &[] } else { &header };
        for volume in 0..slabs.volumes {
            for start in (0..slices).step_by(slabs.slices.max(1)) {
                let slab = (slabs.make)(volume, start..(start + slabs.slices.max(1)).min(slices), &within)?;
                // The bar counts what is read.
                append_parts(path, out, &[first, native_bytes(slab.data())], file.packing(), &Uncounted(monitor))?;
                first = &[];
            }
        }
        Ok(())
    })?;
    file.write_header_of_pair(&header)
}

/// The files that a name asks for.
struct Layout {
    header: PathBuf,
    values: PathBuf,
    is_pair: bool,
    is_gzip: bool,
}

impl Layout {
    fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        if name.ends_with(".hdr") || name.ends_with(".img") {
            let (header, values) = (path.with_extension("hdr"), path.with_extension("img"));
            return Self { header, values, is_pair: true, is_gzip: false };
        }
        Self { header: path.into(), values: path.into(), is_pair: false, is_gzip: name.ends_with(".gz") }
    }

    fn packing(&self) -> Packing {
        if self.is_gzip { Packing::GzipBlocks } else { Packing::None }
    }

    fn write_header_of_pair(&self, header: &[u8]) -> Result<()> {
        if self.is_pair { write_io(&self.header, |file| file.write_all(header)) } else { Ok(()) }
    }
}

/// Everything before the voxels.
fn header<T: Voxel>(grid: &Grid, volumes: usize, writer: &VolumeWriter, file: &Layout) -> Vec<u8> {
    let extensions = extension::bytes_of(&writer.extensions);
    let fields = Fields::of(grid, volumes, writer);
    let is_small = fields.dim.iter().all(|&n| n <= i64::from(i16::MAX));
    let head = if is_small { HEADER_1_BYTES } else { HEADER_2_BYTES };
    let offset = if file.is_pair { 0 } else { head + extensions.len() };
    let mut bytes =
        if is_small { fields.head_1::<T>(offset, file.is_pair) } else { fields.head_2::<T>(offset, file.is_pair) };
    bytes.extend(extensions);
    bytes
}

/// `DT_` code in `nifti1.h`.
fn datatype(stored: StoredType) -> i16 {
    match stored {
        StoredType::Uint8 => 2,
        StoredType::Int16 => 4,
        StoredType::Int32 => 8,
        StoredType::Float32 => 16,
        StoredType::Float64 => 64,
        StoredType::Int8 => 256,
        StoredType::Uint16 => 512,
        StoredType::Uint32 => 768,
        StoredType::Int64 => 1024,
        StoredType::Uint64 => 1280,
    }
}

/// What both versions hold, each with widths and offsets of its own.
struct Fields {
    dim: [i64; 8],
    pixdim: [f64; 8],
    qform_code: i16,
    sform_code: i16,
    /// b, c, d.
    quaternion: [f64; 3],
    qoffset: [f64; 3],
    srow: [[f64; 4]; 3],
    /// Slope and intercept.
    scaling: (f64, f64),
    units: u8,
    intent_code: i16,
}

impl Fields {
    fn of(grid: &Grid, volumes: usize, writer: &VolumeWriter) -> Self {
        let affine = grid.affine();
        let (m, t) = (affine.matrix3, affine.translation);
        let [ni, nj, nk] = grid.shape().map(|n| n as i64);
        let spacing = grid.spacing_mm();
        let is_by_spacing_alone =
            grid.world() == "unregistered" && affine == glam::DAffine3::from_scale(DVec3::from_array(spacing));
        let code = match grid.world() {
            "scanner" => 1,
            "Talairach" => 3,
            "MNI152" => 4,
            "template" => 5,
            _ if is_by_spacing_alone => 0,
            _ => 2,
        };
        let rigid = rotation(m, spacing);
        let (rotation, handedness) = rigid.unwrap_or((DQuat::IDENTITY, 1.0));
        Self {
            dim: [if volumes > 1 { 4 } else { 3 }, ni, nj, nk, volumes as i64, 1, 1, 1],
            pixdim: [handedness, spacing[0], spacing[1], spacing[2], writer.time_step_s.unwrap_or(0.0), 0.0, 0.0, 0.0],
            qform_code: if rigid.is_some() { code } else { 0 },
            sform_code: code,
            quaternion: [rotation.x, rotation.y, rotation.z],
            qoffset: t.to_array(),
            srow: std::array::from_fn(|row| [m.x_axis[row], m.y_axis[row], m.z_axis[row], t[row]]),
            scaling: writer.scaling.unwrap_or((1.0, 0.0)),
            units: if writer.time_step_s.is_some() { MILLIMETRE | SECOND } else { MILLIMETRE },
            intent_code: if writer.labels.0.is_empty() { 0 } else { LABELS },
        }
    }

    /// `nifti1.h`.
    fn head_1<T: Voxel>(&self, offset: usize, is_pair: bool) -> Vec<u8> {
        let mut head = vec![0; HEADER_1_BYTES];
        put(&mut head, 0, &(HEADER_1_BYTES as i32).to_ne_bytes());
        put_all(&mut head, 40, self.dim.map(|d| (d as i16).to_ne_bytes()));
        put(&mut head, 70, &datatype(T::STORED).to_ne_bytes());
        put(&mut head, 72, &(8 * size_of::<T>() as i16).to_ne_bytes());
        put_all(&mut head, 76, self.pixdim.map(|p| (p as f32).to_ne_bytes()));
        put(&mut head, 108, &(offset as f32).to_ne_bytes());
        put(&mut head, 112, &(self.scaling.0 as f32).to_ne_bytes());
        put(&mut head, 116, &(self.scaling.1 as f32).to_ne_bytes());
        head[123] = self.units;
        put(&mut head, 252, &self.qform_code.to_ne_bytes());
        put(&mut head, 254, &self.sform_code.to_ne_bytes());
        put_all(&mut head, 256, self.quaternion.map(|q| (q as f32).to_ne_bytes()));
        put_all(&mut head, 268, self.qoffset.map(|q| (q as f32).to_ne_bytes()));
        put_all(&mut head, 280, self.srow.as_flattened().iter().map(|&s| (s as f32).to_ne_bytes()));
        put(&mut head, 344, if is_pair { b"ni1\0" } else { b"n+1\0" });
        put(&mut head, 68, &self.intent_code.to_ne_bytes());
        head
    }

    /// `nifti2.h`.
    fn head_2<T: Voxel>(&self, offset: usize, is_pair: bool) -> Vec<u8> {
        let mut head = vec![0; HEADER_2_BYTES];
        put(&mut head, 0, &(HEADER_2_BYTES as i32).to_ne_bytes());
        put(&mut head, 4, if is_pair { b"ni2\0\r\n\x1a\n" } else { b"n+2\0\r\n\x1a\n" });
        put(&mut head, 12, &datatype(T::STORED).to_ne_bytes());
        put(&mut head, 14, &(8 * size_of::<T>() as i16).to_ne_bytes());
        put_all(&mut head, 16, self.dim.map(i64::to_ne_bytes));
        put_all(&mut head, 104, self.pixdim.map(f64::to_ne_bytes));
        put(&mut head, 168, &(offset as i64).to_ne_bytes());
        put(&mut head, 176, &self.scaling.0.to_ne_bytes());
        put(&mut head, 184, &self.scaling.1.to_ne_bytes());
        put(&mut head, 344, &i32::from(self.qform_code).to_ne_bytes());
        put(&mut head, 348, &i32::from(self.sform_code).to_ne_bytes());
        put_all(&mut head, 352, self.quaternion.map(f64::to_ne_bytes));
        put_all(&mut head, 376, self.qoffset.map(f64::to_ne_bytes));
        put_all(&mut head, 400, self.srow.as_flattened().iter().map(|s| s.to_ne_bytes()));
        put(&mut head, 500, &i32::from(self.units).to_ne_bytes());
        put(&mut head, 504, &i32::from(self.intent_code).to_ne_bytes());
        head
    }
}

/// `NIFTI_UNITS_MM`.
const MILLIMETRE: u8 = 2;
/// `NIFTI_UNITS_SEC`.
const SECOND: u8 = 8;
/// `NIFTI_INTENT_LABEL`.
const LABELS: i16 = 1002;

/// Rotation and qfac of a matrix without shear, with a real part that is not negative, as the format stores b, c, d alone.
fn rotation(m: DMat3, spacing: [f64; 3]) -> Option<(DQuat, f64)> {
    let mut r = DMat3::from_cols(m.x_axis / spacing[0], m.y_axis / spacing[1], m.z_axis / spacing[2]);
    let cosines = [r.x_axis.dot(r.y_axis), r.x_axis.dot(r.z_axis), r.y_axis.dot(r.z_axis)];
    if cosines.iter().any(|c| c.abs() > 1e-6) {
        return None;
    }
    let handedness = r.determinant().signum();
    r.z_axis *= handedness;
    let q = DQuat::from_mat3(&r).normalize();
    Some((if q.w < 0.0 { -q } else { q }, handedness))
}

fn put(head: &mut [u8], at: usize, bytes: &[u8]) {
    head[at..at + bytes.len()].copy_from_slice(bytes);
}

fn put_all<const N: usize>(head: &mut [u8], at: usize, values: impl IntoIterator<Item = [u8; N]>) {
    for (n, value) in values.into_iter().enumerate() {
        put(head, at + n * N, &value);
    }
}
