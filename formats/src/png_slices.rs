//! PNG images as slices; see the note of [`slices`](crate::slices).

use crate::stored_type::ByteOrder;
use crate::tiff_stack::by_spacing;
use crate::volume_reader::{Opened, Region, Voxels};
use crate::voxel::Encoding;
use crate::{Error, Result, Scaling, StoredType, VolumeOptions, VolumeReader, Voxel, fault};
use brainmesh_core::Monitor;
use png::{BitDepth, ColorType, Decoder, Limits, Reader, Transformations, Unit};
use rayon::prelude::*;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

const MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";
/// No image decodes to more, and deflate packs no more than this.
const MOST_BYTES: u64 = 1 << 31;
const DEFLATE_RATIO: u64 = 1032;

/// Whether the first bytes are those of a PNG image.
pub(crate) fn is_png(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Slices that are PNG images.
#[derive(Debug)]
pub(crate) struct Slices {
    files: Vec<PathBuf>,
    kind: Kind,
}

/// What an image declares; equal in all slices.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Kind {
    width: usize,
    height: usize,
    color: ColorType,
    encoding: Encoding,
}

impl Kind {
    fn samples(&self) -> usize {
        self.color.samples()
    }

    fn row_bytes(&self) -> usize {
        self.width * self.samples() * self.encoding.stored.size_bytes()
    }
}

/// Opens images as the slices of a volume.
pub(crate) fn open(path: &Path, files: &[PathBuf], options: &VolumeOptions) -> Result<VolumeReader> {
    let mut known: Option<(Kind, [Option<f64>; 3])> = None;
    for file in files {
        let reader = reader_of(file)?;
        let kind = kind_of(file, &reader)?;
        match &known {
            Some((first, _)) if *first != kind => {
                let show = |kind: &Kind| {
                    format!("{} x {} pixels of {:?} {}", kind.width, kind.height, kind.color, kind.encoding.stored)
                };
                return Err(fault::invalid(file, "slice", format!("{}, like the first", show(first)), show(&kind)));
            }
            Some(_) => {}
            None => known = Some((kind, spacing(&reader))),
        }
    }
    let Some((kind, spacing_mm)) = known else { return Err(fault::invalid(path, "slices", "at least one", 0)) };
    let mut warnings = Vec::new();
    let grid = by_spacing([kind.width, kind.height, files.len()], spacing_mm, options, &mut warnings);
    let planes: &[&str] = match kind.color {
        ColorType::GrayscaleAlpha => &["grey", "alpha"],
        ColorType::Rgb => &["red", "green", "blue"],
        ColorType::Rgba => &["red", "green", "blue", "alpha"],
        _ => &[],
    };
    let reader = VolumeReader::new(Opened {
        path: path.into(),
        format: "PNG",
        grid: grid.map_err(fault::core(path))?,
        volumes: kind.samples(),
        stored: kind.encoding.stored,
        scaling: Scaling::None,
        voxels: Voxels::Png(Slices { files: files.to_vec(), kind }),
    });
    Ok(reader.with_planes(planes).with_warnings(warnings))
}

fn reader_of(path: &Path) -> Result<Reader<BufReader<File>>> {
    let file = File::open(path).map_err(fault::io(path))?;
    let mut decoder = Decoder::new_with_limits(BufReader::new(file), Limits { bytes: MOST_BYTES as usize });
    // Fewer bits than 8 and palettes stay what they are, and are refused.
    decoder.set_transformations(Transformations::IDENTITY);
    decoder.read_info().map_err(broken(path))
}

fn broken(path: &Path) -> impl FnOnce(png::DecodingError) -> Error + '_ {
    move |error| match error {
        png::DecodingError::IoError(source) => fault::io(path)(source),
        error => fault::invalid(path, "PNG", "an image that can be decoded", error),
    }
}

