use crate::args::ContourArg;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Folders that say what they hold, not whose it is (in small letters).
const KINDS: [&str; 15] = [
    "i-contours",
    "o-contours",
    "icontours",
    "ocontours",
    "contours",
    "contours-manual",
    "contours-auto",
    "ircci-expert",
    "masks",
    "labels",
    "images",
    "truth",
    "found",
    "dicom",
    "dicoms",
];
/// Pictures that are drawn for people: no masks.
const FOR_PEOPLE: [&str; 3] = ["overlay", "overlays", "mosaic"];

/// Which frame of whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FrameKey {
    pub patient: String,
    /// The file's name without patient, kind of contour and endings: `IM-0001-0048`.
    pub frame: String,
}

impl FrameKey {
    /// The last number of the frame's name.
    pub fn number(&self) -> Option<u64> {
        let end = self.frame.rfind(|c: char| c.is_ascii_digit())? + 1;
        let start = self.frame[..end].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
        self.frame.get(start..end)?.parse().ok()
    }
}

/// What there is of a frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FrameFiles {
    pub mask: Option<PathBuf>,
    pub contour: Option<PathBuf>,
}

impl FrameFiles {
    pub fn any(&self) -> &Path {
        self.contour.as_deref().or(self.mask.as_deref()).unwrap_or(Path::new(""))
    }
}

/// Patients by the names of frames or folders.
pub(super) type Patients = BTreeMap<String, String>;

/// Two columns of a table with commas; empty lines are passed over.
pub(super) fn read_patients(path: &Path) -> Result<Patients> {
    let text =
        std::fs::read_to_string(path).map_err(|source| brainmesh_formats::Error::Io { path: path.into(), source })?;
    let mut patients = Patients::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let [name, patient] = line.split(',').map(str::trim).collect::<Vec<_>>()[..] else {
            return Err(Error::Unusable(format!(
                "{}: line {}: expected a name and a patient with a comma between, found {line:?}",
                path.display(),
                number + 1
            )));
        };
        patients.insert(name.into(), patient.into());
    }
    Ok(patients)
}

/// All masks and contours in a folder and those below, by frame. A mask does not say which contour it is of: beside contours of
/// the other kind alone it is refused, and beside outer ones it does not count, as masks are mostly of the inner contour.
pub(super) fn frames_in(
    root: &Path,
    contour: ContourArg,
    patients: &Patients,
    warnings: &mut Vec<String>,
) -> Result<BTreeMap<FrameKey, FrameFiles>> {
    let mut frames: BTreeMap<FrameKey, FrameFiles> = BTreeMap::new();
    let (wanted, other) = match contour {
        ContourArg::Inner => ("icontour", "ocontour"),
        ContourArg::Outer => ("ocontour", "icontour"),
    };
    let (mut wanted_count, mut other_count, mut masks) = (0, 0, 0);
    for path in files_below(root)? {
        let name = stem(&path).to_ascii_lowercase();
        let is_for_people = |word: &str| FOR_PEOPLE.iter().any(|kind| word.contains(kind));
        let folder = path.parent().and_then(Path::file_name).map(|f| f.to_string_lossy().to_ascii_lowercase());
        if is_for_people(&name) || folder.is_some_and(|f| FOR_PEOPLE.contains(&f.as_str())) {
            continue;
        }
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let is_mask = ending == "png";
        let is_contour = ending == "txt" && name.contains(wanted);
        masks += usize::from(is_mask);
        wanted_count += usize::from(is_contour);
        other_count += usize::from(ending == "txt" && !is_contour && name.contains(other));
        if !is_mask && !is_contour {
            continue;
        }
        let key = key_of(&path, patients);
        let files = frames.entry(key.clone()).or_default();
        let place = if is_mask { &mut files.mask } else { &mut files.contour };
        if let Some(other) = place.replace(path.clone()) {
            return Err(Error::Unusable(format!(
                "{}: expected one file for frame {} of {}, found {} too; --patients tells patients apart",
                path.display(),
                key.frame,
                key.patient,
                other.display()
            )));
        }
    }
    if wanted_count == 0 && other_count > 0 {
        let option = if contour == ContourArg::Outer { "outer" } else { "inner" };
        return Err(Error::Unusable(format!(
            "{}: expected *{wanted}*.txt files (--contour {option}), found *{other}*.txt ({other_count}) and masks ({masks}), \
             which may be of that contour too",
            root.display()
        )));
    }
    if contour == ContourArg::Outer && masks > 0 {
        let becomes = if wanted_count > 0 { "left out" } else { "taken for the outer contour" };
        warnings.push(format!("{}: masks ({masks}) do not say of which contour they are: {becomes}", root.display()));
        if wanted_count > 0 {
            frames.retain(|_, files| files.contour.is_some());
            frames.values_mut().for_each(|files| files.mask = None);
        }
    }
    if frames.is_empty() {
        return Err(Error::Unusable(format!(
            "{}: expected masks (PNG) or contours (*contour*.txt), found none",
            root.display()
        )));
    }
    Ok(frames)
}

