use crate::volume_file::open_with;
use crate::volume_reader::Region;
use crate::{Result, VolumeReader, Voxel, fault};
use brainmesh_core::{Silent, Volume};
use std::path::Path;

/// Which of the volumes of a file to read, and which part of it; the first and all of it, where nothing is asked for.
///
/// ```no_run
/// use brainmesh_formats::VolumeOptions;
/// let fourth = VolumeOptions::default().with_volume_index(3).read("bold.nii.gz".as_ref())?;
/// # Ok::<(), brainmesh_formats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VolumeOptions {
    pub(crate) volume_index: Option<usize>,
    pub(crate) region: Option<Region>,
    pub(crate) series: Option<String>,
    pub(crate) repair: bool,
    pub(crate) level: usize,
    pub(crate) spacing_mm: Option<[f64; 3]>,
    pub(crate) separate_slices: bool,
}

impl VolumeOptions {
    /// Reads volume `index`, counted from 0, of a file with a time or another fourth axis, or with several planes.
    #[must_use]
    pub fn with_volume_index(mut self, index: usize) -> Self {
        self.volume_index = Some(index);
        self
    }

    /// Reads a part of the volume.
    #[must_use]
    pub fn with_region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }

    /// Reads the DICOM series with this `SeriesInstanceUID`; other formats hold no series and ignore it.
    #[must_use]
    pub fn with_series(mut self, uid: impl Into<String>) -> Self {
        self.series = Some(uid.into());
        self
    }

    /// Mends what is wrong with a DICOM series where that is possible, and says so in the warnings of
    /// [`VolumeInfo`](crate::VolumeInfo); without it such a series is refused.
    #[must_use]
    pub fn with_repair(mut self, repair: bool) -> Self {
        self.repair = repair;
        self
    }

    /// Reads level `level` of an image that is stored at several resolutions, 0 the finest (OME-Zarr); other formats have
    /// level 0 alone and ignore it.
    #[must_use]
    pub fn with_level(mut self, level: usize) -> Self {
        self.level = level;
        self
    }

    /// States the distance between voxel centres along `i`, `j`, `k` (at level 0) of a file that does not say where in the
    /// world its voxels lie: TIFF, PNG, OME-Zarr. Formats with a placement of their own ignore it.
    #[must_use]
    pub fn with_spacing_mm(mut self, spacing_mm: [f64; 3]) -> Self {
        self.spacing_mm = Some(spacing_mm);
        self
    }

    /// Takes the pictures of a folder in the natural order of their names (2 before 10), whatever the names are and whichever
    /// numbers are missing: for slices that are looked at one by one.
    #[must_use]
    pub fn with_separate_slices(mut self, are_separate: bool) -> Self {
        self.separate_slices = are_separate;
        self
    }

    /// Opens a volume: its headers are read and checked.
    ///
    /// # Errors
    /// As [`read_volume`](crate::read_volume), as far as the headers show it.
    pub fn open(&self, path: &Path) -> Result<VolumeReader> {
        open_with(path, self)
    }

    /// Reads a volume. See [`read_volume`](crate::read_volume).
    ///
    /// # Errors
    /// As [`read_volume`](crate::read_volume), and [`Error::Invalid`](crate::Error::Invalid) where the file has no such volume.
    pub fn read(&self, path: &Path) -> Result<Volume<f32>> {
        self.read_as(path)
    }

    /// Reads a volume as values of type `T`: `u8` or `i32` for labels, `f64` where `f32` rounds.
    ///
    /// # Errors
    /// As [`read`](Self::read), and where an intensity is not a value of `T`.
    pub fn read_as<T: Voxel>(&self, path: &Path) -> Result<Volume<T>> {
        let file = self.open(path)?;
        let planes = &file.info().planes;
        if self.volume_index.is_none() && !planes.is_empty() {
            let found = format!("{} values a voxel ({})", planes.len(), planes.join(", "));
            return Err(fault::unsupported(path, "voxels", found, "one of them, chosen by its volume index"));
        }
        let region = self.region.clone().unwrap_or_else(|| file.grid().shape().map(|n| 0..n));
        file.read_region(self.volume_index.unwrap_or(0), &region, &Silent)
    }
}
