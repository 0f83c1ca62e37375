use crate::stored_type::{ByteOrder, StoredType};
use crate::{Result, fault};
use std::path::Path;

/// Bytes of a NIfTI-1 header (`nifti1.h`, `sizeof_hdr`).
pub(super) const HEADER_1_BYTES: usize = 348;
/// Bytes of a NIfTI-2 header (`nifti2.h`).
pub(super) const HEADER_2_BYTES: usize = 540;

/// The fields of either version that matter here, as stored.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    pub version: u8,
    pub order: ByteOrder,
    /// `dim[0]` is the number of axes.
    pub dim: [i64; 8],
    pub datatype: i16,
    pub pixdim: [f64; 8],
    pub vox_offset: f64,
    pub scl_slope: f64,
    pub scl_inter: f64,
    pub xyzt_units: i32,
    pub qform_code: i32,
    pub sform_code: i32,
    /// `quatern_b`, `_c`, `_d`.
    pub quaternion: [f64; 3],
    /// `qoffset_x`, `_y`, `_z`.
    pub qoffset: [f64; 3],
    /// `srow_x`, `_y`, `_z`.
    pub srow: [[f64; 4]; 3],
    /// Data in a file of its own (`.img`).
    pub is_pair: bool,
}

/// Whether a file begins like NIfTI of either version; the magic alone decides.
pub(crate) fn is_nifti(head: &[u8]) -> bool {
    version(head).is_some()
}

/// Version and whether the data lie in another file.
fn version(head: &[u8]) -> Option<(u8, bool)> {
    match (head.get(344..348), head.get(4..12)) {
        (Some(b"n+1\0"), _) => Some((1, false)),
        (Some(b"ni1\0"), _) => Some((1, true)),
        (_, Some(b"n+2\0\r\n\x1a\n")) => Some((2, false)),
        (_, Some(b"ni2\0\r\n\x1a\n")) => Some((2, true)),
        _ => None,
    }
}

impl Header {
    pub fn parse(path: &Path, head: &[u8]) -> Result<Self> {
        match version(head) {
            Some((1, is_pair)) => Self::parse_1(path, head, is_pair),
            Some((_, is_pair)) => Self::parse_2(path, head, is_pair),
            None => Err(fault::invalid(path, "magic", "n+1, ni1, n+2 or ni2", format!("{:?}", head.get(344..348)))),
        }
    }

    fn parse_1(path: &Path, head: &[u8], is_pair: bool) -> Result<Self> {
        let h = nifti::NiftiHeader::from_reader(head)
            .map_err(|e| fault::invalid(path, "NIfTI-1 header", "348 bytes as in nifti1.h", e))?;
        let wide = |row: [f32; 4]| row.map(f64::from);
        Ok(Self {
            version: 1,
            order: if h.endianness == nifti::Endianness::Little { ByteOrder::Little } else { ByteOrder::Big },
            // The library reads the signed `dim` as unsigned.
            dim: h.dim.map(|d| i64::from(d.cast_signed())),
            datatype: h.datatype,
            pixdim: h.pixdim.map(f64::from),
            vox_offset: h.vox_offset.into(),
            scl_slope: h.scl_slope.into(),
            scl_inter: h.scl_inter.into(),
            xyzt_units: h.xyzt_units.into(),
            qform_code: h.qform_code.into(),
            sform_code: h.sform_code.into(),
            quaternion: [h.quatern_b, h.quatern_c, h.quatern_d].map(f64::from),
            qoffset: [h.quatern_x, h.quatern_y, h.quatern_z].map(f64::from),
            srow: [wide(h.srow_x), wide(h.srow_y), wide(h.srow_z)],
            is_pair,
        })
    }

