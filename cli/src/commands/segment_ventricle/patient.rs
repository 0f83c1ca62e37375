//! Whether DICOM pictures are one patient's short-axis cine.

use super::picture::file_name;
use crate::{Error, Result};
use brainmesh_formats::DicomPicture;
use glam::DVec3;
use std::collections::{BTreeMap, BTreeSet};

/// Cosine of the angle by which slices of one stack may differ (1 degree).
const SAME_DIRECTION: f64 = 0.99985;
/// Slices of one place are not further apart than this along the normal.
pub(super) const SAME_PLACE_MM: f64 = 0.5;
/// Places written with few digits differ by this.
const ROUNDED_MM: f64 = 1e-2;
/// Short-axis slices are 5 to 10 mm apart; volumes of other parts of the body have thinner ones.
const THINNEST_MM: f64 = 2.0;
/// What BodyPartExamined says of pictures without a heart (PS3.16 annex L); the trunk's names are used for hearts too.
const OTHER_PARTS: [&str; 16] = [
    "HEAD", "BRAIN", "SKULL", "NECK", "CSPINE", "TSPINE", "LSPINE", "SPINE", "PELVIS", "HIP", "KNEE", "ANKLE", "FOOT",
    "SHOULDER", "WRIST", "HAND",
];
/// Planes nearer to one of the body's than this (10 degrees) are seldom short axes.
const ALONG_BODY: f64 = 0.985;

/// The pictures of the series asked for (all where none is), checked; what people should know of them is added to `warnings`.
///
/// # Errors
/// Other kinds of images than MR, localisers, several patients, studies or directions, several series that are not one slice
/// each, slices too near to one another.
pub(super) fn one_patient(
    input: &str,
    mut pictures: Vec<DicomPicture>,
    series: &[String],
    warnings: &mut Vec<String>,
) -> Result<Vec<DicomPicture>> {
    if !series.is_empty() {
        if let Some(missing) = series.iter().find(|uid| pictures.iter().all(|picture| picture.series != **uid)) {
            let found = described(&pictures);
            return Err(refuse(input, "SeriesInstanceUID", &format!("series {missing}"), &found));
        }
        pictures.retain(|picture| series.contains(&picture.series));
    }
    if let Some(other) = pictures.iter().find(|picture| !picture.modality.is_empty() && picture.modality != "MR") {
        return Err(refuse(&file_name(&other.path), "Modality", "MR", &other.modality));
    }
    if pictures.iter().any(|picture| picture.modality.is_empty()) {
        warnings.push("Modality: not said by all files; taken as MR".into());
    }
    let is_other =
        |picture: &&DicomPicture| OTHER_PARTS.iter().any(|part| picture.body_part.eq_ignore_ascii_case(part));
    if let Some(other) = pictures.iter().find(is_other) {
        return Err(refuse(&other.name(), "BodyPartExamined", "a heart", &other.body_part));
    }
    let is_localiser =
        |picture: &&DicomPicture| picture.image_type.split('\\').any(|kind| kind.eq_ignore_ascii_case("LOCALIZER"));
    if let Some(localiser) = pictures.iter().find(is_localiser) {
        return Err(refuse(&localiser.name(), "ImageType", "short-axis cine", "a localiser"));
    }
    same(input, &pictures, "PatientID", "one patient; give each a folder of its own", |picture| &picture.patient)?;
    same(input, &pictures, "StudyInstanceUID", "one study; --series chooses", |picture| &picture.study)?;
    check_directions(input, &pictures)?;
    check_series(input, &pictures)?;
    check_places(input, &pictures, warnings)?;
    if pictures.iter().all(|picture| picture.trigger_ms.is_none() && picture.temporal_position.is_none()) {
        warnings.push("no trigger times or temporal positions: nothing says that these are pictures of a cine".into());
    }
    Ok(pictures)
}

fn refuse(input: &str, field: &str, expected: &str, found: &str) -> Error {
    Error::Unusable(format!("{input}: {field}: expected {expected}, found {found}"))
}

fn same(
    input: &str,
    pictures: &[DicomPicture],
    field: &str,
    expected: &str,
    value: impl Fn(&DicomPicture) -> &String,
) -> Result<()> {
    let Some(first) = pictures.first() else { return Ok(()) };
    let Some(other) = pictures.iter().find(|picture| value(picture) != value(first)) else { return Ok(()) };
    // Who they are is nobody's business but the reader's, who has the files.
    let found = format!("another in {} than in {}", other.path.display(), first.path.display());
    Err(refuse(input, field, expected, &found))
}

