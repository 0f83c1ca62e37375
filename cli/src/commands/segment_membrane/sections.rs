use crate::{Error, Result};
use brainmesh_core::{Grid, Monitor, Uncounted, Volume};
use brainmesh_formats::{VolumeOptions, VolumeReader};
use glam::{DAffine3, DMat3};
use std::path::Path;

/// Micrographs of one size, each a slice of its own.
pub(super) struct Sections {
    /// One slice after another, row 0 at the top.
    pub volume: Volume<f32>,
    /// Where they lie; spacing 1 mm along i and j where `pixel_nm` is not known.
    pub grid: Grid,
    /// Size of a pixel along i and j, where it is known.
    pub pixel_nm: Option<[f64; 2]>,
    /// What is to be known of them.
    pub warnings: Vec<String>,
}

const NM_PER_MM: f64 = 1e6;
/// Beyond these no membrane can be seen in a micrograph, or nothing else.
const PIXEL_NM: [f64; 2] = [0.4, 32.0];
/// Where a picture has red, green and blue, it is grey if they differ by no more than this share of the range: what packing
/// as JPEG leaves.
const SAME: f32 = 0.02;
/// Fewer values than any micrograph has: labels, masks.
const LEAST_VALUES: usize = 16;

/// How to read them, where it is not to be as the file says.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reading {
    pub pixel_nm: Option<f64>,
    pub channel: Option<usize>,
}

impl Sections {
    /// Reads a stack, a picture or a folder of them.
    ///
    /// # Errors
    /// Where the file cannot be read, or is no micrograph: see [`Sections::new`]; channels that differ.
    pub fn read(path: &Path, reading: Reading, monitor: &dyn Monitor) -> Result<Self> {
        let reader = VolumeOptions::default().with_separate_slices(true).open(path)?;
        let warnings = reader.info().warnings.iter().filter(|text| !text.starts_with("the spacing along"));
        let mut warnings: Vec<String> = warnings.cloned().collect();
        let planes = reader.info().planes.len().max(1);
        let frames = reader.info().volumes / planes;
        if reader.info().volumes > 1 {
            reader.load()?;
        }
        // Time points are slices as well: programs that know of no depth write stacks so.
        let [ni, nj, nk] = reader.grid().shape();
        let mut values = Vec::new();
        for frame in 0..frames {
            monitor.check()?;
            values.extend_from_slice(grey(&reader, frame * planes, reading.channel, monitor)?.data());
        }
        let grid = Grid::new([ni, nj, nk * frames], reader.grid().affine(), reader.grid().world())?;
        let has_no_world = SPACING_ALONE.iter().any(|name| reader.info().format.starts_with(name));
        let unknown = has_no_world && grid.spacing_mm()[..2] == [1.0, 1.0];
        let mut sections = Self::new(Volume::new(grid, values)?, unknown, reading.pixel_nm)
            .map_err(|error| Error::Unusable(format!("{}: {error}", path.display())))?;
        warnings.append(&mut sections.warnings);
        Ok(Self { warnings, ..sections })
    }

    /// From values in memory. `is_unknown` says that the spacing along i and j means nothing; `pixel_nm` replaces it.
    ///
    /// # Errors
    /// [`Error::Unusable`] for a pixel that no micrograph of membranes has, for slices that are all of one value each, for
    /// fewer values than a micrograph has.
    pub fn new(volume: Volume<f32>, is_unknown: bool, pixel_nm: Option<f64>) -> Result<Self> {
        let spacing = volume.grid().spacing_mm();
        let found = [spacing[0], spacing[1]].map(|mm| mm * NM_PER_MM);
        let pixel_nm = match pixel_nm {
            Some(nm) => Some([nm; 2]),
            None if is_unknown => None,
            None => Some(found),
        };
        if let Some(found) = pixel_nm.filter(|found| found.iter().any(|nm| !(PIXEL_NM[0]..=PIXEL_NM[1]).contains(nm))) {
            let [least, most] = PIXEL_NM;
            let found =
                if found[0] < 1e4 { format!("{} nm", found[0]) } else { format!("{} mm", found[0] / NM_PER_MM) };
            let expected = format!("an electron micrograph of {least} to {most} nm a pixel");
            return Err(Error::Unusable(format!("expected {expected}, found {found}; --pixel-nm states another size")));
        }
        let grid = match pixel_nm.filter(|&stated| stated != found) {
            Some([x, y]) => placed(volume.grid(), [x / NM_PER_MM, y / NM_PER_MM, spacing[2]])?,
            None => volume.grid().clone(),
        };
        let mut sections = Self { volume, grid, pixel_nm, warnings: Vec::new() };
        sections.check_values()?;
        Ok(sections)
    }

