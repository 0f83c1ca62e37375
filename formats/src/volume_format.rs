use crate::{Result, StoredType, fault};
use std::path::Path;

/// Volume formats that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum VolumeFormat {
    /// NIfTI-1, or NIfTI-2 where an axis is longer than 32,767 voxels: `.nii`, `.nii.gz`, `.hdr` with `.img`.
    Nifti,
    /// MINC2, chunked and compressed: `.mnc`.
    Minc,
    /// FreeSurfer's MGH: `.mgz`, `.mgh`.
    Mgh,
    /// NRRD: `.nrrd`, `.nhdr` with `.raw`; `.seg.nrrd` as 3D Slicer's segmentation.
    Nrrd,
    /// MetaImage: `.mha`, `.mhd` with `.raw`.
    MetaImage,
    /// OME-Zarr 0.5, or 0.4 where [`VolumeWriter::with_zarr_v2`](crate::VolumeWriter::with_zarr_v2) asks for it: a folder
    /// `.ome.zarr` or `.zarr`.
    OmeZarr,
    /// OME-TIFF, BigTIFF beyond 4 GB: `.ome.tif`, `.tif`, `.tiff`.
    Tiff,
}

impl VolumeFormat {
    /// Every format.
    pub const ALL: [Self; 7] =
        [Self::Nifti, Self::Minc, Self::Mgh, Self::Nrrd, Self::MetaImage, Self::OmeZarr, Self::Tiff];

    /// The format a file name asks for.
    ///
    /// ```
    /// use brainmesh_formats::VolumeFormat;
    /// assert_eq!(VolumeFormat::from_path("a/brain.nii.gz".as_ref()), Some(VolumeFormat::Nifti));
    /// assert_eq!(VolumeFormat::from_path("brain.xyz".as_ref()), None);
    /// ```
    pub fn from_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if ends(&[".nii", ".nii.gz", ".hdr", ".img"]) {
            return Some(Self::Nifti);
        }
        if ends(&[".mnc"]) {
            return Some(Self::Minc);
        }
        if ends(&[".mgz", ".mgh", ".mgh.gz"]) {
            return Some(Self::Mgh);
        }
        if ends(&[".nrrd", ".nhdr"]) {
            return Some(Self::Nrrd);
        }
        if ends(&[".mha", ".mhd"]) {
            return Some(Self::MetaImage);
        }
        if ends(&[".zarr"]) {
            return Some(Self::OmeZarr);
        }
        if ends(&[".tif", ".tiff"]) {
            return Some(Self::Tiff);
        }
        None
    }

    /// [`from_path`](Self::from_path) for a file that is to be written.
    ///
    /// # Errors
    /// An unknown ending; the error lists the known ones.
    pub fn of_output(path: &Path) -> Result<Self> {
        Self::from_path(path).ok_or_else(|| {
            let endings: Vec<_> = Self::ALL.into_iter().flat_map(Self::extensions).map(|e| format!(".{e}")).collect();
            let expected = format!("one of the endings {}", endings.join(" "));
            fault::invalid(path, "file name", expected, path.file_name().unwrap_or_default().display())
        })
    }

    /// Endings of its names, the usual one first.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Nifti => &["nii.gz", "nii", "hdr", "img"],
            Self::Minc => &["mnc"],
            Self::Mgh => &["mgz", "mgh"],
            Self::Nrrd => &["nrrd", "nhdr", "seg.nrrd"],
            Self::MetaImage => &["mha", "mhd"],
            Self::OmeZarr => &["ome.zarr", "zarr"],
            Self::Tiff => &["ome.tif", "ome.tiff", "tif", "tiff"],
        }
    }

    /// Whether a slope and an intercept can stand beside the values.
    pub fn carries_scaling(self) -> bool {
        matches!(self, Self::Nifti | Self::Minc)
    }

    /// Whether values can be of a type.
    pub fn stores(self, stored: StoredType) -> bool {
        match self {
            Self::Nifti | Self::Nrrd | Self::MetaImage | Self::OmeZarr => true,
            Self::Minc | Self::Tiff => !matches!(stored, StoredType::Int64 | StoredType::Uint64),
            Self::Mgh => {
                use StoredType::{Float32, Int16, Int32, Uint8, Uint16};
                matches!(stored, Uint8 | Int16 | Uint16 | Int32 | Float32)
            }
        }
    }
}
