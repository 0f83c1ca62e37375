use super::header::Header;
use crate::{Result, fault};
use brainmesh_core::Grid;
use glam::{DAffine3, DMat3, DQuat, DVec3};
use std::path::Path;

/// Where the voxels lie, by the three methods of `nifti1.h`: the sform where it has a code, else the qform, else spacing alone.
pub(super) fn grid(path: &Path, header: &Header, shape: [usize; 3]) -> Result<Grid> {
    let (world_from_voxel, world) = if header.sform_code > 0 {
        (sform(header), world_name(header.sform_code))
    } else if header.qform_code > 0 {
        (qform(path, header, shape)?, world_name(header.qform_code))
    } else {
        // METHOD 1: the origin is the first voxel and the directions mean nothing.
        (DAffine3::from_scale(spacing(path, header, shape)?), "unregistered")
    };
    let mm_per_unit = DMat3::from_diagonal(DVec3::splat(mm_per_unit(path, header)?));
    let in_mm = DAffine3::from_mat3(mm_per_unit) * world_from_voxel;
    Grid::new(shape, in_mm, world).map_err(fault::core(path))
}

/// A warning where the file places its voxels in two ways that differ by more than a tenth of a voxel.
pub(super) fn disagreement(path: &Path, header: &Header, shape: [usize; 3]) -> Option<String> {
    if header.sform_code <= 0 || header.sform_code != header.qform_code {
        return None;
    }
    let (sform, qform) = (sform(header), qform(path, header, shape).ok()?);
    let last = DVec3::from_array(shape.map(|n| (n - 1) as f64));
    let corners = (0..8).map(|corner| DVec3::from_array(std::array::from_fn(|a| f64::from(corner >> a & 1) * last[a])));
    let apart = corners.map(|c| sform.transform_point3(c).distance(qform.transform_point3(c))).fold(0.0, f64::max);
    let voxel = sform.matrix3.x_axis.length();
    (apart > 0.1 * voxel).then(|| format!("sform and qform differ by up to {apart:.3}; the sform is used"))
}

/// `NIFTI_XFORM_` codes.
fn world_name(code: i32) -> &'static str {
    match code {
        1 => "scanner",
        2 => "aligned",
        3 => "Talairach",
        4 => "MNI152",
        5 => "template",
        _ => "unknown",
    }
}

/// METHOD 3: three rows, any shear kept.
fn sform(header: &Header) -> DAffine3 {
    let column = |n: usize| DVec3::from_array(header.srow.map(|row| row[n]));
    DAffine3::from_mat3_translation(DMat3::from_cols(column(0), column(1), column(2)), column(3))
}

/// METHOD 2: rotation from a unit quaternion of which b, c, d are stored, after `nifti_quatern_to_mat44`.
fn qform(path: &Path, header: &Header, shape: [usize; 3]) -> Result<DAffine3> {
    let [b, c, d] = header.quaternion;
    let rest = 1.0 - (b * b + c * c + d * d);
    // Rounding makes half turns come out a little longer than one.
    if rest.is_nan() || rest < -1e-3 {
        return Err(fault::invalid(path, "quatern_b, c, d", "b^2 + c^2 + d^2 <= 1", format!("{b}, {c}, {d}")));
    }
    let rotation = DQuat::from_xyzw(b, c, d, if rest < 1e-7 { 0.0 } else { rest.sqrt() }).normalize();
    let mut spacing = spacing(path, header, shape)?;
    // `pixdim[0]` is qfac: -1 turns the third axis round, every other value is taken as 1.
    if header.pixdim[0] < 0.0 {
        spacing.z = -spacing.z;
    }
    Ok(DAffine3::from_scale_rotation_translation(spacing, rotation, DVec3::from_array(header.qoffset)))
}

/// `pixdim[1..=3]`; on an axis of one voxel, where nothing depends on it, a missing spacing is taken as 1.
fn spacing(path: &Path, header: &Header, shape: [usize; 3]) -> Result<DVec3> {
    let mut spacing = [1.0; 3];
    for (axis, value) in spacing.iter_mut().enumerate() {
        let found = header.pixdim[axis + 1];
        if found > 0.0 && found.is_finite() {
            *value = found;
        } else if shape[axis] > 1 {
            let field = format!("pixdim[{}]", axis + 1);
            return Err(fault::invalid(path, field, "a spacing above 0 (there is no sform)", found));
        }
    }
    Ok(DVec3::from_array(spacing))
}

/// Spatial unit in the low three bits of `xyzt_units`; where none is given, millimetres as everywhere in the field.
fn mm_per_unit(path: &Path, header: &Header) -> Result<f64> {
    match header.xyzt_units & 7 {
        0 | 2 => Ok(1.0),
        1 => Ok(1000.0),
        3 => Ok(0.001),
        other => Err(fault::unsupported(path, "xyzt_units", other, "metre (1), millimetre (2), micrometre (3)")),
    }
}
