use super::cursor::Cursor;
use crate::{Result, fault};
use glam::{DMat3, DVec3};
use std::path::Path;

/// `TAG_OLD_USEREALRAS` and `TAG_OLD_SURF_GEOM` of FreeSurfer's `tags.h`.
pub(super) const TAG_USE_REAL_RAS: i32 = 2;
pub(super) const TAG_SURFACE_GEOMETRY: i32 = 20;

/// Where a surface lies, from the tags after its triangles.
pub(super) struct Footer {
    /// Rotation and shift from surface RAS to scanner RAS.
    pub scanner_from_surface: (DMat3, DVec3),
    /// What the tags say, for people; none where they say nothing.
    pub space: Option<&'static str>,
}

impl Footer {
    const NONE: Self = Self { scanner_from_surface: (DMat3::IDENTITY, DVec3::ZERO), space: None };
    const REAL: Self = Self { space: Some("scanner RAS (useRealRAS)"), ..Self::NONE };
}

/// Reads the tags after the triangles.
pub(super) fn read_footer(path: &Path, tail: &[u8]) -> Result<Footer> {
    let mut cursor = Cursor { path, bytes: tail, at: 0 };
    let mut tag = match cursor.i32() {
        Ok(tag) => tag,
        Err(_) => return Ok(Footer::NONE), // no footer at all
    };
    if tag == TAG_USE_REAL_RAS {
        if cursor.i32()? != 0 {
            return Ok(Footer::REAL);
        }
        match cursor.i32() {
            Ok(next) => tag = next,
            Err(_) => return Ok(Footer::NONE),
        }
    }
    if tag != TAG_SURFACE_GEOMETRY {
        return Ok(Footer::NONE);
    }
    // Tags after the geometry are binary; only the lines of text before them are of interest.
    let footer = String::from_utf8_lossy(&tail[cursor.at..tail.len().min(cursor.at + 4096)]);
    let field = |name: &str| {
        let line = footer.lines().find_map(|l| l.trim_start().strip_prefix(name)?.trim_start().strip_prefix('='));
        line.map(|l| l.split('#').next().unwrap_or_default().trim())
    };
    if field("valid").is_none_or(|v| !v.starts_with('1')) {
        return Ok(Footer::NONE);
    }
    let vector = |name: &str| {
        let numbers: Option<Vec<f64>> =
            field(name).and_then(|v| v.split_ascii_whitespace().map(|w| w.parse().ok()).collect());
        match numbers.as_deref() {
            Some(&[x, y, z]) if x.is_finite() && y.is_finite() && z.is_finite() => Ok(DVec3::new(x, y, z)),
            _ => Err(fault::invalid(path, format!("footer {name}"), "three numbers", format!("{:?}", field(name)))),
        }
    };
    let cosines = DMat3::from_cols(vector("xras")?, vector("yras")?, vector("zras")?);
    if (cosines.determinant().abs() - 1.0).abs() > 1e-2 {
        let found = format!("determinant {}", cosines.determinant());
        return Err(fault::invalid(path, "footer xras, yras, zras", "direction cosines", found));
    }
    let scanner_from_surface = (cosines * surface_cosines().transpose(), vector("cras")?);
    Ok(Footer { scanner_from_surface, space: Some("surface RAS, moved to scanner RAS by the footer") })
}

/// Direction cosines of surface RAS: columns are the directions of the first, second and third voxel axis.
fn surface_cosines() -> DMat3 {
    DMat3::from_cols(DVec3::NEG_X, DVec3::NEG_Z, DVec3::Y)
}
