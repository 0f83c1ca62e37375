use super::attributes::Attributes;
use super::file::DicomFile;
use crate::{Error, Result, fault};
use dicom_dictionary_std::tags;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Folders of folders occur (one a study, one a series); more levels than this do not.
const DEEPEST_FOLDER: usize = 8;

/// The images of a folder, with those of its folders, or the one image of a file.
pub(super) fn images_of(path: &Path) -> Result<Vec<DicomFile>> {
    if !path.is_dir() {
        let image = DicomFile::open(path)?;
        return Ok(vec![image.ok_or_else(|| fault::invalid(path, "pixel data", "an image", "none"))?]);
    }
    let mut paths = Vec::new();
    list(path, 0, &mut paths)?;
    let images: Vec<_> = paths.par_iter().map(|file| DicomFile::open_if_dicom(file)).collect::<Result<_>>()?;
    let images: Vec<_> = images.into_iter().flatten().collect();
    if images.is_empty() {
        return Err(Error::NotRecognised { path: path.into(), found: "a folder without DICOM images".into() });
    }
    Ok(images)
}

/// Files in the order of their names; hidden ones, and links to folders, which may lead round in a circle, are left out.
fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).and_then(|entries| entries.collect()).map_err(fault::io(folder))?;
    entries.sort_by_key(|entry| entry.file_name());
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type().map_err(fault::io(&path))?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if kind.is_dir() {
            if depth < DEEPEST_FOLDER {
                list(&path, depth + 1, files)?;
            }
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// What `UID` or `UID/2` asks for: a series, and which of its kinds of slices.
pub(super) fn parse_choice(wanted: Option<&str>) -> (Option<&str>, Option<usize>) {
    match wanted.map(|wanted| (wanted, wanted.split_once('/'))) {
        Some((_, Some((uid, number)))) => (Some(uid), Some(number.parse().unwrap_or(0))),
        Some((uid, None)) => (Some(uid), None),
        None => (None, None),
    }
}

/// The images of one series and its UID: the one asked for, or the only one.
pub(super) fn choose(path: &Path, images: Vec<DicomFile>, wanted: Option<&str>) -> Result<(String, Vec<DicomFile>)> {
    let mut series: BTreeMap<String, Vec<DicomFile>> = BTreeMap::new();
    for image in images {
        let uid = Attributes::new(&image.path, &image.attributes, 0).text(None, tags::SERIES_INSTANCE_UID);
        series.entry(uid.unwrap_or_default()).or_default().push(image);
    }
    if let Some(found) = wanted.and_then(|uid| series.remove_entry(uid)) {
        return Ok(found);
    }
    if wanted.is_none() && series.len() == 1 {
        return Ok(series.pop_first().unwrap_or_default());
    }
    let listed: Vec<_> = series.iter().map(|(uid, images)| describe(uid, images)).collect();
    let expected = wanted.map_or("one series; choose it by its UID".into(), |uid| format!("series {uid}"));
    Err(fault::invalid(path, "SeriesInstanceUID", expected, listed.join(", ")))
}

fn describe(uid: &str, images: &[DicomFile]) -> String {
    let name =
        images.first().and_then(|i| Attributes::new(&i.path, &i.attributes, 0).text(None, tags::SERIES_DESCRIPTION));
    let plural = if images.len() == 1 { "" } else { "s" };
    format!("{uid} ({}{} image{plural})", name.map_or(String::new(), |n| format!("{n}, ")), images.len())
}
