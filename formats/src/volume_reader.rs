use crate::raw::RawVoxels;
use crate::volume_info::rows;
use crate::{
    Extension, Result, Scaling, StoredType, VolumeInfo, Voxel, dicom, fault, memory, minc, ome_zarr, png_slices,
    tiff_stack,
};
use brainmesh_core::{Grid, LabelTable, Monitor, Volume};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Voxels `start..end` along `i`, `j`, `k`.
pub type Region = [Range<usize>; 3];

/// An open volume file: headers are read and checked, voxels are not read until asked for.
///
/// ```no_run
/// use brainmesh_core::Silent;
/// use brainmesh_formats::VolumeOptions;
/// // One slice of a volume that may be larger than memory.
/// let file = VolumeOptions::default().open("section_0100.nii".as_ref())?;
/// let [ni, nj, _] = file.grid().shape();
/// let slice = file.read_region::<f32>(0, &[0..ni, 0..nj, 40..41], &Silent)?;
/// # Ok::<(), brainmesh_formats::Error>(())
/// ```
#[derive(Debug)]
pub struct VolumeReader {
    path: PathBuf,
    grid: Grid,
    stored: StoredType,
    volumes: usize,
    info: VolumeInfo,
    pub(crate) labels: LabelTable,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) voxels: Voxels,
}

/// Where voxels come from; every format has its way.
#[derive(Debug)]
pub(crate) enum Voxels {
    Raw(RawVoxels),
    Minc(minc::Image),
    Dicom(dicom::Series),
    OmeZarr(Box<ome_zarr::Image>),
    Tiff(tiff_stack::Stack),
    Png(png_slices::Slices),
}

/// What a format's reader finds in the headers.
pub(crate) struct Opened {
    pub path: PathBuf,
    pub format: &'static str,
    pub grid: Grid,
    /// All of them: time points times planes.
    pub volumes: usize,
    pub stored: StoredType,
    pub scaling: Scaling,
    pub voxels: Voxels,
}

impl VolumeReader {
    pub(crate) fn new(opened: Opened) -> Self {
        let Opened { path, format, grid, volumes, stored, scaling, voxels } = opened;
        let info = VolumeInfo {
            format,
            shape: grid.shape(),
            volumes,
            planes: Vec::new(),
            spacing_mm: grid.spacing_mm(),
            time_step_s: None,
            orientation: grid.orientation().to_string(),
            world_from_voxel: rows(grid.affine()),
            world: grid.world().into(),
            stored,
            scaling,
            compression: match &voxels {
                Voxels::Raw(raw) => raw.packing().into(),
                _ => "in the format".into(),
            },
            lazy: match &voxels {
                Voxels::Raw(raw) => raw.is_lazy(),
                _ => true,
            },
            levels: 1,
            labels: 0,
            extensions: 0,
            warnings: Vec::new(),
        };
        let (labels, extensions) = (LabelTable::default(), Vec::new());
        Self { path, grid, stored, volumes, info, labels, extensions, voxels }
    }

    /// Adds a name for each of the values that every voxel holds.
    pub(crate) fn with_planes(mut self, names: &[&str]) -> Self {
        self.info.planes = names.iter().map(|&name| name.into()).collect();
        self
    }

    pub(crate) fn with_levels(mut self, levels: usize) -> Self {
        self.info.levels = levels;
        self
    }

    pub(crate) fn with_time_step_s(mut self, seconds: Option<f64>) -> Self {
        self.info.time_step_s = seconds;
        self
    }

    pub(crate) fn with_labels(mut self, labels: LabelTable) -> Self {
        self.info.labels = labels.0.len();
        self.labels = labels;
        self
    }

    pub(crate) fn with_extensions(mut self, extensions: Vec<Extension>) -> Self {
        self.info.extensions = extensions.len();
        self.extensions = extensions;
        self
    }

    pub(crate) fn with_warnings(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        self.info.warnings.extend(warnings);
        self
    }

    /// What the headers say.
    pub fn info(&self) -> &VolumeInfo {
        &self.info
    }

