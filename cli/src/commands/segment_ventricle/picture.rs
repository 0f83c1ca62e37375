use crate::{Error, Result};
use brainmesh_core::Silent;
use brainmesh_formats::{DicomPicture, VolumeOptions};
use std::path::{Path, PathBuf};

/// Networks see nothing in smaller ones.
const SMALLEST: usize = 64;
/// Below this no magnitude of MR lies; air in CT has -1000.
const HOUNSFIELD: f32 = -300.0;

/// One picture to look at.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub path: PathBuf,
    /// Name without ending; with the number of the frame, where a file has several.
    pub stem: String,
    /// Its folder, from that of the input.
    pub folder: PathBuf,
    /// What a DICOM header says.
    pub dicom: Option<DicomPicture>,
}

/// Its intensities.
pub(super) struct Pixels {
    pub values: Vec<f32>,
    pub size: [usize; 2],
}

impl Picture {
    pub fn png(path: &Path, root: &Path) -> Self {
        Self { path: path.into(), stem: stem(path), folder: folder(path, root), dicom: None }
    }

    pub fn dicom(dicom: DicomPicture, root: &Path) -> Self {
        let path = dicom.path.clone();
        let stem = if dicom.frames > 1 { format!("{}-{:04}", stem(&path), dicom.frame + 1) } else { stem(&path) };
        Self { stem, folder: folder(&path, root), path, dicom: Some(dicom) }
    }

    /// For messages.
    pub fn name(&self) -> String {
        self.dicom.as_ref().map_or_else(|| file_name(&self.path), DicomPicture::name)
    }

    /// Distances of pixels along rows and columns, as the header has them.
    pub fn spacing_mm(&self) -> Option<[f64; 2]> {
        self.dicom.as_ref().and_then(|dicom| dicom.spacing_mm)
    }

    /// Name of the contour file in the challenge's form. The set's DICOM files are called by their bare number where their
    /// contours are called `IM-0001-NUMBER`.
    pub fn contour_name(&self) -> String {
        let stem = self.stem.strip_suffix(".dcm").unwrap_or(&self.stem);
        match stem.parse::<u32>() {
            Ok(number) if self.dicom.is_some() => format!("IM-0001-{number:04}-icontour-auto.txt"),
            _ => format!("{stem}-icontour-auto.txt"),
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// Files that cannot be read; colours, constant pictures, masks, pictures too small, Hounsfield units.
    pub fn read(&self) -> Result<Pixels> {
        let (values, size) = match &self.dicom {
            Some(dicom) => (dicom.read()?, dicom.size),
            None => read_png(&self.path)?,
        };
        let refuse = |field: &str, expected: &str, found: String| {
            Error::Unusable(format!("{}: {field}: expected {expected}, found {found}", self.path.display()))
        };
        let [width, height] = size;
        if width.min(height) < SMALLEST {
            let expected = format!("at least {SMALLEST} x {SMALLEST} pixels");
            return Err(refuse("picture", &expected, format!("{width} x {height}")));
        }
        let first = values.first().copied().unwrap_or_default();
        let other = values.iter().copied().find(|&value| value != first);
        if values.iter().all(|&value| value == first || Some(value) == other) {
            let found = if other.is_some() { "two values only (a mask?)" } else { "the same value everywhere" };
            return Err(refuse("picture", "an MR picture", found.into()));
        }
        let below = values.iter().filter(|&&value| value < HOUNSFIELD).count();
        if self.dicom.as_ref().is_some_and(|dicom| !dicom.low_is_white) && below * 100 > values.len() {
            let lowest = values.iter().copied().fold(f32::INFINITY, f32::min);
            return Err(refuse("intensities", "those of MR", format!("values down to {lowest} (Hounsfield units?)")));
        }
        Ok(Pixels { values, size })
    }
}

fn read_png(path: &Path) -> Result<(Vec<f32>, [usize; 2])> {
    let reader = VolumeOptions::default().open(path)?;
    let planes = reader.info().volumes;
    let grey = reader.read::<f32>(0, &Silent)?;
    let refuse = |found: &str| {
        Err(Error::Unusable(format!("{}: colours: expected a grey picture, found {found}", path.display())))
    };
    // Grey, grey and alpha, colours, colours and alpha.
    let (colours, alpha) = (planes.saturating_sub(1) & 2, (planes % 2 == 0).then(|| planes - 1));
    for plane in 1..=colours {
        if reader.read::<f32>(plane, &Silent)?.data() != grey.data() {
            return refuse("three channels that differ");
        }
    }
    if let Some(alpha) = alpha {
        let alpha = reader.read::<f32>(alpha, &Silent)?;
        if alpha.data().iter().any(|value| Some(value) != alpha.data().first()) {
            return refuse("one that is transparent in parts");
        }
    }
    let [width, height, _] = grey.grid().shape();
    Ok((grey.into_parts().1, [width, height]))
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Without the last ending; names of only digits and dots, as of UIDs, are kept whole.
fn stem(path: &Path) -> String {
    let name = file_name(path);
    let is_uid = name.matches('.').count() > 2 && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_uid { name } else { path.file_stem().unwrap_or_default().to_string_lossy().into_owned() }
}

fn folder(path: &Path, root: &Path) -> PathBuf {
    let parent = path.parent().unwrap_or(Path::new(""));
    parent.strip_prefix(root).unwrap_or(Path::new("")).to_path_buf()
}
