use super::patient::one_patient;
use super::picture::{Picture, file_name};
use crate::args::SegmentVentricle;
use crate::batch::names;
use crate::{Error, Result};
use brainmesh_formats::{DicomPicture, Error as FormatsError, dicom_pictures};
use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};

const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// Folders of folders occur; more levels than this do not.
const DEEPEST_FOLDER: usize = 8;

/// Pictures that are segmented, and written, together: one patient, or a folder of PNG.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// For messages.
    pub input: String,
    /// Of its folder among results, where there are several cases.
    pub name: String,
    pub pictures: Vec<Picture>,
    pub warnings: Vec<String>,
}

impl Case {
    /// What the DICOM headers say, where all pictures have one.
    pub fn headers(&self) -> Option<Vec<&DicomPicture>> {
        self.pictures.iter().map(|picture| picture.dicom.as_ref()).collect()
    }
}

/// What becomes one case: a folder, or single files of one kind.
#[derive(Debug)]
pub(super) enum Input {
    Folder(PathBuf),
    Png(Vec<PathBuf>),
    Dicom(Vec<PathBuf>),
}

impl Input {
    /// Folders one by one; single files together.
    ///
    /// # Errors
    /// Something that is not there.
    pub fn of(paths: &[PathBuf]) -> Result<Vec<Self>> {
        let (mut inputs, mut png, mut dicom) = (Vec::new(), Vec::new(), Vec::new());
        for path in paths {
            if !path.exists() {
                return Err(Error::Unusable(format!("{}: no such file or folder", path.display())));
            }
            if path.is_dir() {
                inputs.push(Self::Folder(path.clone()));
            } else if is_png(path)? {
                png.push(path.clone());
            } else {
                dicom.push(path.clone());
            }
        }
        inputs.extend((!png.is_empty()).then_some(Self::Png(png)));
        inputs.extend((!dicom.is_empty()).then_some(Self::Dicom(dicom)));
        Ok(inputs)
    }

    /// What names its results.
    fn path(&self) -> PathBuf {
        match self {
            Self::Folder(path) => path.clone(),
            Self::Png(_) => "pictures".into(),
            Self::Dicom(_) => "images".into(),
        }
    }

    /// Lists its pictures and checks what their headers say.
    ///
    /// # Errors
    /// No pictures, DICOM and PNG together, or headers that [`one_patient`] refuses.
    pub fn open(&self, arguments: &SegmentVentricle) -> Result<Case> {
        let mut warnings = Vec::new();
        let (input, pictures) = match self {
            Self::Png(paths) => {
                ("pictures".to_owned(), paths.iter().map(|path| Picture::png(path, parent(path))).collect())
            }
            Self::Dicom(paths) => {
                let mut all = Vec::new();
                for path in paths {
                    all.extend(dicom_pictures(path).map_err(|error| match error {
                        FormatsError::NotRecognised { path, found } => {
                            let path = path.display();
                            Error::Unusable(format!("{path}: expected a DICOM image or a PNG picture, found {found}"))
                        }
                        error => error.into(),
                    })?);
                }
                let input = paths.first().map(|path| path.display().to_string()).unwrap_or_default();
                let all = one_patient(&input, all, &arguments.series, &mut warnings)?;
                let picture = |dicom: DicomPicture| {
                    let root = parent(&dicom.path).to_path_buf();
                    Picture::dicom(dicom, &root)
                };
                (input, all.into_iter().map(picture).collect())
            }
            Self::Folder(folder) => {
                let input = folder.display().to_string();
                let pictures = in_folder(&input, folder, arguments, &mut warnings)?;
                (input, pictures)
            }
        };
        Ok(Case { input, name: String::new(), pictures, warnings })
    }
}

fn in_folder(
    input: &str,
    folder: &Path,
    arguments: &SegmentVentricle,
    warnings: &mut Vec<String>,
) -> Result<Vec<Picture>> {
    // Sets for training lie as Images/** beside Labels/**.
    let images = folder.join("Images");
    let root = if images.is_dir() { images } else { folder.to_path_buf() };
    let mut files = Vec::new();
    list(&root, 0, &mut files)?;
    let mut png = Vec::new();
    for file in &files {
        if is_png(file)? {
            png.push(file.clone());
        }
    }
    let dicom = match dicom_pictures(&root) {
        Err(FormatsError::NotRecognised { .. }) => Vec::new(),
        found => found?,
    };
    let refuse = |found: &str| {
        Err(Error::Unusable(format!("{input}: expected a folder of DICOM images or of PNG pictures, found {found}")))
    };
    let known: HashSet<&Path> =
        dicom.iter().map(|picture| picture.path.as_path()).chain(png.iter().map(PathBuf::as_path)).collect();
    no_strays(files.iter().map(PathBuf::as_path).filter(|file| !known.contains(file)), warnings)?;
    match (dicom.is_empty(), png.is_empty()) {
        (true, true) => refuse("neither"),
        (false, false) => refuse("both"),
        (true, false) => Ok(png.iter().map(|path| Picture::png(path, &root)).collect()),
        (false, true) => {
            let chosen = one_patient(input, dicom, &arguments.series, warnings)?;
            Ok(chosen.into_iter().map(|dicom| Picture::dicom(dicom, &root)).collect())
        }
    }
}