/// Series and their sizes.
fn described(pictures: &[DicomPicture]) -> String {
    let mut series: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for picture in pictures {
        series.entry(&picture.series).or_insert((0, &picture.series_description)).0 += 1;
    }
    let listed: Vec<String> = series
        .into_iter()
        .map(|(uid, (count, description))| {
            let comma = if description.is_empty() { "" } else { ", " };
            format!("{uid} ({description}{comma}{count} pictures)")
        })
        .collect();
    listed.join(", ")
}

fn normal(picture: &DicomPicture) -> Option<DVec3> {
    picture.axes_lps.map(|[row, column]| row.cross(column))
}

/// Where a picture lies along its normal.
pub(super) fn along_mm(picture: &DicomPicture) -> Option<f64> {
    Some(picture.position_lps?.dot(normal(picture)?))
}

fn check_directions(input: &str, pictures: &[DicomPicture]) -> Result<()> {
    let mut directions: Vec<(DVec3, Vec<&DicomPicture>)> = Vec::new();
    for picture in pictures {
        let Some(normal) = normal(picture) else { continue };
        match directions.iter_mut().find(|(known, _)| known.dot(normal) > SAME_DIRECTION) {
            Some((_, group)) => group.push(picture),
            None => directions.push((normal, vec![picture])),
        }
    }
    directions.sort_by_key(|(_, group)| std::cmp::Reverse(group.len()));
    let [_, others @ ..] = directions.as_slice() else { return Ok(()) };
    let Some((_, [first, ..])) = others.first().map(|(normal, group)| (normal, group.as_slice())) else {
        return Ok(());
    };
    let count: usize = others.iter().map(|(_, group)| group.len()).sum();
    let found = format!(
        "{count} of {} that face other ways, such as {} of series {} (localisers, long axes?); leave them out, or choose with \
         --series",
        pictures.len(),
        first.name(),
        first.series
    );
    Err(refuse(input, "ImageOrientationPatient", "pictures that face one way", &found))
}

/// One series; or, as many scanners make a cine, one for each slice.
fn check_series(input: &str, pictures: &[DicomPicture]) -> Result<()> {
    let mut places: BTreeMap<&str, Vec<Option<f64>>> = BTreeMap::new();
    for picture in pictures {
        let along = along_mm(picture);
        let known = places.entry(&picture.series).or_default();
        let is_known = known.iter().any(|other| match (other, along) {
            (Some(a), Some(b)) => (a - b).abs() < SAME_PLACE_MM,
            _ => false,
        });
        if !is_known {
            known.push(along);
        }
    }
    if places.len() <= 1 {
        return Ok(());
    }
    let all: Option<Vec<f64>> =
        places.values().map(|known| if let [Some(one)] = known[..] { Some(one) } else { None }).collect();
    let mut along = all.unwrap_or_default();
    along.sort_by(f64::total_cmp);
    let frames: BTreeSet<&str> = pictures.iter().map(|picture| picture.frame_of_reference.as_str()).collect();
    let is_stack = along.len() == places.len()
        && along.windows(2).all(|pair| pair[1] - pair[0] >= SAME_PLACE_MM)
        && frames.len() == 1;
    if is_stack {
        return Ok(());
    }
    let expected = "one series, or one for each slice of a stack; --series chooses";
    Err(refuse(input, "SeriesInstanceUID", expected, &described(pictures)))
}

fn check_places(input: &str, pictures: &[DicomPicture], warnings: &mut Vec<String>) -> Result<()> {
    let Some(mut along) = pictures.iter().map(along_mm).collect::<Option<Vec<f64>>>() else { return Ok(()) };
    along.sort_by(f64::total_cmp);
    let steps = along.windows(2).map(|pair| pair[1] - pair[0]).filter(|&step| step > ROUNDED_MM);
    let thinnest = steps.fold(f64::INFINITY, f64::min);
    if thinnest < THINNEST_MM {
        let expected = "slices of a short-axis stack, more than 2 mm apart";
        return Err(refuse(input, "ImagePositionPatient", expected, &format!("some {thinnest:.2} mm apart")));
    }
    if let Some(normal) = pictures.first().and_then(normal)
        && normal.abs().max_element() > ALONG_BODY
    {
        warnings.push("the slices lie along a plane of the body, as short axes seldom do".into());
    }
    Ok(())
}