/// Whose frame a file holds, and which: from `PATIENT-IM-0001-0048.dcm.png`, or `PATIENT/i-contours/IM-0001-0048-icontour-manual.txt`.
pub(super) fn key_of(path: &Path, patients: &Patients) -> FrameKey {
    let mut name = stem(path);
    for kind in ["-icontour", "-ocontour", "_icontour", "_ocontour"] {
        if let Some(at) = name.to_ascii_lowercase().find(kind) {
            name.truncate(at);
        }
    }
    for ending in [".dcm", ".ima"] {
        if name.to_ascii_lowercase().ends_with(ending) {
            name.truncate(name.len() - ending.len());
        }
    }
    let (before, frame) = match name.find("-IM-") {
        Some(at) => (Some(name[..at].to_string()), name[at + 1..].to_string()),
        None => (None, name.clone()),
    };
    // Nearest first; names above the root count where nothing nearer tells.
    let place = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let folders: Vec<String> = place
        .parent()
        .into_iter()
        .flat_map(Path::components)
        .filter_map(
            |part| if let Component::Normal(name) = part { Some(name.to_string_lossy().into_owned()) } else { None },
        )
        .collect();
    let told = [Some(name.as_str()), before.as_deref()]
        .into_iter()
        .flatten()
        .chain(folders.iter().rev().map(String::as_str))
        .find_map(|name| patients.get(name).cloned());
    let folder = || folders.iter().rev().find(|name| !KINDS.contains(&name.to_ascii_lowercase().as_str())).cloned();
    FrameKey { patient: told.or(before).or_else(folder).unwrap_or_default(), frame }
}

/// Files of a folder and of those below, in order; hidden ones are left out.
pub(super) fn files_below(root: &Path) -> Result<Vec<PathBuf>> {
    let io = |path: &Path| {
        let path = path.to_path_buf();
        move |source| brainmesh_formats::Error::Io { path, source }
    };
    let mut folders = vec![root.to_path_buf()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(io(&folder))? {
            let entry = entry.map_err(io(&folder))?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            // A link to a folder could lead in a circle.
            let kind = entry.file_type().map_err(io(&folder))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if entry.path().is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(path: &str, patients: &[(&str, &str)]) -> [String; 2] {
        let patients = patients.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect();
        let FrameKey { patient, frame } = key_of(Path::new(path), &patients);
        [patient, frame]
    }

    #[test]
    fn names_of_the_challenge_and_of_the_pictures_say_the_same() {
        let expected = ["SC-HF-I-1", "IM-0001-0048"];
        assert_eq!(key("/a/SC-HF-I-1/contours-manual/IRCCI-expert/IM-0001-0048-icontour-manual.txt", &[]), expected);
        assert_eq!(key("/a/Labels/Part1/SC-HF-I-1-IM-0001-0048.dcm.png", &[]), expected);
        assert_eq!(key("/a/dicoms/SCD0000101/IM-0001-0048.png", &[("SCD0000101", "SC-HF-I-1")]), expected);
        assert_eq!(key("/a/SCD0000101/i-contours/48.dcm", &[]), ["SCD0000101", "48"]);
        let number = |frame: &str| FrameKey { patient: String::new(), frame: frame.into() }.number();
        assert_eq!([number("IM-0001-0048"), number("48"), number("x")], [Some(48), Some(48), None]);
    }
}
