use super::frame_files::{FrameKey, Patients, files_below, key_of};
use crate::args::EvaluateVentricle;
use crate::{Error, Result};
use brainmesh_formats::VolumeOptions;
use std::collections::BTreeMap;
use std::path::Path;

/// The commonest spacing of the Sunnybrook pictures, which have lost theirs: 350 mm in 256 pixels.
const NOMINAL_MM: f64 = 350.0 / 256.0;

/// Stands for the patient of all files where there is but one; no name of a file or folder is this.
const ONE_PATIENT: &str = "/";

/// Distance of columns and of rows in mm.
pub(super) enum Spacing {
    /// Of all frames, and where it comes from.
    One([f64; 2], &'static str),
    /// By patient and frame number, from DICOM files in this folder.
    Dicom(String, BTreeMap<(String, Option<u64>), [f64; 2]>),
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

    /// Of a frame: that of its file, else the one that all files of its patient have.
    pub fn mm(&self, key: &FrameKey) -> Result<[f64; 2]> {
        let (folder, files) = match self {
            Self::One(mm, _) => return Ok(*mm),
            Self::Dicom(folder, files) => (folder, files),
        };
        let is_of = |patient: &str| patient == key.patient || patient == ONE_PATIENT;
        let candidates: Vec<_> = files.iter().filter(|((patient, _), _)| is_of(patient)).collect();
        if let Some((_, mm)) = candidates.iter().find(|((_, number), _)| *number == key.number()) {
            return Ok(**mm);
        }
        match candidates.first() {
            Some((_, mm)) if candidates.iter().all(|(_, other)| other == mm) => Ok(**mm),
            first => Err(Error::Unusable(format!(
                "{folder}: expected the pixel spacing of frame {} of {}, found {}",
                key.frame,
                key.patient,
                if first.is_some() { "several of the patient's frames" } else { "no file of that patient" }
            ))),
        }
    }
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
        if let Some(other) = files.insert((key.patient.clone(), key.number()), rounded)
            && other != rounded
        {
            return Err(Error::Unusable(format!(
                "{}: expected pixels of {} x {} mm as in another file of this number, found {} x {}",
                path.display(),
                other[0],
                other[1],
                rounded[0],
                rounded[1]
            )));
        }
    }
    if files.is_empty() {
        return Err(Error::Unusable(format!("{}: expected DICOM files, found none", folder.display())));
    }
    Ok(Spacing::Dicom(folder.display().to_string(), files))
}
