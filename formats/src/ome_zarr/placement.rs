use super::axes::{Axes, Coordinates, unit_mm};
use super::metadata::{Image, Placement};
use crate::volume_info::rows;
use crate::{Result, fault};
use brainmesh_core::Grid;
use glam::{DAffine3, DMat3, DVec3};
use std::path::Path;

/// Where the voxels of a level lie, and what had to be assumed.
pub(super) struct Placed {
    pub grid: Grid,
    pub warnings: Vec<String>,
}

/// Places the level `level` of `shape` voxels along x, y, z.
pub(super) fn place(
    path: &Path,
    image: &Image,
    axes: &Axes,
    level: usize,
    shape: [usize; 3],
    spacing_mm: Option<[f64; 3]>,
) -> Result<Placed> {
    let (first, own) = (Coordinates::of(path, &image.multiscale, 0)?, Coordinates::of(path, &image.multiscale, level)?);
    let along = |coordinates: &Coordinates| {
        let pick = |numbers: &[f64], none: f64| DVec3::from_array(axes.space.map(|n| n.map_or(none, |n| numbers[n])));
        (pick(&coordinates.scale, 1.0), pick(&coordinates.translation, 0.0))
    };
    let ((first_scale, first_translation), (scale, translation)) = (along(&first), along(&own));
    let mut warnings = Vec::new();
    if let Some(placement) = &image.placement {
        let affine = affine_of(path, placement)?;
        // Numbers that other programs changed since, by resampling for instance, are the ones to go by.
        let spacing =
            DVec3::new(affine.matrix3.x_axis.length(), affine.matrix3.y_axis.length(), affine.matrix3.z_axis.length());
        let mm = units(path, image, axes)?.map(|unit| unit.unwrap_or(1.0));
        if (first_scale * DVec3::from_array(mm)).abs_diff_eq(spacing, 1e-5 * spacing.max_element()) {
            // Voxels of level 0, from voxels of this level.
            let step = scale / first_scale;
            let offset = (translation - first_translation) / first_scale;
            let world_from_voxel = affine * DAffine3::from_mat3_translation(DMat3::from_diagonal(step), offset);
            let grid = Grid::new(shape, world_from_voxel, &*placement.world).map_err(fault::core(path))?;
            return Ok(Placed { grid, warnings });
        }
        warnings.push("the placement that brainmesh wrote is not that of the scales any more, and is ignored".into());
    }
    let mm = match spacing_mm {
        Some(spacing) => (DVec3::from_array(spacing) / first_scale).abs(),
        None => {
            if axes.space[2].is_none() {
                warnings.push("no z axis: the slice is taken as 1 mm thick".into());
            }
            let found = units(path, image, axes)?;
            let none = |n: usize| axes.space[n].is_some() && found[n].is_none();
            if (0..3).any(none) {
                warnings.push("no unit of length: scales are taken as micrometres".into());
            }
            DVec3::from_array(std::array::from_fn(|n| {
                found[n].unwrap_or(if axes.space[n].is_some() { 1e-3 } else { 1.0 })
            }))
        }
    };
    let directions = directions(image, axes);
    if directions.is_none() {
        warnings.push("the file does not say where its axes lead to in the body: x, y, z are taken as they are".into());
    }
    let (matrix, world) = match directions {
        Some(matrix) => (matrix, "anatomical"),
        None => (DMat3::IDENTITY, "unregistered"),
    };
    let world_from_voxel =
        DAffine3::from_mat3_translation(matrix * DMat3::from_diagonal(scale * mm), matrix * (translation * mm));
    Ok(Placed { grid: Grid::new(shape, world_from_voxel, world).map_err(fault::core(path))?, warnings })
}

/// Millimetres of the unit along x, y, z.
fn units(path: &Path, image: &Image, axes: &Axes) -> Result<[Option<f64>; 3]> {
    let mut units = [None; 3];
    for (unit, n) in units.iter_mut().zip(axes.space) {
        *unit = match n {
            Some(n) => unit_mm(path, &image.multiscale.axes[n])?,
            None => None,
        };
    }
    Ok(units)
}

/// RAS directions of x, y, z where RFC-4 orientations state all of them.
fn directions(image: &Image, axes: &Axes) -> Option<DMat3> {
    let mut columns = [DVec3::ZERO; 3];
    for (column, n) in columns.iter_mut().zip(axes.space) {
        *column = match image.multiscale.axes[n?].orientation.as_ref()?.value.as_str() {
            "left-to-right" => DVec3::X,
            "right-to-left" => DVec3::NEG_X,
            "posterior-to-anterior" => DVec3::Y,
            "anterior-to-posterior" => DVec3::NEG_Y,
            "inferior-to-superior" => DVec3::Z,
            "superior-to-inferior" => DVec3::NEG_Z,
            _ => return None,
        };
    }
    let matrix = DMat3::from_cols_array_2d(&columns.map(|c| c.to_array()));
    (matrix.determinant() != 0.0).then_some(matrix)
}

fn affine_of(path: &Path, placement: &Placement) -> Result<DAffine3> {
    let [x, y, z, last] = placement.world_from_voxel;
    let affine = DAffine3::from_cols(
        DVec3::new(x[0], y[0], z[0]),
        DVec3::new(x[1], y[1], z[1]),
        DVec3::new(x[2], y[2], z[2]),
        DVec3::new(x[3], y[3], z[3]),
    );
    if last == [0.0, 0.0, 0.0, 1.0] && rows(affine)[..3] == [x, y, z] {
        return Ok(affine);
    }
    let found = format!("{:?}", placement.world_from_voxel);
    Err(fault::invalid(path, "brainmesh: world_from_voxel", "rows of an affine matrix", found))
}
