use crate::args::EvaluateTissue;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Found and true file, and the name of the case.
pub(super) fn pairs(arguments: &EvaluateTissue) -> Result<Vec<(PathBuf, PathBuf, String)>> {
    let (found, truth) = (&arguments.found, &arguments.truth);
    if let ([found], [truth]) = (&found[..], &truth[..])
        && found.is_dir()
        && truth.is_dir()
    {
        return by_name(found, truth);
    }
    if found.len() != truth.len() {
        return Err(Error::Usage(format!("--truth: expected {} files as --found, found {}", found.len(), truth.len())));
    }
    Ok(found.iter().zip(truth).map(|(f, t)| (f.clone(), t.clone(), stem(f))).collect())
}

/// Files of two folders with the same names (a `_tissue` at the end of those found does not count).
fn by_name(found: &Path, truth: &Path) -> Result<Vec<(PathBuf, PathBuf, String)>> {
    let list = |folder: &Path| -> Result<Vec<PathBuf>> {
        let io = |source| brainmesh_formats::Error::Io { path: folder.into(), source };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(io)? {
            let entry = entry.map_err(io)?;
            if entry.path().is_file() && !entry.file_name().as_encoded_bytes().starts_with(b".") {
                files.push(entry.path());
            }
        }
        files.sort();
        Ok(files)
    };
    let (found_files, truth_files) = (list(found)?, list(truth)?);
    let mut pairs = Vec::new();
    for truth_file in &truth_files {
        let name = stem(truth_file);
        let is_of =
            |file: &Path| stem(file).strip_suffix("_tissue").unwrap_or(&stem(file)) == name || stem(file) == name;
        let of: Vec<&PathBuf> = found_files.iter().filter(|file| is_of(file)).collect();
        let [file] = of[..] else {
            return Err(Error::Unusable(format!(
                "{}: expected one file of this name in {}, found {}",
                truth_file.display(),
                found.display(),
                of.len()
            )));
        };
        pairs.push((file.clone(), truth_file.clone(), name));
    }
    if pairs.is_empty() || found_files.len() > pairs.len() {
        return Err(Error::Unusable(format!(
            "{}: expected a file of the same name in {} for each of {}, found {}",
            found.display(),
            truth.display(),
            found_files.len(),
            pairs.len()
        )));
    }
    Ok(pairs)
}

/// A name without its endings.
fn stem(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let end = [".nii.gz", ".nii", ".mnc.gz", ".mnc", ".mgz", ".mgh", ".nrrd", ".nhdr", ".mha", ".mhd", ".tif", ".tiff"]
        .into_iter()
        .find(|ending| name.to_ascii_lowercase().ends_with(ending));
    name[..name.len() - end.map_or(0, str::len)].to_string()
}
