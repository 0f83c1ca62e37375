use super::attributes::{Attributes, number, numbers};
use crate::{Result, fault};
use brainmesh_core::Grid;
use glam::{DAffine3, DMat3, DVec3};
use std::path::Path;

/// Irregular coordinates may differ from regular ones by this part of a step: they are then rounded, not irregular.
const MOST_IRREGULAR: f64 = 1e-3;

/// A dimension variable.
pub(super) trait Dimension: Attributes {
    /// Its coordinates; none where it has no values.
    fn values(&self, path: &Path) -> Result<Vec<f64>>;
}

/// One axis of the image.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub name: String,
    pub length: usize,
    start: f64,
    step: f64,
    cosines: DVec3,
    world: &'static str,
    /// Of `time`, where it is regular and says its unit.
    pub time_step_s: Option<f64>,
}

impl Axis {
    /// From its dimension variable, which may lack any attribute, but may not be missing for a spatial axis. What the
    /// standard leaves open is told in `warnings`.
    pub fn new(
        path: &Path,
        name: &str,
        length: u64,
        dimension: Option<&impl Dimension>,
        warnings: &mut Vec<String>,
    ) -> Result<Self> {
        let default_cosines = match name {
            "yspace" => DVec3::Y,
            "zspace" => DVec3::Z,
            _ => DVec3::X,
        };
        let length = usize::try_from(length).ok().filter(|&n| n > 0);
        let length = length.ok_or_else(|| fault::invalid(path, name, "at least one sample", "none"))?;
        let world = "unknown";
        let mut axis = Self {
            name: name.into(),
            length,
            start: 0.0,
            step: 1.0,
            cosines: default_cosines,
            world,
            time_step_s: None,
        };
        if !axis.is_spatial() {
            if let Some(time) = dimension.filter(|_| name == "time") {
                axis.time_step_s = time_step_s(path, time)?;
            }
            return Ok(axis);
        }
        let missing = || fault::invalid(path, name, "a dimension variable, which says where the voxels lie", "none");
        let dimension = dimension.ok_or_else(missing)?;
        if let Some(declared) = number(path, dimension, name, "length")?.filter(|&n| n != length as f64) {
            return Err(fault::invalid(path, format!("{name}:length"), format!("{length} as in the image"), declared));
        }
        axis.start = number(path, dimension, name, "start")?.unwrap_or(axis.start);
        axis.step = number(path, dimension, name, "step")?.unwrap_or(axis.step);
        match dimension.text(path, "spacing")?.as_deref() {
            None | Some("regular__") => {}
            Some("irregular") => axis.place_by_coordinates(path, &dimension.values(path)?)?,
            Some(other) => {
                return Err(fault::invalid(path, format!("{name}:spacing"), "regular__ or irregular", other));
            }
        }
        let scale = mm(path, name, dimension.text(path, "units")?.as_deref())?;
        axis.start *= scale;
        axis.step *= scale;
        if let Some(found) = numbers(path, dimension, name, "direction_cosines")? {
            axis.cosines = DVec3::from_array(found);
            let length = axis.cosines.length();
            if (length - 1.0).abs() > 1e-3 {
                warnings.push(format!("{name}:direction_cosines have length {length:.4}, which scales the step"));
            }
        }
        if let Some(found) = dimension.text(path, "alignment")?.filter(|found| found != "centre") {
            warnings.push(format!("{name}:alignment is {found}; its positions are taken for centres of voxels"));
        }
        axis.world = match dimension.text(path, "spacetype")?.as_deref() {
            Some("native____") => "scanner",
            Some("talairach_") => "Talairach",
            Some("callosal__") => "callosal",
            _ => world,
        };
        Ok(axis)
    }

    /// Holds several values of one voxel.
    pub fn is_vector(&self) -> bool {
        self.name == "vector_dimension"
    }

    /// Regular steps through the coordinates of an axis that is declared irregular.
    fn place_by_coordinates(&mut self, path: &Path, coordinates: &[f64]) -> Result<()> {
        let field = format!("coordinates of {}", self.name);
        if coordinates.len() != self.length || coordinates.iter().any(|c| !c.is_finite()) {
            let expected = format!("{} finite numbers, since it is irregular", self.length);
            return Err(fault::invalid(path, field, expected, format!("{} values", coordinates.len())));
        }
        let (first, last) = (coordinates[0], coordinates[self.length - 1]);
        self.start = first;
        if self.length > 1 {
            self.step = (last - first) / (self.length - 1) as f64;
        }
        let most = self.step.abs() * MOST_IRREGULAR;
        if coordinates.iter().enumerate().all(|(n, c)| (c - first - n as f64 * self.step).abs() <= most) {
            return Ok(());
        }
        let steps = coordinates.windows(2).map(|pair| pair[1] - pair[0]);
        let (low, high) = steps.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), s| (low.min(s), high.max(s)));
        let found = format!("irregular steps from {low} to {high}");
        Err(fault::unsupported(path, &field, found, "regular sampling along x, y and z; resample it first"))
    }

    /// One of the three of space; all others count volumes.
    pub fn is_spatial(&self) -> bool {
        matches!(self.name.as_str(), "xspace" | "yspace" | "zspace")
    }
}

fn time_step_s(path: &Path, time: &impl Dimension) -> Result<Option<f64>> {
    let units = time.text(path, "units")?.unwrap_or_default();
    let unit_s = match units.trim().to_lowercase().as_str() {
        "s" | "sec" | "second" | "seconds" => 1.0,
        "ms" | "msec" | "millisecond" | "milliseconds" => 1e-3,
        _ => return Ok(None),
    };
    let is_regular = time.text(path, "spacing")?.is_none_or(|spacing| spacing == "regular__");
    Ok(number(path, time, "time", "step")?.filter(|_| is_regular).map(|step| step * unit_s))
}

/// Millimetres in a unit of length; MINC's default is the millimetre.
fn mm(path: &Path, axis: &str, units: Option<&str>) -> Result<f64> {
    let units = units.unwrap_or_default().trim();
    Ok(match units.to_lowercase().as_str() {
        "" | "mm" | "millimeter" | "millimeters" | "millimetre" | "millimetres" => 1.0,
        "cm" | "centimeter" | "centimeters" | "centimetre" | "centimetres" => 10.0,
        "m" | "meter" | "meters" | "metre" | "metres" => 1000.0,
        "um" | "µm" | "μm" | "micron" | "microns" | "micrometer" | "micrometers" | "micrometre" | "micrometres" => {
            1e-3
        }
        "nm" | "nanometer" | "nanometers" | "nanometre" | "nanometres" => 1e-6,
        _ => return Err(fault::unsupported(path, &format!("{axis}:units"), units, "mm, cm, m, um, nm")),
    })
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