fn kind_of(path: &Path, reader: &Reader<BufReader<File>>) -> Result<Kind> {
    let info = reader.info();
    let stored = match (info.color_type, info.bit_depth) {
        (ColorType::Indexed, _) => {
            return Err(fault::unsupported(path, "colours", "a palette", "grey, red-green-blue"));
        }
        (_, BitDepth::Eight) => StoredType::Uint8,
        (_, BitDepth::Sixteen) => StoredType::Uint16,
        (_, bits) => return Err(fault::unsupported(path, "bits", format!("{bits:?}"), "8, 16")),
    };
    let encoding = Encoding { stored, order: ByteOrder::Big, scale: None };
    let kind = Kind { width: info.width as usize, height: info.height as usize, color: info.color_type, encoding };
    let bytes = (kind.row_bytes() as u64).saturating_mul(kind.height as u64);
    let found = path.metadata().map_err(fault::io(path))?.len();
    if bytes > found.saturating_mul(DEFLATE_RATIO) || bytes > MOST_BYTES {
        return Err(fault::truncated(path, (bytes / DEFLATE_RATIO) as usize, found as usize));
    }
    Ok(kind)
}

/// From pixels a metre.
fn spacing(reader: &Reader<BufReader<File>>) -> [Option<f64>; 3] {
    let Some(pixels) = reader.info().pixel_dims.filter(|pixels| pixels.unit == Unit::Meter) else { return [None; 3] };
    // 72 and 96 dots an inch, which programs write that know nothing.
    let along = |per_metre: u32| {
        (per_metre > 0 && !matches!(per_metre, 2834 | 2835 | 3779 | 3780)).then(|| 1000.0 / f64::from(per_metre))
    };
    [along(pixels.xppu), along(pixels.yppu), None]
}

impl Slices {
    /// Fills `out` with a region of one of the samples.
    pub fn read<T: Voxel>(&self, sample: usize, region: &Region, out: &mut [T], monitor: &dyn Monitor) -> Result<()> {
        let plane = region[0].len() * region[1].len();
        out.par_chunks_mut(plane).zip(&self.files[region[2].clone()]).try_for_each(|(out, path)| {
            monitor.check()?;
            let mut reader = reader_of(path)?;
            if kind_of(path, &reader)? != self.kind {
                return Err(fault::invalid(path, "slice", "what it declared before", "another size or type"));
            }
            let mut bytes = vec![0; self.kind.row_bytes() * self.kind.height];
            reader.next_frame(&mut bytes).map_err(broken(path))?;
            let size = self.kind.encoding.stored.size_bytes();
            for (row, j) in out.chunks_mut(region[0].len()).zip(region[1].clone()) {
                let at = j * self.kind.row_bytes() + (region[0].start * self.kind.samples() + sample) * size;
                self.kind.encoding.decode(bytes.get(at..).unwrap_or_default(), self.kind.samples(), row).map_err(
                    |value| fault::invalid(path, "intensity", format!("a value of type {}", T::STORED), value),
                )?;
            }
            monitor.advance(plane as u64);
            Ok(())
        })
    }
}

/// The rows of a picture, from the first on.
pub(crate) struct Rows {
    reader: Reader<BufReader<File>>,
    path: PathBuf,
    kind: Kind,
    sample: usize,
}

impl Slices {
    /// The rows of a slice; `None` of an interlaced picture, which has no row before its last bytes are read.
    pub fn rows(&self, sample: usize, slice: usize) -> Result<Option<Rows>> {
        let Some(path) = self.files.get(slice) else {
            return Err(fault::invalid(Path::new("slices"), "slice", format!("below {}", self.files.len()), slice));
        };
        let reader = reader_of(path)?;
        if kind_of(path, &reader)? != self.kind {
            return Err(fault::invalid(path, "slice", "what it declared before", "another size or type"));
        }
        let is_plain = !reader.info().interlaced;
        Ok(is_plain.then(|| Rows { reader, path: path.clone(), kind: self.kind, sample }))
    }
}

impl Rows {
    /// Fills `out`, which has the width of the picture, with the next row.
    pub fn next<T: Voxel>(&mut self, out: &mut [T]) -> Result<()> {
        let Self { reader, path, kind, sample } = self;
        let missing = || fault::invalid(path, "rows", kind.height.to_string(), "fewer");
        let row = reader.next_row().map_err(broken(path))?.ok_or_else(missing)?;
        let bytes = row.data().get(*sample * kind.encoding.stored.size_bytes()..).unwrap_or_default();
        let wrong = |value| fault::invalid(path, "intensity", format!("a value of type {}", T::STORED), value);
        kind.encoding.decode(bytes, kind.samples(), out).map_err(wrong)
    }
}
