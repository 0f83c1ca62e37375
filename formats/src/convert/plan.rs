use crate::volume_reader::Region;
use crate::{Interpolation, Result, Scaling, StoredType, VolumeFormat, VolumeReader, fault};
use brainmesh_core::{AxisSwap, Grid, Orientation};
use std::path::{Path, PathBuf};

/// What is to change on the way from one volume file to another; nothing, where nothing is asked for.
///
/// ```no_run
/// use brainmesh_core::Silent;
/// use brainmesh_formats::{VolumeConversion, VolumeOptions};
/// let file = VolumeOptions::default().open("oblique.mnc".as_ref())?;
/// let to_ras = VolumeConversion { orientation: Some("RAS".parse()?), ..VolumeConversion::default() };
/// to_ras.plan(&file, "brain.nii.gz".as_ref())?.run(&Silent)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VolumeConversion {
    /// One of several volumes, from 0; all of them otherwise.
    pub volume_index: Option<usize>,
    /// The part to keep, in voxels of the file.
    pub region: Option<Region>,
    /// Where the new axes lead to.
    pub orientation: Option<Orientation>,
    /// A grid whose axes stand at right angles: values are interpolated where those of the file do not.
    pub orthonormal: bool,
    /// Spacing of the new grid along the file's axes, which become orthonormal; values are interpolated.
    pub spacing_mm: Option<[f64; 3]>,
    /// What lies between voxels; by default [`Interpolation::Nearest`] for files with a label table, else linear.
    pub interpolation: Option<Interpolation>,
    /// Intensity where there was nothing.
    pub fill: f64,
    /// Type of the new values.
    pub stored: Option<StoredType>,
    /// Spreads intensities over the whole range of the integer type asked for.
    pub scale: bool,
}

/// A conversion whose every decision is made; nothing is read yet.
#[derive(Debug)]
pub struct VolumeConversionPlan<'a> {
    pub(super) reader: &'a VolumeReader,
    pub(super) path: PathBuf,
    pub(super) format: VolumeFormat,
    pub(super) volumes: Vec<usize>,
    pub(super) region: Region,
    pub(super) part: Grid,
    pub(super) change: Change,
    pub(super) grid: Grid,
    pub(super) fill: f64,
    pub(super) stored: StoredType,
    pub(super) values: Values,
    /// Bytes of results in memory at a time, where parts can be read and written.
    pub(super) slab_bytes: usize,
    notes: Vec<String>,
}

/// How voxels find their new places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Change {
    Swap(AxisSwap),
    Resample(Interpolation),
}

/// How values are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Values {
    /// As stored, with the scaling beside them.
    Stored(Option<(f64, f64)>),
    /// The intensities themselves.
    Intensities,
    /// Intensities as multiples of a step.
    Spread,
}

/// Larger results are made a slab at a time where that is possible.
const SLAB_BYTES: usize = 64 << 20;

