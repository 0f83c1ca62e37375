use super::stacking::Stacking;
use crate::length_unit::length_unit_mm;
use crate::{Result, fault};
use glam::{DAffine3, DVec3};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::collections::BTreeMap;
use std::path::Path;

/// Name of the annotation that holds brainmesh's placement.
pub(super) const NAMESPACE: &str = "https://github.com/brainmesh/brainmesh";

/// What is looked at of OME-XML (schema 2016-06).
#[derive(Default)]
struct Document {
    images: usize,
    /// Attributes of the first image's `Pixels`.
    pixels: BTreeMap<String, String>,
    channel_names: Vec<String>,
    /// Samples of the first image's channels.
    samples: Vec<usize>,
    /// Attributes of its `TiffData`.
    blocks: Vec<BTreeMap<String, String>>,
    files: Vec<String>,
    is_ours: bool,
    key: Option<String>,
    placement: BTreeMap<String, String>,
}

/// Takes the description of OME-TIFF apart.
pub(super) fn stacking(path: &Path, description: &str, pages: usize) -> Result<Stacking> {
    let document = Document::parse(path, description)?;
    let count = |key: &str| {
        let text = document.pixels.get(key).map_or("1", String::as_str);
        text.parse::<usize>()
            .ok()
            .filter(|&n| n > 0)
            .ok_or_else(|| fault::invalid(path, format!("OME-XML {key}"), "a count", text))
    };
    let [slices, frames] = [count("SizeZ")?, count("SizeT")?];
    // The samples of an interleaved pixel are channels as well, but not of pages of their own.
    let samples: usize = document.samples.iter().copied().max().unwrap_or(1).max(1);
    let channels = count("SizeC")?.div_ceil(samples);
    let mut warnings = Vec::new();
    if document.images > 1 {
        warnings.push(format!("the first of {} images of the file is read", document.images));
    }
    if document.files.iter().any(|name| name != &document.files[0]) {
        return Err(fault::unsupported(path, "OME-XML", "planes in several files", "all in one"));
    }
    let order = document.pixels.get("DimensionOrder").map_or("XYCZT", String::as_str);
    let strides = match order {
        "XYZCT" => [1, slices, slices.saturating_mul(channels)],
        "XYZTC" => [1, slices.saturating_mul(frames), slices],
        "XYCTZ" => [channels.saturating_mul(frames), 1, channels],
        "XYCZT" => [channels, 1, channels.saturating_mul(slices)],
        "XYTCZ" => [channels.saturating_mul(frames), frames, 1],
        "XYTZC" => [frames, frames.saturating_mul(slices), 1],
        other => return Err(fault::invalid(path, "OME-XML DimensionOrder", "X, Y and an order of Z, C, T", other)),
    };
    let mut stacking = Stacking::ordered(path, [slices, channels, frames], strides, pages)?;
    document.move_planes(path, &mut stacking, strides, pages)?;
    let length = |axis: &str| -> Result<Option<f64>> {
        let Some(text) = document.pixels.get(&format!("PhysicalSize{axis}")) else { return Ok(None) };
        let unit = document.pixels.get(&format!("PhysicalSize{axis}Unit")).map_or("\u{b5}m", String::as_str);
        let size = text.parse::<f64>().ok().filter(|size| size.is_normal() && *size > 0.0);
        let size = size.ok_or_else(|| fault::invalid(path, format!("OME-XML PhysicalSize{axis}"), "a length", text))?;
        Ok(length_unit_mm(unit).map(|unit| size * unit))
    };
    let step = document.pixels.get("TimeIncrement").and_then(|text| text.parse::<f64>().ok());
    let step_unit = match document.pixels.get("TimeIncrementUnit").map_or("s", String::as_str) {
        "s" => Some(1.0),
        "ms" => Some(1e-3),
        "min" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    };
    Ok(Stacking {
        spacing_mm: [length("X")?, length("Y")?, length("Z")?],
        time_step_s: step.zip(step_unit).map(|(step, unit)| step * unit).filter(|_| frames > 1),
        placement: document.placement(path)?,
        channel_names: document.channel_names,
        warnings,
        ..stacking
    })
}

