use super::metadata::{Axis, Multiscale, Transformation};
use crate::length_unit::length_unit_mm;
use crate::{Result, fault};
use std::path::Path;

/// Which dimension of the arrays is which axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axes {
    pub count: usize,
    /// Of `x`, `y` and `z`; there may be no `z`.
    pub space: [Option<usize>; 3],
    pub time: Option<usize>,
    pub channel: Option<usize>,
}

impl Axes {
    /// By their names.
    pub fn of(path: &Path, multiscale: &Multiscale) -> Result<Self> {
        let mut axes = Self { count: multiscale.axes.len(), space: [None; 3], time: None, channel: None };
        let names: Vec<_> = multiscale.axes.iter().map(|axis| axis.name.as_str()).collect();
        for (n, name) in names.iter().enumerate() {
            let place = match *name {
                "x" => &mut axes.space[0],
                "y" => &mut axes.space[1],
                "z" => &mut axes.space[2],
                "t" => &mut axes.time,
                "c" => &mut axes.channel,
                other => return Err(fault::unsupported(path, "axes", other, "t, c, z, y, x")),
            };
            if place.replace(n).is_some() {
                return Err(fault::invalid(path, "axes", "each once", names.join(", ")));
            }
        }
        if axes.space[0].is_none() || axes.space[1].is_none() {
            return Err(fault::invalid(path, "axes", "x and y among them", names.join(", ")));
        }
        Ok(axes)
    }
}

/// `coordinate = scale * index + translation` along each dimension.
#[derive(Debug, Clone)]
pub(super) struct Coordinates {
    pub scale: Vec<f64>,
    pub translation: Vec<f64>,
}

impl Coordinates {
    /// Of a level's transformations and then those of all levels.
    pub fn of(path: &Path, multiscale: &Multiscale, level: usize) -> Result<Self> {
        let count = multiscale.axes.len();
        let mut coordinates = Self { scale: vec![1.0; count], translation: vec![0.0; count] };
        let own = multiscale.datasets.get(level).map_or(&[][..], |dataset| &dataset.transformations);
        for transformation in own.iter().chain(&multiscale.transformations) {
            coordinates.apply(path, transformation)?;
        }
        let is_usable =
            coordinates.scale.iter().all(|s| s.is_normal()) && coordinates.translation.iter().all(|t| t.is_finite());
        if is_usable {
            return Ok(coordinates);
        }
        let found = format!("{:?} and {:?}", coordinates.scale, coordinates.translation);
        Err(fault::invalid(path, "coordinateTransformations", "finite scales other than 0", found))
    }

    fn apply(&mut self, path: &Path, transformation: &Transformation) -> Result<()> {
        let field = "coordinateTransformations";
        let numbers = match (transformation.kind.as_str(), &transformation.scale, &transformation.translation) {
            ("identity", ..) => return Ok(()),
            ("scale", Some(scale), _) => scale,
            ("translation", _, Some(translation)) => translation,
            ("scale" | "translation", ..) => {
                return Err(fault::unsupported(path, field, "numbers in another file", "numbers in the metadata"));
            }
            (other, ..) => return Err(fault::unsupported(path, field, other, "scale, translation")),
        };
        if numbers.len() != self.scale.len() {
            let expected = format!("{} numbers, one an axis", self.scale.len());
            return Err(fault::invalid(path, field, expected, format!("{numbers:?}")));
        }
        for ((scale, translation), number) in self.scale.iter_mut().zip(&mut self.translation).zip(numbers) {
            if transformation.kind == "scale" {
                *scale *= number;
                *translation *= number;
            } else {
                *translation += number;
            }
        }
        Ok(())
    }
}

/// Millimetres of an axis's unit; none where it has none.
pub(super) fn unit_mm(path: &Path, axis: &Axis) -> Result<Option<f64>> {
    let Some(unit) = axis.unit.as_deref().filter(|unit| !unit.is_empty() && *unit != "pixel") else { return Ok(None) };
    let supported = "nanometer, micrometer, millimeter, ...";
    length_unit_mm(unit).map(Some).ok_or_else(|| fault::unsupported(path, "unit", unit, supported))
}

/// Seconds of a unit of time; none where it is not known.
pub(super) fn unit_s(axis: &Axis) -> Option<f64> {
    match axis.unit.as_deref()? {
        "second" | "s" => Some(1.0),
        "millisecond" | "ms" => Some(1e-3),
        "microsecond" => Some(1e-6),
        "nanosecond" => Some(1e-9),
        "minute" => Some(60.0),
        "hour" => Some(3600.0),
        "day" => Some(86400.0),
        _ => None,
    }
}
