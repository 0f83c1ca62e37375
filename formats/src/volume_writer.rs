use crate::{Extension, Result, VolumeFormat, Voxel, fault, meta_image, mgh, minc, nifti, nrrd, ome_zarr, tiff_stack};
use brainmesh_core::{Grid, LabelTable, Monitor, Silent, Volume};
use std::ops::Range;
use std::path::Path;

/// Writes one volume, whole or not at all, in the format its name asks for; values are stored as they are.
///
/// ```
/// use brainmesh_core::{Grid, Volume};
/// use brainmesh_formats::{read_volume, write_volume};
/// use glam::{DAffine3, DVec3};
/// let grid = Grid::new([2, 1, 1], DAffine3::from_scale(DVec3::new(-0.5, 0.5, 2.0)), "scanner")?;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("labels.nii.gz");
/// write_volume(&path, &Volume::new(grid.clone(), vec![3u8, 7])?)?;
/// let back = read_volume(&path)?;
/// assert_eq!((back.data(), back.grid()), ([3.0, 7.0].as_slice(), &grid));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A name that asks for no known format, a grid or type that the format cannot hold, a folder that cannot be written.
pub fn write_volume<T: Voxel>(path: &Path, volume: &Volume<T>) -> Result<()> {
    VolumeWriter::default().write(path, std::slice::from_ref(volume), &Silent)
}

/// What goes into a volume file beside its voxels. A format leaves out what it has no place for.
#[derive(Debug, Clone, Default)]
pub struct VolumeWriter {
    pub(crate) scaling: Option<(f64, f64)>,
    pub(crate) labels: LabelTable,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) time_step_s: Option<f64>,
    pub(crate) zarr_v2: bool,
}

impl VolumeWriter {
    /// States that `intensity = slope * value + intercept` for the values given.
    #[must_use]
    pub fn with_scaling(mut self, slope: f64, intercept: f64) -> Self {
        self.scaling = Some((slope, intercept));
        self
    }

    /// Names and colours of the labels that the values are.
    #[must_use]
    pub fn with_labels(mut self, labels: LabelTable) -> Self {
        self.labels = labels;
        self
    }

    /// NIfTI header extensions.
    #[must_use]
    pub fn with_extensions(mut self, extensions: Vec<Extension>) -> Self {
        self.extensions = extensions;
        self
    }

    /// Time between volumes.
    #[must_use]
    pub fn with_time_step_s(mut self, seconds: Option<f64>) -> Self {
        self.time_step_s = seconds;
        self
    }

    /// Writes OME-Zarr 0.4 on zarr v2, which older programs read, rather than 0.5 on zarr v3.
    #[must_use]
    pub fn with_zarr_v2(mut self, is_v2: bool) -> Self {
        self.zarr_v2 = is_v2;
        self
    }

    /// Writes volumes of one grid, the time points of a series for example, in the format the name asks for.
    ///
    /// # Errors
    /// As [`write_volume`]; no volume; volumes of different grids; more than one for a format that holds one; scaling for a
    /// format without it; cancelled.
    pub fn write<T: Voxel>(&self, path: &Path, volumes: &[Volume<T>], monitor: &dyn Monitor) -> Result<()> {
        let format = VolumeFormat::of_output(path)?;
        let Some((first, rest)) = volumes.split_first() else {
            return Err(fault::invalid(path, "volumes", "at least one", 0));
        };
        if rest.iter().any(|volume| volume.grid() != first.grid()) {
            return Err(fault::invalid(path, "volumes", "one grid for all", "different grids"));
        }
        if let Some((slope, intercept)) = self.scaling.filter(|_| !format.carries_scaling()) {
            let found = format!("slope {slope}, intercept {intercept}");
            let supported = format!("none: {format:?} has no place for it");
            return Err(fault::unsupported(path, "scaling", found, &supported));
        }
        T::write(self, path, format, volumes, monitor)
    }

    /// Writes volumes of one grid.
    pub(crate) fn write_as<T: Voxel>(
        &self,
        path: &Path,
        format: VolumeFormat,
        volumes: &[Volume<T>],
        monitor: &dyn Monitor,
    ) -> Result<()> {
        match format {
            VolumeFormat::Minc => minc::write(path, volumes, self, monitor),
            VolumeFormat::Nifti => nifti::write(path, volumes, self, monitor),
            VolumeFormat::Mgh => mgh::write(path, volumes, self, monitor),
            VolumeFormat::Nrrd => nrrd::write(path, volumes, self, monitor),
            VolumeFormat::MetaImage => meta_image::write(path, volumes, self, monitor),
            VolumeFormat::OmeZarr => ome_zarr::write(path, volumes, self, monitor),
            VolumeFormat::Tiff => tiff_stack::write(path, volumes, self, monitor),
        }
    }

    /// Writes volumes that are made a slab at a time, so that a format that can take them one after another (NIfTI) never
    /// has all of them in memory.
    pub(crate) fn write_slabs<T: Voxel>(
        &self,
        path: &Path,
        format: VolumeFormat,
        slabs: &Slabs<T>,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        if format == VolumeFormat::Nifti {
            return nifti::write_slabs(path, slabs, self, monitor);
        }
        let whole = 0..slabs.grid.shape()[2];
        let volumes =
            (0..slabs.volumes).map(|n| (slabs.make)(n, whole.clone(), monitor)).collect::<Result<Vec<_>>>()?;
        self.write(path, &volumes, monitor)
    }
}

/// Volumes that are made slab by slab.
pub(crate) struct Slabs<'a, T> {
    pub grid: &'a Grid,
    pub volumes: usize,
    /// Slices to make at a time.
    pub slices: usize,
    /// Makes slices of a volume.
    pub make: &'a SlabMaker<'a, T>,
}

/// Number of the volume, slices, whom to tell.
type SlabMaker<'a, T> = dyn Fn(usize, Range<usize>, &dyn Monitor) -> Result<Volume<T>> + 'a;
