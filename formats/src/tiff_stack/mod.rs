//! TIFF stacks, as electron and light microscopes write them (TIFF 6.0, BigTIFF, OME-TIFF 2016-06, ImageJ's description).
//!
//! - **Axes**: `i` runs along columns to the right, `j` down the rows, `k` over the slices. Further channels and the samples
//!   of a pixel are planes, further time points volumes. OME-XML and ImageJ say which page is which; otherwise every page
//!   is a slice. Pages marked as reduced copies or masks are left out; all others must have one size and type.
//! - **World**: the format knows spacing alone: `i`, `j`, `k` times spacing in mm, world `unregistered`. It comes from OME-XML
//!   (PhysicalSize, micrometres unless a unit is given), ImageJ (unit, spacing, resolution), or resolution tags in inches or
//!   centimetres, except 72 and 96 dots an inch, which programs write that know nothing. What is missing is taken as 1 mm,
//!   with a warning; [`VolumeOptions::with_spacing_mm`] states it. brainmesh itself writes OME-TIFF with its whole matrix as
//!   an annotation.
//! - **Scaling**: stored values are the intensities; "white is zero" concerns display alone.
//! - Strips and tiles, plain or packed by deflate, LZW, PackBits, zstd or JPEG; only those of a region are read, several
//!   pages at a time; of a single page whose rows lie one after another (ImageJ, one strip of any size) only the rows. Beyond
//!   4 GB ImageJ leaves out directories, which is known.
//! - **Refused**: bits that are no whole bytes, 16-bit floats, palettes, CMYK, YCbCr, samples in separate planes, OME-TIFF in
//!   several files, fax compression, pages of different sizes.

mod directories;
mod imagej;
mod ome;
mod page;
mod stacking;
mod view;
mod write;

use crate::raw::{RawLayout, RawVoxels};
use crate::stored_type::ByteOrder;
use crate::volume_reader::{Opened, Region, Voxels};
use crate::voxel::Encoding;
use crate::{Result, Scaling, VolumeOptions, VolumeReader, Voxel, fault};
use brainmesh_core::{Grid, Monitor};
use glam::{DAffine3, DVec3};
use page::{PageDecoder, PageKind, broken, decoder_at, kind_of, most_bytes};
use rayon::prelude::*;
use stacking::Stacking;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tiff::tags::{CompressionMethod, Tag};
pub(crate) use write::write;

/// Whether the first bytes are those of a TIFF or BigTIFF file.
pub(crate) fn is_tiff(head: &[u8]) -> bool {
    [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|magic| head.starts_with(*magic))
}

/// An open stack: one file, or one for each slice.
#[derive(Debug)]
pub(crate) struct Stack {
    path: PathBuf,
    files: Vec<(PathBuf, Arc<File>)>,
    /// File and directory of every page.
    pages: Vec<(usize, u64)>,
    kind: PageKind,
    stacking: Stacking,
}

/// Opens a file.
pub(crate) fn open(path: &Path, options: &VolumeOptions) -> Result<VolumeReader> {
    let file = Arc::new(File::open(path).map_err(fault::io(path))?);
    directories::check(path, &file)?;
    let mut decoder = decoder_at(path, &file, None)?;
    let (pages, kind) = pages_of(path, &mut decoder)?;
    let mut first = decoder_at(path, &file, pages.first().copied())?;
    let stacking = Stacking::of(path, &mut first, pages.len())?;
    let is_single = pages.len() == 1 && stacking.slices == 1 && stacking.frames == 1 && stacking.channels == 1;
    if stacking.is_contiguous || (is_single && page::is_plain(path, &mut first, &kind)?) {
        return contiguous(path, &mut first, kind, stacking, options);
    }
    // The pages together, as each does alone.
    let page_bytes = kind.width * kind.height * kind.samples * kind.encoding.stored.size_bytes();
    let (expected, most) = (page_bytes.saturating_mul(pages.len()), most_bytes(path, &mut first)?);
    if expected as u64 > most {
        return Err(fault::truncated(path, expected, most as usize));
    }
    let pages = pages.into_iter().map(|page| (0, page)).collect();
    reader(Stack { path: path.into(), files: vec![(path.into(), file)], pages, kind, stacking }, options)
}