impl VolumeConversion {
    /// Decides everything, from the headers alone.
    ///
    /// # Errors
    /// A file name that asks for no format; several volumes or values a voxel for a format that holds one; a region beyond the
    /// volume; a spacing that is not positive; a type the format has no place for.
    pub fn plan<'a>(&self, reader: &'a VolumeReader, path: &Path) -> Result<VolumeConversionPlan<'a>> {
        let format = VolumeFormat::of_output(path)?;
        let volumes = self.volumes(reader)?;
        let source = reader.path();
        let region = self.region.clone().unwrap_or_else(|| reader.grid().shape().map(|n| 0..n));
        let part = reader.grid().cropped(&region).map_err(fault::core(source))?;
        let is_new_grid = self.spacing_mm.is_some() || self.orthonormal;
        let straight =
            if is_new_grid { part.orthonormal(self.spacing_mm).map_err(fault::core(source))? } else { part.clone() };
        let swap = straight.orientation().swap_to(self.orientation.unwrap_or(straight.orientation()));
        let grid = straight.swapped(swap).map_err(fault::core(source))?;
        let change = if straight == part {
            Change::Swap(swap)
        } else {
            let labels = !reader.labels().0.is_empty();
            let usual = if labels { Interpolation::Nearest } else { Interpolation::Linear };
            Change::Resample(self.interpolation.unwrap_or(usual))
        };
        let mut notes = self.grid_notes(&part, &grid, change);
        let (stored, values) = self.values(reader, format, change, &mut notes)?;
        if !reader.extensions().is_empty() && format != VolumeFormat::Nifti {
            notes.push(format!("{} header extensions are left out", reader.extensions().len()));
        }
        Ok(VolumeConversionPlan {
            reader,
            path: path.into(),
            format,
            volumes,
            region,
            part,
            change,
            grid,
            fill: self.fill,
            stored,
            values,
            slab_bytes: SLAB_BYTES,
            notes,
        })
    }

    fn volumes(&self, reader: &VolumeReader) -> Result<Vec<usize>> {
        let info = reader.info();
        if let Some(index) = self.volume_index {
            if index >= info.volumes {
                let expected = format!("below {} (the number of volumes)", info.volumes);
                return Err(fault::invalid(reader.path(), "volume index", expected, index));
            }
            return Ok(vec![index]);
        }
        if !info.planes.is_empty() {
            let found = format!("{} values a voxel ({})", info.planes.len(), info.planes.join(", "));
            return Err(fault::unsupported(reader.path(), "voxels", found, "one of them, chosen by its volume index"));
        }
        Ok((0..info.volumes).collect())
    }

    fn grid_notes(&self, part: &Grid, grid: &Grid, change: Change) -> Vec<String> {
        let mut notes = Vec::new();
        if self.region.is_some() {
            notes.push(format!("cut to {:?} voxels", part.shape()));
        }
        match change {
            Change::Swap(swap) if !swap.is_identity() => {
                notes.push(format!("axes {} become {}", part.orientation(), grid.orientation()));
            }
            Change::Swap(_) if self.orthonormal => notes.push("axes stand at right angles already".into()),
            Change::Swap(_) => {}
            Change::Resample(interpolation) => {
                let how = if interpolation == Interpolation::Linear { "linear" } else { "nearest voxel" };
                notes.push(format!("resampled ({how}), {} where there was nothing", self.fill));
            }
        }
        notes
    }

    fn values(
        &self,
        reader: &VolumeReader,
        format: VolumeFormat,
        change: Change,
        notes: &mut Vec<String>,
    ) -> Result<(StoredType, Values)> {
        let source = reader.path();
        let is_float = |stored: StoredType| stored.integer_range().is_none();
        if let Some(stored) = self.stored.filter(|&stored| !format.stores(stored)) {
            return Err(fault::unsupported(source, "type for the output", stored, &names(format)));
        }
        if self.scale {
            let stored = self.stored.filter(|&stored| !is_float(stored));
            let stored =
                stored.ok_or_else(|| fault::invalid(source, "scaling", "an integer type beside it", "none"))?;
            if !format.carries_scaling() {
                return Err(fault::unsupported(
                    source,
                    "scaling",
                    format!("{format:?}"),
                    "a format with a slope: NIfTI, MINC",
                ));
            }
            return Ok((stored, Values::Spread));
        }
        let (info, old) = (reader.info(), reader.stored());
        let linear = match info.scaling {
            Scaling::Linear { slope, intercept } => Some((slope, intercept)),
            _ => None,
        };
        let keeps_values = match change {
            Change::Swap(_) => match info.scaling {
                Scaling::None => true,
                // A slope of 0 hides what is stored.
                Scaling::Linear { slope, .. } => slope != 0.0 && format.carries_scaling(),
                Scaling::PerSlice => false,
            },
            Change::Resample(interpolation) => info.scaling == Scaling::None && interpolation == Interpolation::Nearest,
        };
        let is_resampled = matches!(change, Change::Resample(_));
        if keeps_values && self.stored.is_none_or(|stored| stored == old) {
            let stored = smallest_holding(old, format).ok_or_else(|| {
                fault::unsupported(source, "type", old, &format!("a type chosen for {format:?}: {}", names(format)))
            })?;
            if stored != old {
                notes.push(format!("{old} becomes {stored}, since {format:?} files hold no {old}"));
            }
            return Ok((stored, if is_resampled { Values::Intensities } else { Values::Stored(linear) }));
        }
        if let Some(stored) = self.stored {
            if is_resampled && !is_float(stored) {
                notes.push(format!("interpolated intensities are rounded to {stored}"));
            }
            return Ok((stored, Values::Intensities));
        }
        // Intensities that are no longer the stored values.
        let bits = if is_float(old) { 4 } else { 2 };
        let float = if old.size_bytes() > bits { StoredType::Float64 } else { StoredType::Float32 };
        let stored = [float, StoredType::Float32, StoredType::Float64].into_iter().find(|&s| format.stores(s));
        let stored = stored.ok_or_else(|| {
            fault::unsupported(source, "intensities", format!("scaled {old}"), "integers: choose a type")
        })?;
        if stored != old {
            let why = match info.scaling {
                _ if is_resampled => "interpolation",
                Scaling::PerSlice => "scaling that changes from slice to slice",
                _ => "scaling that the format has no place for",
            };
            notes.push(format!("{old} becomes {stored}, for {why}"));
        }
        Ok((stored, Values::Intensities))
    }
}

/// Types that a format stores.
fn names(format: VolumeFormat) -> String {
    let types: Vec<_> = StoredType::ALL.into_iter().filter(|&s| format.stores(s)).map(StoredType::name).collect();
    types.join(", ")
}

/// The type itself, or the smallest that holds all its values, as far as the format stores it.
fn smallest_holding(old: StoredType, format: VolumeFormat) -> Option<StoredType> {
    if format.stores(old) {
        return Some(old);
    }
    let holds = |new: StoredType| match (old.integer_range(), new.integer_range()) {
        (Some(old), Some(new)) => new.0 <= old.0 && old.1 <= new.1,
        // A mantissa of 24 or 53 bits.
        (Some(_), None) => 2 * old.size_bytes() <= new.size_bytes(),
        // Where there is no float64, the nearest float32.
        (None, None) => old.size_bytes() <= new.size_bytes() || !format.stores(StoredType::Float64),
        (None, Some(_)) => false,
    };
    let candidates = StoredType::ALL.into_iter().filter(|&new| format.stores(new) && holds(new));
    candidates.min_by_key(|new| (new.size_bytes(), new.integer_range().is_none()))
}

impl VolumeConversionPlan<'_> {
    /// Grid of the result.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Type of the values in the result.
    pub fn stored(&self) -> StoredType {
        self.stored
    }

    /// Number of volumes in the result.
    pub fn volumes(&self) -> usize {
        self.volumes.len()
    }

    /// What changes, for people.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}
