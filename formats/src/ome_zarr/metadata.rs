//! The JSON of OME-Zarr. Fields that say nothing about where voxels lie or what they mean are not looked at.
//!
//! Own types, because those of `ome_zarr_metadata` hold scales in single precision and refuse any field of a newer version.

use super::json;
use crate::{Result, fault};
use serde::Deserialize;
use std::path::{Component, Path};

/// Attributes that make a group an image, a plate, or something else of OME.
#[derive(Debug, Deserialize)]
struct Fields {
    version: Option<serde_json::Value>,
    #[serde(default)]
    multiscales: Vec<Multiscale>,
    #[serde(rename = "image-label")]
    image_label: Option<ImageLabel>,
    omero: Option<Omero>,
    #[serde(rename = "bioformats2raw.layout")]
    layout: Option<serde_json::Value>,
    plate: Option<serde_json::Value>,
    well: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Multiscale {
    version: Option<serde_json::Value>,
    #[serde(default)]
    pub axes: Vec<Axis>,
    pub datasets: Vec<Dataset>,
    #[serde(default, rename = "coordinateTransformations")]
    pub transformations: Vec<Transformation>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Axis {
    pub name: String,
    pub unit: Option<String>,
    /// RFC-4.
    pub orientation: Option<Orientation>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Orientation {
    pub value: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dataset {
    pub path: String,
    #[serde(default, rename = "coordinateTransformations")]
    pub transformations: Vec<Transformation>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Transformation {
    #[serde(rename = "type")]
    pub kind: String,
    pub scale: Option<Vec<f64>>,
    pub translation: Option<Vec<f64>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ImageLabel {
    #[serde(default)]
    pub colors: Option<Vec<LabelColor>>,
    #[serde(default)]
    pub properties: Option<Vec<LabelProperties>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LabelColor {
    #[serde(rename = "label-value")]
    pub value: f64,
    pub rgba: Option<[u8; 4]>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LabelProperties {
    #[serde(rename = "label-value")]
    pub value: f64,
    pub name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Omero {
    #[serde(default)]
    pub channels: Vec<Channel>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Channel {
    pub label: Option<String>,
}

/// What brainmesh adds, since OME-Zarr has no place for it: rows of the matrix of level 0, in RAS+ mm.
#[derive(Debug, Deserialize)]
pub(super) struct Placement {
    pub world_from_voxel: [[f64; 4]; 4],
    pub world: String,
}

/// The image of a group.
#[derive(Debug)]
pub(super) struct Image {
    pub version: String,
    pub multiscale: Multiscale,
    pub image_label: Option<ImageLabel>,
    pub channels: Vec<Channel>,
    pub placement: Option<Placement>,
}

/// What a group holds.
pub(super) enum Content {
    Image(Box<Image>),
    /// Images in folders `0`, `1`, ... (`bioformats2raw.layout`).
    Series,
}

/// Reads the attributes of a group; zarr v2 keeps them in a file of their own.
pub(super) fn content_of(folder: &Path) -> Result<Content> {
    #[derive(Deserialize)]
    struct Group {
        #[serde(default)]
        attributes: serde_json::Map<String, serde_json::Value>,
    }
    let (file, mut attributes) = match folder.join("zarr.json") {
        file if file.is_file() => {
            let group: Group = json::read(&file)?;
            (file, group.attributes)
        }
        _ => {
            let file = folder.join(".zattrs");
            let attributes = json::read(&file)?;
            (file, attributes)
        }
    };
    let placement = attributes.remove("brainmesh").map(|value| json::parse(&file, value)).transpose()?;
    // Version 0.5 and later keep theirs in one attribute.
    let fields = attributes.remove("ome").unwrap_or(serde_json::Value::Object(attributes));
    let fields: Fields = json::parse(&file, fields)?;
    let Some(multiscale) = fields.multiscales.into_iter().next() else {
        if fields.plate.is_some() || fields.well.is_some() {
            return Err(fault::unsupported(
                &file,
                "content",
                "a plate or well",
                "its images, each opened by its folder",
            ));
        }
        if fields.layout.is_some() {
            return Ok(Content::Series);
        }
        let expected = "those of an OME-Zarr image (opened by its folder, not that of a level)";
        return Err(fault::invalid(&file, "multiscales", expected, "none"));
    };
    let version = match fields.version.as_ref().or(multiscale.version.as_ref()) {
        Some(serde_json::Value::String(version)) if version == "0.4" || version == "0.5" => version.clone(),
        other => {
            let found = other.map_or("none".into(), ToString::to_string);
            return Err(fault::unsupported(&file, "OME-Zarr version", found, "0.4, 0.5"));
        }
    };
    let (image_label, channels) = (fields.image_label, fields.omero.map_or(Vec::new(), |omero| omero.channels));
    Ok(Content::Image(Box::new(Image { version, multiscale, image_label, channels, placement })))
}

/// The path of a level, which must not lead out of the image's folder.
pub(super) fn checked_path<'a>(folder: &Path, path: &'a str) -> Result<&'a str> {
    let is_inside = !path.is_empty() && Path::new(path).components().all(|c| matches!(c, Component::Normal(_)));
    if !is_inside || path.contains('\\') {
        return Err(fault::invalid(folder, "dataset path", "a folder within the image's", path));
    }
    let real = |p: &Path| p.canonicalize().map_err(fault::io(p));
    if real(&folder.join(path))?.starts_with(real(folder)?) {
        return Ok(path);
    }
    Err(fault::invalid(folder, "dataset path", "a folder within the image's", "a link out of it"))
}