/// Opens files of one page each, the slices of a volume in their order.
pub(crate) fn open_slices(folder: &Path, slices: &[PathBuf], options: &VolumeOptions) -> Result<VolumeReader> {
    let mut known: Option<(PageKind, Stacking)> = None;
    let (mut files, mut pages) = (Vec::new(), Vec::new());
    for (n, path) in slices.iter().enumerate() {
        let file = Arc::new(File::open(path).map_err(fault::io(path))?);
        directories::check(path, &file)?;
        let mut decoder = decoder_at(path, &file, None)?;
        let (own, kind) = pages_of(path, &mut decoder)?;
        let [page] = own[..] else {
            return Err(fault::unsupported(
                path,
                "slice",
                format!("{} pages", own.len()),
                "files of one page in a folder",
            ));
        };
        match &known {
            Some((first, _)) if *first != kind => return Err(differs(path, first, &kind)),
            Some(_) => {}
            None => {
                let own = Stacking::of(path, &mut decoder_at(path, &file, Some(page))?, 1)?;
                let spacing_mm = [own.spacing_mm[0], own.spacing_mm[1], None];
                known = Some((kind, Stacking { spacing_mm, ..Stacking::plain(slices.len()) }));
            }
        }
        files.push((path.clone(), file));
        pages.push((n, page));
    }
    let Some((kind, stacking)) = known else {
        return Err(fault::invalid(folder, "slices", "at least one", 0));
    };
    reader(Stack { path: folder.into(), files, pages, kind, stacking }, options)
}

/// The directories of a file's pages, which must all declare the same.
fn pages_of(path: &Path, decoder: &mut PageDecoder) -> Result<(Vec<u64>, PageKind)> {
    let mut known: Option<PageKind> = None;
    let mut pages = Vec::new();
    loop {
        // Bits 0 and 2: a smaller copy of another page, a mask.
        let subfile = decoder.find_tag_unsigned::<u32>(Tag::NewSubfileType).map_err(broken(path))?.unwrap_or(0);
        if subfile & 5 == 0 {
            let kind = kind_of(path, decoder)?;
            match &known {
                Some(first) if *first != kind => return Err(differs(path, first, &kind)),
                _ => known = Some(kind),
            }
            pages.extend(decoder.ifd_pointer().map(|page| page.0));
        }
        if !decoder.more_images() {
            let kind = known.ok_or_else(|| fault::invalid(path, "pages", "at least one image", 0))?;
            return Ok((pages, kind));
        }
        decoder.next_image().map_err(broken(path))?;
    }
}

fn differs(path: &Path, first: &PageKind, kind: &PageKind) -> crate::Error {
    let show = |kind: &PageKind| {
        format!("{} x {} pixels of {} {}", kind.width, kind.height, kind.samples, kind.encoding.stored)
    };
    fault::invalid(path, "page", format!("{}, like the first", show(first)), show(kind))
}

/// An image whose rows lie in the file as they are, perhaps with others that follow it without directories.
fn contiguous(
    path: &Path,
    first: &mut PageDecoder,
    kind: PageKind,
    stacking: Stacking,
    options: &VolumeOptions,
) -> Result<VolumeReader> {
    let compression = first.find_tag_unsigned::<u16>(Tag::Compression).map_err(broken(path))?;
    let is_plain = compression.is_none_or(|c| c == CompressionMethod::None.to_u16());
    if !is_plain || kind.samples > 1 || stacking.channels > 1 {
        let supported = "uncompressed grey images of one channel";
        return Err(fault::unsupported(path, "images without pages", "compressed, or of several channels", supported));
    }
    let offsets = first.find_tag_unsigned_vec::<u64>(Tag::StripOffsets).map_err(broken(path))?.unwrap_or_default();
    let offset = offsets.first().copied().ok_or_else(|| fault::invalid(path, "StripOffsets", "an offset", "none"))?;
    let order = if first.byte_order() == tiff::tags::ByteOrder::BigEndian { ByteOrder::Big } else { ByteOrder::Little };
    let shape = [kind.width, kind.height, stacking.slices];
    // "White is zero" was undone for the decoder's sake.
    let encoding = Encoding { order, scale: None, ..kind.encoding };
    let layout = RawLayout { offset, shape, volumes: stacking.frames, planes: 1, encoding };
    let raw = Voxels::Raw(RawVoxels::of_file(path, layout)?);
    describe(path, &kind, &stacking, raw, options)
}

fn reader(stack: Stack, options: &VolumeOptions) -> Result<VolumeReader> {
    let (path, kind, stacking) = (stack.path.clone(), stack.kind, stack.stacking.clone());
    describe(&path, &kind, &stacking, Voxels::Tiff(stack), options)
}

