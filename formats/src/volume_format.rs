use std::path::Path;

/// Volume formats that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum VolumeFormat {
    /// NIfTI-1, or NIfTI-2 where an axis is longer than 32,767 voxels: `.nii`, `.nii.gz`, `.hdr` with `.img`.
    Nifti,
    /// OME-Zarr 0.5, or 0.4 where [`VolumeWriter::with_zarr_v2`](crate::VolumeWriter::with_zarr_v2) asks for it: a folder
    /// `.ome.zarr` or `.zarr`.
    OmeZarr,
    /// OME-TIFF, BigTIFF beyond 4 GB: `.ome.tif`, `.tif`, `.tiff`.
    Tiff,
}

impl VolumeFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Nifti, Self::OmeZarr, Self::Tiff];

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
        if ends(&[".zarr"]) {
            return Some(Self::OmeZarr);
        }
        if ends(&[".tif", ".tiff"]) {
            return Some(Self::Tiff);
        }
        None
    }

    /// Endings of its names, the usual one first.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Nifti => &["nii.gz", "nii", "hdr", "img"],
            Self::OmeZarr => &["ome.zarr", "zarr"],
            Self::Tiff => &["ome.tif", "ome.tiff", "tif", "tiff"],
        }
    }
}
