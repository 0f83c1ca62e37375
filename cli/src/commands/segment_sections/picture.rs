use super::reduction::Reduction;
use crate::{Error, Result};
use brainmesh_core::Monitor;
use brainmesh_formats::{PictureRows, StoredType, VolumeOptions, VolumeReader};
use brainmesh_segmentation::{Levels, SectionFinder};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Rows that are read together: chunks of files have fewer, or a power of two.
const BAND: usize = 1024;
/// Pixels at least that grey values are measured on, one of every third along both axes where there are not more.
const SAMPLE: f64 = 4e6;
/// Where a picture has red, green and blue, it is grey if they differ by no more than this share of the range: what packing
/// as JPEG leaves.
const SAME: f32 = 0.02;
/// Fewer values than any picture has: labels, masks.
const LEAST_VALUES: usize = 16;

/// Which of the pictures of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Which {
    pub channel: Option<usize>,
    pub slice: Option<usize>,
}

/// A grey picture, reduced, in a file that vanishes with it: pictures of which only rows can be read, from the top, are read
/// once so.
pub(super) struct Picture {
    path: PathBuf,
    file: File,
    cell: Cell,
    /// Width and height of what the file of the picture holds.
    pub full: [usize; 2],
    /// Width and height after the reduction.
    pub size: [usize; 2],
    /// Of the reduced values as they are kept.
    pub sha256: String,
    pub warnings: Vec<String>,
    sample: Vec<f32>,
    is_byte: bool,
}

/// How a value is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cell {
    Byte,
    Word,
    Float,
}

impl Cell {
    fn bytes(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Word => 2,
            Self::Float => 4,
        }
    }

    fn put(self, values: &[f32], out: &mut Vec<u8>) {
        out.clear();
        match self {
            Self::Byte => out.extend(values.iter().map(|&value| value as u8)),
            Self::Word => out.extend(values.iter().flat_map(|&value| (value as u16).to_ne_bytes())),
            Self::Float => out.extend(values.iter().flat_map(|value| value.to_ne_bytes())),
        }
    }

    fn get(self, bytes: &[u8], mut each: impl FnMut(usize, f32)) {
        let (words, floats) = (bytes.as_chunks::<2>().0, bytes.as_chunks::<4>().0);
        match self {
            Self::Byte => bytes.iter().enumerate().for_each(|(n, &value)| each(n, f32::from(value))),
            Self::Word => words.iter().enumerate().for_each(|(n, &two)| each(n, f32::from(u16::from_ne_bytes(two)))),
            Self::Float => floats.iter().enumerate().for_each(|(n, &four)| each(n, f32::from_ne_bytes(four))),
        }
    }
}

impl Picture {
    /// Reads a picture, reduced `factor` times, into a hidden file in `folder`.
    ///
    /// # Errors
    /// Files that cannot be read; several slices or channels of which none is chosen; colours; masks; a full disk.
    pub fn read(
        path: &Path,
        which: Which,
        factor: f64,
        folder: &Path,
        stage: &'static str,
        monitor: &dyn Monitor,
    ) -> Result<Self> {
        let reader = VolumeOptions::default().with_separate_slices(true).open(path)?;
        let [width, height, _] = reader.grid().shape();
        let mut rows = GreyRows::new(&reader, which)?;
        let mut reduction = Reduction::new([width, height], factor);
        let size = reduction.reduced();
        let cell = match reader.stored() {
            StoredType::Uint8 if factor == 1.0 => Cell::Byte,
            StoredType::Uint16 if factor == 1.0 => Cell::Word,
            _ => Cell::Float,
        };
        let failed = |source| Error::Write { path: folder.into(), source };
        let mut file = BufWriter::with_capacity(1 << 20, tempfile::tempfile_in(folder).map_err(failed)?);
        let mut hasher = Sha256::new();
        let step = ((size[0] as f64 * size[1] as f64 / SAMPLE).sqrt().ceil() as usize).max(3);
        let (mut sample, mut bytes, mut row, mut fault) = (Vec::new(), Vec::new(), 0, None);
        monitor.stage(stage, height as u64);
        loop {
            monitor.check()?;
            let band = rows.next(monitor)?;
            if band.is_empty() {
                break;
            }
            for values in band.chunks_exact(width) {
                reduction.push(values, |values| {
                    if row % step == 0 {
                        sample.extend(values.iter().step_by(step));
                    }
                    row += 1;
                    cell.put(values, &mut bytes);
                    hasher.update(&bytes);
                    fault = fault.take().or(file.write_all(&bytes).err());
                });
            }
            if let Some(source) = fault.take() {
                return Err(failed(source));
            }
            monitor.advance((band.len() / width) as u64);
        }
        rows.check()?;
        let mut warnings: Vec<String> = Vec::new();
        let damaged = rows.damaged;
        if damaged > 0 {
            warnings.push(format!("{}: {damaged} pixels are no finite numbers; they count as 0", path.display()));
        }
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        let sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let is_byte = matches!(reader.stored(), StoredType::Uint8 | StoredType::Int8);
        Ok(Self { path: path.into(), file, cell, full: [width, height], size, sha256, warnings, sample, is_byte })
    }