    /// Field offsets of `nifti2.h`; the library knows version 1 only.
    fn parse_2(path: &Path, head: &[u8], is_pair: bool) -> Result<Self> {
        let short = || fault::truncated(path, HEADER_2_BYTES, head.len());
        let head: &[u8; HEADER_2_BYTES] = head.first_chunk().ok_or_else(short)?;
        let order = match head.first_chunk::<4>().map(|b| i32::from_le_bytes(*b)) {
            Some(540) => ByteOrder::Little,
            Some(n) if n.swap_bytes() == 540 => ByteOrder::Big,
            found => return Err(fault::invalid(path, "sizeof_hdr", "540", format!("{found:?}"))),
        };
        let f64_at = |at: usize| {
            let bytes = bytes_at::<8>(head, at);
            if order == ByteOrder::Little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) }
        };
        let i64_at = |at: usize| f64_at(at).to_bits().cast_signed();
        let i32_at = |at: usize| {
            let bytes = bytes_at::<4>(head, at);
            if order == ByteOrder::Little { i32::from_le_bytes(bytes) } else { i32::from_be_bytes(bytes) }
        };
        let datatype = bytes_at::<2>(head, 12);
        Ok(Self {
            version: 2,
            order,
            dim: std::array::from_fn(|n| i64_at(16 + 8 * n)),
            datatype: if order == ByteOrder::Little {
                i16::from_le_bytes(datatype)
            } else {
                i16::from_be_bytes(datatype)
            },
            pixdim: std::array::from_fn(|n| f64_at(104 + 8 * n)),
            vox_offset: i64_at(168) as f64,
            scl_slope: f64_at(176),
            scl_inter: f64_at(184),
            qform_code: i32_at(344),
            sform_code: i32_at(348),
            quaternion: std::array::from_fn(|n| f64_at(352 + 8 * n)),
            qoffset: std::array::from_fn(|n| f64_at(376 + 8 * n)),
            srow: std::array::from_fn(|row| std::array::from_fn(|n| f64_at(400 + 8 * (4 * row + n)))),
            xyzt_units: i32_at(500),
            is_pair,
        })
    }

    /// Length of the header itself.
    pub fn bytes(&self) -> usize {
        if self.version == 1 { HEADER_1_BYTES } else { HEADER_2_BYTES }
    }

    /// Lengths of all seven axes, 1 for those not declared.
    pub fn shape(&self, path: &Path) -> Result<[usize; 7]> {
        let axes = usize::try_from(self.dim[0]).ok().filter(|n| (1..=7).contains(n));
        let axes = axes.ok_or_else(|| fault::invalid(path, "dim[0]", "1 to 7 axes", self.dim[0]))?;
        let mut shape = [1; 7];
        for (axis, length) in shape.iter_mut().enumerate().take(axes) {
            let found = self.dim[axis + 1];
            *length = usize::try_from(found)
                .ok()
                .filter(|&n| n > 0)
                .ok_or_else(|| fault::invalid(path, format!("dim[{}]", axis + 1), "at least 1", found))?;
        }
        Ok(shape)
    }

    /// How values are stored, and the names of the values of a voxel where these are several (`DT_` codes of `nifti1.h`).
    pub fn stored_type(&self, path: &Path) -> Result<(StoredType, &'static [&'static str])> {
        let name = match self.datatype {
            2 => return Ok((StoredType::Uint8, &[])),
            4 => return Ok((StoredType::Int16, &[])),
            8 => return Ok((StoredType::Int32, &[])),
            16 => return Ok((StoredType::Float32, &[])),
            64 => return Ok((StoredType::Float64, &[])),
            256 => return Ok((StoredType::Int8, &[])),
            512 => return Ok((StoredType::Uint16, &[])),
            768 => return Ok((StoredType::Uint32, &[])),
            1024 => return Ok((StoredType::Int64, &[])),
            1280 => return Ok((StoredType::Uint64, &[])),
            32 => return Ok((StoredType::Float32, &["real", "imaginary"])),
            1792 => return Ok((StoredType::Float64, &["real", "imaginary"])),
            128 => return Ok((StoredType::Uint8, &["red", "green", "blue"])),
            2304 => return Ok((StoredType::Uint8, &["red", "green", "blue", "alpha"])),
            1 => "1-bit".into(),
            1536 => "128-bit float (1536)".into(),
            2048 => "256-bit complex (2048)".into(),
            other => other.to_string(),
        };
        let supported = "int8 to uint64, float32, float64, complex64, complex128, RGB, RGBA";
        Err(fault::unsupported(path, "datatype", name, supported))
    }

    /// Slope and intercept; a slope of 0 or one that is not finite (nibabel writes NaN) means that values are as stored.
    pub fn scaling(&self, path: &Path) -> Result<Option<(f64, f64)>> {
        if self.scl_slope == 0.0 || !self.scl_slope.is_finite() {
            return Ok(None);
        }
        if !self.scl_inter.is_finite() {
            return Err(fault::invalid(path, "scl_inter", "a finite intercept beside a slope", self.scl_inter));
        }
        Ok(Some((self.scl_slope, self.scl_inter)).filter(|&scaling| scaling != (1.0, 0.0)))
    }

    /// Time between volumes, where the fourth axis is time (`xyzt_units`: seconds, milliseconds, microseconds).
    pub fn time_step_s(&self) -> Option<f64> {
        let unit_s = match self.xyzt_units & 0x38 {
            8 => 1.0,
            16 => 1e-3,
            24 => 1e-6,
            _ => return None,
        };
        Some(self.pixdim[4] * unit_s).filter(|step| self.dim[0] >= 4 && step.is_finite() && *step > 0.0)
    }

    /// Where the data begin: in a single file not before the header ends; 0 there (written by some) means right after it.
    pub fn data_offset(&self, path: &Path) -> Result<u64> {
        let header_end = if self.is_pair { 0 } else { self.bytes() + 4 };
        match self.vox_offset {
            0.0 => Ok(header_end as u64),
            offset if offset >= header_end as f64 && offset.fract() == 0.0 && offset < 2f64.powi(53) => {
                Ok(offset as u64)
            }
            offset => Err(fault::invalid(path, "vox_offset", format!("a whole number from {header_end}"), offset)),
        }
    }
}

fn bytes_at<const N: usize>(head: &[u8; HEADER_2_BYTES], at: usize) -> [u8; N] {
    std::array::from_fn(|n| head[at + n])
}
