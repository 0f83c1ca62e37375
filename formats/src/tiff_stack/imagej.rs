use super::stacking::Stacking;
use crate::length_unit::length_unit_mm;
use crate::{Result, fault};
use std::collections::HashMap;
use std::path::Path;

/// Takes ImageJ's description apart: lines of `key=value`. Channels run fastest, then slices, then time points.
pub(super) fn stacking(
    path: &Path,
    description: &str,
    pages: usize,
    resolution: [Option<f64>; 2],
    resolution_unit: Option<u16>,
) -> Result<Stacking> {
    let values: HashMap<_, _> = description.lines().filter_map(|line| line.split_once('=')).collect();
    let count = |key: &str| match values.get(key) {
        None => Ok(1),
        Some(text) => text
            .trim()
            .parse::<usize>()
            .ok()
            .filter(|&n| n > 0)
            .ok_or_else(|| fault::invalid(path, format!("ImageJ description: {key}"), "a number of images", text)),
    };
    let images = if values.contains_key("images") { count("images")? } else { pages };
    let (channels, mut slices, frames) = (count("channels")?, count("slices")?, count("frames")?);
    let mut warnings = Vec::new();
    if channels.checked_mul(slices).and_then(|n| n.checked_mul(frames)) != Some(images) {
        if channels > 1 || frames > 1 {
            let found = format!("{channels} channels, {slices} slices, {frames} frames");
            return Err(fault::invalid(path, "ImageJ description", format!("{images} images"), found));
        }
        slices = images;
    }
    // Beyond 4 GB ImageJ writes one directory, and the images behind one another.
    let is_contiguous = pages == 1 && images > 1;
    if pages < images && !is_contiguous {
        return Err(fault::invalid(path, "pages", format!("{images} (images of the description)"), pages));
    }
    if pages > images {
        warnings.push(format!("{} pages beyond the {images} of ImageJ's description are left out", pages - images));
    }
    let strides = [channels, 1, channels.saturating_mul(slices)];
    let unit = values.get("unit").and_then(|unit| length_unit_mm(unit.trim()));
    let unit = unit.or(match resolution_unit {
        Some(2) => Some(25.4),
        Some(3) => Some(10.0),
        _ => None,
    });
    let number = |key: &str| values.get(key).and_then(|v| v.trim().parse::<f64>().ok()).filter(|v| v.is_normal());
    let along = |per_unit: Option<f64>| Some(unit? / per_unit?);
    // ImageJ notes the direction of slices as the sign of their distance.
    let depth = number("spacing").and_then(|spacing| Some(spacing.abs() * unit?));
    Ok(Stacking {
        spacing_mm: [along(resolution[0]), along(resolution[1]), depth],
        time_step_s: number("finterval").filter(|_| frames > 1),
        is_contiguous,
        warnings,
        ..Stacking::ordered(path, [slices, channels, frames], strides, images)?
    })
}
