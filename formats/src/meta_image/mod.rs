//! MetaImage (`.mha`, `.mhd` with `.raw` or `.zraw`), after the MetaIO documentation and ITK's `MetaImageIO`.
//!
//! - **Axes**: the first is stored fastest; the fourth counts volumes; `ElementNumberOfChannels` are read as planes, which are
//!   fastest of all. Integer voxel coordinates are voxel centres.
//! - **Placement**: row n of `TransformMatrix` (or `Rotation`, `Orientation`) is the direction of axis n, times
//!   `ElementSpacing` (else `ElementSize`), from `Offset` (or `Position`, `Origin`), in left-posterior-superior; turned to
//!   RAS+ mm. Shear is kept. `AnatomicalOrientation` and `CenterOfRotation` change nothing, as in ITK. Files with neither
//!   matrix nor offset are called `unregistered` and warned of.
//! - **Values**: binary in both byte orders, zlib or gzip, or decimal text; in the same file, one beside it, a list or a
//!   numbered pattern, which must lie in the header's folder or below; `HeaderSize` (-1: at the end). No scaling.
//! - **Not supported**: objects other than images, more than four axes, a fourth axis that leans on those of space, packed or
//!   decimal values in several files.
//!
//! Written plain, so that it can be mapped; several volumes as a fourth axis whose spacing is the time step in seconds, which
//! is not read back, because the format has no unit for it. The world's name and label names have no place.

mod header;
mod read;
mod write;

pub(crate) use read::open;
pub(crate) use write::write;

/// Keys with which files begin.
const FIRST_KEYS: [&str; 4] = ["ObjectType", "NDims", "Comment", "ObjectSubType"];

/// Whether a file begins like MetaImage: it has no magic number, but lines of `KEY = VALUE` with its keys.
pub(crate) fn is_meta_image(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let mut keys = text.lines().filter_map(|line| Some(line.split_once(['=', ':'])?.0.trim()));
    keys.next().is_some_and(|key| FIRST_KEYS.contains(&key)) && (keys.next().is_some())
}
