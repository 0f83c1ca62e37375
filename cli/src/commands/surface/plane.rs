use crate::args::ContoursCommand;
use crate::{Error, Result};
use brainmesh_core::WorldPoint;
use brainmesh_meshing::Plane;
use glam::DVec3;

/// The plane asked for, and its name for people.
pub(super) fn parse(arguments: &ContoursCommand) -> Result<(Plane, String)> {
    let plane = |point: DVec3, normal: DVec3| {
        Plane::new(WorldPoint(point), normal).map_err(|error| Error::Usage(format!("--plane-normal: {error}")))
    };
    if let Some(text) = &arguments.plane {
        let bad = || Error::Usage(format!("--plane: expected x=MM, y=MM or z=MM, found {text}"));
        let (axis, mm) = text.split_once('=').ok_or_else(bad)?;
        let mm: f64 = mm.trim().parse().ok().filter(|mm: &f64| mm.is_finite()).ok_or_else(bad)?;
        let normal = match axis.trim() {
            "x" => DVec3::X,
            "y" => DVec3::Y,
            "z" => DVec3::Z,
            _ => return Err(bad()),
        };
        return Ok((plane(normal * mm, normal)?, format!("{} = {mm} mm", axis.trim())));
    }
    let three = |option: &str, numbers: &[f64]| -> Result<DVec3> {
        let array: [f64; 3] = numbers
            .try_into()
            .map_err(|_| Error::Usage(format!("{option}: expected three numbers, found {}", numbers.len())))?;
        Ok(DVec3::from_array(array))
    };
    let normal = three("--plane-normal", &arguments.plane_normal)?;
    let point =
        if arguments.plane_point.is_empty() { DVec3::ZERO } else { three("--plane-point", &arguments.plane_point)? };
    let [p, n] = [point, normal].map(|v| format!("({}, {}, {})", v.x, v.y, v.z));
    Ok((plane(point, normal)?, format!("through {p} mm, normal {n}")))
}
