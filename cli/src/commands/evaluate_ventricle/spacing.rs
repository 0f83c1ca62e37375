use super::frame_files::{FrameKey, Patients, files_below, key_of};
use crate::args::EvaluateVentricle;
use crate::{Error, Result};
use brainmesh_formats::VolumeOptions;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The commonest spacing of the Sunnybrook pictures, which have lost theirs: 350 mm in 256 pixels.
const NOMINAL_MM: f64 = 350.0 / 256.0;

/// Stands for the patient of all files where there is but one; no name of a file or folder is this.
const ONE_PATIENT: &str = "/";

/// What a DICOM file says of its picture.
#[derive(Debug, Clone)]
pub(super) struct DicomFile {
    pub path: PathBuf,
    /// Columns and rows.
    pub size: [usize; 2],
    /// Distance of columns and of rows.
    pub mm: [f64; 2],
}

impl DicomFile {
    fn is_like(&self, other: &Self) -> bool {
        self.size == other.size && self.mm == other.mm
    }
}

/// Distance of columns and of rows in mm.
pub(super) enum Spacing {
    /// Of all frames, and where it comes from.
    One([f64; 2], &'static str),
    /// By patient and frame number, from DICOM files in this folder.
    Dicom(String, BTreeMap<(String, Option<u64>), DicomFile>),
}

impl Spacing {
    pub fn of(arguments: &EvaluateVentricle, patients: &Patients) -> Result<Self> {
        if let Some(folder) = &arguments.dicom {
            return dicom(folder, patients, arguments.one_patient);
        }
        if let Some(bad) = arguments.spacing_mm.iter().find(|mm| !(**mm > 0.0 && mm.is_finite())) {
            return Err(Error::Usage(format!("--spacing-mm: expected lengths above 0, found {bad}")));
        }
        Ok(match arguments.spacing_mm[..] {
            [] => Self::One([NOMINAL_MM; 2], "nominal"),
            [both] => Self::One([both; 2], "given"),
            [rows, columns, ..] => Self::One([columns, rows], "given"),
        })
    }

    /// Where it comes from.
    pub fn source(&self) -> &'static str {
        match self {
            Self::One(_, source) => source,
            Self::Dicom(..) => "dicom",
        }
    }

    /// Of a frame: that of its file, else the one that all files of its patient have; and that file, whose picture the
    /// frame's masks and contours must fit.
    pub fn of_frame(&self, key: &FrameKey) -> Result<([f64; 2], Option<&DicomFile>)> {
        let (folder, files) = match self {
            Self::One(mm, _) => return Ok((*mm, None)),
            Self::Dicom(folder, files) => (folder, files),
        };
        if let Some(file) = own_file(files, key) {
            return Ok((file.mm, Some(file)));
        }
        let is_of = |patient: &str| patient == key.patient || patient == ONE_PATIENT;
        let candidates: Vec<_> =
            files.iter().filter(|((patient, _), _)| is_of(patient)).map(|(_, file)| file).collect();
        match candidates.first() {
            Some(file) if candidates.iter().all(|other| other.is_like(file)) => Ok((file.mm, Some(file))),
            first => Err(Error::Unusable(format!(
                "{folder}: expected the pixel spacing of frame {} of {}, found {}",
                key.frame,
                key.patient,
                if first.is_some() { "several of the patient's frames" } else { "no file of that patient" }
            ))),
        }
    }

    /// Of frames without a file of their own: those of another patient would look like this.
    pub fn warning<'a>(&self, keys: impl Iterator<Item = &'a FrameKey>) -> Option<String> {
        let Self::Dicom(folder, files) = self else { return None };
        let without: Vec<&FrameKey> = keys.filter(|key| own_file(files, key).is_none()).collect();
        let first = without.first()?;
        Some(format!(
            "{folder}: no DICOM file has the number of {} of the frames (the first: {} of {}): the pixel size that all \
             files share is taken; are they of the same patient?",
            without.len(),
            first.frame,
            first.patient
        ))
    }
}

/// The file with the number of a frame.
fn own_file<'a>(files: &'a BTreeMap<(String, Option<u64>), DicomFile>, key: &FrameKey) -> Option<&'a DicomFile> {
    let of = |patient: &str| files.get(&(patient.to_owned(), key.number()));
    of(&key.patient).or_else(|| of(ONE_PATIENT))
}

fn dicom(folder: &Path, patients: &Patients, one_patient: bool) -> Result<Spacing> {
    let mut files = BTreeMap::new();
    for path in files_below(folder)? {
        let reader = match VolumeOptions::default().open(&path) {
            Err(brainmesh_formats::Error::NotRecognised { .. }) => continue,
            reader => reader?,
        };
        if reader.info().format != "DICOM" {
            continue;
        }
        let mut key = key_of(&path, patients);
        if one_patient {
            key.patient = ONE_PATIENT.into();
        }
        let [i_mm, j_mm, _] = reader.grid().spacing_mm();
        // The axes are unit vectors of a few digits: their length is that of the header to a billionth.
        let rounded = [i_mm, j_mm].map(|mm| (mm * 1e6).round() / 1e6);
        let [columns, rows, _] = reader.grid().shape();
        let file = DicomFile { path: path.clone(), size: [columns, rows], mm: rounded };
        if let Some(other) = files.insert((key.patient.clone(), key.number()), file.clone())
            && !other.is_like(&file)
        {
            let say = |DicomFile { size: [columns, rows], mm, .. }: &DicomFile| {
                format!("{columns} x {rows} pixels of {} x {} mm", mm[0], mm[1])
            };
            return Err(Error::Unusable(format!(
                "{}: expected {} as in another file of this number ({}), found {}",
                path.display(),
                say(&other),
                other.path.display(),
                say(&file)
            )));
        }
    }
    if files.is_empty() {
        return Err(Error::Unusable(format!("{}: expected DICOM files, found none", folder.display())));
    }
    Ok(Spacing::Dicom(folder.display().to_string(), files))
}
