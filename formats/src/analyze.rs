//! ANALYZE 7.5 (`.hdr` with `.img`), after Mayo's `dbh.h`, with the fields that SPM put to use. Read, never written.
//!
//! - **Axes**: axis 1 is stored fastest; axes 4 to 7 count volumes. Both byte orders; header and image may be gzipped.
//! - **Placement**: the format has none. By its definition axis 1 leads to the left (radiological storage, as nibabel and SPM take
//!   it), 2 to the anterior, 3 to the superior, in steps of `pixdim` mm; the origin is the voxel of SPM's `originator` field
//!   where that is set and near the image, else the middle of the image. The world is `unregistered`, with a warning. A
//!   `.mat` file of SPM beside it is not read, with a warning.
//! - **Scaling**: SPM's `funused1` is the slope and `funused2` the intercept where the first is neither 0 nor NaN.
//! - **Types**: uint8, int16, int32, float32, float64, and SPM2's int8, uint16, uint32; complex values as planes.
//! - **Not supported**: 1-bit values, RGB (stored in two ways that the header does not tell apart).

use crate::bytes::read_head;
use crate::input::Input;
use crate::nifti;
use crate::raw::{RawLayout, RawVoxels};
use crate::stored_type::ByteOrder;
use crate::volume_reader::{Opened, Voxels};
use crate::voxel::Encoding;
use crate::{Result, Scaling, StoredType, VolumeReader, fault};
use brainmesh_core::Grid;
use glam::{DAffine3, DMat3, DVec3};
use std::path::Path;

const HEADER_BYTES: usize = 348;

/// Whether a file begins like an ANALYZE header; NIfTI, which shares the first bytes, is asked for before.
pub(crate) fn is_analyze(head: &[u8]) -> bool {
    head.len() >= HEADER_BYTES && byte_order(head).is_some()
}

/// By `sizeof_hdr`, and `dim[0]` as a second witness.
fn byte_order(head: &[u8]) -> Option<ByteOrder> {
    let (size, axes) = (head.first_chunk::<4>()?, [*head.get(40)?, *head.get(41)?]);
    let is_count = |n: i16| (1..=7).contains(&n);
    if i32::from_le_bytes(*size) == HEADER_BYTES as i32 && is_count(i16::from_le_bytes(axes)) {
        Some(ByteOrder::Little)
    } else if i32::from_be_bytes(*size) == HEADER_BYTES as i32 && is_count(i16::from_be_bytes(axes)) {
        Some(ByteOrder::Big)
    } else {
        None
    }
}

/// The fields in use, by their offset in `dbh.h`.
struct Header<'h> {
    path: &'h Path,
    bytes: &'h [u8; HEADER_BYTES],
    order: ByteOrder,
}

