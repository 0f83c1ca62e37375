use super::extension;
use super::header::Header;
use super::placement;
use crate::input::Input;
use crate::raw::{RawLayout, RawVoxels};
use crate::stored_type::ByteOrder;
use crate::volume_reader::{Opened, Voxels};
use crate::voxel::Encoding;
use crate::{Result, Scaling, VolumeReader, fault};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Extensions beyond this are left where they are: the largest known, CIFTI's XML, stay far below.
const MOST_EXTENSION_BYTES: u64 = 256 << 20;

/// The header beside an image file of a pair (`.img`, `.img.gz`), which itself has no magic number.
pub(crate) fn header_of_image(image: &Path) -> Option<PathBuf> {
    sibling(image, "img", "hdr")
}

/// The image file of a header (`.hdr`, `.hdr.gz`).
pub(crate) fn image_of_header(header: &Path) -> Option<PathBuf> {
    sibling(header, "hdr", "img")
}

/// `NAME.from[.gz]` to an existing `NAME.to[.gz]`, gzipped like the given one if both exist, in the given one's letter case.
fn sibling(path: &Path, from: &str, to: &str) -> Option<PathBuf> {
    let lower = |e: &OsStr| e.to_string_lossy().to_ascii_lowercase();
    let is_gzip = path.extension().is_some_and(|e| lower(e) == "gz");
    let plain = if is_gzip { path.with_extension("") } else { path.to_path_buf() };
    let extension = plain.extension().filter(|e| lower(e) == from)?;
    let to =
        if extension.to_string_lossy().chars().all(char::is_uppercase) { to.to_ascii_uppercase() } else { to.into() };
    let (plain, gzip) = (plain.with_extension(&to), plain.with_extension(format!("{to}.gz")));
    let candidates = if is_gzip { [gzip, plain] } else { [plain, gzip] };
    candidates.into_iter().find(|p| p.is_file())
}

/// Opens a file that [`is_nifti`](super::is_nifti).
pub(crate) fn open(input: Input) -> Result<VolumeReader> {
    let path = input.path().to_path_buf();
    let header = Header::parse(&path, input.head())?;
    let (stored, planes) = header.stored_type(&path)?;
    let [ni, nj, nk, counts @ ..] = header.shape(&path)?;
    let volumes = counts.into_iter().try_fold(1usize, usize::checked_mul);
    let volumes =
        volumes.ok_or_else(|| fault::invalid(&path, "dim[4..=7]", "a countable number", format!("{counts:?}")))?;
    let shape = [ni, nj, nk];
    let grid = placement::grid(&path, &header, shape)?;
    // Scaling is defined for real numbers only (`nifti1.h`).
    let scale = if planes.is_empty() { header.scaling(&path)? } else { None };
    let offset = header.data_offset(&path)?;
    let encoding = Encoding { stored, order: header.order, scale };
    let layout = RawLayout { offset, shape, volumes, planes: planes.len().max(1), encoding };
    let raw = if header.is_pair {
        let image = image_of_header(&path);
        let image = image.ok_or_else(|| fault::invalid(&path, "magic", "an .img file beside the header", "none"))?;
        RawVoxels::of_file(&image, layout)?
    } else {
        RawVoxels::of_file(&path, layout)?
    };
    let (extensions, unread) = extensions(&path, input, &header, offset)?;
    let infinite = header.scl_slope.is_infinite().then(|| "scl_slope is infinite: values are as stored".to_owned());
    let warnings = placement::disagreement(&path, &header, shape).into_iter().chain(unread).chain(infinite);
    let opened = Opened {
        format: if header.version == 1 { "NIfTI-1" } else { "NIfTI-2" },
        grid,
        volumes: volumes * planes.len().max(1),
        stored,
        scaling: Scaling::of(scale),
        voxels: Voxels::Raw(raw),
        path,
    };
    Ok(VolumeReader::new(opened)
        .with_planes(planes)
        .with_time_step_s(header.time_step_s())
        .with_extensions(extensions)
        .with_warnings(warnings))
}

/// Extensions between header and voxels, and a warning where they were not read.
fn extensions(
    path: &Path,
    input: Input,
    header: &Header,
    offset: u64,
) -> Result<(Vec<super::Extension>, Option<String>)> {
    let start = header.bytes();
    let end = if header.is_pair { input.most_bytes().min(MOST_EXTENSION_BYTES) } else { offset };
    if input.head().get(start).is_none_or(|&flag| flag == 0) {
        return Ok((Vec::new(), None));
    }
    if end > MOST_EXTENSION_BYTES {
        return Ok((Vec::new(), Some(format!("{end} bytes of header extensions were not read"))));
    }
    let bytes = input.into_bytes(end)?;
    let found = extension::parse(path, bytes.get(start..).unwrap_or_default(), header.order == ByteOrder::Little);
    match found {
        Ok(extensions) => Ok((extensions, None)),
        // They place no voxel: a damaged one must not hide the image.
        Err(error) => Ok((Vec::new(), Some(format!("header extensions were not read: {error}")))),
    }
}
