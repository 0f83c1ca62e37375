use super::{WaferOutlines, WaferSection, checked, outline, whole};
use crate::{Result, fault};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// What both kinds of JSON hold.
#[derive(Deserialize)]
struct Json {
    #[serde(rename = "type")]
    kind: Option<String>,
    size: Option<[f64; 2]>,
    features: Option<Vec<Feature>>,
    sections: Option<Vec<Section>>,
}

#[derive(Deserialize)]
struct Section {
    tissue: Option<Vec<[f64; 2]>>,
    magnet: Option<Vec<[f64; 2]>>,
}

#[derive(Deserialize)]
struct Feature {
    geometry: Geometry,
    properties: Properties,
}

#[derive(Deserialize)]
struct Geometry {
    #[serde(rename = "type")]
    kind: String,
    coordinates: Vec<Vec<[f64; 2]>>,
}

#[derive(Deserialize)]
struct Properties {
    kind: Kind,
    number: Option<u64>,
    confidence: Option<f64>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Tissue,
    Magnet,
}

pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<WaferOutlines> {
    let expected = "GeoJSON of sections, or truth.json";
    let json: Json = serde_json::from_slice(bytes).map_err(|error| fault::invalid(path, "JSON", expected, error))?;
    if json.size.is_some_and(|size| !size.iter().all(|side| side.is_finite() && *side > 0.0)) {
        return Err(fault::invalid(path, "size", "width and height above 0", format!("{:?}", json.size)));
    }
    let sections = match (json.features, json.sections) {
        (Some(features), None) if json.kind.as_deref() == Some("FeatureCollection") => from_features(path, features)?,
        (None, Some(sections)) => sections
            .into_iter()
            .enumerate()
            .map(|(n, section)| {
                let part = |name: &str, corners: Option<Vec<[f64; 2]>>| {
                    corners.map(|corners| outline(path, &format!("sections[{n}].{name}"), corners, None)).transpose()
                };
                Ok(whole(part("tissue", section.tissue)?, part("magnet", section.magnet)?))
            })
            .collect::<Result<_>>()?,
        _ => return Err(fault::invalid(path, "JSON", expected, "another: expected features, or sections")),
    };
    checked(path, WaferOutlines { size_px: json.size, sections, has_magnet_outlines: true })
}

fn from_features(path: &Path, features: Vec<Feature>) -> Result<Vec<WaferSection>> {
    let mut numbered: BTreeMap<u64, WaferSection> = BTreeMap::new();
    let mut alone = Vec::new();
    for (n, feature) in features.into_iter().enumerate() {
        let field = format!("features[{n}]");
        let ring = match (feature.geometry.kind.as_str(), feature.geometry.coordinates.as_slice()) {
            ("Polygon", [ring]) => ring,
            (kind, rings) => {
                let found = format!("{kind} of {} rings", rings.len());
                return Err(fault::invalid(path, format!("{field}.geometry"), "a Polygon of one ring", found));
            }
        };
        let mut corners = ring.clone();
        if corners.len() > 1 && corners.first() == corners.last() {
            corners.pop();
        }
        let part = Some(outline(path, &format!("{field}.geometry"), corners, feature.properties.confidence)?);
        let Some(number) = feature.properties.number else {
            alone.push(match feature.properties.kind {
                Kind::Tissue => whole(part, None),
                Kind::Magnet => whole(None, part),
            });
            continue;
        };
        let section = numbered.entry(number).or_default();
        let place = match feature.properties.kind {
            Kind::Tissue => &mut section.tissue,
            Kind::Magnet => &mut section.magnet,
        };
        if place.is_some() {
            return Err(fault::invalid(
                path,
                format!("{field}.properties.number"),
                "each part once",
                format!("{number} again"),
            ));
        }
        *place = part;
    }
    Ok(numbered.into_values().map(|section| whole(section.tissue, section.magnet)).chain(alone).collect())
}