    /// # Errors
    /// [`Error::Unusable`] for a picture of fewer values than any picture has.
    pub fn check_values(&self) -> Result<()> {
        let mut seen: Vec<u32> = Vec::new();
        for value in &self.sample {
            if !seen.contains(&value.to_bits()) {
                seen.push(value.to_bits());
            }
            if seen.len() >= LEAST_VALUES {
                return Ok(());
            }
        }
        let found = match seen.len() {
            1 => "the same value everywhere".to_owned(),
            count => format!("{count} values, as labels and masks have"),
        };
        // A few pixels hold a few values.
        if self.sample.len() < 4 * LEAST_VALUES && seen.len() > 1 {
            return Ok(());
        }
        Err(Error::Unusable(format!("{}: expected a picture of a wafer, found {found}", self.path.display())))
    }

    /// What becomes -.5 and .5 for the network.
    pub fn levels(&self, channel: usize, finder: &SectionFinder) -> Levels {
        let largest = self.sample.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        let largest = if self.is_byte { 255.0 } else { f64::from(largest) };
        Levels::measure(self.sample.clone(), channel, finder, largest)
    }

    /// Calls `each` with the column and row (within the region) and the value of every pixel of a region.
    ///
    /// # Errors
    /// [`Error::Write`] where the hidden file cannot be read back.
    pub fn region(&self, [columns, rows]: [Range<usize>; 2], mut each: impl FnMut(usize, usize, f32)) -> Result<()> {
        let failed = |source| Error::Write { path: self.path.clone(), source };
        let mut bytes = vec![0; columns.len() * self.cell.bytes()];
        let mut file = &self.file;
        for (n, row) in rows.enumerate() {
            let at = (row as u64 * self.size[0] as u64 + columns.start as u64) * self.cell.bytes() as u64;
            file.seek(SeekFrom::Start(at)).map_err(failed)?;
            file.read_exact(&mut bytes).map_err(failed)?;
            self.cell.get(&bytes, |column, value| each(column, n, value));
        }
        Ok(())
    }
}

/// Rows of a picture that is grey, whatever it is stored as: its only channel, the one asked for, or several that are the same.
struct GreyRows<'a> {
    path: &'a Path,
    names: Vec<String>,
    rows: Vec<PictureRows<'a>>,
    /// First value of alpha, which must be the only one.
    alpha: Option<f32>,
    is_transparent: bool,
    range: [f32; 2],
    apart: f32,
    damaged: usize,
}

impl<'a> GreyRows<'a> {
    fn new(reader: &'a VolumeReader, which: Which) -> Result<Self> {
        let path = reader.path();
        let wrong = |text: String| Error::Unusable(format!("{}: {text}", path.display()));
        let names = reader.info().planes.clone();
        let planes = names.len().max(1);
        if reader.info().volumes > planes {
            let found = format!("{} time points", reader.info().volumes / planes);
            return Err(wrong(format!("expected one picture, found {found}")));
        }
        let slices = reader.grid().shape()[2];
        let slice = match which.slice {
            Some(slice) if slice >= slices => {
                return Err(wrong(format!("--slice {slice}: expected one of {slices}, from 0")));
            }
            Some(slice) => slice,
            None if slices > 1 => {
                return Err(wrong(format!(
                    "expected one picture, found {slices} slices or pages; --slice N chooses one"
                )));
            }
            None => 0,
        };
        let chosen = match which.channel {
            Some(channel) if channel >= planes => {
                return Err(wrong(format!("channel {channel}: expected one of {planes}, from 0")));
            }
            Some(channel) => channel..channel + 1,
            None => 0..planes,
        };
        let names = chosen.clone().map(|n| names.get(n).cloned().unwrap_or_default()).collect();
        let rows = chosen.map(|plane| reader.rows(plane, slice)).collect::<std::result::Result<_, _>>()?;
        let range = [f32::INFINITY, f32::NEG_INFINITY];
        Ok(Self { path, names, rows, alpha: None, is_transparent: false, range, apart: 0.0, damaged: 0 })
    }

    /// The next rows; none at the end. What is no number is 0.
    fn next(&mut self, monitor: &dyn Monitor) -> Result<Vec<f32>> {
        let mut grey: Vec<f32> = Vec::new();
        for (n, (rows, name)) in self.rows.iter_mut().zip(&self.names).enumerate() {
            let values = rows.next::<f32>(BAND, monitor)?;
            if n == 0 {
                grey = values;
                for value in &mut grey {
                    if value.is_finite() {
                        self.range = [self.range[0].min(*value), self.range[1].max(*value)];
                    } else {
                        self.damaged += 1;
                        *value = 0.0;
                    }
                }
            } else if name.ends_with("alpha") {
                let first = *self.alpha.get_or_insert(values.first().copied().unwrap_or_default());
                self.is_transparent |= values.iter().any(|&value| value != first);
            } else {
                let apart = grey.iter().zip(&values).map(|(a, b)| (a - b).abs());
                self.apart = apart.fold(self.apart, |most, apart| if apart > most { apart } else { most });
            }
        }
        Ok(grey)
    }

    /// Whether all that came was grey.
    fn check(&self) -> Result<()> {
        let wrong = |text: String| Err(Error::Unusable(format!("{}: {text}", self.path.display())));
        if self.is_transparent {
            return wrong("expected an opaque picture, found one that is transparent in parts".into());
        }
        if self.apart > SAME * (self.range[1] - self.range[0]) {
            let names = self.names.join(", ");
            let found = if names.starts_with("red") { "a colour picture" } else { "channels that differ" };
            return wrong(format!("expected a grey picture, found {found} ({names}); --channel N chooses one"));
        }
        Ok(())
    }
}
