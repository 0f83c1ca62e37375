//! OME-Zarr 0.4 (zarr v2) and 0.5 (zarr v3): a folder of chunks (<https://ngff.openmicroscopy.org/0.5/>).
//!
//! - **Axes**: voxel `(i, j, k)` is `(x, y, z)`, by the names of the axes, whatever their order. Time points are volumes,
//!   channels are planes of a volume.
//! - **World**: `scale * index + translation` of the level's transformations and then those of the multiscale, in the unit
//!   of each axis, turned to mm; scales without a unit are taken as micrometres, with a warning. The format does not say
//!   where x, y, z lead to in the body: the world is `unregistered`, with a warning, unless all three axes have an RFC-4
//!   `orientation` (world `anatomical`). brainmesh writes its whole matrix as the attribute `brainmesh`
//!   (`world_from_voxel` of level 0 in RAS+ mm, `world`), and believes it while it agrees with the scales.
//! - **Levels**: 0 is the full resolution; each lies where its own transformations put it.
//! - **Scaling**: stored values are the intensities.
//! - Only the chunks of a region are read, several at a time; of a shard, only its parts. Missing chunks hold the fill
//!   value; where all are missing there is a warning.
//! - `image-label` colours and names become the label table.
//! - **Refused**: other versions, axes other than t, c, z, y, x, transformations other than scale and translation, plates
//!   and wells, several images in a folder (`bioformats2raw.layout`; one alone is opened), complex and 16-bit floating
//!   values, chunks of more than 1 GiB, levels that lie outside the folder, codecs other than blosc, zstd, gzip, zlib,
//!   crc32c, transpose and sharding.

mod axes;
mod codec;
mod image;
mod json;
mod labels;
mod metadata;
mod placement;
mod pyramid;
mod write;

use crate::volume_reader::{Opened, Voxels};
use crate::{Result, Scaling, VolumeOptions, VolumeReader, fault};
use axes::{Axes, Coordinates, unit_s};
pub(crate) use image::Image;
use metadata::Content;
use std::path::Path;
pub(crate) use write::write;

/// Whether a folder is one of zarr.
pub(crate) fn is_zarr(folder: &Path) -> bool {
    ["zarr.json", ".zgroup", ".zattrs", ".zarray"].iter().any(|name| folder.join(name).exists())
}

/// Opens the image of a folder.
pub(crate) fn open(path: &Path, options: &VolumeOptions) -> Result<VolumeReader> {
    codec::register();
    let inner;
    let (path, content) = match metadata::content_of(path)? {
        Content::Series if path.join("1").exists() => {
            let supported = "one of them, opened by its folder";
            return Err(fault::unsupported(path, "bioformats2raw.layout", "several images", supported));
        }
        Content::Series => {
            inner = path.join("0");
            (inner.as_path(), metadata::content_of(&inner)?)
        }
        content => (path, content),
    };
    let Content::Image(image) = content else {
        return Err(fault::invalid(path, "multiscales", "those of an image", "images within images"));
    };
    let axes = Axes::of(path, &image.multiscale)?;
    let levels = image.multiscale.datasets.len();
    let Some(dataset) = image.multiscale.datasets.get(options.level) else {
        return Err(fault::invalid(path, "level", format!("below {levels} (the number of levels)"), options.level));
    };
    let array = Image::open(path, metadata::checked_path(path, &dataset.path)?, axes)?;
    let placed = placement::place(path, &image, &axes, options.level, array.shape()?, options.spacing_mm)?;
    let mut warnings = placed.warnings;
    if array.is_empty()? {
        warnings.push("no chunk is there: all voxels have the fill value".into());
    }
    let [times, channels] = array.volumes()?;
    let volumes = times.checked_mul(channels);
    let volumes = volumes.ok_or_else(|| fault::invalid(path, "shape", "a countable number of volumes", times))?;
    let coordinates = Coordinates::of(path, &image.multiscale, options.level)?;
    let time_step = axes.time.filter(|_| times > 1);
    let time_step = time_step.and_then(|n| unit_s(&image.multiscale.axes[n]).map(|unit| coordinates.scale[n] * unit));
    let planes = plane_names(channels, &image.channels);
    let reader = VolumeReader::new(Opened {
        path: path.into(),
        format: if image.version == "0.4" { "OME-Zarr 0.4" } else { "OME-Zarr 0.5" },
        grid: placed.grid,
        volumes,
        stored: array.stored,
        scaling: Scaling::None,
        voxels: Voxels::OmeZarr(array),
    });
    let planes: Vec<_> = planes.iter().map(String::as_str).collect();
    let labels = labels::table(image.image_label.as_ref());
    Ok(reader
        .with_planes(&planes)
        .with_labels(labels)
        .with_time_step_s(time_step)
        .with_levels(levels)
        .with_warnings(warnings))
}

/// Names of the channels, none where there is but one.
fn plane_names(channels: usize, known: &[metadata::Channel]) -> Vec<String> {
    if channels < 2 || channels > 1 << 16 {
        return Vec::new();
    }
    let name = |n: usize| known.get(n).and_then(|channel| channel.label.clone()).unwrap_or(format!("channel {n}"));
    (0..channels).map(name).collect()
}