fn describe(
    path: &Path,
    kind: &PageKind,
    stacking: &Stacking,
    voxels: Voxels,
    options: &VolumeOptions,
) -> Result<VolumeReader> {
    let shape = [kind.width, kind.height, stacking.slices];
    let mut warnings = stacking.warnings.clone();
    let is_current = stacking.placement.as_ref().is_some_and(|(affine, _)| agrees(affine, stacking.spacing_mm));
    if stacking.placement.is_some() && !is_current {
        warnings.push("the placement that brainmesh wrote is not that of the sizes any more, and is ignored".into());
    }
    let grid = match &stacking.placement {
        Some((affine, world)) if is_current => Grid::new(shape, *affine, world.as_str()),
        _ => by_spacing(shape, stacking.spacing_mm, options, &mut warnings),
    };
    let planes = plane_names(kind, stacking);
    let volumes = stacking.channels.checked_mul(stacking.frames).and_then(|n| n.checked_mul(kind.samples));
    let volumes = volumes.ok_or_else(|| fault::invalid(path, "planes", "a countable number", stacking.frames))?;
    let reader = VolumeReader::new(Opened {
        path: path.into(),
        format: "TIFF",
        grid: grid.map_err(fault::core(path))?,
        volumes,
        stored: kind.encoding.stored,
        scaling: Scaling::None,
        voxels,
    });
    let planes: Vec<_> = planes.iter().map(String::as_str).collect();
    Ok(reader.with_planes(&planes).with_time_step_s(stacking.time_step_s).with_warnings(warnings))
}

/// Whether a matrix has the spacing that is stated beside it, which other programs may have changed since.
fn agrees(affine: &DAffine3, spacing_mm: [Option<f64>; 3]) -> bool {
    let m = affine.matrix3;
    let lengths = [m.x_axis.length(), m.y_axis.length(), m.z_axis.length()];
    let same = |(length, stated): (f64, Option<f64>)| stated.is_some_and(|mm| (mm - length).abs() <= 1e-5 * length);
    lengths.into_iter().zip(spacing_mm).all(same)
}

/// The grid of a stack of which spacing is known at best; what is not becomes 1 mm.
pub(crate) fn by_spacing(
    shape: [usize; 3],
    found_mm: [Option<f64>; 3],
    options: &VolumeOptions,
    warnings: &mut Vec<String>,
) -> std::result::Result<Grid, brainmesh_core::Error> {
    let spacing = options.spacing_mm.unwrap_or_else(|| found_mm.map(|mm| mm.unwrap_or(1.0)));
    let missing: Vec<_> =
        ["i", "j", "k"].into_iter().zip(found_mm).filter(|(_, mm)| mm.is_none()).map(|(n, _)| n).collect();
    if options.spacing_mm.is_none() && !missing.is_empty() {
        warnings.push(format!("the spacing along {} is not known: taken as 1 mm", missing.join(", ")));
    }
    Grid::new(shape, DAffine3::from_scale(DVec3::from_array(spacing)), "unregistered")
}

/// Names of the channels times those of samples; none where a voxel has one value.
fn plane_names(kind: &PageKind, stacking: &Stacking) -> Vec<String> {
    let samples = kind.colours.names(kind.samples);
    if stacking.channels == 1 {
        return samples;
    }
    let channel = |n: usize| stacking.channel_names.get(n).cloned().unwrap_or_else(|| format!("channel {n}"));
    let channels = (0..stacking.channels).map(channel);
    if samples.is_empty() {
        return channels.collect();
    }
    channels.flat_map(|channel| samples.iter().map(move |sample| format!("{channel} {sample}"))).collect()
}

impl Stack {
    /// Fills `out` with a region of a volume; samples run fastest of volumes, then channels.
    pub fn read<T: Voxel>(&self, volume: usize, region: &Region, out: &mut [T], monitor: &dyn Monitor) -> Result<()> {
        let (sample, image) = (volume % self.kind.samples, volume / self.kind.samples);
        let plane = region[0].len() * region[1].len();
        out.par_chunks_mut(plane).zip(region[2].clone()).try_for_each(|(out, k)| {
            monitor.check()?;
            let page = self.stacking.pages.get(k + self.stacking.slices * image);
            let place = page.and_then(|&page| self.pages.get(page));
            let Some(((path, file), page)) = place.and_then(|&(n, page)| Some((self.files.get(n)?, page))) else {
                return Err(fault::invalid(&self.path, "page", "one for every slice", format!("none for slice {k}")));
            };
            let mut decoder = decoder_at(path, file, Some(page))?;
            page::read(path, &mut decoder, &self.kind, sample, [&region[0], &region[1]], out)?;
            monitor.advance(plane as u64);
            Ok(())
        })
    }
}
