use super::header::{HEADER_1_BYTES, HEADER_2_BYTES};
use crate::atomic::write_io;
use crate::{Result, fault};
use brainmesh_core::{Grid, Volume};
use flate2::{Compression, GzBuilder};
use glam::{DMat3, DQuat, DVec3};
use std::io::{self, Write};
use std::path::Path;

mod sealed {
    pub trait Sealed {}
}

/// A value [`write_nifti`] can store: `u8`, `i16`, `u16`, `i32`, `f32`.
pub trait NiftiValue: Copy + sealed::Sealed {
    /// Its `DT_` code in `nifti1.h`.
    const DATATYPE: i16;
    /// Its little-endian bytes, appended.
    fn append_to(self, bytes: &mut Vec<u8>);
}

macro_rules! nifti_value {
    ($($type:ty: $code:literal),*) => {$(
        impl sealed::Sealed for $type {}
        impl NiftiValue for $type {
            const DATATYPE: i16 = $code;
            fn append_to(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}
nifti_value!(u8: 2, i16: 4, i32: 8, f32: 16, u16: 512);

/// Writes a volume as little-endian NIfTI, whole or not at all: gzipped where the name ends in `.gz`, values unscaled.
///
/// It is NIfTI-1, or NIfTI-2 where an axis is longer than 32,767 voxels. The placement goes into the sform, and as well into
/// the qform where it has no shear. Worlds without a code of their own are written as `aligned`.
///
/// # Errors
/// A name that ends in neither `.nii` nor `.nii.gz`; [`Error::Io`](crate::Error::Io).
///
/// ```
/// use brainmesh_core::{Grid, Volume};
/// use brainmesh_formats::{read_volume, write_nifti};
/// use glam::{DAffine3, DVec3};
/// let grid = Grid::new([2, 1, 1], DAffine3::from_scale(DVec3::new(-0.5, 0.5, 2.0)), "scanner")?;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("labels.nii.gz");
/// write_nifti(&path, &Volume::new(grid.clone(), vec![3u8, 7])?)?;
/// let back = read_volume(&path)?;
/// assert_eq!((back.data(), back.grid()), ([3.0, 7.0].as_slice(), &grid));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_nifti<T: NiftiValue>(path: &Path, volume: &Volume<T>) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let is_gzip = name.ends_with(".nii.gz");
    if !is_gzip && !name.ends_with(".nii") {
        return Err(fault::invalid(path, "file name", "an ending of .nii or .nii.gz", name));
    }
    let head = head::<T>(volume.grid());
    write_io(path, |mut file| {
        if is_gzip {
            // Level 1 takes a third of the time of level 6 for a tenth more bytes.
            let mut encoder = GzBuilder::new().write(&mut file, Compression::fast());
            write_content(&mut encoder, &head, volume.data())?;
            encoder.finish().map(drop)
        } else {
            write_content(&mut file, &head, volume.data())
        }
    })
}

fn write_content<T: NiftiValue>(out: &mut impl Write, head: &[u8], values: &[T]) -> io::Result<()> {
    out.write_all(head)?;
    let mut bytes = Vec::new();
    for values in values.chunks(1 << 16) {
        bytes.clear();
        values.iter().for_each(|v| v.append_to(&mut bytes));
        out.write_all(&bytes)?;
    }
    Ok(())
}

/// The header and the four zero bytes that say that no extension follows.
fn head<T: NiftiValue>(grid: &Grid) -> Vec<u8> {
    let fields = Fields::of(grid);
    let mut head = if grid.shape().into_iter().all(|n| n <= i16::MAX as usize) {
        fields.head_1::<T>()
    } else {
        fields.head_2::<T>()
    };
    head.extend_from_slice(&[0; 4]);
    head
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
}

impl Fields {
    fn of(grid: &Grid) -> Self {
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
            dim: [3, ni, nj, nk, 1, 1, 1, 1],
            pixdim: [handedness, spacing[0], spacing[1], spacing[2], 0.0, 0.0, 0.0, 0.0],
            qform_code: if rigid.is_some() { code } else { 0 },
            sform_code: code,
            quaternion: [rotation.x, rotation.y, rotation.z],
            qoffset: t.to_array(),
            srow: std::array::from_fn(|row| [m.x_axis[row], m.y_axis[row], m.z_axis[row], t[row]]),
        }
    }

    /// `nifti1.h`.
    fn head_1<T: NiftiValue>(&self) -> Vec<u8> {
        let mut head = vec![0; HEADER_1_BYTES];
        put(&mut head, 0, &(HEADER_1_BYTES as i32).to_le_bytes());
        put_all(&mut head, 40, self.dim.map(|d| (d as i16).to_le_bytes()));
        put(&mut head, 70, &T::DATATYPE.to_le_bytes());
        put(&mut head, 72, &(8 * size_of::<T>() as i16).to_le_bytes());
        put_all(&mut head, 76, self.pixdim.map(|p| (p as f32).to_le_bytes()));
        put(&mut head, 108, &(HEADER_1_BYTES as f32 + 4.0).to_le_bytes());
        put(&mut head, 112, &1f32.to_le_bytes());
        head[123] = MILLIMETRE;
        put(&mut head, 252, &self.qform_code.to_le_bytes());
        put(&mut head, 254, &self.sform_code.to_le_bytes());
        put_all(&mut head, 256, self.quaternion.map(|q| (q as f32).to_le_bytes()));
        put_all(&mut head, 268, self.qoffset.map(|q| (q as f32).to_le_bytes()));
        put_all(&mut head, 280, self.srow.as_flattened().iter().map(|&s| (s as f32).to_le_bytes()));
        put(&mut head, 344, b"n+1\0");
        head
    }

    /// `nifti2.h`.
    fn head_2<T: NiftiValue>(&self) -> Vec<u8> {
        let mut head = vec![0; HEADER_2_BYTES];
        put(&mut head, 0, &(HEADER_2_BYTES as i32).to_le_bytes());
        put(&mut head, 4, b"n+2\0\r\n\x1a\n");
        put(&mut head, 12, &T::DATATYPE.to_le_bytes());
        put(&mut head, 14, &(8 * size_of::<T>() as i16).to_le_bytes());
        put_all(&mut head, 16, self.dim.map(i64::to_le_bytes));
        put_all(&mut head, 104, self.pixdim.map(f64::to_le_bytes));
        put(&mut head, 168, &(HEADER_2_BYTES as i64 + 4).to_le_bytes());
        put(&mut head, 176, &1f64.to_le_bytes());
        put(&mut head, 344, &i32::from(self.qform_code).to_le_bytes());
        put(&mut head, 348, &i32::from(self.sform_code).to_le_bytes());
        put_all(&mut head, 352, self.quaternion.map(f64::to_le_bytes));
        put_all(&mut head, 376, self.qoffset.map(f64::to_le_bytes));
        put_all(&mut head, 400, self.srow.as_flattened().iter().map(|s| s.to_le_bytes()));
        head[500] = MILLIMETRE;
        head
    }
}

/// `NIFTI_UNITS_MM`.
const MILLIMETRE: u8 = 2;

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