/// Files that are not what they are called would be missing from volumes without a word.
///
/// # Errors
/// One that is called DICOM or PNG.
fn no_strays<'a>(files: impl Iterator<Item = &'a Path>, warnings: &mut Vec<String>) -> Result<()> {
    let (mut nameless, mut first) = (0, None);
    for file in files {
        let ending = file.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        let expected = match ending.as_deref() {
            Some("png") => "a PNG picture",
            Some("dcm" | "dicom" | "ima") => "a DICOM image",
            None if file_name(file) != "DICOMDIR" => {
                nameless += 1;
                first.get_or_insert(file);
                continue;
            }
            _ => continue,
        };
        let bytes = std::fs::metadata(file).map_or(0, |data| data.len());
        let found = if bytes == 0 { "an empty file".to_owned() } else { format!("{bytes} bytes of something else") };
        return Err(Error::Unusable(format!("{}: expected {expected}, found {found}", file.display())));
    }
    if let Some(first) = first {
        warnings.push(format!(
            "{nameless} files without an ending are no DICOM images and were left out: {} ..",
            file_name(first)
        ));
    }
    Ok(())
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Files in the order of their names, hidden ones left out.
fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    let io = |path: &Path| {
        let path = path.to_path_buf();
        move |source| FormatsError::Io { path, source }
    };
    let mut entries: Vec<_> = std::fs::read_dir(folder).and_then(|entries| entries.collect()).map_err(io(folder))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if file_name(&path).starts_with('.') {
            continue;
        }
        if entry.file_type().map_err(io(&path))?.is_dir() {
            if depth < DEEPEST_FOLDER {
                list(&path, depth + 1, files)?;
            }
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

fn is_png(path: &Path) -> Result<bool> {
    let io = |source| FormatsError::Io { path: path.into(), source };
    let mut head = [0; PNG.len()];
    match std::fs::File::open(path).map_err(io)?.read_exact(&mut head) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| head == PNG).map_err(|source| io(source).into()),
    }
}

/// Names cases, and gives each picture's mask its place among the results: flat where all names differ, else in folders, and
/// in those of the cases where `several` inputs were given.
///
/// # Errors
/// [`Error::Usage`] for two pictures of one name in one folder.
pub(super) fn places(inputs: &[&Input], cases: &mut [Case], several: bool) -> Result<Vec<Vec<PathBuf>>> {
    let paths: Vec<PathBuf> = inputs.iter().map(|input| input.path()).collect();
    for (case, name) in cases.iter_mut().zip(names(&paths)) {
        case.name = name;
    }
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for picture in cases.iter().flat_map(|case| &case.pictures) {
        *counts.entry(&picture.stem).or_default() += 1;
    }
    let is_flat = counts.values().all(|&count| count == 1);
    let place = |case: &Case, picture: &Picture| {
        let mask = format!("{}.png", picture.stem);
        match (is_flat, several) {
            (true, _) => PathBuf::from(mask),
            (false, false) => picture.folder.join(mask),
            (false, true) => Path::new(&case.name).join(&picture.folder).join(mask),
        }
    };
    let places: Vec<Vec<PathBuf>> =
        cases.iter().map(|case| case.pictures.iter().map(|picture| place(case, picture)).collect()).collect();
    let mut seen = HashMap::new();
    for (place, picture) in places.iter().flatten().zip(cases.iter().flat_map(|case| &case.pictures)) {
        for result in [place.clone(), place.with_file_name(picture.contour_name())] {
            if let Some(other) = seen.insert(result.clone(), picture) {
                let (first, second) = (other.path.display(), picture.path.display());
                return Err(Error::Usage(format!("{}: would be of both {first} and {second}", result.display())));
            }
        }
    }
    Ok(places)
}
