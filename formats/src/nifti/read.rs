use super::header::Header;
use super::placement;
use crate::input::Input;
use crate::stored_type::StoredType;
use crate::volume_info::rows;
use crate::{Error, Result, Scaling, VolumeInfo, VolumeOptions, fault};
use brainmesh_core::{Grid, Volume};
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes converted at a time: small enough for the second-level cache.
const BLOCK_BYTES: usize = 1 << 18;

/// The header beside an image file of a pair (`.img`, `.img.gz`), which itself has no magic number.
pub(crate) fn header_of_image(image: &Path) -> Option<PathBuf> {
    sibling(image, "img", "hdr")
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

/// What a header says, checked.
struct Layout {
    header: Header,
    grid: Grid,
    volumes: usize,
    stored: StoredType,
    scaling: Option<(f64, f64)>,
}

impl Layout {
    fn of(input: &Input) -> Result<Self> {
        let path = input.path();
        let header = Header::parse(path, input.head())?;
        let stored = header.stored_type(path)?;
        let [ni, nj, nk, counts @ ..] = header.shape(path)?;
        let volumes = counts.into_iter().try_fold(1usize, usize::checked_mul);
        let volumes =
            volumes.ok_or_else(|| fault::invalid(path, "dim[4..=7]", "a countable number", format!("{counts:?}")))?;
        let grid = placement::grid(path, &header, [ni, nj, nk])?;
        let scaling = header.scaling(path)?;
        Ok(Self { header, grid, volumes, stored, scaling })
    }
}

/// Describes a file that [`is_nifti`](super::is_nifti).
pub(crate) fn info(input: &Input) -> Result<VolumeInfo> {
    let Layout { header, grid, volumes, stored, scaling } = Layout::of(input)?;
    Ok(VolumeInfo {
        format: if header.version == 1 { "NIfTI-1" } else { "NIfTI-2" },
        shape: grid.shape(),
        volumes,
        spacing_mm: grid.spacing_mm(),
        world_from_voxel: rows(grid.affine()),
        world: grid.world().into(),
        stored: stored.name(),
        scaling: scaling.map_or(Scaling::None, |(slope, intercept)| Scaling::Linear { slope, intercept }),
        warnings: Vec::new(),
    })
}

/// Reads one volume of a file that [`is_nifti`](super::is_nifti).
pub(crate) fn read(input: Input, options: &VolumeOptions) -> Result<Volume<f32>> {
    let layout = Layout::of(&input)?;
    let path = input.path().to_path_buf();
    if options.volume_index >= layout.volumes {
        let expected = format!("below {} (the number of volumes)", layout.volumes);
        return Err(fault::invalid(&path, "volume index", expected, options.volume_index));
    }
    let data = if layout.header.is_pair {
        let image = sibling(&path, "hdr", "img");
        let image = image.ok_or_else(|| fault::invalid(&path, "magic", "an .img file beside the header", "none"))?;
        values(Input::open(&image)?, &layout, options.volume_index)?
    } else {
        values(input, &layout, options.volume_index)?
    };
    Volume::new(layout.grid, data).map_err(fault::core(&path))
}

/// The values of volume `index`, scaled, read from the start of the content.
fn values(mut input: Input, layout: &Layout, index: usize) -> Result<Vec<f32>> {
    let path = input.path().to_path_buf();
    let offset = layout.header.data_offset(&path)?;
    let count = layout.grid.voxel_count();
    let size = layout.stored.size_bytes();
    let volume_bytes = count as u128 * size as u128;
    let start = u128::from(offset) + volume_bytes * index as u128;
    let end = start + volume_bytes;
    let truncated = |found: u64| Error::Truncated {
        path: path.clone(),
        expected_bytes: u64::try_from(end).unwrap_or(u64::MAX),
        found_bytes: found,
    };
    if end > u128::from(input.most_bytes()) {
        return Err(truncated(input.most_bytes()));
    }
    let (start, volume_bytes) = (start as u64, volume_bytes as u64);
    let mut position = io::copy(&mut (&mut input).take(start), &mut io::sink()).map_err(fault::io(&path))?;
    if position < start {
        return Err(truncated(position));
    }
    let mut data = Vec::new();
    data.try_reserve_exact(count).map_err(|e| fault::io(&path)(io::Error::new(io::ErrorKind::OutOfMemory, e)))?;
    let mut block = vec![0; BLOCK_BYTES];
    let mut left = volume_bytes;
    while left > 0 {
        let wanted = left.min(BLOCK_BYTES as u64) as usize;
        let found = fill(&mut input, &mut block[..wanted]).map_err(fault::io(&path))?;
        position += found as u64;
        if found < wanted {
            return Err(truncated(position));
        }
        match layout.scaling {
            None => layout.stored.decode(&block[..wanted], layout.header.order, &mut data, |v| v as f32),
            Some((slope, intercept)) => {
                let scale = |v: f64| (slope * v + intercept) as f32;
                layout.stored.decode(&block[..wanted], layout.header.order, &mut data, scale);
            }
        }
        left -= wanted as u64;
    }
    Ok(data)
}

/// Reads until `block` is full or the content ends.
fn fill(input: &mut Input, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match input.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}