    /// The file or folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Prepares for many reads: a gzip stream, which can only be read from its start, is decoded into memory once.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn load(&self) -> Result<()> {
        match &self.voxels {
            Voxels::Raw(raw) => raw.load(),
            _ => Ok(()),
        }
    }

    /// Whether many parts, read one after another, take little longer than the whole.
    pub(crate) fn reads_parts(&self) -> bool {
        match &self.voxels {
            Voxels::Raw(raw) => raw.is_lazy(),
            Voxels::Minc(_) | Voxels::OmeZarr(_) | Voxels::Tiff(_) | Voxels::Png(_) => true,
            Voxels::Dicom(_) => false,
        }
    }

    /// Where the voxels lie.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// How values are stored.
    pub fn stored(&self) -> StoredType {
        self.stored
    }

    /// Names and colours of the labels, where the file has them.
    pub fn labels(&self) -> &LabelTable {
        &self.labels
    }

    /// NIfTI header extensions, as they stand in the file.
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// Reads volume `index`, scaled, counted from 0 over time points and other axes (and planes, which run fastest).
    ///
    /// # Errors
    /// As [`read_volume`](crate::read_volume); an index that is too large; an intensity that `T` cannot hold; cancelled.
    pub fn read<T: Voxel>(&self, index: usize, monitor: &dyn Monitor) -> Result<Volume<T>> {
        self.read_region(index, &self.grid.shape().map(|n| 0..n), monitor)
    }

    /// Reads a part of volume `index`; its grid is that of the part. Little more than the part is read from the file where
    /// [`VolumeInfo::lazy`] says so.
    ///
    /// # Errors
    /// As [`read`](Self::read); a region that is empty or not within the volume.
    pub fn read_region<T: Voxel>(&self, index: usize, region: &Region, monitor: &dyn Monitor) -> Result<Volume<T>> {
        self.read_part(index, region, monitor, |out, monitor| T::read(self, index, region, out, monitor))
    }

    /// Fills `out` with a region, which lies within the volume.
    pub(crate) fn fill<T: Voxel>(
        &self,
        index: usize,
        region: &Region,
        out: &mut [T],
        monitor: &dyn Monitor,
    ) -> Result<()> {
        match &self.voxels {
            Voxels::Raw(raw) => raw.read(index, region, out, monitor),
            Voxels::Minc(image) => image.read(index, region, out, monitor),
            Voxels::Dicom(series) => series.read(index, region, out, monitor),
            Voxels::OmeZarr(image) => image.read(index, region, out, monitor),
            Voxels::Tiff(stack) => stack.read(index, region, out, monitor),
            Voxels::Png(slices) => slices.read(index, region, out, monitor),
        }
    }

    /// Reads a part of volume `index` as it is stored: without the file's scaling, which must not be
    /// [`Scaling::PerSlice`].
    ///
    /// # Errors
    /// As [`read_region`](Self::read_region), and where slices have scalings of their own.
    pub fn read_stored_region<T: Voxel>(
        &self,
        index: usize,
        region: &Region,
        monitor: &dyn Monitor,
    ) -> Result<Volume<T>> {
        let per_slice = || fault::unsupported(&self.path, "scaling", "another for every slice", "one for all");
        match (&self.voxels, self.info.scaling) {
            (Voxels::Raw(raw), _) => {
                self.read_part(index, region, monitor, |out, monitor| raw.read_stored(index, region, out, monitor))
            }
            (_, Scaling::None) => self.read_region(index, region, monitor),
            (_, Scaling::PerSlice) => Err(per_slice()),
            (_, Scaling::Linear { slope, intercept }) => {
                let (grid, intensities) = self.read_region::<f64>(index, region, monitor)?.into_parts();
                let mut data = memory::zeros::<T>(&self.path, intensities.len())?;
                for (value, intensity) in data.iter_mut().zip(intensities) {
                    *value = T::of(((intensity - intercept) / slope).round()).0;
                    // The way back must lead to the same number, or this is not what was stored.
                    let apart = (value.to_f64() * slope + intercept - intensity).abs();
                    if apart.is_nan() || apart > 1e-6 * slope.abs() {
                        return Err(per_slice());
                    }
                }
                Volume::new(grid, data).map_err(fault::core(&self.path))
            }
        }
    }

    fn read_part<T: Voxel>(
        &self,
        index: usize,
        region: &Region,
        monitor: &dyn Monitor,
        fill: impl FnOnce(&mut [T], &dyn Monitor) -> Result<()>,
    ) -> Result<Volume<T>> {
        if index >= self.volumes {
            let expected = format!("below {} (the number of volumes)", self.volumes);
            return Err(fault::invalid(&self.path, "volume index", expected, index));
        }
        let shape = self.grid.shape();
        if region.iter().zip(shape).any(|(r, n)| r.is_empty() || r.end > n) {
            let found = format!("{region:?}");
            return Err(fault::invalid(&self.path, "region", format!("voxels within {shape:?}"), found));
        }
        let grid = self.grid.cropped(region).map_err(fault::core(&self.path))?;
        let mut data = memory::zeros(&self.path, grid.voxel_count())?;
        monitor.stage("reading", grid.voxel_count() as u64);
        fill(&mut data, monitor)?;
        Volume::new(grid, data).map_err(fault::core(&self.path))
    }

    /// Maps volume 0 into memory instead of reading it: instant, whatever its size, with stored values as they are.
    ///
    /// While the view lives, no program may shorten the file: the system would end this process.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) where values are compressed, in another byte order, of another type
    /// than `T`, or not aligned.
    pub fn map<T: Voxel>(&self) -> Result<MappedVolume<T>> {
        let refuse = |found: String| {
            let supported = format!("plain {} of this machine's byte order", T::STORED);
            fault::unsupported(&self.path, "memory map", found, &supported)
        };
        let Voxels::Raw(raw) = &self.voxels else { return Err(refuse(self.info.format.into())) };
        if raw.encoding.stored != T::STORED || raw.encoding.order != crate::stored_type::ByteOrder::NATIVE {
            return Err(refuse(format!("{} of {:?} order", raw.encoding.stored, raw.encoding.order)));
        }
        let (map, offset) = raw.map()?.ok_or_else(|| refuse(self.info.compression.clone()))?;
        let mapped = MappedVolume { grid: self.grid.clone(), map, offset, value: std::marker::PhantomData };
        let aligned = mapped.try_values().is_some() && self.info.planes.is_empty();
        if aligned { Ok(mapped) } else { Err(refuse("data at an odd offset, or of several planes".into())) }
    }
}

/// Stored values of a volume in a file that is mapped into memory. See [`VolumeReader::map`].
#[derive(Debug)]
pub struct MappedVolume<T> {
    grid: Grid,
    map: memmap2::Mmap,
    offset: usize,
    value: std::marker::PhantomData<T>,
}

impl<T: Voxel> MappedVolume<T> {
    /// Where the voxels lie.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Stored values, `i` fastest; no scaling is applied.
    pub fn values(&self) -> &[T] {
        self.try_values().unwrap_or_default()
    }

    fn try_values(&self) -> Option<&[T]> {
        let bytes = self.map.get(self.offset..)?.get(..self.grid.voxel_count() * size_of::<T>())?;
        bytemuck::try_cast_slice(bytes).ok()
    }
}