    /// Numbers of the slices, from 0, that are all of one value.
    pub fn blank(&self) -> Vec<usize> {
        let [ni, nj, _] = self.volume.grid().shape();
        let is_blank = |slice: &[f32]| slice.iter().all(|&value| value == slice[0] || !value.is_finite());
        let slices = self.volume.data().chunks_exact((ni * nj).max(1)).enumerate();
        slices.filter(|(_, slice)| is_blank(slice)).map(|(n, _)| n).collect()
    }

    fn check_values(&mut self) -> Result<()> {
        let slices = self.volume.grid().shape()[2];
        let blank = self.blank();
        if blank.len() == slices {
            return Err(Error::Unusable("expected micrographs, found one value in all of each slice".into()));
        }
        let mut values: Vec<u32> = Vec::new();
        for value in self.volume.data() {
            if !values.contains(&value.to_bits()) {
                values.push(value.to_bits());
            }
            if values.len() >= LEAST_VALUES {
                break;
            }
        }
        if values.len() < LEAST_VALUES {
            let found = format!("{} values, as labels and masks have", values.len());
            return Err(Error::Unusable(format!("expected a micrograph, found {found}")));
        }
        let damaged = self.volume.data().iter().filter(|value| !value.is_finite()).count();
        if damaged > 0 {
            self.warnings.push(format!("{damaged} pixels are no finite numbers; they count as 0"));
        }
        if !blank.is_empty() {
            let shown: Vec<String> = blank.iter().take(5).map(usize::to_string).collect();
            let more = if blank.len() > shown.len() { ", ..." } else { "" };
            let shown = shown.join(", ");
            self.warnings.push(format!("blank slices hold no cells: {} of {slices} ({shown}{more})", blank.len()));
        }
        Ok(())
    }
}

/// Formats that know spacing at best; where they do not, it is 1 mm.
const SPACING_ALONE: [&str; 3] = ["TIFF", "PNG", "OME-Zarr"];

/// The same voxels with another spacing.
fn placed(grid: &Grid, spacing_mm: [f64; 3]) -> Result<Grid> {
    let (affine, found) = (grid.affine(), grid.spacing_mm());
    let [x, y, z] = [0, 1, 2].map(|n: usize| affine.matrix3.col(n) * (spacing_mm[n] / found[n]));
    let affine = DAffine3::from_mat3_translation(DMat3::from_cols(x, y, z), affine.translation);
    Ok(Grid::new(grid.shape(), affine, grid.world())?)
}

/// The grey values of a frame: its only plane, the plane asked for, or planes that are all the same.
fn grey(reader: &VolumeReader, first: usize, channel: Option<usize>, monitor: &dyn Monitor) -> Result<Volume<f32>> {
    let planes = &reader.info().planes;
    let read = |plane: usize| Ok::<_, Error>(reader.read::<f32>(first + plane, &Uncounted(monitor))?);
    let unusable = |text: String| Error::Unusable(format!("{}: {text}", reader.path().display()));
    if let Some(channel) = channel {
        let count = planes.len().max(1);
        if channel >= count {
            return Err(unusable(format!("--channel {channel}: expected one of {count}, from 0")));
        }
        return read(channel);
    }
    let found = read(0)?;
    let range = found.data().iter().filter(|value| value.is_finite());
    let (low, high) = range.fold((f32::MAX, f32::MIN), |(low, high), &value| (low.min(value), high.max(value)));
    for (n, name) in planes.iter().enumerate().skip(1) {
        let other = read(n)?;
        if name == "alpha" {
            if other.data().iter().any(|&value| value != other.data()[0]) {
                return Err(unusable("expected an opaque picture, found one that is transparent in parts".into()));
            }
            continue;
        }
        let differs = |(&a, &b): (&f32, &f32)| (a - b).abs() > SAME * (high - low);
        if found.data().iter().zip(other.data()).any(differs) {
            let names = planes.join(", ");
            let found = if names.starts_with("red") { "a colour picture" } else { "channels that differ" };
            return Err(unusable(format!(
                "expected grey micrographs, found {found} ({names}); --channel N chooses one"
            )));
        }
    }
    Ok(found)
}
