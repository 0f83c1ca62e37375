use super::page::{PageDecoder, broken};
use super::{imagej, ome};
use crate::{Result, fault};
use glam::DAffine3;
use std::path::Path;
use tiff::decoder::ifd::Value;
use tiff::tags::Tag;

/// Which page is which slice, channel and time point, and how far slices and pixels lie apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Stacking {
    pub slices: usize,
    pub channels: usize,
    pub frames: usize,
    /// Page of slice `z`, channel `c`, time point `t` at `z + slices * (c + channels * t)`.
    pub pages: Vec<usize>,
    /// Along columns, rows, slices.
    pub spacing_mm: [Option<f64>; 3],
    pub time_step_s: Option<f64>,
    /// Names of the channels, as many as are known.
    pub channel_names: Vec<String>,
    /// What brainmesh wrote: the whole placement and the name of its world.
    pub placement: Option<(DAffine3, String)>,
    /// Slices that follow one another without a directory of their own.
    pub is_contiguous: bool,
    pub warnings: Vec<String>,
}

impl Stacking {
    /// Of the first page's description and resolution, for a file of `pages` pages.
    pub fn of(path: &Path, decoder: &mut PageDecoder, pages: usize) -> Result<Self> {
        let description = text(path, decoder)?;
        let resolution = [resolution(path, decoder, Tag::XResolution)?, resolution(path, decoder, Tag::YResolution)?];
        let unit = decoder.find_tag_unsigned::<u16>(Tag::ResolutionUnit).map_err(broken(path))?;
        if description.contains("<OME") {
            return ome::stacking(path, &description, pages);
        }
        if description.starts_with("ImageJ=") {
            // Every image that it counts takes a byte at least: the count is checked before memory is taken for it.
            let file_bytes = decoder.inner().get_ref().length();
            let mut counts =
                description.lines().filter_map(|line| line.strip_prefix("images=")?.trim().parse::<u64>().ok());
            if let Some(count) = counts.find(|&count| count > file_bytes) {
                let expected = format!("images that a file of {file_bytes} bytes can hold");
                return Err(fault::invalid(path, "description", expected, count));
            }
            return imagej::stacking(path, &description, pages, resolution, unit);
        }
        Ok(Self { spacing_mm: spacing(resolution, unit), ..Self::plain(pages) })
    }

    /// Every page a slice.
    pub fn plain(pages: usize) -> Self {
        Self { slices: pages, channels: 1, frames: 1, pages: (0..pages).collect(), ..Self::default() }
    }

    /// In the order of pages that `strides` gives for slices, channels, time points.
    pub fn ordered(
        path: &Path,
        [slices, channels, frames]: [usize; 3],
        strides: [usize; 3],
        pages: usize,
    ) -> Result<Self> {
        let planes = slices.checked_mul(channels).and_then(|n| n.checked_mul(frames)).filter(|&n| n > 0 && n <= pages);
        if planes.is_none() {
            let found = format!("{slices} slices, {channels} channels, {frames} time points");
            return Err(fault::invalid(path, "description", format!("planes for {pages} pages"), found));
        }
        let mut order = Vec::new();
        for t in 0..frames {
            for c in 0..channels {
                order.extend((0..slices).map(|z| z * strides[0] + c * strides[1] + t * strides[2]));
            }
        }
        Ok(Self { slices, channels, frames, pages: order, ..Self::default() })
    }
}

/// `ImageDescription`, empty where there is none.
fn text(path: &Path, decoder: &mut PageDecoder) -> Result<String> {
    let bytes = match decoder.find_tag(Tag::ImageDescription).map_err(broken(path))? {
        Some(Value::Ascii(text)) => return Ok(text),
        // Some programs declare bytes.
        Some(value) => value.into_u8_vec().unwrap_or_default(),
        None => Vec::new(),
    };
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned())
}

/// Pixels per unit; none where it is not stated or cannot be meant.
fn resolution(path: &Path, decoder: &mut PageDecoder, tag: Tag) -> Result<Option<f64>> {
    let value = match decoder.find_tag(tag).map_err(broken(path))? {
        Some(Value::Rational(a, b)) => f64::from(a) / f64::from(b),
        Some(Value::Float(value)) => value.into(),
        Some(Value::Double(value)) => value,
        _ => return Ok(None),
    };
    Ok((value.is_normal() && value > 0.0).then_some(value))
}

/// Of the resolution tags alone. 72 and 96 dots an inch are what programs write who know nothing.
fn spacing(resolution: [Option<f64>; 2], unit: Option<u16>) -> [Option<f64>; 3] {
    let unit_mm = match unit {
        Some(3) => Some(10.0),
        Some(2) if resolution.iter().all(|r| !matches!(r, Some(72.0 | 96.0))) => Some(25.4),
        _ => None,
    };
    let along = |per_unit: Option<f64>| Some(unit_mm? / per_unit?);
    [along(resolution[0]), along(resolution[1]), None]
}