impl Document {
    fn parse(path: &Path, description: &str) -> Result<Self> {
        let mut document = Self::default();
        let mut reader = Reader::from_str(description);
        loop {
            let event = reader.read_event().map_err(|e| fault::invalid(path, "OME-XML", "well-formed XML", e))?;
            match event {
                Event::Start(tag) | Event::Empty(tag) => document.start(path, &tag)?,
                Event::Text(text) => document.text(&text.into_inner()),
                Event::GeneralRef(entity) => match entity.resolve_char_ref() {
                    Ok(Some(character)) => document.text(character.encode_utf8(&mut [0; 4])),
                    _ => document.text(resolve_predefined_entity(&entity.into_inner()).unwrap_or_default()),
                },
                Event::End(_) => document.key = None,
                Event::Eof => return Ok(document),
                _ => {}
            }
        }
    }

    fn start(&mut self, path: &Path, tag: &BytesStart<'_>) -> Result<()> {
        let bad = |e: &dyn std::fmt::Display| fault::invalid(path, "OME-XML attribute", "valid XML", e);
        let mut values = BTreeMap::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|e| bad(&e))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|e| bad(&e))?;
            values.insert(attribute.key.local_name().into_inner().to_owned(), value.into_owned());
        }
        let name = tag.name();
        let is_first = self.images == 1;
        self.key = None;
        match name.local_name().into_inner() {
            "Image" => self.images += 1,
            "Pixels" if is_first => self.pixels = values,
            "Channel" if is_first => {
                let samples = values.get("SamplesPerPixel").and_then(|n| n.parse().ok());
                self.samples.push(samples.unwrap_or(1));
                self.channel_names.extend(values.remove("Name"));
            }
            "TiffData" if is_first => self.blocks.push(values),
            "UUID" if is_first => self.files.extend(values.remove("FileName")),
            "MapAnnotation" => self.is_ours = values.get("Namespace").is_some_and(|name| name == NAMESPACE),
            "M" if self.is_ours => self.key = values.remove("K"),
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(key) = &self.key {
            self.placement.entry(key.clone()).or_default().push_str(text);
        }
    }

    /// Puts planes where `TiffData` says they are.
    fn move_planes(&self, path: &Path, stacking: &mut Stacking, strides: [usize; 3], pages: usize) -> Result<()> {
        let planes = stacking.pages.len();
        // Pages of planes in the file's order.
        let mut pages_of: Vec<usize> = (0..planes).collect();
        for block in self.blocks.iter().filter(|block| !block.is_empty()) {
            let number = |key: &str| -> Result<Option<usize>> {
                let Some(text) = block.get(key) else { return Ok(None) };
                let number = text
                    .parse()
                    .map_err(|_| fault::invalid(path, format!("OME-XML TiffData {key}"), "a count", text))?;
                Ok(Some(number))
            };
            let ifd = number("IFD")?;
            let first = [number("FirstZ")?, number("FirstC")?, number("FirstT")?].map(Option::unwrap_or_default);
            // Without either there is one plane, with a page and no count as well; alone, all that follow.
            let count = number("PlaneCount")?.unwrap_or(if ifd.is_some() { 1 } else { planes });
            let start: usize = first.iter().zip(strides).map(|(n, stride)| n.saturating_mul(stride)).sum();
            for n in 0..count.min(planes) {
                let page = ifd.unwrap_or_default().saturating_add(n);
                let Some(place) = pages_of.get_mut(start.saturating_add(n)) else { break };
                if page >= pages {
                    return Err(fault::invalid(path, "OME-XML TiffData", format!("one of {pages} pages"), page));
                }
                *place = page;
            }
        }
        for page in &mut stacking.pages {
            *page = pages_of.get(*page).copied().unwrap_or(*page);
        }
        Ok(())
    }

    fn placement(&self, path: &Path) -> Result<Option<(DAffine3, String)>> {
        let Some(text) = self.placement.get("world_from_voxel") else { return Ok(None) };
        let numbers: Vec<f64> = text.split_whitespace().filter_map(|n| n.parse().ok()).collect();
        let [a, b, c, d, e, f, g, h, i, j, k, l] = numbers[..] else {
            return Err(fault::invalid(path, "brainmesh: world_from_voxel", "3 rows of 4 numbers", text));
        };
        let affine =
            DAffine3::from_cols(DVec3::new(a, e, i), DVec3::new(b, f, j), DVec3::new(c, g, k), DVec3::new(d, h, l));
        Ok(Some((affine, self.placement.get("world").cloned().unwrap_or_else(|| "unregistered".into()))))
    }
}
