use super::header::Header;
use crate::{Result, fault};
use glam::DVec3;

/// The space that vectors are in.
pub(super) struct Space {
    /// Turns it to RAS.
    pub signs: DVec3,
    /// Numbers of a vector.
    pub dimension: usize,
    pub world: &'static str,
    pub warning: Option<String>,
}

impl Space {
    /// Of `space`, or `space dimension` alone.
    pub fn of(header: &Header) -> Result<Self> {
        let named = |signs: [f64; 3], dimension| Space {
            signs: DVec3::from_array(signs),
            dimension,
            world: "scanner",
            warning: None,
        };
        // Without names of directions the numbers are taken as ITK takes them.
        let unnamed = |dimension, what: &str| Space {
            signs: DVec3::new(-1.0, -1.0, 1.0),
            dimension,
            world: "unregistered",
            warning: Some(format!("{what} names no directions: taken as left, posterior, superior, as ITK does")),
        };
        let Some(name) = header.field("space") else {
            let dimension: Option<usize> = header.number("space dimension", "1 to 4")?;
            let dimension = dimension.unwrap_or(3);
            if !(1..=4).contains(&dimension) {
                return Err(fault::unsupported(header.path(), "space dimension", dimension, "1 to 4"));
            }
            return Ok(unnamed(dimension, "the file has no space: it"));
        };
        let lower = name.to_ascii_lowercase();
        let (plain, dimension) = match lower.strip_suffix("-time") {
            Some(plain) => (plain, 4),
            None => (lower.as_str(), 3),
        };
        match plain {
            "right-anterior-superior" | "ras" => Ok(named([1.0, 1.0, 1.0], dimension)),
            "left-anterior-superior" | "las" => Ok(named([-1.0, 1.0, 1.0], dimension)),
            "left-posterior-superior" | "lps" => Ok(named([-1.0, -1.0, 1.0], dimension)),
            "rast" => Ok(named([1.0, 1.0, 1.0], 4)),
            "last" => Ok(named([-1.0, 1.0, 1.0], 4)),
            "lpst" => Ok(named([-1.0, -1.0, 1.0], 4)),
            "scanner-xyz" | "3d-right-handed" | "3d-left-handed" => Ok(unnamed(dimension, &format!("space {name}"))),
            _ => Err(fault::unsupported(
                header.path(),
                "space",
                format!("{name:?}"),
                "the spaces of the NRRD definition",
            )),
        }
    }
}

/// `space units`, or `units` of the axes, which must be of one kind; millimetres where nothing is said.
pub(super) fn mm_per_unit(
    header: &Header,
    has_directions: bool,
    spatial: &std::ops::Range<usize>,
    warnings: &mut Vec<String>,
) -> Result<f64> {
    let (field, units) = if has_directions {
        ("space units", header.quoted("space units").into_iter().take(3).collect::<Vec<_>>())
    } else {
        ("units", header.quoted("units").into_iter().skip(spatial.start).take(spatial.len()).collect())
    };
    let Some(first) = units.first() else { return Ok(1.0) };
    if units.iter().any(|unit| unit != first) {
        return Err(fault::unsupported(header.path(), field, units.join(", "), "one unit"));
    }
    let mm = match first.trim().to_ascii_lowercase().as_str() {
        "" | "mm" | "millimeter" | "millimeters" | "millimetre" | "millimetres" => return Ok(1.0),
        "um" | "\u{b5}m" | "\u{3bc}m" | "micron" | "microns" | "micrometer" | "micrometers" => 1e-3,
        "nm" => 1e-6,
        "cm" => 10.0,
        "m" => 1000.0,
        _ => return Err(fault::unsupported(header.path(), field, format!("{first:?}"), "m, cm, mm, um, nm")),
    };
    warnings.push(format!("{field} {first}: turned to mm (ITK takes the numbers for mm)"));
    Ok(mm)
}
