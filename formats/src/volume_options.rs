use crate::Result;
use crate::volume_file::read_with;
use brainmesh_core::Volume;
use std::path::Path;

/// Which of the volumes of a file to read; the first, where nothing is asked for.
///
/// ```no_run
/// use brainmesh_formats::VolumeOptions;
/// let fourth = VolumeOptions::default().with_volume_index(3).read("bold.nii.gz".as_ref())?;
/// # Ok::<(), brainmesh_formats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VolumeOptions {
    pub(crate) volume_index: usize,
    pub(crate) series: Option<String>,
    pub(crate) repair: bool,
}

impl VolumeOptions {
    /// Reads volume `index`, counted from 0, of a file with a time or another fourth axis.
    #[must_use]
    pub fn with_volume_index(mut self, index: usize) -> Self {
        self.volume_index = index;
        self
    }

    /// Reads the DICOM series with this `SeriesInstanceUID`, or one of its kinds of slices, as `UID/2`; other formats hold no
    /// series and ignore it.
    #[must_use]
    pub fn with_series(mut self, uid: impl Into<String>) -> Self {
        self.series = Some(uid.into());
        self
    }

    /// Repairs the faults of a DICOM series where that invents nothing; what was done stands in
    /// [`VolumeInfo::warnings`](crate::VolumeInfo::warnings). Without it every fault is an error.
    #[must_use]
    pub fn with_repair(mut self, repair: bool) -> Self {
        self.repair = repair;
        self
    }

    /// Reads a volume. See [`read_volume`](crate::read_volume).
    ///
    /// # Errors
    /// As [`read_volume`](crate::read_volume), and [`Error::Invalid`](crate::Error::Invalid) where the file has no such volume.
    pub fn read(&self, path: &Path) -> Result<Volume<f32>> {
        read_with(path, self)
    }
}