impl Header<'_> {
    fn bytes_at<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut bytes: [u8; N] = std::array::from_fn(|n| self.bytes[at + n]);
        if self.order == ByteOrder::Big {
            bytes.reverse();
        }
        bytes
    }

    fn i16(&self, at: usize) -> i16 {
        i16::from_le_bytes(self.bytes_at(at))
    }

    fn f32(&self, at: usize) -> f64 {
        f32::from_le_bytes(self.bytes_at(at)).into()
    }

    /// Lengths of the axes, 1 for those not declared.
    fn sizes(&self) -> Result<[usize; 7]> {
        let mut sizes = [1; 7];
        let axes = usize::try_from(self.i16(40)).unwrap_or(0);
        for (axis, size) in sizes.iter_mut().enumerate().take(axes) {
            let found = self.i16(42 + 2 * axis);
            // Zero beyond the third axis is an old way to say one.
            let found = if found == 0 && axis >= 3 { 1 } else { found };
            let valid = usize::try_from(found).ok().filter(|&n| n > 0);
            *size =
                valid.ok_or_else(|| fault::invalid(self.path, format!("dim[{}]", axis + 1), "at least 1", found))?;
        }
        Ok(sizes)
    }

    fn stored_type(&self) -> Result<(StoredType, &'static [&'static str])> {
        let name = match self.i16(70) {
            2 => return Ok((StoredType::Uint8, &[])),
            4 => return Ok((StoredType::Int16, &[])),
            8 => return Ok((StoredType::Int32, &[])),
            16 => return Ok((StoredType::Float32, &[])),
            32 => return Ok((StoredType::Float32, &["real", "imaginary"])),
            64 => return Ok((StoredType::Float64, &[])),
            130 => return Ok((StoredType::Int8, &[])),
            132 => return Ok((StoredType::Uint16, &[])),
            136 => return Ok((StoredType::Uint32, &[])),
            1 => "1-bit".into(),
            128 => "RGB (128)".into(),
            other => other.to_string(),
        };
        let supported = "uint8, int16, int32, float32, complex64, float64, SPM2's int8, uint16, uint32";
        Err(fault::unsupported(self.path, "datatype", name, supported))
    }

    /// `funused1` and `funused2`.
    fn scale(&self) -> Option<(f64, f64)> {
        let (slope, intercept) = (self.f32(112), self.f32(116));
        let intercept = if intercept.is_finite() { intercept } else { 0.0 };
        Some((slope, intercept)).filter(|_| slope != 0.0 && slope.is_finite()).filter(|&scale| scale != (1.0, 0.0))
    }

    /// The grid, and where its origin comes from.
    fn grid(&self, shape: [usize; 3], warnings: &mut Vec<String>) -> Result<Grid> {
        let mut spacing = [1.0; 3];
        for (axis, step) in spacing.iter_mut().enumerate() {
            let found = self.f32(80 + 4 * axis);
            if found != 0.0 && found.is_finite() {
                *step = found.abs();
            } else if shape[axis] > 1 {
                return Err(fault::invalid(self.path, format!("pixdim[{}]", axis + 1), "a spacing above 0", found));
            }
            if found < 0.0 {
                warnings.push(format!("pixdim[{}] is negative: its sign is not used", axis + 1));
            }
        }
        // SPM counts voxels from 1.
        let origin: [f64; 3] = std::array::from_fn(|n| self.i16(253 + 2 * n).into());
        let is_near = |n: usize| origin[n] > -(shape[n] as f64) && origin[n] < 2.0 * shape[n] as f64;
        let is_set = origin.iter().any(|&n| n != 0.0) && (0..3).all(is_near);
        let (centre, source) = if is_set {
            (origin.map(|n| n - 1.0), "SPM's originator field")
        } else {
            (shape.map(|n| (n - 1) as f64 / 2.0), "the middle of the image")
        };
        warnings.push(format!("the format has no orientation: axis 1 is taken to lead left, the origin is {source}"));
        let matrix = DMat3::from_diagonal(DVec3::from_array(spacing) * DVec3::new(-1.0, 1.0, 1.0));
        let affine = DAffine3::from_mat3_translation(matrix, matrix * -DVec3::from_array(centre));
        Grid::new(shape, affine, "unregistered").map_err(fault::core(self.path))
    }

    /// Where the voxels begin in the image file.
    fn offset(&self) -> Result<u64> {
        let found = self.f32(108);
        if found >= 0.0 && found.fract() == 0.0 && found < 2f64.powi(53) {
            return Ok(found as u64);
        }
        Err(fault::invalid(self.path, "vox_offset", "a whole number from 0", found))
    }
}

/// Opens a header that [`is_analyze`].
pub(crate) fn open(input: &Input) -> Result<VolumeReader> {
    let path = input.path();
    let short = || fault::truncated(path, HEADER_BYTES, input.head().len());
    let bytes: &[u8; HEADER_BYTES] = input.head().first_chunk().ok_or_else(short)?;
    let refuse = || fault::invalid(path, "sizeof_hdr", "348", "another number");
    let header = Header { path, bytes, order: byte_order(bytes).ok_or_else(refuse)? };
    let [ni, nj, nk, counts @ ..] = header.sizes()?;
    let volumes = counts.into_iter().try_fold(1usize, usize::checked_mul);
    let volumes =
        volumes.ok_or_else(|| fault::invalid(path, "dim[4..=7]", "a countable number", format!("{counts:?}")))?;
    let (stored, planes) = header.stored_type()?;
    let shape = [ni, nj, nk];
    let mut warnings = Vec::new();
    let grid = header.grid(shape, &mut warnings)?;
    let scale = if planes.is_empty() { header.scale() } else { None };
    let image = nifti::image_of_header(path);
    let image = image.ok_or_else(|| fault::invalid(path, "image", "an .img file beside the header", "none"))?;
    if read_head(&image.with_extension("mat"), 1).is_ok() {
        warnings.push("the .mat file beside it, where SPM keeps the orientation, is not read".into());
    }
    let encoding = Encoding { stored, order: header.order, scale };
    let layout = RawLayout { offset: header.offset()?, shape, volumes, planes: planes.len().max(1), encoding };
    let opened = Opened {
        path: path.into(),
        format: "ANALYZE 7.5",
        grid,
        volumes: volumes * planes.len().max(1),
        stored,
        scaling: Scaling::of(scale),
        voxels: Voxels::Raw(RawVoxels::of_file(&image, layout)?),
    };
    Ok(VolumeReader::new(opened).with_planes(planes).with_warnings(warnings))
}
