use super::attributes::{Attributes, number, numbers};
use crate::{Result, fault};
use brainmesh_core::Grid;
use glam::{DAffine3, DMat3, DVec3};
use std::path::Path;

/// One axis of the image.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub name: String,
    pub length: usize,
    start: f64,
    step: f64,
    cosines: DVec3,
    world: &'static str,
}

impl Axis {
    /// From the attributes of its dimension variable. Each of them may be missing, which the variable of a spatial axis may not.
    pub fn new(path: &Path, name: &str, length: u64, dimension: Option<&impl Attributes>) -> Result<Self> {
        let default_cosines = match name {
            "yspace" => DVec3::Y,
            "zspace" => DVec3::Z,
            _ => DVec3::X,
        };
        let length = usize::try_from(length).ok().filter(|&n| n > 0);
        let length = length.ok_or_else(|| fault::invalid(path, name, "at least one sample", "none"))?;
        let world = "unknown";
        let mut axis = Self { name: name.into(), length, start: 0.0, step: 1.0, cosines: default_cosines, world };
        if name == "vector_dimension" {
            return Err(fault::unsupported(
                path,
                "dimension",
                name,
                "xspace, yspace, zspace, and axes that count volumes",
            ));
        }
        if !axis.is_spatial() {
            return Ok(axis);
        }
        let missing = || fault::invalid(path, name, "a dimension variable, which says where the voxels lie", "none");
        let dimension = dimension.ok_or_else(missing)?;
        match dimension.text(path, "spacing")?.as_deref() {
            None | Some("regular__") => {}
            Some("irregular") => {
                return Err(fault::unsupported(path, &format!("{name}:spacing"), "irregular", "regular sampling"));
            }
            Some(other) => return Err(fault::invalid(path, format!("{name}:spacing"), "regular__", other)),
        }
        if let Some(declared) = number(path, dimension, name, "length")?.filter(|&n| n != length as f64) {
            return Err(fault::invalid(path, format!("{name}:length"), format!("{length} as in the image"), declared));
        }
        axis.start = number(path, dimension, name, "start")?.unwrap_or(axis.start);
        axis.step = number(path, dimension, name, "step")?.unwrap_or(axis.step);
        let cosines = numbers(path, dimension, name, "direction_cosines")?;
        axis.cosines = cosines.map_or(axis.cosines, DVec3::from_array);
        axis.world = match dimension.text(path, "spacetype")?.as_deref() {
            Some("native____") => "scanner",
            Some("talairach_") => "Talairach",
            Some("callosal__") => "callosal",
            _ => world,
        };
        Ok(axis)
    }

    /// One of the three of space; all others count volumes.
    pub fn is_spatial(&self) -> bool {
        matches!(self.name.as_str(), "xspace" | "yspace" | "zspace")
    }
}

/// Where the voxels lie: column of an axis = cosines x step, origin = sum of cosines x start (`convert_voxel_to_world`).
pub(super) fn grid(path: &Path, axes: &[Axis]) -> Result<Grid> {
    // The file lists its slowest axis first.
    let spatial: Vec<_> = axes.iter().rev().filter(|a| a.is_spatial()).collect();
    let [i, j, k] = spatial[..] else { return Err(not_three(path, axes)) };
    if i.name == j.name || j.name == k.name || i.name == k.name {
        return Err(not_three(path, axes));
    }
    let matrix = DMat3::from_cols(i.cosines * i.step, j.cosines * j.step, k.cosines * k.step);
    let origin = i.cosines * i.start + j.cosines * j.start + k.cosines * k.start;
    let world = if i.world == j.world && j.world == k.world { i.world } else { "unknown" };
    let world_from_voxel = DAffine3::from_mat3_translation(matrix, origin);
    Grid::new([i.length, j.length, k.length], world_from_voxel, world).map_err(fault::core(path))
}

fn not_three(path: &Path, axes: &[Axis]) -> crate::Error {
    let found: Vec<_> = axes.iter().map(|a| a.name.as_str()).collect();
    fault::invalid(path, "image dimensions", "each of xspace, yspace, zspace once", found.join(", "))
}
